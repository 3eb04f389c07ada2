// People who fill a room: stock LiveKit clients in a browser of their own, with drawn faces for cameras. They know nothing of the
// room's own script, and are of four authorities whose names are as long as such names are.

import { createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { openBrowser, openPage } from './window.js';

const CLIENT = new URL('node_modules/livekit-client/dist/', import.meta.url);

const AUTHORITIES = [
  ['JPN', {
    en: 'Ministry of Health, Labour and Welfare of Japan', zh: '日本厚生劳动省',
    ar: 'وزارة الصحة والعمل والرعاية الاجتماعية في اليابان',
  }],
  ['KOR', {
    en: 'Ministry of Health and Welfare of the Republic of Korea', zh: '大韩民国保健福祉部',
    ar: 'وزارة الصحة والرعاية الاجتماعية في جمهورية كوريا',
  }],
  ['WPRO', {
    en: 'WHO Regional Office for the Western Pacific', zh: '世界卫生组织西太平洋区域办事处',
    ar: 'المكتب الإقليمي لمنظمة الصحة العالمية لغرب المحيط الهادئ',
  }],
  ['CHN', {
    en: 'National Health Commission of China', zh: '中国国家卫生健康委员会', ar: 'اللجنة الوطنية للصحة في الصين',
  }],
];
// Each in the language in which its authority wrote it: a room has all directions at once.
const DUTIES = [
  'Head of delegation', '통역', 'رئيس الوفد', '专家', 'Senior adviser, surveillance of infectious diseases',
  '', 'Observer', 'Заместитель главы делегации', 'Legal adviser',
];

const base64url = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

function mint({ key, secret }, claims) {
  const now = Math.floor(Date.now() / 1000);
  const signed = `${base64url({ alg: 'HS256', typ: 'JWT' })}.${base64url({ iss: key, nbf: now - 10, exp: now + 600, ...claims })}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

/** A token for number `place` of the crowd. */
function ticket(where, place) {
  const [code, names] = AUTHORITIES[place % AUTHORITIES.length];
  return mint(where, {
    sub: `crowd/${place}`, name: names.en,
    attributes: {
      code, duty: DUTIES[place % DUTIES.length],
      ...Object.fromEntries(Object.entries(names).map(([lang, name]) => [`name.${lang}`, name])),
    },
    video: { room: where.room, roomJoin: true, canPublish: true, canSubscribe: true },
  });
}

/** The room, as the node makes it when somebody is about to enter. */
async function open(where) {
  const answer = await fetch(`${where.url.replace('ws', 'http')}/twirp/livekit.RoomService/CreateRoom`, {
    method: 'POST', body: JSON.stringify({ name: where.room }),
    headers: { 'content-type': 'application/json', authorization: `Bearer ${mint(where, { video: { roomCreate: true } })}` },
  });
  if (!answer.ok) throw new Error(`no room: ${answer.status} ${await answer.text()}`);
}

/** Number 1 speaks; every third sends no sound, every sixth no picture; and number 2 encrypts from end to end. */
const sends = (place) => ({ speaks: place === 1, sound: place % 3 !== 0, picture: place % 6 !== 5, encrypted: place === 2 });

/** Runs in the page: one more person in the room. */
async function enter({ url, token, place, speaks, sound, picture, encrypted }) {
  const { ExternalE2EEKeyProvider, Room, Track } = window.LivekitClient;
  const keyProvider = encrypted ? new ExternalE2EEKeyProvider() : undefined;
  await keyProvider?.setKey('a key that nobody else in the room has');
  const room = new Room(keyProvider ? { encryption: { keyProvider, worker: new Worker('/worker.js') } } : {});
  if (keyProvider) await room.setE2EEEnabled(true);
  await room.connect(url, token, { autoSubscribe: false });
  window.crowd ??= new Map();
  window.crowd.set(place, room);
  if (picture) {
    const canvas = Object.assign(document.createElement('canvas'), { width: 320, height: 180 });
    const pen = canvas.getContext('2d');
    let step = 0;
    setInterval(() => {
      const disc = (colour, x, y, across, down) => {
        pen.fillStyle = colour;
        pen.beginPath();
        pen.ellipse(x, y, across, down, 0, 0, 2 * Math.PI);
        pen.fill();
      };
      pen.fillStyle = `hsl(${place * 47} 18% 45%)`;
      pen.fillRect(0, 0, 320, 180);
      const x = 160 + 8 * Math.sin(step / 3 + place);
      disc(`hsl(${place * 47} 30% 22%)`, 160, 190, 84, 66);
      disc(`hsl(${20 + place * 3 % 15} 35% ${35 + place * 11 % 40}%)`, x, 80, 34, 42);
      step += 1;
    }, 250);
    const [track] = canvas.captureStream(4).getVideoTracks();
    await room.localParticipant.publishTrack(track, {
      source: Track.Source.Camera, simulcast: false, videoEncoding: { maxBitrate: 80_000, maxFramerate: 4 },
    });
  }
  if (sound) {
    window.audio ??= new AudioContext();
    const out = window.audio.createMediaStreamDestination();
    if (speaks) {
      const tone = new OscillatorNode(window.audio, { frequency: 220 });
      tone.connect(new GainNode(window.audio, { gain: 0.3 })).connect(out);
      tone.start();
    }
    await room.localParticipant.publishTrack(out.stream.getAudioTracks()[0], { source: Track.Source.Microphone });
  }
}

/** A page in which people can be, of the machine itself: a browser lets no other one reach 127.0.0.1. */
async function here(browser, where) {
  const page = await openPage(browser, { bypassCSP: true });
  const body = await readFile(new URL('livekit-client.e2ee.worker.js', CLIENT), 'utf8');
  await page.route('**/worker.js', (route) => route.fulfill({ body, contentType: 'text/javascript' }));
  await page.goto(where.page);
  await page.addScriptTag({ path: new URL('livekit-client.umd.js', CLIENT).pathname });
  return page;
}

/** An empty crowd: `grow(count)` makes it so many. `where` is `{ page, url, key, secret, room }`. */
export async function openCrowd(where) {
  await open(where);
  const browser = await openBrowser(['--autoplay-policy=no-user-gesture-required', '--disable-background-timer-throttling']);
  const page = await here(browser, where).catch(async (error) => {
    await browser.close();
    throw error;
  });
  let there = 0;
  return {
    async grow(count) {
      const places = [];
      while (there < count) places.push(there++);
      await Promise.all(places.map((place) => page.evaluate(enter, { url: where.url, token: ticket(where, place), place, ...sends(place) })));
    },
    close: () => browser.close(),
  };
}
