/**
 * What a packet is computed by: its lengths, the keys of a hop, and the permutation of bodies (msg.md §5.1).
 *
 * ```text
 * HKDF(no salt, s, "alknet-mix-v1 hop", 176) = mac 32 | stream 32 | iv 16 | payload 32 | unused 16 | blinding 32 | tag 16
 * ```
 *
 * The header is Katzenpost's but for this derivation; that it can be exchanged lets their vectors run through this code.
 *
 * @module
 */
import { ascii, hkdf, wipe } from "@alknet/core/crypto";
import { DEFAULT_GEOMETRY, type Geometry, type Layout, layoutOf } from "./geometry.ts";
import { decipherWide, encipherWide } from "./wide_block.ts";

/** What a secret that a sender shares with one node is for. */
export interface HopKeys {
  /** Of gamma. */
  readonly mac: Uint8Array;
  /** Of the stream that beta is XORed with. */
  readonly stream: Uint8Array;
  /** Its first counter. */
  readonly iv: Uint8Array;
  /** Of the body's permutation. */
  readonly payload: Uint8Array;
  /** A scalar of X25519: alpha is multiplied by it for the next node. */
  readonly blinding: Uint8Array;
  /** 16 bytes by which the node knows a packet again. It is no secret, and outlives the others. */
  readonly tag: Uint8Array;
}

/** See the module. */
export interface Scheme {
  /** Lengths. */
  readonly layout: Layout;
  /** The keys of a hop. The caller wipes them with {@linkcode wipeHop}. */
  hopKeys(shared: Uint8Array): HopKeys;
  /** The permutation of a body, into a new array. */
  encipher(key: Uint8Array, block: Uint8Array): Uint8Array;
  /** Its inverse. */
  decipher(key: Uint8Array, block: Uint8Array): Uint8Array;
}

const HOP = ascii("alknet-mix-v1 hop");

/**
 * The scheme of a geometry.
 *
 * @throws {RangeError} It is none.
 */
export function schemeOf(geometry: Geometry): Scheme {
  return { layout: layoutOf(geometry), hopKeys, encipher: encipherWide, decipher: decipherWide };
}

/** That of packets of 3200 bytes. */
export const SCHEME: Scheme = Object.freeze(schemeOf(DEFAULT_GEOMETRY));

/** Overwrites the keys of a hop, but for the tag. */
export function wipeHop({ mac, stream, iv, payload, blinding }: HopKeys): void {
  wipe(mac, stream, iv, payload, blinding);
}

function hopKeys(shared: Uint8Array): HopKeys {
  const keys = hkdf(undefined, shared, [HOP], 176);
  return {
    mac: keys.subarray(0, 32),
    stream: keys.subarray(32, 64),
    iv: keys.subarray(64, 80),
    payload: keys.subarray(80, 112),
    blinding: keys.subarray(128, 160),
    tag: keys.slice(160),
  };
}
