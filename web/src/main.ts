// The meeting room of a node's page: the check before, the meeting, the end. It decides only which of them is seen.

import { LogLevel, setLogLevel } from 'livekit-client';
import { h } from './element.ts';
import { Lobby } from './lobby.ts';
import { Media } from './media.ts';
import { Meeting } from './meeting.ts';
import { failure, over, type Ending } from './over.ts';
import { read, ticket, type Page } from './page.ts';

// What matters is said on the page; the console is for what nobody expected.
setLogLevel(LogLevel.silent);

/** Shows one thing in place of another. */
function present(page: Page, element: HTMLElement, state: string): void {
  page.place.replaceChildren(element);
  document.body.dataset['state'] = state;
}

function lobby(page: Page, again = false): void {
  const media = new Media();
  const shown = new Lobby(page, media, () => { void enter(page, media, shown); });
  present(page, shown.element, 'lobby');
  if (again) shown.focus();
}

async function enter(page: Page, media: Media, shown: Lobby): Promise<void> {
  const end = (why: Ending) => present(page, over(page, why, () => lobby(page, true)), 'over');
  let meeting: Meeting | undefined;
  try {
    const granted = await ticket(page.data);
    let began = false;
    meeting = new Meeting(page, media, (why) => { if (began) end(why); });
    await meeting.enter(granted);
    began = true;
    shown.stop();
    present(page, meeting.element, 'meeting');
    meeting.begin();
  } catch (error) {
    shown.stop();
    await meeting?.abandon();
    media.closeAll();
    end(failure(error));
  }
}

const page = read();
if (!window.isSecureContext || navigator.mediaDevices === undefined) {
  present(page, h('p', { class: 'notice wait' }, page.words.say('room-not-secure')), 'impossible');
} else if (typeof RTCPeerConnection !== 'function' || typeof ResizeObserver !== 'function') {
  present(page, h('p', { class: 'notice wait' }, page.words.say('room-not-built-for')), 'impossible');
} else {
  lobby(page);
}
