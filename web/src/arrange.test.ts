import assert from 'node:assert/strict';
import { test } from 'node:test';
import { grid, large, page, type Area, type Box } from './arrange.ts';

const WINDOWS: Record<string, Area> = {
  telephone: { width: 374, height: 640 }, small: { width: 1000, height: 560 }, desk: { width: 1400, height: 700 },
};

function overlap(a: Box, b: Box): boolean {
  return a.start < b.start + b.width && b.start < a.start + a.width && a.top < b.top + b.height && b.top < a.top + a.height;
}

function check(area: Area, boxes: Box[], name: string): void {
  boxes.forEach((box, place) => {
    assert.ok(box.start >= 0 && box.top >= 0, `${name}: ${JSON.stringify(box)} begins inside`);
    assert.ok(box.start + box.width <= area.width + 1 && box.top + box.height <= area.height + 1, `${name}: ${JSON.stringify(box)} ends inside`);
    assert.ok(box.width >= 100 && box.height >= 60, `${name}: ${JSON.stringify(box)} can be read`);
    for (const other of boxes.slice(place + 1)) assert.ok(!overlap(box, other), `${name}: ${JSON.stringify([box, other])} overlap`);
  });
}

test('tiles stay inside, apart and readable, at every size and number', () => {
  for (const [window, area] of Object.entries(WINDOWS)) {
    for (let count = 1; count <= 40; count += 1) {
      const alike = grid(area, count);
      check(area, alike.boxes, `${window}, ${count} alike`);
      assert.equal(alike.boxes.length, Math.min(count, alike.capacity));
      const one = large(area, count - 1);
      check(area, one.boxes, `${window}, ${count} with one large`);
      assert.equal(one.boxes.length, 1 + Math.min(count - 1, one.capacity));
    }
  }
});

test('two stand side by side on a desk and one above the other on a telephone', () => {
  const desk = grid(WINDOWS['desk'] as Area, 2).boxes;
  assert.equal(desk[0]?.top, desk[1]?.top);
  const telephone = grid(WINDOWS['telephone'] as Area, 2).boxes;
  assert.equal(telephone[0]?.start, telephone[1]?.start);
});

test('thirty fit on one page of a desk, and are paged on a telephone', () => {
  assert.equal(grid(WINDOWS['desk'] as Area, 30).capacity, 30);
  const { capacity } = grid(WINDOWS['telephone'] as Area, 30);
  assert.ok(capacity >= 6 && capacity < 30, String(capacity));
});

test('the large one is larger than all others together', () => {
  const [first, ...others] = large(WINDOWS['desk'] as Area, 5).boxes;
  const size = (box: Box) => box.width * box.height;
  assert.ok(first && size(first) > others.reduce((sum, box) => sum + size(box), 0));
});

test('a page that is not there any more becomes the last one', () => {
  const tiles = ['a', 'b', 'c', 'd', 'e'];
  assert.deepEqual(page(tiles, 2, 2), { tiles: ['e'], page: 2, pages: 3 });
  assert.deepEqual(page(tiles, 3, 2), { tiles: ['d', 'e'], page: 1, pages: 2 });
  assert.deepEqual(page([], 3, -1), { tiles: [], page: 0, pages: 1 });
});
