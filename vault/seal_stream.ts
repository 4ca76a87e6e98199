/**
 * Sealing of streams and of many bytes at once, in chunks.
 *
 * @module
 */

/**
 * Lends the sealing key of a version: 32 bytes that the borrower neither keeps past an `await`, writes to nor wipes.
 * Asked before each chunk, so that a stream ends with `VAULT_LOCKED` when the vault is locked under it.
 *
 * @throws {VaultError} `VAULT_LOCKED`; `INVALID_PATH` for a version below 2.
 */
export type SealingKeys = (version: number) => Uint8Array;

/** A stream that seals what passes through it. */
export function sealingStream(_keys: SealingKeys, _version: number): TransformStream<Uint8Array, Uint8Array> {
  throw new Error("to come");
}

/** A stream that opens what {@linkcode sealingStream} sealed. */
export function openingStream(_keys: SealingKeys): TransformStream<Uint8Array, Uint8Array> {
  throw new Error("to come");
}

/** Seals many bytes at once, over WebCrypto, in the form that {@linkcode sealingStream} writes. */
export function sealAll(_keys: SealingKeys, _version: number, _bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  throw new Error("to come");
}

/** Opens many bytes at once, over WebCrypto, in the form that {@linkcode sealingStream} writes. */
export function openAll(_keys: SealingKeys, _sealed: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  throw new Error("to come");
}
