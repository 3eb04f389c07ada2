"""Sound and pictures between stock Python clients, in both modes of connection."""

import asyncio
import unittest

from livekit import rtc

from people import PICTURE, SOUND, hears, joined, room_name, sees


class Media(unittest.IsolatedAsyncioTestCase):
    async def both_ways(self, **options):
        room = room_name()
        ada, ben = await asyncio.gather(joined(room, "ada", **options), joined(room, "ben", **options))
        try:
            await asyncio.gather(ada.speak(440), ben.speak(1000), ada.show((200, 30, 30)))
            heard_by_ben = (await ben.event("track_subscribed", SOUND))[0]
            seen_by_ben = (await ben.event("track_subscribed", PICTURE))[0]
            heard_by_ada = (await ada.event("track_subscribed", SOUND))[0]
            await asyncio.gather(hears(heard_by_ben, 440), hears(heard_by_ada, 1000), sees(seen_by_ben, (200, 30, 30)))
        finally:
            await asyncio.gather(ada.leave(), ben.leave())

    async def test_two_hear_and_see_each_other_over_one_peer_connection(self):
        await self.both_ways(single_peer_connection=True)

    async def test_two_hear_and_see_each_other_over_two_peer_connections(self):
        await self.both_ways(single_peer_connection=False)

    async def test_the_modes_meet_in_one_room(self):
        room = room_name()
        ada, ben = await asyncio.gather(
            joined(room, "ada", single_peer_connection=True), joined(room, "ben", single_peer_connection=False))
        try:
            await asyncio.gather(ada.speak(440), ben.speak(1000))
            await asyncio.gather(
                hears((await ben.event("track_subscribed", SOUND))[0], 440),
                hears((await ada.event("track_subscribed", SOUND))[0], 1000))
        finally:
            await asyncio.gather(ada.leave(), ben.leave())

    async def test_who_comes_late_hears_and_sees_what_runs(self):
        room = room_name()
        ada = await joined(room, "ada")
        await asyncio.gather(ada.speak(440), ada.show((30, 200, 30)))
        ben = await joined(room, "ben")
        try:
            sound = (await ben.event("track_subscribed", SOUND))[0]
            picture = (await ben.event("track_subscribed", PICTURE))[0]
            await asyncio.gather(hears(sound, 440), sees(picture, (30, 200, 30)))
        finally:
            await asyncio.gather(ada.leave(), ben.leave())

    async def test_six_speakers_are_all_heard_by_a_seventh(self):
        room = room_name()
        listener = await joined(room, "listener")
        speakers = await asyncio.gather(*(joined(room, f"speaker-{n}") for n in range(6)))
        try:
            await asyncio.gather(*(speaker.speak(400 + 200 * n) for n, speaker in enumerate(speakers)))
            for n, speaker in enumerate(speakers):
                who = speaker.identity
                track, *_ = await listener.event("track_subscribed", lambda _t, _p, p, who=who: p.identity == who)
                await hears(track, 400 + 200 * n)
        finally:
            await asyncio.gather(listener.leave(), *(speaker.leave() for speaker in speakers))

    async def test_a_mute_is_seen_and_an_unmute_is_heard(self):
        room = room_name()
        ada, ben = await asyncio.gather(joined(room, "ada"), joined(room, "ben"))
        try:
            publication = await ada.speak(440)
            track = (await ben.event("track_subscribed", SOUND))[0]
            await hears(track, 440)
            publication.track.mute()
            await ben.event("track_muted")
            publication.track.unmute()
            await ben.event("track_unmuted")
            await hears(track, 440)
        finally:
            await asyncio.gather(ada.leave(), ben.leave())

    async def test_an_unpublished_track_goes_and_its_place_is_used_again(self):
        room = room_name()
        ada, ben = await asyncio.gather(joined(room, "ada"), joined(room, "ben"))
        try:
            for frequency in (440, 660, 880, 1100):
                publication = await ada.speak(frequency)
                track = (await ben.event("track_subscribed", lambda _t, p, _w, sid=publication.sid: p.sid == sid))[0]
                await hears(track, frequency)
                gone = asyncio.ensure_future(ben.next("track_unsubscribed"))
                await ada.room.local_participant.unpublish_track(publication.sid)
                await gone
        finally:
            await asyncio.gather(ada.leave(), ben.leave())

    async def test_the_speaker_is_named(self):
        room = room_name()
        ada, ben = await asyncio.gather(joined(room, "ada"), joined(room, "ben"))
        try:
            await ada.speak(440)
            await ben.event("active_speakers_changed", lambda speakers: any(s.identity == "ada" for s in speakers))
        finally:
            await asyncio.gather(ada.leave(), ben.leave())

    async def test_who_chose_not_to_subscribe_hears_what_it_asks_for(self):
        room = room_name()
        ada = await joined(room, "ada")
        await asyncio.gather(ada.speak(440), ada.show())
        ben = await joined(room, "ben", auto_subscribe=False)
        try:
            publications = ben.room.remote_participants["ada"].track_publications
            sound = next(p for p in publications.values() if p.kind == rtc.TrackKind.KIND_AUDIO)
            self.assertFalse(sound.subscribed)
            sound.set_subscribed(True)
            track = (await ben.event("track_subscribed", SOUND))[0]
            await hears(track, 440)
            self.assertEqual(len(ben.seen["track_subscribed"]), 1)
            gone = asyncio.ensure_future(ben.next("track_unsubscribed"))
            sound.set_subscribed(False)
            await gone
            sound.set_subscribed(True)
            track = (await ben.next("track_subscribed", SOUND))[0]
            await hears(track, 440)
        finally:
            await asyncio.gather(ada.leave(), ben.leave())

    async def test_what_is_encrypted_end_to_end_passes_untouched(self):
        room = room_name()
        options = rtc.E2EEOptions()
        options.key_provider_options.shared_key = b"the key that the server does not know"
        ada, ben = await asyncio.gather(joined(room, "ada", encryption=options), joined(room, "ben", encryption=options))
        try:
            await asyncio.gather(ada.speak(440), ada.show((30, 30, 200)))
            sound, publication, _ = await ben.event("track_subscribed", SOUND)
            picture = (await ben.event("track_subscribed", PICTURE))[0]
            self.assertNotEqual(publication.encryption_type, rtc.EncryptionType.NONE)
            await asyncio.gather(hears(sound, 440), sees(picture, (30, 30, 200)))
        finally:
            await asyncio.gather(ada.leave(), ben.leave())


if __name__ == "__main__":
    unittest.main()
