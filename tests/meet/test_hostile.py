"""Clients that lie, flood, or say nothing. After each, others still hear each other."""

import asyncio
import base64
import gzip
import itertools
import os
import socket
import time
import unittest

import aiohttp
import jwt
from livekit import api
from livekit.protocol import models, rtc as signal

import engine
from engine import within
from people import SOUND, hears, joined, room_name, together, token


class Raw:
    """A client that speaks the signalling by hand, on the path of two peer connections."""

    def __init__(self, http: aiohttp.ClientSession, socket: aiohttp.ClientWebSocketResponse):
        self.http, self.socket = http, socket
        self.answers: list[signal.SignalResponse] = []

    @classmethod
    async def joined(cls, room: str, identity: str, **grants) -> "Raw":
        http = aiohttp.ClientSession()
        query = f"access_token={token(room, identity, **grants)}&auto_subscribe=1&protocol=15&sdk=js&version=2.0.0"
        raw = cls(http, await http.ws_connect(f"{engine.shared().url}/rtc?{query}"))
        await raw.answer("join")
        return raw

    async def say(self, **what) -> None:
        await self.socket.send_bytes(signal.SignalRequest(**what).SerializeToString())

    async def answer(self, which: str, seconds: float = 5) -> signal.SignalResponse:
        async def read():
            while True:
                message = await self.socket.receive()
                if message.type != aiohttp.WSMsgType.BINARY:
                    raise AssertionError(f"the connection ended before {which}")
                answer = signal.SignalResponse.FromString(message.data)
                self.answers.append(answer)
                if answer.WhichOneof("message") == which:
                    return answer
        return await within(seconds, which, read())

    async def ends(self, seconds: float = 10) -> None:
        """Returns when the server has closed the connection."""
        async def read():
            while (await self.socket.receive()).type == aiohttp.WSMsgType.BINARY:
                pass
        await within(seconds, "end of the connection", read())

    async def close(self) -> None:
        await self.socket.close()
        await self.http.close()


