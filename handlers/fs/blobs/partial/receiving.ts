/**
 * Taking parts of a blob in, in whatever order they come: only whole groups are kept, and each was verified before.
 *
 * The size is a claim until the last chunk was verified. The places of pairs depend on it, so what came under another claim
 * is forgotten, unless the size is proven: then whoever claims another one sends something else.
 *
 * @module
 */
import { type ByteReader, decode } from "../../bao/decode.ts";
import { EncodingError } from "../../bao/encoding_error.ts";
import type { Maybe } from "../../bao/outboard.ts";
import type { ChunkRanges } from "../../bao/ranges.ts";
import { GROUP } from "../../bao/tree.ts";
import { tooLarge } from "../../errors.ts";
import type { Hash } from "../../wire/hash_text.ts";
import { MAX_BLOB_SIZE, type ReceiveOptions } from "../blob_store.ts";
import type { GroupSet } from "./group_set.ts";

/** Where the parts of a blob go. */
export interface Partial {
  /** Bytes of the blob, as they were claimed. */
  size: number;
  /** Whether that is what it has. */
  proven: boolean;
  /** What is there. */
  readonly groups: GroupSet;
  /** Forgets what is there; it has another size. */
  restart(size: number): Maybe<void>;
  /** Takes a pair of the outboard. */
  pair(place: number, pair: Uint8Array): Maybe<void>;
  /** Takes a group, which was not there. Bytes are valid until it returns, or what it returned has settled. */
  group(index: number, bytes: Uint8Array): Maybe<void>;
}

/**
 * Takes what an encoding brings into a partial blob.
 *
 * @param open Gives it, once a size is claimed.
 * @throws {EncodingError} It is not that blob, or ends early. What was verified before is kept.
 * @throws {AlknetError} `QUOTA_EXCEEDED`. What the partial blob throws.
 */
export async function receiveInto(
  hash: Hash,
  ranges: ChunkRanges,
  from: ByteReader,
  open: (claimed: number) => Maybe<Partial>,
  options: ReceiveOptions,
): Promise<void> {
  const { maxSize = MAX_BLOB_SIZE, progress, signal } = options;
  let partial: Partial | undefined;
  let size = 0;
  let done = 0;
  const target = (): Partial => {
    signal?.throwIfAborted();
    // Another stream proved, or claimed, that it is not so.
    if (partial!.size !== size) throw wrongSize(size);
    return partial!;
  };
  await decode(Uint8Array.fromHex(hash), ranges, from, {
    async size(claimed) {
      if (options.size !== undefined && claimed !== options.size) throw wrongSize(claimed);
      if (claimed > maxSize) throw tooLarge(claimed, maxSize);
      signal?.throwIfAborted();
      size = claimed;
      partial = await open(claimed);
      if (partial.size !== claimed) {
        if (partial.proven) throw wrongSize(claimed);
        await partial.restart(claimed);
      }
      done = partial.groups.bytesOf(claimed);
    },
    pair: (place, pair) => target().pair(place, pair),
    leaf(at, bytes) {
      const to = target();
      if (at + bytes.byteLength === size) to.proven = true;
      const index = at / GROUP;
      const isWhole = Number.isInteger(index) && bytes.byteLength === Math.min(GROUP, size - at);
      if (!isWhole || to.groups.has(index)) return;
      progress?.(done += bytes.byteLength, size);
      return to.group(index, bytes);
    },
  });
}

function wrongSize(claimed: number): EncodingError {
  return new EncodingError("HASH_MISMATCH", `the encoding claims ${claimed} bytes, which is not the size of the blob`);
}
