/**
 * Frames of `alknet/msg` (msg.md §4).
 *
 * ```text
 * u32 length of what follows (5 to 20 480) | u8 type | u32 request id | body
 * 01 NEW   rid 24, sid 24, H(rcap) 32, H(scap) 32, kind u8     80 OK (to PUT: u16 keys held)
 * 02 SEND  sid 24, scap 32, envelope                           81 ITEM rid 24, seq u64, kind u8, u16-length bytes, zeros
 * 03 SUB   rid 24, rcap 32, window u8                          82 EMPTY zeros
 * 04 GET   rid 24, rcap 32, flags u8                           83 BUNDLE
 * 05 ACK   rid 24, rcap 32, seq u64                            84 END
 * 06 DROP  rid 24, rcap 32                                     85 LIMITS JSON
 * 07 PUT   rid 24, rcap 32, u16-length bundle, u16 count, (id u32, key 32) each
 * 08 TAKE  sid 24, scap 32                                     8f ERROR code u16, retry-after u32 ms
 * 09 INFO
 * ```
 *
 * @module
 */
import { joined } from "@alknet/core/crypto";
import { AlknetError } from "@alknet/core/handler";
import { readU16, readU32, u16, u32 } from "../agreement/labels.ts";
import type { Item, Published } from "./mailbox_store.ts";

/** Bytes of what follows a length. */
export const MOST_BYTES = 20_480;
const LEAST_BYTES = 5;
const ID = 24;
const CAP = 32;
/** Items of a subscription that may be unacknowledged. */
export const MOST_WINDOW = 64;
/** Bytes of a sealed bundle: those of suite 2. */
const MOST_BUNDLE = 1446;
/** Keys of one PUT. */
const MOST_KEYS = 200;
/** Body of an answer that is padded. */
const PADDED = 3200;
/** Before and after the bytes of an ITEM: rid, seq, kind, length. */
const ITEM_HEAD = ID + 8 + 1 + 2;

/** Bytes of the largest item of a padded answer. */
export const MOST_PADDED: number = PADDED - ITEM_HEAD;

/** Types of requests. */
export const RequestType = { NEW: 1, SEND: 2, SUB: 3, GET: 4, ACK: 5, DROP: 6, PUT: 7, TAKE: 8, INFO: 9 } as const;
/** Types of answers. */
export const AnswerType = {
  OK: 0x80,
  ITEM: 0x81,
  EMPTY: 0x82,
  BUNDLE: 0x83,
  END: 0x84,
  LIMITS: 0x85,
  ERROR: 0x8f,
} as const;

/** Flags of GET. */
export const GetFlag = { PADDED: 1, ANY: 2 } as const;

/** A frame, its body not looked at. */
export interface Frame {
  /** What it is. */
  readonly type: number;
  /** Which request it is, or answers. */
  readonly id: number;
  /** The rest. */
  readonly body: Uint8Array;
}

/** A queue as its reader names it. */
export interface ReaderOf {
  readonly rid: Uint8Array;
  readonly rcap: Uint8Array;
}

/** A queue as its senders name it. */
export interface SenderOf {
  readonly sid: Uint8Array;
  readonly scap: Uint8Array;
}

/** What is asked of a mailbox. */
export type Request =
  | ({ readonly type: "new"; readonly kind: 0 | 1 } & ReaderOf & SenderOf)
  | ({ readonly type: "send"; readonly envelope: Uint8Array } & SenderOf)
  | ({ readonly type: "sub"; readonly window: number } & ReaderOf)
  | ({ readonly type: "get"; readonly flags: number } & ReaderOf)
  | ({ readonly type: "ack"; readonly seq: bigint } & ReaderOf)
  | ({ readonly type: "drop" } & ReaderOf)
  | ({ readonly type: "put" } & ReaderOf & Published)
  | ({ readonly type: "take" } & SenderOf)
  | { readonly type: "info" };

