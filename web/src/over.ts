// What is seen when a meeting is over, or did not begin: why, and what can be done.

import { ConnectionError, ConnectionErrorReason, DisconnectReason } from 'livekit-client';
import { h } from './element.ts';
import { Refused, type Page } from './page.ts';

/** Why it is over. Each has a title and a sentence. */
export type Ending = 'left' | 'elsewhere' | 'removed' | 'closed' | 'lost' | 'refused' | 'unreachable' | 'blocked' | 'full';

/** What the server's reason means. */
export function ending(reason: DisconnectReason | undefined): Ending {
  switch (reason) {
    case DisconnectReason.CLIENT_INITIATED: return 'left';
    case DisconnectReason.DUPLICATE_IDENTITY: return 'elsewhere';
    case DisconnectReason.PARTICIPANT_REMOVED: return 'removed';
    case DisconnectReason.ROOM_DELETED:
    case DisconnectReason.ROOM_CLOSED: return 'closed';
    default: return 'lost';
  }
}

/** Why one could not enter. */
export function failure(error: unknown): Ending {
  if (error instanceof Refused) return error.why;
  if (!(error instanceof ConnectionError)) return 'blocked';
  switch (error.reason) {
    // A token that the node has just minted opens the room: what it cannot do is make room in it.
    case ConnectionErrorReason.NotAllowed: return error.status === 403 ? 'full' : 'refused';
    case ConnectionErrorReason.LeaveRequest: return typeof error.context === 'number' ? ending(error.context) : 'removed';
    // The signalling answered; what failed is the way of the media.
    case ConnectionErrorReason.InternalError:
    case ConnectionErrorReason.Timeout: return 'blocked';
    default: return 'unreachable';
  }
}

/** The panel that says it. `again` enters once more. */
export function over(page: Page, why: Ending, again: () => void): HTMLElement {
  const { words, data } = page;
  const title = h('h2', { tabindex: -1 }, words.say(`room-over-${why}-title`));
  const bad = why !== 'left' && why !== 'closed';
  const panel = h('div', { class: 'over' },
    h('section', { class: bad ? 'panel bad' : 'panel', role: bad ? 'alert' : undefined },
      title, h('p', {}, words.say(`room-over-${why}`)),
      h('p', { class: 'actions' },
        h('button', { type: 'button', class: 'primary', onclick: again }, words.say('room-again')),
        h('a', { href: data.back }, words.say('room-back')))));
  queueMicrotask(() => title.focus());
  return panel;
}
