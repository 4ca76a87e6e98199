/**
 * AES-256-GCM (NIST SP 800-38D) with a 96-bit IV and a 128-bit tag.
 *
 * @module
 */

/**
 * Encrypts.
 *
 * @param key 32 bytes.
 * @param iv 12 bytes, never used before with this key.
 * @returns The ciphertext, then the tag of 16 bytes.
 */
export function encryptAesGcm(
  _key: Uint8Array,
  _iv: Uint8Array,
  _plaintext: Uint8Array,
  _associatedData?: Uint8Array,
): Uint8Array<ArrayBuffer> {
  throw new Error("to come");
}

/**
 * Decrypts.
 *
 * @param key 32 bytes.
 * @param iv 12 bytes.
 * @param sealed The ciphertext, then the tag of 16 bytes.
 * @throws {VaultError} `DECRYPTION_FAILED`.
 */
export function decryptAesGcm(
  _key: Uint8Array,
  _iv: Uint8Array,
  _sealed: Uint8Array,
  _associatedData?: Uint8Array,
): Uint8Array<ArrayBuffer> {
  throw new Error("to come");
}
