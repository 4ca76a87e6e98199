/**
 * Sealed credentials: the frozen JSON form, under AES-256-GCM with a versioned key.
 *
 * ```json
 * { "key_version": 2, "salt": "<base64, 32 bytes>", "iv": "<base64, 12 bytes>", "data": "<base64, ciphertext then tag>" }
 * ```
 *
 * The iv is fresh for every seal. One key may seal 2³² times before two random ivs become likely enough to matter
 * (NIST SP 800-38D §8.3); rotate to the next version long before. The salt is random and, in version 2 and above,
 * unused: it is kept so that the form need not change. Base64 is the standard alphabet, padded, and canonical, so that
 * no two texts stand for the same bytes (RFC 4648 §4, §3.5).
 *
 * @module
 */
import { decryptAesGcm, decryptionFailed, encryptAesGcm, IV_LENGTH } from "./aes_gcm.ts";
import { VaultError } from "../errors.ts";

const SALT_LENGTH = 32;
/** The form holds the version as 32 bits; the Rust vault, which shares the form, reads no more. */
const MAX_KEY_VERSION = 0xffff_ffff;
const FIELDS = ["key_version", "salt", "iv", "data"] as const;

/** A sealed credential as it is stored. It holds no plaintext and may be printed. */
export interface SealedData {
  /** The version of the sealing key that opens it; 2 or above. */
  readonly key_version: number;
  /** Base64 of 32 random bytes, unused. */
  readonly salt: string;
  /** Base64 of the 12 bytes of the initialisation vector. */
  readonly iv: string;
  /** Base64 of the ciphertext and, after it, the tag of 16 bytes. */
  readonly data: string;
}

/**
 * Checks the form of something that should be sealed data, and copies it. Whether the fields hold what they should
 * shows only when it is opened.
 *
 * @param value What `JSON.parse` gave.
 * @returns A copy with exactly the four fields.
 * @throws {VaultError} `INVALID_SEALED_DATA`, naming the field that is missing, of a wrong type, or unknown.
 */
export function parseSealedData(value: unknown): SealedData {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw invalid(`it is ${kindOf(value)}, must be an object with the fields ${FIELDS.join(", ")}`);
  }
  const { key_version, salt, iv, data } = value as Record<string, unknown>;
  for (const field of FIELDS) {
    if (!Object.hasOwn(value, field)) throw invalid(`the field ${field} is missing`);
  }
  const unknown = Object.keys(value).find((key) => !(FIELDS as readonly string[]).includes(key));
  if (unknown !== undefined) throw invalid(`the field ${quoted(unknown)} is unknown; remove it`);
  if (typeof key_version !== "number") throw invalid(`key_version is ${kindOf(key_version)}, must be a number`);
  if (!Number.isInteger(key_version) || key_version < 0 || key_version > MAX_KEY_VERSION) {
    throw invalid(`key_version is ${key_version}, must be a whole number from 0 to ${MAX_KEY_VERSION}`);
  }
  return { key_version, salt: text("salt", salt), iv: text("iv", iv), data: text("data", data) };
}

/**
 * Seals bytes (NIST SP 800-38D §7.1) with a fresh random iv.
 *
 * @param key The sealing key of that version, 32 bytes.
 * @param keyVersion Written into the result.
 * @param plaintext Any number of bytes.
 */
export function sealWith(key: Uint8Array, keyVersion: number, plaintext: Uint8Array): SealedData {
  // One call for both: a call costs a microsecond, whatever the length.
  const random = crypto.getRandomValues(new Uint8Array(SALT_LENGTH + IV_LENGTH));
  const iv = random.subarray(SALT_LENGTH);
  return {
    key_version: keyVersion,
    salt: random.subarray(0, SALT_LENGTH).toBase64(),
    iv: iv.toBase64(),
    data: encryptAesGcm(key, iv, plaintext).toBase64(),
  };
}

/**
 * Opens sealed data (NIST SP 800-38D §7.2).
 *
 * @param key The sealing key of the version that the data names, 32 bytes.
 * @param sealed What {@link parseSealedData} gave.
 * @returns The plaintext, which the caller wipes.
 * @throws {VaultError} `DECRYPTION_FAILED` for a wrong key, altered bytes and bad base64 alike.
 */
export function openWith(key: Uint8Array, sealed: SealedData): Uint8Array<ArrayBuffer> {
  decoded(sealed.salt, SALT_LENGTH);
  return decryptAesGcm(key, decoded(sealed.iv, IV_LENGTH), decoded(sealed.data));
}

/**
 * The bytes of a text to be sealed, in UTF-8.
 *
 * @returns Bytes, which the caller wipes.
 * @throws {TypeError} When the text holds half a surrogate pair, which UTF-8 has no bytes for.
 */
export function encodeText(plaintext: string): Uint8Array<ArrayBuffer> {
  if (typeof plaintext !== "string") throw new TypeError(`the text to seal is ${kindOf(plaintext)}, must be a string`);
  if (!plaintext.isWellFormed()) {
    throw new TypeError("the text to seal has a lone surrogate and would not come back the same; seal its bytes");
  }
  return new TextEncoder().encode(plaintext);
}

/**
 * The text of opened bytes.
 *
 * @throws {VaultError} `DECRYPTION_FAILED` when they are not UTF-8: bytes are opened by a method of their own.
 */
export function decodeText(plaintext: Uint8Array): string {
  try {
    // Without ignoreBOM a text that begins with U+FEFF would come back shorter than it was sealed.
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(plaintext);
  } catch {
    throw decryptionFailed();
  }
}

function text(field: string, value: unknown): string {
  if (typeof value !== "string") throw invalid(`${field} is ${kindOf(value)}, must be a string in base64`);
  return value;
}

function decoded(base64: string, length?: number): Uint8Array<ArrayBuffer> {
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = Uint8Array.fromBase64(base64, { lastChunkHandling: "strict" });
  } catch {
    throw decryptionFailed();
  }
  // The decoder passes over white space: only this comparison leaves one text for one value.
  if (bytes.toBase64() !== base64 || bytes.length !== (length ?? bytes.length)) throw decryptionFailed();
  return bytes;
}

function invalid(what: string): VaultError {
  return new VaultError("INVALID_SEALED_DATA", `not sealed data: ${what}`);
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (value === undefined) return "undefined";
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/** A name from outside: cut to a length fit for a message, and without what would play with a terminal. */
function quoted(name: string): string {
  return JSON.stringify(name.length > 32 ? `${name.slice(0, 32)}…` : name);
}
