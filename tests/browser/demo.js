// Starts the real program as `concord demo` in a temporary folder, and knows how to reach its four nodes.
// It never looks into a node from inside: addresses, files and the operator's commands only.

import { spawn, execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** A minute on a machine that does nothing else. */
const READY_MS = 240_000;
const NODES = 4;
/** Each node has a port for its pages and one for the media of its meetings. */
const PORTS = 2 * NODES;
const FOLLOWED = /^(kind|indicator|csv|(.+\.)?page)$/;
const DAY = /^\/situation\/[^/]+\/\d{4}-\d\d-\d\d/;

/** The program under test. */
export const PROGRAM = process.env.CONCORD_BIN
  ?? path.resolve(import.meta.dirname, '../../target/debug/concord');

function listens(port) {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** The first of neighbouring ports that nobody uses. */
export async function freePorts() {
  for (let base = 21_000 + (process.pid % 2_000) * PORTS; base < 60_000; base += PORTS) {
    const free = await Promise.all(Array.from({ length: PORTS }, (_, i) => listens(base + i)));
    if (free.every(Boolean)) return base;
  }
  throw new Error('no eight neighbouring ports are free');
}

/**
 * Four nodes with their story told: `{ nodes, folder, stop }`; a node is `{ code, url, link, room, port, data }`, where `room`
 * is a link to its meeting room for a guest, if it has one. `more` are further arguments of `concord demo`.
 */
export async function start(more = []) {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'concord-browser-'));
  const port = await freePorts();
  const child = spawn(PROGRAM, ['demo', '--folder', path.join(folder, 'demo'), '--port', String(port), ...more], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  // Whoever ends the tests from outside must not leave four nodes behind.
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, () => {
      child.kill('SIGINT');
      process.exit(1);
    });
  }
  const stop = async () => {
    child.kill('SIGINT');
    await ended;
    // Its nodes may write their last while the first files are gone.
    await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  };
  let out = '';
  let err = '';
  child.stderr.setEncoding('utf8').on('data', (text) => { err += text; });
  try {
    const nodes = await new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`not ready after ${READY_MS} ms`)), READY_MS);
      child.once('error', reject);
      child.once('close', (code) => reject(new Error(`ended with ${code}`)));
      child.stdout.setEncoding('utf8').on('data', (text) => {
        out += text;
        const found = [...out.matchAll(/^(\w+)\s+(http:\S+)\s+inside: (\S+)(?:\s+its meeting room, for (\w+): (\S+))?\n(?=\S|$)/gm)].map((m) => ({
          code: m[1],
          url: m[2],
          link: m[3],
          guest: m[4],
          room: m[5],
          port: Number(new URL(m[2]).port),
          data: path.join(folder, 'demo', m[1].toLowerCase()),
        }));
        if (found.length === NODES && found.every((one) => one.room !== undefined)) {
          clearTimeout(late);
          resolve(found);
        }
      });
    });
    return { nodes, folder, stop };
  } catch (error) {
    await stop();
    throw new Error(`${PROGRAM}: ${error.message}\n${out}${err}`);
  }
}

/** Runs an operator's command; the answer is `{ stdout, stderr }`, and a failure has `code` besides. */
export function concord(...args) {
  return run(PROGRAM, args);
}

/** The fingerprints that the operators of this node and of its peers compared. */
export async function pins(node) {
  const list = JSON.parse((await concord('--data', node.data, 'peer', 'list', '--json')).stdout);
  return [list.fingerprint, ...list.peers.map((peer) => peer.fingerprint)];
}

/** GET without a browser: `{ status, headers, body }`; `more` are further headers. */
export function get(node, where, cookie, more = {}) {
  const headers = { host: new URL(node.url).host, 'accept-language': 'en', ...(cookie ? { cookie } : {}), ...more };
  return new Promise((resolve, reject) => {
    http.get({ host: '127.0.0.1', port: node.port, path: where, headers }, (answer) => {
      const parts = [];
      answer.on('data', (part) => parts.push(part));
      answer.on('error', reject);
      answer.on('end', () => resolve({
        status: answer.statusCode,
        headers: answer.headers,
        body: Buffer.concat(parts),
      }));
    }).on('error', reject);
  });
}

/**
 * Every answer that can be reached by links from `starts`, as a map from path to answer. Of the questions a
 * page can be asked, those of FOLLOWED are followed: other orders and filters show nothing more. The pages of
 * single days lead to days without end: they are opened, and their links are not followed. What `skip` matches
 * is left out.
 */
export async function crawl(node, starts, { cookie, skip, limit = 24_000 } = {}) {
  const answers = new Map();
  const queue = [...starts];
  const known = new Set(queue);
  const worker = async () => {
    for (let where = queue.shift(); where !== undefined; where = queue.shift()) {
      const answer = await get(node, where, cookie);
      answers.set(where, answer);
      if (!String(answer.headers['content-type']).startsWith('text/html') || DAY.test(where)) continue;
      for (const [, href] of answer.body.toString('utf8').matchAll(/ href="(\/[^"]*)"/g)) {
        const address = new URL(href.replace(/&(amp|#38);/g, '&'), node.url);
        const other = [...address.searchParams.keys()].some((key) => !FOLLOWED.test(key));
        const next = address.pathname + address.search;
        if (other || known.has(next) || skip?.test(next)) continue;
        if (known.size >= limit) throw new Error(`more than ${limit} addresses`);
        known.add(next);
        queue.push(next);
      }
    }
  };
  while (queue.length > 0) await Promise.all(Array.from({ length: 6 }, worker));
  return answers;
}
