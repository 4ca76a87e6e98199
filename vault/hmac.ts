/**
 * The one HMAC-SHA512 of both derivation schemes (RFC 2104, FIPS 180-4).
 *
 * @module
 */
import { createHmac } from "node:crypto";
import { wipe } from "./secret_bytes.ts";

/** Bytes of a key and of a chain code, and so half of what HMAC-SHA512 gives. */
export const KEY_LENGTH = 32;

/**
 * A private key of 32 bytes, then its chain code of 32 bytes, in one array: what one HMAC-SHA512 gives, and what both
 * schemes derive the next level from.
 */
export type KeyAndChain = Uint8Array;

/**
 * HMAC-SHA512 of a message given in parts. 64 bytes.
 *
 * `node:crypto` stands for it, as for every hash and curve of this package that it has: beside `@noble/hashes` it takes
 * two thirds of the time for one HMAC, a fifth for PBKDF2's 2048 rounds.
 */
export function hmacSha512(key: Uint8Array | string, ...parts: readonly Uint8Array[]): Uint8Array {
  const hmac = createHmac("sha512", key);
  for (const part of parts) hmac.update(part);
  // Not the Buffer itself, whose `slice` would share its bytes with what should be a copy.
  const digest = hmac.digest();
  const bytes = new Uint8Array(digest);
  wipe(digest);
  return bytes;
}

/** An index as both schemes hash it: four bytes, big-endian. */
export function indexBytes(index: number): Uint8Array {
  return Uint8Array.of(index >>> 24, index >>> 16, index >>> 8, index);
}
