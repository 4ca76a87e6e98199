/**
 * Getting a blob from one node: nothing is believed that was not hashed.
 *
 * @module
 */
import { AlknetError, type BidiStream, type Connection } from "@alknet/core/handler";
import { EncodingError } from "../bao/encoding_error.ts";
import { ALL, type ChunkRanges, complementOf, SIZE_PROOF } from "../bao/ranges.ts";
import type { BlobStore, Held, Told } from "../blobs/blob_store.ts";
import { shortHash } from "../errors.ts";
import type { Hash } from "../wire/hash_text.ts";
import { seqOf } from "../wire/range_spec.ts";
import type { Format } from "../wire/ticket.ts";
import { ask, explained, openAnother } from "./asking.ts";
import { getSequence } from "./sequence_client.ts";
import type { StreamReader } from "./stream_reader.ts";

/** Options of {@linkcode getBlob}. */
export interface GetOptions extends Told {
  /** Largest blob that is taken, in bytes. Default 1 TiB. */
  readonly maxSize?: number;
  /** With `hashSeq` what the blob lists is got too. Default `raw`. */
  readonly format?: Format;
}

/**
 * Gets a blob over a connection of `alknet/blobs` or `/iroh-bytes/4` into a store; what of it is there is not asked for, and
 * what came stays when it ends early, for the next time.
 *
 * @returns The blob, which stays until this is disposed of.
 * @throws {AlknetError} `BLOB_NOT_FOUND`: the node does not have it, or not for us. `BLOB_ABSENT`: it has a part, is busy, or
 * went away: another time may do. `HASH_MISMATCH`: it sent something else; nothing of that is kept. What the store throws.
 */
export async function getBlob(
  connection: Connection,
  hash: Hash,
  into: BlobStore,
  options: GetOptions = {},
): Promise<Held> {
  if (options.format === "hashSeq") return await getSequence(connection, hash, into, options);
  const { signal } = options;
  const { state, size, have } = await into.status(hash);
  if (state === "complete") return await into.hold(hash);
  const missing = size === undefined ? ALL : complementOf(have, size);
  const readers: StreamReader[] = [];
  try {
    readers.push(asked(await connection.open(), hash, missing, signal));
    // Whoever goes on believes a size only once it is proven: what was there would be forgotten for one that is not so.
    const other = have.length > 0 && missing.length % 2 === 1 && await openAnother(connection);
    if (other) {
      const proof = asked(other, hash, SIZE_PROOF, signal);
      readers.push(proof);
      await proven(into.receive(hash, SIZE_PROOF, proof, { maxSize: options.maxSize, signal }));
    }
    const held = await into.receive(hash, missing, readers[0], options);
    if (held) return held;
    // Others took a part away, or sent another size, meanwhile.
    throw new AlknetError("BLOB_ABSENT", `blob ${shortHash(hash)}: a part is still missing; try again`);
  } catch (error) {
    signal?.throwIfAborted();
    throw explained(error, hash, readers.reduce((sum, { received }) => sum + received, 0));
  } finally {
    for (const reader of readers) reader[Symbol.dispose]();
  }
}

/** Waits for a proof. Whoever has no last chunk cannot give it, and may have others. */
async function proven(receiving: Promise<Held | undefined>): Promise<void> {
  try {
    const held = await receiving;
    await held?.[Symbol.asyncDispose]();
  } catch (error) {
    if (!(error instanceof EncodingError && error.code === "ENCODING_CUT")) throw error;
  }
}

/** Asks for ranges of a blob. */
function asked(stream: BidiStream, hash: Hash, ranges: ChunkRanges, signal: AbortSignal | undefined): StreamReader {
  return ask(stream, { type: "get", hash: Uint8Array.fromHex(hash), seq: seqOf([ranges]) }, signal);
}
