/**
 * Serials of zones: Unix seconds as long as that is ahead, else one more (RFC 1982); never 0.
 *
 * @module
 */

const HALF = 0x8000_0000;
const WHOLE = 0x1_0000_0000;

/** Whether a serial is ahead of another (RFC 1982 §3.2). */
export function isAhead(a: number, b: number): boolean {
  const distance = (a - b + WHOLE) % WHOLE;
  return distance > 0 && distance < HALF;
}

/** The serial of a zone's next state. */
export function nextSerial(serial: number, unixSeconds: number): number {
  const now = unixSeconds % WHOLE;
  if (now !== 0 && isAhead(now, serial)) return now;
  return (serial + 1) % WHOLE || 1;
}
