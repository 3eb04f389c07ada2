// Opens pages in Debian's Chromium, and notices whatever the browser complains of.

import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import axe from 'axe-core';
import { chromium } from 'playwright-core';

/** Where screenshots go. */
export const OUT = path.join(import.meta.dirname, 'out');

/** Starts the browser, with further arguments of its own. */
export async function openBrowser(more = []) {
  await mkdir(OUT, { recursive: true });
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync', ...more,
    ],
  });
}

/**
 * A page in a context of its own. `page.complaints` collects console errors and warnings, uncaught errors,
 * what the content security policy stopped, and requests that failed.
 */
export async function openPage(browser, options = {}) {
  const context = await browser.newContext({
    viewport: { width: 1440, height: 1000 }, locale: 'en', acceptDownloads: true, ...options,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  page.complaints = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) {
      page.complaints.push(`${message.type()}: ${message.text()} (${message.location().url})`);
    }
  });
  page.on('pageerror', (error) => page.complaints.push(`uncaught: ${error.message}`));
  page.on('requestfailed', (request) => {
    // A download ends its navigation: that is no failure of a request.
    if (request.failure()?.errorText !== 'net::ERR_ABORTED') {
      page.complaints.push(`failed: ${request.url()} ${request.failure()?.errorText}`);
    }
  });
  return page;
}

/** Clicks what leads to another page, and waits until it is there. */
export async function follow(page, locator) {
  await Promise.all([page.waitForEvent('load'), locator.click()]);
}

/** What a reader sees of an element, without the marks that isolate directions. */
export async function text(page, selector = 'main') {
  return plain(await page.locator(selector).first().innerText());
}

/** Text without the marks that isolate directions, with single spaces. */
export function plain(words) {
  return words.replace(/[\u2066-\u2069]/g, '').replace(/\s+/g, ' ').trim();
}

/** The cells of every body row of a table, by the id of the element that holds it or a selector. */
export async function rows(page, selector) {
  return page.locator(selector).evaluate((table) => [...table.tBodies[0].rows].map(
    (row) => [...row.cells].map((cell) => cell.innerText.replace(/[\u2066-\u2069]/g, '').replace(/\s+/g, ' ').trim()),
  ));
}

/** Serious and critical findings of axe on the page, one line each; of all rules, or of those named. */
export async function findings(page, rules) {
  if (!await page.evaluate(() => Boolean(window.axe))) await page.evaluate(axe.source);
  const found = await page.evaluate(async (values) => {
    const only = values ? { runOnly: { type: 'rule', values } } : {};
    const result = await window.axe.run(document, { resultTypes: ['violations'], ...only });
    return result.violations;
  }, rules);
  return found
    .filter((one) => ['serious', 'critical'].includes(one.impact))
    .flatMap((one) => one.nodes.slice(0, 3).map((node) => {
      const why = (node.failureSummary ?? '').split('\n').slice(1, 2).join(' ').trim();
      return `${one.id} (${one.impact}): ${node.target.join(' ')}: ${why}`;
    }));
}

/** By how many CSS pixels the page is wider than the window. */
export async function overflow(page) {
  return page.evaluate(() => {
    const root = document.documentElement;
    return Math.max(root.scrollWidth, document.body.scrollWidth) - root.clientWidth;
  });
}
