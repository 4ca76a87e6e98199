/**
 * Columns that say nothing to whoever reads the file (msg.md §3.1).
 *
 * ```text
 * secret: nonce 12 | GCM(HKDF(salt in meta, store key, L(store), 32), AAD table, 00, primary key)
 * primary key: of each column u8 length and bytes; whole numbers as u64
 * ```
 *
 * @module
 */
import {
  AlknetError,
  ascii,
  hkdf,
  joined,
  openGcm,
  type Random,
  sealGcm,
  systemBytes,
  wipe,
} from "@alknet/core/crypto";
import { label, SEPARATOR } from "../agreement/labels.ts";

/** A column of a primary key. */
export type KeyPart = Uint8Array | string | number;

/** Seals and opens columns of one database. */
export class SealedColumn implements Disposable {
  readonly #key: Uint8Array;
  readonly #random: Random;

  /**
   * @param storeKey 32 bytes.
   * @param salt Of the database.
   */
  constructor(storeKey: Uint8Array, salt: Uint8Array, random: Random = systemBytes) {
    this.#key = hkdf(salt, storeKey, [label("store")], 32);
    this.#random = random;
  }

  /** Seals what a row of a table holds. */
  seal(table: string, key: readonly KeyPart[], secret: Uint8Array): Uint8Array {
    const nonce = this.#random(12);
    return joined(nonce, sealGcm(this.#key, nonce, secret, placeOf(table, key)));
  }

  /**
   * Opens what a row of a table holds.
   *
   * @throws {AlknetError} `MESSAGE_STORE`: it was sealed with another key, or for another row, or altered.
   */
  open(table: string, key: readonly KeyPart[], sealed: Uint8Array): Uint8Array {
    try {
      return openGcm(this.#key, sealed.subarray(0, 12), sealed.subarray(12), placeOf(table, key));
    } catch (cause) {
      throw new AlknetError(
        "MESSAGE_STORE",
        `a row of ${table} in msg.sqlite does not open with the keys of this vault, or was altered`,
        { cause },
      );
    }
  }

  /** Wipes the key. */
  [Symbol.dispose](): void {
    wipe(this.#key);
  }
}

function placeOf(table: string, key: readonly KeyPart[]): Uint8Array {
  const parts = key.map(bytesOf).flatMap((bytes) => [Uint8Array.of(bytes.byteLength), bytes]);
  return joined(ascii(table), SEPARATOR, ...parts);
}

function bytesOf(part: KeyPart): Uint8Array {
  if (part instanceof Uint8Array) return part;
  if (typeof part === "string") return new TextEncoder().encode(part);
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(part));
  return bytes;
}
