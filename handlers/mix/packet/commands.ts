/**
 * What a node is told, 82 bytes of beta (msg.md §5.1).
 *
 * ```text
 * 00            end, zeros        01 | id 32 | gamma 32   next node      02 | recipient 32
 * 03 | id 16    reply block       80 | u32 ms             wait
 * relay: 80, 01, 00        last: 02, and of a reply 03, then 00
 * ```
 *
 * No other order is taken: one meaning has one spelling, so that a sender cannot be told by it.
 *
 * @module
 */
import { GAMMA_LENGTH, HOP_LENGTH, POINT_LENGTH, SURB_ID_LENGTH } from "./geometry.ts";

const NEXT = 0x01;
const RECIPIENT = 0x02;
const REPLY = 0x03;
const DELAY = 0x80;
const NEXT_AT = 5;

/** To a node within the path. */
export interface Relay {
  /** Milliseconds to wait. */
  readonly delay: number;
  /** The next node's id. */
  readonly next: Uint8Array;
  /** Gamma of what it gets. */
  readonly gamma: Uint8Array;
}

/** To the last node. */
export interface Last {
  /** Whom the body is for. */
  readonly recipient: Uint8Array;
  /** The reply block that it came by. */
  readonly surbId?: Uint8Array;
}

/** 82 bytes for a node within the path. */
export function writeRelay({ delay, next, gamma }: Relay): Uint8Array {
  const bytes = new Uint8Array(HOP_LENGTH);
  bytes[0] = DELAY;
  new DataView(bytes.buffer).setUint32(1, delay);
  bytes[NEXT_AT] = NEXT;
  bytes.set(next, NEXT_AT + 1);
  bytes.set(gamma, NEXT_AT + 1 + POINT_LENGTH);
  return bytes;
}

/** 82 bytes for the last node. */
export function writeLast({ recipient, surbId }: Last): Uint8Array {
  const bytes = new Uint8Array(HOP_LENGTH);
  bytes[0] = RECIPIENT;
  bytes.set(recipient, 1);
  if (surbId === undefined) return bytes;
  bytes[1 + POINT_LENGTH] = REPLY;
  bytes.set(surbId, 2 + POINT_LENGTH);
  return bytes;
}

/** Reads 82 bytes; nothing where they are no commands, wholly. */
export function readCommands(bytes: Uint8Array): Relay | Last | undefined {
  if (bytes.byteLength !== HOP_LENGTH) return undefined;
  if (bytes[0] === DELAY) {
    const gammaAt = NEXT_AT + 1 + POINT_LENGTH;
    const end = gammaAt + GAMMA_LENGTH;
    if (bytes[NEXT_AT] !== NEXT || !isEnd(bytes, end)) return undefined;
    const delay = new DataView(bytes.buffer, bytes.byteOffset).getUint32(1);
    return { delay, next: bytes.slice(NEXT_AT + 1, gammaAt), gamma: bytes.slice(gammaAt, end) };
  }
  if (bytes[0] !== RECIPIENT) return undefined;
  const recipient = bytes.slice(1, 1 + POINT_LENGTH);
  const at = 1 + POINT_LENGTH;
  if (bytes[at] !== REPLY) return isEnd(bytes, at) ? { recipient } : undefined;
  const end = at + 1 + SURB_ID_LENGTH;
  return isEnd(bytes, end) ? { recipient, surbId: bytes.slice(at + 1, end) } : undefined;
}

function isEnd(bytes: Uint8Array, at: number): boolean {
  return bytes.subarray(at).every((byte) => byte === 0);
}
