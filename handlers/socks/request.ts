/**
 * Where a client of SOCKS wants to go, and why it may not.
 *
 * @module
 */

/** A host and a port. */
export interface SocksDestination {
  /** A name, to be resolved where the connection is made, or an IP address: IPv6 without brackets. */
  readonly hostname: string;
  /** 0 to 65535. */
  readonly port: number;
}

/** Reasons of a refusal, with their numbers in SOCKS5 (RFC 1928 §6). */
export const SocksRefusal = {
  /** Anything else. */
  GENERAL: 1,
  /** A rule forbids it. */
  NOT_ALLOWED: 2,
  /** No way to the network. */
  NETWORK_UNREACHABLE: 3,
  /** The name does not resolve, or nobody is there. */
  HOST_UNREACHABLE: 4,
  /** Nobody listens. */
  CONNECTION_REFUSED: 5,
  /** BIND and UDP ASSOCIATE. */
  COMMAND: 7,
  /** Neither a name nor an IP address. */
  ADDRESS_TYPE: 8,
} as const;
/** A value of {@linkcode SocksRefusal}. */
export type SocksRefusal = typeof SocksRefusal[keyof typeof SocksRefusal];

/** How a destination is answered in the client's own protocol. */
export interface SocksAnswer {
  /** It is connected; what follows is the connection. */
  readonly granted: Uint8Array;
  /** It is not; the client is to be hung up on after this. */
  refused(why: SocksRefusal): Uint8Array;
}
