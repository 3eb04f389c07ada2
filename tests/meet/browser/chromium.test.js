// livekit-client in Chromium with fake devices, in both modes of connection.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { chromium } from "playwright-core";
import { Engine, foreign, roomName } from "./engine.js";
import { servePage } from "./server.js";

let engine, browser, page;

before(async () => {
    [engine, page] = await Promise.all([Engine.any(), servePage()]);
    browser = await chromium.launch({
        executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
        args: ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", "--autoplay-policy=no-user-gesture-required",
            "--auto-select-desktop-capture-source=Entire screen", "--no-sandbox"],
    });
});
after(async () => {
    await browser?.close();
    await engine?.stop();
    page?.close();
});

/** A person in the room, in a window of their own. */
async function enter(room, identity, options = {}, connect = {}) {
    const context = await browser.newContext();
    const tab = await context.newPage();
    tab.on("pageerror", (error) => assert.fail(`${identity}: ${error}`));
    await tab.goto(page.url);
    const token = await engine.token(room, identity);
    await tab.evaluate((args) => window.enter(...args), [engine.url, token, options, connect]);
    return { tab, leave: () => context.close() };
}

/** Waits for what a function in the page says. */
const until = (person, predicate, argument, timeout = 20_000) => person.tab.waitForFunction(predicate, argument, { timeout, polling: 100 });
const sees = (person, source = "camera", more = 10) =>
    until(person, async ([source, more]) => (await window.pictures(source)).frames > more, [source, more]);
const hears = (person, more = 0) => until(person, async (more) => (await window.sound()) > more, more);

for (const singlePeerConnection of [true, false]) {
    describe(singlePeerConnection ? "one peer connection" : "two peer connections", () => {
        test("two hear and see each other, and a screen", async () => {
            const room = roomName();
            const ada = await enter(room, "ada", { singlePeerConnection });
            const ben = await enter(room, "ben", { singlePeerConnection });
            await ada.tab.evaluate(() => Promise.all([window.camera(), window.microphone()]));
            await ben.tab.evaluate(() => Promise.all([window.camera(), window.microphone()]));
            await Promise.all([sees(ada), sees(ben), hears(ada), hears(ben)]);
            await ada.tab.evaluate(() => window.speak());
            await until(ben, () => window.speaking("ada"));
            await ada.tab.evaluate(() => window.screen_());
            await sees(ben, "screen_share", 2);
            await Promise.all([ada.leave(), ben.leave()]);
        });

        test("layers follow the size of the window", async () => {
            const room = roomName();
            const ada = await enter(room, "ada", { singlePeerConnection, dynacast: true });
            const ben = await enter(room, "ben", { singlePeerConnection, adaptiveStream: { pixelDensity: 1 } });
            await ada.tab.evaluate(() => window.camera({ simulcast: true, videoCodec: "vp8" }));
            await ben.tab.evaluate(() => window.resize(1280));
            await sees(ben);
            await ben.tab.evaluate(() => window.resize(1280));
            await until(ben, async () => (await window.pictures()).width >= 960, null, 40_000);
            await ben.tab.evaluate(() => window.resize(160));
            await until(ben, async () => {
                const { width } = await window.pictures();
                return width > 0 && width <= 320;
            }, null, 40_000);
            await Promise.all([ada.leave(), ben.leave()]);
        });

        test("a cut socket is resumed, and media go on", async () => {
            const room = roomName();
            const ada = await enter(room, "ada", { singlePeerConnection });
            const ben = await enter(room, "ben", { singlePeerConnection });
            await ada.tab.evaluate(() => Promise.all([window.camera(), window.microphone()]));
            await Promise.all([sees(ben), hears(ben)]);
            for (const person of [ada, ben]) {
                await person.tab.evaluate(() => { window.forget(); return window.cut(); });
                await until(person, () => window.happened("reconnected") > 0);
            }
            const { frames, energy } = await ben.tab.evaluate(async () => ({ ...(await window.pictures()), energy: await window.sound() }));
            await Promise.all([sees(ben, "camera", frames + 20), hears(ben, energy)]);
            await Promise.all([ada.leave(), ben.leave()]);
        });

        test("a whole reconnection brings everything back", async () => {
            const room = roomName();
            const ada = await enter(room, "ada", { singlePeerConnection });
            const ben = await enter(room, "ben", { singlePeerConnection });
            await ada.tab.evaluate(() => Promise.all([window.camera(), window.microphone()]));
            await sees(ben);
            await ada.tab.evaluate(() => { window.forget(); return window.cutWholly(); });
            await until(ada, () => window.happened("reconnected") > 0);
            await ben.tab.evaluate(() => window.forget());
            await Promise.all([sees(ben), hears(ben)]);
            await Promise.all([ada.leave(), ben.leave()]);
        });
    });
}

for (const videoCodec of ["h264", "vp9"]) {
    test(`${videoCodec} passes`, async () => {
        const room = roomName();
        const ada = await enter(room, "ada");
        const ben = await enter(room, "ben");
        await ada.tab.evaluate((videoCodec) => window.camera({ videoCodec, backupCodec: false }), videoCodec);
        await sees(ben);
        await Promise.all([ada.leave(), ben.leave()]);
    });
}

test("after a restart of the server everybody comes back", { skip: foreign && "this server is not ours to restart" }, async () => {
    const room = roomName();
    const ada = await enter(room, "ada");
    const ben = await enter(room, "ben");
    await ada.tab.evaluate(() => window.camera());
    await sees(ben);
    await engine.stop("SIGKILL");
    await engine.start();
    for (const person of [ada, ben]) await until(person, () => window.happened("reconnected") > 0, null, 40_000);
    await sees(ben);
    await Promise.all([ada.leave(), ben.leave()]);
});
