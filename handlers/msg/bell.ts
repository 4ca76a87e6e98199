/**
 * A bell that wakes all who wait: something may have changed.
 *
 * @module
 */

/** Rung by some, waited for by others. */
export class Bell {
  readonly #waiting = new Set<() => void>();
  #count = 0;

  /** How often it was rung. */
  get count(): number {
    return this.#count;
  }

  /** Wakes all who wait for it now. */
  ring(): void {
    this.#count++;
    for (const wake of [...this.#waiting]) wake();
  }

  /**
   * Waits until it is rung, so many milliseconds have gone by, or the signal. Never rejects.
   *
   * @param since What {@linkcode count} was when there was nothing to do: who was busy since then misses nothing.
   */
  async wait(milliseconds: number, signal: AbortSignal, since: number = this.#count): Promise<void> {
    if (since === this.#count) await this.#until(milliseconds, signal, true);
  }

  /** Waits whether it is rung or not. Never rejects. */
  async pause(milliseconds: number, signal: AbortSignal): Promise<void> {
    await this.#until(milliseconds, signal, false);
  }

  async #until(milliseconds: number, signal: AbortSignal, isRung: boolean): Promise<void> {
    if (signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = (): void => resolve();
    const timer = setTimeout(wake, milliseconds);
    signal.addEventListener("abort", wake, { once: true });
    if (isRung) this.#waiting.add(wake);
    await promise;
    this.#waiting.delete(wake);
    clearTimeout(timer);
    signal.removeEventListener("abort", wake);
  }
}
