// The meeting room as people use it: two authorities in one room, with sound and pictures that really arrive. Cameras and
// microphones are the browser's own made-up ones: a picture that turns, and a beep each second.
//
// With LIVEKIT_SERVER, the program of a LiveKit server, that one carries the meetings; else the engine in the node does.

import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';

import { concord, get, start } from './demo.js';
import { startLiveKit } from './livekit.js';
import { OUT, findings, follow, openBrowser, openPage, overflow, plain, text } from './window.js';

const MEDIA = ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream', '--auto-select-desktop-capture-source=Entire screen'];
const JAPAN = 'Ministry of Health, Labour and Welfare of Japan';
// What must be seen is written out here, not taken from the program's own files.
const LANGUAGES = {
  ar: { dir: 'rtl', enter: 'ادخل الغرفة', leave: 'مغادرة', china: 'اللجنة الوطنية للصحة في الصين' },
  zh: { dir: 'ltr', enter: '进入会议室', leave: '离开', china: '中国国家卫生健康委员会' },
  en: { dir: 'ltr', enter: 'Enter the room', leave: 'Leave', china: 'National Health Commission of China' },
  fr: { dir: 'ltr', enter: 'Entrer dans la salle', leave: 'Quitter', china: 'Commission nationale de la santé de Chine' },
  ru: { dir: 'ltr', enter: 'Войти в зал', leave: 'Выйти', china: 'Национальная комиссия здравоохранения Китая' },
  es: { dir: 'ltr', enter: 'Entrar en la sala', leave: 'Salir', china: 'Comisión Nacional de Salud de China' },
};
/** The longest that something may take to be seen; a machine that builds meanwhile is slow. */
const ARRIVES_MS = 60_000;

let livekit;
let demo;
let browser;
let host;
/** Cookies of a browser that pressed the buttons: inside CHN, and as a guest of JPN there. */
const states = {};

const url = (where, lang = 'en') => `${host.url}${where}${where.includes('?') ? '&' : '?'}lang=${lang}`;

async function link(...more) {
  return JSON.parse((await concord('--data', host.data, 'link', '--json', ...more)).stdout).url;
}

/** The cookies of a browser that used a link. */
async function enter(address, button) {
  const page = await openPage(browser);
  await page.goto(address);
  await follow(page, page.getByRole('button', { name: button }));
  const state = await page.context().storageState();
  await page.context().close();
  return state;
}

/** A page in a context of its own that may use camera and microphone, and complains of nothing. */
async function look(options, walk, from = browser) {
  const page = await openPage(from, { permissions: ['camera', 'microphone'], ...options });
  page.setDefaultTimeout(ARRIVES_MS);
  try {
    await walk(page);
    assert.deepEqual(page.complaints, []);
  } finally {
    await page.context().close();
  }
}

/** Goes into the room with this page. */
async function join(page, lang = 'en') {
  await page.goto(url('/meetings/room', lang));
  const button = page.locator('.lobby button.large');
  await page.locator('.mirror video:not([hidden])').waitFor();
  assert.equal(plain(await button.innerText()), LANGUAGES[lang].enter);
  await button.click();
  await page.locator('.meeting, .over').waitFor({ timeout: ARRIVES_MS });
  assert.ok(await page.locator('.meeting').isVisible(), await text(page));
}

const tile = (page, name) => page.locator('.tiles > li').filter({ hasText: name });

/** The picture of a tile moves: frames are decoded, and they differ. */
async function moves(page, name) {
  await tile(page, name).locator('video:not([hidden])').waitFor({ timeout: ARRIVES_MS });
  await tile(page, name).locator('video').evaluate(async (video, most) => {
    const canvas = new OffscreenCanvas(64, 36).getContext('2d', { willReadFrequently: true });
    const frame = () => {
      canvas.drawImage(video, 0, 0, 64, 36);
      return canvas.getImageData(0, 0, 64, 36).data;
    };
    const until = performance.now() + most;
    let first;
    while (performance.now() < until) {
      await new Promise((resolve) => { video.requestVideoFrameCallback(resolve); });
      const now = frame();
      first ??= now;
      let differing = 0;
      for (let i = 0; i < now.length; i += 4) if (Math.abs(now[i + 1] - first[i + 1]) > 40) differing += 1;
      if (video.videoWidth > 100 && differing > 20) return;
    }
    throw new Error('the picture stands still');
  }, ARRIVES_MS);
}

