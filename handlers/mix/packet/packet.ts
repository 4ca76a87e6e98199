/**
 * Making a packet (Danezis and Goldberg, "Sphinx", 2009; msg.md §5.1).
 *
 * ```text
 * s_i = X(x, Y_i), then X(b_j, it) for j < i        alpha_0 = X(x, 9), alpha_i = X(b_(i-1), alpha_(i-1))
 * stream i: CTR(stream key, iv), hops + 1 times 82 bytes; its last 82 (i + 1) are filler i, XORed with filler i - 1
 * beta of the last hop: (commands | random bytes) XOR stream; of those before: (commands | that of the next) XOR stream
 * gamma_i = HMAC(mac, ad | alpha_i | beta_i | filler i - 1)
 * ```
 *
 * What of beta a short path does not need is random: zeros would tell the last node how long it was.
 *
 * @module
 */
import { ctr, hmac, joined, type Random, wipe, x25519, x25519Public } from "@alknet/core/crypto";
import { MOST_DELAY } from "../limits.ts";
import { writeLast, writeRelay } from "./commands.ts";
import { HOP_LENGTH, POINT_LENGTH, SURB_ID_LENGTH, ZERO_LENGTH } from "./geometry.ts";
import { type HopKeys, SCHEME, type Scheme, wipeHop } from "./scheme.ts";

/** A packet as it goes over a link. */
export interface SphinxPacket {
  /** As many as the geometry says, whatever is in them. */
  readonly bytes: Uint8Array;
}

/** A node of a path. */
export interface RouteHop {
  /** 32 bytes: the node's identity. */
  readonly id: Uint8Array;
  /** 32 bytes: its key of X25519 of the epoch. */
  readonly key: Uint8Array;
}

/** Where a packet goes. */
export interface Route {
  /** The epoch of the nodes' keys. */
  readonly epoch: number;
  /** The nodes in order, from one to as many as the geometry has room for. */
  readonly hops: readonly RouteHop[];
  /** Milliseconds that each of them but the last waits. */
  readonly delays: readonly number[];
  /** 32 bytes: whom the last node gives it to. */
  readonly recipient: Uint8Array;
  /** 16 bytes, of a reply or a loop: the last node passes on what came with this id. */
  readonly surbId?: Uint8Array;
}

/** How to make one. */
export interface MakeOptions {
  /** Draws the secret of the packet, then what fills a short path. */
  readonly random: Random;
  /** Lengths and keys. Default those of 3200 bytes. */
  readonly scheme?: Scheme;
}

/**
 * A packet with a body, for the first node of a route.
 *
 * @param body As long as the geometry says: 2692 bytes by default.
 * @throws {RangeError} Of route or body something has another length, or a delay is over 10 minutes.
 * @throws {AlknetError} `LOW_ORDER`: a node's key is no key.
 */
export function makePacket(
  route: Route,
  body: Uint8Array,
  { random, scheme = SCHEME }: MakeOptions,
): SphinxPacket {
  if (body.byteLength !== scheme.layout.body) {
    throw new RangeError(`a body has ${scheme.layout.body} bytes, not ${body.byteLength}`);
  }
  const { header, payloadKeys } = makeHeader(route, { random, scheme });
  let delta: Uint8Array = new Uint8Array(ZERO_LENGTH + body.byteLength);
  delta.set(body, ZERO_LENGTH);
  for (const key of payloadKeys.toReversed()) {
    const inner = delta;
    delta = scheme.encipher(key, inner);
    wipe(inner);
  }
  wipe(...payloadKeys);
  return { bytes: joined(header, delta) };
}

/**
 * The header for a route, and the payload key of each node.
 *
 * @returns Keys in the order of the nodes; the caller wipes them.
 * @throws As {@linkcode makePacket}.
 */
