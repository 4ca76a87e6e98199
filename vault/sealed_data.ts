/**
 * The frozen JSON form of sealed credentials.
 *
 * @module
 */

/** A credential sealed with AES-256-GCM, as it is stored: JSON whose form is frozen. */
export interface SealedData {
  /** Version of the sealing key, at least 2. */
  readonly key_version: number;
  /** 32 random bytes, base64. Unused since version 2; kept so that the form need not change. */
  readonly salt: string;
  /** 12 bytes, base64, fresh on every call. */
  readonly iv: string;
  /** Ciphertext, then the tag of 16 bytes; base64. */
  readonly data: string;
}

/**
 * Checks the form of sealed data.
 *
 * @throws {VaultError} `INVALID_SEALED_DATA`, naming the field.
 */
export function parseSealedData(_value: unknown): SealedData {
  throw new Error("to come");
}

/** Seals bytes under a key of 32 bytes, whose version is written down. */
export function sealWith(_key: Uint8Array, _version: number, _plaintext: Uint8Array): SealedData {
  throw new Error("to come");
}

/**
 * Opens what {@linkcode sealWith} sealed.
 *
 * @throws {VaultError} `DECRYPTION_FAILED`.
 */
export function openWith(_key: Uint8Array, _sealed: SealedData): Uint8Array<ArrayBuffer> {
  throw new Error("to come");
}