/** A frame as bytes. */
export function formatFrame({ type, id, body }: Frame): Uint8Array {
  const length = LEAST_BYTES + body.byteLength;
  if (length > MOST_BYTES) throw new RangeError(`a frame has ${MOST_BYTES} bytes at most, not ${length}`);
  return joined(u32(length), Uint8Array.of(type), u32(id), body);
}

/** A request as a frame. */
export function formatRequest(request: Request, id: number): Uint8Array {
  switch (request.type) {
    case "new": {
      const { rid, sid, rcap, scap, kind } = request;
      return formatFrame({ type: RequestType.NEW, id, body: joined(rid, sid, rcap, scap, Uint8Array.of(kind)) });
    }
    case "send":
      return formatFrame({ type: RequestType.SEND, id, body: joined(request.sid, request.scap, request.envelope) });
    case "sub":
      return of(RequestType.SUB, request, id, Uint8Array.of(request.window));
    case "get":
      return of(RequestType.GET, request, id, Uint8Array.of(request.flags));
    case "ack":
      return of(RequestType.ACK, request, id, u64(request.seq));
    case "drop":
      return of(RequestType.DROP, request, id);
    case "put": {
      const { bundle = new Uint8Array(), keys } = request;
      const each = keys.flatMap(({ id, key }) => [u32(id), key]);
      return of(RequestType.PUT, request, id, u16(bundle.byteLength), bundle, u16(keys.length), ...each);
    }
    case "take":
      return formatFrame({ type: RequestType.TAKE, id, body: joined(request.sid, request.scap) });
    case "info":
      return formatFrame({ type: RequestType.INFO, id, body: new Uint8Array() });
  }
}

/**
 * The request of a frame.
 *
 * @throws {AlknetError} `BAD_FRAME`: its body does not fit its type, or the type is none that is served.
 */
export function readRequest({ type, body }: Frame): Request {
  const { byteLength: length } = body;
  const need = (is: boolean): void => {
    if (!is) throw badFrame(`${length} bytes are no body of type ${type}`);
  };
  const [first, second] = [body.subarray(0, ID), body.subarray(ID, ID + CAP)];
  const rest = body.subarray(ID + CAP);
  switch (type) {
    case RequestType.NEW: {
      need(length === 2 * ID + 2 * CAP + 1 && body[length - 1] <= 1);
      const [sid, rcap] = [body.subarray(ID, 2 * ID), body.subarray(2 * ID, 2 * ID + CAP)];
      const scap = body.subarray(2 * ID + CAP, length - 1);
      return { type: "new", rid: first, sid, rcap, scap, kind: body[length - 1] as 0 | 1 };
    }
    case RequestType.SEND:
      need(length >= ID + CAP);
      return { type: "send", sid: first, scap: second, envelope: rest };
    case RequestType.SUB:
      need(rest.byteLength === 1 && rest[0] >= 1 && rest[0] <= MOST_WINDOW);
      return { type: "sub", rid: first, rcap: second, window: rest[0] };
    case RequestType.GET:
      need(rest.byteLength === 1 && rest[0] <= 3);
      return { type: "get", rid: first, rcap: second, flags: rest[0] };
    case RequestType.ACK:
      need(rest.byteLength === 8);
      return { type: "ack", rid: first, rcap: second, seq: readU64(rest) };
    case RequestType.DROP:
      need(length === ID + CAP);
      return { type: "drop", rid: first, rcap: second };
    case RequestType.PUT: {
      need(rest.byteLength >= 4);
      const end = 2 + readU16(rest);
      need(end <= 2 + MOST_BUNDLE && rest.byteLength >= end + 2);
      const count = readU16(rest, end);
      need(count <= MOST_KEYS && rest.byteLength === end + 2 + count * 36);
      const keys = Array.from({ length: count }, (_, i) => {
        const at = end + 2 + i * 36;
        return { id: readU32(rest, at), key: rest.subarray(at + 4, at + 36) };
      });
      need(keys.every(({ id }) => id > 0));
      return { type: "put", rid: first, rcap: second, bundle: end > 2 ? rest.subarray(2, end) : undefined, keys };
    }
    case RequestType.TAKE:
      need(length === ID + CAP);
      return { type: "take", sid: first, scap: second };
    case RequestType.INFO:
      need(length === 0);
      return { type: "info" };
    default:
      throw badFrame(`type ${type} is not served`);
  }
}

