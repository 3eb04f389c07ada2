// What figures mean: places side by side, totals, signals, reproduction numbers, scenarios. The pages of a node that
// `concord demo` has told its story to, as a reader sees them.

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';

import { concord, get, start } from './demo.js';
import { OUT, findings, follow, openBrowser, openPage, overflow, plain, rows, text } from './window.js';

const PAGES = {
  compare: '/situation/compare?p1=CHN&p2=KOR&align=threshold&threshold=100&scale=log',
  totals: '/situation/totals?group=who:WPR',
  differences: '/situation/differences?days=180',
  country: '/situation/KOR?as_of=2020-05-31',
  signals: '/signals?show=all',
  scenario: '/scenario?place=KOR&step_r=1.3&runs=40',
};

let demo;
let browser;
let inside;

const node = (code) => demo.nodes.find((one) => one.code === code);

async function look(options, walk) {
  const page = await openPage(browser, options);
  try {
    await walk(page);
    assert.deepEqual(page.complaints, []);
  } finally {
    await page.context().close();
  }
}

async function open(page, address) {
  const answer = await page.goto(address);
  assert.equal(answer.status(), 200, address);
}

before(async () => {
  [demo, browser] = await Promise.all([start(), openBrowser()]);
  const page = await openPage(browser);
  await open(page, node('KOR').link);
  await follow(page, page.getByRole('button', { name: 'Enter' }));
  inside = await page.context().storageState();
  await page.context().close();
}, { timeout: 300_000 });

after(async () => {
  await browser?.close();
  await demo?.stop();
});

describe('every page, in three languages, at two widths, without scripts', () => {
  for (const [name, where] of Object.entries(PAGES)) {
    test(name, async () => {
      for (const [lang, width, colorScheme] of [['en', 1440, 'light'], ['zh', 390, 'dark'], ['ar', 390, 'light']]) {
        await look({ viewport: { width, height: 900 }, colorScheme, javaScriptEnabled: true }, async (page) => {
          const joint = where.includes('?') ? '&' : '?';
          await open(page, `${node('KOR').url}${where}${joint}lang=${lang}`);
          assert.equal(await page.locator('html').getAttribute('lang'), lang);
          assert.ok(await overflow(page) <= 0, `${name} ${lang}: nothing is wider than the window`);
          assert.deepEqual(await findings(page), [], `${name} ${lang}`);
          await page.screenshot({ path: path.join(OUT, `${name}-${lang}-${width}.png`), fullPage: true });
        });
      }
      const answer = await get(node('KOR'), where, undefined, { 'accept-encoding': 'gzip' });
      assert.ok(answer.body.length <= 60_000, `${name}: ${answer.body.length} bytes compressed`);
    });
  }
});

test('a comparison counts its days from the number that each place reached', async () => {
  await look({ javaScriptEnabled: false }, async (page) => {
    await open(page, `${node('KOR').url}/situation/compare`);
    await page.locator('select[name=p1]').selectOption('CHN');
    await page.locator('select[name=p2]').selectOption('KOR');
    await page.getByLabel('Days').selectOption('threshold');
    await page.getByLabel('Number to reach').fill('1000');
    await follow(page, page.locator('form.choose').getByRole('button', { name: 'Show' }));
    assert.match(page.url(), /p1=CHN&p2=KOR/);
    const places = await rows(page, '#places table');
    // 1,000 was passed on the day after 920 in China's figures, and on 26 February in the Republic of Korea's.
    assert.deepEqual(places.map((row) => row[4]), ['25 Jan 2020', '26 Feb 2020']);
  });
});

test('a total names who is missing and adds up what stands in its list', async () => {
  await look({}, async (page) => {
    await open(page, `${node('KOR').url}${PAGES.totals}`);
    assert.match(await text(page), /Missing in this sum: .*Tonga/);
    const csv = (await get(node('KOR'), `${PAGES.totals}&csv=members`)).body.toString('utf8').trim().split('\n');
    const values = csv.slice(1).map((line) => line.split(','));
    const sum = values.filter((row) => row[1] !== 'missing').reduce((total, row) => total + Number(row[2]), 0);
    assert.match(await text(page, '.figures'), new RegExp(sum.toLocaleString('en')));
    assert.ok(values.some((row) => row[0] === 'TON' && row[1] === 'missing' && row[2] === ''));
  });
});