export function makeHeader(
  route: Route,
  { random, scheme = SCHEME }: MakeOptions,
): { readonly header: Uint8Array; readonly payloadKeys: readonly Uint8Array[] } {
  checkRoute(route, scheme);
  const { hops, delays, recipient, surbId } = route;
  const ad = Uint8Array.of(0, route.epoch % 256);
  const unused = HOP_LENGTH * (scheme.layout.hops - hops.length);
  const keys: HopKeys[] = [];
  const secret = random(POINT_LENGTH);
  try {
    const alphas = agreed(secret, hops, scheme, keys);
    const streams = keys.map(({ stream, iv }) => ctr(stream, iv, new Uint8Array(scheme.layout.beta + HOP_LENGTH)));
    const fillers = fillersOf(streams);
    const last = hops.length - 1;
    let beta = joined(writeLast({ recipient, surbId }), unused > 0 ? random(unused) : new Uint8Array());
    let gamma: Uint8Array = new Uint8Array();
    for (let i = last; i >= 0; i--) {
      if (i < last) beta = joined(writeRelay({ delay: delays[i], next: hops[i + 1].id, gamma }), beta);
      xorInto(beta, streams[i]);
      gamma = hmac(keys[i].mac, ad, alphas[i], beta, fillers[i]);
    }
    wipe(...streams, ...fillers);
    return { header: joined(ad, alphas[0], beta, gamma), payloadKeys: keys.map(({ payload }) => payload.slice()) };
  } finally {
    wipe(secret);
    keys.forEach(wipeHop);
  }
}

/** The alphas of all hops; their keys are put into `keys`. */
function agreed(secret: Uint8Array, hops: readonly RouteHop[], scheme: Scheme, keys: HopKeys[]): Uint8Array[] {
  const alphas = [x25519Public(secret)];
  for (const { key } of hops) {
    let shared = x25519(secret, key);
    for (const { blinding } of keys) {
      const before = shared;
      shared = x25519(blinding, before);
      wipe(before);
    }
    const of = scheme.hopKeys(shared);
    wipe(shared);
    keys.push(of);
    if (keys.length < hops.length) alphas.push(x25519(of.blinding, alphas.at(-1)!));
  }
  return alphas;
}

/** What stands behind the beta of each hop, once those before have shifted it. */
function fillersOf(streams: readonly Uint8Array[]): Uint8Array[] {
  const fillers: Uint8Array[] = [new Uint8Array()];
  for (const stream of streams.slice(0, -1)) {
    const filler = stream.slice(stream.byteLength - HOP_LENGTH * fillers.length);
    xorInto(filler, fillers.at(-1)!);
    fillers.push(filler);
  }
  return fillers;
}

/** XORs as many bytes as the shorter one has. */
function xorInto(bytes: Uint8Array, mask: Uint8Array): void {
  const length = Math.min(bytes.byteLength, mask.byteLength);
  for (let i = 0; i < length; i++) bytes[i] ^= mask[i];
}

function checkRoute({ epoch, hops, delays, recipient, surbId }: Route, { layout }: Scheme): void {
  if (!Number.isSafeInteger(epoch) || epoch < 0) throw new RangeError(`an epoch is a whole number, not ${epoch}`);
  if (hops.length < 1 || hops.length > layout.hops) {
    throw new RangeError(`a path has 1 to ${layout.hops} nodes, not ${hops.length}`);
  }
  if (delays.length !== hops.length - 1) {
    throw new RangeError(`${hops.length} nodes have ${hops.length - 1} delays, not ${delays.length}`);
  }
  for (const delay of delays) {
    if (Number.isSafeInteger(delay) && delay >= 0 && delay <= MOST_DELAY) continue;
    throw new RangeError(`a delay is a whole number of milliseconds from 0 to ${MOST_DELAY}, not ${delay}`);
  }
  hops.forEach(({ id, key }, at) => {
    checkLength(`the id of node ${at}`, id, POINT_LENGTH);
    checkLength(`the key of node ${at}`, key, POINT_LENGTH);
  });
  checkLength("a recipient", recipient, POINT_LENGTH);
  if (surbId !== undefined) checkLength("the id of a reply block", surbId, SURB_ID_LENGTH);
}

function checkLength(what: string, { byteLength }: Uint8Array, wanted: number): void {
  if (byteLength !== wanted) throw new RangeError(`${what} has ${wanted} bytes, not ${byteLength}`);
}
