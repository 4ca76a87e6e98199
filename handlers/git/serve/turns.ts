/**
 * Work of which so much is done at a time.
 *
 * @module
 */

/** So many at a time; the others wait in order. */
export class Turns {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  /** @param most How many at a time. */
  constructor(most: number) {
    this.#free = most;
  }

  /**
   * Waits for a turn, to be disposed.
   *
   * @throws The signal's reason, once it is aborted.
   */
  async take(signal: AbortSignal): Promise<Disposable> {
    signal.throwIfAborted();
    if (this.#free > 0) this.#free--;
    else if (!await this.#wait(signal)) signal.throwIfAborted();
    let left = false;
    return {
      [Symbol.dispose]: () => {
        if (left) return;
        left = true;
        const next = this.#waiting.shift();
        if (next) next();
        else this.#free++;
      },
    };
  }

  /** Whether a turn came before the signal. */
  #wait(signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const turn = () => {
        signal.removeEventListener("abort", gone);
        resolve(true);
      };
      const gone = () => {
        this.#waiting.splice(this.#waiting.indexOf(turn), 1);
        resolve(false);
      };
      this.#waiting.push(turn);
      signal.addEventListener("abort", gone, { once: true });
    });
  }
}