/** Sound of others arrives, and is not silence. */
async function hears(page) {
  await page.waitForFunction(() => document.querySelector('.sounds audio')?.srcObject?.getAudioTracks().length > 0, null, { timeout: ARRIVES_MS });
  const loudest = await page.evaluate(async (most) => {
    const context = new AudioContext();
    await context.resume();
    const analyser = context.createAnalyser();
    context.createMediaStreamSource(document.querySelector('.sounds audio').srcObject).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    const until = performance.now() + most;
    let peak = 0;
    while (peak < 0.02 && performance.now() < until) {
      analyser.getFloatTimeDomainData(samples);
      for (const sample of samples) peak = Math.max(peak, Math.abs(sample));
      await new Promise((resolve) => { setTimeout(resolve, 40); });
    }
    await context.close();
    return peak;
  }, ARRIVES_MS);
  assert.ok(loudest >= 0.02, `the loudest that arrived is ${loudest}`);
}

before(async () => {
  if (process.env.LIVEKIT_SERVER) livekit = await startLiveKit(process.env.LIVEKIT_SERVER);
  [demo, browser] = await Promise.all([start(livekit?.args), openBrowser(MEDIA)]);
  host = demo.nodes.find((one) => one.code === 'CHN');
  states.inside = await enter(host.link, 'Enter');
  states.guest = await enter(host.room, 'Go to the room');
  await mkdir(OUT, { recursive: true });
}, { timeout: 300_000 });

after(async () => {
  await browser?.close();
  await demo?.stop();
  await livekit?.stop();
});

describe('two authorities in one room', () => {
  test('see and hear each other, each in their own language', async () => {
    await look({ storageState: states.inside }, async (china) => {
      await look({ storageState: states.guest }, async (japan) => {
        // One comes from the desk, as a person would.
        await china.goto(url('/situation'));
        await follow(china, china.getByRole('link', { name: 'Meetings' }));
        await follow(china, china.getByRole('link', { name: 'Open the room' }));
        assert.match(await text(china), /You enter as National Health Commission of China/);
        await join(china);
        assert.match(await text(china), /Nobody else is here yet/);
        await join(japan, 'zh');
        await Promise.all([moves(china, JAPAN), moves(japan, LANGUAGES.zh.china)]);
        await Promise.all([hears(china), hears(japan)]);
        assert.match(plain(await tile(china, JAPAN).innerText()), /Head of delegation/, 'the duty comes from the link');
        // Who enters is announced together with who enters soon after.
        await china.locator('[role=log]').getByText(new RegExp(`${JAPAN}.? has entered`)).waitFor({ state: 'attached' });
        await china.screenshot({ path: path.join(OUT, 'room-two-en.png') });
        await japan.screenshot({ path: path.join(OUT, 'room-two-zh.png') });

        const microphone = japan.getByRole('switch', { name: '麦克风' });
        assert.equal(await microphone.getAttribute('aria-checked'), 'true');
        await microphone.click();
        await tile(china, JAPAN).getByText('microphone off').waitFor({ state: 'attached', timeout: ARRIVES_MS });
        await japan.getByRole('switch', { name: '摄像头' }).click();
        await tile(china, JAPAN).locator('video[hidden]').waitFor({ state: 'attached', timeout: ARRIVES_MS });

        await japan.getByRole('button', { name: '共享屏幕' }).click();
        await moves(japan, LANGUAGES.zh.china);
        const screen = tile(china, `Screen of`);
        await screen.locator('video:not([hidden])').waitFor({ timeout: ARRIVES_MS });
        await china.waitForFunction(() => document.querySelector('.tile.screen video')?.videoWidth > 0, null, { timeout: ARRIVES_MS });
        assert.equal(await screen.getAttribute('data-large'), '', 'a screen is shown large');
        await china.screenshot({ path: path.join(OUT, 'room-screen.png') });

        await japan.getByRole('button', { name: LANGUAGES.zh.leave }).click();
        await japan.getByRole('heading', { name: '您已离开会议室' }).waitFor();
        await china.getByText('Nobody else is here yet').waitFor({ timeout: ARRIVES_MS });
      });
    });
  });

  test('sound only: no picture is sent or received, and sound is', async () => {
    await look({ storageState: states.inside }, async (china) => {
      await look({ storageState: states.guest }, async (japan) => {
        await join(china);
        await japan.goto(url('/meetings/room'));
        await japan.getByLabel('Sound only').check();
        assert.ok(await japan.getByRole('switch', { name: 'Camera' }).isDisabled());
        await japan.getByRole('button', { name: 'Enter the room' }).click();
        await japan.locator('.meeting').waitFor({ timeout: ARRIVES_MS });
        await hears(japan);
        await tile(china, JAPAN).waitFor({ timeout: ARRIVES_MS });
        assert.equal(await tile(china, JAPAN).locator('video:not([hidden])').count(), 0);
        assert.equal(await japan.locator('.tiles video:not([hidden])').count(), 0);
      });
    });
  });
});

