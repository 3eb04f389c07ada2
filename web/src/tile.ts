// One tile of the stage: somebody's picture, or a shared screen, with who it is and what is off.

import { ConnectionQuality, Track, type Participant, type VideoTrack } from 'livekit-client';
import type { Box } from './arrange.ts';
import { draw, h, icon, set, show, write } from './element.ts';
import type { Person } from './page.ts';
import type { Plain, Words } from './words.ts';

/** What a tile shows. */
export interface Shown {
  participant: Participant;
  source: Track.Source.Camera | Track.Source.ScreenShare;
  person: Person;
  /** It was encrypted with a key that is not here. */
  sealed: boolean;
}

/** A tile's name: stable while its participant is in the room. */
export function nameOf(shown: { participant: Participant; source: string }): string {
  return `${shown.source} ${shown.participant.identity}`;
}

/** The words for a quality of connection, and how many of three bars it has; undefined while nothing is known. */
export function quality(of: ConnectionQuality): { key: Plain; bars: number } | undefined {
  switch (of) {
    case ConnectionQuality.Excellent: return { key: 'room-quality-excellent', bars: 3 };
    case ConnectionQuality.Good: return { key: 'room-quality-good', bars: 2 };
    case ConnectionQuality.Poor: return { key: 'room-quality-poor', bars: 1 };
    case ConnectionQuality.Lost: return { key: 'room-quality-lost', bars: 0 };
    default: return undefined;
  }
}

/** Three bars beside words that say the same. */
export class Bars {
  readonly element = h('span', { class: 'quality' }, h('i'), h('i'), h('i'), h('span', { class: 'hidden' }));
  readonly #words: Words;

  constructor(words: Words) {
    this.#words = words;
  }

  draw(of: ConnectionQuality): void {
    const known = quality(of);
    show(this.element, known !== undefined);
    if (!known) return;
    set(this.element, 'data-bars', known.bars);
    set(this.element, 'title', this.#words.say(known.key));
    write(this.element.lastElementChild as Element, this.#words.say(known.key));
  }
}

/** A tile. It stays the same element while its participant is in the room, so that pictures do not flicker and focus is kept. */
export class Tile {
  readonly element: HTMLLIElement;
  readonly #words: Words;
  readonly #video = h('video', { playsinline: true, autoplay: true, 'aria-hidden': 'true', tabindex: -1 });
  readonly #blank = h('span', { class: 'code', 'aria-hidden': 'true' });
  readonly #veil = h('p', { class: 'veil' });
  readonly #code = h('span', { class: 'short', 'aria-hidden': 'true' });
  readonly #name = h('b');
  readonly #duty = h('bdi', { class: 'duty' });
  readonly #whose = h('span', { class: 'whose' }, this.#code, h('bdi', { class: 'full' }, this.#name), this.#duty);
  readonly #speaking: HTMLElement;
  readonly #muted: HTMLElement;
  readonly #lock: HTMLElement;
  readonly #bars: Bars;
  readonly #pin: HTMLButtonElement;
  #track: VideoTrack | undefined;
  #paused = false;

  constructor(words: Words, pin: () => void) {
    this.#words = words;
    this.#video.muted = true;
    // The first picture is there.
    this.#video.addEventListener('loadeddata', () => show(this.#veil, this.#paused));
    this.#bars = new Bars(words);
    const mark = (name: 'speaking' | 'microphone-off' | 'lock', key: Plain, kind: string) => h('span', { class: `mark ${kind}`, title: words.say(key) },
      icon(name), h('span', { class: 'hidden' }, words.say(key)));
    this.#speaking = mark('speaking', 'room-speaking', 'voice');
    this.#muted = mark('microphone-off', 'room-microphone-off', 'off');
    this.#lock = mark('lock', 'room-encrypted', 'sure');
    this.#pin = h('button', { type: 'button', class: 'pin', onclick: pin }, icon('pin'), h('span', { class: 'hidden' }));
    this.element = h('li', { class: 'tile' }, this.#blank, this.#video, this.#veil,
      h('div', { class: 'plate' },
        this.#whose, this.#speaking, this.#muted, this.#lock, this.#bars.element),
      this.#pin);
  }

  /** Puts it where it belongs. */
  place(box: Box): void {
    const { style } = this.element;
    style.insetInlineStart = `${box.start}px`;
    style.insetBlockStart = `${box.top}px`;
    style.inlineSize = `${box.width}px`;
    style.blockSize = `${box.height}px`;
    set(this.element, 'data-small', box.width < 260);
  }

  /** Shows what is so now. */
  draw(shown: Shown, pinned: boolean, soundOnly: boolean): void {
    const { participant, person, source, sealed } = shown;
    const screen = source === Track.Source.ScreenShare;
    const publication = participant.getTrackPublication(source);
    const sends = publication !== undefined && !publication.isMuted && (participant.isLocal || !soundOnly);
    this.#attach(sends && publication.videoTrack ? publication.videoTrack : undefined);
    this.#paused = sends && publication.videoTrack?.streamState === Track.StreamState.Paused;
    show(this.#video, this.#track !== undefined);
    const blank = this.#track === undefined || this.#video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA;
    show(this.#veil, sends && (this.#paused || blank));
    write(this.#veil, this.#words.say(sealed ? 'room-sealed' : this.#paused ? 'room-paused' : 'room-picture-coming'));
    set(this.element, 'data-paused', this.#paused);
    set(this.element, 'data-sealed', sends && sealed);
    write(this.#blank, person.code);
    const { name } = person;
    // Where a tile is too small for names of ministries, which begin alike, it has their code.
    write(this.#code, participant.isLocal && !screen ? this.#words.say('room-you') : person.code);
    write(this.#name, screen ? this.#words.say('room-shares', { name }) : participant.isLocal ? this.#words.say('room-you') : name);
    write(this.#duty, screen ? '' : participant.isLocal ? name : person.duty);
    set(this.#whose, 'title', [this.#name.textContent, this.#duty.textContent].filter(Boolean).join(' · '));
    set(this.element, 'class', [
      'tile', screen && 'screen', !screen && participant.isSpeaking && 'speaking',
      participant.isLocal && !screen && 'mirrored',
    ].filter(Boolean).join(' '));
    show(this.#speaking, !screen && participant.isSpeaking);
    show(this.#muted, !screen && !participant.isMicrophoneEnabled);
    show(this.#lock, screen ? publication?.isEncrypted === true : participant.isEncrypted);
    if (screen) show(this.#bars.element, false);
    else this.#bars.draw(participant.connectionQuality);
    set(this.#pin, 'aria-pressed', pinned ? 'true' : 'false');
    set(this.#pin, 'title', this.#words.say(pinned ? 'room-unpin' : 'room-pin', { name }));
    write(this.#pin.lastElementChild as Element, this.#words.say(pinned ? 'room-unpin' : 'room-pin', { name }));
    draw(this.#pin.firstElementChild as SVGSVGElement, 'pin');
  }

  #attach(track: VideoTrack | undefined): void {
    if (track === this.#track) return;
    this.#track?.detach(this.#video);
    this.#track = track;
    track?.attach(this.#video);
  }

  /** Goes away. */
  stop(): void {
    this.#attach(undefined);
    this.element.remove();
  }
}
