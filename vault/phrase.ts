/**
 * Phrases of words that stand for entropy, and the seeds made from them (BIP-39, English list).
 *
 * @module
 */

/** Counts of words that a phrase may have (BIP-39, "Generating the mnemonic"). */
export type WordCount = 12 | 15 | 18 | 21 | 24;

/** A new phrase from the system's CSPRNG. */
export function generatePhrase(_words: WordCount = 24): string {
  throw new Error("to come");
}

/**
 * A phrase as a person typed it, made canonical (NFKD, lower case, single spaces) and checked.
 *
 * @throws {VaultError} `INVALID_PHRASE`.
 */
export function readPhrase(_typed: string): string {
  throw new Error("to come");
}

/**
 * The entropy of a canonical phrase: 16, 20, 24, 28 or 32 bytes.
 *
 * @throws {VaultError} `INVALID_PHRASE`.
 */
export function entropyOf(_phrase: string): Uint8Array<ArrayBuffer> {
  throw new Error("to come");
}

/**
 * The phrase of entropy.
 *
 * @param entropy 16, 20, 24, 28 or 32 bytes.
 */
export function phraseOf(_entropy: Uint8Array): string {
  throw new Error("to come");
}

/** The seed of a canonical phrase: 64 bytes. */
export function seedOf(_phrase: string, _passphrase = ""): Uint8Array<ArrayBuffer> {
  throw new Error("to come");
}
