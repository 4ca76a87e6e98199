/**
 * Signed packets: records of DNS that a key has signed as a mutable item of BEP 44, with the time of signing as its sequence
 * number.
 *
 * Whoever has such a packet can tell by itself whether it is the key's; where it comes from does not matter.
 *
 * @module
 */
import { ed25519Verify } from "@alknet/core/crypto";
import { AlknetError } from "@alknet/core/handler";
import { nodeIdOf, type NodeKey } from "@alknet/core/identity";
import { Buffer } from "node:buffer";
import { decodeMessage } from "../codec/decode.ts";
import { encodeMessage } from "../codec/encode.ts";
import { DnsMalformedError } from "../codec/errors.ts";
import { type DnsName, isWithin, parseName } from "../codec/name.ts";
import type { Message, Records } from "../codec/types.ts";
import { PkarrInvalidError } from "./errors.ts";

/** Bytes of the largest message in a packet. */
export const MAX_PACKET_MESSAGE = 1000;
/** Bytes of the largest payload: signature, timestamp and message. */
export const MAX_PAYLOAD = 1072;

const SIGNATURE = 64;
/** Signature and timestamp. */
const HEAD = 72;
const MIN_MESSAGE = 12;
/** Microseconds that a clock may be ahead of ours. */
const MAX_AHEAD = 86_400_000_000n;
const FLAGS = { aa: false, tc: false, rd: false, ra: false, ad: false, cd: false };

/** Options of {@linkcode SignedPacket.fromRelayPayload}. */
export interface ReadPacketOptions {
  /** Milliseconds since 1970. Default: the system's. */
  readonly now?: () => number;
}

/** Records that a key has signed. Immutable. */
export class SignedPacket {
  /** The key in z-base-32. */
  readonly nodeId: string;
  /** The key, 32 bytes. */
  readonly publicKey: Uint8Array;
  /** When it was signed: microseconds since 1970. */
  readonly timestamp: bigint;
  /** The records; each owner is the key or ends in it. */
  readonly records: Records;
  readonly #payload: Uint8Array;

  private constructor(publicKey: Uint8Array, payload: Uint8Array, records: Records) {
    this.publicKey = publicKey;
    this.nodeId = nodeIdOf(publicKey);
    this.timestamp = timestampIn(payload);
    this.records = records;
    this.#payload = payload;
  }

  /**
   * Signs records.
   *
   * @param key Whose they are.
   * @param timestamp Microseconds since 1970; a packet takes the place of those with a smaller one.
   * @throws {PkarrInvalidError} `PKARR_INVALID`: an owner neither is nor ends in the key; or the timestamp is negative.
   * @throws {AlknetError} `PKARR_TOO_LARGE`: they take more than 1000 bytes.
   */
  static sign(key: Pick<NodeKey, "publicKey" | "sign">, records: Records, timestamp: bigint): SignedPacket {
    const publicKey = key.publicKey.slice();
    checkNames(publicKey, records);
    if (timestamp < 0n || timestamp >= 1n << 63n) throw new PkarrInvalidError("timestamp");
    const message = encodeMessage(messageOf(records));
    if (message.byteLength > MAX_PACKET_MESSAGE) {
      throw new AlknetError(
        "PKARR_TOO_LARGE",
        `the records take ${message.byteLength} bytes, and a signed packet has ${MAX_PACKET_MESSAGE} at most; leave some out`,
      );
    }
    const payload = new Uint8Array(HEAD + message.byteLength);
    payload.set(key.sign(signable(timestamp, message)));
    new DataView(payload.buffer).setBigUint64(SIGNATURE, timestamp);
    payload.set(message, HEAD);
    return new SignedPacket(publicKey, payload, decodeMessage(message).answer);
  }

  /**
   * Reads what relays carry: signature, timestamp, message.
   *
   * @param publicKey Whose it is said to be, 32 bytes.
   * @throws {PkarrInvalidError} `PKARR_INVALID`, with the fault.
   */
  static fromRelayPayload(
    publicKey: Uint8Array,
    payload: Uint8Array,
    { now = Date.now }: ReadPacketOptions = {},
  ): SignedPacket {
    if (payload.byteLength < HEAD + MIN_MESSAGE || payload.byteLength > MAX_PAYLOAD) {
      throw new PkarrInvalidError("size");
    }
    const own = payload.slice();
    const timestamp = timestampIn(own);
    const signed = signable(timestamp, own.subarray(HEAD));
    // What is not the key's is not looked into.
    if (!ed25519Verify(publicKey, signed, own.subarray(0, SIGNATURE))) throw new PkarrInvalidError("signature");
    const packet = SignedPacket.#read(publicKey.slice(), own);
    if (timestamp > BigInt(Math.floor(now())) * 1000n + MAX_AHEAD) throw new PkarrInvalidError("timestamp");
    return packet;
  }

  /**
   * Reads a payload that was read by {@linkcode SignedPacket.fromRelayPayload} before: its signature is not looked at.
   *
   * @throws {PkarrInvalidError} `PKARR_INVALID`: it is none.
   */
  static fromOwnStore(publicKey: Uint8Array, payload: Uint8Array): SignedPacket {
    return SignedPacket.#read(publicKey, payload);
  }

  static #read(publicKey: Uint8Array, payload: Uint8Array): SignedPacket {
    const records = answersIn(payload.subarray(HEAD));
    checkNames(publicKey, records);
    return new SignedPacket(publicKey, payload, records);
  }

  /** The name of the key: what owners are or end in. */
  get origin(): DnsName {
    return parseName(`${this.nodeId}.`);
  }

  /** Whether this one takes the place of another of its key: by timestamp, then by the bytes of its message. */
  isNewerThan(other: SignedPacket): boolean {
    if (this.timestamp !== other.timestamp) return this.timestamp > other.timestamp;
    return Buffer.compare(this.#payload.subarray(HEAD), other.#payload.subarray(HEAD)) > 0;
  }

  /** What relays carry: signature, timestamp, message. A copy. */
  toRelayPayload(): Uint8Array<ArrayBuffer> {
    return this.#payload.slice();
  }
}

/** What is signed (BEP 44): the sequence number and the value, each bencoded behind its key. */
function signable(timestamp: bigint, message: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`3:seqi${timestamp}e1:v${message.byteLength}:`, "latin1"), message]);
}

function timestampIn(payload: Uint8Array): bigint {
  return new DataView(payload.buffer, payload.byteOffset, payload.byteLength).getBigUint64(SIGNATURE);
}

function messageOf(answer: Records): Message {
  const head = { id: 0, response: true, opcode: 0, rcode: 0, flags: FLAGS };
  return { ...head, answer, authority: [], additional: [] };
}

/** The answers of a message that has nothing else. */
function answersIn(bytes: Uint8Array): Records {
  let message: Message;
  try {
    message = decodeMessage(bytes);
  } catch (cause) {
    if (cause instanceof DnsMalformedError) throw new PkarrInvalidError("message", { cause });
    throw cause;
  }
  const { id, response, opcode, rcode, question, answer, authority, additional, edns } = message;
  const isPlain = response && id === 0 && opcode === 0 && rcode === 0 && !question && !edns;
  if (!isPlain || authority.length + additional.length > 0) throw new PkarrInvalidError("message");
  return answer;
}

function checkNames(publicKey: Uint8Array, records: Records): void {
  const origin = parseName(`${nodeIdOf(publicKey)}.`);
  if (!records.every(({ name }) => isWithin(name, origin))) throw new PkarrInvalidError("names");
}
