/**
 * The order in which entries stand in a pack: as git's file beside it says, or as their offsets do (gitformat-pack,
 * "pack-*.rev files have the format").
 *
 * ```text
 * "RIDX" 00000001 00000001   positions in the index, by offset n * 4   SHA-1 of the pack   SHA-1 of all that
 * ```
 *
 * @module
 */

const HEAD = 12;
const SUMS = 40;

/** Entries by offset. */
export interface EntryOrder {
  /** Where entries begin, rising. */
  readonly offsets: Float64Array;
  /** Their positions in the index, in the same order. */
  readonly positions: Uint32Array;
}

/** The entries of a pack. */
export interface Offsets {
  /** How many. */
  readonly count: number;
  /** SHA-1 of the pack, 40 hex digits. */
  readonly packHash: string;
  /** Where the entry of a position begins. */
  offsetAt(position: number): number;
}

/** The order of entries. A file that is none, or of another pack, is as if there were none. */
export function entryOrder(entries: Offsets, reverse?: Uint8Array): EntryOrder {
  return (reverse && readOrder(entries, reverse)) ?? sortedOrder(entries);
}

/** As a file says; nothing where it does not hold for these entries. */
function readOrder({ count, packHash, offsetAt }: Offsets, bytes: Uint8Array): EntryOrder | undefined {
  if (bytes.byteLength !== HEAD + count * 4 + SUMS) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0) !== 0x52494458 || view.getUint32(4) !== 1 || view.getUint32(8) !== 1) return undefined;
  const end = bytes.byteLength - SUMS;
  if (bytes.subarray(end, end + 20).toHex() !== packHash) return undefined;
  const offsets = new Float64Array(count);
  const positions = new Uint32Array(count);
  for (let rank = 0, before = 0; rank < count; rank++) {
    const position = view.getUint32(HEAD + rank * 4);
    if (position >= count) return undefined;
    const offset = offsetAt(position);
    // Offsets that rise are those of entries of which each is there once.
    if (offset <= before) return undefined;
    before = offsets[rank] = offset;
    positions[rank] = position;
  }
  return { offsets, positions };
}

function sortedOrder({ count, offsetAt }: Offsets): EntryOrder {
  const offsets = Float64Array.from({ length: count }, (_, position) => offsetAt(position));
  let last = 0;
  for (const offset of offsets) last = Math.max(last, offset);
  const positions = new Uint32Array(count);
  if ((last + 1) * count > Number.MAX_SAFE_INTEGER) {
    for (let i = 0; i < count; i++) positions[i] = i;
    positions.sort((a, b) => offsets[a] - offsets[b]);
    return { offsets: Float64Array.from(positions, (position) => offsets[position]), positions };
  }
  // Numbers are sorted far faster than with a function that compares.
  const keys = offsets.map((offset, position) => offset * count + position).sort();
  for (let rank = 0; rank < count; rank++) {
    positions[rank] = keys[rank] % count;
    offsets[rank] = Math.floor(keys[rank] / count);
  }
  return { offsets, positions };
}
