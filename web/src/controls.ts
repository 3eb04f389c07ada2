// The row of buttons below the stage.

import { draw, h, icon, set, write, type Icon } from './element.ts';
import type { Input } from './media.ts';
import type { Layout } from './stage.ts';
import type { Words } from './words.ts';

/** What the buttons do. */
export interface Acts {
  send(input: Input): void;
  share(): void;
  layout(): void;
  people(): void;
  settings(): void;
  leave(): void;
}

/** What the buttons say. */
export interface State {
  camera: boolean;
  microphone: boolean;
  shares: boolean;
  soundOnly: boolean;
  layout: Layout;
  people: boolean;
  count: number;
}

/** The buttons. */
export class Controls {
  readonly element: HTMLElement;
  readonly #words: Words;
  readonly #inputs: Record<Input, HTMLButtonElement>;
  readonly #share: HTMLButtonElement;
  readonly #layout: HTMLButtonElement;
  readonly #people: HTMLButtonElement;
  readonly #count = h('span', { class: 'num', 'aria-hidden': 'true' });

  constructor(words: Words, acts: Acts) {
    this.#words = words;
    const input = (of: Input) => h('button', { type: 'button', role: 'switch', class: 'switch', onclick: () => acts.send(of) },
      icon(of), h('span', {}, words.say(`room-${of}`)), h('span', { class: 'state', 'aria-hidden': 'true' }));
    const button = (kind: string, name: Icon, text: string, act: () => void) => h('button', { type: 'button', class: kind, onclick: act },
      icon(name), h('span', {}, text));
    this.#inputs = { microphone: input('microphone'), camera: input('camera') };
    this.#share = button('share', 'screen', words.say('room-share'), acts.share);
    this.#layout = button('layout', 'grid', '', acts.layout);
    this.#people = button('toggle', 'people', words.say('room-people'), acts.people);
    this.#people.append(this.#count);
    set(this.#people, 'aria-controls', 'people');
    this.element = h('section', { class: 'controls', role: 'toolbar', 'aria-label': words.say('room-controls') },
      this.#inputs.microphone, this.#inputs.camera, this.#share,
      h('span', { class: 'push' }),
      this.#layout, this.#people, button('devices', 'devices', words.say('room-settings'), acts.settings),
      button('leave', 'leave', words.say('room-leave'), acts.leave));
    // A browser that cannot share a screen, such as that of a telephone, is not asked to.
    if (!('getDisplayMedia' in navigator.mediaDevices)) this.#share.remove();
  }

  draw(state: State): void {
    const words = this.#words;
    for (const input of ['camera', 'microphone'] as const) {
      const button = this.#inputs[input];
      set(button, 'aria-checked', state[input] ? 'true' : 'false');
      set(button, 'disabled', input === 'camera' && state.soundOnly);
      draw(button.firstElementChild as SVGSVGElement, state[input] ? input : `${input}-off`);
      write(button.lastElementChild as Element, words.say(state[input] ? 'room-on' : 'room-off'));
    }
    set(this.#share, 'data-on', state.shares);
    write(this.#share.lastElementChild as Element, words.say(state.shares ? 'room-share-stop' : 'room-share'));
    const other: Layout = state.layout === 'grid' ? 'large' : 'grid';
    draw(this.#layout.firstElementChild as SVGSVGElement, other);
    write(this.#layout.lastElementChild as Element, words.say(other === 'large' ? 'room-layout-speaker' : 'room-layout-grid'));
    set(this.#people, 'aria-expanded', state.people ? 'true' : 'false');
    write(this.#count, String(state.count));
  }

  /** Puts the focus on the first button. */
  focus(): void {
    this.#inputs.microphone.focus();
  }

  /** Puts the focus back where the list was opened. */
  focusPeople(): void {
    this.#people.focus();
  }
}
