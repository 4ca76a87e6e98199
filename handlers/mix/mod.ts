/**
 * Packets of a mixnet (Sphinx): a sender wraps a message once for each node of a path; each node takes one layer off and
 * learns the one before and the one after, nothing else. All packets have one length, all of them look random, and what
 * goes in and comes out of a node has nothing in common that could be compared.
 *
 * Participants are a sender, nodes that each have a key an epoch, and a recipient at the last node. A packet may carry a
 * single-use reply block: its reader answers without learning whom.
 *
 * This is the packet alone; the links between nodes, their waiting, and what chooses paths are not made yet.
 *
 * @example A packet through two nodes
 * ```ts
 * import { systemBytes } from "@alknet/core/crypto";
 * import { makePacket, MemoryMixKey, queueRecipient, readBody, unwrap, writeBody, writeRequest } from "@alknet/handlers/mix";
 *
 * const [a, b] = [systemBytes(32), systemBytes(32)].map((secret) => new MemoryMixKey(7, secret));
 * const hops = [a, b].map(({ publicKey }) => ({ id: systemBytes(32), key: publicKey }));
 * const user = writeRequest({ op: "take", scap: systemBytes(32) });
 * const packet = makePacket(
 *   { epoch: 7, hops, delays: [2000], recipient: queueRecipient(systemBytes(24)) },
 *   writeBody({ user }, systemBytes),
 *   { random: systemBytes },
 * );
 * const first = await unwrap(packet, { keys: a, now: Date.now() });
 * console.assert(first.kind === "forward" && first.delay === 2000);
 * if (first.kind === "forward") {
 *   const last = await unwrap(first.packet, { keys: b, now: Date.now() });
 *   console.assert(last.kind === "deliver" && readBody(last.body).user.byteLength === 2150);
 * }
 * ```
 *
 * @module
 */
export {
  dropRecipient,
  MIX_ENVELOPE,
  type MixAnswer,
  type MixBody,
  type MixRequest,
  queueRecipient,
  readAnswer,
  readBody,
  readRecipient,
  readRequest,
  writeAnswer,
  writeBody,
  writeRequest,
} from "./packet/body.ts";
export { DEFAULT_GEOMETRY, type Geometry, geometryHash, type Layout, layoutOf } from "./packet/geometry.ts";
export { MOST_DELAY, MOST_TAGS } from "./limits.ts";
export { type MakeOptions, makePacket, type Route, type RouteHop, type SphinxPacket } from "./packet/packet.ts";
export { type HopKeys, SCHEME, type Scheme, schemeOf } from "./packet/scheme.ts";
export { answerSurb, makeSurb, type ReplyRoute, SurbKeys } from "./packet/surb.ts";
export {
  type LiveKeys,
  type MixKey,
  type Refusal,
  unwrap,
  type UnwrapOptions,
  type Unwrapped,
} from "./packet/unwrap.ts";
export { MemoryMixKey, type MemoryMixKeyOptions } from "./node/mix_keys.ts";
export type { Random } from "@alknet/core/crypto";
