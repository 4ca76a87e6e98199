/**
 * Answers as they are kept: bytes without an OPT, over a copy of which goes what differs between two who ask the same.
 *
 * @module
 */
import { encodeMessage, MAX_MESSAGE, optionsSize, paddingOf } from "../codec/encode.ts";
import { nameOfKey } from "../codec/name.ts";
import { EdnsCode, type EdnsOption, type Message, Type } from "../codec/types.ts";
import { type ExtendedError, extendedError } from "../extended_errors.ts";
import type { Accepted } from "./accepted.ts";

/** An answer, encoded. */
export interface Kept {
  /** The message, its question in lower case, with id 0 and without an OPT. */
  readonly bytes: Uint8Array;
  /** Where its TTLs are. */
  readonly ttls: readonly number[];
  /** Whether it was validated by somebody who is believed. */
  readonly ad: boolean;
  /** What there is to say of it. */
  readonly error?: ExtendedError;
}

/** An answer for one who asks. */
export interface Reply {
  /** The answer. */
  readonly kept: Kept;
  /** Seconds since it came; its TTLs are so much less. */
  readonly age: number;
  /** The TTL of all its records instead, in seconds: it is over. */
  readonly ttl?: number;
  /** What there is to say of it. */
  readonly error?: ExtendedError;
}

/** Nothing came, and this is why. */
export interface NoReply {
  /** Why. */
  readonly failure: ExtendedError;
}

/** What an answer has for who asks. */
export interface RenderOptions {
  /** Whether recursion is there for this one. */
  readonly ra: boolean;
  /** To a multiple of how many bytes it is padded, where EDNS is spoken. */
  readonly padTo?: number;
  /** Options that are for this one alone, where EDNS is spoken. */
  readonly extra?: readonly EdnsOption[];
}

const HEADER = 12;
/** Bytes of an OPT without options. */
const OPT = 11;
const UDP_SIZE = 1232;

/** Encodes what was taken, to be kept. */
export function keep(query: Message, taken: Accepted, error?: ExtendedError): Kept {
  const question = query.question!;
  const name = nameOfKey(question.name.key);
  // Owners that are the name asked for come back in the letters of who asks, by way of the question.
  const answer = taken.answer.map((record) => record.name.key === name.key ? { ...record, name } : record);
  const bytes = encodeMessage({
    id: 0,
    response: true,
    opcode: 0,
    rcode: taken.rcode,
    flags: { aa: false, tc: false, rd: false, ra: false, ad: false, cd: false },
    question: { ...question, name },
    answer,
    authority: taken.authority,
    additional: [],
  }, { maxSize: MAX_MESSAGE - OPT }).slice(); // Written into a larger buffer, which is not to be kept.
  return { bytes, ttls: ttlsIn(bytes), ad: taken.ad, error };
}

/** Where the TTLs of a message are that we encoded. */
function ttlsIn(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found: number[] = [];
  let at = nameEnd(bytes, HEADER) + 4;
  for (let n = view.getUint16(6) + view.getUint16(8); n > 0; n--) {
    at = nameEnd(bytes, at);
    found.push(at + 4);
    at += 10 + view.getUint16(at + 8);
  }
  return found;
}

function nameEnd(bytes: Uint8Array, at: number): number {
  while (bytes[at] !== 0) {
    if (bytes[at] >= 0xc0) return at + 2;
    at += 1 + bytes[at];
  }
  return at + 1;
}

/** The answer for who asks; nothing where there is no room for what comes on top. */
export function render(reply: Reply, query: Message, options: RenderOptions): Uint8Array<ArrayBuffer> | undefined {
  const { kept, age, ttl } = reply;
  const { edns, flags: { rd, cd, ad } } = query;
  const said = edns ? optionsOf(reply, options) : [];
  const end = kept.bytes.byteLength + (edns ? OPT + optionsSize(said) : 0);
  if (end > MAX_MESSAGE) return undefined;
  const padding = edns ? paddingOf(end, options.padTo) : -1;
  const bytes = new Uint8Array(end + (padding < 0 ? 0 : 4 + padding));
  bytes.set(kept.bytes);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, query.id);
  bytes[2] |= rd ? 0x01 : 0;
  // Who asks with neither AD nor DO knows nothing of it (RFC 6840 §5.7, §5.8).
  const isValidated = kept.ad && (ad || edns?.dnssecOk === true);
  bytes[3] |= (options.ra ? 0x80 : 0) | (isValidated ? 0x20 : 0) | (cd ? 0x10 : 0);
  bytes.set(query.question!.name.wire, HEADER);
  for (const at of kept.ttls) view.setUint32(at, ttl ?? Math.max(0, view.getUint32(at) - age));
  if (edns) writeOpt(view, kept.bytes.byteLength, edns.dnssecOk, said, padding);
  return bytes;
}

function optionsOf({ kept, error }: Reply, { extra = [] }: RenderOptions): EdnsOption[] {
  return [...[kept.error, error].flatMap((each) => each ? [extendedError(each)] : []), ...extra];
}

function writeOpt(
  view: DataView,
  from: number,
  dnssecOk: boolean,
  options: readonly EdnsOption[],
  padding: number,
): void {
  view.setUint16(10, 1);
  view.setUint16(from + 1, Type.OPT);
  view.setUint16(from + 3, UDP_SIZE);
  view.setUint32(from + 5, dnssecOk ? 0x8000 : 0);
  let at = from + OPT;
  for (const { code, data } of options) {
    view.setUint16(at, code);
    view.setUint16(at + 2, data.byteLength);
    new Uint8Array(view.buffer).set(data, at + 4);
    at += 4 + data.byteLength;
  }
  if (padding >= 0) {
    view.setUint16(at, EdnsCode.PADDING);
    view.setUint16(at + 2, padding);
  }
  view.setUint16(from + 9, view.byteLength - from - OPT);
}
