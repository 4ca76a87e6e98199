/**
 * The one HMAC-SHA512 of all derivation schemes (RFC 2104, FIPS 180-4).
 *
 * @module
 */
import { createHash } from "node:crypto";
import { wipe } from "../secret_bytes.ts";

/** Bytes of a key and of a chain code, and so half of what HMAC-SHA512 gives. */
export const KEY_LENGTH = 32;

/** Bytes of a block of SHA-512, to which HMAC pads its key. */
const BLOCK_LENGTH = 128;
/** Bytes that SHA-512 gives. */
const HASH_LENGTH = 64;
/** The longest message of a scheme: in BIP32-Ed25519 a mark, an extended key and an index. */
const MOST_BYTES = 1 + 2 * KEY_LENGTH + 4;

// One pair for all calls, wiped after each: arrays of their own would leave keys to the garbage collector.
const inner = new Uint8Array(BLOCK_LENGTH + MOST_BYTES);
const outer = new Uint8Array(BLOCK_LENGTH + HASH_LENGTH);

/**
 * A private key of 32 bytes, then its chain code of 32 bytes, in one array: what one HMAC-SHA512 gives, and what both
 * schemes derive the next level from.
 */
export type KeyAndChain = Uint8Array;

/**
 * HMAC-SHA512 of a message given in parts: `hash(key ⊕ opad ‖ hash(key ⊕ ipad ‖ message))` (RFC 2104 §2). 64 bytes.
 *
 * `node:crypto` stands for the hash, as for every hash and curve of this package that it has: beside `@noble/hashes` it
 * takes two thirds of the time here, a fifth for PBKDF2's 2048 rounds. Its `createHmac` takes half as long again as two
 * of its hashes, which is most of what a derivation costs.
 *
 * @param key At most 128 bytes, or ASCII.
 * @param parts At most 69 bytes in all.
 * @throws {RangeError} Key or message are longer.
 */
export function hmacSha512(key: Uint8Array | string, ...parts: readonly Uint8Array[]): Uint8Array {
  const keyBytes = typeof key === "string" ? new TextEncoder().encode(key) : key;
  if (keyBytes.length > BLOCK_LENGTH) throw new RangeError(`key has ${keyBytes.length} bytes, at most ${BLOCK_LENGTH}`);
  inner.fill(0x36, 0, BLOCK_LENGTH);
  outer.fill(0x5c, 0, BLOCK_LENGTH);
  for (let i = 0; i < keyBytes.length; i++) {
    inner[i] ^= keyBytes[i];
    outer[i] ^= keyBytes[i];
  }
  try {
    let length = BLOCK_LENGTH;
    for (const part of parts) {
      inner.set(part, length);
      length += part.length;
    }
    const digest = sha512(inner.subarray(0, length));
    outer.set(digest, BLOCK_LENGTH);
    wipe(digest);
    return sha512(outer);
  } finally {
    wipe(inner, outer);
  }
}

/** An index as both schemes hash it: four bytes, big-endian. */
export function indexBytes(index: number): Uint8Array {
  return Uint8Array.of(index >>> 24, index >>> 16, index >>> 8, index);
}

function sha512(bytes: Uint8Array): Uint8Array {
  const digest = createHash("sha512").update(bytes).digest();
  // A Buffer is not returned: its slice() shares memory, and copies of keys must not.
  const copy = new Uint8Array(digest);
  wipe(digest);
  return copy;
}
