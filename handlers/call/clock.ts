/**
 * Time as the call protocol uses it, so that tests hold the clock.
 *
 * @module
 */

/** A clock and its timers. */
export interface Clock {
  /** Monotonic, in milliseconds. */
  now(): number;
  /** Calls back once, after so many milliseconds. What it returns takes the call back. */
  after(milliseconds: number, callback: () => void): () => void;
}

/** The clock of the machine. */
export const SYSTEM_CLOCK: Clock = {
  now: () => performance.now(),
  after: (milliseconds, callback) => {
    const timer = setTimeout(callback, milliseconds);
    return () => clearTimeout(timer);
  },
};
