/**
 * Progress of long work: one line on a terminal, gone when the work is done; nothing in a pipe.
 *
 * @module
 */
const CLEAR_LINE = "\r\x1b[K";
/** Time between two looks of the line, in milliseconds. */
const INTERVAL = 100;

/** One piece of work, while it lasts. */
export class Progress implements Disposable {
  readonly #what: string;
  readonly #shown = Deno.stderr.isTerminal();
  #last = 0;

  /** @param what What is being done: `opening the vault`. */
  constructor(what: string) {
    this.#what = what;
  }

  /** How much is done, from 0 to 1. A function of its own, to be passed on. */
  readonly report = (part: number): void => {
    const now = performance.now();
    if (!this.#shown || now - this.#last < INTERVAL) return;
    this.#last = now;
    this.#write(`\ralknet: ${this.#what} … ${Math.floor(part * 100)} %`);
  };

  /** Takes the line away. */
  [Symbol.dispose](): void {
    if (this.#last > 0) this.#write(CLEAR_LINE);
  }

  #write(text: string): void {
    try {
      Deno.stderr.writeSync(new TextEncoder().encode(text));
    } catch { /* stderr is closed */ }
  }
}
