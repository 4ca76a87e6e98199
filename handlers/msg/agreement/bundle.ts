/**
 * Prekey bundles: what a sender needs of one who is away (msg.md §2).
 *
 * ```text
 * bundle:        01 | suite | identity block 128 | spk id 4 | spk 32 | last day 4 | in suite 2 ML-KEM-768 key 1184
 *                | signature `prekey` over all before 64
 * sealed bundle: nonce 12 | GCM(bundle key, AAD sid) of it
 * BUNDLE's body: sealed bundle | 00, or 01, opk id 4, opk 32
 * ```
 *
 * @module
 */
import {
  AlknetError,
  equalBytes,
  hkdf,
  joined,
  openGcm,
  type Random,
  sealGcm,
  SIGNATURE_LENGTH,
  x25519Public,
} from "@alknet/core/crypto";
import { IDENTITY_LENGTH, identityBlock, isSignedFor, type MessageKeys, readIdentity, signFor } from "./identity.ts";
import { isKemPublic, KEM_PUBLIC_LENGTH, KEM_SEED_LENGTH, kemPublic } from "./kem.ts";
import { label, readU32, u32 } from "./labels.ts";

/** X25519 alone. */
export const SUITE_X25519 = 1;
/** X25519 and ML-KEM-768: whoever keeps envelopes for a quantum computer needs to break both. The default. */
export const SUITE_HYBRID = 2;
/** What a bundle is agreed on with. */
export type Suite = typeof SUITE_X25519 | typeof SUITE_HYBRID;
/** Bytes of a bundle, by its suite. */
export const BUNDLE_LENGTH: Readonly<Record<Suite, number>> = { 1: 234, 2: 234 + KEM_PUBLIC_LENGTH };
/** Days that a bundle is good for, from the day it is made on. */
export const BUNDLE_DAYS = 90;

const VERSION = 1;
const AT_SPK_ID = 2 + IDENTITY_LENGTH;
const AT_SPK = AT_SPK_ID + 4;
const AT_DAY = AT_SPK + 32;
const AT_PQ = AT_DAY + 4;
/** Bytes that sealing adds. */
const SEAL = 12 + 16;

/** A key of one who is away, by its id. */
export interface PublicPrekey {
  /** From 1; ids of one kind in one queue are never used again. */
  readonly id: number;
  /** X25519. */
  readonly key: Uint8Array;
}

/** The secrets of a signed key. */
export interface SignedSecrets {
  /** X25519. */
  readonly spk: Uint8Array;
  /** Seed of ML-KEM-768, in suite 2. */
  readonly pq?: Uint8Array;
}

/** Bytes of new secrets of suite 2. */
export const SIGNED_SECRETS_LENGTH: number = 32 + KEM_SEED_LENGTH;

/** The secrets of a signed key as they are kept: parts of the same memory, in suite 1 of 32 bytes, in suite 2 of 96. */
export function signedSecrets(kept: Uint8Array): SignedSecrets {
  return { spk: kept.subarray(0, 32), pq: kept.byteLength > 32 ? kept.subarray(32) : undefined };
}

/** What a bundle says. */
export interface Bundle {
  /** What is agreed on with. */
  readonly suite: Suite;
  /** Ed25519 of whose it is. */
  readonly ed: Uint8Array;
  /** X25519 of whose it is. */
  readonly ik: Uint8Array;
  /** The signed key. */
  readonly spk: PublicPrekey;
  /** Its other half, in suite 2: ML-KEM-768. */
  readonly pq?: Uint8Array;
  /** The key for one use, where there was one left. */
  readonly opk?: PublicPrekey;
}

/** What both sides of a queue make of its t: scap proves that one may send, the bundle key opens the bundle. */
export function queueKeys(t: Uint8Array): { readonly scap: Uint8Array; readonly bundleKey: Uint8Array } {
  return { scap: hkdf(undefined, t, [label("scap")], 32), bundleKey: hkdf(undefined, t, [label("bundle")], 32) };
}

/**
 * Makes a bundle, of suite 2 where there is a seed of ML-KEM.
 *
 * @param signed The secrets of the signed key, and its id.
 * @param lastDay The last day of use, in days since 1970.
 */
export function makeBundle(
  keys: Pick<MessageKeys, "ed" | "ik" | "sign">,
  { id, spk, pq }: SignedSecrets & { readonly id: number },
  lastDay: number,
): Uint8Array {
  const head = Uint8Array.of(VERSION, pq ? SUITE_HYBRID : SUITE_X25519);
  const other = pq ? kemPublic(pq) : new Uint8Array();
  const body = joined(head, identityBlock(keys), u32(id), x25519Public(spk), u32(lastDay), other);
  return joined(body, signFor(keys, "prekey", body));
}

