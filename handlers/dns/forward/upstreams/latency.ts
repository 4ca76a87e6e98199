/**
 * How long an upstream takes to answer.
 *
 * @module
 */

/** Times that are looked at. */
const WINDOW = 64;
/** The part of the mean that a new time is. */
const SHARE = 0.2;
const PERCENTILE = 0.95;

/** Times of answers, in milliseconds. */
export class Latency {
  readonly #times: number[] = [];
  #next = 0;
  #mean: number | undefined;

  /** The mean, of which late times count more; who was never asked has none, and is worth asking. */
  get mean(): number {
    return this.#mean ?? 0;
  }

  /** What nineteen of twenty answers do not exceed. */
  get p95(): number {
    if (this.#times.length === 0) return 0;
    const sorted = this.#times.toSorted((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(PERCENTILE * sorted.length))];
  }

  /** Notes how long an answer took, or at least would have taken. */
  note(milliseconds: number): void {
    this.#mean = this.#mean === undefined ? milliseconds : this.#mean + SHARE * (milliseconds - this.#mean);
    this.#times[this.#next] = milliseconds;
    this.#next = (this.#next + 1) % WINDOW;
  }
}
