// Who is in the room, as a list: names, duties, what is off, how well each is connected.

import type { Participant } from 'livekit-client';
import type { Call } from './call.ts';
import { h, icon, set, show, write, type Icon } from './element.ts';
import { Bars } from './tile.ts';
import type { Plain, Words } from './words.ts';

interface Line {
  element: HTMLLIElement;
  draw(participant: Participant): void;
}

/** The list beside the stage. */
export class People {
  readonly element: HTMLElement;
  readonly #words: Words;
  readonly #call: Call;
  readonly #count = h('h2');
  readonly #list = h('ul');
  readonly #lines = new Map<string, Line>();

  constructor(words: Words, call: Call, close: () => void) {
    this.#words = words;
    this.#call = call;
    set(this.#count, 'id', 'people-count');
    this.element = h('aside', { class: 'people', id: 'people', 'aria-labelledby': 'people-count', hidden: true },
      h('header', {}, this.#count,
        h('button', { type: 'button', class: 'bare', title: words.say('room-close'), onclick: close },
          icon('close'), h('span', { class: 'hidden' }, words.say('room-close')))),
      this.#list);
  }

  draw(): void {
    if (this.element.hidden) return;
    const participants = this.#call.participants();
    write(this.#count, this.#words.say('room-people-count', { count: participants.length }));
    const here = new Set(participants.map((one) => one.identity));
    for (const [identity, line] of this.#lines) {
      if (here.has(identity)) continue;
      line.element.remove();
      this.#lines.delete(identity);
    }
    participants.forEach((participant, place) => {
      const line = this.#lines.get(participant.identity) ?? this.#make(participant.identity);
      line.draw(participant);
      if (this.#list.children[place] !== line.element) this.#list.insertBefore(line.element, this.#list.children[place] ?? null);
    });
  }

  #make(identity: string): Line {
    const words = this.#words;
    const name = h('b');
    const duty = h('bdi', { class: 'soft' });
    const code = h('span', { class: 'code' });
    const bars = new Bars(words);
    const mark = (drawing: Icon, key: Plain, kind: string) => h('span', { class: `mark ${kind}`, title: words.say(key) },
      icon(drawing), h('span', { class: 'hidden' }, words.say(key)));
    const marks = {
      speaking: mark('speaking', 'room-speaking', 'voice'), microphone: mark('microphone-off', 'room-microphone-off', 'off'),
      camera: mark('camera-off', 'room-camera-off', 'off'), lock: mark('lock', 'room-encrypted', 'sure'),
    };
    const line: Line = {
      element: h('li', {}, code, h('span', { class: 'whose' }, h('bdi', {}, name), duty), marks.speaking, marks.microphone, marks.camera, marks.lock, bars.element),
      draw: (participant) => {
        const person = this.#call.person(participant);
        write(code, person.code);
        write(name, person.name);
        write(duty, [participant.isLocal && words.say('room-you'), person.duty].filter(Boolean).join(' · '));
        show(marks.speaking, participant.isSpeaking);
        show(marks.microphone, !participant.isMicrophoneEnabled);
        show(marks.camera, !participant.isCameraEnabled);
        show(marks.lock, participant.isEncrypted);
        bars.draw(participant.connectionQuality);
      },
    };
    this.#lines.set(identity, line);
    return line;
  }
}