test('the reproduction number stands with its interval, its input and its parameters', async () => {
  await look({ javaScriptEnabled: false }, async (page) => {
    await open(page, `${node('KOR').url}/situation/KOR?as_of=2020-03-05`);
    const part = plain(await page.locator('#spread').innerText());
    assert.match(part, /95% interval/);
    assert.match(part, /By date of report; infections happened about 10 days earlier/);
    assert.match(part, /Given this serial interval: mean 6\.5 days, standard deviation 4\.03 \(COVID-19; Flaxman/);
    assert.match(part, /Completeness unknown/);
    const input = (await get(node('KOR'), '/situation/KOR?as_of=2020-03-05&csv=input')).body.toString('utf8');
    assert.match(input, /^date,cases\n2020-01-23,0\n/);
    const si = (await get(node('KOR'), '/situation/KOR?csv=si')).body.toString('utf8').trim().split('\n');
    assert.equal(si[1], '0,0');
    const total = si.slice(1).reduce((sum, line) => sum + Number(line.split(',')[1]), 0);
    assert.ok(total >= 0.999 && total <= 1, 'all but the last thousandth');
    // Another window is another address, with other numbers.
    const windows = async (query) => (await get(node('KOR'), `/situation/KOR?as_of=2020-03-05${query}&csv=windows`)).body.toString('utf8');
    const seven = await windows('');
    assert.notEqual(seven, await windows('&window=14'));
    await page.getByLabel('Window, days').fill('14');
    await follow(page, page.getByRole('button', { name: 'Compute' }));
    assert.match(page.url(), /window=14/);
    assert.match(page.url(), /as_of=2020-03-05/);
  });
});

test('a parameter that changes is computed with at once, and the address keeps it', async () => {
  await look({}, async (page) => {
    await open(page, `${node('KOR').url}/situation/KOR?as_of=2020-03-05`);
    await page.evaluate(() => { window.stayed = true; });
    const status = page.locator('form[data-again] [role=status]');
    const before = await text(page, '#spread');
    await page.getByLabel('Window, days').fill('14');
    await page.waitForURL(/window=14/);
    await status.getByText('Computed with these parameters').waitFor();
    assert.notEqual(await text(page, '#spread'), before);
    assert.match(page.url(), /as_of=2020-03-05/);
    // Another disease brings its own delays into the fields.
    await page.getByLabel('Disease').selectOption('ebola');
    await page.waitForURL(/disease=ebola/);
    await page.waitForFunction(() => document.querySelector('form[data-again] [name=si_mean]').value === '15.3');
    assert.match(await text(page, '#spread'), /mean 15\.3 days, standard deviation 9\.30 \(Ebola virus disease; WHO Ebola/);
    const answered = await text(page, '#spread');
    // What cannot be is said beside the fields, and the last answer stays.
    await page.getByLabel('Window, days').fill('99');
    await page.locator('[role=status].fault').waitFor();
    assert.match(await text(page, '[role=status].fault'), /99/);
    assert.equal(await text(page, '#spread'), answered);
    assert.doesNotMatch(page.url(), /window=99/);
    assert.deepEqual(await findings(page), []);
    assert.ok(await page.evaluate(() => window.stayed), 'the page was not left');
    // The browser says aloud that an answer of the server was a refusal: that one was asked for.
    page.complaints = page.complaints.filter((one) => !/400 \(Bad Request\)/.test(one));
    // The address is the result: whoever opens it sees the same.
    const address = page.url();
    await open(page, address);
    assert.equal(await text(page, '#spread'), answered);
  });
});

test('a place with few cases says so and draws nothing', async () => {
  await look({}, async (page) => {
    await open(page, `${node('KOR').url}/situation/KOR?as_of=2020-01-30`);
    assert.match(await text(page, '#spread'), /too few cases/);
    assert.equal(await page.locator('#spread svg').count(), 0);
  });
});

test('a signal is dismissed with a reason that stays, inside alone', async () => {
  const where = '/signals?show=all&as_of=2020-02-22';
  await look({ storageState: inside, javaScriptEnabled: false }, async (page) => {
    await open(page, `${node('KOR').url}${where}`);
    const before = await rows(page, '#signals table');
    const row = before.findIndex((cells) => cells[0] === 'Republic of Korea');
    assert.ok(row >= 0, 'the rise of February is a signal');
    const act = page.locator('#signals tbody tr').nth(row);
    await act.locator('summary').click();
    await act.locator('input[name=reason]').fill('cluster in Daegu, being investigated');
    await follow(page, act.getByRole('button', { name: 'Dismiss' }));
    assert.match(await text(page, '#signals'), /dismissed cluster in Daegu, being investigated/);
  });
  const outside = (await get(node('KOR'), where)).body.toString('utf8');
  assert.ok(!outside.includes('Daegu'), 'a note of this authority for itself');
});

test('a scenario is released with its input, and gives the same bytes on another node', async () => {
  let name;
  await look({ storageState: inside, javaScriptEnabled: false }, async (page) => {
    await open(page, `${node('KOR').url}${PAGES.scenario}`);
    assert.match(await text(page), /Assumptions in words/);
    await follow(page, page.getByRole('button', { name: 'Release' }));
    name = new URL(page.url()).pathname.split('/').pop();
    assert.match(name, /^[0-9a-f]{64}$/);
    assert.match(await text(page), /the same bytes/);
  });
  const outcome = (await get(node('KOR'), `/scenario/${name}?csv=outcome`)).body.toString('utf8');
  const deadline = Date.now() + 60_000;
  let there;
  do {
    there = await get(node('JPN'), `/scenario/${name}?csv=outcome`);
    if (there.status !== 200) await new Promise((resolve) => setTimeout(resolve, 300));
  } while (there.status !== 200 && Date.now() < deadline);
  assert.equal(there.body.toString('utf8'), outcome, 'byte for byte');
  const { stdout } = await concord('--data', node('JPN').data, 'scenario', 'check', name, '--json');
  assert.equal(JSON.parse(stdout).same, true);
});

test('the incomplete end is known from later editions: shaded, completed, in words and as files', async () => {
  // Fiji states each day of June with 60 per cent of what is to come; editions of the next two days bring 90 and 100 per cent.
  const day = (number) => `2020-06-${String(number).padStart(2, '0')}`;
  for (let release = 1; release <= 24; release += 1) {
    const lines = [[0, 60], [1, 90], [2, 100]].filter(([age]) => age < release).map(([age, percent]) => {
      const total = 100 + 10 * (((release - age) * 7) % 11);
      return `${day(release - age)},FJI,${(total * percent) / 100}`;
    });
    const table = path.join(demo.folder, `fiji-${release}.csv`);
    await writeFile(table, ['#date,#country+code+v_iso3,#affected+infected+confirmed+new', ...lines, ''].join('\n'));
    await concord('--data', node('WPRO').data, 'import', 'figures', table, '--released', `${day(release)}T20:00:00Z`, '--reason', 'late reports');
  }
  const where = '/situation/FJI?indicator=cases-confirmed-new';
  const days = (await get(node('WPRO'), `${where}&csv=nowcast-days`)).body.toString('utf8').trim().split('\n');
  const [date, reported, share, expected, low, high] = days[1].split(',');
  // 24 June comes to 130: 24 × 7 leaves 3 by 11.
  assert.deepEqual([date, reported], [day(24), '78']);
  assert.ok(Math.abs(Number(share) - 0.6) < 0.01 && Math.abs(Number(expected) - 130) < 5, days[1]);
  assert.ok(Number(low) < Number(expected) && Number(expected) < Number(high), days[1]);
  const reports = (await get(node('WPRO'), `${where}&csv=reports`)).body.toString('utf8');
  assert.match(reports, /^date,report_date,cases\n2020-06-01,2020-06-01,/);
  for (const [lang, width, colorScheme] of [['en', 1440, 'light'], ['zh', 390, 'dark'], ['ar', 390, 'light'], ['ar', 1440, 'dark']]) {
    await look({ viewport: { width, height: 900 }, colorScheme }, async (page) => {
      await open(page, `${node('WPRO').url}${where}&lang=${lang}`);
      for (const part of ['#spread', '#still-to-come']) assert.equal(await page.locator(`${part} svg .shaded`).count(), 1, part);
      assert.ok(await overflow(page) <= 0, `${lang}: nothing is wider than the window`);
      assert.deepEqual(await findings(page), [], lang);
      if (lang === 'en') assert.match(await text(page, '#still-to-come'), /Of 24 June 2020, 78 are reported by now and 13\d are expected in all/);
      await page.screenshot({ path: path.join(OUT, `editions-${lang}-${width}.png`), fullPage: true });
    });
  }
  // As of the fifth of June nobody could know.
  await look({}, async (page) => {
    await open(page, `${node('WPRO').url}${where}&as_of=${day(5)}`);
    assert.match(await text(page, '#spread'), /Completeness unknown/);
    assert.equal(await page.locator('#still-to-come').count(), 0);
  });
});

// The guided example of docs/example-ebola-1976.md.
test('in the middle of an outbreak naive fatality is half of what the adjusted one says', async () => {
  const table = path.resolve(import.meta.dirname, '../../demo/figures/ebola-1976.csv');
  await concord('--data', node('WPRO').data, 'import', 'figures', table, '--replay');
  const fatality = async (day) => {
    const where = `/situation/COD?indicator=cases-probable-new&disease=ebola&as_of=${day}&csv=fatality`;
    const { body } = await get(node('WPRO'), where);
    const [, naive, adjusted] = body.toString('utf8').trim().split('\n').map((line) => line.split(','));
    return { naive, adjusted };
  };
  const middle = await fatality('1976-09-23');
  assert.deepEqual([middle.naive[0], middle.naive[4], middle.naive[5]], ['naive', '64', '135']);
  assert.equal(Math.round(100 * Number(middle.naive[1])), 47);
  assert.equal(Math.round(100 * Number(middle.adjusted[1])), 94);
  const tenLater = await fatality('1976-10-03');
  assert.equal(tenLater.adjusted[1], '', 'more have died than outcomes are expected: no number');
  const end = await fatality('1976-11-05');
  assert.equal(Number(end.naive[1]).toFixed(3), '0.955');
  await look({ javaScriptEnabled: false }, async (page) => {
    const address = '/situation/COD?indicator=cases-probable-new&disease=ebola&as_of=1976-09-23';
    await open(page, `${node('WPRO').url}${address}`);
    const cells = await rows(page, '#fatality table');
    assert.deepEqual(cells.map((row) => row[1]), ['47.4%', '93.9%']);
    assert.match(await text(page, '#fatality-part'), /Ebola Outbreak Epidemiology Team 2018/);
    await page.screenshot({ path: path.join(OUT, 'ebola-1976.png'), fullPage: true });
  });
});
