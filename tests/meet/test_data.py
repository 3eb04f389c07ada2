"""Messages, streams, calls and data tracks between stock Python clients."""

import asyncio
import os
import unittest

from livekit import rtc

from engine import within
from people import joined, room_name


class Data(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.room = room_name()
        self.ada, self.ben, self.cem = await asyncio.gather(
            joined(self.room, "ada"), joined(self.room, "ben", single_peer_connection=False), joined(self.room, "cem"))
        people = (self.ada, self.ben, self.cem)
        await asyncio.gather(*(one.knows(other.identity) for one in people for other in people if one is not other))

    async def asyncTearDown(self):
        await asyncio.gather(self.ada.leave(), self.ben.leave(), self.cem.leave())

    async def test_a_message_reaches_everybody_with_its_sender(self):
        await self.ada.room.local_participant.publish_data(b"good morning", reliable=True, topic="chat")
        for person in (self.ben, self.cem):
            packet = (await person.event("data_received"))[0]
            self.assertEqual((packet.data, packet.topic, packet.participant.identity), (b"good morning", "chat", "ada"))
        self.assertNotIn("data_received", self.ada.seen)

    async def test_a_message_to_one_reaches_one(self):
        await self.ada.room.local_participant.publish_data(b"for ben", destination_identities=["ben"])
        self.assertEqual((await self.ben.event("data_received"))[0].data, b"for ben")
        await self.ada.room.local_participant.publish_data(b"for all")
        self.assertEqual((await self.cem.event("data_received"))[0].data, b"for all", "and nothing came before")

    async def test_messages_arrive_in_order_and_once(self):
        for number in range(200):
            await self.ada.room.local_participant.publish_data(str(number).encode(), reliable=True)
        await self.ben.event("data_received", lambda packet: packet.data == b"199")
        self.assertEqual([int(packet.data) for packet, in self.ben.seen["data_received"]], list(range(200)))

    async def test_a_lossy_message_arrives_on_a_good_link(self):
        await self.ada.room.local_participant.publish_data(b"a hint", reliable=False)
        self.assertEqual((await self.cem.event("data_received"))[0].kind, rtc.DataPacketKind.KIND_LOSSY)

    async def test_text_of_many_chunks_arrives_whole(self):
        text = "Заявление делегации 声明 بيان " * 4000
        heard = asyncio.get_running_loop().create_future()

        def handler(reader, identity):
            async def read():
                heard.set_result((await reader.read_all(), identity, reader.info.attributes))
            self.reading = asyncio.ensure_future(read())

        self.ben.room.register_text_stream_handler("captions", handler)
        await self.ada.room.local_participant.send_text(text, topic="captions", attributes={"language": "ru"})
        self.assertEqual(await within(10, "text", heard), (text, "ada", {"language": "ru"}))

    async def test_a_file_arrives_whole(self):
        content = os.urandom(300_000)
        heard = asyncio.get_running_loop().create_future()

        def handler(reader, _identity):
            async def read():
                heard.set_result(b"".join([chunk async for chunk in reader]))
            self.reading = asyncio.ensure_future(read())

        self.cem.room.register_byte_stream_handler("files", handler)
        writer = await self.ada.room.local_participant.stream_bytes("figures.csv", topic="files")
        await writer.write(content)
        await writer.aclose()
        self.assertEqual(await within(15, "file", heard), content)

    async def test_a_call_is_answered_and_an_error_comes_back(self):
        @self.ben.room.local_participant.register_rpc_method("give-floor")
        async def give(data: rtc.RpcInvocationData):
            if data.payload == "nobody":
                raise rtc.RpcError(1501, "there is no such delegation")
            return f"{data.caller_identity} gave the floor to {data.payload}"

        call = self.ada.room.local_participant.perform_rpc
        answer = await within(10, "answer", call(destination_identity="ben", method="give-floor", payload="JPN"))
        self.assertEqual(answer, "ada gave the floor to JPN")
        with self.assertRaises(rtc.RpcError) as refused:
            await within(10, "answer", call(destination_identity="ben", method="give-floor", payload="nobody"))
        self.assertEqual(refused.exception.code, 1501)

    async def test_a_data_track_carries_frames(self):
        track = await within(10, "data track", self.ada.room.local_participant.publish_data_track(name="levels"))
        remote = (await self.ben.event("data_track_published"))[0]

        async def push():
            while True:
                track.try_push(rtc.DataTrackFrame(payload=b"frame"))
                await asyncio.sleep(0.02)

        pushing = asyncio.create_task(push())
        try:
            stream = remote.subscribe()

            async def first():
                async for frame in stream:
                    return frame.payload
            self.assertEqual(await within(10, "frame", first()), b"frame")
        finally:
            pushing.cancel()


if __name__ == "__main__":
    unittest.main()
