/**
 * SOCKS5 (RFC 1928, RFC 1929): the side of a proxy, without its sockets.
 *
 * Participants: a client such as `curl --socks5-hostname`, and whoever connects on its behalf. Messages: greeting,
 * credentials if they are asked for, a request, a reply; then the connection itself. CONNECT is served, to IPv4, IPv6 and
 * names; BIND and UDP ASSOCIATE are answered with "command not supported". Nothing is stored.
 *
 * @example
 * ```ts
 * import { SocksConversation } from "@alknet/handlers/socks";
 *
 * const conversation = new SocksConversation();
 * const greeting = conversation.receive(Uint8Array.of(5, 1, 0));
 * console.assert(greeting.kind === "more" && greeting.reply?.[1] === 0);
 * const step = conversation.receive(Uint8Array.of(5, 1, 0, 1, 192, 0, 2, 7, 0, 80));
 * console.assert(step.kind === "connect" && step.destination.hostname === "192.0.2.7");
 * ```
 *
 * @module
 */
export { SocksConversation, type SocksOptions, type SocksStep } from "./conversation.ts";
export { type SocksAnswer, type SocksDestination, SocksRefusal } from "./request.ts";
