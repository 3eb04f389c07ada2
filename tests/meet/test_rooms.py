"""The room service as LiveKit's own library calls it, and what participants see of it."""

import asyncio
import contextlib
import json
import unittest
import urllib.error
import urllib.request

from livekit import api, rtc

import engine
from people import PICTURE, SOUND, hears, joined, room_name, sees, together, token


class Rooms(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.service = api.LiveKitAPI(engine.shared().http, engine.KEY, engine.SECRET)
        self.rooms = self.service.room
        self.name = room_name()
        self.people = []

    async def asyncTearDown(self):
        await asyncio.gather(*(person.leave() for person in self.people))
        await self.service.aclose()

    async def joined(self, *identities: str, **options):
        people = await together(self.name, *identities, **options)
        self.people += people
        return people if len(people) > 1 else people[0]

    async def test_a_room_is_made_listed_and_deleted(self):
        made = await self.rooms.create_room(api.CreateRoomRequest(name=self.name, metadata="agenda 1", max_participants=3))
        self.assertTrue(made.sid.startswith("RM_"))
        listed = await self.rooms.list_rooms(api.ListRoomsRequest(names=[self.name]))
        self.assertEqual([(r.name, r.sid, r.metadata, r.max_participants) for r in listed.rooms],
                         [(self.name, made.sid, "agenda 1", 3)])
        ada = await self.joined("ada")
        self.assertEqual(ada.room.metadata, "agenda 1")
        await self.rooms.delete_room(api.DeleteRoomRequest(room=self.name))
        reason, = await ada.event("disconnected")
        self.assertEqual(reason, rtc.DisconnectReason.ROOM_DELETED)
        self.assertEqual(len((await self.rooms.list_rooms(api.ListRoomsRequest(names=[self.name]))).rooms), 0)

    async def test_a_full_room_takes_nobody(self):
        await self.rooms.create_room(api.CreateRoomRequest(name=self.name, max_participants=1))
        await self.joined("ada")
        with self.assertRaises(rtc.ConnectError):
            await self.joined("ben")

    async def test_participants_are_listed_with_their_tracks(self):
        ada, ben = await self.joined("ada", "ben")
        publication = await ada.speak(440)
        await ben.event("track_published")
        listed = await self.rooms.list_participants(api.ListParticipantsRequest(room=self.name))
        self.assertEqual({(p.identity, p.name, *(t.sid for t in p.tracks)) for p in listed.participants},
                         {("ada", "Ada", publication.sid), ("ben", "Ben")})
        one = await self.rooms.get_participant(api.RoomParticipantIdentity(room=self.name, identity="ada"))
        self.assertEqual(one.state, api.ParticipantInfo.State.ACTIVE)
        with self.assertRaises(api.TwirpError) as missing:
            await self.rooms.get_participant(api.RoomParticipantIdentity(room=self.name, identity="nobody"))
        self.assertEqual(missing.exception.code, "not_found")

    async def test_metadata_and_attributes_reach_everybody(self):
        ada, ben = await self.joined("ada", "ben")
        await self.rooms.update_room_metadata(api.UpdateRoomMetadataRequest(room=self.name, metadata="item 2"))
        await ben.event("room_metadata_changed", lambda _old, new: new == "item 2")
        await self.rooms.update_participant(api.UpdateParticipantRequest(
            room=self.name, identity="ada", metadata="chair", attributes={"delegation": "JPN"}))
        await ben.event("participant_attributes_changed", lambda changed, p: p.attributes.get("delegation") == "JPN")
        self.assertEqual(ben.room.remote_participants["ada"].metadata, "chair")

    async def test_who_is_removed_is_out(self):
        ada, ben = await self.joined("ada", "ben")
        await self.rooms.remove_participant(api.RoomParticipantIdentity(room=self.name, identity="ada"))
        reason, = await ada.event("disconnected")
        self.assertEqual(reason, rtc.DisconnectReason.PARTICIPANT_REMOVED)
        await ben.event("participant_disconnected", lambda p: p.identity == "ada")

    @unittest.skipIf(engine.FOREIGN, "a LiveKit server lets a removed participant walk back in")
    async def test_a_token_from_before_a_removal_is_refused_and_one_from_after_is_not(self):
        old = token(self.name, "ada")
        keeper, ada = await self.joined("keeper", "ada")
        await self.rooms.remove_participant(api.RoomParticipantIdentity(room=self.name, identity="ada"))
        await ada.event("disconnected")
        with self.assertRaises(rtc.ConnectError):
            await joined(self.name, "ada", jwt=old)
        # Tokens name the second in which they were made.
        await asyncio.sleep(1.1)
        self.people.append(await joined(self.name, "ada"))

    async def test_a_muted_microphone_falls_silent(self):
        ada, ben = await self.joined("ada", "ben")
        publication = await ada.speak(440)
        track = (await ben.event("track_subscribed", SOUND))[0]
        await hears(track, 440)
        await self.rooms.mute_published_track(api.MuteRoomTrackRequest(
            room=self.name, identity="ada", track_sid=publication.sid, muted=True))
        await ben.event("track_muted")
        with self.assertRaises(api.TwirpError):
            await self.rooms.mute_published_track(api.MuteRoomTrackRequest(
                room=self.name, identity="ada", track_sid=publication.sid, muted=False))

    async def test_a_source_taken_away_is_unpublished_and_can_be_given(self):
        ada, ben = await self.joined("ada", "ben")
        await ada.speak(440)
        await ben.event("track_subscribed", SOUND)
        gone = asyncio.ensure_future(ben.next("track_unpublished"))
        await self.rooms.update_participant(api.UpdateParticipantRequest(
            room=self.name, identity="ada", permission=api.ParticipantPermission(
                can_subscribe=True, can_publish=True, can_publish_data=True, can_publish_sources=[api.TrackSource.CAMERA])))
        await gone
        with self.assertRaises(Exception):
            await ada.speak(440)
        await ada.show((200, 30, 30))
        await sees((await ben.event("track_subscribed", PICTURE))[0], (200, 30, 30))

    async def test_the_server_decides_who_hears_what(self):
        ada = await self.joined("ada")
        publication = await ada.speak(440)
        ben = await self.joined("ben", auto_subscribe=False)
        await self.rooms.update_subscriptions(api.UpdateSubscriptionsRequest(
            room=self.name, identity="ben", track_sids=[publication.sid], subscribe=True))
        await hears((await ben.event("track_subscribed", SOUND))[0], 440)

    async def test_the_server_sends_data_to_one_or_all(self):
        ada, ben = await self.joined("ada", "ben")
        await self.rooms.send_data(api.SendDataRequest(
            room=self.name, data=b"for ada", topic="floor", destination_identities=["ada"], kind=api.DataPacket.Kind.RELIABLE))
        await self.rooms.send_data(api.SendDataRequest(room=self.name, data=b"for all", kind=api.DataPacket.Kind.RELIABLE))
        packet = (await ada.event("data_received"))[0]
        self.assertEqual((packet.data, packet.topic, packet.participant), (b"for ada", "floor", None))
        self.assertEqual((await ben.event("data_received"))[0].data, b"for all")

    async def test_a_second_entrance_under_one_name_ends_the_first(self):
        first = await self.joined("ada")
        await self.joined("ada")
        reason, = await first.event("disconnected")
        self.assertEqual(reason, rtc.DisconnectReason.DUPLICATE_IDENTITY)

    async def test_a_hidden_listener_hears_and_is_seen_by_nobody(self):
        ada = await self.joined("ada")
        await ada.speak(440)
        hidden = await self.joined("hidden", grants={"hidden": True, "can_publish": False, "can_publish_data": False})
        await hears((await hidden.event("track_subscribed", SOUND))[0], 440)
        ben = await self.joined("ben")
        self.assertEqual(set(ben.room.remote_participants), {"ada"})
        self.assertNotIn("hidden", ada.room.remote_participants)

    async def test_a_publisher_chooses_who_may_subscribe(self):
        ada, ben, cem = await self.joined("ada", "ben", "cem")
        ada.room.local_participant.set_track_subscription_permissions(
            allow_all_participants=False,
            participant_permissions=[rtc.ParticipantTrackPermission(participant_identity="ben", allow_all=True)])
        await ada.speak(440)
        await hears((await ben.event("track_subscribed", SOUND))[0], 440)
        await cem.event("track_published")
        self.assertNotIn("track_subscribed", cem.seen)

    async def test_the_own_name_changes_only_where_it_is_allowed(self):
        ada, ben = await self.joined("ada", "ben", grants={"can_update_own_metadata": True})
        await ada.room.local_participant.set_attributes({"hand": "raised"})
        await ben.event("participant_attributes_changed", lambda changed, p: p.attributes.get("hand") == "raised")
        cem = await self.joined("cem", grants={"can_update_own_metadata": False})
        await ada.knows("cem")
        with contextlib.suppress(Exception):
            await asyncio.wait_for(cem.room.local_participant.set_attributes({"hand": "raised"}), 5)
        listed = await self.rooms.get_participant(api.RoomParticipantIdentity(room=self.name, identity="cem"))
        self.assertEqual(dict(listed.attributes), {})

    async def test_json_is_understood_as_well_as_protobuf(self):
        jwt = api.AccessToken(engine.KEY, engine.SECRET).with_grants(api.VideoGrants(room_create=True, room_list=True)).to_jwt()

        def call(method: str, body: dict, jwt: str = jwt):
            request = urllib.request.Request(
                f"{engine.shared().http}/twirp/livekit.RoomService/{method}", json.dumps(body).encode(),
                {"Content-Type": "application/json", "Authorization": f"Bearer {jwt}"})
            with urllib.request.urlopen(request, timeout=5) as answer:
                return json.load(answer)

        made = await asyncio.to_thread(call, "CreateRoom", {"name": self.name, "emptyTimeout": 60})
        self.assertEqual(made["name"], self.name)
        with self.assertRaises(urllib.error.HTTPError) as refused:
            await asyncio.to_thread(call, "ListParticipants", {"room": self.name})
        self.assertIn(refused.exception.code, (401, 403))
        self.assertIn("code", json.load(refused.exception))
        with self.assertRaises(urllib.error.HTTPError) as nonsense:
            await asyncio.to_thread(call, "NoSuchMethod", {})
        self.assertEqual(nonsense.exception.code, 404)


if __name__ == "__main__":
    unittest.main()
