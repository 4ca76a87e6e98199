/**
 * The measures of a packet (msg.md §5.1). They are data: two ends of a link compare their hash first.
 *
 * ```text
 * packet: ad 2 | alpha 32 | beta hops × 82 | gamma 32 | delta: wide block of Z 32 and body
 * body: flags 1 | 00 | SURB: header, id 32, payload key 32 | user part
 * ```
 *
 * @module
 */
import { ascii, sha256 } from "@alknet/core/crypto";
import { MOST_HOPS, MOST_USER } from "../limits.ts";

/** Bytes of ad: `00`, and the epoch of the nodes' keys modulo 256. */
export const AD_LENGTH = 2;
/** Bytes of alpha, of a node's id and of a recipient. */
export const POINT_LENGTH = 32;
/** Bytes of gamma. */
export const GAMMA_LENGTH = 32;
/** Bytes of Z, zeros by which a body that nobody altered is known. */
export const ZERO_LENGTH = 32;
/** Bytes of the id of a reply block. */
export const SURB_ID_LENGTH = 16;
/** What one node reads: its next one's id and gamma 65, and as many as a reply's id 17. */
export const HOP_LENGTH = 82;
/** Bytes of a payload key. */
const PAYLOAD_KEY_LENGTH = 32;

/** What a network chooses. All but `hops` and `user` are as they are here; they stand in what is hashed. */
export interface Geometry {
  /** Bytes of gamma: 32. */
  readonly gamma: number;
  /** Nodes of the longest path. */
  readonly hops: number;
  /** Bytes of a node's id: 32. */
  readonly id: number;
  /** Bytes of Z: 32. */
  readonly tag: number;
  /** Bytes of the user part. */
  readonly user: number;
}

/** Packets of 3200 bytes. */
export const DEFAULT_GEOMETRY: Geometry = Object.freeze({ gamma: 32, hops: 5, id: 32, tag: 32, user: 2150 });

/** Lengths in bytes that follow from a geometry. */
export interface Layout {
  /** Nodes of the longest path. */
  readonly hops: number;
  /** Beta. */
  readonly beta: number;
  /** Where gamma begins, and what it is over. */
  readonly gammaAt: number;
  /** Ad to gamma. */
  readonly header: number;
  /** The body, without Z. */
  readonly body: number;
  /** Z and body. */
  readonly delta: number;
  /** A reply block as it lies in a body. */
  readonly surb: number;
  /** A payload key. */
  readonly payloadKey: number;
  /** The user part. */
  readonly user: number;
  /** The whole. */
  readonly packet: number;
}

/**
 * The lengths of a geometry.
 *
 * @throws {RangeError} It is none: another length of gamma, id or tag than 32, no hop or more than 16, a user part that is
 * empty or of more than 60,000 bytes.
 */
export function layoutOf({ gamma, hops, id, tag, user }: Geometry): Layout {
  if (gamma !== GAMMA_LENGTH || id !== POINT_LENGTH || tag !== ZERO_LENGTH) {
    throw new RangeError(`gamma, id and tag of a packet are 32 bytes each, not ${gamma}, ${id} and ${tag}`);
  }
  whole("hops", hops, MOST_HOPS);
  whole("user", user, MOST_USER);
  const beta = hops * HOP_LENGTH;
  const gammaAt = AD_LENGTH + POINT_LENGTH + beta;
  const header = gammaAt + GAMMA_LENGTH;
  const surb = header + POINT_LENGTH + PAYLOAD_KEY_LENGTH;
  const body = 2 + surb + user;
  const delta = ZERO_LENGTH + body;
  const packet = header + delta;
  return { hops, beta, gammaAt, header, body, delta, surb, payloadKey: PAYLOAD_KEY_LENGTH, user, packet };
}

/** SHA-256 of a geometry as RFC 8785 writes it: what the ends of a link compare. */
export function geometryHash({ gamma, hops, id, tag, user }: Geometry): Uint8Array {
  return sha256(ascii(JSON.stringify({ gamma, hops, id, tag, user })));
}

function whole(name: string, value: number, most: number): void {
  if (Number.isSafeInteger(value) && value >= 1 && value <= most) return;
  throw new RangeError(`${name} of a packet is a whole number from 1 to ${most}, not ${value}`);
}
