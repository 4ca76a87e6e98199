/**
 * Envelopes as they lie in a queue (msg.md §2, §3). This version knows suite 1.
 *
 * ```text
 * type 1: 01 | suite 1 | spk id 4 | opk id 4 | ek 32 | P = 42: GCM(K_id, AAD bytes 0 to P) of the identity block 144 | Q = 186: ratchet part
 * type 2: 02 | ratchet part
 * ```
 *
 * @module
 */
import { AlknetError, sha256 } from "@alknet/core/crypto";
import { SUITE_X25519 } from "./bundle.ts";
import { readU32 } from "./labels.ts";
import { isSize, type Size } from "./padding.ts";

/** The first message of one who has had no answer. */
export const FIRST = 1;
/** Every other. */
export const LATER = 2;
/** Where the sealed identity begins. */
export const P = 42;
/** Where the ratchet part of a first message begins. */
export const Q = 186;
/** The smallest class of a first message, so that all suites look alike in a queue. */
export const LEAST_FIRST: Size = 2048;

/** What is in the open in a first message. */
export interface FirstMessage {
  /** Hex of 16 bytes: the session that it begins. */
  readonly sessionId: string;
  /** H(bytes 0 to Q). */
  readonly hash: Uint8Array;
  /** Bytes 0 to Q. */
  readonly prefix: Uint8Array;
  /** Which signed key it is for. */
  readonly spkId: number;
  /** Which key for one use; 0 for none. */
  readonly opkId: number;
  /** X25519, fresh. */
  readonly ek: Uint8Array;
}

/**
 * Reads what is in the open.
 *
 * @returns Nothing for a message of type 2.
 * @throws {AlknetError} `UNREADABLE`: it is no envelope, or of a version or suite that is not known.
 */
export function readFirst(envelope: Uint8Array): FirstMessage | undefined {
  if (!isSize(envelope.byteLength)) throw unreadable("it has the length of no class");
  if (envelope[0] === LATER) return undefined;
  if (envelope[0] !== FIRST || envelope[1] !== SUITE_X25519 || envelope.byteLength < LEAST_FIRST) {
    throw unreadable("its type or suite is not known to this program");
  }
  const prefix = envelope.slice(0, Q);
  const hash = sha256(prefix);
  return {
    sessionId: hash.subarray(0, 16).toHex(),
    hash,
    prefix,
    spkId: readU32(envelope, 2),
    opkId: readU32(envelope, 6),
    ek: envelope.slice(10, P),
  };
}

/** The ratchet part of an envelope of either type. */
export function ratchetPart(envelope: Uint8Array): Uint8Array {
  if (!isSize(envelope.byteLength)) throw unreadable("it has the length of no class");
  return envelope.subarray(envelope[0] === FIRST ? Q : 1);
}

/** What does not open. */
export function unreadable(why: string, cause?: unknown): AlknetError {
  return new AlknetError("UNREADABLE", `an envelope does not open: ${why}`, { cause });
}
