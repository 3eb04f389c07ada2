// The stage: which tiles are seen, how they are arranged, which page of them. It moves nothing without a reason:
// tiles keep their order, and only who has begun to speak becomes large.

import { Track, type Participant } from 'livekit-client';
import { grid, large, page as pageOf, type Arrangement, type Area } from './arrange.ts';
import type { Call } from './call.ts';
import { h, icon, set, show, write } from './element.ts';
import { nameOf, Tile, type Shown } from './tile.ts';
import type { Words } from './words.ts';

/** All alike, or one large. */
export type Layout = 'grid' | 'large';

/** From so many participants on, one is large unless the reader chose otherwise. */
const MANY = 10;

/** The tiles. */
export class Stage {
  readonly element: HTMLElement;
  readonly #words: Words;
  readonly #list: HTMLUListElement;
  readonly #pages: HTMLElement;
  readonly #position = h('span', { class: 'num', role: 'status' });
  readonly #alone: HTMLElement;
  readonly #tiles = new Map<string, Tile>();
  readonly #size: ResizeObserver;
  #call: Call | undefined;
  #chosen: Layout | undefined;
  #pinned: string | undefined;
  #spoke: string | undefined;
  #page = 0;
  #soundOnly = false;

  constructor(words: Words) {
    this.#words = words;
    this.#list = h('ul', { class: 'tiles', 'aria-label': words.say('room-stage') });
    this.#alone = h('div', { class: 'alone', hidden: true }, h('h2', {}, words.say('room-alone-title')), h('p', {}, words.say('room-alone')));
    const step = (name: 'previous' | 'next', by: number) => h('button', {
      type: 'button', class: name, title: words.say(`room-page-${name}`), onclick: () => { this.#page += by; this.draw(); },
    }, icon(name), h('span', { class: 'hidden' }, words.say(`room-page-${name}`)));
    this.#pages = h('div', { class: 'paging', hidden: true }, step('previous', -1), this.#position, step('next', 1));
    this.element = h('section', { class: 'stage' }, this.#alone, this.#list, this.#pages);
    this.#size = new ResizeObserver(() => this.draw());
    this.#size.observe(this.#list);
  }

  /** Shows a call from now on. */
  watch(call: Call): void {
    this.#call = call;
  }

  /** How tiles are arranged now. */
  get layout(): Layout {
    if (this.#pinned !== undefined) return 'large';
    const call = this.#call;
    if (call === undefined) return 'grid';
    return this.#chosen ?? (this.#screens(call.participants()).length > 0 || call.participants().length >= MANY ? 'large' : 'grid');
  }

  /** Arranges them otherwise. */
  arrange(layout: Layout): void {
    this.#chosen = layout;
    this.#pinned = undefined;
    this.#page = 0;
    this.draw();
  }

  /** Who speaks now, loudest first. Who is large stays so while speaking. Oneself one does not look at. */
  spoke(speakers: readonly Participant[]): void {
    const names = speakers.filter((one) => !one.isLocal).map((one) => `${Track.Source.Camera} ${one.identity}`);
    if (names[0] !== undefined && !names.includes(this.#spoke ?? '')) this.#spoke = names[0];
  }

  onlySound(only: boolean): void {
    this.#soundOnly = only;
  }

  #screens(participants: Participant[]): Participant[] {
    // The own screen is in front of the reader already.
    return participants.filter((one) => !one.isLocal && one.getTrackPublication(Track.Source.ScreenShare) !== undefined);
  }

  /** Everything that could be shown, in the order in which it stands. */
  #all(call: Call): Shown[] {
    const participants = call.participants();
    const of = (source: Shown['source']) => (participant: Participant): Shown => {
      const publication = participant.getTrackPublication(source);
      return { participant, source, person: call.person(participant), sealed: publication !== undefined && call.sealed(publication) };
    };
    return [
      ...this.#screens(participants).map(of(Track.Source.ScreenShare)),
      ...participants.map(of(Track.Source.Camera)),
    ];
  }

  /** The one that is large: kept by the reader, else a screen, else who spoke last, else the first of the others. */
  #largest(all: Shown[]): Shown | undefined {
    const named = (name: string | undefined) => all.find((one) => name !== undefined && nameOf(one) === name);
    return named(this.#pinned) ?? all.find((one) => one.source === Track.Source.ScreenShare) ?? named(this.#spoke)
      ?? all.find((one) => !one.participant.isLocal) ?? all[0];
  }

  /** Draws what is so now. */
  draw(): void {
    const call = this.#call;
    const area: Area = { width: this.#list.clientWidth, height: this.#list.clientHeight };
    if (call === undefined || area.width === 0 || area.height === 0) return;
    const all = this.#all(call);
    if (this.#pinned !== undefined && !all.some((one) => nameOf(one) === this.#pinned)) this.#pinned = undefined;
    const seen = this.layout === 'large' ? this.#large(area, all) : this.#grid(area, all);
    this.#show(seen, all);
    call.look(seen.tiles.filter((one) => !one.participant.isLocal)
      .map((one) => ({ identity: one.participant.identity, source: one.source })));
  }

  #grid(area: Area, all: Shown[]) {
    // Which page is shown decides how many tiles there are to arrange.
    const { capacity } = grid(area, all.length);
    const at = pageOf(all, capacity, this.#page);
    return { ...at, arrangement: grid(area, at.tiles.length) };
  }

  #large(area: Area, all: Shown[]) {
    const first = this.#largest(all);
    const rest = all.filter((one) => one !== first);
    const at = pageOf(rest, large(area, rest.length).capacity, this.#page);
    return { ...at, tiles: first ? [first, ...at.tiles] : at.tiles, arrangement: large(area, at.tiles.length) };
  }

  #show(seen: { tiles: Shown[]; page: number; pages: number; arrangement: Arrangement }, all: Shown[]): void {
    this.#page = seen.page;
    const wanted = new Set(seen.tiles.map(nameOf));
    for (const [name, tile] of this.#tiles) {
      if (wanted.has(name)) continue;
      tile.stop();
      this.#tiles.delete(name);
    }
    seen.tiles.forEach((shown, place) => {
      const name = nameOf(shown);
      const tile = this.#tiles.get(name) ?? this.#make(name);
      const box = seen.arrangement.boxes[place];
      if (box) tile.place(box);
      set(tile.element, 'data-large', this.layout === 'large' && place === 0);
      tile.draw(shown, this.#pinned === name, this.#soundOnly);
    });
    this.#order(all);
    const alone = all.length === 1;
    show(this.#alone, alone);
    set(this.element, 'data-alone', alone);
    show(this.#pages, seen.pages > 1);
    if (seen.pages > 1) {
      write(this.#position, this.#words.say('room-page', { page: seen.page + 1, pages: seen.pages }));
      set(this.#pages.firstElementChild as Element, 'disabled', seen.page === 0);
      set(this.#pages.lastElementChild as Element, 'disabled', seen.page === seen.pages - 1);
    }
  }

  /** Those who hear or tab through the tiles meet them in the order of `all`. What is there is never moved: a picture that is
   * taken out and put in again stops. */
  #order(all: Shown[]): void {
    let place = 0;
    for (const shown of all) {
      const element = this.#tiles.get(nameOf(shown))?.element;
      if (element === undefined) continue;
      if (this.#list.children[place] !== element) this.#list.insertBefore(element, this.#list.children[place] ?? null);
      place += 1;
    }
  }

  #make(name: string): Tile {
    const tile = new Tile(this.#words, () => {
      this.#pinned = this.#pinned === name ? undefined : name;
      this.draw();
    });
    this.#tiles.set(name, tile);
    return tile;
  }

  /** Ends. */
  stop(): void {
    this.#size.disconnect();
    for (const tile of this.#tiles.values()) tile.stop();
    this.#tiles.clear();
  }
}
