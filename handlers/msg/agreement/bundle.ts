/**
 * Prekey bundles: what a sender needs of one who is away (msg.md §2). This version knows suite 1.
 *
 * ```text
 * bundle:        01 | suite 1 | identity block 128 | spk id 4 | spk 32 | last day 4 | signature `prekey` over all before 64
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
  x25519Public,
} from "@alknet/core/crypto";
import { IDENTITY_LENGTH, identityBlock, isSignedFor, type MessageKeys, readIdentity, signFor } from "./identity.ts";
import { label, readU32, u32 } from "./labels.ts";

/** X25519 alone. */
export const SUITE_X25519 = 1;
/** Bytes of a bundle of suite 1. */
export const BUNDLE_LENGTH = 234;
/** Bytes of the sealed one. */
export const SEALED_BUNDLE_LENGTH: number = 12 + BUNDLE_LENGTH + 16;
/** Days that a bundle is good for, from the day it is made on. */
export const BUNDLE_DAYS = 90;

const VERSION = 1;
const AT_SPK_ID = 2 + IDENTITY_LENGTH;
const AT_SPK = AT_SPK_ID + 4;
const AT_DAY = AT_SPK + 32;
const AT_SIGNATURE = AT_DAY + 4;

/** A key of one who is away, by its id. */
export interface PublicPrekey {
  /** From 1; ids of one kind in one queue are never used again. */
  readonly id: number;
  /** X25519. */
  readonly key: Uint8Array;
}

/** What a bundle says. */
export interface Bundle {
  /** Ed25519 of whose it is. */
  readonly ed: Uint8Array;
  /** X25519 of whose it is. */
  readonly ik: Uint8Array;
  /** The signed key. */
  readonly spk: PublicPrekey;
  /** The key for one use, where there was one left. */
  readonly opk?: PublicPrekey;
}

/** What both sides of a queue make of its t: scap proves that one may send, the bundle key opens the bundle. */
export function queueKeys(t: Uint8Array): { readonly scap: Uint8Array; readonly bundleKey: Uint8Array } {
  return { scap: hkdf(undefined, t, [label("scap")], 32), bundleKey: hkdf(undefined, t, [label("bundle")], 32) };
}

/**
 * Makes a bundle.
 *
 * @param spk The secret of the signed key, and its id.
 * @param lastDay The last day of use, in days since 1970.
 */
export function makeBundle(
  keys: Pick<MessageKeys, "ed" | "ik" | "sign">,
  spk: { readonly id: number; readonly secret: Uint8Array },
  lastDay: number,
): Uint8Array {
  const head = Uint8Array.of(VERSION, SUITE_X25519);
  const body = joined(head, identityBlock(keys), u32(spk.id), x25519Public(spk.secret), u32(lastDay));
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
 * @param of The queue, and the key that the bundle has to be of.
 * @param today In days since 1970.
 * @throws {AlknetError} `BAD_BUNDLE`.
 */
export function readBundleAnswer(
  body: Uint8Array,
  of: { readonly t: Uint8Array; readonly sid: Uint8Array; readonly ed: Uint8Array },
  today: number,
): Bundle {
  // The suite decides the length, so that what another suite sends is no answer of this one.
  const sealed = body.subarray(0, SEALED_BUNDLE_LENGTH);
  const rest = body.subarray(SEALED_BUNDLE_LENGTH);
  const hasKey = rest.byteLength === 37 && rest[0] === 1 && readU32(rest, 1) > 0;
  if (!hasKey && (rest.byteLength !== 1 || rest[0] !== 0)) throw badBundle("it is of another form or suite");
  let bundle: Uint8Array;
  try {
    bundle = openGcm(queueKeys(of.t).bundleKey, sealed.subarray(0, 12), sealed.subarray(12), of.sid);
  } catch (cause) {
    throw badBundle("it was sealed for another queue, or altered", cause);
  }
  const read = readBundle(bundle, of.ed, today);
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
  if (bundle[1] !== SUITE_X25519) throw badBundle(`its suite ${bundle[1]} is not known to this program`);
  if (bundle.byteLength !== BUNDLE_LENGTH) throw badBundle(`it has ${bundle.byteLength} bytes, not ${BUNDLE_LENGTH}`);
  const identity = readIdentity(bundle.subarray(2, AT_SPK_ID));
  if (!identity) throw badBundle("its identity is not signed by its key");
  if (!equalBytes(identity.ed, ed)) throw badBundle("it is of another key than the token names");
  const signed = bundle.subarray(0, AT_SIGNATURE);
  if (!isSignedFor("prekey", ed, signed, bundle.subarray(AT_SIGNATURE))) throw badBundle("it is not signed by its key");
  const last = readU32(bundle, AT_DAY);
  if (last < today - 1) throw badBundle("it has expired: the contact was away for too long");
  return { ...identity, spk: { id: readU32(bundle, AT_SPK_ID), key: bundle.slice(AT_SPK, AT_DAY) } };
}

function badBundle(why: string, cause?: unknown): AlknetError {
  return new AlknetError("BAD_BUNDLE", `the contact's keys, as its mailbox gives them, cannot be used: ${why}`, {
    cause,
  });
}
