/**
 * How long datagrams to a remote may be.
 *
 * The binding fixes the size when a connection is made and cannot probe, so it is chosen from what is known.
 *
 * @module
 */
import type { SocketAddress } from "../../../../handler/connection.ts";

/** Elsewhere: fits every common path, and is fragmented rather than lost on a smaller one. */
export const PATH_DATAGRAM = 1350;
/** On loopback, whose MTU is 64 KiB. Measured: larger ones gain nothing and overflow the receiver's buffer sooner. */
export const LOOPBACK_DATAGRAM = 32 * 1024;

/** Longest UDP payload to send to a remote, in bytes. */
export function datagramSizeFor({ hostname }: SocketAddress): number {
  return /^(127\.|::1$|::ffff:127\.)/i.test(hostname) ? LOOPBACK_DATAGRAM : PATH_DATAGRAM;
}
