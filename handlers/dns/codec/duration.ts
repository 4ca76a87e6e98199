/**
 * Times as master files have them: seconds, or numbers with units, as in `1h30m`.
 *
 * @module
 */
import { DnsSyntaxError } from "./errors.ts";

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };
/** RFC 2181 §8. */
const MAX = 0x7fff_ffff;

/**
 * Seconds.
 *
 * @throws {DnsSyntaxError} It is no time, or above 2^31 - 1 seconds.
 */
export function parseDuration(text: string): number {
  if (!/^(?:\d+|(?:\d+[smhdw])+)$/i.test(text)) {
    throw new DnsSyntaxError(`${JSON.stringify(text)} is no time; write seconds, or 1h30m`);
  }
  let seconds = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)([smhdw]?)/gi)) {
    seconds += Number(count) * (UNITS[unit.toLowerCase()] ?? 1);
  }
  if (seconds > MAX) throw new DnsSyntaxError(`${JSON.stringify(text)} is above 2^31 - 1 seconds`);
  return seconds;
}
