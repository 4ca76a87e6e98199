/**
 * A line of the log for what may happen a thousand times a second.
 *
 * @module
 */
import { LOG_INTERVAL } from "../limits.ts";

/** Says something once in a while, and how often it was true meanwhile. */
export class Seldom {
  readonly #say: (times: number, reason: string) => void;
  readonly #now: () => number;
  #times = 0;
  #saidAt = -Infinity;

  /**
   * Something to say.
   *
   * @param say Says it; `times` counts what happened since it was last said.
   * @param now Milliseconds that only go forward.
   */
  constructor(say: (times: number, reason: string) => void, now: () => number) {
    this.#say = say;
    this.#now = now;
  }

  /** It happened, for this reason. */
  happened(reason = ""): void {
    this.#times++;
    const now = this.#now();
    if (now - this.#saidAt < LOG_INTERVAL) return;
    this.#saidAt = now;
    this.#say(this.#times, reason);
    this.#times = 0;
  }
}
