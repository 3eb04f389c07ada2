"""The engine as a service: ways for media, threads, figures, events, draining, and strangers that cost nothing."""

import asyncio
import contextlib
import os
import signal
import subprocess
import tempfile
import unittest

import aiohttp
from aiohttp import web
from livekit import api, rtc

import engine
from engine import Engine, within
from people import SOUND, hears, joined, room_name, token, together


@contextlib.contextmanager
def running(*arguments, **options):
    """An engine of its own."""
    server = Engine(*arguments, **options).start()
    try:
        yield server
    finally:
        server.stop()


async def hear_each_other(server: Engine, *names: str, **options) -> None:
    """Everybody speaks, and everybody hears everybody."""
    people = await together(room_name(), *names, server=server, **options)
    try:
        tones = {person.identity: 400 + 200 * n for n, person in enumerate(people)}
        await asyncio.gather(*(person.speak(tones[person.identity]) for person in people))

        async def hear(listener, speaker):
            mine = lambda track, _publication, other: other.identity == speaker and SOUND(track)
            track, *_ = await listener.event("track_subscribed", mine)
            await hears(track, tones[speaker])

        await asyncio.gather(*(hear(one, name) for one in people for name in names if name != one.identity))
    finally:
        await asyncio.gather(*(person.leave() for person in people))


def lister() -> dict[str, str]:
    jwt = api.AccessToken(engine.KEY, engine.SECRET).with_grants(api.VideoGrants(room_list=True)).to_jwt()
    return {"Authorization": f"Bearer {jwt}"}


async def figures(http: aiohttp.ClientSession, server: Engine) -> dict[str, float]:
    """Prometheus' figures by name and labels."""
    async with http.get(f"{server.http}/metrics", headers=lister()) as answer:
        lines = (await answer.text()).splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))}


