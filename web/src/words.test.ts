import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { shown } from './level.ts';
import { Words } from './words.ts';

const LOCALES = path.join(process.cwd(), '../crates/node/locales');
const plain = (text: string) => text.replace(/[\u2066-\u2069]/g, '');
const words = (lang: string) => new Words(lang, readFileSync(path.join(LOCALES, lang, 'room.ftl'), 'utf8'));

test('the script reads the six languages that the node has', () => {
  assert.deepEqual(readdirSync(LOCALES).sort(), ['ar', 'en', 'es', 'fr', 'ru', 'zh']);
  for (const lang of readdirSync(LOCALES)) assert.ok(words(lang).say('room-enter').length > 1, lang);
});

test('plurals are each language’s own, and digits are Latin', () => {
  const count = (lang: string, n: number) => plain(words(lang).say('room-people-count', { count: n }));
  assert.equal(count('en', 1), '1 person in the room');
  assert.equal(count('ru', 1), '1 человек в зале');
  assert.equal(count('ru', 3), '3 человека в зале');
  assert.equal(count('ru', 11), '11 человек в зале');
  assert.equal(count('ar', 2), 'شخصان في الغرفة');
  assert.equal(count('ar', 30), '30 شخصًا في الغرفة');
});

test('a name keeps its own direction in a sentence', () => {
  assert.equal(words('ar').say('room-joined', { name: 'WHO' }), 'دخل \u2068WHO\u2069');
});

test('a meter is empty in silence and full well before the loudest', () => {
  assert.equal(shown(0), 0);
  assert.equal(shown(0.0005), 0);
  assert.equal(shown(0.7), 1);
  assert.ok(shown(0.05) > shown(0.01) && shown(0.05) < 1);
});
