// Camera and microphone before and between meetings: what is open, what is chosen, and why something is not there.

import {
  createLocalAudioTrack, createLocalTracks, createLocalVideoTrack, VideoPresets,
  type LocalAudioTrack, type LocalVideoTrack,
} from 'livekit-client';
import { recall, remember } from './remembered.ts';

/** What can be opened. */
export type Input = 'camera' | 'microphone';
/** What can be chosen. */
export type Device = Input | 'speaker';
/** Why an input is not open though it is wanted. */
export type Fault = 'denied' | 'none' | 'busy';

/** The devices that the browser tells of. */
export type Devices = Record<Device, MediaDeviceInfo[]>;

/** The local tracks and the choice of devices. */
export class Media {
  camera: LocalVideoTrack | undefined;
  microphone: LocalAudioTrack | undefined;
  readonly fault: Partial<Record<Input, Fault>> = {};
  readonly chosen: Partial<Record<Device, string>> = {};
  /** Whether it was tried to open anything. */
  asked = false;
  soundOnly = false;
  /** What the reader wants to send. */
  readonly wanted: Record<Input, boolean> = { camera: true, microphone: true };
  /** Called when anything here changed. */
  changed: () => void = () => {};

  constructor() {
    const kept = recall();
    for (const device of ['camera', 'microphone', 'speaker'] as const) {
      const id = kept[device];
      if (id) this.chosen[device] = id;
    }
    this.soundOnly = kept.soundOnly === true;
    this.wanted.camera = kept.cameraOff !== true;
    this.wanted.microphone = kept.microphoneOff !== true;
  }

  /** How to capture a microphone. */
  get audioOptions() {
    return {
      deviceId: this.chosen.microphone ?? 'default',
      echoCancellation: true, noiseSuppression: true, autoGainControl: true,
    };
  }

  /** How to capture a camera. */
  get videoOptions() {
    const { camera } = this.chosen;
    return { resolution: VideoPresets.h720.resolution, ...(camera ? { deviceId: camera } : {}) };
  }

  /** Whether an input is to be sent. */
  wants(input: Input): boolean {
    return this.wanted[input] && !(input === 'camera' && this.soundOnly);
  }

  /** Whether opening would ask the reader first. */
  async wouldAsk(): Promise<boolean> {
    for (const name of ['camera', 'microphone']) {
      try {
        const { state } = await navigator.permissions.query({ name: name as PermissionName });
        if (state === 'granted') return false;
      } catch {
        // A browser that does not say.
      }
    }
    return true;
  }

  /** Opens what is wanted and not open. Asks once for both where it can. */
  async open(): Promise<void> {
    this.asked = true;
    const camera = this.wants('camera') && this.camera === undefined;
    const microphone = this.wants('microphone') && this.microphone === undefined;
    if (camera && microphone) {
      try {
        const tracks = await createLocalTracks({ audio: this.audioOptions, video: this.videoOptions });
        for (const track of tracks) {
          if (track.kind === 'audio') this.microphone = track as LocalAudioTrack;
          else this.camera = track as LocalVideoTrack;
        }
        delete this.fault.camera;
        delete this.fault.microphone;
        this.changed();
        return;
      } catch (error) {
        if (faultOf(error) === 'denied' && await this.wouldAsk()) {
          // Who has just said no is not asked twice more.
          this.fault.camera = 'denied';
          this.fault.microphone = 'denied';
          this.changed();
          return;
        }
      }
    }
    if (microphone) await this.#openOne('microphone');
    if (camera) await this.#openOne('camera');
    this.changed();
  }

  async #openOne(input: Input): Promise<void> {
    try {
      if (input === 'camera') this.camera = await createLocalVideoTrack(this.videoOptions);
      else this.microphone = await createLocalAudioTrack(this.audioOptions);
      delete this.fault[input];
    } catch (error) {
      this.fault[input] = faultOf(error);
    }
  }

  /** Wants an input, or no longer. */
  async want(input: Input, wanted: boolean): Promise<void> {
    this.wanted[input] = wanted;
    remember(input === 'camera' ? { cameraOff: !wanted } : { microphoneOff: !wanted });
    await this.#settle();
  }

  /** Pictures neither sent nor received, or again. */
  async onlySound(only: boolean): Promise<void> {
    this.soundOnly = only;
    remember({ soundOnly: only });
    await this.#settle();
  }

  async #settle(): Promise<void> {
    for (const input of ['camera', 'microphone'] as const) if (!this.wants(input)) this.close(input);
    if (this.asked) await this.open();
    this.changed();
  }

  /** Chooses a device, for now and for the next meeting. */
  async choose(device: Device, id: string): Promise<void> {
    if (id === '') delete this.chosen[device];
    else this.chosen[device] = id;
    remember({ [device]: id });
    if (device === 'speaker' || !this.asked) return this.changed();
    this.close(device);
    await this.open();
  }

  /** Closes an input: its light goes out. */
  close(input: Input): void {
    this[input]?.stop();
    this[input] = undefined;
    if (!this.wants(input)) delete this.fault[input];
  }

  /** Closes everything. */
  closeAll(): void {
    this.close('camera');
    this.close('microphone');
  }

  /** Gives the open tracks to somebody else, who closes them. */
  handOver(): { camera: LocalVideoTrack | undefined; microphone: LocalAudioTrack | undefined } {
    const { camera, microphone } = this;
    this.camera = undefined;
    this.microphone = undefined;
    return { camera, microphone };
  }
}

/** What went wrong when a device was opened. */
export function faultOf(error: unknown): Fault {
  const name = error instanceof Error ? error.name : '';
  if (name === 'NotAllowedError' || name === 'SecurityError' || name === 'PermissionDeniedError') return 'denied';
  if (name === 'NotFoundError' || name === 'DevicesNotFoundError' || name === 'OverconstrainedError') return 'none';
  return 'busy';
}

/** The devices that are there. Before anything was allowed browsers tell of devices without names: those are left out. */
export async function devices(): Promise<Devices> {
  const all = await navigator.mediaDevices.enumerateDevices();
  const of = (kind: MediaDeviceKind) => all.filter((one) => one.kind === kind && one.deviceId !== '');
  return { camera: of('videoinput'), microphone: of('audioinput'), speaker: of('audiooutput') };
}
