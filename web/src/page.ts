// What the server wrote into the page for this script: words, addresses, who the reader is.

import { Words } from './words.ts';

/** Who somebody is, as the node that let them in says: nobody types it. */
export interface Person {
  /** The authority's name in the reader's language. */
  name: string;
  /** The authority's code, such as `JPN`. */
  code: string;
  /** The duty, as the authority wrote it; may be empty. */
  duty: string;
}

/** The data block of the page. */
export interface PageData {
  lang: string;
  /** The Fluent source of the room's messages in `lang`. */
  fluent: string;
  /** Where a token is asked for, by POST. */
  token: string;
  /** Where leaving leads. */
  back: string;
  /** The secret that a POST must carry. */
  csrf: string;
  own: Person;
}

/** The page as it was served. */
export interface Page {
  data: PageData;
  words: Words;
  /** Where everything is drawn. */
  place: HTMLElement;
}

/** Reads the page. */
export function read(): Page {
  const block = document.getElementById('room-data');
  const place = document.getElementById('room');
  if (block?.textContent == null || place == null) throw new Error('the page carries no room');
  const data = JSON.parse(block.textContent) as PageData;
  return { data, words: new Words(data.lang, data.fluent), place };
}

/** What may be used to join: an address and a token for it. It is kept in memory and nowhere else. */
export interface Ticket {
  url: string;
  token: string;
}

/** Why there is no ticket. */
export class Refused extends Error {
  readonly why: 'refused' | 'unreachable' | 'full';

  constructor(why: 'refused' | 'unreachable' | 'full') {
    super(why);
    this.why = why;
  }
}

/** Asks the node for a ticket. Nothing is asked before the reader pressed the button. */
export async function ticket(data: PageData): Promise<Ticket> {
  let answer: Response;
  try {
    answer = await fetch(data.token, {
      method: 'POST',
      credentials: 'same-origin',
      cache: 'no-store',
      headers: { accept: 'application/json' },
      body: new URLSearchParams({ csrf: data.csrf }),
    });
  } catch {
    throw new Refused('unreachable');
  }
  if (answer.ok) return await answer.json() as Ticket;
  throw new Refused([401, 403, 404].includes(answer.status) ? 'refused' : 'unreachable');
}
