// The four nodes as a reader sees them. Every test starts from what `concord demo` shows: addresses, links,
// pages and files. What must be seen is written out here, not taken from the program's own sources.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';

import { concord, crawl, get, pins, start } from './demo.js';
import { OUT, findings, follow, openBrowser, openPage, overflow, plain, rows, text } from './window.js';

const LANGUAGES = {
  en: { dir: 'ltr', situation: 'Situation', public: 'Public', inside: 'Internal', skip: 'Skip to content' },
  zh: { dir: 'ltr', situation: '疫情态势', public: '公开', inside: '内部', skip: '跳至正文' },
  ar: { dir: 'rtl', situation: 'الوضع الوبائي', public: 'عام', inside: 'داخلي', skip: 'انتقل إلى المحتوى' },
};
const CODES = ['CHN', 'JPN', 'KOR', 'WPRO'];
const TO_MECHANISM = 'proposed agenda of the next video meeting, 15 May 2020';
const TO_ONE = 'we ask for your experience with drive-through testing sites';
const MECHANISM = 'chn-jpn-kor-health-ministers';
const REASON = '325 cases and 1,290 deaths were added after late, omitted and mistaken reports had been checked';
// Who may read which of the two.
const NOTICES = { CHN: [TO_MECHANISM], JPN: [TO_MECHANISM, TO_ONE], KOR: [TO_MECHANISM, TO_ONE], WPRO: [] };
// What axe finds in the second theme of a page that it has looked through in the first.
const COLOURS = ['color-contrast', 'link-in-text-block'];
const STARTS = [
  '/', '/situation', '/network', '/records', '/api/openapi.json', '/api/v1/situation/figures',
  '/api/v1/situation/corrections', '/api/v1/situation/places/CHN', '/api/v1/records',
  '/api/v1/records?kind=notice', '/api/v1/network/authorities', '/api/v1/network/logs', '/metrics', '/healthz',
  '/heads', '/.well-known/concord/root',
];

let demo;
let browser;
/** By code: cookies and local storage of a browser that pressed the button. */
const inside = {};

const node = (code) => demo.nodes.find((one) => one.code === code);
const cookie = (code) => inside[code].cookies.map((one) => `${one.name}=${one.value}`).join('; ');

/** Opens an address and demands that it is there. */
async function open(page, address) {
  const answer = await page.goto(address);
  assert.equal(answer.status(), 200, address);
}

/** Runs `look` on a page of its own and closes it; the browser must have had nothing to complain of. */
async function look(options, walk) {
  const page = await openPage(browser, options);
  try {
    await walk(page);
    assert.deepEqual(page.complaints, []);
  } finally {
    await page.context().close();
  }
}

before(async () => {
  [demo, browser] = await Promise.all([start(), openBrowser()]);
  for (const { code, link, url } of demo.nodes) {
    const page = await openPage(browser);
    await open(page, link);
    assert.deepEqual((await page.context().cookies()).length, 0, 'looking at the link opens nothing');
    await page.screenshot({ path: path.join(OUT, `enter-${code}.png`) });
    await follow(page, page.getByRole('button', { name: 'Enter' }));
    assert.equal(page.url(), `${url}/situation`);
    assert.equal(await text(page, '.face'), 'Internal');
    const [session] = await page.context().cookies();
    assert.ok(session.httpOnly && session.sameSite === 'Lax', 'scripts and other sites cannot use the session');
    inside[code] = await page.context().storageState();
    await page.context().close();
  }
}, { timeout: 300_000 });

after(async () => {
  await browser?.close();
  await demo?.stop();
});

test('there are four nodes', () => {
  assert.deepEqual(demo.nodes.map((one) => one.code), CODES);
});

test('a link works once', async () => {
  await look({}, async (page) => {
    const answer = await page.goto(node('JPN').link);
    assert.equal(answer.status(), 401);
    assert.match(await text(page), /used before or is too old/);
    assert.equal(await page.getByRole('button', { name: 'Enter' }).count(), 0, 'a dead link does not look like a live one');
    assert.equal(await text(page, '.face'), 'Public');
    assert.deepEqual(await page.context().cookies(), []);
    // The browser reports the refusal itself; anything else would be wrong.
    assert.ok(page.complaints.every((line) => line.includes('401')), page.complaints.join('\n'));
    page.complaints.length = 0;
  });
});

