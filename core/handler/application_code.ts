/**
 * Application error codes: of a reset, a stop, a close (RFC 9000 §20.2).
 *
 * @module
 */

/** Whether a value is a code: a whole number from 0 to 2^53 - 1. QUIC has more, which a number cannot hold exactly. */
export function isCode(value: unknown): value is number {
  return Number.isSafeInteger(value) && value as number >= 0;
}

/**
 * The code. One that cannot be encoded must not get to quiche, which aborts the process over it.
 *
 * @throws {RangeError} It is none.
 */
export function checkedCode(code: number): number {
  if (isCode(code)) return code;
  throw new RangeError(`code ${code}: a whole number from 0 to ${Number.MAX_SAFE_INTEGER} is needed`);
}
