/**
 * SHA-256 and SHA-512 (FIPS 180-4), HMAC (RFC 2104) and HKDF (RFC 5869), the last two with SHA-256.
 *
 * @module
 */
import { createHash, createHmac } from "node:crypto";
import { wipe } from "./bytes.ts";

/** Bytes of a digest of SHA-256. */
export const HASH_LENGTH = 32;

/** SHA-256 of byte strings one after the other. */
export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  return digest("sha256", parts);
}

/** SHA-512 of byte strings one after the other. */
export function sha512(...parts: readonly Uint8Array[]): Uint8Array {
  return digest("sha512", parts);
}

/** HMAC with SHA-256 of byte strings one after the other (RFC 2104 §2). */
export function hmac(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  const mac = createHmac("sha256", key);
  for (const part of parts) mac.update(part);
  return new Uint8Array(mac.digest());
}

/**
 * A pseudorandom key of key material (RFC 5869 §2.2).
 *
 * @param salt Nothing stands for 32 zeros.
 */
export function extract(salt: Uint8Array | undefined, ...material: readonly Uint8Array[]): Uint8Array {
  return hmac(salt ?? new Uint8Array(HASH_LENGTH), ...material);
}

/**
 * Output of a pseudorandom key (RFC 5869 §2.3).
 *
 * @param key 32 bytes, of {@linkcode extract}.
 * @param info What it is for, in parts that are joined.
 * @param length Bytes wanted, to 8160.
 * @throws {RangeError} More.
 */
export function expand(key: Uint8Array, info: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  if (length > 255 * HASH_LENGTH) throw new RangeError(`HKDF gives 8160 bytes at most, not ${length}`);
  const output = new Uint8Array(length);
  let block: Uint8Array = new Uint8Array();
  for (let at = 0, count = 1; at < length; at += HASH_LENGTH, count++) {
    const next = hmac(key, block, ...info, Uint8Array.of(count));
    wipe(block);
    block = next;
    output.set(block.subarray(0, length - at), at);
  }
  wipe(block);
  return output;
}

/** {@linkcode extract}, then {@linkcode expand}. */
export function hkdf(
  salt: Uint8Array | undefined,
  material: Uint8Array,
  info: readonly Uint8Array[],
  length: number,
): Uint8Array<ArrayBuffer> {
  const key = extract(salt, material);
  try {
    return expand(key, info, length);
  } finally {
    wipe(key);
  }
}

function digest(algorithm: "sha256" | "sha512", parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash(algorithm);
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}
