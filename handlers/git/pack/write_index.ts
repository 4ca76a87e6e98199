/**
 * The two files beside a pack: its index, version 2, and the order of its entries (gitformat-pack, "Version 2 pack-*.idx
 * files", "pack-*.rev files have the format").
 *
 * ```text
 * "RIDX" 00000001 00000001   positions in the index, by offset n * 4   SHA-1 of the pack   SHA-1 of all that
 * ```
 *
 * @module
 */
import { createHash } from "node:crypto";
import { OID_BYTES } from "../objects/oid.ts";
import type { Entries } from "./entries.ts";

const FAN_OUT = 8;
const OIDS = FAN_OUT + 256 * 4;
const WORDS = OID_BYTES / 4;
/** Offsets from here on stand in a table of their own. */
const LARGE = 0x80000000;

/**
 * The bytes of an index.
 *
 * @param sorted Numbers of all entries, in the order of their object ids.
 * @param packHash SHA-1 of the pack.
 */
export function indexBytes(entries: Entries, sorted: Uint32Array, packHash: Uint8Array): Uint8Array {
  const { length: count } = sorted;
  const large = sorted.filter((number) => entries.offsets[number] >= LARGE);
  const bytes = new Uint8Array(OIDS + count * (OID_BYTES + 8) + large.length * 8 + 40);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0xff744f63);
  view.setUint32(4, 2);
  const crcs = OIDS + count * OID_BYTES;
  const offsets = crcs + count * 4;
  const { oids } = entries;
  // Words are copied far faster than parts of arrays.
  const [from, to] = [
    new Uint32Array(oids.buffer, oids.byteOffset),
    new Uint32Array(bytes.buffer, OIDS, count * WORDS),
  ];
  let next = 0;
  for (let i = 0; i < count; i++) {
    const number = sorted[i];
    for (let word = 0; word < WORDS; word++) to[i * WORDS + word] = from[number * WORDS + word];
    const fan = FAN_OUT + oids[number * OID_BYTES] * 4;
    view.setUint32(fan, view.getUint32(fan) + 1);
    view.setUint32(crcs + i * 4, entries.crcs[number]);
    const { [number]: offset } = entries.offsets;
    if (offset < LARGE) view.setUint32(offsets + i * 4, offset);
    else {
      view.setUint32(offsets + i * 4, LARGE + next);
      view.setBigUint64(offsets + count * 4 + next * 8, BigInt(offset));
      next++;
    }
  }
  for (let i = 1; i < 256; i++) {
    const at = FAN_OUT + i * 4;
    view.setUint32(at, view.getUint32(at) + view.getUint32(at - 4));
  }
  return finished(bytes, packHash);
}

/** The bytes of the file that says in what order entries stand in the pack: numbers rise with offsets. */
export function reverseBytes(sorted: Uint32Array, packHash: Uint8Array): Uint8Array {
  const { length: count } = sorted;
  const bytes = new Uint8Array(12 + count * 4 + 40);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x52494458);
  view.setUint32(4, 1);
  view.setUint32(8, 1);
  for (let i = 0; i < count; i++) view.setUint32(12 + sorted[i] * 4, i);
  return finished(bytes, packHash);
}

function finished(bytes: Uint8Array, packHash: Uint8Array): Uint8Array {
  const end = bytes.byteLength - OID_BYTES;
  bytes.set(packHash, end - OID_BYTES);
  bytes.set(createHash("sha1").update(bytes.subarray(0, end)).digest(), end);
  return bytes;
}