@unittest.skipIf(engine.FOREIGN, "these are this engine's own switches")
class Service(unittest.IsolatedAsyncioTestCase):
    async def test_media_by_tcp_alone(self):
        with running("--udp", "none") as server:
            await hear_each_other(server, "ada", "ben")
            async with aiohttp.ClientSession() as http:
                self.assertGreaterEqual((await figures(http, server))['meet_tcp_accepted_total{thread="0"}'], 2)

    async def test_media_by_udp_alone(self):
        with running("--tcp", "none") as server:
            await hear_each_other(server, "ada", "ben")

    async def test_media_over_ipv6(self):
        for transport in ("--udp", "--tcp"):
            with running(transport, "none", host="[::1]") as server:
                await hear_each_other(server, "ada", "ben")

    async def test_participants_on_different_threads_hear_each_other(self):
        for single in (True, False):
            with running("--threads", "3") as server:
                await hear_each_other(server, "ada", "ben", "cem", "dia", single_peer_connection=single)

    async def test_through_a_relay_and_no_other_way(self):
        with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as open_:
            port, secret = engine.free_port(), "a secret of relay and engine".replace(" ", "-")
            config = os.path.join(folder, "turnserver.conf")
            command = os.environ.get("MEET_TURN_CONFIG", f"{engine.program()} meet turn-config").split()
            flags = ["--realm", "127.0.0.1", "--port", str(port), "--peer", "127.0.0.1", "--secret", secret]
            text = subprocess.run([*command, *flags], check=True, capture_output=True, text=True).stdout
            with open(config, "w", encoding="utf-8") as file:
                file.write(text + f"listening-ip=127.0.0.1\nrelay-ip=127.0.0.1\nuserdb={folder}/turndb\n")
            log = open_.enter_context(open(os.path.join(folder, "log"), "w+", encoding="utf-8"))
            relay = subprocess.Popen(["turnserver", "-c", config, "--pidfile", f"{folder}/pid"], stdout=log, stderr=log)
            open_.callback(lambda: (relay.terminate(), relay.wait()))
            url = f"turn:127.0.0.1:{port}?transport=udp"
            with running("--turn-url", url, "--turn-secret", secret) as server:
                way = rtc.RtcConfiguration(ice_transport_type=rtc.IceTransportType.TRANSPORT_RELAY)
                await hear_each_other(server, "ada", "ben", rtc_config=way)
            self.assertIsNone(relay.poll(), "the relay ended")

    async def test_events_are_signed_and_sent_again_until_they_are_taken(self):
        taken, refused = asyncio.Queue(), []
        receiver = api.WebhookReceiver(api.TokenVerifier(engine.KEY, engine.SECRET))

        async def take(request: web.Request) -> web.Response:
            body = await request.text()
            event = receiver.receive(body, request.headers["Authorization"])
            if not refused:
                refused.append(event.id)
                return web.Response(status=500)
            taken.put_nowait(event)
            return web.Response()

        application = web.Application()
        application.router.add_post("/events", take)
        runner = web.AppRunner(application)
        await runner.setup()
        port = engine.free_port()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        try:
            with running("--webhook", f"http://127.0.0.1:{port}/events") as server:
                room = room_name()
                ada = await joined(room, "ada", server=server)
                publication = await ada.speak(440)
                events = []

                async def until(name: str) -> None:
                    while not events or events[-1].event != name:
                        events.append(await within(10, name, taken.get()))

                # A track counts as published when its first packet has come.
                await until("track_published")
                await ada.leave()
                await until("participant_left")
        finally:
            await runner.cleanup()
        self.assertEqual(events[0].id, refused[0], "what was refused comes again, and first")
        names = [event.event for event in events]
        for name in ("room_started", "participant_joined", "track_published"):
            self.assertIn(name, names)
        self.assertEqual({event.room.name for event in events}, {room})
        published = next(event for event in events if event.event == "track_published")
        self.assertEqual((published.participant.identity, published.track.sid), ("ada", publication.sid))

    async def test_who_drains_sends_clients_to_its_successor(self):
        with running() as server:
            ada, ben = await together(room_name(), "ada", "ben", server=server)
            await ada.speak(440)
            await hears((await ben.event("track_subscribed", SOUND))[0], 440)
            back = [asyncio.ensure_future(one.next("reconnected", seconds=30)) for one in (ada, ben)]
            heard = asyncio.ensure_future(ben.next("track_subscribed", SOUND, seconds=30))
            await asyncio.to_thread(server.stop, signal.SIGTERM)
            server.start()
            await asyncio.gather(*back)
            await hears((await heard)[0], 440)
            await asyncio.gather(ada.leave(), ben.leave())

    async def test_figures_are_for_those_who_may_list_rooms(self):
        with running() as server:
            room = room_name()
            ada, ben = await together(room, "ada", "ben", server=server)
            await ada.speak(440)
            await hears((await ben.event("track_subscribed", SOUND))[0], 440)
            async with aiohttp.ClientSession() as http:
                for path in ("/metrics", "/meet/report"):
                    for headers in ({}, {"Authorization": f"Bearer {token(room, 'eve')}"}):
                        async with http.get(server.http + path, headers=headers) as answer:
                            self.assertEqual(answer.status, 401)
                seen = await figures(http, server)
                self.assertEqual(seen[f'meet_room_participants{{room="{room}"}}'], 2)
                self.assertGreater(seen['meet_packets_sent_total{thread="0"}'], 10)
                self.assertEqual(seen["meet_joins_total"], 2)
                self.assertNotIn("ada", str(seen), "identities stay out of a metrics store")
                async with http.get(f"{server.http}/meet/report", headers=lister()) as answer:
                    report = await answer.json()
            people = {one["identity"]: one for one in report["rooms"][0]["participants"]}
            self.assertEqual(set(people), {"ada", "ben"})
            self.assertEqual((people["ada"]["published"], people["ben"]["subscribed"]), (1, 1))
            self.assertNotIn(engine.SECRET, str(report))
            await asyncio.gather(ada.leave(), ben.leave())

    async def test_who_never_speaks_is_sent_away(self):
        with running() as server:
            async def silent(port: int) -> None:
                reader, writer = await asyncio.open_connection(server.host, port)
                self.assertEqual(await reader.read(), b"")
                writer.close()

            everybody = asyncio.gather(*(silent(server.port + n % 2) for n in range(500)))
            await hear_each_other(server, "ada", "ben")
            await within(40, "end of 500 silent connections", everybody)

    async def test_one_address_does_not_ask_for_ever(self):
        with running("--joins-per-second", "2", dev=False) as server:
            async with aiohttp.ClientSession() as http:
                async def ask() -> int:
                    jwt = token("room", "eve")
                    # As a proxy on this machine says it: what comes from this machine itself is not counted.
                    outside = {"X-Forwarded-For": "203.0.113.9"}
                    async with http.get(f"{server.http}/rtc/validate?access_token={jwt}", headers=outside) as answer:
                        return answer.status

                answers = [await ask() for _ in range(40)]
        self.assertEqual(answers[0], 200)
        self.assertIn(429, answers)
        self.assertLess(answers.count(200), 30)

    async def test_browsers_of_any_origin_may_ask(self):
        with running() as server:
            asked = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST",
                     "Access-Control-Request-Headers": "authorization,content-type"}
            async with aiohttp.ClientSession() as http:
                async with http.options(f"{server.http}/twirp/livekit.RoomService/ListRooms", headers=asked) as answer:
                    self.assertEqual(answer.status, 204)
                    self.assertEqual(answer.headers["Access-Control-Allow-Origin"], "*")
                    self.assertIn("authorization", answer.headers["Access-Control-Allow-Headers"])
                jwt = token("room", "ada")
                for path in ("/rtc/validate", "//rtc/validate"):
                    async with http.get(f"{server.http}{path}?access_token={jwt}") as answer:
                        self.assertEqual((answer.status, await answer.text()), (200, "success"))
                        self.assertEqual(answer.headers["Access-Control-Allow-Origin"], "*")


if __name__ == "__main__":
    unittest.main()
