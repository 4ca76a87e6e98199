/**
 * What is stored is not the blob.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { CHUNK } from "./tree.ts";

/** `BLOB_CORRUPT`: data or pairs that are stored do not hash to what stands above them. */
export class CorruptError extends AlknetError {
  /** The class, as it stands before the message. */
  override readonly name = "CorruptError";
  /** Which of the two. */
  readonly what: "data" | "outboard";
  /** The byte of the blob at which it is wrong, to the group. */
  readonly at: number;

  /**
   * The error of a blob.
   *
   * @param start Index of the chunk at which it is wrong.
   */
  constructor(hash: Uint8Array, what: "data" | "outboard", start: number) {
    const at = start * CHUNK;
    super("BLOB_CORRUPT", `blob ${hash.toHex().slice(0, 10)}: its stored ${what} is wrong at byte ${at}`);
    this.what = what;
    this.at = at;
  }
}
