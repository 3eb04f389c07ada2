// What this browser remembers for the next meeting: which devices, and sound only. In localStorage alone; no server knows it.

/** What is remembered. Absent is: not chosen yet. */
export interface Remembered {
  camera?: string;
  microphone?: string;
  speaker?: string;
  soundOnly?: boolean;
  cameraOff?: boolean;
  microphoneOff?: boolean;
  announceSpeakers?: boolean;
}

const KEY = 'concord.room';

/** Reads it; a browser that forbids storage, or holds something else there, remembers nothing. */
export function recall(): Remembered {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? '{}');
    return typeof kept === 'object' && kept !== null ? kept as Remembered : {};
  } catch {
    return {};
  }
}

/** Adds to it. */
export function remember(more: Remembered): void {
  try {
    localStorage.setItem(KEY, JSON.stringify({ ...recall(), ...more }));
  } catch {
    // Not remembered: the meeting is not worse for it.
  }
}
