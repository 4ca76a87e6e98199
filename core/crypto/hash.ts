/**
 * SHA-256 and SHA-512 (FIPS 180-4), HMAC (RFC 2104) and HKDF (RFC 5869), the last two with SHA-256.
 *
 * What is short, as keys are, is hashed by `@noble/hashes`: each call of `node:crypto` costs more than several blocks of
 * SHA-256, and HKDF, which is made of such calls, takes three times as long by it.
 *
 * @module
 */
import { expand as expandShort, extract as extractShort, hkdf as hkdfShort } from "@noble/hashes/hkdf.js";
import { hmac as shortHmac } from "@noble/hashes/hmac.js";
import { sha256 as shortSha256 } from "@noble/hashes/sha2.js";
import { createHash, createHmac } from "node:crypto";
import { joined, wipe } from "./bytes.ts";

/** Bytes of a digest of SHA-256. */
export const HASH_LENGTH = 32;
/** Bytes of a message from which `node:crypto` is the faster one. */
const LONG = 256;

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
  const long = parts.reduce((sum, { byteLength }) => sum + byteLength, 0) >= LONG;
  const mac = long ? createHmac("sha256", key) : shortHmac.create(shortSha256, key);
  for (const part of parts) mac.update(part);
  return new Uint8Array(mac.digest());
}

/**
 * A pseudorandom key of key material (RFC 5869 §2.2).
 *
 * @param salt Nothing stands for 32 zeros.
 */
export function extract(salt: Uint8Array | undefined, ...material: readonly Uint8Array[]): Uint8Array {
  const whole = joined(...material);
  try {
    return extractShort(shortSha256, whole, salt);
  } finally {
    wipe(whole);
  }
}

/**
 * Output of a pseudorandom key (RFC 5869 §2.3).
 *
 * @param key 32 bytes, of {@linkcode extract}.
 * @param info What it is for, in parts that are joined.
 * @param length Bytes wanted, to 8160.
 * @throws {RangeError} More, or a shorter key.
 */
export function expand(key: Uint8Array, info: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  checkLength(length);
  if (key.byteLength < HASH_LENGTH) throw new RangeError(`HKDF takes a key of 32 bytes, not ${key.byteLength}`);
  return expandShort(shortSha256, key, joined(...info), length) as Uint8Array<ArrayBuffer>;
}

/** {@linkcode extract}, then {@linkcode expand}. */
export function hkdf(
  salt: Uint8Array | undefined,
  material: Uint8Array,
  info: readonly Uint8Array[],
  length: number,
): Uint8Array<ArrayBuffer> {
  checkLength(length);
  return hkdfShort(shortSha256, material, salt, joined(...info), length) as Uint8Array<ArrayBuffer>;
}

function checkLength(length: number): void {
  if (length > 255 * HASH_LENGTH) throw new RangeError(`HKDF gives 8160 bytes at most, not ${length}`);
}

function digest(algorithm: "sha256" | "sha512", parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash(algorithm);
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}
