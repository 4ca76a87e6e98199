/**
 * What is said to who pushes: lines for a terminal that none of them drives.
 *
 * @module
 */

/** Lines that one push is told at most, and characters of each. */
const MOST_LINES = 1000;
const MOST_COLUMNS = 1000;

/** Text on one line, without what drives a terminal. */
export function plain(text: string): string {
  return text.slice(0, MOST_COLUMNS).replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "?").toWellFormed();
}

/** Lines for who pushes; what is too much is left out. */
export class Said {
  readonly #lines: string[] = [];

  /** Says a text, line by line. */
  say(text: string): void {
    for (const line of text.split(/\r?\n/)) if (this.#lines.length < MOST_LINES) this.#lines.push(plain(line));
  }

  /** The lines. */
  get lines(): readonly string[] {
    return this.#lines;
  }
}
