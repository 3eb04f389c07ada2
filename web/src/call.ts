// A connection to the room: what is sent, what is received, who is there. It draws nothing.
//
// It asks for sound of everybody, and for pictures of those alone that are looked at: the fewer tracks a browser
// receives, the further a thin line goes.

import {
  Room, RoomEvent, Track,
  type DisconnectReason, type LocalAudioTrack, type LocalVideoTrack, type Participant, type RemoteParticipant, type RemoteTrackPublication,
  type TrackPublication,
} from 'livekit-client';
import type { Device, Input, Media } from './media.ts';
import type { Person, Ticket } from './page.ts';

/** What happened, for whoever tells the reader. */
export interface Happenings {
  /** Something that is drawn has changed. */
  changed(): void;
  joined(participant: Participant): void;
  left(participant: Participant): void;
  /** Who speaks now, loudest first. */
  speakers(participants: Participant[]): void;
  /** The picture of somebody was paused for want of bandwidth, or is back. */
  paused(participant: Participant, paused: boolean): void;
  share(participant: Participant, shares: boolean): void;
  /** The chair switched the microphone off. */
  muted(): void;
  reconnecting(): void;
  reconnected(): void;
  deviceFailed(error: Error): void;
  /** A device in use is gone. */
  deviceGone(): void;
  over(reason: DisconnectReason | undefined): void;
}

/** A meeting that one takes part in. */
export class Call {
  readonly room: Room;
  readonly #media: Media;
  readonly #lang: string;
  readonly #audio: HTMLElement;
  readonly #tell: Happenings;
  /** Whose pictures are looked at: participant identities, with the source. */
  #looked = new Set<string>();
  #muting = false;
  /** What is being sent for the first time just now. */
  readonly #opening: Partial<Record<Input, Promise<void>>> = {};

  /** `audio` is where the sound of others is put, out of sight. */
  constructor(media: Media, lang: string, audio: HTMLElement, tell: Happenings) {
    this.#media = media;
    this.#lang = lang;
    this.#audio = audio;
    this.#tell = tell;
    const { speaker } = media.chosen;
    this.room = new Room({
      adaptiveStream: true,
      dynacast: true,
      // Firefox loses tracks of selective subscriptions on a single peer connection (bigbluebutton#24727).
      singlePeerConnection: !navigator.userAgent.includes('Firefox/'),
      audioCaptureDefaults: media.audioOptions,
      videoCaptureDefaults: media.videoOptions,
      publishDefaults: { simulcast: true, dtx: true, red: true, videoCodec: 'vp8', stopMicTrackOnMute: false },
      ...(speaker ? { audioOutput: { deviceId: speaker } } : {}),
    });
    this.#listen();
  }

  #listen(): void {
    const { room } = this;
    const tell = this.#tell;
    const changed = () => tell.changed();
    const again = () => { this.#subscribe(); tell.changed(); };
    for (const event of [
      RoomEvent.TrackMuted, RoomEvent.TrackUnmuted, RoomEvent.LocalTrackUnpublished, RoomEvent.ConnectionQualityChanged,
      RoomEvent.AudioPlaybackStatusChanged, RoomEvent.ParticipantEncryptionStatusChanged, RoomEvent.LocalTrackPublished,
      RoomEvent.ParticipantAttributesChanged, RoomEvent.ParticipantPermissionsChanged, RoomEvent.ParticipantNameChanged,
      RoomEvent.TrackSubscriptionStatusChanged, RoomEvent.ActiveDeviceChanged, RoomEvent.ConnectionStateChanged,
    ] as const) room.on(event, changed);
    room
      .on(RoomEvent.TrackPublished, again)
      .on(RoomEvent.ParticipantConnected, (one) => { again(); tell.joined(one); })
      .on(RoomEvent.ParticipantDisconnected, (one) => { changed(); tell.left(one); })
      .on(RoomEvent.ActiveSpeakersChanged, (speakers) => { changed(); tell.speakers(speakers); })
      .on(RoomEvent.TrackStreamStateChanged, (publication, state, one) => {
        changed();
        if (publication.source === Track.Source.Camera) tell.paused(one, state === Track.StreamState.Paused);
      })
      .on(RoomEvent.TrackSubscribed, (track) => {
        if (track.kind === Track.Kind.Audio) this.#audio.append(track.attach());
        changed();
      })
      .on(RoomEvent.TrackUnsubscribed, (track) => {
        for (const element of track.detach()) if (element instanceof HTMLAudioElement) element.remove();
        changed();
      })
      .on(RoomEvent.TrackUnpublished, changed)
      .on(RoomEvent.SignalReconnecting, () => tell.reconnecting())
      .on(RoomEvent.Reconnecting, () => tell.reconnecting())
      .on(RoomEvent.Reconnected, () => { again(); tell.reconnected(); })
      .on(RoomEvent.MediaDevicesChanged, () => { void this.#missing(); })
      .on(RoomEvent.MediaDevicesError, (error) => tell.deviceFailed(error))
      .on(RoomEvent.Disconnected, (reason) => tell.over(reason))
      .on(RoomEvent.TrackMuted, (publication, one) => {
        if (one.isLocal && publication.source === Track.Source.Microphone && !this.#muting) tell.muted();
      });
    const share = (shares: boolean) => (publication: TrackPublication, one: Participant) => {
      if (publication.source === Track.Source.ScreenShare) tell.share(one, shares);
    };
    room.on(RoomEvent.TrackPublished, share(true)).on(RoomEvent.TrackUnpublished, share(false));
    room.on(RoomEvent.LocalTrackPublished, share(true)).on(RoomEvent.LocalTrackUnpublished, share(false));
  }

  /** Joins, and begins to send what is open: who has entered need not wait for it. */
  async enter(ticket: Ticket): Promise<void> {
    await this.room.connect(ticket.url, ticket.token, { autoSubscribe: false });
    this.#subscribe();
    const tracks = this.#media.handOver();
    for (const input of ['microphone', 'camera'] as const) {
      const track = tracks[input];
      if (!track) continue;
      this.#opening[input] = this.#publish(track).finally(() => {
        delete this.#opening[input];
        this.#tell.changed();
      });
    }
  }

  async #publish(track: LocalAudioTrack | LocalVideoTrack): Promise<void> {
    try {
      await this.room.localParticipant.publishTrack(track);
    } catch (error) {
      // One may listen without being allowed to send.
      track.stop();
      this.#tell.deviceFailed(error as Error);
    }
  }

