/**
 * The format of sealed bytes in bulk, a stream or a whole: a header, then chunks in the STREAM construction (Hoang,
 * Reyhanitabar, Rogaway and Vizár, *Online Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance*, 2015).
 *
 * ```text
 * offset  bytes
 * 0       7      "alkseal"
 * 7       1      format, 1
 * 8       4      version of the sealing key, big-endian
 * 12      32     salt, random
 * 44      …      chunks: AES-256-GCM of 64 KiB of plaintext each, the last of what is left; each with its tag of 16 bytes
 * ```
 *
 * Chunks are sealed under HKDF-SHA-256 (RFC 5869) of the sealing key, the salt, and the header as info, so that each
 * stream has a key of its own and a changed header opens nothing. The nonce of a chunk is 3 zero bytes, its number in
 * 8 bytes big-endian, and 1 when it is the last, else 0: chunks that are cut off, swapped, repeated or appended do not
 * verify. The last chunk is empty only where the whole is.
 *
 * @module
 */
import { hkdfSync } from "node:crypto";
import { decryptionFailed, IV_LENGTH, KEY_LENGTH, TAG_LENGTH } from "./aes_gcm.ts";
import { VaultError } from "../errors.ts";
import { wipe } from "../secret_bytes.ts";

/** Bytes of plaintext in each chunk but the last. */
export const CHUNK_LENGTH = 64 * 1024;
/** Bytes of each sealed chunk but the last. */
export const SEALED_CHUNK_LENGTH = CHUNK_LENGTH + TAG_LENGTH;
/** Bytes before the first chunk. */
export const HEADER_LENGTH = 44;
/**
 * Chunks that are worked on at once. WebCrypto works on other threads, so with one at a time each would wait for the
 * next to be asked for: measured on 2 cores, 1 gives 370 MB/s, 2 600, 4 750, 8 no more.
 */
export const CHUNKS_AT_ONCE = 4;

const MAGIC = new TextEncoder().encode("alkseal");
const FORMAT = 1;
const VERSION_OFFSET = 8;
const SALT_OFFSET = 12;

/**
 * Lends the sealing key of a version: 32 bytes that the borrower neither keeps past an `await`, writes to nor wipes.
 * Asked before each chunk, so that a stream ends with `VAULT_LOCKED` when the vault is locked under it.
 *
 * @throws {VaultError} `VAULT_LOCKED`; `INVALID_PATH` for a version below 2.
 */
export type SealingKeys = (version: number) => Uint8Array;

/** A header of a new stream, with a fresh salt. */
export function newHeader(keyVersion: number): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(HEADER_LENGTH);
  header.set(MAGIC);
  header[MAGIC.length] = FORMAT;
  new DataView(header.buffer).setUint32(VERSION_OFFSET, keyVersion);
  crypto.getRandomValues(header.subarray(SALT_OFFSET));
  return header;
}

/**
 * The version of the sealing key that a header names.
 *
 * @throws {VaultError} `INVALID_SEALED_DATA` when it is too short, or not the header of this format.
 */
export function keyVersionOf(header: Uint8Array): number {
  if (MAGIC.some((byte, i) => header[i] !== byte)) throw invalid(`it must begin with the word alkseal`);
  if (header.length < HEADER_LENGTH) {
    throw invalid(`it ends within the first ${HEADER_LENGTH} bytes; take a whole copy`);
  }
  const format = header[MAGIC.length];
  if (format !== FORMAT) throw invalid(`its format is ${format}, this version reads ${FORMAT}; use a newer one`);
  return new DataView(header.buffer, header.byteOffset).getUint32(VERSION_OFFSET);
}

/** Seals and opens the chunks of one stream, each of which it numbers as it is called. */
export class ChunkCipher {
  readonly #keys: SealingKeys;
  readonly #version: number;
  readonly #key: CryptoKey;
  #chunks = 0;

  private constructor(keys: SealingKeys, version: number, key: CryptoKey) {
    this.#keys = keys;
    this.#version = version;
    this.#key = key;
  }

  /**
   * The cipher of a stream.
   *
   * @param keys Asked for the key of the version that the header names, before this returns.
   * @param header The whole header.
   * @throws {VaultError} As {@linkcode keyVersionOf}, and what `keys` throws.
   */
  static async of(keys: SealingKeys, header: Uint8Array): Promise<ChunkCipher> {
    const version = keyVersionOf(header);
    const raw = new Uint8Array(hkdfSync("sha256", keys(version), header.subarray(SALT_OFFSET), header, KEY_LENGTH));
    try {
      const key = await crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt", "decrypt"]);
      return new ChunkCipher(keys, version, key);
    } finally {
      wipe(raw);
    }
  }

  /** Seals the next chunk, which is read before this returns: WebCrypto copies what it is given. */
  async seal(chunk: Uint8Array, last: boolean): Promise<Uint8Array<ArrayBuffer>> {
    this.#keys(this.#version);
    return new Uint8Array(await crypto.subtle.encrypt(this.#nextNonce(last), this.#key, ofAnyMemory(chunk)));
  }

  /**
   * Opens the next chunk, which is read before this returns.
   *
   * @throws {VaultError} `DECRYPTION_FAILED` when it is not the chunk that belongs here.
   */
  async open(sealed: Uint8Array, last: boolean): Promise<Uint8Array<ArrayBuffer>> {
    this.#keys(this.#version);
    const first = this.#chunks === 0;
    let chunk: Uint8Array<ArrayBuffer>;
    try {
      chunk = new Uint8Array(await crypto.subtle.decrypt(this.#nextNonce(last), this.#key, ofAnyMemory(sealed)));
    } catch {
      throw decryptionFailed();
    }
    if (chunk.length === 0 && !first) throw decryptionFailed();
    return chunk;
  }

  #nextNonce(last: boolean): AesGcmParams {
    const iv = new Uint8Array(IV_LENGTH);
    new DataView(iv.buffer).setBigUint64(3, BigInt(this.#chunks++));
    iv[IV_LENGTH - 1] = last ? 1 : 0;
    return { name: "AES-GCM", iv };
  }
}

/** WebCrypto's types refuse memory that threads share, which it takes: it copies before it works. */
function ofAnyMemory(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes as Uint8Array<ArrayBuffer>;
}

function invalid(what: string): VaultError {
  return new VaultError("INVALID_SEALED_DATA", `not a stream that a vault sealed: ${what}`);
}