test('every desk of the navigation is there, and the way out closes the session', async () => {
  const page = await openPage(browser);
  try {
    const { stdout } = await concord('--data', node('KOR').data, 'link', '--json');
    await open(page, JSON.parse(stdout).url);
    await follow(page, page.getByRole('button', { name: 'Enter' }));
    const desks = await page.locator('nav.rail a').evaluateAll((all) => all.map((link) => link.href));
    assert.ok(desks.length >= 3);
    for (const address of desks) await open(page, address);
    const session = await page.context().cookies();
    await follow(page, page.getByRole('button', { name: 'Sign out' }));
    assert.equal(await text(page, '.face'), 'Public');
    assert.deepEqual(await page.context().cookies(), []);
    await page.context().addCookies(session);
    await open(page, `${node('KOR').url}/situation`);
    assert.equal(await text(page, '.face'), 'Public', 'the old session opens nothing');
    assert.deepEqual(page.complaints, []);
  } finally {
    await page.context().close();
  }
});

describe('both faces of every node, in three languages, with and without scripts', () => {
  for (const code of CODES) {
    for (const javaScriptEnabled of [true, false]) {
      test(`${code} ${javaScriptEnabled ? 'with' : 'without'} scripts`, async () => {
        for (const [storageState, other] of [[undefined, '/records'], [inside[code], '/network']]) {
          await look({ javaScriptEnabled, storageState }, async (page) => {
            for (const [lang, words] of Object.entries(LANGUAGES)) {
              await open(page, `${node(code).url}/situation?lang=${lang}`);
              const root = page.locator('html');
              assert.equal(await root.getAttribute('lang'), lang);
              assert.equal(await root.getAttribute('dir'), words.dir);
              assert.equal(await text(page, 'h1'), words.situation);
              assert.equal(await text(page, '.face'), storageState ? words.inside : words.public);
              assert.equal(await page.locator('.skip').textContent(), words.skip);
              assert.equal(await page.locator('nav.languages [aria-current]').getAttribute('lang'), lang);
              const direction = await page.evaluate(() => getComputedStyle(document.body).direction);
              assert.equal(direction, words.dir);
              await open(page, `${node(code).url}${other}?lang=${lang}`);
              assert.equal(await root.getAttribute('lang'), lang);
              assert.equal(await root.getAttribute('dir'), words.dir);
              assert.equal(await page.locator('tbody').first().isVisible(), true);
            }
          });
        }
      });
    }
  }
});

