// The meeting itself: stage, controls, list of people, notices. It joins the parts; each of them knows its own work.

import type { DisconnectReason, Participant } from 'livekit-client';
import { Announcer } from './announce.ts';
import { Call } from './call.ts';
import { Choices } from './choices.ts';
import { Controls } from './controls.ts';
import { h, icon, set, show, write } from './element.ts';
import { faultOf, type Input, type Media } from './media.ts';
import { Notices } from './notices.ts';
import { ending, type Ending } from './over.ts';
import type { Page, Ticket } from './page.ts';
import { People } from './people.ts';
import { recall, remember } from './remembered.ts';
import { Stage } from './stage.ts';

/** A meeting that one has entered. */
export class Meeting {
  readonly element: HTMLElement;
  readonly #page: Page;
  readonly #media: Media;
  readonly #call: Call;
  readonly #stage: Stage;
  readonly #people: People;
  readonly #controls: Controls;
  readonly #notices: Notices;
  readonly #announcer: Announcer;
  readonly #dialog: HTMLDialogElement;
  readonly #choices: Choices;
  readonly #speakerCode = h('span', { class: 'short', 'aria-hidden': 'true' });
  readonly #speakerName = h('span', { class: 'full' });
  readonly #speaks = h('p', { class: 'speaks' }, this.#speakerCode, this.#speakerName);
  readonly #encrypted = h('span', { class: 'tag' });
  readonly #over: (why: Ending) => void;
  #drawing: ReturnType<typeof setTimeout> | undefined;
  #leaving = false;

