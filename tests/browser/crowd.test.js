// The room as it looks with 2, 9 and 30 people in it, at three widths, in three languages, in both themes, and with 9 on a telephone
// that lies: 30 pictures in out/, and what of them a program can judge. Whoever changes the room looks at them.

import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';

import { startAlone } from './alone.js';
import { openCrowd } from './crowd.js';
import { OUT, findings, follow, openBrowser, openPage, overflow } from './window.js';

const WINDOWS = [[390, 844], [1024, 768], [1440, 900]];
const LYING = [844, 390];
// What is said of a picture whose key is not here, written out: the crowd's number 2 encrypts from end to end.
const LANGUAGES = {
  en: 'End-to-end encrypted: this browser has no key',
  zh: '端到端加密：此浏览器没有密钥',
  ar: 'مشفَّر من طرف إلى طرف: لا مفتاح لدى هذا المتصفح',
};
/** The longest that something may take to be seen; a machine that builds meanwhile is slow. */
const ARRIVES_MS = 60_000;

let node;
let crowd;
let browser;
let storageState;

before(async () => {
  node = await startAlone();
  browser = await openBrowser(['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream', '--autoplay-policy=no-user-gesture-required']);
  const page = await openPage(browser);
  await page.goto(node.link);
  await follow(page, page.getByRole('button', { name: 'Enter' }));
  storageState = await page.context().storageState();
  await page.context().close();
  crowd = await openCrowd(node.meet);
}, { timeout: 120_000 });

after(async () => {
  await Promise.all([crowd?.close(), browser?.close()]);
  await node?.stop();
});

/** Every picture on this page of tiles is there: nobody is waited for any more. */
async function complete(page, people) {
  await page.waitForFunction((count) => {
    const shown = (element) => !element.hidden;
    const tiles = [...document.querySelectorAll('.tiles > li')];
    return document.querySelector('.controls .num')?.textContent === String(count)
      && tiles.length > 0
      && !tiles.some((tile) => [...tile.querySelectorAll('.veil')].some(shown) && !tile.hasAttribute('data-sealed'))
      && tiles.every((tile) => [...tile.querySelectorAll('video')].filter(shown).every((video) => video.videoWidth > 0));
  }, people, { timeout: ARRIVES_MS });
  await page.evaluate(() => new Promise((resolve) => { requestAnimationFrame(() => requestAnimationFrame(resolve)); }));
}

/** What is outside the window, covered, or cut though there is no more of it anywhere. */
function misplaced() {
  const flaws = [];
  const { clientWidth, clientHeight } = document.documentElement;
  const named = (element) => `${element.className || element.tagName} "${element.textContent.trim().slice(0, 40)}"`;
  const seen = [...document.querySelectorAll('.tiles > li, .plate, .veil, .paging > *, .line > *, .controls > button, .people li, .exercise, h1')]
    .filter((element) => element.checkVisibility() && !element.closest('[hidden]') && element.getClientRects().length > 0);
  for (const element of seen) {
    const box = element.getBoundingClientRect();
    const scrolls = element.closest('.people ul');
    if (box.left < -0.5 || box.right > clientWidth + 0.5) flaws.push(`${named(element)} is beside the window`);
    if (!scrolls && (box.top < -0.5 || box.bottom > clientHeight + 0.5)) flaws.push(`${named(element)} is above or below the window`);
    if (getComputedStyle(element).textOverflow === 'clip' && element.scrollWidth > element.clientWidth + 1) flaws.push(`${named(element)} is cut`);
  }
  for (const button of document.querySelectorAll('.controls > button, .paging > button:not([disabled])')) {
    if (!button.checkVisibility()) continue;
    const box = button.getBoundingClientRect();
    const at = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
    if (!button.contains(at)) flaws.push(`${named(button)} is covered`);
  }
  const below = document.querySelector('.controls').getBoundingClientRect().top - document.querySelector('.stage').getBoundingClientRect().bottom;
  if (below < -0.5) flaws.push('the controls are not below the stage');
  const tiles = [...document.querySelectorAll('.tiles > li')].map((tile) => tile.getBoundingClientRect());
  tiles.forEach((a, place) => tiles.slice(place + 1).forEach((b) => {
    if (a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1) flaws.push('tiles lie on each other');
  }));
  return flaws;
}

/** Whose picture is encrypted is marked, in words for those too who do not see the mark, and nothing of it is received. */
async function marked(page, words) {
  const tile = page.locator('.tiles > li[data-sealed]');
  assert.equal(await tile.count(), 1);
  assert.equal(await tile.locator('.veil').innerText(), words);
  assert.ok(await tile.locator('.mark.sure').isVisible());
  assert.ok(words.startsWith(await tile.locator('.mark.sure').innerText()), 'the mark says the same');
  assert.equal(await tile.locator('video').evaluate((video) => video.srcObject), null);
  assert.equal(await page.locator('.tiles .mark.sure:visible').count(), 1);
  assert.ok(!words.startsWith(await page.locator('.line .tag').innerText()), 'one of many makes no meeting secret');
}

/** How many people all pages of tiles show together. Whoever is large is on each of them. */
async function leafed(page) {
  const kept = await page.locator('.tiles > li[data-large]').count();
  let found = kept;
  for (;;) {
    found += await page.locator('.tiles > li').count() - kept;
    const next = page.locator('.paging .next:not([disabled])');
    if (!await next.isVisible()) return found;
    await next.click();
  }
}

for (const people of [2, 9, 30]) {
  describe(`${people} people`, () => {
    before(() => crowd.grow(people - 1), { timeout: 120_000 });

    for (const [place, [lang, sealed]] of Object.entries(LANGUAGES).entries()) {
      test(`${lang}: everything is seen, in its place and named`, { timeout: 300_000 }, async () => {
        const page = await openPage(browser, { permissions: ['camera', 'microphone'], storageState });
        page.setDefaultTimeout(ARRIVES_MS);
        try {
          const flaws = [];
          await page.goto(`${node.url}/meetings/room?lang=${lang}`);
          await page.locator('.mirror video:not([hidden])').waitFor();
          await page.locator('.lobby button.large').click();
          await page.locator('.meeting').waitFor();
          await page.mouse.move(0, 0);
          for (const [turn, [width, height]] of [...WINDOWS, ...(people === 9 ? [LYING] : [])].entries()) {
            const colorScheme = (place + turn + (people === 9)) % 2 === 0 ? 'light' : 'dark';
            await page.emulateMedia({ colorScheme });
            await page.setViewportSize({ width, height });
            await complete(page, people);
            await page.screenshot({ path: path.join(OUT, `crowd-${people}-${lang}-${width}-${colorScheme}.png`) });
            const wide = await overflow(page);
            if (wide > 0) flaws.push(`${width}: ${wide} px wider than the window`);
            flaws.push(...(await page.evaluate(misplaced)).map((line) => `${width}: ${line}`));
            flaws.push(...(await findings(page)).map((line) => `${width} ${colorScheme}: ${line}`));
          }
          assert.deepEqual(flaws, []);
          if (people > 2) await marked(page, sealed);
          assert.equal(await leafed(page), people);
          assert.deepEqual(page.complaints, []);
        } finally {
          await page.context().close();
        }
      });
    }
  });
}
