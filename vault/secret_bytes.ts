/**
 * Bytes that are secret: compared in constant time, wiped when done with, never printed.
 *
 * Wiping is best effort in JavaScript. The arrays that are wiped are ours, but the engine, WebCrypto and OpenSSL may
 * have made copies of what they were given, and a string (a phrase that a person typed) cannot be wiped at all.
 *
 * @module
 */
import { timingSafeEqual } from "node:crypto";

/** What stands where a secret would. */
export const REDACTED = "[redacted]";

/** Overwrites arrays with zeros. Those that are undefined are passed over. */
export function wipe(...arrays: readonly (Uint8Array | undefined)[]): void {
  for (const array of arrays) array?.fill(0);
}

/**
 * Whether two arrays hold the same bytes, in a time that depends on their lengths alone. Arrays of different lengths
 * are not equal.
 */
export function constantTimeEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && timingSafeEqual(a, b);
}

/** Makes instances of a class print `[redacted]`: in template strings, `JSON.stringify`, `console.log` and both inspectors. */
export function redact(prototype: object): void {
  // The two inspectors find their hook under a symbol; as declared members these would have no type that can be published.
  const names = ["toString", "toJSON", Symbol.for("Deno.customInspect"), Symbol.for("nodejs.util.inspect.custom")];
  for (const name of names) Object.defineProperty(prototype, name, { value: () => REDACTED, configurable: true });
}
