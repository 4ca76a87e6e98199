/**
 * Reading and encoding a blob by its source, in the same way for every store.
 *
 * @module
 */
import { encode, walk } from "../bao/encode.ts";
import { type ChunkRanges, Selection } from "../bao/ranges.ts";
import { CHUNK } from "../bao/tree.ts";
import type { BlobReader, OpenSource } from "./blob_store.ts";

/** A reader of a source, which it owns. */
export function readerOf(source: OpenSource): BlobReader {
  const { size } = source.outboard;
  return {
    size,
    async read(at, length) {
      try {
        return await readVerified(source, at, Math.max(0, Math.min(length, size - at)));
      } catch (error) {
        if ((error as { code?: unknown }).code === "BLOB_CORRUPT") source.spoiled?.();
        throw error;
      }
    },
    [Symbol.asyncDispose]: () => source[Symbol.asyncDispose](),
  };
}

/**
 * Encodes ranges of a source; of a partial one up to where the first part is missing.
 *
 * @throws {AlknetError} `BLOB_CORRUPT`.
 */
export async function* encodeThere(source: OpenSource, ranges: ChunkRanges): AsyncGenerator<Uint8Array> {
  try {
    yield* encode(source, ranges);
  } catch (error) {
    if ((error as { code?: unknown }).code === "BLOB_CORRUPT") {
      source.spoiled?.();
      if (source.isPartial) return;
    }
    throw error;
  }
}

/** Encodes ranges of a source, which is opened for it. */
export async function* encoded(
  open: () => Promise<OpenSource>,
  ranges: ChunkRanges,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  signal?.throwIfAborted();
  await using source = await open();
  for await (const part of encodeThere(source, ranges)) {
    signal?.throwIfAborted();
    yield part;
  }
}

async function readVerified(source: OpenSource, at: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  if (length === 0) return bytes;
  const first = Math.floor(at / CHUNK);
  const selection = Selection.within(first, Math.ceil((at + length) / CHUNK));
  for await (const part of walk(source, selection)) {
    if ("pair" in part) continue;
    const from = part.start * CHUNK - at;
    const rest = from < 0 ? part.bytes.subarray(-from) : part.bytes;
    const to = Math.max(0, from);
    bytes.set(rest.subarray(0, length - to), to);
  }
  return bytes;
}
