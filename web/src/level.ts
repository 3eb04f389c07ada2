// How loud a microphone is, measured here: nothing of it leaves the browser.

/** Calls `tell` about ten times a second with the level, 0 to 1, until `stop`. */
export class Level {
  readonly #context = new AudioContext();
  readonly #analyser = this.#context.createAnalyser();
  readonly #samples: Float32Array<ArrayBuffer>;
  #source: MediaStreamAudioSourceNode | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor() {
    this.#analyser.fftSize = 1024;
    this.#samples = new Float32Array(this.#analyser.fftSize);
  }

  /** Listens to a track instead of the one before. */
  listen(track: MediaStreamTrack, tell: (level: number) => void): void {
    this.silence();
    this.#source = this.#context.createMediaStreamSource(new MediaStream([track]));
    this.#source.connect(this.#analyser);
    this.#timer = setInterval(() => {
      // A context that was made before anything was pressed sleeps until it is woken.
      if (this.#context.state === 'suspended') void this.#context.resume();
      this.#analyser.getFloatTimeDomainData(this.#samples);
      let sum = 0;
      for (const sample of this.#samples) sum += sample * sample;
      tell(shown(Math.sqrt(sum / this.#samples.length)));
    }, 100);
  }

  /** Listens to nothing. */
  silence(): void {
    clearInterval(this.#timer);
    this.#source?.disconnect();
    this.#source = undefined;
  }

  /** Ends. */
  stop(): void {
    this.silence();
    if (this.#context.state !== 'closed') void this.#context.close();
  }
}

/** From amplitude to what a meter shows: -60 dB is empty, -6 dB is full, as loudness is heard. */
export function shown(amplitude: number): number {
  if (amplitude <= 0) return 0;
  const decibel = 20 * Math.log10(amplitude);
  return Math.min(1, Math.max(0, (decibel + 60) / 54));
}

const TONES = [523.25, 659.25, 783.99];
const TONE_SECONDS = 0.28;

/** Plays three tones on a loudspeaker, and resolves when they are over. */
export async function testSound(speaker: string | undefined): Promise<void> {
  const context = new AudioContext();
  const out = context.createMediaStreamDestination();
  const audio = new Audio();
  audio.srcObject = out.stream;
  try {
    if (speaker && 'setSinkId' in audio) await audio.setSinkId(speaker);
    await context.resume();
    await audio.play();
    TONES.forEach((frequency, place) => {
      const begins = context.currentTime + 0.05 + place * TONE_SECONDS;
      const tone = new OscillatorNode(context, { frequency });
      const loudness = new GainNode(context, { gain: 0 });
      // It swells and fades: a tone that is cut off clicks.
      loudness.gain.setValueAtTime(0, begins);
      loudness.gain.linearRampToValueAtTime(0.25, begins + 0.04);
      loudness.gain.linearRampToValueAtTime(0, begins + TONE_SECONDS);
      tone.connect(loudness).connect(out);
      tone.start(begins);
      tone.stop(begins + TONE_SECONDS);
    });
    await new Promise((resolve) => { setTimeout(resolve, (TONES.length * TONE_SECONDS + 0.3) * 1000); });
  } finally {
    audio.srcObject = null;
    await context.close();
  }
}