describe('who may enter', () => {
  test('nothing is asked for before the button, and no address of ours carries a token', async () => {
    await look({ storageState: states.inside }, async (page) => {
      const asked = [];
      page.on('request', (request) => asked.push(`${request.method()} ${request.url()}`));
      const sockets = [];
      page.on('websocket', (socket) => sockets.push(socket.url()));
      await page.goto(url('/meetings/room'));
      await page.locator('.mirror video:not([hidden])').waitFor();
      assert.ok(asked.every((one) => !one.startsWith('POST')), asked.join('\n'));
      assert.deepEqual(sockets, []);
      await join(page);
      assert.equal(asked.filter((one) => one === `POST ${host.url}/meetings/room/token`).length, 1, asked.join('\n'));
      assert.ok(sockets.length > 0);
      assert.ok(asked.every((one) => !/token=|access_token/.test(new URL(one.split(' ')[1]).search)), asked.join('\n'));
      assert.doesNotMatch(page.url(), /token/);
      const kept = await page.evaluate(() => JSON.stringify([Object.entries(localStorage), Object.entries(sessionStorage), document.cookie]));
      assert.doesNotMatch(kept, /eyJ/, 'no token is kept');
    });
  });

  test('nobody without a session, nobody with another’s form, and nobody from another site', async () => {
    const cookie = states.inside.cookies.map((one) => `${one.name}=${one.value}`).join('; ');
    const ask = (headers, csrf) => fetch(`http://127.0.0.1:${host.port}/meetings/room/token`, {
      method: 'POST', headers, body: new URLSearchParams({ csrf }),
    });
    const page = (await get(host, '/meetings/room', cookie)).body.toString('utf8');
    const csrf = /"csrf":"([0-9a-f]{64})"/.exec(page)[1];
    assert.equal((await ask({}, csrf)).status, 404);
    assert.equal((await ask({ cookie }, '0'.repeat(64))).status, 403);
    assert.equal((await ask({ cookie, 'sec-fetch-site': 'cross-site' }, csrf)).status, 403);
    const granted = await ask({ cookie }, csrf);
    assert.equal(granted.status, 200);
    assert.match(granted.headers.get('cache-control'), /no-store/);
    const claims = JSON.parse(Buffer.from((await granted.json()).token.split('.')[1], 'base64url'));
    assert.match(claims.sub, /^nhc\.chn\.example\/[0-9a-f]{16}$/);
    assert.deepEqual([claims.video.canUpdateOwnMetadata, claims.video.roomCreate, claims.video.roomAdmin], [false, undefined, undefined]);
    assert.equal((await get(host, '/meetings/room')).status, 404);
    assert.equal((await get(host, '/meetings')).status, 404);
  });

  test('a guest enters the room and nothing else, once', async () => {
    const address = await link('--guest', 'mohw.kor.example', '--duty', 'Observer');
    const state = await enter(address, 'Go to the room');
    assert.deepEqual(state.cookies.map((one) => [one.name, one.path, one.httpOnly]), [['concord_meeting', '/meetings', true]]);
    const cookie = `${state.cookies[0].name}=${state.cookies[0].value}`;
    assert.equal((await get(host, '/meetings/room', cookie)).status, 200);
    assert.equal((await get(host, '/meetings', cookie)).status, 404);
    assert.equal((await get(host, '/import', cookie)).status, 404);
    assert.equal((await get(host, '/meetings/room', `concord_session=${state.cookies[0].value}`)).status, 404);
    assert.equal((await get(host, new URL(address).pathname)).status, 401, 'the link was used');
    await assert.rejects(link('--guest', 'moh.nowhere.example'), /not a confirmed peer/);
  });

  test('the desk makes a link for a guest', async () => {
    await look({ storageState: states.inside }, async (page) => {
      await page.goto(url('/meetings'));
      await page.getByLabel('Authority').selectOption({ label: 'WHO Regional Office for the Western Pacific' });
      await page.getByLabel('Duty').fill('Observer');
      await follow(page, page.getByRole('button', { name: 'Make a link' }));
      assert.match(await text(page), /A link for WHO Regional Office for the Western Pacific/);
      const made = plain(await page.locator('code.link').innerText());
      assert.equal((await get(host, new URL(made).pathname)).status, 200);
    });
  });

  test('whoever enters twice is in the room once, and is told', async () => {
    await look({ storageState: states.inside }, async (first) => {
      await look({ storageState: states.inside }, async (second) => {
        await join(first);
        await join(second);
        await first.getByRole('heading', { name: 'You entered from somewhere else' }).waitFor({ timeout: ARRIVES_MS });
        assert.equal(await second.locator('.tiles > li').count(), 1);
      });
    });
  });
});