  /** Tells if a device in use is no longer there. */
  async #missing(): Promise<void> {
    const there = await navigator.mediaDevices.enumerateDevices();
    for (const kind of ['audioinput', 'videoinput', 'audiooutput'] as const) {
      const id = this.room.getActiveDevice(kind);
      if (id && id !== 'default' && !there.some((one) => one.kind === kind && one.deviceId === id)) {
        this.#tell.deviceGone();
        if (kind !== 'videoinput') await this.room.switchActiveDevice(kind, 'default', false);
      }
    }
  }

  /** Leaves. */
  async leave(): Promise<void> {
    await this.room.disconnect(true);
  }

  /** Everybody in the room: oneself first, then as they came. */
  participants(): Participant[] {
    const others = [...this.room.remoteParticipants.values()].sort(
      (a, b) => (a.joinedAt?.getTime() ?? 0) - (b.joinedAt?.getTime() ?? 0) || (a.identity < b.identity ? -1 : 1),
    );
    return [this.room.localParticipant, ...others];
  }

  /** Who somebody is, as the token that let them in says. */
  person(participant: Participant): Person {
    const said = participant.attributes;
    const name = said[`name.${this.#lang}`] ?? participant.name ?? '';
    return {
      name: name === '' ? participant.identity : name,
      code: said['code'] ?? name.slice(0, 1).toUpperCase(),
      duty: said['duty'] ?? '',
    };
  }

  /** The pictures that are looked at from now on: `camera` or `screen_share` of identities. */
  look(at: { identity: string; source: string }[]): void {
    this.#looked = new Set(at.map((one) => `${one.source} ${one.identity}`));
    this.#subscribe();
  }

  #subscribe(): void {
    for (const participant of this.room.remoteParticipants.values()) {
      for (const publication of participant.trackPublications.values()) {
        this.#decide(participant, publication as RemoteTrackPublication);
      }
    }
  }

  #decide(participant: RemoteParticipant, publication: RemoteTrackPublication): void {
    const looked = publication.kind === Track.Kind.Audio
      || (!this.#media.soundOnly && this.#looked.has(`${publication.source} ${participant.identity}`));
    const wanted = looked && !this.sealed(publication);
    if (publication.isDesired !== wanted) publication.setSubscribed(wanted);
  }

  /** Whether something was encrypted by its sender with a key that is not here: without it there is but noise to see and hear. */
  sealed(publication: TrackPublication): boolean {
    return publication.isEncrypted && !this.room.isE2EEEnabled;
  }

  /** Whether the server reads nothing: whoever sends, oneself too, encrypts it from end to end. */
  get secret(): boolean {
    const sending = this.participants().filter((one) => one.trackPublications.size > 0);
    return sending.length > 0 && sending.every((one) => one.isEncrypted);
  }

  /** Whether an input is being sent. */
  sends(input: Input): boolean {
    const { localParticipant } = this.room;
    if (this.#opening[input]) return true;
    return input === 'camera' ? localParticipant.isCameraEnabled : localParticipant.isMicrophoneEnabled;
  }

  /** Sends an input, or no longer. Unmuting is always the reader's own act. */
  async send(input: Input, wanted: boolean): Promise<void> {
    const { localParticipant } = this.room;
    await this.#opening[input];
    this.#muting = true;
    try {
      if (input === 'camera') await localParticipant.setCameraEnabled(wanted, this.#media.videoOptions);
      else await localParticipant.setMicrophoneEnabled(wanted, this.#media.audioOptions);
    } finally {
      this.#muting = false;
    }
    this.#tell.changed();
  }

  /** Whether the own screen is seen by the others. */
  get shares(): boolean {
    return this.room.localParticipant.isScreenShareEnabled;
  }

  /** Shares a screen, a window or a tab, or no longer. False if the reader chose none. */
  async share(wanted: boolean): Promise<boolean> {
    try {
      await this.room.localParticipant.setScreenShareEnabled(wanted, { audio: true, contentHint: 'detail' });
    } catch (error) {
      // To close the browser's own window of choice is no failure.
      if (error instanceof Error && error.name === 'NotAllowedError') return false;
      throw error;
    }
    this.#tell.changed();
    return true;
  }

  /** Uses another device from now on. */
  async use(device: Device, id: string): Promise<void> {
    const kinds = { camera: 'videoinput', microphone: 'audioinput', speaker: 'audiooutput' } as const;
    await this.room.switchActiveDevice(kinds[device], id === '' ? 'default' : id, id !== '');
  }

  /** No pictures in either direction, or again. */
  async onlySound(only: boolean): Promise<void> {
    this.#media.soundOnly = only;
    this.#subscribe();
    if (only) await this.send('camera', false);
    this.#tell.changed();
  }

  /** The track of the own microphone, for its meter. */
  get microphone(): MediaStreamTrack | undefined {
    const track = this.room.localParticipant.getTrackPublication(Track.Source.Microphone)?.track;
    return track && !track.isMuted ? track.mediaStreamTrack : undefined;
  }
}
