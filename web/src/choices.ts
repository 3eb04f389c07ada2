// The fields by which devices are chosen: the same before a meeting and in it.

import { h, icon, set, show, write } from './element.ts';
import { Level, testSound } from './level.ts';
import { devices, type Device, type Media } from './media.ts';
import type { Words } from './words.ts';

/** How long a microphone may be silent before a reader is asked whether it is the right one, in tenths of a second. */
const SILENT = 60;
const AUDIBLE = 0.25;

/** Fields for camera, microphone and loudspeaker, with a meter and a test sound. */
export class Choices {
  readonly element: HTMLElement;
  /** A reader chose another device. */
  choose: (device: Device, id: string) => void;
  readonly #words: Words;
  readonly #media: Media;
  readonly #selects: Record<Device, HTMLSelectElement>;
  readonly #meter: HTMLElement;
  readonly #heard: HTMLElement;
  readonly #level = new Level();
  readonly #onChange = () => { void this.fill(); };
  #track: MediaStreamTrack | undefined;
  #silentFor = 0;

  constructor(words: Words, media: Media) {
    this.#words = words;
    this.#media = media;
    this.choose = (device, id) => { void media.choose(device, id); };
    this.#selects = { camera: this.#select('camera'), microphone: this.#select('microphone'), speaker: this.#select('speaker') };
    this.#meter = h('div', {
      class: 'meter', role: 'meter', 'aria-label': words.say('room-level'),
      'aria-valuemin': 0, 'aria-valuemax': 100, 'aria-valuenow': 0, hidden: true,
    });
    this.#heard = h('p', { class: 'soft small heard' });
    const test = h('button', { type: 'button', onclick: () => { void this.#test(test); } },
      icon('sound'), h('span', {}, words.say('room-test-sound')));
    this.element = h('div', { class: 'choices' },
      this.#field('camera', words.say('room-camera')),
      this.#field('microphone', words.say('room-microphone'), this.#meter, this.#heard),
      this.#field('speaker', words.say('room-speaker'), h('p', {}, test)));
    navigator.mediaDevices.addEventListener('devicechange', this.#onChange);
    void this.fill();
  }

  #select(device: Device): HTMLSelectElement {
    return h('select', {
      id: `room-${device}`, onchange: (event) => this.choose(device, (event.target as HTMLSelectElement).value),
    });
  }

  #field(device: Device, label: string, ...more: Node[]): HTMLElement {
    return h('div', { class: 'field' }, h('label', { for: `room-${device}` }, label), this.#selects[device], ...more);
  }

  /** Lists the devices that are there. */
  async fill(): Promise<void> {
    const found = await devices();
    for (const device of ['camera', 'microphone', 'speaker'] as const) {
      const select = this.#selects[device];
      const named = found[device].filter((one) => one.deviceId !== 'default' && one.deviceId !== 'communications');
      const options = named.map((one, place) => h('option', { value: one.deviceId },
        one.label || this.#words.say('room-unnamed-device', { number: place + 1 })));
      select.replaceChildren(h('option', { value: '' }, this.#words.say('room-default-device')), ...options);
      const chosen = this.#media.chosen[device] ?? '';
      select.value = named.some((one) => one.deviceId === chosen) ? chosen : '';
      set(select, 'disabled', named.length === 0);
    }
  }

  /** Shows the level of a track, or of none. */
  listen(track: MediaStreamTrack | undefined): void {
    if (track === this.#track) return;
    this.#track = track;
    this.#silentFor = 0;
    this.#show(0);
    write(this.#heard, '');
    show(this.#meter, track !== undefined);
    if (track) this.#level.listen(track, (level) => this.#measured(level));
    else this.#level.silence();
  }

  #measured(level: number): void {
    this.#show(level);
    this.#silentFor = level > AUDIBLE ? 0 : this.#silentFor + 1;
    if (level > AUDIBLE) write(this.#heard, this.#words.say('room-heard'));
    else if (this.#silentFor > SILENT) write(this.#heard, this.#words.say('room-silent'));
  }

  #show(level: number): void {
    this.#meter.style.setProperty('--level', level.toFixed(2));
    set(this.#meter, 'aria-valuenow', Math.round(level * 100));
  }

  async #test(button: HTMLButtonElement): Promise<void> {
    const label = button.lastElementChild;
    if (label === null || button.getAttribute('aria-disabled') === 'true') return;
    set(button, 'aria-disabled', 'true');
    write(label, this.#words.say('room-test-playing'));
    try {
      await testSound(this.#media.chosen.speaker);
    } catch {
      // A loudspeaker that is gone: the list shows it at the next change.
      await this.fill();
    } finally {
      set(button, 'aria-disabled', undefined);
      write(label, this.#words.say('room-test-sound'));
    }
  }

  /** Ends. */
  stop(): void {
    navigator.mediaDevices.removeEventListener('devicechange', this.#onChange);
    this.#level.stop();
  }
}