describe('without what a meeting needs', () => {
  test('without scripts the page says so', async () => {
    for (const [lang, { dir }] of Object.entries(LANGUAGES)) {
      await look({ storageState: states.inside, javaScriptEnabled: false }, async (page) => {
        await page.goto(url('/meetings/room', lang));
        assert.equal(await page.locator('html').getAttribute('dir'), dir);
        const words = await text(page);
        assert.match(words, /JavaScript/);
        assert.ok(!(await page.locator('.loading').isVisible()), 'nothing pretends to load');
      });
    }
  });

  test('without camera and microphone one enters to listen', async () => {
    const bare = await openBrowser(['--use-fake-ui-for-media-stream']);
    try {
      await look({ storageState: states.inside }, async (china) => {
        await join(china);
        await look({ storageState: states.guest }, async (page) => {
          await page.goto(url('/meetings/room'));
          await page.getByText('There is neither a camera nor a microphone here.').waitFor();
          await page.screenshot({ path: path.join(OUT, 'room-no-device.png') });
          await page.getByRole('button', { name: 'Enter to listen' }).click();
          await page.locator('.meeting').waitFor({ timeout: ARRIVES_MS });
          await hears(page);
        }, bare);
      });
    } finally {
      await bare.close();
    }
  });

  test('a browser that does not allow them says what to do', async () => {
    const strict = await openBrowser(['--use-fake-device-for-media-stream', '--deny-permission-prompts']);
    try {
      await look({ storageState: states.inside, permissions: [] }, async (page) => {
        await page.goto(url('/meetings/room'));
        assert.match(await text(page), /Nobody sees or hears you before you enter/);
        await page.getByRole('button', { name: 'Use camera and microphone' }).click();
        await page.getByText('This page may use neither camera nor microphone.').waitFor();
        assert.deepEqual(await findings(page), []);
        await page.screenshot({ path: path.join(OUT, 'room-denied.png') });
        await page.getByRole('button', { name: 'Enter to listen' }).click();
        await page.locator('.meeting').waitFor({ timeout: ARRIVES_MS });
      }, strict);
    } finally {
      await strict.close();
    }
  });
});

