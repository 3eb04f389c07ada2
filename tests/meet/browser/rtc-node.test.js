// @livekit/rtc-node: the SDK with which services join a room.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
    AudioFrame, AudioSource, AudioStream, dispose, LocalAudioTrack, Room, RoomEvent, TrackKind, TrackPublishOptions, TrackSource,
} from "@livekit/rtc-node";
import { Engine, roomName } from "./engine.js";

let engine;
before(async () => { engine = await Engine.any(); });
after(async () => {
    await dispose();
    await engine?.stop();
});

const RATE = 48_000;

async function enter(name, identity) {
    const room = new Room();
    await room.connect(engine.url, await engine.token(name, identity), { autoSubscribe: true, dynacast: false });
    return room;
}

test("sound and a message go from one to the other", async () => {
    const name = roomName();
    const [ada, ben] = await Promise.all([enter(name, "ada"), enter(name, "ben")]);
    const subscribed = new Promise((resolve) => {
        ben.on(RoomEvent.TrackSubscribed, (track) => { if (track.kind === TrackKind.KIND_AUDIO) resolve(track); });
    });
    const message = new Promise((resolve) => ben.on(RoomEvent.DataReceived, (data) => resolve(new TextDecoder().decode(data))));

    const source = new AudioSource(RATE, 1);
    const track = LocalAudioTrack.createAudioTrack("microphone", source);
    const options = new TrackPublishOptions();
    options.source = TrackSource.SOURCE_MICROPHONE;
    await ada.localParticipant.publishTrack(track, options);
    await ada.localParticipant.publishData(new TextEncoder().encode("good morning"), { reliable: true });
    let speaking = true;
    const speech = (async () => {
        for (let frame = 0; speaking; frame++) {
            const samples = Int16Array.from({ length: RATE / 50 }, (_, at) =>
                Math.round(16_000 * Math.sin((2 * Math.PI * 440 * (frame * (RATE / 50) + at)) / RATE)));
            await source.captureFrame(new AudioFrame(samples, RATE, 1, samples.length));
        }
    })();

    assert.equal(await message, "good morning");
    const reader = new AudioStream(await subscribed, RATE, 1).getReader();
    for (;;) {
        const { value, done } = await reader.read();
        assert.ok(!done, "the track ended before the tone came");
        if (value.data.some((sample) => Math.abs(sample) > 4000)) break;
    }
    speaking = false;
    await speech;
    await Promise.all([ada.disconnect(), ben.disconnect()]);
});
