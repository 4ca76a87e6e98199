/**
 * How two agree on a session while one of them is away (msg.md §2).
 *
 * ```text
 * T0   = H(L(first), 00, bytes 0 to P, ed_B, ik_B, spk_B, opk_B or Z, H(pq_B) or Z)
 * PRK0 = Extract(salt T0, [X(ek,spk), X(ek,opk) if any, KEM secret if any])    K_id = Expand(PRK0, L(id), 44): key 32, nonce 12
 * T1   = H(T0, idb_A)    PRK1 = Extract(salt Expand(PRK0, L(chain), 32), [X(ik_A,spk), X(ek,ik_B)])
 * SK, HKa, NHKb = Expand(PRK1, [L(session), 00, T1], 96)    AD = T1
 * ```
 *
 * @module
 */
import {
  expand,
  extract,
  joined,
  openGcm,
  type Random,
  sealGcm,
  sha256,
  wipe,
  x25519,
  x25519Public,
} from "@alknet/core/crypto";
import { type Bundle, type SignedSecrets, SUITE_HYBRID } from "./bundle.ts";
import { FIRST, type FirstMessage, identityAt, unreadable } from "./envelope.ts";
import { identityBlock, type MessageKeys, type PeerIdentity, readIdentity } from "./identity.ts";
import { decapsulate, encapsulate } from "./kem.ts";
import { label, SEPARATOR, u32, ZEROS } from "./labels.ts";
import { rootStep } from "./ratchet.ts";
import { Session } from "./state.ts";

/** Secrets that a queue's bundle was made with, as far as a first message needs them. */
export interface Prekeys extends SignedSecrets {
  /** Of the key for one use, where the message names one. */
  readonly opk?: Uint8Array;
}

interface Agreed {
  readonly SK: Uint8Array;
  readonly HKa: Uint8Array;
  readonly NHKb: Uint8Array;
  readonly T1: Uint8Array;
}

/** Begins a session with one whose bundle was checked. Nothing is sent: its first message is sealed in it. */
export function begin(keys: MessageKeys, bundle: Bundle, random: Random): Session {
  const { suite, ed, ik, spk, opk, pq } = bundle;
  const ek = random(32);
  const kem = pq && encapsulated(pq, random);
  const head = joined(Uint8Array.of(FIRST, suite), u32(spk.id), u32(opk?.id ?? 0), x25519Public(ek));
  const open = kem ? joined(head, kem.ciphertext) : head;
  const T0 = firstTranscript(open, { ed, ik }, { spk: spk.key, opk: opk?.key, pq });
  const PRK0 = extractWiping(
    T0,
    x25519(ek, spk.key),
    ...(opk ? [x25519(ek, opk.key)] : []),
    ...(kem ? [kem.secret] : []),
  );
  const idb = identityBlock(keys);
  const sealed = withIdentityKey(PRK0, (key, nonce) => sealGcm(key, nonce, idb, open));
  const { SK, HKa, NHKb, T1 } = agreedOn(PRK0, T0, idb, [keys.agree(spk.key), x25519(ek, ik)]);
  wipe(PRK0, ek);
  const prefix = joined(open, sealed);
  const DHs = random(32).slice();
  const { rk, ck, nhk } = rootStep(SK, DHs, spk.key);
  wipe(SK);
  return new Session(sha256(prefix).subarray(0, 16).toHex(), ed, {
    Ns: 0,
    Nr: 0,
    PN: 0,
    DHs,
    DHr: spk.key,
    RK: rk,
    CKs: ck,
    HKs: HKa,
    NHKs: nhk,
    NHKr: NHKb,
    AD: T1,
    prefix,
  });
}

/**
 * The session that a first message begins, before anything was opened in it.
 *
 * @returns The session, and who begins it.
 * @throws {AlknetError} `UNREADABLE`.
 */
export function answer(
  keys: MessageKeys,
  prekeys: Prekeys,
  { suite, sessionId, prefix, ek, ciphertext }: FirstMessage,
): { readonly session: Session; readonly from: PeerIdentity } {
  const { spk, opk, pq } = prekeys;
  // Keys of suite 2 serve no other: nobody who has them was told of less.
  if ((pq !== undefined) !== (suite === SUITE_HYBRID)) throw unreadable("its suite is not that of its keys");
  const open = prefix.subarray(0, identityAt(suite));
  try {
    const kem = pq && decapsulate(pq, ciphertext);
    const theirs = { spk: x25519Public(spk), opk: opk && x25519Public(opk), pq: kem?.publicKey };
    const T0 = firstTranscript(open, keys, theirs);
    const PRK0 = extractWiping(
      T0,
      x25519(spk, ek),
      ...(opk ? [x25519(opk, ek)] : []),
      ...(kem ? [kem.secret] : []),
    );
    const idb = withIdentityKey(PRK0, (key, nonce) => openGcm(key, nonce, prefix.subarray(open.byteLength), open));
    const from = readIdentity(idb);
    if (!from) throw unreadable("the sender's identity is not signed by its key");
    const { SK, HKa, NHKb, T1 } = agreedOn(PRK0, T0, idb, [x25519(spk, from.ik), keys.agree(ek)]);
    wipe(PRK0);
    const state = { Ns: 0, Nr: 0, PN: 0, DHs: spk.slice(), RK: SK, NHKs: NHKb, NHKr: HKa, AD: T1 };
    return { session: new Session(sessionId, from.ed, { ...state, prefix: new Uint8Array() }), from };
  } catch (cause) {
    throw unreadable("it was not made for these keys, or was altered", cause);
  }
}

function firstTranscript(
  open: Uint8Array,
  of: PeerIdentity,
  { spk, opk, pq }: { readonly spk: Uint8Array; readonly opk?: Uint8Array; readonly pq?: Uint8Array },
): Uint8Array {
  return sha256(label("first"), SEPARATOR, open, of.ed, of.ik, spk, opk ?? ZEROS, pq ? sha256(pq) : ZEROS);
}

function encapsulated(pq: Uint8Array, random: Random): ReturnType<typeof encapsulate> {
  const randomness = random(32).slice();
  try {
    return encapsulate(pq, randomness);
  } finally {
    wipe(randomness);
  }
}

function agreedOn(
  PRK0: Uint8Array,
  T0: Uint8Array,
  idb: Uint8Array,
  secrets: readonly [ofIdentity: Uint8Array, ofBoth: Uint8Array],
): Agreed {
  const T1 = sha256(T0, idb);
  const salt = expand(PRK0, [label("chain")], 32);
  const PRK1 = extractWiping(salt, ...secrets);
  const out = expand(PRK1, [label("session"), SEPARATOR, T1], 96);
  try {
    return { SK: out.slice(0, 32), HKa: out.slice(32, 64), NHKb: out.slice(64), T1 };
  } finally {
    wipe(salt, PRK1, out);
  }
}

function extractWiping(salt: Uint8Array, ...secrets: readonly Uint8Array[]): Uint8Array {
  try {
    return extract(salt, ...secrets);
  } finally {
    wipe(...secrets);
  }
}

function withIdentityKey<T>(PRK0: Uint8Array, use: (key: Uint8Array, nonce: Uint8Array) => T): T {
  const both = expand(PRK0, [label("id")], 44);
  try {
    return use(both.subarray(0, 32), both.subarray(32));
  } finally {
    wipe(both);
  }
}
