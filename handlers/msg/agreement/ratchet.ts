/**
 * The double ratchet with header encryption (Signal, rev. 1, §4; msg.md §3).
 *
 * ```text
 * ratchet part: hn 12 | GCM(HKs, hn, AAD AD) of DHs public 32, PN 4, Ns 4 | GCM(body key, AAD AD and the 68 bytes before) of padded
 * KDF_RK(rk, dh) = HKDF(salt rk, dh, L(root), 96) = rk, ck, nhk     KDF_CK(ck): mk = HMAC(ck, 01), next ck = HMAC(ck, 02)
 * body key, nonce = Expand(mk, [L(body), 00, hn], 44)
 * ```
 *
 * @module
 */
import {
  AlknetError,
  expand,
  hkdf,
  hmac,
  joined,
  openGcm,
  type Random,
  sealGcm,
  wipe,
  x25519,
  x25519Public,
} from "@alknet/core/crypto";
import { LATER, LEAST_FIRST, ratchetPart, unreadable } from "./envelope.ts";
import { label, readU32, SEPARATOR, u32 } from "./labels.ts";
import { padded, type Size, SIZES, smallestSize, unpadded } from "./padding.ts";
import { Session, type State, stateOf } from "./state.ts";

/** Messages of a chain that may be missing before one that came. */
export const MOST_SKIPPED = 1000;
/** Messages of a chain. */
const MOST_IN_CHAIN = 2 ** 20;
/** Header keys of skipped messages that are tried. */
const HEADER_KEYS = 8;
/** Before the body: hn, and the header with its tag. */
const HEAD = 68;
const BODY = label("body");
const ROOT = label("root");
/** Bytes of a ratchet part that are no content. */
const PART_OVERHEAD = HEAD + 4 + 16;

/** Keys of messages that have not come yet. */
export interface SkippedKeys {
  /** Newest first, each once. */
  headerKeys(): readonly Uint8Array[];
  /** The message key. */
  find(hk: Uint8Array, n: number): Uint8Array | undefined;
}

/** What has become of them. */
export interface SkippedChange {
  /** To be kept. */
  readonly add: readonly { readonly hk: Uint8Array; readonly n: number; readonly mk: Uint8Array }[];
  /** To be forgotten. */
  readonly used?: { readonly hk: Uint8Array; readonly n: number };
}

interface Header {
  readonly dh: Uint8Array;
  readonly pn: number;
  readonly n: number;
}

/**
 * The smallest class for a content.
 *
 * @throws {AlknetError} `TOO_LONG`.
 */
export function sizeFor(session: Session, length: number): Size {
  const { prefix } = stateOf(session);
  const before = prefix.byteLength || 1;
  return smallestSize(length, before + PART_OVERHEAD, prefix.byteLength > 0 ? LEAST_FIRST : undefined);
}

/** Bytes of content for which an envelope of the largest class has room. */
export function roomOf(session: Session): number {
  return SIZES.at(-1)! - (stateOf(session).prefix.byteLength || 1) - PART_OVERHEAD;
}

/**
 * Seals a content into an envelope of a class.
 *
 * @returns The session after it; the one before is not to be used again.
 * @throws {AlknetError} `SESSION_SPENT`.
 * @throws {RangeError} The content does not fit.
 */
export function seal(
  session: Session,
  content: Uint8Array,
  { size, random }: { readonly size: Size; readonly random: Random },
): { readonly session: Session; readonly envelope: Uint8Array } {
  const state = stateOf(session);
  const { CKs, HKs, AD, DHs, PN, Ns, prefix } = state;
  if (!CKs || !HKs) throw new RangeError("a session that answers has to open something first");
  if (Ns >= MOST_IN_CHAIN) throw new AlknetError("SESSION_SPENT", "the session has sent all that it can; begin anew");
  const before = prefix.byteLength > 0 ? prefix : Uint8Array.of(LATER);
  const hn = random(12);
  const DHp = state.DHp ?? x25519Public(DHs);
  const head = joined(hn, sealGcm(HKs, hn, joined(DHp, u32(PN), u32(Ns)), AD));
  const [mk, next] = chainStep(CKs);
  const plain = padded(content, size - before.byteLength - HEAD - 16);
  const body = withBodyKey(mk, hn, (key, nonce) => sealGcm(key, nonce, plain, joined(AD, head)));
  const after = copied(state);
  wipe(mk, plain, after.CKs);
  return {
    session: new Session(session.id, session.peer, { ...after, DHp, CKs: next, Ns: Ns + 1 }),
    envelope: joined(before, head, body),
  };
}

