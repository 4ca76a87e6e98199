/**
 * Times of many, with one timer.
 *
 * @module
 */

/** Things that have a time each. There are few at once: whoever holds them bounds them. */
export class Expiry<T> implements Disposable {
  readonly #late: (item: T) => void;
  readonly #due = new Map<T, number>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** When the timer fires. */
  #next = Infinity;
  #over = false;

  /** @param late Called once for what is late. */
  constructor(late: (item: T) => void) {
    this.#late = late;
  }

  /** How many there are. */
  get size(): number {
    return this.#due.size;
  }

  /**
   * Gives something a time from now on, in the place of the one that it had.
   *
   * @param ms Milliseconds.
   */
  set(item: T, ms: number): void {
    if (this.#over) return;
    const due = performance.now() + ms;
    this.#due.set(item, due);
    this.#arm(due);
  }

  /** Takes a time away. */
  delete(item: T): void {
    this.#due.delete(item);
  }

  /** Nothing is late any more, and nothing is given a time. */
  [Symbol.dispose](): void {
    this.#over = true;
    this.#due.clear();
    clearTimeout(this.#timer);
  }

  /** A timer that fires too early looks again; most of what has a time is over before. */
  #arm(due: number): void {
    if (due >= this.#next) return;
    clearTimeout(this.#timer);
    this.#next = due;
    this.#timer = setTimeout(() => this.#look(), Math.max(0, due - performance.now()));
  }

  #look(): void {
    this.#next = Infinity;
    const now = performance.now();
    let next = Infinity;
    for (const [item, due] of this.#due) {
      if (due > now) next = Math.min(next, due);
      else {
        this.#due.delete(item);
        this.#late(item);
      }
    }
    if (next < Infinity) this.#arm(next);
  }
}
