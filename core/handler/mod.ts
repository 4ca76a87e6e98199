/**
 * What the author of a handler needs, and nothing that loads a transport.
 *
 * A handler claims ALPN strings and is given a {@linkcode Connection} for each peer that asks for one of them. It reads
 * and writes {@linkcode BidiStream}s and cannot tell what carries them.
 *
 * @example The smallest protocol, spoken over a pair in memory
 * ```ts
 * import { defineHandler, memoryPair } from "@alknet/core/handler";
 *
 * const shout = defineHandler({
 *   alpns: ["example/shout"],
 *   async handle(connection) {
 *     for await (const { readable, writable } of connection) {
 *       const text = await new Response(readable).text();
 *       const writer = writable.getWriter();
 *       await writer.write(new TextEncoder().encode(text.toUpperCase()));
 *       await writer.close();
 *     }
 *   },
 * });
 * console.assert(shout.alpns[0] === "example/shout" && memoryPair("example/shout").length === 2);
 * ```
 *
 * @module
 */
export {
  AlknetError,
  type CloseInfo,
  ConnectionClosedError,
  describeClose,
  DialError,
  StreamClosedError,
} from "../errors.ts";
export { foreign, type Logger, logger } from "../log.ts";
export type { Identity, IdentityProvider, Peer } from "../identity/identity.ts";
export type { Account } from "./account.ts";
export { descriptorLimit } from "../limits/descriptors.ts";
export { DEFAULT_LIMITS, type Limits, limitsWith } from "../limits/limits.ts";
export type { Connection, ConnectionStats, Datagrams, SocketAddress, TransportName } from "./connection.ts";
export { toDuplex } from "./duplex.ts";
export { RecentMap, type RecentMapOptions } from "../limits/recent_map.ts";
export { addressGroup, canonicalIp, formatIp, type IpAddress, parseIp } from "../ip.ts";
export { defineHandler, type Handler, type HandlerContext } from "./handler.ts";
export { memoryPair, type MemoryPairOptions } from "./memory.ts";
export { type SlotLimits, Slots } from "./slots.ts";
export type { BidiStream, ReceiveStream, SendStream } from "./stream.ts";
