/**
 * A guest's console: lines to its host, until it has said enough.
 *
 * @module
 */
import type { GuestHost } from "../guest.ts";

/** The console of one guest. */
export class GuestConsole {
  readonly #host: GuestHost;
  readonly #most: number;
  #written = 0;

  /** @param most Characters over the guest's life. */
  constructor(host: GuestHost, most: number) {
    this.#host = host;
    this.#most = most;
  }

  /** Takes a line. */
  write(level: string, text: string): void {
    const left = this.#most - this.#written;
    if (left <= 0) return;
    this.#written += text.length;
    const shown = text.length > left ? text.slice(0, left) + "… (the guest's output ends here)" : text;
    this.#host.log?.(level, shown.toWellFormed());
  }
}
