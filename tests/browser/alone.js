// One node that nobody has told anything yet, with the conference engine in it: there in a second, where a story would take a minute.

import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { PROGRAM, concord, freePorts, get } from './demo.js';

const READY_MS = 30_000;
const AUTHORITY = 'nhc.chn.example';
const NAMES = {
  en: 'National Health Commission of China', zh: '中国国家卫生健康委员会', ar: 'اللجنة الوطنية للصحة في الصين',
};

/** Starts it: `{ url, port, data, link, meet, stop }`; `link` leads inside, `meet` is what a token for its room is made of. */
export async function startAlone() {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'concord-alone-'));
  const data = path.join(folder, 'data');
  const port = await freePorts();
  const url = `http://chn.localhost:${port}`;
  await concord('--data', data, 'init', '--authority', AUTHORITY, '--code', 'CHN', '--status', 'exercise',
    ...Object.entries(NAMES).flatMap(([lang, name]) => ['--name', `${lang}=${name}`]),
    '--root-keys', path.join(folder, 'roots'), '--listen', `127.0.0.1:${port}`, '--public-url', url, '--endpoint', `http://127.0.0.1:${port}`);
  const file = path.join(data, 'concord.toml');
  const config = (await readFile(file, 'utf8')).replace('backend = "off"', 'backend = "embedded"').replace('address = "0.0.0.0"', 'address = "127.0.0.1"')
    .replace(/udp_port = \d+/, `udp_port = ${port + 1}`).replace(/tcp_port = \d+/, `tcp_port = ${port + 1}`);
  await writeFile(file, config);
  const child = spawn(PROGRAM, ['--data', data, 'serve'], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text) => { said = (said + text).slice(-4000); });
  const ended = new Promise((resolve) => { child.once('close', resolve); });
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, () => {
      child.kill('SIGINT');
      process.exit(1);
    });
  }
  const stop = async () => {
    child.kill('SIGINT');
    await ended;
    await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  };
  const node = { port, url };
  const deadline = Date.now() + READY_MS;
  while ((await get(node, '/').catch(() => undefined))?.status === undefined) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await stop();
      throw new Error(`${PROGRAM} does not answer:\n${said}`);
    }
    await new Promise((resolve) => { setTimeout(resolve, 50); });
  }
  const link = JSON.parse((await concord('--data', data, 'link', '--json')).stdout).url;
  const secret = (await readFile(path.join(data, 'meet.secret'), 'utf8')).trim();
  return { ...node, data, link, meet: { page: url, url: `ws://127.0.0.1:${port}`, key: 'concord', secret, room: `${AUTHORITY}/room` }, stop };
}
