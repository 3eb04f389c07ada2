// livekit-client in Firefox ESR over WebDriver BiDi, with two peer connections, as our room uses it there.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import puppeteer from "puppeteer-core";
import { Engine, roomName } from "./engine.js";
import { servePage } from "./server.js";

let engine, browser, page;

before(async () => {
    [engine, page] = await Promise.all([Engine.any("0.0.0.0"), servePage()]);
    browser = await puppeteer.launch({
        browser: "firefox",
        executablePath: process.env.FIREFOX ?? "/usr/bin/firefox-esr",
        headless: true,
        extraPrefsFirefox: {
            "media.navigator.streams.fake": true,
            "media.navigator.permission.disabled": true,
            "media.autoplay.default": 0,
            "media.peerconnection.ice.loopback": true,
            "media.peerconnection.ice.obfuscate_host_addresses": false,
        },
    });
});
after(async () => {
    await browser?.close();
    await engine?.stop();
    page?.close();
});

async function enter(room, identity, options = {}, connect = {}) {
    const context = await browser.createBrowserContext();
    const tab = await context.newPage();
    tab.on("pageerror", (error) => assert.fail(`${identity}: ${error}`));
    await tab.goto(page.url);
    const token = await engine.token(room, identity);
    await tab.evaluate((...args) => window.enter(...args), engine.url, token, { singlePeerConnection: false, ...options }, connect);
    return { tab, leave: () => context.close() };
}

const until = (person, predicate, ...args) => person.tab.waitForFunction(predicate, { timeout: 30_000, polling: 100 }, ...args);

test("two hear and see each other", async () => {
    const room = roomName();
    const ada = await enter(room, "ada");
    const ben = await enter(room, "ben");
    await ada.tab.evaluate(() => Promise.all([window.camera(), window.microphone()]).then(() => undefined));
    await ben.tab.evaluate(() => Promise.all([window.camera(), window.microphone()]).then(() => undefined));
    for (const person of [ada, ben]) {
        await until(person, async () => (await window.pictures()).frames > 10);
        await until(person, async () => (await window.sound()) > 0);
    }
    await Promise.all([ada.leave(), ben.leave()]);
});

test("who subscribes by hand has what was asked for, again and again", async () => {
    const room = roomName();
    const ada = await enter(room, "ada");
    await ada.tab.evaluate(() => Promise.all([window.camera(), window.microphone()]).then(() => undefined));
    const ben = await enter(room, "ben", {}, { autoSubscribe: false });
    for (let times = 0; times < 3; times++) {
        await ben.tab.evaluate(() => {
            window.forget();
            for (const publication of window.room.remoteParticipants.get("ada").trackPublications.values()) publication.setSubscribed(true);
        });
        await until(ben, async () => (await window.pictures()).frames > 5);
        await until(ben, async () => (await window.sound()) > 0);
        await ben.tab.evaluate(() => {
            for (const publication of window.room.remoteParticipants.get("ada").trackPublications.values()) publication.setSubscribed(false);
        });
        await until(ben, () => window.happened("trackUnsubscribed") === 2);
    }
    await Promise.all([ada.leave(), ben.leave()]);
});