describe('accessible and in order', () => {
  for (const [lang, words] of Object.entries(LANGUAGES)) {
    test(`${lang}: before, during and after, at three widths and in both themes`, async () => {
      await look({ storageState: states.inside }, async (page) => {
        const flaws = [];
        const check = async (state) => {
          for (const [width, height] of [[390, 844], [1024, 768], [1440, 900]]) {
            await page.setViewportSize({ width, height });
            for (const colorScheme of ['light', 'dark']) {
              await page.emulateMedia({ colorScheme });
              await page.evaluate(() => new Promise((resolve) => { requestAnimationFrame(() => requestAnimationFrame(resolve)); }));
              const wide = await overflow(page);
              if (wide > 0) flaws.push(`${state} at ${width}: ${wide} px wider than the window`);
              flaws.push(...(await findings(page)).map((line) => `${state} at ${width} ${colorScheme}: ${line}`));
              await page.screenshot({ path: path.join(OUT, `room-${state}-${lang}-${width}-${colorScheme}.png`) });
            }
          }
        };
        await page.goto(url('/meetings/room', lang));
        await page.locator('.mirror video:not([hidden])').waitFor();
        assert.equal(await page.locator('html').getAttribute('dir'), words.dir);
        assert.ok((await text(page)).includes(words.china));
        await check('lobby');
        await page.locator('.lobby button.large').click();
        await page.locator('.meeting').waitFor({ timeout: ARRIVES_MS });
        await page.locator('.controls .toggle').click();
        await page.locator('.people li').first().waitFor();
        await check('meeting');
        await page.locator('.controls .devices').click();
        await page.locator('dialog[open]').waitFor();
        await check('devices');
        await page.keyboard.press('Escape');
        await page.getByRole('button', { name: words.leave }).click();
        await page.locator('.over').waitFor();
        await check('over');
        assert.deepEqual(flaws, []);
      });
    });
  }

  test('the keyboard alone enters, switches, opens, closes and leaves', async () => {
    await look({ storageState: states.inside }, async (page) => {
      const reach = async (name) => {
        for (let i = 0; i < 40; i += 1) {
          const at = await page.evaluate(() => {
            const one = document.activeElement;
            const style = getComputedStyle(one);
            return { acts: one.matches('a, button, input, select'), words: `${one.ariaLabel ?? ''} ${one.textContent}`, ring: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0 };
          });
          if (at.acts && plain(at.words).includes(name)) {
            assert.ok(at.ring, `a ring shows where one is: ${name}`);
            return;
          }
          await page.keyboard.press('Tab');
        }
        assert.fail(`Tab does not reach ${name}`);
      };
      await page.goto(url('/meetings/room'));
      await page.locator('.mirror video:not([hidden])').waitFor();
      await reach('Play a test sound');
      await page.keyboard.press('Enter');
      await page.getByText('Playing…').waitFor();
      await reach('Enter the room');
      await page.keyboard.press('Enter');
      await page.locator('.meeting').waitFor({ timeout: ARRIVES_MS });
      await reach('Microphone');
      await page.keyboard.press('Space');
      await page.locator('.controls [role=switch][aria-checked=false]').waitFor();
      await reach('Devices');
      await page.keyboard.press('Enter');
      await page.locator('dialog[open]').waitFor();
      await page.keyboard.press('Escape');
      assert.match(await page.evaluate(() => document.activeElement.textContent), /Devices/, 'the focus is where it was');
      await reach('Leave');
      await page.keyboard.press('Enter');
      await page.locator('.over').waitFor();
      assert.match(await page.evaluate(() => document.activeElement.textContent), /You have left the room/, 'the end is read out');
      await reach('Enter again');
      await page.keyboard.press('Enter');
      await page.locator('.lobby').waitFor();
    });
  });
});

// The engine in the node ends with the node; only a server beside it can be gone while the pages are there.
if (process.env.LIVEKIT_SERVER) {
  test('a server that is gone: the reader is told, and enters again when it is back', async () => {
    const page = await openPage(browser, { permissions: ['camera', 'microphone'], storageState: states.inside });
    page.setDefaultTimeout(ARRIVES_MS);
    try {
      await join(page);
      await livekit.kill();
      await page.getByText('The connection broke. Connecting again…').waitFor({ timeout: ARRIVES_MS });
      await page.getByRole('heading', { name: 'The connection was lost' }).waitFor({ timeout: 90_000 });
      await page.screenshot({ path: path.join(OUT, 'room-lost.png') });
      await page.getByRole('button', { name: 'Enter again' }).click();
      await page.getByRole('button', { name: 'Enter the room' }).click();
      await page.getByRole('heading', { name: 'The room cannot be reached' }).waitFor({ timeout: ARRIVES_MS });
      await livekit.restart();
      await page.getByRole('button', { name: 'Enter again' }).click();
      await join(page);
    } finally {
      await page.context().close();
    }
  });
}
