/**
 * Getting a blob from one node: nothing is believed that was not hashed.
 *
 * @module
 */
import { AlknetError, type Connection, StreamClosedError } from "@alknet/core/handler";
import { EncodingError } from "../bao/encoding_error.ts";
import { ALL, type ChunkRanges, complementOf, SIZE_PROOF } from "../bao/ranges.ts";
import type { BlobStore, Held, Told } from "../blobs/blob_store.ts";
import { ResetCode } from "../codes.ts";
import { notFound, shortHash } from "../errors.ts";
import type { Hash } from "../wire/hash_text.ts";
import { writeRequest } from "../wire/requests.ts";
import { StreamReader } from "./stream_reader.ts";

/** Milliseconds without a byte after which a node is given up. */
const STALL = 20_000;

/** Options of {@linkcode getBlob}. */
export interface GetOptions extends Told {
  /** Largest blob that is taken, in bytes. Default 1 TiB. */
  readonly maxSize?: number;
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
  const { signal } = options;
  const { state, size, have } = await into.status(hash);
  if (state === "complete") return await into.hold(hash);
  const missing = size === undefined ? ALL : complementOf(have, size);
  const readers: StreamReader[] = [];
  try {
    readers.push(await asked(connection, hash, missing, signal));
    // Whoever goes on believes a size only once it is proven: what was there would be forgotten for one that is not so.
    const proof = have.length > 0 && missing.length % 2 === 1 && await proofAsked(connection, hash, signal);
    if (proof) {
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
async function asked(
  connection: Connection,
  hash: Hash,
  ranges: ChunkRanges,
  signal: AbortSignal | undefined,
): Promise<StreamReader> {
  const stream = await connection.open();
  const writer = stream.writable.getWriter();
  const seq = [{ index: 0n, ranges }, { index: 1n, ranges: [] }];
  // A refusal may come before the request has gone out; reading says so.
  writer.write(writeRequest({ type: "get", hash: Uint8Array.fromHex(hash), seq })).catch(() => {});
  writer.close().catch(() => {});
  return new StreamReader(stream.readable, STALL, signal);
}

/** Asks for the proof of a size, where a connection carries several streams. */
async function proofAsked(
  connection: Connection,
  hash: Hash,
  signal: AbortSignal | undefined,
): Promise<StreamReader | undefined> {
  try {
    return await asked(connection, hash, SIZE_PROOF, signal);
  } catch (error) {
    if (error instanceof AlknetError && error.code === "STREAM_UNAVAILABLE") return undefined;
    throw error;
  }
}

function explained(error: unknown, hash: Hash, received: number): unknown {
  if (!(error instanceof AlknetError)) return error;
  const blob = `blob ${shortHash(hash)}`;
  const failed = (code: string, what: string): AlknetError =>
    new AlknetError(code, `${blob}: ${what}`, { cause: error });
  if (error instanceof EncodingError) {
    if (error.code === "HASH_MISMATCH") return failed(error.code, `the node sent something else: ${error.message}`);
    return received === 0
      ? notFound(hash, "the node does not have it")
      : failed("BLOB_ABSENT", "the node has only a part of it");
  }
  if (error instanceof StreamClosedError) {
    return error.errorCode === ResetCode.LIMIT
      ? failed("BLOB_ABSENT", "the node is busy; try again later")
      : error.errorCode === ResetCode.PERMISSION
      ? notFound(hash, "the node does not have it, or not for you")
      : failed("BLOB_ABSENT", "the node cannot serve it");
  }
  if (error.code === "CONNECTION_CLOSED" && received === 0) {
    // Where a connection carries one stream, a refusal can only end it.
    return notFound(hash, "the node answered nothing: it does not have it, or not for you");
  }
  if (error.code === "CONNECTION_CLOSED") return failed("BLOB_ABSENT", "the connection ended before all of it came");
  return error;
}
