// Lines above the stage: what the reader must know or allow now. They go when they no longer hold.

import { h, icon, show, write } from './element.ts';
import type { Plain, Words } from './words.ts';

/** How long a line stays that names something that has happened. */
const STAYS = 12_000;

/** The lines. */
export class Notices {
  readonly element: HTMLElement;
  readonly #words: Words;
  readonly #held: HTMLElement;
  readonly #hidden: HTMLElement;
  readonly #shares: HTMLElement;
  readonly #connection = h('p', { class: 'notice wait', hidden: true });
  readonly #passing = h('div');
  #gone: ReturnType<typeof setTimeout> | undefined;
  #broken = false;

  constructor(words: Words, startSound: () => void, showPictures: () => void) {
    this.#words = words;
    const acting = (text: Plain, act: Plain, does: () => void) => h('p', { class: 'notice', hidden: true },
      words.say(text), ' ', h('button', { type: 'button', onclick: does }, words.say(act)));
    this.#held = acting('room-sound-held', 'room-sound-start', startSound);
    this.#hidden = acting('room-share-hidden', 'room-show-pictures', showPictures);
    this.#shares = h('p', { class: 'notice', hidden: true }, words.say('room-you-share'));
    this.element = h('div', { class: 'notices', role: 'status' },
      this.#connection, this.#held, this.#hidden, this.#shares, this.#passing);
  }

  draw(now: { held: boolean; shares: boolean; hidden: boolean }): void {
    show(this.#held, now.held);
    show(this.#hidden, now.hidden);
    show(this.#shares, now.shares);
  }

  /** The connection broke, or stands again. */
  reconnecting(broken: boolean): void {
    clearTimeout(this.#gone);
    if (!broken && !this.#broken) return;
    this.#broken = broken;
    write(this.#connection, this.#words.say(broken ? 'room-reconnecting' : 'room-reconnected'));
    show(this.#connection, true);
    if (!broken) this.#gone = setTimeout(() => show(this.#connection, false), 3000);
  }

  /** Says that something happened. */
  say(key: Plain): void {
    this.#pass(this.#words.say(key));
  }

  /** A device failed; `reason` is what the browser says of it. */
  failed(reason: string): void {
    this.#pass(this.#words.say('room-device-failed', { reason }));
  }

  #pass(text: string): void {
    const line = h('p', { class: 'notice wait' }, text, ' ',
      h('button', { type: 'button', class: 'bare', title: this.#words.say('room-close'), onclick: () => line.remove() },
        icon('close'), h('span', { class: 'hidden' }, this.#words.say('room-close'))));
    this.#passing.replaceChildren(line);
    setTimeout(() => line.remove(), STAYS);
  }
}