  /** `over` is called once, when the meeting has ended for whatever reason. */
  constructor(page: Page, media: Media, over: (why: Ending) => void) {
    const { words, data } = page;
    this.#page = page;
    this.#media = media;
    this.#over = over;
    const audio = h('div', { class: 'sounds', 'aria-hidden': 'true' });
    this.#announcer = new Announcer(words);
    this.#announcer.speakers = recall().announceSpeakers !== false;
    this.#call = new Call(media, data.lang, audio, {
      changed: () => this.changed(),
      joined: (one) => this.#announcer.joined(this.#name(one)),
      left: (one) => this.#announcer.left(this.#name(one)),
      speakers: (all) => this.#speakers(all),
      paused: (one, paused) => this.#announcer.say(words.say(paused ? 'room-picture-paused' : 'room-picture-resumed', { name: this.#name(one) })),
      share: (one, shares) => { if (!one.isLocal) this.#announcer.say(words.say(shares ? 'room-share-began' : 'room-share-ended', { name: this.#name(one) })); },
      muted: () => this.#notices.say('room-you-were-muted'),
      reconnecting: () => this.#notices.reconnecting(true),
      reconnected: () => this.#notices.reconnecting(false),
      deviceFailed: (error) => this.#failed(error),
      deviceGone: () => this.#notices.say('room-device-gone'),
      over: (reason) => this.#ended(reason),
    });
    this.#notices = new Notices(words, () => { void this.#call.room.startAudio(); }, () => { void this.#onlySound(false); });
    this.#stage = new Stage(words);
    this.#people = new People(words, this.#call, () => this.#showPeople(false));
    this.#choices = new Choices(words, media);
    this.#choices.choose = (device, id) => { void this.#use(device, id); };
    this.#dialog = this.#makeDialog();
    this.#controls = new Controls(words, {
      send: (input) => { void this.#send(input); },
      share: () => { void this.#share(); },
      layout: () => { this.#stage.arrange(this.#stage.layout === 'grid' ? 'large' : 'grid'); this.changed(); },
      people: () => this.#showPeople(this.#people.element.hidden === true),
      settings: () => { void this.#choices.fill(); this.#dialog.showModal(); this.#choices.listen(this.#call.microphone); },
      leave: () => { void this.#leave(); },
    });
    this.element = h('div', { class: 'meeting' },
      h('div', { class: 'line' }, this.#speaks, this.#encrypted),
      this.#notices.element, this.#stage.element, this.#people.element, this.#controls.element,
      this.#dialog, this.#announcer.element, audio);
  }

  /** Enters. Fails if the room cannot be entered; then nothing is left of it. */
  async enter(ticket: Ticket): Promise<void> {
    this.#stage.watch(this.#call);
    this.#stage.onlySound(this.#media.soundOnly);
    await this.#call.enter(ticket);
  }

  /** It is on the page now: what is said before nobody hears. */
  begin(): void {
    this.#announcer.say(this.#page.words.say('room-entered'));
    this.#controls.focus();
    this.#draw();
  }

  /** Draws soon. Many changes at once are one drawing. */
  changed(): void {
    this.#drawing ??= setTimeout(() => {
      this.#drawing = undefined;
      this.#draw();
    }, 30);
  }

  #draw(): void {
    const { words } = this.#page;
    const call = this.#call;
    this.#stage.spoke(call.room.activeSpeakers);
    this.#stage.draw();
    this.#people.draw();
    this.#controls.draw({
      camera: call.sends('camera'), microphone: call.sends('microphone'), shares: call.shares,
      soundOnly: this.#media.soundOnly, layout: this.#stage.layout, people: !this.#people.element.hidden,
      count: call.participants().length,
    });
    const shared = call.participants().some((one) => !one.isLocal && one.isScreenShareEnabled);
    this.#notices.draw({ held: !call.room.canPlaybackAudio, shares: call.shares, hidden: shared && this.#media.soundOnly });
    if (this.#dialog.open) this.#choices.listen(call.microphone);
    const [speaking] = call.room.activeSpeakers;
    // Where a line is too short for names of ministries, which begin alike, it has their code.
    const says = (name: (of: Participant) => string) => speaking ? words.say('room-speaks-now', { name: name(speaking) }) : words.say('room-nobody-speaks');
    write(this.#speakerCode, says((of) => of.isLocal ? this.#name(of) : call.person(of).code));
    write(this.#speakerName, says((of) => this.#name(of)));
    set(this.#speaks, 'data-somebody', speaking !== undefined);
    const { secret } = call;
    set(this.#encrypted, 'class', secret ? 'tag sure' : 'tag plain');
    write(this.#encrypted, words.say(secret ? 'room-encrypted' : 'room-not-encrypted'));
  }

  #name(participant: Participant): string {
    return participant.isLocal ? this.#page.words.say('room-you') : this.#call.person(participant).name;
  }

  #speakers(speakers: Participant[]): void {
    const [first] = speakers;
    this.#announcer.speaks(first && !first.isLocal ? this.#name(first) : undefined);
  }

  #makeDialog(): HTMLDialogElement {
    const { words } = this.#page;
    const speakers = h('input', {
      type: 'checkbox', id: 'announce-speakers', onchange: () => {
        this.#announcer.speakers = speakers.checked;
        remember({ announceSpeakers: speakers.checked });
      },
    });
    speakers.checked = this.#announcer.speakers;
    const only = h('input', { type: 'checkbox', id: 'only-sound', onchange: () => { void this.#onlySound(only.checked); } });
    const dialog = h('dialog', { 'aria-labelledby': 'settings-title', onclose: () => this.#choices.listen(undefined) },
      h('header', {}, h('h2', { id: 'settings-title' }, words.say('room-settings-title')),
        h('button', { type: 'button', class: 'bare', title: words.say('room-close'), onclick: () => dialog.close() },
          icon('close'), h('span', { class: 'hidden' }, words.say('room-close')))),
      this.#choices.element,
      h('p', { class: 'check' }, only, h('label', { for: 'only-sound' }, words.say('room-sound-only')),
        h('span', { class: 'soft small' }, words.say('room-sound-only-hint'))),
      h('p', { class: 'check' }, speakers, h('label', { for: 'announce-speakers' }, words.say('room-announce-speakers'))));
    only.checked = this.#media.soundOnly;
    return dialog;
  }

  async #onlySound(only: boolean): Promise<void> {
    const box = this.#dialog.querySelector<HTMLInputElement>('#only-sound');
    if (box) box.checked = only;
    remember({ soundOnly: only });
    this.#stage.onlySound(only);
    await this.#call.onlySound(only);
  }

  #showPeople(shown: boolean): void {
    show(this.#people.element, shown);
    set(this.element, 'data-people', shown);
    this.changed();
    if (!shown) this.#controls.focusPeople();
  }

  async #send(input: Input): Promise<void> {
    const wanted = !this.#call.sends(input);
    try {
      await this.#call.send(input, wanted);
      remember(input === 'camera' ? { cameraOff: !wanted } : { microphoneOff: !wanted });
    } catch (error) {
      const fault = faultOf(error);
      if (error instanceof DOMException) this.#notices.say(`room-${fault}-${input}`);
      else this.#notices.say('room-not-permitted');
    }
    this.changed();
  }

  async #share(): Promise<void> {
    try {
      await this.#call.share(!this.#call.shares);
    } catch {
      this.#notices.say('room-share-failed');
    }
    this.changed();
  }

  async #use(device: 'camera' | 'microphone' | 'speaker', id: string): Promise<void> {
    if (id === '') delete this.#media.chosen[device];
    else this.#media.chosen[device] = id;
    remember({ [device]: id });
    try {
      await this.#call.use(device, id);
    } catch (error) {
      this.#failed(error as Error);
    }
    this.#choices.listen(this.#call.microphone);
  }

  #failed(error: Error): void {
    this.#notices.failed(error.message);
  }

  async #leave(): Promise<void> {
    this.#leaving = true;
    await this.#call.leave();
  }

  #ended(reason: DisconnectReason | undefined): void {
    const why = this.#leaving ? 'left' : ending(reason);
    this.stop();
    this.#over(why);
  }

  /** Ends: nothing is sent, nothing is drawn any more. */
  stop(): void {
    clearTimeout(this.#drawing);
    this.#drawing = undefined;
    this.#announcer.stop();
    this.#choices.stop();
    this.#stage.stop();
    this.#media.closeAll();
    this.element.remove();
  }

  /** Gives up an attempt to enter. */
  async abandon(): Promise<void> {
    this.#leaving = true;
    await this.#call.leave();
    this.stop();
  }
}
