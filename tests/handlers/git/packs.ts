/**
 * Packs that tests make, entry by entry, right or wrong as they like; and the bounds with which they are read.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { deflateSync } from "node:zlib";
import { formatEntryHead } from "../../../handlers/git/pack/entry.ts";
import {
  type IndexedPack,
  type IndexPack,
  indexPack,
  type IngestBounds,
} from "../../../handlers/git/pack/index_pack.ts";
import { Pace } from "../../../handlers/git/walk/pace.ts";
import { joined } from "./client.ts";

/** An entry of a pack. */
export interface PackEntry {
  readonly type: number;
  /** What is deflated. */
  readonly data: Uint8Array;
  /** Distance or object id. */
  readonly base?: number | string;
  /** What the head says, where that is not how much it is. */
  readonly size?: number;
  /** What stands in the place of the deflated data. */
  readonly deflated?: Uint8Array;
}

/** Bytes of text. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** A pack of entries. */
export function packOf(
  entries: readonly PackEntry[],
  { count = entries.length, version = 2, magic = "PACK" }: { count?: number; version?: number; magic?: string } = {},
): Uint8Array<ArrayBuffer> {
  const head = new Uint8Array(8);
  new DataView(head.buffer).setUint32(0, version);
  new DataView(head.buffer).setUint32(4, count);
  const body = entries.map(({ type, data, base, size = data.byteLength, deflated = deflateSync(data) }) =>
    joined([formatEntryHead(type, size, base), deflated])
  );
  return signed(joined([bytesOf(magic), head, ...body]));
}

/** Bytes and their SHA-1. */
export function signed(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return joined([bytes, createHash("sha1").update(bytes).digest()]);
}

/** The name of an object. */
export function oidOf(kind: string, data: Uint8Array): string {
  return createHash("sha1").update(`${kind} ${data.byteLength}\0`).update(data).digest("hex");
}

/** A delta: sizes, then instructions. */
export function delta(baseSize: number, size: number, ...instructions: readonly number[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array([...varint(baseSize), ...varint(size), ...instructions]);
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value;;) {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest > 0 ? low | 0x80 : low);
    if (rest === 0) return bytes;
  }
}

/** Bounds that no small pack reaches. */
export const BOUNDS: IngestBounds = {
  packBytes: 2 ** 30,
  objects: 1_000_000,
  objectBytes: 2 ** 30,
  deltaBytes: 2 ** 28,
  resolvedBytes: 2 ** 30,
  baseCache: 2 ** 24,
};

/** Indexes a pack that comes in pieces of some length. */
export async function indexed(
  file: string,
  pack: Uint8Array,
  { piece = pack.byteLength || 1, ...work }: Partial<IndexPack> & { piece?: number } = {},
): Promise<IndexedPack> {
  let at = 0;
  return await indexPack({
    file,
    read: () => {
      const bytes = pack.subarray(at, at + piece);
      at += piece;
      return Promise.resolve(bytes.byteLength > 0 ? bytes : undefined);
    },
    toEnd: true,
    bounds: BOUNDS,
    pace: new Pace(new AbortController().signal),
    check: () => undefined,
    base: () => Promise.resolve(undefined),
    turn: () => Promise.resolve({ [Symbol.dispose]() {} }),
    ...work,
  });
}