class Hostile(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.room = room_name()
        self.ada, self.ben = await together(self.room, "ada", "ben")
        self.publication = await self.ada.speak(440)
        self.track = (await self.ben.event("track_subscribed", SOUND))[0]

    async def asyncTearDown(self):
        await hears(self.track, 440)
        await asyncio.gather(self.ada.leave(), self.ben.leave())

    async def status(self, path: str, bearer: str | None = None) -> int:
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        async with aiohttp.ClientSession() as http, http.get(engine.shared().http + path, headers=headers) as answer:
            return answer.status

    async def test_tokens_that_do_not_count(self):
        forged = token(self.room, "eve", secret="another-secret-of-thirty-two-characters")
        expired = token(self.room, "eve", lasting=-3600)
        unsigned = ".".join([base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("="),
                             token(self.room, "eve").split(".")[1], ""])
        no_entry = (api.AccessToken(engine.KEY, engine.SECRET).with_identity("eve")
                    .with_grants(api.VideoGrants(room=self.room)).to_jwt())
        no_name = jwt.encode({"iss": engine.KEY, "exp": int(time.time()) + 60, "video": {"roomJoin": True, "room": self.room}},
                             engine.SECRET, algorithm="HS256")
        for bad in (None, "nonsense", forged, expired, unsigned, no_entry, no_name):
            for path in ("/rtc/validate", "/rtc/v1/validate"):
                self.assertIn(await self.status(path, bad), (400, 401, 403), bad)
        self.assertEqual(await self.status("/rtc/validate", token(self.room, "eve")), 200)

    async def test_the_name_is_the_tokens(self):
        eve = await Raw.joined(self.room, "eve")
        await eve.say(update_metadata=signal.UpdateParticipantMetadata(name="WHO Director-General", request_id=1))
        await eve.say(ping=1)
        await eve.answer("pong")
        await self.ben.knows("eve")
        self.assertEqual(self.ben.room.remote_participants["eve"].name, "Eve")
        await eve.close()

    async def test_a_stolen_sid_mutes_nobody(self):
        eve = await Raw.joined(self.room, "eve")
        await eve.say(mute=signal.MuteTrackRequest(sid=self.publication.sid, muted=True))
        await eve.say(ping=1)
        await eve.answer("pong")
        self.assertNotIn("track_muted", self.ben.seen)
        await hears(self.track, 440)
        await eve.close()

    async def test_nobody_publishes_without_permission(self):
        eve = await Raw.joined(self.room, "eve", can_publish=False)
        await eve.say(add_track=signal.AddTrackRequest(cid="c1", name="microphone", type=models.TrackType.AUDIO))
        await eve.say(ping=1)
        await eve.answer("pong")
        self.assertFalse(any(answer.HasField("track_published") for answer in eve.answers))
        await eve.close()

    async def test_rubbish_ends_its_connection_only(self):
        for rubbish in (b"\xff" * 100, os.urandom(1000), b"\x0a\xff\xff\xff\xff\x0f"):
            eve = await Raw.joined(self.room, "eve")
            await eve.socket.send_bytes(rubbish)
            await eve.close()

    async def test_an_offer_that_is_none(self):
        for text in ("", "v=0", "rubbish\r\n" * 1000, "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=audio 9 X 0\r\n" * 50):
            eve = await Raw.joined(self.room, "eve")
            await eve.say(offer=signal.SessionDescription(type="offer", sdp=text, id=1))
            await eve.close()

    async def test_a_frame_that_is_too_large(self):
        eve = await Raw.joined(self.room, "eve")
        with self.assertRaises((AssertionError, ConnectionError, aiohttp.ClientError)):
            await eve.socket.send_bytes(bytes(20_000_000))
            await eve.answer("pong")
        await eve.close()

    async def test_a_join_request_that_unpacks_for_ever(self):
        bomb = gzip.compress(bytes(200_000_000), 9)
        wrapped = signal.WrappedJoinRequest(compression=signal.WrappedJoinRequest.Compression.GZIP, join_request=bomb[:30_000])
        for request in (wrapped.SerializeToString(), b"\xff\xff", gzip.compress(bytes(1000))):
            query = base64.urlsafe_b64encode(request).decode().rstrip("=")
            begun = time.monotonic()
            status = await self.status(f"/rtc/v1/validate?join_request={query}", token(self.room, "eve"))
            self.assertIn(status, (400, 413, 414, 431))
            self.assertLess(time.monotonic() - begun, 5)

    async def test_a_flood_of_messages(self):
        eve = await Raw.joined(self.room, "eve")
        try:
            for number in range(20_000):
                await eve.say(ping=number)
        except (ConnectionError, aiohttp.ClientError):
            pass  # Cut off is a good answer.
        await eve.close()

    async def test_who_does_not_read_is_given_up(self):
        """A socket that nobody empties, in a room where much is told: the server keeps a bounded lot for it, then ends it."""
        deaf = socket.socket()
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        host, port = engine.shared().http.removeprefix("http://").split(":")
        deaf.connect((host, int(port)))
        query = f"access_token={token(self.room, 'deaf')}&auto_subscribe=1&protocol=15&sdk=js&version=2.0.0"
        deaf.sendall((f"GET /rtc?{query} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n").encode())
        await self.ada.event("participant_connected", lambda other: other.identity == "deaf")
        async with api.LiveKitAPI(engine.shared().http, engine.KEY, engine.SECRET) as server:
            for turn in range(400):
                await server.room.update_room_metadata(
                    api.UpdateRoomMetadataRequest(room=self.room, metadata=f"{turn} " + "x" * 50_000))

        def rest() -> int:
            deaf.settimeout(20)
            return sum(len(piece) for piece in iter(lambda: deaf.recv(1 << 16), b""))
        told = await within(30, "end of the connection", asyncio.to_thread(rest))
        self.assertLess(told, 15_000_000, "of twenty million: what waits for one socket, and what the kernel holds")
        deaf.close()

    async def test_who_never_speaks_costs_little(self):
        address = engine.shared().http.removeprefix("http://").split(":")
        silent = await asyncio.gather(*(asyncio.open_connection(*address) for _ in range(500)))
        cem = await joined(self.room, "cem")
        await hears((await cem.event("track_subscribed", SOUND))[0], 440)
        await cem.leave()
        for _, writer in silent:
            writer.close()

    async def test_nobody_is_kicked_by_somebody_without_the_right(self):
        for grants in ({}, {"room_join": True, "room": self.room}, {"room_admin": True, "room": "another room"}):
            bearer = (api.AccessToken(engine.KEY, engine.SECRET).with_identity("eve")
                      .with_grants(api.VideoGrants(**grants)).to_jwt())
            async with aiohttp.ClientSession() as http, http.post(
                f"{engine.shared().http}/twirp/livekit.RoomService/RemoveParticipant", headers={"Authorization": f"Bearer {bearer}"},
                json={"room": self.room, "identity": "ada"}) as answer:
                self.assertIn(answer.status, (401, 403))
        self.assertTrue(self.ada.room.isconnected())


if __name__ == "__main__":
    unittest.main()
