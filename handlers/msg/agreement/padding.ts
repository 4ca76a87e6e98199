/**
 * Classes of size: an envelope is as long as its class, whatever is in it (msg.md §3).
 *
 * ```text
 * padded: u32 length | content | zeros
 * ```
 *
 * @module
 */
import { AlknetError, joined } from "@alknet/core/crypto";
import { readU32, u32 } from "./labels.ts";

/** Bytes of an envelope. */
export type Size = 1024 | 2048 | 4096 | 8192 | 16384;
/** All of them, in order. */
export const SIZES: readonly Size[] = [1024, 2048, 4096, 8192, 16384];

/** Whether a number of bytes is that of a class. */
export function isSize(length: number): length is Size {
  return (SIZES as readonly number[]).includes(length);
}

/**
 * The smallest class that has room.
 *
 * @param length Bytes of the content.
 * @param overhead Bytes of the envelope that are no content.
 * @param least The smallest class that may be.
 * @throws {AlknetError} `TOO_LONG`.
 */
export function smallestSize(length: number, overhead: number, least: Size = 1024): Size {
  const size = SIZES.find((size) => size >= least && size - overhead >= length);
  if (size !== undefined) return size;
  throw new AlknetError(
    "TOO_LONG",
    `a message of ${length} bytes, its particulars included, is too long: ${16384 - overhead} fit`,
  );
}

/** Content with its length before it and zeros behind it. */
export function padded(content: Uint8Array, length: number): Uint8Array {
  if (content.byteLength + 4 > length) throw new RangeError(`${content.byteLength} bytes do not fit into ${length}`);
  const whole = new Uint8Array(length);
  whole.set(joined(u32(content.byteLength), content));
  return whole;
}

/** The content of what was padded; nothing where anything but zeros is behind it. */
export function unpadded(bytes: Uint8Array): Uint8Array | undefined {
  if (bytes.byteLength < 4) return undefined;
  const end = 4 + readU32(bytes);
  if (end > bytes.byteLength || bytes.subarray(end).some((byte) => byte !== 0)) return undefined;
  return bytes.slice(4, end);
}
