/**
 * Long work in slices, so that others get their turn, and an end when nobody waits for it any more.
 *
 * @module
 */

/** Milliseconds of a slice. */
const SLICE = 8;

/** The pace of one walk. */
export class Pace {
  readonly #signal: AbortSignal;
  #until = performance.now() + SLICE;
  #steps = 0;

  /** @param signal Ends the work. */
  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  /**
   * Lets others have their turn where a slice is over; a step of work ends here.
   *
   * @throws The signal's reason, once it is aborted.
   */
  step(): Promise<void> | undefined {
    // The clock costs more than most steps.
    if (++this.#steps % 16 !== 0 || performance.now() < this.#until) return undefined;
    return this.#turn();
  }

  async #turn(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 0));
    this.#signal.throwIfAborted();
    this.#until = performance.now() + SLICE;
  }
}
