/**
 * TCP and TLS: the transport for networks that block UDP, and for clients that know nothing else. A connection carries
 * one stream (core.md §6).
 *
 * @module
 */
export { dialTls, type TlsDialRequest } from "./dial.ts";
export { listenTls } from "./listen.ts";
