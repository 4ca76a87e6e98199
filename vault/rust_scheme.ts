/**
 * The key derivation of the earlier Rust vault, kept to open what it sealed.
 *
 * @module
 */

/**
 * The AES-256 key of 32 bytes that the earlier Rust vault sealed with.
 *
 * @param seed BIP-39 seed, 64 bytes.
 * @param version Key version, at least 2.
 */
export function rustSealingKey(_seed: Uint8Array, _version: number): Uint8Array<ArrayBuffer> {
  throw new Error("to come");
}
