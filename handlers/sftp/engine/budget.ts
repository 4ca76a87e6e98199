/**
 * How much of a client's work is held at once: from the arrival of a request until its answer was taken.
 *
 * @module
 */

/** Requests of a session at once. */
export const MAX_REQUESTS = 1024;
/** Bytes of their packets and answers. */
export const MAX_BYTES = 4 * 1024 * 1024;

/** Requests and bytes that are in flight. */
export class Budget {
  #requests = 0;
  #bytes = 0;
  #freed: (() => void) | undefined;

  /** Whether nothing is in flight. */
  get isIdle(): boolean {
    return this.#requests === 0;
  }

  /** A request has come that needs so many bytes. */
  take(bytes: number): void {
    this.#requests++;
    this.#bytes += bytes;
  }

  /** Its answer was taken, or nobody is left to take it. */
  release(bytes: number): void {
    this.#requests--;
    this.#bytes -= bytes;
    if (this.#hasRoom()) this.#freed?.();
  }

  /** Resolves when another request may come; nothing if it may. */
  room(): Promise<void> | undefined {
    if (this.#hasRoom()) return;
    return new Promise((resolve) => this.#freed = resolve);
  }

  #hasRoom(): boolean {
    return this.#requests < MAX_REQUESTS && this.#bytes < MAX_BYTES;
  }
}
