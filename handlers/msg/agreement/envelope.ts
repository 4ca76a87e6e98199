/**
 * Envelopes as they lie in a queue (msg.md §2, §3).
 *
 * ```text
 * type 1: 01 | suite | spk id 4 | opk id 4 | ek 32 | 42: in suite 2 ciphertext of ML-KEM-768 1088
 *         | P = 42 or 1130: GCM(K_id, AAD bytes 0 to P) of the identity block 144 | Q = P + 144: ratchet part
 * type 2: 02 | ratchet part
 * ```
 *
 * @module
 */
import { AlknetError, sha256 } from "@alknet/core/crypto";
import { isSuite, type Suite, SUITE_HYBRID } from "./bundle.ts";
import { IDENTITY_LENGTH } from "./identity.ts";
import { KEM_CIPHERTEXT_LENGTH } from "./kem.ts";
import { readU32 } from "./labels.ts";
import { isSize, type Size } from "./padding.ts";

/** The first message of one who has had no answer. */
export const FIRST = 1;
/** Every other. */
export const LATER = 2;
/** Before what is of the suite. */
const HEAD = 42;
/** The identity block, with its tag. */
const SEALED_IDENTITY = IDENTITY_LENGTH + 16;
/** The smallest class of a first message, so that all suites look alike in a queue. */
export const LEAST_FIRST: Size = 2048;

/** P: where the sealed identity begins. */
export function identityAt(suite: Suite): number {
  return suite === SUITE_HYBRID ? HEAD + KEM_CIPHERTEXT_LENGTH : HEAD;
}

/** Q: where the ratchet part of a first message begins. */
export function ratchetAt(suite: Suite): number {
  return identityAt(suite) + SEALED_IDENTITY;
}

/** What is in the open in a first message. */
export interface FirstMessage {
  /** What is agreed on with. */
  readonly suite: Suite;
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
  /** Of ML-KEM-768; empty in suite 1. */
  readonly ciphertext: Uint8Array;
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
  const suite = envelope[1];
  if (envelope[0] !== FIRST || !isSuite(suite) || envelope.byteLength < LEAST_FIRST) {
    throw unreadable("its type or suite is not known to this program");
  }
  const prefix = envelope.slice(0, ratchetAt(suite));
  const hash = sha256(prefix);
  return {
    suite,
    sessionId: hash.subarray(0, 16).toHex(),
    hash,
    prefix,
    spkId: readU32(envelope, 2),
    opkId: readU32(envelope, 6),
    ek: envelope.slice(10, HEAD),
    ciphertext: envelope.slice(HEAD, identityAt(suite)),
  };
}

/** H(ek) of a first message: of two that cross, the smaller one's session sends. */
export function ekHash(envelope: Uint8Array): Uint8Array {
  return sha256(envelope.subarray(10, HEAD));
}

/** The ratchet part of an envelope of either type. */
export function ratchetPart(envelope: Uint8Array): Uint8Array {
  if (!isSize(envelope.byteLength)) throw unreadable("it has the length of no class");
  if (envelope[0] !== FIRST) return envelope.subarray(1);
  if (!isSuite(envelope[1]) || envelope.byteLength < LEAST_FIRST) {
    throw unreadable("its suite is not known to this program");
  }
  return envelope.subarray(ratchetAt(envelope[1]));
}

/** What does not open. */
export function unreadable(why: string, cause?: unknown): AlknetError {
  return new AlknetError("UNREADABLE", `an envelope does not open: ${why}`, { cause });
}
