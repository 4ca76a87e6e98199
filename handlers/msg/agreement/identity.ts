/**
 * Who writes: the identity block, what it signs, and the number that two people compare (msg.md §2).
 *
 * ```text
 * identity block: ed 32 | ik 32 | signature `identity` over ik 64
 * ```
 *
 * @module
 */
import { AlknetError, ed25519Verify, equalBytes, joined, sha512, SIGNATURE_LENGTH } from "@alknet/core/crypto";
import { label, SEPARATOR } from "./labels.ts";

/** Bytes of an identity block. */
export const IDENTITY_LENGTH = 128;

/** Secrets of one who writes, and what is made with them. */
export interface MessageKeys extends Disposable {
  /** Ed25519, 32 bytes: who it is. */
  readonly ed: Uint8Array;
  /** X25519, 32 bytes. */
  readonly ik: Uint8Array;
  /** The key of the message store, 32 bytes. Secret. */
  readonly store: Uint8Array;
  /** Signs with ed: 64 bytes. */
  sign(data: Uint8Array): Uint8Array;
  /**
   * X25519 of ik and another's key. The caller wipes it.
   *
   * @throws {AlknetError} `LOW_ORDER`.
   */
  agree(theirs: Uint8Array): Uint8Array;
}

/** Another's keys. */
export interface PeerIdentity {
  /** Ed25519. */
  readonly ed: Uint8Array;
  /** X25519. */
  readonly ik: Uint8Array;
}

/** Signs for one purpose. */
export function signFor(keys: Pick<MessageKeys, "sign">, purpose: string, data: Uint8Array): Uint8Array {
  return keys.sign(joined(label(purpose), SEPARATOR, data));
}

/** Whether a signature was made for a purpose. */
export function isSignedFor(purpose: string, ed: Uint8Array, data: Uint8Array, signature: Uint8Array): boolean {
  return ed25519Verify(ed, joined(label(purpose), SEPARATOR, data), signature);
}

/** The identity block of keys. */
export function identityBlock(keys: Pick<MessageKeys, "ed" | "ik" | "sign">): Uint8Array {
  return joined(keys.ed, keys.ik, signFor(keys, "identity", keys.ik));
}

/** The keys of an identity block; nothing where its signature is wrong. */
export function readIdentity(block: Uint8Array): PeerIdentity | undefined {
  const [ed, ik, signature] = [block.slice(0, 32), block.slice(32, 64), block.subarray(64)];
  if (signature.byteLength !== SIGNATURE_LENGTH) return undefined;
  return isSignedFor("identity", ed, ik, signature) ? { ed, ik } : undefined;
}

/** Throws unless a contact is the one it was. */
export function assertSameIdentity(known: Uint8Array, now: Uint8Array): void {
  if (equalBytes(known, now)) return;
  throw new AlknetError("IDENTITY_CHANGED", "the contact has another key than before; compare safety numbers anew");
}

/** Twelve groups of five digits, the same for both: who reads them to each other knows that nobody stands between. */
export function safetyNumber(one: PeerIdentity, other: PeerIdentity): string {
  const both = [one, other].map(({ ed, ik }) => joined(ed, ik)).sort(byBytes);
  const digest = sha512(label("safety"), SEPARATOR, ...both);
  return Array.from({ length: 12 }, (_, i) => {
    const value = digest.subarray(5 * i, 5 * i + 5).reduce((sum, byte) => sum * 256 + byte, 0);
    return `${value % 100_000}`.padStart(5, "0");
  }).join(" ");
}

function byBytes(a: Uint8Array, b: Uint8Array): number {
  const at = a.findIndex((byte, i) => byte !== b[i]);
  return at < 0 ? 0 : a[at] - b[at];
}