/**
 * Opens an envelope of either type. A failure changes nothing.
 *
 * @returns The session after it, and what becomes of skipped keys; all of it is to be kept before anyone is told.
 * @throws {AlknetError} `UNREADABLE`; `REPLAYED`: its key was used; `GAP`: too many before it are missing.
 */
export function open(
  session: Session,
  envelope: Uint8Array,
  { skipped, random }: { readonly skipped: SkippedKeys; readonly random: Random },
): { readonly session: Session; readonly content: Uint8Array; readonly skipped: SkippedChange } {
  const state = stateOf(session);
  const part = ratchetPart(envelope);
  const inChain = state.HKr && openHeader(state.HKr, part, state.AD);
  const inNext = inChain ? undefined : openHeader(state.NHKr, part, state.AD);
  // Keys of messages that have not come are looked at last: what comes in order costs the same, however many there are.
  if (inChain ? inChain.n < state.Nr : !inNext) {
    const late = openSkipped(state, part, inChain && state.HKr ? [state.HKr] : skipped.headerKeys(), skipped);
    if (late) {
      return { session: new Session(session.id, session.peer, copied(state)), content: late.content, skipped: late };
    }
    if (!inChain) throw unreadable("no key of the session fits");
    throw new AlknetError("REPLAYED", "an envelope came again whose key was used");
  }
  const add: SkippedChange["add"][number][] = [];
  let now: State = copied(state);
  const header = (inChain ?? inNext)!;
  if (inNext) now = turned(skippedTo(now, header.pn, add), header.dh, random);
  now = skippedTo(now, header.n, add);
  const [mk, next] = chainStep(now.CKr!);
  const content = openBody(mk, part, now.AD);
  wipe(mk, now.CKr);
  now = { ...now, CKr: next, Nr: now.Nr + 1, prefix: new Uint8Array() };
  return { session: new Session(session.id, session.peer, now), content, skipped: { add } };
}

/** The other's new ratchet key, and ours after it. What they replace is wiped: the state is a copy of its own. */
function turned(state: State, DHr: Uint8Array, random: Random): State {
  const { NHKs: HKs, NHKr: HKr } = state;
  const receiving = rootStep(state.RK, state.DHs, DHr);
  const DHs = random(32).slice();
  const sending = rootStep(receiving.rk, DHs, DHr);
  wipe(state.RK, state.DHs, receiving.rk, state.CKs, state.CKr);
  return {
    ...state,
    PN: state.Ns,
    Ns: 0,
    Nr: 0,
    DHs,
    DHp: undefined,
    DHr,
    HKs,
    HKr,
    RK: sending.rk,
    CKr: receiving.ck,
    NHKr: receiving.nhk,
    CKs: sending.ck,
    NHKs: sending.nhk,
  };
}

/** Keeps the keys of messages that are missing before number n of the receiving chain. */
function skippedTo(state: State, n: number, add: SkippedChange["add"][number][]): State {
  const { HKr, CKr } = state;
  if (n >= MOST_IN_CHAIN || n - state.Nr > MOST_SKIPPED) {
    throw new AlknetError("GAP", `more than ${MOST_SKIPPED} messages are missing before an envelope`);
  }
  if (!HKr || !CKr) {
    // Nothing was received in a chain before: then none can be missing of it.
    if (n > 0) throw unreadable("it counts messages of a chain that there was not");
    return state;
  }
  let chain = CKr;
  for (let i = state.Nr; i < n; i++) {
    const [mk, next] = chainStep(chain);
    add.push({ hk: HKr, n: i, mk });
    wipe(chain);
    chain = next;
  }
  return { ...state, CKr: chain, Nr: Math.max(state.Nr, n) };
}

