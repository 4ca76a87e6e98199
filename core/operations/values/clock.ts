/**
 * Time as the call protocol uses it, so that tests hold the clock.
 *
 * @module
 */
import { clearTimeout, setTimeout } from "node:timers";

/** A clock and its timers. */
export interface Clock {
  /** Monotonic, in milliseconds. */
  now(): number;
  /** Calls back once, after so many milliseconds. What it returns takes the call back. */
  after(milliseconds: number, callback: () => void): () => void;
}

/** Longest time that a timer of the runtime takes, in milliseconds; with a longer one it calls back at once. */
const LONGEST = 2 ** 31 - 1;

/** The clock of the machine. What is further off than a timer can wait comes early: who waits looks at {@linkcode Clock.now}. */
export const SYSTEM_CLOCK: Clock = {
  now: () => performance.now(),
  after: (milliseconds, callback) => {
    const timer = setTimeout(callback, Math.min(milliseconds, LONGEST));
    return () => clearTimeout(timer);
  },
};
