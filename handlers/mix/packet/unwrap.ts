/**
 * What a node does with a packet: one layer comes off (msg.md §5.1).
 *
 * Length, version and epoch; the shared secret; gamma; the tag, which has to be new; the commands; the body. Whatever is
 * wrong is told by a word alone, for it is only counted: thrown errors would make a flood dearer for the node than for its
 * sender. Nothing of a packet is read before its gamma is right.
 *
 * @module
 */
import { AlknetError, ctr, equalBytes, hmac, joined, wipe, x25519 } from "@alknet/core/crypto";
import { MOST_DELAY } from "../limits.ts";
import { readCommands, type Relay } from "./commands.ts";
import { AD_LENGTH, HOP_LENGTH, POINT_LENGTH, ZERO_LENGTH } from "./geometry.ts";
import type { SphinxPacket } from "./packet.ts";
import { type HopKeys, SCHEME, type Scheme, wipeHop } from "./scheme.ts";

/** A node's key of an epoch. */
export interface MixKey {
  /** The epoch. */
  readonly epoch: number;
  /**
   * The secret that it shares with a packet's alpha.
   *
   * @throws {AlknetError} `LOW_ORDER`.
   */
  agree(alpha: Uint8Array): Uint8Array;
  /** Remembers a tag; false where it was known, or no more can be remembered. Settles once that survives a crash. */
  fresh(tag: Uint8Array): Promise<boolean>;
}

/** The keys that a node takes packets for. */
export interface LiveKeys {
  /** The one whose epoch is `low` modulo 256, if it is taken at this time (ms since 1970). */
  live(low: number, now: number): MixKey | undefined;
}

/**
 * Why a packet is dropped. `epoch`: its length, version, or epoch of keys; `key`: alpha is of low order; `mac`: altered, or
 * for another node; `replay`: it was here; `command`: it says what may not be; `tag`: its body was altered.
 */
export type Refusal = "epoch" | "key" | "mac" | "replay" | "command" | "tag";

/** What comes out of a packet. */
export type Unwrapped =
  | {
    /** For another node. */
    readonly kind: "forward";
    /** What it gets. */
    readonly packet: SphinxPacket;
    /** 32 bytes: who. */
    readonly next: Uint8Array;
    /** Milliseconds to wait first. */
    readonly delay: number;
  }
  | {
    /** For someone of this node. */
    readonly kind: "deliver";
    /** 32 bytes: whom. */
    readonly recipient: Uint8Array;
    /** What was sent. */
    readonly body: Uint8Array;
  }
  | {
    /** For the maker of a reply block, who alone can read it. */
    readonly kind: "reply";
    /** 32 bytes: whom. */
    readonly recipient: Uint8Array;
    /** 16 bytes: which reply block. */
    readonly surbId: Uint8Array;
    /** What its maker opens. */
    readonly delta: Uint8Array;
  }
  | {
    /** Dropped. */
    readonly kind: "refused";
    /** Why, to be counted. */
    readonly why: Refusal;
  };

/** How to unwrap. */
export interface UnwrapOptions {
  /** The node's keys. */
  readonly keys: LiveKeys;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Whether a node may come after this one. Default any may. */
  readonly follows?: (next: Uint8Array) => boolean;
  /** Milliseconds that a packet may be told to wait. Default 10 minutes. */
  readonly mostDelay?: number;
  /** Lengths and keys. Default those of 3200 bytes. */
  readonly scheme?: Scheme;
}

/**
 * Takes one layer off. The packet itself is left as it is.
 *
 * @throws What {@linkcode MixKey.fresh} throws: then the packet is not passed on.
 */
export async function unwrap(
  { bytes }: SphinxPacket,
  { keys, now, follows = () => true, mostDelay = MOST_DELAY, scheme = SCHEME }: UnwrapOptions,
): Promise<Unwrapped> {
  const { layout } = scheme;
  if (bytes.byteLength !== layout.packet || bytes[0] !== 0) return refused("epoch");
  const key = keys.live(bytes[1], now);
  if (key === undefined) return refused("epoch");
  const alpha = bytes.subarray(AD_LENGTH, AD_LENGTH + POINT_LENGTH);
  const hop = hopOf(key, alpha, scheme);
  if (hop === undefined) return refused("key");
  try {
    const gamma = hmac(hop.mac, bytes.subarray(0, layout.gammaAt));
    if (!equalBytes(gamma, bytes.subarray(layout.gammaAt, layout.header))) return refused("mac");
    if (!await key.fresh(hop.tag)) return refused("replay");
    return opened(bytes, hop, ({ next, delay }) => delay <= mostDelay && follows(next), scheme);
  } finally {
    wipeHop(hop);
  }
}

function opened(
  bytes: Uint8Array,
  hop: HopKeys,
  mayPass: (relay: Relay) => boolean,
  { layout, decipher }: Scheme,
): Unwrapped {
  const shifted = new Uint8Array(layout.beta + HOP_LENGTH);
  shifted.set(bytes.subarray(AD_LENGTH + POINT_LENGTH, layout.gammaAt));
  const beta = ctr(hop.stream, hop.iv, shifted);
  const commands = readCommands(beta.subarray(0, HOP_LENGTH));
  if (commands === undefined) return refused("command");
  const delta = () => decipher(hop.payload, bytes.subarray(layout.header));
  if ("next" in commands) {
    // Before the body, which costs more than all else: what comes of it is the same.
    if (!mayPass(commands)) return refused("command");
    const { next, delay, gamma } = commands;
    const alpha = x25519(hop.blinding, bytes.subarray(AD_LENGTH, AD_LENGTH + POINT_LENGTH));
    const passed = joined(bytes.subarray(0, AD_LENGTH), alpha, beta.subarray(HOP_LENGTH), gamma, delta());
    return { kind: "forward", packet: { bytes: passed }, next, delay };
  }
  const { recipient, surbId } = commands;
  if (surbId !== undefined) return { kind: "reply", recipient, surbId, delta: delta() };
  const body = withoutZeros(delta());
  return body === undefined ? refused("tag") : { kind: "deliver", recipient, body };
}

/** The body behind Z; nothing where Z is not all zeros, in a time that does not depend on where it is not. */
export function withoutZeros(delta: Uint8Array): Uint8Array | undefined {
  const whole = equalBytes(delta.subarray(0, ZERO_LENGTH), new Uint8Array(ZERO_LENGTH));
  return whole ? delta.slice(ZERO_LENGTH) : undefined;
}

function hopOf(key: MixKey, alpha: Uint8Array, scheme: Scheme): HopKeys | undefined {
  let shared: Uint8Array;
  try {
    shared = key.agree(alpha);
  } catch (error) {
    // Anything else is a fault of the node's own, not of the packet.
    if (error instanceof AlknetError && error.code === "LOW_ORDER") return undefined;
    throw error;
  }
  const hop = scheme.hopKeys(shared);
  wipe(shared);
  return hop;
}

function refused(why: Refusal): Unwrapped {
  return { kind: "refused", why };
}
