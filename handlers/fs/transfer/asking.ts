/**
 * Asking a node: a request goes out, its answer is read, and what went wrong is said in words.
 *
 * @module
 */
import { AlknetError, type BidiStream, type Connection, StreamClosedError } from "@alknet/core/handler";
import { EncodingError } from "../bao/encoding_error.ts";
import { ResetCode } from "../codes.ts";
import { notFound, shortHash } from "../errors.ts";
import type { Hash } from "../wire/hash_text.ts";
import { type Request, writeRequest } from "../wire/requests.ts";
import { StreamReader } from "./stream_reader.ts";

/** Milliseconds without a byte after which a node is given up. */
export const STALL = 20_000;

/**
 * Sends a request, and gives what reads its answer.
 *
 * @param stall Milliseconds without a byte after which the node is given up.
 */
export function ask(
  stream: BidiStream,
  request: Request,
  signal: AbortSignal | undefined,
  stall: number = STALL,
): StreamReader {
  const writer = stream.writable.getWriter();
  // A refusal may come before the request has gone out; reading says so.
  writer.write(writeRequest(request)).catch(() => {});
  writer.close().catch(() => {});
  return new StreamReader(stream.readable, stall, signal);
}

/** A stream beside those that are open, where a connection carries several. */
export async function openAnother(connection: Connection): Promise<BidiStream | undefined> {
  try {
    return await connection.open();
  } catch (error) {
    if (error instanceof AlknetError && error.code === "STREAM_UNAVAILABLE") return undefined;
    throw error;
  }
}

/**
 * What an error means for whoever asked.
 *
 * @param received Bytes of the answer.
 */
export function explained(error: unknown, hash: Hash, received: number): unknown {
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
