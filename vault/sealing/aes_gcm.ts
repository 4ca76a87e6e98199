/**
 * AES-256-GCM (NIST SP 800-38D), synchronous, for what is small: the one primitive under sealed credentials.
 *
 * It is `node:crypto` at every size: an encryption of 64 bytes takes 6 µs there, 20 µs in `@noble/ciphers` and 70 µs in
 * WebCrypto, whose answer comes through another thread; of 1 KiB 18, 71 and 117 µs. Only from some 16 KiB on is
 * WebCrypto faster, and it is asynchronous: the bulk pair of `seal_stream.ts` uses it.
 *
 * @module
 */
import { type CipherGCM, createCipheriv, createDecipheriv, type DecipherGCM } from "node:crypto";
import { VaultError } from "../errors.ts";

/** Bytes of a key of AES-256. */
export const KEY_LENGTH = 32;
/** Bytes of an initialisation vector: the length for which GCM needs no further hashing (SP 800-38D §5.2.1.1). */
export const IV_LENGTH = 12;
/** Bytes of a tag: the longest there is (SP 800-38D §5.2.1.2); shorter ones are never taken. */
export const TAG_LENGTH = 16;

const ALGORITHM = "aes-256-gcm";

/**
 * Encrypts and authenticates (SP 800-38D §7.1).
 *
 * @param key 32 bytes.
 * @param iv 12 bytes, never used before with this key.
 * @param plaintext Any number of bytes.
 * @param associatedData Authenticated beside the plaintext, not part of the result.
 * @returns Ciphertext, then the tag of 16 bytes.
 * @throws {RangeError} When key or iv have another length.
 */
export function encryptAesGcm(
  key: Uint8Array,
  iv: Uint8Array,
  plaintext: Uint8Array,
  associatedData?: Uint8Array,
): Uint8Array<ArrayBuffer> {
  checkLengths(key, iv);
  const cipher: CipherGCM = createCipheriv(ALGORITHM, key, iv);
  if (associatedData) cipher.setAAD(associatedData);
  const sealed = new Uint8Array(plaintext.byteLength + TAG_LENGTH);
  sealed.set(cipher.update(plaintext));
  cipher.final();
  sealed.set(cipher.getAuthTag(), plaintext.byteLength);
  return sealed;
}

/**
 * Verifies and decrypts (SP 800-38D §7.2). Nothing of the plaintext is given when the tag is wrong.
 *
 * @param key 32 bytes.
 * @param iv 12 bytes.
 * @param sealed Ciphertext, then the tag of 16 bytes.
 * @param associatedData What was given at encryption.
 * @returns The plaintext, which the caller wipes.
 * @throws {VaultError} `DECRYPTION_FAILED` for a wrong key and for altered bytes alike.
 * @throws {RangeError} When key or iv have another length.
 */
export function decryptAesGcm(
  key: Uint8Array,
  iv: Uint8Array,
  sealed: Uint8Array,
  associatedData?: Uint8Array,
): Uint8Array<ArrayBuffer> {
  checkLengths(key, iv);
  const length = sealed.byteLength - TAG_LENGTH;
  if (length < 0) throw decryptionFailed();
  const decipher: DecipherGCM = createDecipheriv(ALGORITHM, key, iv);
  if (associatedData) decipher.setAAD(associatedData);
  decipher.setAuthTag(sealed.subarray(length));
  const unverified = decipher.update(sealed.subarray(0, length));
  try {
    decipher.final();
    return new Uint8Array(unverified);
  } catch {
    // No cause: what the library says about it could tell one way to fail from another.
    throw decryptionFailed();
  } finally {
    unverified.fill(0);
  }
}

/** The one error of every sealed thing that does not open; it gives no detail, so that it cannot guide a forger. */
export function decryptionFailed(): VaultError {
  return new VaultError(
    "DECRYPTION_FAILED",
    "the sealed data does not open: it was sealed by another vault or was altered; use the vault that sealed it, or a copy",
  );
}

function checkLengths(key: Uint8Array, iv: Uint8Array): void {
  if (key.byteLength !== KEY_LENGTH) throw new RangeError(`key has ${key.byteLength} bytes, must have ${KEY_LENGTH}`);
  if (iv.byteLength !== IV_LENGTH) throw new RangeError(`iv has ${iv.byteLength} bytes, must have ${IV_LENGTH}`);
}
