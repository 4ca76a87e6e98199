/**
 * Which chunks of which blobs are asked for.
 *
 * ```text
 * spec  list of widths: unselected, selected, unselected, …; the last lasts for ever where it is the start of a selection
 * seq   list of (index less the one before, spec); a spec holds until the next, the last for ever
 * ```
 *
 * There is one form of each: no width but the first is 0, no step but the first is 0, and no spec is that before it.
 *
 * @module
 */
import { type ChunkRanges, isSameRanges, NOTHING } from "../bao/ranges.ts";
import type { WireReader, WireWriter } from "./varint.ts";
import { WireError } from "./wire_error.ts";

/** Widths of a spec. */
export const MAX_WIDTHS = 8192;
/** Entries of a seq. */
export const MAX_ENTRIES = 16384;
const END = 2n ** 64n;

/** What is asked for from a blob on: index 0 is the blob or the sequence itself, i + 1 its child i. */
export interface SeqEntry {
  /** The first blob it holds for. */
  readonly index: bigint;
  /** What is asked of each. */
  readonly ranges: ChunkRanges;
}

/** Entries by rising index; the last holds for ever. */
export type RangeSeq = readonly SeqEntry[];

/**
 * Reads a spec.
 *
 * @throws {WireError} It is not in its one form.
 */
export function readSpec(from: WireReader): ChunkRanges {
  const ranges: bigint[] = [];
  let at = 0n;
  for (let i = from.count(MAX_WIDTHS); i > 0; i--) {
    const width = from.u64();
    if (width === 0n && ranges.length > 0) throw new WireError("a width is 0");
    at += width;
    if (at >= END) throw new WireError("chunks lie above 64 bits");
    ranges.push(at);
  }
  return ranges;
}

/** Writes a spec. */
export function writeSpec(to: WireWriter, ranges: ChunkRanges): void {
  to.u64(ranges.length);
  ranges.forEach((at, i) => to.u64(i === 0 ? at : at - ranges[i - 1]));
}

/**
 * Reads a seq.
 *
 * @throws {WireError} It is not in its one form.
 */
export function readSeq(from: WireReader): RangeSeq {
  const entries: SeqEntry[] = [];
  let index = 0n;
  for (let i = from.count(MAX_ENTRIES); i > 0; i--) {
    const step = from.u64();
    if (step === 0n && entries.length > 0) throw new WireError("a step is 0");
    index += step;
    if (index >= END) throw new WireError("an index has more than 64 bits");
    const ranges = readSpec(from);
    if (isSameRanges(ranges, entries.at(-1)?.ranges ?? [])) throw new WireError("a spec is that before it");
    entries.push({ index, ranges });
  }
  return entries;
}

/** Writes a seq, whose specs differ from those before them. */
export function writeSeq(to: WireWriter, seq: RangeSeq): void {
  to.u64(seq.length);
  let before = 0n;
  for (const { index, ranges } of seq) {
    to.u64(index - before);
    writeSpec(to, ranges);
    before = index;
  }
}

/** What a seq asks of a blob. */
export function rangesAt(seq: RangeSeq, index: bigint): ChunkRanges {
  let low = 0;
  let high = seq.length;
  while (low < high) {
    const middle = low + high >> 1;
    if (seq[middle].index <= index) low = middle + 1;
    else high = middle;
  }
  return low === 0 ? [] : seq[low - 1].ranges;
}

/** A seq that asks for these of the blobs with the indexes 0, 1, …, and for nothing beyond. */
export function seqOf(all: readonly ChunkRanges[]): RangeSeq {
  const entries: SeqEntry[] = [];
  [...all, NOTHING].forEach((ranges, index) => {
    if (!isSameRanges(ranges, entries.at(-1)?.ranges ?? NOTHING)) entries.push({ index: BigInt(index), ranges });
  });
  return entries;
}

/** Whether a seq asks for anything of a blob with this index, or one after it. */
export function asksFrom(seq: RangeSeq, index: bigint): boolean {
  return rangesAt(seq, index).length > 0 || seq.some((entry) => entry.index > index && entry.ranges.length > 0);
}
