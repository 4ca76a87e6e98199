/**
 * The two of the specification's fixed points, and the bytes that they draw (msg.md §5.1).
 *
 * @module
 */
import { ascii, type Random, sha256, systemBytes } from "../../../../core/crypto/mod.ts";
import { answer, begin } from "../../../../handlers/msg/agreement/agreement.ts";
import { makeBundle, readBundleAnswer, sealBundle, type Suite } from "../../../../handlers/msg/agreement/bundle.ts";
import { readFirst } from "../../../../handlers/msg/agreement/envelope.ts";
import { messageKeys } from "../../../../handlers/msg/agreement/keys.ts";
import { u32 } from "../../../../handlers/msg/agreement/labels.ts";
import { open, seal, type SkippedChange, type SkippedKeys } from "../../../../handlers/msg/agreement/ratchet.ts";
import type { Session } from "../../../../handlers/msg/agreement/state.ts";
import { joined, x25519Public } from "../../../../core/crypto/mod.ts";

/** Hex byte b, so many times. */
export const times = (byte: number, count = 32): Uint8Array => new Uint8Array(count).fill(byte);
/** SHA-256 to 16 bytes. */
export const point = (bytes: Uint8Array): string => sha256(bytes).subarray(0, 16).toHex();
/** Who sends first. */
export const alice = messageKeys({ ed: times(0xa0), ik: times(0xa1), store: times(0xe0) });
/** Who is away. */
export const bob = messageKeys({ ed: times(0xb0), ik: times(0xb1), store: times(0xe0) });
/** The last day of the bundle. */
export const DAY = 20500;

/** Gives these, one a call. */
export function drawing(...bytes: readonly Uint8Array[]): Random {
  const left = [...bytes];
  return (length) => {
    const next = left.shift();
    if (next?.byteLength !== length) throw new Error(`${length} bytes were drawn, which nobody foresaw`);
    return next;
  };
}

/** A queue of B with a bundle in it. */
export interface FixedQueue {
  readonly t: Uint8Array;
  readonly sid: Uint8Array;
  readonly nonce: Uint8Array;
  readonly spk: Uint8Array;
  readonly opk: Uint8Array;
}

/** The one of the token, and the other with keys of the same ids. */
export const QUEUE: FixedQueue = {
  t: times(0xc1),
  sid: times(0xc2, 24),
  nonce: times(0xc3, 12),
  spk: times(0xb2),
  opk: times(0xb3),
};
export const OTHER: FixedQueue = {
  t: times(0xd1),
  sid: times(0xd2, 24),
  nonce: times(0xd3, 12),
  spk: times(0xb7),
  opk: times(0xb8),
};

/** Seed of B's key of ML-KEM, in suite 2. */
export const PQ: Uint8Array = times(0xb4, 64);

/** B's bundle of a queue. */
export const bundleOf = ({ spk }: FixedQueue, suite: Suite = 1, day = DAY): Uint8Array =>
  makeBundle(bob, { id: 7, spk, pq: suite === 2 ? PQ : undefined }, day);

/** What the mailbox says of it. */
export function answerOf(queue: FixedQueue, withOpk = true, suite: Suite = 1): Uint8Array {
  const rest = withOpk ? joined(Uint8Array.of(1), u32(9), x25519Public(queue.opk)) : Uint8Array.of(0);
  return joined(sealBundle(bundleOf(queue, suite), queue.t, queue.sid, drawing(queue.nonce)), rest);
}

/** A begins a session with B, whose bundle is in a queue. */
export function began(queue: FixedQueue = QUEUE, withOpk = true, suite: Suite = 1): Session {
  const bundle = readBundleAnswer(answerOf(queue, withOpk, suite), { ...queue, ed: bob.ed }, DAY);
  return begin(alice, bundle, drawing(times(0xa2), ...(suite === 2 ? [times(0xa5)] : []), times(0xa3)));
}

/** A's first envelope, and the session after it. */
export function firstOf(queue: FixedQueue = QUEUE, withOpk = true, suite: Suite = 1): ReturnType<typeof seal> {
  return seal(began(queue, withOpk, suite), ascii('{"t":"text"}'), { size: 2048, random: drawing(times(0xa4, 12)) });
}

/** B takes a first envelope. */
export function taken(envelope: Uint8Array, queue: FixedQueue = QUEUE, random: Random = systemBytes) {
  const first = readFirst(envelope)!;
  const pq = first.suite === 2 ? PQ : undefined;
  const { session, from } = answer(bob, { spk: queue.spk, pq, opk: first.opkId ? queue.opk : undefined }, first);
  return { from, ...open(session, envelope, { skipped: none, random }) };
}

/** No key was skipped. */
export const none: SkippedKeys = { headerKeys: () => [], find: () => undefined };

/** Skipped keys in memory. */
export class Skipped implements SkippedKeys {
  readonly kept: { hk: Uint8Array; n: number; mk: Uint8Array }[] = [];

  headerKeys(): Uint8Array[] {
    return [...new Map(this.kept.toReversed().map(({ hk }) => [hk.toHex(), hk])).values()];
  }

  find(hk: Uint8Array, n: number): Uint8Array | undefined {
    return this.kept.find((one) => one.n === n && one.hk.toHex() === hk.toHex())?.mk;
  }

  change({ add, used }: SkippedChange): void {
    if (used) this.kept.splice(this.kept.findIndex(({ hk, n }) => n === used.n && hk.toHex() === used.hk.toHex()), 1);
    this.kept.push(...add);
  }
}
