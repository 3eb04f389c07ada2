// The engine under test: `concord meet serve` on free ports, or the server that MEET_URL, MEET_KEY and MEET_SECRET name.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { setTimeout as pause } from "node:timers/promises";
import { AccessToken } from "livekit-server-sdk";

export const KEY = process.env.MEET_KEY ?? "devkey";
export const SECRET = process.env.MEET_SECRET ?? "a-secret-of-thirty-two-characters-or-more";
export const foreign = "MEET_URL" in process.env;

/** The first of three free ports: signalling, TCP media, UDP media. */
async function freePort() {
    const listen = (port) =>
        new Promise((resolve, reject) => {
            const server = createServer().once("error", reject).listen(port, "127.0.0.1", () => resolve(server));
        });
    for (let tries = 0; tries < 100; tries++) {
        const first = await listen(0);
        const { port } = first.address();
        const second = await listen(port + 1).catch(() => null);
        first.close();
        second?.close();
        if (second) return port;
    }
    throw new Error("no two ports in a row are free on 127.0.0.1");
}

/** A server: `url`, `start()`, `stop()`. A server that somebody else started is neither started nor stopped. */
export class Engine {
    /** `media` is the address for media: Firefox sends nothing from an interface to the loopback address. */
    static async any(media) {
        const engine = new Engine();
        engine.media = media;
        if (foreign) {
            engine.url = process.env.MEET_URL;
            return engine;
        }
        engine.port = await freePort();
        engine.url = `ws://127.0.0.1:${engine.port}`;
        await engine.start();
        return engine;
    }

    async start() {
        const concord = process.env.CONCORD_BIN ?? fileURLToPath(new URL("../../../target/debug/concord", import.meta.url));
        const [program, ...first] = (process.env.MEET_SERVE ?? `${concord} meet serve`).split(" ");
        const own = ["--dev", "--bind", `127.0.0.1:${this.port}`, "--keys", `${KEY}:${SECRET}`];
        if (this.media) own.push("--tcp", `${this.media}:${this.port + 1}`, "--udp", `${this.media}:${this.port + 2}`);
        this.process = spawn(program, [...first, ...own], {
            stdio: ["ignore", "inherit", "inherit"],
            env: { ...process.env, RUST_LOG: process.env.RUST_LOG ?? "warn" },
        });
        const until = Date.now() + 20_000;
        while (Date.now() < until) {
            if (this.process.exitCode !== null) throw new Error(`the engine ended with ${this.process.exitCode}`);
            if (await fetch(this.url.replace("ws", "http")).then((answer) => answer.ok, () => false)) return;
            await pause(50);
        }
        throw new Error("the engine does not answer");
    }

    async stop(how = "SIGTERM") {
        if (!this.process || this.process.exitCode !== null) return;
        const ended = once(this.process, "exit");
        this.process.kill(how);
        await ended;
    }

    token(room, identity, grants = {}) {
        const token = new AccessToken(KEY, SECRET, { identity, name: identity, ttl: 3600 });
        token.addGrant({ roomJoin: true, room, ...grants });
        return token.toJwt();
    }
}

let rooms = 0;
export const roomName = () => `room-${process.pid}-${rooms++}`;