describe('situation', () => {
  test('every country stands there with who says it and its proof', async () => {
    await look({}, async (page) => {
      for (const { code, url } of demo.nodes) {
        const csv = (await get(node(code), '/situation.csv')).body.toString('utf8').trim().split('\n');
        const places = new Set(csv.slice(1).map((line) => line.split(',')[0]));
        assert.ok(places.size > 200, `${places.size} places`);
        await open(page, `${url}/situation`);
        const seen = new Set();
        for (;;) {
          const links = await page.locator('#figures tbody tr').evaluateAll((all) => all.map((row) => ({
            place: row.querySelector('a[href^="/situation/"]')?.getAttribute('href').split(/[/?]/)[2],
            author: row.querySelector('a[href^="/network/"]')?.textContent ?? row.cells[5].textContent,
            record: row.querySelector('a[href^="/record/"]')?.getAttribute('href') ?? '',
            proven: row.querySelector('.seal time')?.getAttribute('datetime') ?? '',
          })));
          for (const { place, author, record, proven } of links) {
            seen.add(decodeURIComponent(place));
            assert.match(plain(author), /China|Japan|Korea|WHO/, `${place} has an author`);
            assert.match(record, /^\/record\/[0-9a-f]{64}$/, `${place} has a record`);
            assert.match(proven, /^20\d\d-\d\d-\d\dT/, `${place} has a proven time`);
          }
          const next = page.locator('#figures').getByRole('link', { name: 'Next' });
          if (await next.count() === 0) break;
          await follow(page, next);
        }
        assert.deepEqual([...places].filter((place) => !seen.has(place)), []);
      }
    });
  });

  test('China has two authorities side by side', async () => {
    await look({}, async (page) => {
      await open(page, `${node('KOR').url}/situation/CHN`);
      const authors = await rows(page, '#authors table');
      assert.deepEqual(authors.map((cells) => cells.slice(0, 4)), [
        ['National Health Commission of China', 'Own authority', '84,146', '31 May 2020'],
        ['WHO Regional Office for the Western Pacific', 'Observed by another', '84,544', '26 May 2020'],
      ]);
      const differ = await rows(page, '#differs-table table');
      assert.deepEqual(differ[0], ['26 May 2020', '84,103', '84,544']);
    });
  });

  test('the correction stands with the old value, the new one and the reason', async () => {
    await look({}, async (page) => {
      for (const { url } of demo.nodes) {
        await open(page, `${url}/situation/CHN`);
        const [cases, deaths] = await rows(page, '#corrections table');
        assert.deepEqual(cases.slice(0, 5), ['Confirmed cases, cumulative', '16 Apr 2020', '83,403', '83,728', '+325']);
        assert.deepEqual(deaths.slice(0, 5), ['Deaths, cumulative', '16 Apr 2020', '3,346', '4,636', '+1,290']);
        assert.ok(cases[5].includes(REASON), cases[5]);
      }
    });
  });

  test('the curve is a drawing, a table and a file', async () => {
    await look({}, async (page) => {
      await open(page, `${node('WPRO').url}/situation/CHN`);
      const curve = page.getByRole('img', { name: 'China: Confirmed cases, cumulative' });
      const box = await curve.boundingBox();
      assert.ok(box.width > 500 && box.height > 150, JSON.stringify(box));
      assert.ok((await curve.locator('path.bars').first().getAttribute('d')).length > 1_000);
      const details = page.locator('#curve details');
      await details.locator('summary').click();
      assert.ok(await details.locator('tbody tr').count() > 100);
      assert.ok(await page.locator('#days tbody tr').count() >= 25);
      const [download] = await Promise.all([
        page.waitForEvent('download'), page.locator('a[href="/situation/CHN.csv"]').first().click(),
      ]);
      const csv = await readFile(await download.path(), 'utf8');
      assert.match(csv, /^place,indicator,/);
      assert.match(csv, /CHN,cases-confirmed-cumulative,[^\n]*,2020-04-16,83728,/);
    });
  });

  test('as of a past day shows what was claimed by then, and nothing that was proven only later', async () => {
    await look({}, async (page) => {
      for (const { code, url } of demo.nodes) {
        await open(page, `${url}/situation/CHN`);
        await page.locator('#as-of').fill('2020-02-15');
        await follow(page, page.locator('.as-of button'));
        assert.equal(await text(page, '#authors tbody tr:first-child td.n'), '68,413');
        assert.match(await text(page, 'main .notice'), /15 February 2020/);
        assert.equal(await page.locator('#corrections tbody tr').count(), 0, 'nothing had been corrected yet');
        await page.locator('.as-of select').selectOption('proven');
        await follow(page, page.locator('.as-of button'));
        assert.match(page.url(), /as_of=2020-02-15&basis=proven/);
        assert.ok(!/68,413|84,146|83,728/.test(await page.content()));
        assert.match(await text(page), /Nothing was known as of this day/);
        await follow(page, page.locator('.empty').getByRole('link', { name: 'Show the present state' }));
        assert.match(await text(page), /84,146/, 'the way back leads to what is known now');
        await open(page, `${url}/situation?as_of=2020-02-15&basis=proven`);
        assert.match(await text(page), /Nothing was known as of this day/);
        const csv = (await get(node(code), '/situation.csv?as_of=2020-02-15&basis=proven')).body.toString('utf8');
        assert.equal(csv.trim().split('\n').length, 1, 'only the heading');
      }
    });
  });
});

