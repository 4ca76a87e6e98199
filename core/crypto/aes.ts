/**
 * AES-256 in the modes GCM (NIST SP 800-38D) and CTR (SP 800-38A §6.5).
 *
 * @module
 */
import { createCipheriv, createDecipheriv } from "node:crypto";
import { AlknetError } from "../errors.ts";

/** Bytes of a key. */
export const AES_KEY_LENGTH = 32;
/** Bytes of a nonce of GCM. */
export const GCM_NONCE_LENGTH = 12;
/** Bytes of a tag of GCM; shorter ones are never taken. */
export const GCM_TAG_LENGTH = 16;

/**
 * Seals.
 *
 * @param key 32 bytes.
 * @param nonce 12 bytes, never used before with this key.
 * @param plaintext Any number of bytes.
 * @param data Authenticated beside the plaintext, not part of the result.
 * @returns Ciphertext, then the tag of 16 bytes.
 * @throws {RangeError} Key or nonce have another length.
 */
export function sealGcm(
  key: Uint8Array,
  nonce: Uint8Array,
  plaintext: Uint8Array,
  data: Uint8Array = new Uint8Array(),
): Uint8Array<ArrayBuffer> {
  checkLengths(key, nonce);
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  cipher.setAAD(data);
  const sealed = new Uint8Array(plaintext.byteLength + GCM_TAG_LENGTH);
  sealed.set(cipher.update(plaintext));
  cipher.final();
  sealed.set(cipher.getAuthTag(), plaintext.byteLength);
  return sealed;
}

/**
 * Opens what {@linkcode sealGcm} sealed. Nothing of it is given out before the tag is right.
 *
 * @throws {AlknetError} `NOT_AUTHENTIC`, for another key or nonce, and bytes altered, cut or added.
 * @throws {RangeError} Key or nonce have another length.
 */
export function openGcm(
  key: Uint8Array,
  nonce: Uint8Array,
  sealed: Uint8Array,
  data: Uint8Array = new Uint8Array(),
): Uint8Array<ArrayBuffer> {
  checkLengths(key, nonce);
  const length = sealed.byteLength - GCM_TAG_LENGTH;
  if (length < 0) throw notAuthentic();
  const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: GCM_TAG_LENGTH });
  decipher.setAAD(data);
  decipher.setAuthTag(sealed.subarray(length));
  const plaintext = new Uint8Array(length);
  plaintext.set(decipher.update(sealed.subarray(0, length)));
  try {
    decipher.final();
  } catch {
    plaintext.fill(0);
    throw notAuthentic();
  }
  return plaintext;
}

/**
 * Bytes XORed with the key stream of CTR.
 *
 * @param counter 16 bytes: the first counter block.
 * @throws {RangeError} Key or counter have another length.
 */
export function ctr(key: Uint8Array, counter: Uint8Array, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  if (key.byteLength !== AES_KEY_LENGTH || counter.byteLength !== 16) {
    throw new RangeError(
      `CTR takes 32 bytes of key and 16 of counter, not ${key.byteLength} and ${counter.byteLength}`,
    );
  }
  const cipher = createCipheriv("aes-256-ctr", key, counter);
  // All of it: a stream has no last block that is held back. The Buffer is not returned, for its slice() shares memory.
  const { buffer, byteOffset, byteLength } = cipher.update(bytes);
  cipher.final();
  return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
}

function checkLengths(key: Uint8Array, nonce: Uint8Array): void {
  if (key.byteLength === AES_KEY_LENGTH && nonce.byteLength === GCM_NONCE_LENGTH) return;
  throw new RangeError(`GCM takes 32 bytes of key and 12 of nonce, not ${key.byteLength} and ${nonce.byteLength}`);
}

function notAuthentic(): AlknetError {
  return new AlknetError("NOT_AUTHENTIC", "what was sealed does not open: another key, or bytes that were altered");
}
