/**
 * `.bits`: which groups of a partial blob are on the disk (fs.md §5.2).
 *
 * ```text
 * "ALKBITS1", size (u64, little-endian), hash (32), a bit a group (the lowest first), first 8 bytes of BLAKE3 of all that
 * ```
 *
 * @module
 */
import { hashOf } from "../../bao/hasher.ts";
import { groupsOf, HASH, MAX_SIZE } from "../../bao/tree.ts";
import { GroupSet } from "./group_set.ts";

const MAGIC = new TextEncoder().encode("ALKBITS1");
const HEAD = MAGIC.byteLength + 8 + HASH;
const CHECK = 8;

/** What a `.bits` says. */
export interface Bits {
  /** Bytes of the blob, as they were claimed. */
  readonly size: number;
  /** The groups that are there. */
  readonly groups: GroupSet;
}

/** Writes it. */
export function writeBits(hash: Uint8Array, { size, groups }: Bits): Uint8Array<ArrayBuffer> {
  const bits = Math.ceil(groupsOf(size) / 8);
  const bytes = new Uint8Array(HEAD + bits + CHECK);
  bytes.set(MAGIC);
  new DataView(bytes.buffer).setBigUint64(MAGIC.byteLength, BigInt(size), true);
  bytes.set(hash, MAGIC.byteLength + 8);
  for (const [from, to] of groups.runs()) {
    for (let group = from; group < to;) {
      if (group % 8 === 0 && to - group >= 8) {
        const whole = Math.floor((to - group) / 8);
        bytes.fill(0xff, HEAD + group / 8, HEAD + group / 8 + whole);
        group += whole * 8;
      } else {
        bytes[HEAD + Math.floor(group / 8)] |= 1 << group % 8;
        group++;
      }
    }
  }
  bytes.set(hashOf(bytes.subarray(0, HEAD + bits)).subarray(0, CHECK), HEAD + bits);
  return bytes;
}

/** Reads it; nothing where it is not that of the blob, or not whole. */
export function readBits(hash: Uint8Array, bytes: Uint8Array): Bits | undefined {
  if (bytes.byteLength < HEAD + CHECK) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = view.getBigUint64(MAGIC.byteLength, true);
  if (size > BigInt(MAX_SIZE)) return undefined;
  const groups = groupsOf(Number(size));
  const end = HEAD + Math.ceil(groups / 8);
  if (bytes.byteLength !== end + CHECK) return undefined;
  const isSame = (at: number, expected: Uint8Array): boolean => expected.every((byte, i) => bytes[at + i] === byte);
  if (!isSame(0, MAGIC) || !isSame(MAGIC.byteLength + 8, hash)) return undefined;
  if (!isSame(end, hashOf(bytes.subarray(0, end)).subarray(0, CHECK))) return undefined;
  const found = new GroupSet();
  let from = -1;
  for (let i = HEAD; i < end; i++) {
    // Whole bytes of one kind are most of them.
    if (bytes[i] === (from < 0 ? 0 : 0xff)) continue;
    for (let bit = 0; bit < 8; bit++) {
      const group = (i - HEAD) * 8 + bit;
      const isThere = (bytes[i] >> bit & 1) === 1;
      if (isThere && from < 0) from = group;
      else if (!isThere && from >= 0) {
        found.add(from, group);
        from = -1;
      }
    }
  }
  if (from >= 0) found.add(from, groups);
  return { size: Number(size), groups: found };
}
