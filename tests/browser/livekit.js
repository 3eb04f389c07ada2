// A LiveKit server of its own, for tests of `meet.backend = livekit`. LIVEKIT_SERVER is its program.

import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';

const KEY = 'concord-test';
const SECRET = 'a secret for tests alone: 0123456789abcdef';
const READY_MS = 20_000;

function freePort() {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

function answers(port) {
  return new Promise((resolve) => {
    http.get({ host: '127.0.0.1', port, path: '/' }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    }).on('error', () => resolve(false));
  });
}

/** Starts the server: `{ args, restart, kill, stop }`; `args` make `concord demo` use it. */
export async function startLiveKit(program) {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'concord-livekit-'));
  const [port, tcp, udp] = [await freePort(), await freePort(), await freePort()];
  const config = path.join(folder, 'livekit.yaml');
  const secret = path.join(folder, 'secret');
  await writeFile(secret, `${SECRET}\n`, { mode: 0o600 });
  await writeFile(config, [
    `port: ${port}`, 'bind_addresses: ["127.0.0.1"]',
    `rtc: { tcp_port: ${tcp}, udp_port: ${udp}, node_ip: 127.0.0.1, enable_loopback_candidate: true, use_external_ip: false }`,
    `keys: { ${KEY}: "${SECRET}" }`,
    // What the node relies on: it makes its rooms itself.
    'room: { auto_create: false }', 'logging: { level: warn }', '',
  ].join('\n'));
  let child;
  const launch = async () => {
    child = spawn(program, ['--config', config], { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text) => { said = (said + text).slice(-4000); });
    const deadline = Date.now() + READY_MS;
    while (!await answers(port)) {
      if (child.exitCode !== null || Date.now() > deadline) throw new Error(`${program} does not answer:\n${said}`);
      await new Promise((resolve) => { setTimeout(resolve, 50); });
    }
  };
  const kill = async () => {
    const ended = new Promise((resolve) => { child.once('close', resolve); });
    child.kill('SIGKILL');
    await ended;
  };
  await launch();
  return {
    args: ['--livekit', `ws://127.0.0.1:${port}`, '--livekit-key', KEY, '--livekit-secret-file', secret],
    url: `ws://127.0.0.1:${port}`,
    restart: launch,
    kill,
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null) await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