/** Seals a bundle for a queue, so that the mailbox does not see whose it is. */
export function sealBundle(bundle: Uint8Array, t: Uint8Array, sid: Uint8Array, random: Random): Uint8Array {
  const nonce = random(12);
  return joined(nonce, sealGcm(queueKeys(t).bundleKey, nonce, bundle, sid));
}

/**
 * Opens and checks what a mailbox answers a TAKE with.
 *
 * @param body BUNDLE's body.
 * @param of The queue, the key that the bundle has to be of, and the least suite: who once had more is not written to with
 * less, since an old bundle is signed as well as a new one.
 * @param today In days since 1970.
 * @throws {AlknetError} `BAD_BUNDLE`.
 */
export function readBundleAnswer(
  body: Uint8Array,
  of: { readonly t: Uint8Array; readonly sid: Uint8Array; readonly ed: Uint8Array; readonly least?: Suite },
  today: number,
): Bundle {
  // The suite decides the length, and is signed: what is cut to that of another does not open.
  const length = Object.values(BUNDLE_LENGTH).map((one) => one + SEAL)
    .find((one) => body.byteLength === one + 1 || body.byteLength === one + 37);
  if (length === undefined) throw badBundle("it is of another form or suite");
  const [sealed, rest] = [body.subarray(0, length), body.subarray(length)];
  const hasKey = rest.byteLength === 37 && rest[0] === 1 && readU32(rest, 1) > 0;
  if (!hasKey && (rest.byteLength !== 1 || rest[0] !== 0)) throw badBundle("it is of another form or suite");
  let bundle: Uint8Array;
  try {
    bundle = openGcm(queueKeys(of.t).bundleKey, sealed.subarray(0, 12), sealed.subarray(12), of.sid);
  } catch (cause) {
    throw badBundle("it was sealed for another queue, or altered", cause);
  }
  const read = readBundle(bundle, of.ed, today);
  if (of.least !== undefined && read.suite < of.least) throw badBundle("the contact had stronger ones before");
  return hasKey ? { ...read, opk: { id: readU32(rest, 1), key: rest.slice(5) } } : read;
}

/**
 * Checks a bundle.
 *
 * @param ed Whose it has to be.
 * @param today In days since 1970; one day is given for clocks that differ.
 * @throws {AlknetError} `BAD_BUNDLE`.
 */
export function readBundle(bundle: Uint8Array, ed: Uint8Array, today: number): Bundle {
  if (bundle[0] !== VERSION) throw badBundle(`its version ${bundle[0]} is not known to this program`);
  const suite = bundle[1];
  if (!isSuite(suite)) throw badBundle(`its suite ${suite} is not known to this program`);
  const length = BUNDLE_LENGTH[suite];
  if (bundle.byteLength !== length) throw badBundle(`it has ${bundle.byteLength} bytes, not ${length}`);
  const identity = readIdentity(bundle.subarray(2, AT_SPK_ID));
  if (!identity) throw badBundle("its identity is not signed by its key");
  if (!equalBytes(identity.ed, ed)) throw badBundle("it is of another key than the token names");
  const signature = bundle.subarray(-SIGNATURE_LENGTH);
  if (!isSignedFor("prekey", ed, bundle.subarray(0, -SIGNATURE_LENGTH), signature)) {
    throw badBundle("it is not signed by its key");
  }
  const last = readU32(bundle, AT_DAY);
  if (last < today - 1) throw badBundle("it has expired: the contact was away for too long");
  const pq = suite === SUITE_HYBRID ? bundle.slice(AT_PQ, -SIGNATURE_LENGTH) : undefined;
  if (pq && !isKemPublic(pq)) throw badBundle("its key of ML-KEM is none");
  return { suite, ...identity, spk: { id: readU32(bundle, AT_SPK_ID), key: bundle.slice(AT_SPK, AT_DAY) }, pq };
}

/** Whether a number is that of a suite which this program knows. */
export function isSuite(suite: number): suite is Suite {
  return suite === SUITE_X25519 || suite === SUITE_HYBRID;
}

function badBundle(why: string, cause?: unknown): AlknetError {
  return new AlknetError("BAD_BUNDLE", `the contact's keys, as its mailbox gives them, cannot be used: ${why}`, {
    cause,
  });
}
