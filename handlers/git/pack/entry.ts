/**
 * The head of an entry of a pack (gitformat-pack, "pack-*.pack files have the following format").
 *
 * ```text
 * 9a 08        type 1 (commit), size 10 + 8 * 16 = 138: three bits of type, then size, four and seven bits, lowest first
 * 6… 80 00     of an ofs-delta: the distance to the base, seven bits a byte, highest first, each higher part less one
 * 7… <20>      of a ref-delta: the base's object id
 * ```
 *
 * @module
 */
import { corrupt } from "../errors.ts";
import { type Kind, type Oid, OID_BYTES } from "../objects/oid.ts";

/** Types of entries. */
export const EntryType = { COMMIT: 1, TREE: 2, BLOB: 3, TAG: 4, OFS_DELTA: 6, REF_DELTA: 7 } as const;

const KINDS: Readonly<Record<number, Kind>> = { 1: "commit", 2: "tree", 3: "blob", 4: "tag" };
const TYPES: Readonly<Record<Kind, number>> = { commit: 1, tree: 2, blob: 3, tag: 4 };

/** Longest head: nine bytes of size and an object id or ten bytes of distance. */
export const MAX_ENTRY_HEAD = 32;

/** What the head of an entry says. */
export interface EntryHead {
  /** One of {@linkcode EntryType}. */
  readonly type: number;
  /** Bytes once inflated. */
  readonly size: number;
  /** Of an ofs-delta: bytes from the base's start to this entry's. */
  readonly distance?: number;
  /** Of a ref-delta: the base. */
  readonly base?: Oid;
  /** Bytes of the head. */
  readonly length: number;
}

/**
 * Reads a head.
 *
 * @throws {AlknetError} `GIT_CORRUPT`: it is none.
 */
export function parseEntryHead(bytes: Uint8Array): EntryHead {
  let at = 0;
  let byte = byteAt(bytes, at++);
  const type = (byte >> 4) & 7;
  let size = byte & 15;
  for (let scale = 16; byte & 0x80; scale *= 128) {
    byte = byteAt(bytes, at++);
    size += (byte & 0x7f) * scale;
    if (!Number.isSafeInteger(size)) throw corrupt("an entry's size is beyond 2^53");
  }
  if (type === 0 || type === 5) throw corrupt(`an entry has type ${type}`);
  if (type === EntryType.REF_DELTA) {
    if (at + OID_BYTES > bytes.byteLength) throw corrupt("an entry ends early");
    return { type, size, base: bytes.subarray(at, at + OID_BYTES).toHex(), length: at + OID_BYTES };
  }
  if (type !== EntryType.OFS_DELTA) return { type, size, length: at };
  byte = byteAt(bytes, at++);
  let distance = byte & 0x7f;
  while (byte & 0x80) {
    byte = byteAt(bytes, at++);
    distance = (distance + 1) * 128 + (byte & 0x7f);
    if (!Number.isSafeInteger(distance)) throw corrupt("a distance is beyond 2^53");
  }
  return { type, size, distance, length: at };
}

/** The head of an entry, as it is sent: the base is a distance for type 6, an object id for type 7. */
export function formatEntryHead(type: number, size: number, base?: number | Oid): Uint8Array<ArrayBuffer> {
  const bytes: number[] = [];
  let rest = Math.floor(size / 16);
  bytes.push((type << 4) | (size % 16) | (rest > 0 ? 0x80 : 0));
  while (rest > 0) {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(low | (rest > 0 ? 0x80 : 0));
  }
  if (typeof base === "string") bytes.push(...Uint8Array.fromHex(base));
  else if (base !== undefined) bytes.push(...distanceBytes(base));
  return new Uint8Array(bytes);
}

/** The kind of a whole entry, or nothing for a delta. */
export function kindOfType(type: number): Kind | undefined {
  return KINDS[type];
}

/** The type of a whole entry of a kind. */
export function typeOfKind(kind: Kind): number {
  return TYPES[kind];
}

function distanceBytes(distance: number): number[] {
  const bytes = [distance % 128];
  for (let rest = Math.floor(distance / 128); rest > 0; rest = Math.floor(rest / 128)) {
    rest -= 1;
    bytes.unshift((rest % 128) | 0x80);
  }
  return bytes;
}

function byteAt(bytes: Uint8Array, at: number): number {
  if (at >= bytes.byteLength) throw corrupt("an entry ends early");
  return bytes[at];
}