/** An ITEM; padded, where that is asked for. */
export function formatItem(id: number, rid: Uint8Array, { seq, kind, body }: Item, isPadded: boolean): Uint8Array {
  const item = joined(rid, u64(seq), Uint8Array.of(kind), u16(body.byteLength), body);
  return formatFrame({ type: AnswerType.ITEM, id, body: isPadded ? filled(item) : item });
}

/** EMPTY; padded, where that is asked for. */
export function formatEmpty(id: number, isPadded: boolean): Uint8Array {
  return formatFrame({ type: AnswerType.EMPTY, id, body: isPadded ? filled(new Uint8Array()) : new Uint8Array() });
}

/** ERROR. */
export function formatError(id: number, code: number, retryAfter = 0): Uint8Array {
  return formatFrame({ type: AnswerType.ERROR, id, body: joined(u16(code), u32(retryAfter)) });
}

/**
 * What an ITEM says.
 *
 * @throws {AlknetError} `BAD_FRAME`.
 */
export function readItem({ body }: Frame): Item & { readonly rid: Uint8Array } {
  const length = body.byteLength < ITEM_HEAD ? Infinity : readU16(body, ITEM_HEAD - 2);
  const kind = body[ID + 8];
  if (ITEM_HEAD + length > body.byteLength || kind > 1) throw badFrame("an item does not fit its frame");
  const bytes = body.slice(ITEM_HEAD, ITEM_HEAD + length);
  return { rid: body.slice(0, ID), seq: readU64(body.subarray(ID)), kind: kind as 0 | 1, body: bytes };
}

/**
 * What an ERROR says.
 *
 * @throws {AlknetError} `BAD_FRAME`.
 */
export function readError({ body }: Frame): { readonly code: number; readonly retryAfter: number } {
  if (body.byteLength !== 6) throw badFrame("an error does not fit its frame");
  return { code: readU16(body), retryAfter: readU32(body, 2) };
}

/**
 * The frames of a stream, until it ends.
 *
 * @throws {AlknetError} `BAD_FRAME`: a length that none has, or the stream ends within a frame.
 */
export async function* framesOf(readable: ReadableStream<Uint8Array>): AsyncGenerator<Frame> {
  let bytes = new Uint8Array();
  for await (const chunk of readable) {
    bytes = bytes.byteLength === 0 ? chunk as Uint8Array<ArrayBuffer> : joined(bytes, chunk);
    let at = 0;
    while (bytes.byteLength - at >= 4) {
      const length = readU32(bytes, at);
      if (length < LEAST_BYTES || length > MOST_BYTES) throw badFrame(`none has ${length} bytes`);
      const end = at + 4 + length;
      if (end > bytes.byteLength) break;
      yield { type: bytes[at + 4], id: readU32(bytes, at + 5), body: bytes.slice(at + 9, end) };
      at = end;
    }
    bytes = bytes.subarray(at);
  }
  if (bytes.byteLength > 0) throw badFrame("the stream ends within one");
}

function of(type: number, { rid, rcap }: ReaderOf, id: number, ...rest: readonly Uint8Array[]): Uint8Array {
  return formatFrame({ type, id, body: joined(rid, rcap, ...rest) });
}

function filled(body: Uint8Array): Uint8Array {
  const whole = new Uint8Array(PADDED);
  whole.set(body);
  return whole;
}

function u64(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value);
  return bytes;
}

function readU64(bytes: Uint8Array): bigint {
  return new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0);
}

function badFrame(why: string): AlknetError {
  return new AlknetError("BAD_FRAME", `a frame of alknet/msg is none: ${why}`);
}
