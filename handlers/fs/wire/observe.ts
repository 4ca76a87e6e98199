/**
 * Answers to Observe: items behind their length, the first the state, the others what changed of it.
 *
 * ```text
 * item  LEB128 length; LEB128 size, list of absolute boundaries
 * ```
 *
 * @module
 */
import { areRanges, type ChunkRanges } from "../bao/ranges.ts";
import { MAX_WIDTHS } from "./range_spec.ts";
import { WireReader, WireWriter } from "./varint.ts";
import { WireError } from "./wire_error.ts";

/** What a provider has of a blob. */
export interface ObserveItem {
  /** Bytes of the blob, as far as it knows. */
  readonly size: bigint;
  /** Chunks it has, or since the item before has or has not. */
  readonly ranges: ChunkRanges;
}

/** Writes an item. */
export function writeItem({ size, ranges }: ObserveItem): Uint8Array<ArrayBuffer> {
  const body = new WireWriter().u64(size).u64(ranges.length);
  for (const at of ranges) body.u64(at);
  const bytes = body.done();
  return new WireWriter().u64(bytes.byteLength).bytes(bytes).done();
}

/**
 * Reads an item without the length in front.
 *
 * @throws {WireError} It is none.
 */
export function readItem(bytes: Uint8Array): ObserveItem {
  const from = new WireReader(bytes);
  const size = from.u64();
  const ranges: bigint[] = [];
  for (let i = from.count(MAX_WIDTHS); i > 0; i--) ranges.push(from.u64());
  from.end();
  if (!areRanges(ranges)) throw new WireError("boundaries do not rise");
  return { size, ranges };
}
