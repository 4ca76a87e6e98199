/**
 * Passes of collection by themselves: one at the start, for what was dropped before, and then each minute, for what this
 * process and others dropped. One that finds no candidate costs one lookup.
 *
 * @module
 */

/** Milliseconds between two passes. */
const EVERY = 60_000;

/** Runs passes, one at a time. */
export class Passes implements AsyncDisposable {
  readonly #pass: () => Promise<unknown>;
  readonly #timer: ReturnType<typeof setInterval>;
  #running: Promise<unknown>;
  #closed = false;

  /** @param pass One of them. */
  constructor(pass: () => Promise<unknown>) {
    this.#pass = pass;
    this.#running = this.#run();
    this.#timer = setInterval(() => void (this.#running = this.#running.then(() => this.#run())), EVERY);
    // What nobody refers to keeps no program running.
    Deno.unrefTimer(Number(this.#timer));
  }

  /** Ends them; one that runs is waited for. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    await this.#running;
  }

  async #run(): Promise<void> {
    // One that fails, on a full disk, say, is made up for by the next.
    if (!this.#closed) await this.#pass().catch(() => {});
  }
}
