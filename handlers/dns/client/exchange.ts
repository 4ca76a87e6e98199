/**
 * One question to another server, and its answer, on a stream (RFC 7858, RFC 9250) or as bytes.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { decodeMessage } from "../codec/decode.ts";
import { encodeMessage } from "../codec/encode.ts";
import { DnsMalformedError } from "../codec/errors.ts";
import { sameName } from "../codec/name.ts";
import type { Message } from "../codec/types.ts";

/** A stream of bytes, both ways. */
export interface AskedStream {
  /** What the server sends. */
  readonly readable: ReadableStream<Uint8Array>;
  /** What we send. */
  readonly writable: WritableStream<Uint8Array>;
}

/** Multiple of bytes to which queries that are encrypted are padded (RFC 8467 §4.1). */
export const QUERY_PADDING = 128;

/**
 * Asks on a stream.
 *
 * @param last Whether nothing follows the query on this stream, which says so (RFC 9250 §4.2).
 * @returns The answer's bytes.
 * @throws {DnsMalformedError} The stream ended without one.
 */
export async function exchange(stream: AskedStream, query: Message, last: boolean): Promise<Uint8Array> {
  const bytes = encodeMessage(query, { padTo: QUERY_PADDING });
  const framed = new Uint8Array(2 + bytes.byteLength);
  framed.set([bytes.byteLength >>> 8, bytes.byteLength & 0xff]);
  framed.set(bytes, 2);
  const writer = stream.writable.getWriter();
  await writer.write(framed);
  if (last) await writer.close();
  let got: Uint8Array = new Uint8Array(0);
  const reader = stream.readable.getReader();
  while (got.byteLength < 2 || got.byteLength < 2 + (got[0] << 8 | got[1])) {
    const { done, value } = await reader.read();
    if (done) throw new DnsMalformedError("the server ended the stream without an answer");
    got = new Uint8Array(Buffer.concat([got, value]));
  }
  return got.slice(2, 2 + (got[0] << 8 | got[1]));
}

/**
 * Reads an answer, and looks whether it is one to this query.
 *
 * @throws {DnsMalformedError} It is none.
 */
export function answerTo(query: Message, bytes: Uint8Array): Message {
  const message = decodeMessage(bytes);
  const { question } = message;
  const asked = query.question;
  const isOther = question && asked &&
    (!sameName(question.name, asked.name) || question.type !== asked.type || question.class !== asked.class);
  if (!message.response || message.id !== query.id || isOther) {
    throw new DnsMalformedError("the server answers what nobody asked");
  }
  return message;
}
