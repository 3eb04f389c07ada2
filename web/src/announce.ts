// What a screen reader is told while the meeting runs: briefly, politely, and never the same thing twice in a row.

import { h } from './element.ts';
import type { Words } from './words.ts';

/** What comes within this time is said in one sentence. */
const TOGETHER = 1200;
/** Who speaks shorter than this is not announced. */
const STEADY = 1500;

/** The live region. */
export class Announcer {
  readonly element = h('div', { class: 'hidden', role: 'log', 'aria-live': 'polite', 'aria-relevant': 'additions' });
  /** Whether it is told who speaks. */
  speakers = true;
  readonly #words: Words;
  #joined: string[] = [];
  #left: string[] = [];
  #moves: ReturnType<typeof setTimeout> | undefined;
  #speaker: ReturnType<typeof setTimeout> | undefined;
  #said: string | undefined;

  constructor(words: Words) {
    this.#words = words;
  }

  /** Says a sentence. */
  say(sentence: string): void {
    this.element.append(h('p', {}, sentence));
    while (this.element.childElementCount > 20) this.element.firstElementChild?.remove();
  }

  joined(name: string): void {
    this.#joined.push(name);
    this.#gather();
  }

  left(name: string): void {
    this.#left.push(name);
    this.#gather();
  }

  #gather(): void {
    this.#moves ??= setTimeout(() => {
      this.#moves = undefined;
      const { [0]: came, length: coming } = this.#joined;
      const { [0]: went, length: going } = this.#left;
      if (coming === 1 && came !== undefined) this.say(this.#words.say('room-joined', { name: came }));
      else if (coming > 1) this.say(this.#words.say('room-joined-many', { count: coming }));
      if (going === 1 && went !== undefined) this.say(this.#words.say('room-left', { name: went }));
      else if (going > 1) this.say(this.#words.say('room-left-many', { count: going }));
      this.#joined = [];
      this.#left = [];
    }, TOGETHER);
  }

  /** Somebody speaks, or nobody. */
  speaks(name: string | undefined): void {
    clearTimeout(this.#speaker);
    if (name === undefined || name === this.#said || !this.speakers) return;
    this.#speaker = setTimeout(() => {
      this.#said = name;
      this.say(this.#words.say('room-is-speaking', { name }));
    }, STEADY);
  }

  stop(): void {
    clearTimeout(this.#moves);
    clearTimeout(this.#speaker);
  }
}