describe('in the reader\'s own words', () => {
  test('authorities and places are called by their names', async () => {
    const names = {
      zh: ['日本厚生劳动省', '大韩民国'],
      ar: ['وزارة الصحة والعمل والرعاية الاجتماعية في اليابان', 'جمهورية كوريا'],
      fr: ['Ministère de la Santé, du Travail et des Affaires sociales du Japon', 'République de Corée'],
    };
    await look({}, async (page) => {
      for (const [lang, [japan, korea]] of Object.entries(names)) {
        await open(page, `${node('CHN').url}/network?lang=${lang}`);
        assert.ok((await text(page)).includes(japan), lang);
        await open(page, `${node('CHN').url}/network/mhlw.jpn.example?lang=${lang}`);
        assert.equal(await text(page, 'h1'), japan);
        await open(page, `${node('CHN').url}/situation/KOR?lang=${lang}`);
        assert.equal(await text(page, 'h1'), korea);
      }
      await open(page, `${node('CHN').url}/situation/KOR?lang=en`);
      assert.equal(await text(page, 'h1'), 'Republic of Korea');
    });
  });

  test('a sign stands before its number, and an axis in the order of the language', async () => {
    await look({}, async (page) => {
      await open(page, `${node('CHN').url}/situation/corrections?lang=ar`);
      const change = page.locator('#corrections tbody tr').first().locator('td').nth(4);
      // Where the first letter is drawn is what a reader sees, whatever the order of the text.
      const [sign, digit] = await change.evaluate((cell) => {
        const text = cell.firstChild;
        const at = (index) => {
          const range = document.createRange();
          range.setStart(text, index);
          range.setEnd(text, index + 1);
          return range.getBoundingClientRect().x;
        };
        return [at(text.data.indexOf('+')), at(text.data.search(/\d/))];
      });
      assert.ok(sign < digit, `+ at ${sign}, the first digit at ${digit}`);
      await open(page, `${node('CHN').url}/situation/CHN?lang=zh`);
      assert.equal(await page.locator('#curve text.month').first().textContent(), '2020年2月');
    });
  });

  test('times stand in the zone that the reader chose, without scripts', async () => {
    await look({ javaScriptEnabled: false }, async (page) => {
      await open(page, `${node('CHN').url}/records?kind=notice`);
      await page.locator('#zone').fill('Asia/Kolkata');
      await follow(page, page.locator('.zone button'));
      assert.match(page.url(), /kind=notice&zone=Asia%2FKolkata/);
      await follow(page, page.locator('nav.rail').getByRole('link', { name: 'Network' }));
      assert.match(await text(page, '#logs'), /UTC\+5:30/, 'a link keeps the zone');
      assert.deepEqual(await page.context().cookies(), [], 'the public face has no cookies');
      const refused = await page.goto(`${node('CHN').url}/network?zone=Middle/Earth`);
      assert.equal(refused.status(), 400);
      assert.match(await text(page), /“Middle\/Earth” is no time zone/);
      page.complaints = page.complaints.filter((line) => !line.includes('Middle/Earth'));
    });
    await look({ storageState: inside.JPN }, async (page) => {
      await open(page, `${node('JPN').url}/network?zone=Asia/Tokyo`);
      await open(page, `${node('JPN').url}/records`);
      assert.match(await text(page, '#records'), /UTC\+9/, 'inside, the zone stays chosen');
    });
  });

  test('a refusal is a page in the reader\'s language', async () => {
    for (const [lang, words] of [['en', 'does not take that act'], ['zh', '此地址不接受该操作']]) {
      const answer = await fetch(`${node('CHN').url.replace('chn.localhost', '127.0.0.1')}/situation?lang=${lang}`, {
        method: 'POST', headers: { accept: 'text/html' },
      });
      assert.equal(answer.status, 405);
      assert.ok((await answer.text()).includes(words), lang);
    }
  });
});

