"""Participants made of the stock Python SDK: they speak tones, show coloured pictures, listen and look."""

import asyncio
import datetime
import itertools
import math
import uuid

import numpy
from livekit import api, rtc

import engine

RATE = 48_000
PICTURES = 15
_numbers = itertools.count()


def room_name() -> str:
    """A room that no other test enters."""
    return f"room-{next(_numbers)}-{uuid.uuid4().hex[:8]}"


def token(room: str, identity: str, lasting: float = 3600, secret: str | None = None, **grants) -> str:
    """A token as LiveKit's own library makes it."""
    video = api.VideoGrants(room_join=True, room=room, **grants)
    return (
        api.AccessToken(engine.KEY, secret or engine.SECRET)
        .with_identity(identity)
        .with_name(identity.title())
        .with_grants(video)
        .with_ttl(datetime.timedelta(seconds=lasting))
        .to_jwt()
    )


async def joined(room_name: str, identity: str, *, server: engine.Engine | None = None, jwt: str | None = None,
                 **options) -> "Person":
    """Somebody in the room."""
    grants = options.pop("grants", {})
    person = Person(rtc.Room(), identity)
    server = server or engine.shared()
    await engine.within(
        15, f"entrance of {identity}",
        person.room.connect(server.url, jwt or token(room_name, identity, **grants), rtc.RoomOptions(**options)),
    )
    return person


async def together(room: str, *identities: str, **options) -> list["Person"]:
    """Several who all know of each other."""
    people = await asyncio.gather(*(joined(room, identity, **options) for identity in identities))
    await asyncio.gather(*(person.knows(other) for person in people for other in identities if other != person.identity))
    return people


