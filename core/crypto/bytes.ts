/**
 * Byte strings as protocols join, compare and forget them.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { randomBytes as systemRandom, timingSafeEqual } from "node:crypto";

/** So many random bytes, to be drawn from anew at each call. */
export type Random = (length: number) => Uint8Array;

/** Bytes of the system's generator. */
export function systemBytes(length: number): Uint8Array {
  return new Uint8Array(systemRandom(length));
}

/** Byte strings one after the other, in a new array. */
export function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}

/** ASCII text as bytes. */
export function ascii(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "latin1"));
}

/** Whether two byte strings are the same, in a time that depends on their lengths alone. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && timingSafeEqual(a, b);
}

/** Overwrites secrets with zeros. Best effort: what the runtime has copied stays. */
export function wipe(...secrets: readonly (Uint8Array | undefined)[]): void {
  for (const secret of secrets) secret?.fill(0);
}
