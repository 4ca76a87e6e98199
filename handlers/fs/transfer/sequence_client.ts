/**
 * Getting a sequence and what it lists from one node.
 *
 * Where a connection carries several streams, the sequence comes first, and then is asked for what of its children is
 * missing. Where it carries one, both are asked for at once, unless the sequence is there.
 *
 * @module
 */
import { AlknetError, type BidiStream, type Connection } from "@alknet/core/handler";
import { ALL, type ChunkRanges, complementOf, isSameRanges, NOTHING } from "../bao/ranges.ts";
import type { BlobStore, Held, ReceiveOptions } from "../blobs/blob_store.ts";
import { linksOf } from "../blobs/sequence.ts";
import type { Hash } from "../wire/hash_text.ts";
import { MAX_ENTRIES, MAX_WIDTHS, type RangeSeq, seqOf } from "../wire/range_spec.ts";
import { ask, explained, openAnother } from "./asking.ts";
import type { StreamReader } from "./stream_reader.ts";

/**
 * Gets it.
 *
 * @returns The sequence, which stays with what it lists until this is disposed of.
 * @throws {AlknetError} As `getBlob` does; `BLOB_CORRUPT`: it is no sequence.
 */
export async function getSequence(
  connection: Connection,
  hash: Hash,
  into: BlobStore,
  options: ReceiveOptions,
): Promise<Held> {
  const { signal } = options;
  const readers: StreamReader[] = [];
  const key = Uint8Array.fromHex(hash);
  const get = (stream: BidiStream, seq: RangeSeq): StreamReader => {
    const reader = ask(stream, { type: "get", hash: key, seq }, signal);
    readers.push(reader);
    return reader;
  };
  let held: Held | undefined;
  try {
    const { state, size, have } = await into.status(hash);
    const first = await connection.open();
    let children: { readonly links: readonly Uint8Array[]; readonly asked: readonly ChunkRanges[] };
    let reader: StreamReader;
    if (state === "complete") {
      held = await into.hold(hash, "hashSeq");
      children = await missingOf(into, await linksOf(into, hash));
      reader = get(first, seqOf([NOTHING, ...children.asked]));
    } else {
      const root = size === undefined ? ALL : complementOf(have, size);
      const second = await openAnother(connection);
      reader = get(first, second ? [{ index: 0n, ranges: root }, { index: 1n, ranges: [] }] : bothOf(root));
      await (await into.receive(hash, root, reader, options))?.[Symbol.asyncDispose]();
      held = await into.hold(hash, "hashSeq");
      const links = await linksOf(into, hash);
      if (second) {
        children = await missingOf(into, links);
        reader = get(second, seqOf([NOTHING, ...children.asked]));
      } else children = { links, asked: links.map(() => ALL) };
    }
    await receiveChildren(children, reader, into, options);
    return held;
  } catch (error) {
    await held?.[Symbol.asyncDispose]();
    signal?.throwIfAborted();
    throw explained(error, hash, readers.reduce((sum, { received }) => sum + received, 0));
  } finally {
    for (const reader of readers) reader[Symbol.dispose]();
  }
}

async function receiveChildren(
  { links, asked }: { readonly links: readonly Uint8Array[]; readonly asked: readonly ChunkRanges[] },
  reader: StreamReader,
  into: BlobStore,
  options: ReceiveOptions,
): Promise<void> {
  let before = 0;
  for (const [i, link] of links.entries()) {
    if (asked[i].length === 0) continue;
    const child = link.toHex();
    let size = 0;
    const progress = (done: number): void => options.progress?.(before + (size = done));
    const held = await into.receive(child, asked[i], reader, { ...options, progress });
    if (!held) throw new AlknetError("BLOB_ABSENT", "a part of what it lists is still missing; try again");
    before += size;
    await held[Symbol.asyncDispose]();
  }
}

/** What is missing of each child, in a form that a request can have. */
async function missingOf(
  into: BlobStore,
  links: readonly Uint8Array[],
): Promise<{ readonly links: readonly Uint8Array[]; readonly asked: readonly ChunkRanges[] }> {
  const asked: ChunkRanges[] = [];
  const seen = new Set<Hash>();
  let entries = 1;
  for (const link of links) {
    const hash = link.toHex();
    const { state, size, have } = await into.status(hash);
    const missing = size === undefined ? ALL : complementOf(have, size);
    let ranges = state === "complete" || seen.has(hash) ? NOTHING : missing.length > MAX_WIDTHS ? ALL : missing;
    seen.add(hash);
    // With more of them the rest is asked for as a whole; what comes twice is verified and forgotten.
    if (entries >= MAX_ENTRIES - 1) ranges = ALL;
    if (!isSameRanges(ranges, asked.at(-1) ?? NOTHING)) entries++;
    asked.push(ranges);
  }
  return { links, asked };
}

function bothOf(root: ChunkRanges): RangeSeq {
  return isSameRanges(root, ALL)
    ? [{ index: 0n, ranges: ALL }]
    : [{ index: 0n, ranges: root }, { index: 1n, ranges: ALL }];
}
