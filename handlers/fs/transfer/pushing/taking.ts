/**
 * Taking a push: the encodings that follow its head, each verified as it comes (fs.md §3, Push).
 *
 * What was verified stays as a part when the rest does not come, so that the next push goes on. The pusher is told that all
 * is well once it is on the disk.
 *
 * @module
 */
import type { BlobStore, Held, ReceiveOptions } from "../../blobs/blob_store.ts";
import { linksOf } from "../../blobs/sequence.ts";
import { tooLarge } from "../../errors.ts";
import type { Hash } from "../../wire/hash_text.ts";
import { asksFrom, rangesAt } from "../../wire/range_spec.ts";
import type { Request } from "../../wire/requests.ts";
import { WireError } from "../../wire/wire_error.ts";
import type { StreamReader } from "../stream_reader.ts";

/** A request to take blobs. */
export type PushRequest = Extract<Request, { readonly type: "push" }>;

/** What a push may bring, and for whom. */
export interface TakeOptions extends ReceiveOptions {
  /** Largest blob, in bytes. */
  readonly maxSize: number;
  /** Bytes in all. */
  readonly maxBytes: number;
}

/**
 * Takes what a push brings.
 *
 * @param from What follows its head.
 * @returns Bytes of the blobs that it brought, or of which it brought parts.
 * @throws {EncodingError} Something else came, or less than was said.
 * @throws {WireError} More came.
 * @throws {AlknetError} `QUOTA_EXCEEDED`, `STORE_FULL`; `BLOB_NOT_FOUND`, `BLOB_CORRUPT`: what lists the rest is not there, or
 * is no sequence.
 */
export async function takePush(
  request: PushRequest,
  from: StreamReader,
  blobs: BlobStore,
  { maxSize, maxBytes, ...options }: TakeOptions,
): Promise<number> {
  const { seq } = request;
  const hash = request.hash.toHex();
  let left = maxBytes;
  let taken = 0;
  const take = async (one: Hash, index: bigint): Promise<Held | undefined> => {
    let size = 0;
    const held = await blobs.receive(one, rangesAt(seq, index), from, {
      ...options,
      maxSize: Math.min(maxSize, left),
      progress: (_, whole = 0) => size = whole,
    });
    taken += held?.size ?? size;
    left = maxBytes - taken;
    return held;
  };
  const root = rangesAt(seq, 0n);
  if (root.length > 0) await (await take(hash, 0n))?.[Symbol.asyncDispose]();
  if (asksFrom(seq, 1n)) {
    // From here on nothing that it lists is collected before all of it is there.
    await using held = await blobs.hold(hash, "hashSeq");
    const links = await linksOf(blobs, held.hash);
    const seen = new Set<Hash>();
    for (const [i, link] of links.entries()) {
      const index = BigInt(i + 1);
      if (rangesAt(seq, index).length === 0) {
        if (!asksFrom(seq, index)) break;
        continue;
      }
      const child = link.toHex();
      // What is listed twice comes twice; it takes its room once.
      const before = taken;
      await (await take(child, index))?.[Symbol.asyncDispose]();
      if (seen.has(child)) left = maxBytes - (taken = before);
      seen.add(child);
    }
  }
  if (left < 0) throw tooLarge(taken, maxBytes);
  if ((await from.read(1)).byteLength > 0) throw new WireError("bytes follow its end");
  return taken;
}
