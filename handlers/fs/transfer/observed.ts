/**
 * Asking a node what it has of a blob (fs.md §3, Observe).
 *
 * @module
 */
import type { BidiStream } from "@alknet/core/handler";
import type { ChunkRanges } from "../bao/ranges.ts";
import { chunksOf } from "../bao/tree.ts";
import type { Hash } from "../wire/hash_text.ts";
import { readItem } from "../wire/observe.ts";
import { MAX_WIDTHS } from "../wire/range_spec.ts";
import { WireError } from "../wire/wire_error.ts";
import { ask } from "./asking.ts";
import { difference } from "./observing.ts";
import type { StreamReader } from "./stream_reader.ts";

/** Bytes of an item: its size, and as many boundaries as a spec may have. */
const MAX_ITEM = 10 + 10 * (MAX_WIDTHS + 1);
/** Bytes that a reader gives at once. */
const PIECE = 16 * 1024;

/** What a node says that it has. */
export interface Observed {
  /** Bytes of the blob, as it claims; 0 where it has nothing. */
  readonly size: number;
  /** The chunks that are there. */
  readonly have: ChunkRanges;
}

/**
 * What a node has of a blob, and then each time that it tells of a change, until whoever asks has enough.
 *
 * @param stall Milliseconds that it may say nothing.
 * @throws {WireError} It says something that is none.
 * @throws What reading throws.
 */
export async function* observed(
  stream: BidiStream,
  hash: Hash,
  signal: AbortSignal | undefined,
  stall?: number,
): AsyncGenerator<Observed> {
  const request = { type: "observe", hash: Uint8Array.fromHex(hash), ranges: [0n] } as const;
  using reader = ask(stream, request, signal, stall);
  let have: ChunkRanges = [];
  for (;;) {
    const bytes = await itemOf(reader);
    if (!bytes) return;
    const { size, ranges } = readItem(bytes);
    have = difference(have, ranges);
    yield { size: Number(size), have };
  }
}

/** Whether all of a blob is there. */
export function isWhole({ size, have }: Observed): boolean {
  return have[0] === 0n && (have.length === 1 || have.length === 2 && have[1] >= BigInt(chunksOf(size)));
}

/** The next item; nothing at the end. */
async function itemOf(reader: StreamReader): Promise<Uint8Array | undefined> {
  let length = 0;
  for (let shift = 0;; shift += 7) {
    const byte = (await reader.read(1))[0];
    if (byte === undefined) return undefined;
    length |= (byte & 0x7f) << shift;
    if (length > MAX_ITEM || shift > 14) throw new WireError("an item is longer than it may be");
    if (byte < 0x80) break;
  }
  const item = new Uint8Array(length);
  for (let at = 0; at < item.byteLength;) {
    const part = await reader.read(Math.min(PIECE, item.byteLength - at));
    if (part.byteLength === 0) throw new WireError("an item ends early");
    item.set(part, at);
    at += part.byteLength;
  }
  return item;
}