function openSkipped(
  { AD }: State,
  part: Uint8Array,
  headerKeys: readonly Uint8Array[],
  skipped: SkippedKeys,
): { readonly content: Uint8Array } & SkippedChange | undefined {
  for (const hk of headerKeys.slice(0, HEADER_KEYS)) {
    const header = openHeader(hk, part, AD);
    const mk = header && skipped.find(hk, header.n);
    if (!header || !mk) continue;
    return { content: openBody(mk, part, AD), add: [], used: { hk, n: header.n } };
  }
  return undefined;
}

function openHeader(key: Uint8Array, part: Uint8Array, AD: Uint8Array): Header | undefined {
  try {
    const header = openGcm(key, part.subarray(0, 12), part.subarray(12, HEAD), AD);
    return { dh: header.slice(0, 32), pn: readU32(header, 32), n: readU32(header, 36) };
  } catch (error) {
    if ((error as AlknetError).code === "NOT_AUTHENTIC") return undefined;
    throw error;
  }
}

function openBody(mk: Uint8Array, part: Uint8Array, AD: Uint8Array): Uint8Array {
  const data = joined(AD, part.subarray(0, HEAD));
  let plain: Uint8Array;
  try {
    plain = withBodyKey(mk, part.subarray(0, 12), (key, nonce) => openGcm(key, nonce, part.subarray(HEAD), data));
  } catch (cause) {
    throw unreadable("it was altered", cause);
  }
  const content = unpadded(plain);
  wipe(plain);
  if (!content) throw unreadable("its padding is none");
  return content;
}

function withBodyKey<T>(mk: Uint8Array, hn: Uint8Array, use: (key: Uint8Array, nonce: Uint8Array) => T): T {
  const both = expand(mk, [BODY, SEPARATOR, hn], 44);
  try {
    return use(both.subarray(0, 32), both.subarray(32));
  } finally {
    wipe(both);
  }
}

/** KDF_RK. */
export function rootStep(
  rk: Uint8Array,
  secret: Uint8Array,
  theirs: Uint8Array,
): { readonly rk: Uint8Array; readonly ck: Uint8Array; readonly nhk: Uint8Array } {
  const dh = agreed(secret, theirs);
  const out = hkdf(rk, dh, [ROOT], 96);
  wipe(dh);
  try {
    return { rk: out.slice(0, 32), ck: out.slice(32, 64), nhk: out.slice(64) };
  } finally {
    wipe(out);
  }
}

/** X25519 with a key that somebody sent. */
function agreed(secret: Uint8Array, theirs: Uint8Array): Uint8Array {
  try {
    return x25519(secret, theirs);
  } catch (cause) {
    throw unreadable("a key in it is none", cause);
  }
}

/** KDF_CK. */
function chainStep(ck: Uint8Array): [mk: Uint8Array, next: Uint8Array] {
  return [hmac(ck, Uint8Array.of(1)), hmac(ck, Uint8Array.of(2))];
}

/** The keys of a state in arrays of their own, so that whoever wipes one session leaves the other whole. */
function copied({ Ns, Nr, PN, DHs, DHp, DHr, RK, CKs, CKr, HKs, HKr, NHKs, NHKr, AD, prefix }: State): State {
  return {
    Ns,
    Nr,
    PN,
    DHs: DHs.slice(),
    DHp,
    DHr: DHr?.slice(),
    RK: RK.slice(),
    CKs: CKs?.slice(),
    CKr: CKr?.slice(),
    HKs: HKs?.slice(),
    HKr: HKr?.slice(),
    NHKs: NHKs.slice(),
    NHKr: NHKr.slice(),
    AD: AD.slice(),
    prefix,
  };
}
