// Before entering: who one is, how one looks and sounds. Nothing is sent to anybody from here.

import { Choices } from './choices.ts';
import { h, icon, set, show, write } from './element.ts';
import type { Input, Media } from './media.ts';
import type { Page } from './page.ts';
import type { Plain } from './words.ts';

/** The check of devices, with the button that enters. */
export class Lobby {
  readonly element: HTMLElement;
  readonly #page: Page;
  readonly #media: Media;
  readonly #choices: Choices;
  readonly #video = h('video', { muted: true, playsinline: true, autoplay: true, class: 'mirrored' });
  readonly #blank: HTMLElement;
  readonly #ask: HTMLElement;
  readonly #fault = h('div', { class: 'notice wait', role: 'status' });
  readonly #enter: HTMLButtonElement;
  readonly #label = h('span');
  readonly #switches: Record<Input, HTMLButtonElement>;
  readonly #only: HTMLInputElement;
  // Who plugs a camera in does it to be seen. Who said no is not asked again.
  readonly #plugged = () => {
    const { fault, asked } = this.#media;
    if (asked && fault.camera !== 'denied' && fault.microphone !== 'denied') void this.#media.open();
  };

  /** `enter` is called once, when the reader pressed the button. */
  constructor(page: Page, media: Media, enter: () => void) {
    const { words, data } = page;
    this.#page = page;
    this.#media = media;
    this.#choices = new Choices(words, media);
    this.#video.muted = true;
    this.#blank = h('p', { class: 'blank' }, h('span', { class: 'code' }, data.own.code), h('span', {}, words.say('room-preview-off')));
    this.#ask = h('div', { class: 'ask' },
      h('button', { type: 'button', class: 'primary', onclick: () => { void media.open(); } }, words.say('room-use-devices')),
      h('p', { class: 'soft' }, words.say('room-will-ask')));
    this.#enter = h('button', { type: 'button', class: 'primary large', onclick: () => { this.#entering(); enter(); } }, this.#label);
    this.#switches = { microphone: this.#switch('microphone'), camera: this.#switch('camera') };
    this.#only = h('input', {
      type: 'checkbox', id: 'sound-only', 'aria-describedby': 'sound-only-hint',
      onchange: () => { void media.onlySound(this.#only.checked); },
    });
    this.element = h('div', { class: 'lobby' },
      h('section', { class: 'mirror', 'aria-label': words.say('room-preview') },
        h('div', { class: 'tile' }, this.#video, this.#blank, this.#ask),
        h('div', { class: 'switches' }, this.#switches.microphone, this.#switches.camera)),
      h('section', { class: 'panel' },
        h('div', {}, h('h2', {}, words.say('room-check')),
          h('p', { class: 'who' }, `${words.say('room-enter-as')} `, h('b', {}, h('bdi', {}, data.own.name)),
            data.own.duty !== '' && h('span', { class: 'soft' }, ' · ', h('bdi', {}, data.own.duty)))),
        this.#fault,
        this.#choices.element,
        h('p', { class: 'check' }, this.#only, h('label', { for: 'sound-only' }, words.say('room-sound-only')),
          h('span', { class: 'soft small', id: 'sound-only-hint' }, words.say('room-sound-only-hint'))),
        h('p', { class: 'actions' }, this.#enter, h('a', { href: data.back }, words.say('room-back')))));
    media.changed = () => this.#draw();
    navigator.mediaDevices.addEventListener('devicechange', this.#plugged);
    this.#draw();
    void this.#begin();
  }

  async #begin(): Promise<void> {
    if (!this.#media.asked && !await this.#media.wouldAsk()) await this.#media.open();
  }

  #switch(input: Input): HTMLButtonElement {
    const words = this.#page.words;
    return h('button', {
      type: 'button', role: 'switch', class: 'switch',
      onclick: () => { void this.#media.want(input, !this.#media.wanted[input]); },
    }, icon(input), h('span', {}, words.say(`room-${input}`)), h('span', { class: 'state', 'aria-hidden': 'true' }));
  }

  #draw(): void {
    const { words } = this.#page;
    const media = this.#media;
    if (media.camera) media.camera.attach(this.#video);
    else this.#video.srcObject = null;
    show(this.#video, media.camera !== undefined);
    show(this.#ask, !media.asked);
    show(this.#blank, media.camera === undefined && media.asked);
    for (const input of ['camera', 'microphone'] as const) {
      const button = this.#switches[input];
      const on = media.asked ? media[input] !== undefined : media.wants(input);
      set(button, 'aria-checked', on ? 'true' : 'false');
      set(button, 'disabled', input === 'camera' && media.soundOnly);
      button.replaceChild(icon(on ? input : `${input}-off`), button.firstChild as Node);
      write(button.lastElementChild as Element, words.say(on ? 'room-on' : 'room-off'));
    }
    this.#only.checked = media.soundOnly;
    this.#choices.listen(media.microphone?.mediaStreamTrack);
    void this.#choices.fill();
    const faults = this.#faults();
    show(this.#fault, faults.length > 0);
    const text = faults.map((key) => words.say(key));
    if (this.#fault.textContent !== text.join('')) this.#fault.replaceChildren(...text.map((one) => h('p', {}, one)));
    if (this.#enter.getAttribute('aria-disabled') !== 'true') {
      write(this.#label, words.say(media.camera || media.microphone ? 'room-enter' : 'room-listen-only'));
    }
  }

  /** What stands in the way of camera and microphone, in words. */
  #faults(): Plain[] {
    const { camera, microphone } = this.#media.fault;
    if (camera === 'denied' && microphone === 'denied') return ['room-denied-both'];
    if (camera === 'none' && microphone === 'none') return ['room-none-both'];
    const found: Plain[] = [];
    if (camera) found.push(`room-${camera}-camera`);
    if (microphone) found.push(`room-${microphone}-microphone`);
    return found;
  }

  /** Puts the focus on the button that enters. */
  focus(): void {
    this.#enter.focus();
  }

  #entering(): void {
    set(this.#enter, 'aria-disabled', 'true');
    write(this.#label, this.#page.words.say('room-entering'));
  }

  /** Ends; the tracks stay open for who took them. */
  stop(): void {
    navigator.mediaDevices.removeEventListener('devicechange', this.#plugged);
    this.#choices.stop();
    this.#media.changed = () => {};
    this.#video.srcObject = null;
    this.element.remove();
  }
}
