/**
 * What a vault refuses, by code.
 *
 * @module
 */

/**
 * Codes of {@linkcode VaultError}.
 *
 * | code | when |
 * | --- | --- |
 * | `VAULT_LOCKED` | a derivation, seal or open without an unlocked vault |
 * | `ALREADY_UNLOCKED` | a second unlock |
 * | `INVALID_PHRASE` | wrong count of words, a word outside the list, or a checksum that does not fit |
 * | `INVALID_PATH` | a path that is malformed, or that the scheme does not allow |
 * | `INVALID_EXTENDED_KEY` | an `xprv` or `xpub` that BIP-32 does not allow |
 * | `INVALID_SEALED_DATA` | sealed data of another shape; the message names the field |
 * | `DECRYPTION_FAILED` | another key, altered bytes or bad base64: no detail says which |
 * | `KEY_DISPOSED` | a derived key used after `dispose` |
 */
export type VaultErrorCode =
  | "VAULT_LOCKED"
  | "ALREADY_UNLOCKED"
  | "INVALID_PHRASE"
  | "INVALID_PATH"
  | "INVALID_EXTENDED_KEY"
  | "INVALID_SEALED_DATA"
  | "DECRYPTION_FAILED"
  | "KEY_DISPOSED";

/**
 * What a vault refuses. Programs read the `code`, people the message: what was wrong, where, and what to do. Neither
 * ever holds a phrase, a key or a plaintext. Mistakes of a programmer stay TypeError and RangeError.
 */
export class VaultError extends Error {
  /** The class, as it stands before the message. */
  override readonly name = "VaultError";
  /** Which of the refusals it is. */
  readonly code: VaultErrorCode;

  /**
   * A refusal.
   *
   * @param code Which.
   * @param message What was wrong, where, and what to do.
   */
  constructor(code: VaultErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