describe('lists', () => {
  test('each can be taken away, in the order and with the filter asked for', async () => {
    const at = (where, session) => get(node('CHN'), where, session).then(({ headers, body }) => {
      assert.match(String(headers['content-type']), /^text\/csv/, where);
      return body.toString('utf8').trim().split('\n');
    });
    const record = JSON.parse((await get(node('CHN'), '/api/v1/situation/corrections')).body)[0].record.name;
    const lists = {
      '/network': ['authorities', 'logs', 'held'], '/network/mhlw.jpn.example': ['logs', 'held'],
      '/situation': ['differs-table'], '/situation/CHN': ['authors', 'corrections', 'differs-table'],
      '/situation/corrections': ['corrections'], '/situation/CHN/2020-04-16': ['statements'],
      [`/record/${record}`]: ['content', 'witnesses', 'holders', 'references'], '/api': ['operations'],
    };
    for (const [where, ids] of Object.entries(lists)) {
      const html = (await get(node('CHN'), where)).body.toString('utf8');
      for (const id of ids) {
        assert.ok(html.includes(`csv=${id}`), `${where} offers ${id}`);
        assert.ok((await at(`${where}?csv=${id}`)).length > 1, `${where}?csv=${id} has rows`);
      }
    }
    const [head, first] = await at('/network?csv=logs&logs.sort=-entries&logs.q=nhc');
    assert.match(head, /^log,authority,readers,entries,/);
    assert.match(first, /^nhc\.chn\.example\/log\/public\/\d+,nhc\.chn\.example,public,1\d\d,/);
    const alarms = await at('/network?csv=alarms', cookie('CHN'));
    assert.match(alarms[0], /^alarm,first,last,count,settled,code,arguments$/);
    assert.equal((await get(node('CHN'), '/network?csv=alarms')).status, 404, 'alarms belong inside');
    assert.equal((await get(node('CHN'), '/network?logs.sort=secret')).status, 400);
  });

  test('in a narrow window each value stands under the head of its column', async () => {
    await look({ viewport: { width: 390, height: 900 } }, async (page) => {
      await open(page, `${node('CHN').url}/network`);
      const sideways = await page.locator('#logs .scroll').evaluate((one) => one.scrollWidth - one.clientWidth);
      assert.equal(sideways, 0);
      const cell = page.locator('#logs tbody tr').first().locator('td').first();
      const before = await cell.evaluate((one) => getComputedStyle(one, '::before').content);
      assert.equal(before, '"Authority"');
      const roles = await page.locator('#logs').getByRole('cell').count();
      assert.ok(roles > 20, 'what is drawn as blocks is still read as a table');
      await follow(page, page.locator('#logs thead').getByRole('link', { name: 'Entries' }));
      assert.match(page.url(), /logs\.sort=-entries/);
    });
  });

  test('no page is heavier than its budget', async () => {
    const css = (await get(node('CHN'), '/situation')).body.toString('utf8').match(/\/assets\/[^"]+\.css/)[0];
    const compressed = async (where) => (
      await get(node('CHN'), where, cookie('CHN'), { 'accept-encoding': 'br, gzip' })
    ).body.length;
    const sheet = await compressed(css);
    for (const lang of Object.keys(LANGUAGES)) {
      assert.ok(await compressed(`/situation?lang=${lang}`) + sheet <= 100_000, 'with the map');
      for (const where of ['/situation/CHN', '/network', '/records', '/situation/corrections', '/import', '/api']) {
        const bytes = await compressed(`${where}?lang=${lang}`) + sheet;
        assert.ok(bytes <= 60_000, `${where} in ${lang}: ${bytes} bytes`);
      }
    }
  });
});

describe('network', () => {
  test('peers with their fingerprints, logs and their copies', async () => {
    await look({}, async (page) => {
      for (const { code, url } of demo.nodes) {
        const fingerprints = await pins(node(code));
        assert.equal(fingerprints.length, 4);
        await open(page, `${url}/network`);
        const shown = await page.locator('#authorities').textContent();
        for (const one of fingerprints) assert.ok(shown.replace(/\s/g, '').includes(one), `${code} shows ${one}`);
        assert.equal(await page.locator('#authorities tbody tr').count(), 4);
        assert.equal(await page.locator('#logs tbody tr').count(), 4, 'the public sees the public logs');
        assert.ok(!(await text(page)).includes(MECHANISM));
      }
    });
  });

  test('the mechanism and its logs stand on the inside of its members alone', async () => {
    for (const code of CODES) {
      await look({ storageState: inside[code] }, async (page) => {
        await open(page, `${node(code).url}/network`);
        const words = await text(page);
        assert.equal(words.includes(MECHANISM), code !== 'WPRO', code);
        const own = await page.goto(`${node(code).url}/network/mechanisms/nhc.chn.example/${MECHANISM}`);
        assert.equal(own.status(), code === 'WPRO' ? 404 : 200);
        if (code === 'WPRO') page.complaints.length = 0;
        else assert.equal((await rows(page, '#members table')).length, 3);
        assert.equal((await get(node(code), `/network/mechanisms/nhc.chn.example/${MECHANISM}`)).status, 404);
        await open(page, `${node(code).url}/network`);
        const logs = await page.locator('#logs tbody tr').count();
        assert.equal(logs > 4, code !== 'WPRO', `${code} sees ${logs} logs`);
      });
    }
  });

  test('a log has its witnesses and the receipts of its readers', async () => {
    await look({}, async (page) => {
      await open(page, `${node('CHN').url}/network`);
      await follow(page, page.locator('#logs').getByRole('link', { name: /nhc\.chn\.example\/log\/public/ }));
      const witnesses = await rows(page, '#witnesses table');
      // The log's policy asks for one witness; which of the peers is the first is a matter of milliseconds.
      const peers = ['Japan', 'Korea', 'WHO Regional Office'];
      assert.ok(witnesses.length > 0, 'nobody has cosigned');
      for (const [name] of witnesses) assert.ok(peers.some((peer) => name.includes(peer)), name);
      const holders = (await rows(page, '#holders table')).map((cells) => cells[0]).join('\n');
      for (const name of ['Japan', 'Korea', 'WHO']) assert.ok(holders.includes(name), `${name} in ${holders}`);
    });
  });
});

describe('record', () => {
  test('its page has the header, who signed, the proof and the cosignatures', async () => {
    await look({}, async (page) => {
      for (const { url } of demo.nodes) {
        await open(page, `${url}/situation/CHN`);
        const name = (await page.locator('#corrections a[href^="/record/"]').first().getAttribute('href')).slice(8);
        await open(page, `${url}/record/${name}`);
        const words = await text(page);
        for (const part of [
          'Author', 'nhc.chn.example', 'Signed with nhc.chn.example/author/1', 'Released (claimed by its author)',
          'Proven by witnesses', 'Checkpoint of', 'Root of the tree', 'Inclusion path',
        ]) assert.ok(words.includes(part), part);
        assert.ok(await page.locator('ol.hashes li').count() >= 1);
        assert.ok((await page.content()).includes(name), 'its whole name stands there');
        assert.ok((await rows(page, '#witnesses table')).length > 0);
        assert.match(await page.locator('pre.raw').textContent(), /situation\.figures/);
      }
    });
  });

  test('its evidence file is accepted by the verifier with the pins, and by nobody with another', async () => {
    const trusted = (await pins(node('CHN'))).flatMap((one) => ['--pin', one]);
    const strangers = (await pins(node('WPRO'))).slice(0, 1).flatMap((one) => ['--pin', one]);
    await look({}, async (page) => {
      for (const { code, url } of demo.nodes) {
        await open(page, `${url}/situation/CHN`);
        await follow(page, page.locator('#authors a[href^="/record/"]').first());
        const [download] = await Promise.all([
          page.waitForEvent('download'), page.locator('a[download]').first().click(),
        ]);
        const file = path.join(demo.folder, `${code}.evidence`);
        await download.saveAs(file);
        const { stdout } = await concord('verify', file, ...trusted);
        assert.match(stdout, /situation\.figures [0-9a-f]{64} of nhc\.chn\.example/);
        assert.match(stdout, /proven by 20/);
        await assert.rejects(concord('verify', file, ...strangers), (error) => error.code !== 0);
      }
    });
  });
});

describe('what is sealed', () => {
  test('is read on the inside of its readers', async () => {
    for (const code of CODES) {
      await look({ storageState: inside[code] }, async (page) => {
        await open(page, `${node(code).url}/records?kind=notice`);
        const found = await page.locator('#records tbody a[href^="/record/"]').evaluateAll(
          (links) => [...new Set(links.map((link) => link.getAttribute('href')))],
        );
        assert.equal(found.length, NOTICES[code].length, code);
        const read = [];
        for (const where of found) {
          await open(page, `${node(code).url}${where}`);
          const words = [await text(page)];
          assert.match(words[0], /What was sealed .*concord\.inner\/v1/, 'those who hold it read the inner header');
          for (const blob of await page.locator('a[href*="/blob/"]').evaluateAll(
            (links) => [...new Set(links.map((link) => link.getAttribute('href')))],
          )) words.push((await get(node(code), blob, cookie(code))).body.toString('utf8'));
          read.push(words.join('\n'));
          const outside = await get(node(code), where);
          assert.equal(outside.status, 404, `${where} on the public face of ${code}`);
          assert.equal((await get(node('WPRO'), where, cookie('WPRO'))).status, 404);
        }
        for (const planted of NOTICES[code]) assert.ok(read.some((words) => words.includes(planted)), planted);
      });
    }
  });

  // The one that reads neither is searched whole; of the readers' public faces, what is the same there is not.
  const files = /\/(evidence|blob\/[0-9a-f]+)$|^\/situation\/[^/]+\/\d{4}-/;
  for (const [code, face, skip] of [
    ['WPRO', 'inside'], ['WPRO', 'public'], ['CHN', 'public', files], ['JPN', 'public', files], ['KOR', 'public', files],
  ]) {
    test(`is nowhere on the ${face} face of ${code}`, async () => {
      const answers = await crawl(node(code), STARTS, { cookie: face === 'inside' ? cookie(code) : undefined, skip });
      const kinds = {};
      for (const [where, { body, status, headers }] of answers) {
        assert.ok(status < 500, `${where} answers ${status}`);
        const kind = String(headers['content-type']).split(';')[0];
        kinds[kind] = (kinds[kind] ?? 0) + 1;
        for (const planted of [TO_MECHANISM, TO_ONE, MECHANISM]) {
          assert.ok(!body.includes(planted), `${planted} at ${where}`);
        }
      }
      // Pages, tables, the interface and evidence files were all among it.
      const seen = JSON.stringify(kinds);
      assert.ok(kinds['text/html'] > 600 && kinds['text/csv'] > 200 && kinds['application/json'] > 5, seen);
      assert.equal(kinds['application/octet-stream'] > 800, skip === undefined, seen);
    });
  }

  test('and is found by the same search where it may be read', async () => {
    const answers = await crawl(node('KOR'), ['/records?kind=notice', '/network'], { cookie: cookie('KOR'), skip: /situation|evidence|^\/records($|\?page|\?kind=[^n])/ });
    const all = [...answers.values()].map(({ body }) => body.toString('utf8')).join('\n');
    for (const planted of [TO_MECHANISM, TO_ONE, MECHANISM]) assert.ok(all.includes(planted), planted);
  });
});

describe('accessible and in order', () => {
  const kinds = {
    situation: '/situation', place: '/situation/CHN', day: '/situation/CHN/2020-04-16',
    corrections: '/situation/corrections', nothing: '/situation/CHN?as_of=2020-02-15&basis=proven',
    network: '/network', authority: '/network/mhlw.jpn.example',
    mechanism: `/network/mechanisms/nhc.chn.example/${MECHANISM}`,
    log: '/network/logs/nhc.chn.example/log/public/{year}', records: '/records', record: '/record/{record}',
    sealed: '/record/{sealed}', unknown: '/record/{record}?as_of=2019-01-01', import: '/import', meetings: '/meetings', report: '/import/{report}',
    api: '/api', enter: '/enter/{link}', dead: '/enter/0000', nowhere: '/nowhere', refused: '/records?sort=secret',
  };
  const REFUSED = { dead: 401, nowhere: 404, refused: 400 };
  /** What stands in place of {names} in the addresses above. */
  const places = {};

  before(async () => {
    const json = async (where) => JSON.parse((await get(node('CHN'), where, cookie('CHN'))).body);
    const logs = await json('/api/v1/network/logs');
    const own = logs.find((one) => one.authority === 'nhc.chn.example' && one.log.includes('/public/'));
    places.year = own.log.split('/').pop();
    places.record = (await json('/api/v1/situation/corrections'))[0].record.name;
    places.sealed = (await json('/api/v1/records?kind=notice')).records[0].name;
    const { stdout } = await concord('--data', node('CHN').data, 'link', '--json');
    places.link = JSON.parse(stdout).url.split('/').pop();
    await look({ storageState: inside.CHN }, async (page) => {
      await open(page, `${node('CHN').url}/import`);
      const table = '#date,#country+code,#affected+infected+confirmed+cumulative\n'
        + '2020-06-01,CHN,84154\n2020-06-02,CHN,many\n';
      await page.locator('input[type=file]').setInputFiles({ name: 'june.csv', mimeType: 'text/csv', buffer: Buffer.from(table) });
      await follow(page, page.getByRole('button', { name: 'Check the table' }));
      assert.match(await text(page), /“many” is no number/);
      places.report = new URL(page.url()).pathname.split('/').pop();
    });
  });

  for (const lang of Object.keys(LANGUAGES)) {
    for (const width of [390, 1440]) {
      test(`${lang} at ${width} px`, async () => {
        await look({ viewport: { width, height: 900 }, storageState: inside.CHN }, async (page) => {
          const flaws = [];
          for (const [kind, where] of Object.entries(kinds)) {
            const address = where.replace(/\{(\w+)\}/, (_, name) => places[name]);
            const answer = await page.goto(`${node('CHN').url}${address}${address.includes('?') ? '&' : '?'}lang=${lang}`);
            assert.equal(answer.status(), REFUSED[kind] ?? 200, address);
            if (kind in REFUSED) page.complaints.length = 0;
            const wide = await overflow(page);
            if (wide > 0) flaws.push(`${kind}: ${wide} px wider than the window`);
            for (const colorScheme of ['light', 'dark']) {
              await page.emulateMedia({ colorScheme });
              // Colours are the same in every language.
              if (colorScheme === 'light' || lang === 'en') {
                const found = await findings(page, colorScheme === 'dark' ? COLOURS : undefined);
                flaws.push(...found.map((line) => `${kind} ${colorScheme}: ${line}`));
              }
              await page.screenshot({ path: path.join(OUT, `${kind}-${lang}-${width}-${colorScheme}.png`) });
            }
          }
          assert.deepEqual(flaws, []);
        });
      });
    }
  }

  test('the keyboard finds the way past the navigation', async () => {
    for (const [lang, { skip }] of Object.entries(LANGUAGES)) {
      await look({}, async (page) => {
        await open(page, `${node('CHN').url}/situation?lang=${lang}`);
        const focused = () => page.evaluate(() => document.activeElement.textContent.trim());
        await page.keyboard.press('Tab');
        assert.equal(await focused(), skip);
        // It slides in: what counts is where it comes to rest.
        await page.locator('.skip').evaluate((link) => Promise.all(link.getAnimations().map((one) => one.finished)));
        const box = await page.locator('.skip').boundingBox();
        assert.ok(box.x >= 0 && box.y >= 0 && box.width > 20 && box.height > 10, 'it can be seen when focused');
        await page.keyboard.press('Enter');
        assert.equal(await page.evaluate(() => document.activeElement.id), 'main');
        await open(page, `${node('CHN').url}/situation?lang=${lang}`);
        const stops = [];
        for (let i = 0; i < 14; i += 1) {
          await page.keyboard.press('Tab');
          stops.push(await page.evaluate(() => {
            const one = document.activeElement;
            const style = getComputedStyle(one);
            // Within a date field the browser marks the part or the button that has the focus itself.
            const ring = one.type === 'date' || (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0);
            return { at: one.id || one.getAttribute('href') || one.tagName.toLowerCase(), ring, words: one.textContent.trim() };
          }));
        }
        const order = stops.map((one) => one.at);
        assert.ok(order[0] === '#main' && order.indexOf('as-of') < order.indexOf('button'), order.join(' '));
        assert.ok(stops.slice(1).every((one) => one.ring), `a ring shows where one is: ${JSON.stringify(stops)}`);
        assert.ok(stops.some((one) => one.words === '中文'), order.join(' '));
      });
    }
  });
});
