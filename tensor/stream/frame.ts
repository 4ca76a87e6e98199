/**
 * Frames of a transfer (tensor.md §12.1).
 *
 * ```text
 * offset  size  content
 * 0       4     index of the entry, in the order of offsets, padding included
 * 4       8     first byte, relative to the entry
 * 12      8     bytes that follow
 * 20      4     flags: 0
 * 24      8     reserved: 0
 * ```
 *
 * All numbers are little-endian. A stream begins with one head and ends with its bytes.
 *
 * @module
 */
import { TensorError } from "../format/errors.ts";

/** Bytes of a head. */
export const FRAME_HEAD = 32;

/** A part of an entry under way. */
export interface Frame {
  /** Index of the entry. */
  readonly index: number;
  /** First byte, relative to the entry. */
  readonly start: number;
  /** Bytes. */
  readonly length: number;
}

/** The bytes of a head. */
export function encodeFrame({ index, start, length }: Frame): Uint8Array<ArrayBuffer> {
  const head = new Uint8Array(FRAME_HEAD);
  const view = new DataView(head.buffer);
  view.setUint32(0, index, true);
  view.setBigUint64(4, BigInt(start), true);
  view.setBigUint64(12, BigInt(length), true);
  return head;
}

/**
 * Reads a head.
 *
 * @throws {TensorError} `E_FRAME` flags or reserved bytes that are not zeros.
 */
export function decodeFrame(head: Uint8Array): Frame {
  const view = new DataView(head.buffer, head.byteOffset, FRAME_HEAD);
  if (view.getUint32(20, true) !== 0 || view.getBigUint64(24, true) !== 0n) {
    throw new TensorError("E_FRAME", "a frame has flags or reserved bytes that this version does not know");
  }
  const [start, length] = [Number(view.getBigUint64(4, true)), Number(view.getBigUint64(12, true))];
  return { index: view.getUint32(0, true), start, length };
}
