// What the room says: Fluent messages in the reader's language, as the page carried them.

import { FluentBundle, FluentResource } from '@fluent/bundle';
import type { Messages } from './messages.ts';

/** A message that takes nothing. */
export type Plain = { [K in keyof Messages]: Messages[K] extends undefined ? K : never }[keyof Messages];

/** The messages of one language. It never falls back to another one: the node's build has checked that all are there. */
export class Words {
  readonly lang: string;
  readonly #bundle: FluentBundle;

  constructor(lang: string, source: string) {
    this.lang = lang;
    // Arabic is written with Latin digits, as on every page of the node.
    this.#bundle = new FluentBundle(lang === 'ar' ? 'ar-u-nu-latn' : lang);
    const errors = this.#bundle.addResource(new FluentResource(source));
    if (errors.length > 0) throw errors[0];
  }

  /** A message with its arguments. */
  say<K extends keyof Messages>(key: K, ...given: Messages[K] extends undefined ? [] : [Messages[K]]): string {
    const pattern = this.#bundle.getMessage(key)?.value;
    if (pattern == null) throw new Error(`no message ${key}`);
    return this.#bundle.formatPattern(pattern, given[0] ?? null);
  }
}
