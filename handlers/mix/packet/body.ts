/**
 * What is in a packet for its recipient (msg.md §5.1).
 *
 * ```text
 * body: flags 1 (1: a SURB) | 00 | SURB, or random bytes | user part
 * request: op 1 (0 none, 1 send, 2 take) | scap 32 | of send the envelope 2048 | zeros
 * answer: status 1 (0, or a mailbox's code) | u16 length | bytes | zeros
 * recipient: zeros (drop), or 01 | 00 × 7 | sid 24
 * ```
 *
 * @module
 */
import { AlknetError, joined, type Random } from "@alknet/core/crypto";
import { type Layout, POINT_LENGTH } from "./geometry.ts";
import { SCHEME } from "./scheme.ts";

/** Bytes of the one class of envelopes that packets carry; longer contents go in parts. */
export const MIX_ENVELOPE = 2048;
const CAPABILITY_LENGTH = 32;
const SID_LENGTH = 24;
const SID_AT = POINT_LENGTH - SID_LENGTH;
const WITH_SURB = 1;
const SEND = 1;
const TAKE = 2;

/** A body. */
export interface MixBody {
  /** By which it is answered. */
  readonly surb?: Uint8Array;
  /** The user part: of {@linkcode writeRequest} or {@linkcode writeAnswer}. */
  readonly user: Uint8Array;
}

/** What the last node does with a queue. */
export type MixRequest =
  | {
    /** Nothing. */
    readonly op: "none";
  }
  | {
    /** Puts an envelope into it. */
    readonly op: "send";
    /** 32 bytes: the queue's capability. */
    readonly scap: Uint8Array;
    /** 2048 bytes. */
    readonly envelope: Uint8Array;
  }
  | {
    /** Takes its keys. */
    readonly op: "take";
    /** 32 bytes: the queue's capability. */
    readonly scap: Uint8Array;
  };

/** What comes of it. */
export interface MixAnswer {
  /** 0, or the code that a mailbox refuses with. */
  readonly status: number;
  /** Keys that were taken; else none. */
  readonly bytes: Uint8Array;
}

/**
 * A body.
 *
 * @param random Draws what stands where no reply block is.
 * @throws {RangeError} Reply block or user part have another length.
 */
export function writeBody({ surb, user }: MixBody, random: Random, layout: Layout = SCHEME.layout): Uint8Array {
  exactly("a user part", user, layout.user);
  if (surb !== undefined) exactly("a reply block", surb, layout.surb);
  return joined(Uint8Array.of(surb ? WITH_SURB : 0, 0), surb ?? random(layout.surb), user);
}

/**
 * Reads a body.
 *
 * @throws {AlknetError} `BAD_BODY`: another length, or flags that are not known.
 */
export function readBody(body: Uint8Array, layout: Layout = SCHEME.layout): MixBody {
  if (body.byteLength !== layout.body) throw bad(`has ${body.byteLength} bytes, not ${layout.body}`);
  if (body[0] > WITH_SURB || body[1] !== 0) throw bad("has flags that are not known");
  const end = 2 + layout.surb;
  return { ...body[0] === WITH_SURB && { surb: body.slice(2, end) }, user: body.slice(end) };
}

/**
 * A user part that asks.
 *
 * @throws {RangeError} A part of it has another length, or the geometry no room.
 */
export function writeRequest(request: MixRequest, { user }: Layout = SCHEME.layout): Uint8Array {
  if (request.op === "none") return new Uint8Array(user);
  exactly("a capability", request.scap, CAPABILITY_LENGTH);
  if (request.op === "take") return filled(user, Uint8Array.of(TAKE), request.scap);
  exactly("an envelope in a packet", request.envelope, MIX_ENVELOPE);
  return filled(user, Uint8Array.of(SEND), request.scap, request.envelope);
}

/**
 * Reads a user part that asks.
 *
 * @throws {AlknetError} `BAD_BODY`: it asks what is not known, or anything but zeros is behind it.
 */
export function readRequest(user: Uint8Array): MixRequest {
  const scap = user.slice(1, 1 + CAPABILITY_LENGTH);
  const end = 1 + CAPABILITY_LENGTH;
  switch (user[0]) {
    case 0:
      zeros(user, 1);
      return { op: "none" };
    case SEND:
      zeros(user, end + MIX_ENVELOPE);
      return { op: "send", scap, envelope: user.slice(end, end + MIX_ENVELOPE) };
    case TAKE:
      zeros(user, end);
      return { op: "take", scap };
    default:
      throw bad("asks for what is not known to this program");
  }
}

/**
 * A user part that answers.
 *
 * @throws {RangeError} The status is no byte, or there is no room for the bytes.
 */
export function writeAnswer({ status, bytes }: MixAnswer, { user }: Layout = SCHEME.layout): Uint8Array {
  if (!Number.isInteger(status) || status < 0 || status > 255) {
    throw new RangeError(`a status is a byte, not ${status}`);
  }
  const { byteLength: length } = bytes;
  return filled(user, Uint8Array.of(status, length >>> 8, length & 0xff), bytes);
}

/**
 * Reads a user part that answers.
 *
 * @throws {AlknetError} `BAD_BODY`: it is cut, or anything but zeros is behind it.
 */
export function readAnswer(user: Uint8Array): MixAnswer {
  const end = 3 + (user[1] << 8 | user[2]);
  zeros(user, end);
  return { status: user[0], bytes: user.slice(3, end) };
}

/** Where nobody is: what the last node drops. */
export function dropRecipient(): Uint8Array {
  return new Uint8Array(POINT_LENGTH);
}

/**
 * A queue of the last node.
 *
 * @throws {RangeError} A sid has 24 bytes.
 */
export function queueRecipient(sid: Uint8Array): Uint8Array {
  exactly("a sid", sid, SID_LENGTH);
  return joined(Uint8Array.of(1), new Uint8Array(SID_AT - 1), sid);
}

/** The sid of a recipient; `drop`, or nothing where it is neither. */
export function readRecipient(recipient: Uint8Array): Uint8Array | "drop" | undefined {
  if (recipient.byteLength !== POINT_LENGTH || recipient.subarray(1, SID_AT).some((byte) => byte !== 0)) {
    return undefined;
  }
  if (recipient[0] === 1) return recipient.slice(SID_AT);
  return recipient.every((byte) => byte === 0) ? "drop" : undefined;
}

function filled(length: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = joined(...parts);
  if (content.byteLength > length) throw new RangeError(`${content.byteLength} bytes do not fit into ${length}`);
  const whole = new Uint8Array(length);
  whole.set(content);
  return whole;
}

function zeros(user: Uint8Array, at: number): void {
  if (at > user.byteLength) throw bad("is cut");
  if (user.subarray(at).some((byte) => byte !== 0)) throw bad("has something where zeros belong");
}

function exactly(what: string, { byteLength }: Uint8Array, wanted: number): void {
  if (byteLength !== wanted) throw new RangeError(`${what} has ${wanted} bytes, not ${byteLength}`);
}

function bad(why: string): AlknetError {
  return new AlknetError("BAD_BODY", `what came in a packet ${why}`);
}