class Person:
    """One participant, with what happened to it."""

    def __init__(self, room: rtc.Room, identity: str):
        self.room = room
        self.identity = identity
        self.tasks: list[asyncio.Task] = []
        self.seen: dict[str, list] = {}
        self._waiting: list[tuple[str, object, asyncio.Future]] = []
        for name in (
            "participant_connected", "participant_disconnected", "track_subscribed", "track_unsubscribed",
            "track_published", "track_unpublished", "track_muted", "track_unmuted", "data_received",
            "active_speakers_changed", "connection_quality_changed", "disconnected", "reconnecting", "reconnected",
            "room_metadata_changed", "participant_attributes_changed", "participant_metadata_changed",
            "participant_permissions_changed", "track_subscription_failed", "e2ee_state_changed",
            "data_track_published", "participant_name_changed", "local_track_subscribed",
        ):
            room.on(name, lambda *values, name=name: self._happened(name, values))

    def _happened(self, name: str, values: tuple) -> None:
        self.seen.setdefault(name, []).append(values)
        for entry in list(self._waiting):
            wanted, matches, future = entry
            if wanted == name and not future.done() and matches(*values):
                future.set_result(values)
                self._waiting.remove(entry)

    async def event(self, name: str, matches=lambda *_: True, seconds: float = 10) -> tuple:
        """The first such event, also one that was there already."""
        for values in self.seen.get(name, []):
            if matches(*values):
                return values
        return await self.next(name, matches, seconds)

    async def next(self, name: str, matches=lambda *_: True, seconds: float = 10) -> tuple:
        """The first such event from now on."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((name, matches, future))
        return await engine.within(seconds, f"{name} at {self.identity}", future)

    async def knows(self, identity: str) -> None:
        """Returns when the other is in the room."""
        if identity not in self.room.remote_participants:
            await self.event("participant_connected", lambda other: other.identity == identity)

    async def speak(self, frequency: float = 440, name: str = "microphone", **options) -> rtc.LocalTrackPublication:
        """Publishes a loud tone."""
        source = rtc.AudioSource(RATE, 1)
        track = rtc.LocalAudioTrack.create_audio_track(name, source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE, **options)
        publication = await engine.within(10, "publication of sound", self.room.local_participant.publish_track(track, options))
        self.tasks.append(asyncio.create_task(_tone(source, frequency)))
        return publication

    async def show(self, colour=(200, 30, 30), width=640, height=360, name="camera", **options) -> rtc.LocalTrackPublication:
        """Publishes moving pictures of one colour."""
        source = rtc.VideoSource(width, height)
        track = rtc.LocalVideoTrack.create_video_track(name, source)
        options.setdefault("source", rtc.TrackSource.SOURCE_CAMERA)
        publication = await engine.within(
            10, "publication of pictures",
            self.room.local_participant.publish_track(track, rtc.TrackPublishOptions(**options)),
        )
        self.tasks.append(asyncio.create_task(_pictures(source, colour, width, height)))
        return publication

    async def leave(self) -> None:
        """Leaves, and stops speaking."""
        for task in self.tasks:
            task.cancel()
        await self.room.disconnect()


async def _tone(source: rtc.AudioSource, frequency: float) -> None:
    length = RATE // 50
    for frame in itertools.count():
        at = (numpy.arange(length) + frame * length) / RATE
        samples = (numpy.sin(2 * math.pi * frequency * at) * 16_000).astype(numpy.int16)
        await source.capture_frame(rtc.AudioFrame(samples.tobytes(), RATE, 1, length))


async def _pictures(source: rtc.VideoSource, colour, width: int, height: int) -> None:
    red, green, blue = colour
    for frame in itertools.count():
        picture = numpy.zeros((height, width, 4), numpy.uint8)
        picture[:] = (red, green, blue, 255)
        # Something moves, so that no encoder sleeps.
        across = frame * 8 % (width - 32)
        picture[height // 2: height // 2 + 32, across: across + 32] = (255, 255, 255, 255)
        source.capture_frame(rtc.VideoFrame(width, height, rtc.VideoBufferType.RGBA, picture.tobytes()))
        await asyncio.sleep(1 / PICTURES)


async def hears(track: rtc.RemoteTrack, frequency: float, seconds: float = 10) -> None:
    """Returns when the tone comes out of the track."""
    async def listen() -> None:
        stream = rtc.AudioStream(track, sample_rate=RATE, num_channels=1)
        try:
            async for event in stream:
                samples = numpy.frombuffer(event.frame.data, numpy.int16).astype(float)
                if len(samples) and _share(samples, frequency) > 0.5 and numpy.abs(samples).max() > 2000:
                    return
        finally:
            await stream.aclose()
    await engine.within(seconds, f"tone of {frequency} Hz", listen())


def _share(samples: numpy.ndarray, frequency: float) -> float:
    """How much of the sound is this tone."""
    at = numpy.arange(len(samples)) / RATE
    wave = numpy.exp(-2j * math.pi * frequency * at)
    energy = (samples ** 2).sum()
    return 0.0 if energy == 0 else float(abs((samples * wave).sum()) ** 2 * 2 / (len(samples) * energy))


async def sees(track: rtc.RemoteTrack, colour, pictures: int = 5, seconds: float = 15) -> tuple[int, int]:
    """Returns the size when so many decoded pictures had the colour."""
    async def look() -> tuple[int, int]:
        stream = rtc.VideoStream(track)
        found = 0
        try:
            async for event in stream:
                frame = event.frame.convert(rtc.VideoBufferType.RGBA)
                picture = numpy.frombuffer(frame.data, numpy.uint8).reshape(frame.height, frame.width, 4)
                middle = picture[frame.height // 4, frame.width // 4, :3].astype(int)
                if numpy.abs(middle - numpy.array(colour)).max() < 40:
                    found += 1
                if found >= pictures:
                    return frame.width, frame.height
        finally:
            await stream.aclose()
    return await engine.within(seconds, f"{pictures} pictures of {colour}", look())


def of_kind(kind):
    """Matches `track_subscribed` of sound or of pictures."""
    return lambda track, *_: track.kind == kind


SOUND = of_kind(rtc.TrackKind.KIND_AUDIO)
PICTURE = of_kind(rtc.TrackKind.KIND_VIDEO)
