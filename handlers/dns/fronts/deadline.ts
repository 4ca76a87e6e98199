/**
 * Times for what a peer is to do.
 *
 * @module
 */

/** Waits that end in time, one after another. */
export class Deadline {
  #cancel: () => void = () => {};
  /** When the wait began that the next one may go on with. */
  #since = 0;

  /**
   * Waits for something, but not for long.
   *
   * @param ms Milliseconds.
   * @param promise What is waited for.
   * @param goesOn Whether the time began with the wait before.
   * @returns What came of it; `late` when the time had passed, `cancelled` when {@linkcode cancel} was called.
   */
  async within<T>(ms: number, promise: Promise<T>, goesOn = false): Promise<T | "late" | "cancelled"> {
    if (!goesOn) this.#since = performance.now();
    const left = Math.max(0, this.#since + ms - performance.now());
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<"late">((resolve) => timer = setTimeout(() => resolve("late"), left));
    const cancelled = new Promise<"cancelled">((resolve) => this.#cancel = () => resolve("cancelled"));
    try {
      return await Promise.race([promise, late, cancelled]);
    } finally {
      clearTimeout(timer);
      this.#cancel = () => {};
    }
  }

  /** Waits for a while. */
  async pause(ms: number): Promise<void> {
    await this.within(ms, new Promise<never>(() => {}));
  }

  /** Ends the wait that is on. */
  cancel(): void {
    this.#cancel();
  }
}
