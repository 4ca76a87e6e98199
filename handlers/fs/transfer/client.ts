/**
 * Getting a blob from one node: nothing is believed that was not hashed.
 *
 * @module
 */
import { AlknetError, type Connection, StreamClosedError } from "@alknet/core/handler";
import { EncodingError } from "../bao/encoding_error.ts";
import type { BlobStore, Held, Told } from "../blobs/blob_store.ts";
import { ResetCode } from "../codes.ts";
import { notFound, shortHash } from "../errors.ts";
import type { Hash } from "../wire/hash_text.ts";
import { RAW, writeRequest } from "../wire/requests.ts";
import { StreamReader } from "./stream_reader.ts";

/** Milliseconds without a byte after which a node is given up. */
const STALL = 20_000;

/** Options of {@linkcode getBlob}. */
export interface GetOptions extends Told {
  /** Largest blob that is taken, in bytes. Default 1 TiB. */
  readonly maxSize?: number;
}

/**
 * Gets a blob over a connection of `alknet/blobs` or `/iroh-bytes/4` into a store; one that is there is not asked for.
 *
 * @returns The blob, which stays until this is disposed of.
 * @throws {AlknetError} `BLOB_NOT_FOUND`: the node does not have it, or not for us. `BLOB_ABSENT`: it has a part, is busy, or
 * went away: another time may do. `HASH_MISMATCH`: it sent something else; nothing of it is kept. What the store throws.
 */
export async function getBlob(
  connection: Connection,
  hash: Hash,
  into: BlobStore,
  options: GetOptions = {},
): Promise<Held> {
  const { signal } = options;
  if ((await into.status(hash)).state === "complete") return await into.hold(hash);
  let reader: StreamReader | undefined;
  try {
    const stream = await connection.open();
    const writer = stream.writable.getWriter();
    reader = new StreamReader(stream.readable, STALL, signal);
    // A refusal may come before the request has gone out; reading says so.
    writer.write(writeRequest({ type: "get", hash: Uint8Array.fromHex(hash), seq: RAW })).catch(() => {});
    writer.close().catch(() => {});
    return await into.receive(hash, reader, options);
  } catch (error) {
    signal?.throwIfAborted();
    throw explained(error, hash, reader?.received ?? 0);
  } finally {
    reader?.[Symbol.dispose]();
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
