/**
 * How long to wait before dialling again.
 *
 * @module
 */

/** First and longest wait, in milliseconds. */
const FIRST = 1000;
const LONGEST = 30_000;

/**
 * Doubles from one second to thirty, and is shortened by up to half at random, so that those who lost the same node do
 * not all come back at once.
 *
 * @param failures Attempts that failed in a row, from 1.
 * @param random From 0 to 1.
 * @returns Milliseconds.
 */
export function backOff(failures: number, random: number = Math.random()): number {
  const full = Math.min(LONGEST, FIRST * 2 ** Math.min(failures - 1, 16));
  return Math.round(full * (1 - random / 2));
}
