/**
 * Every limit of the endpoint, with its default and the reason for it.
 *
 * @module
 */

/** Limits of an endpoint. Counts are connections or streams, sizes bytes, times milliseconds. */
export interface Limits {
  /** Connections in all. */
  readonly maxConnections: number;
  /** Connections per IPv4 address or IPv6 /64, the unit that one host controls. */
  readonly maxConnectionsPerAddress: number;
  /** Handshakes in flight; a handshake is the dearest thing a stranger can ask for. */
  readonly maxHandshakes: number;
  /** Handshakes in flight from which on QUIC clients must prove their address first (Retry, RFC 9000 §8.1.2). */
  readonly retryThreshold: number;
  /** Time for a handshake. */
  readonly handshakeTimeout: number;
  /** New connections per address and second, on average. */
  readonly connectionRate: number;
  /** New connections per address in one burst. */
  readonly connectionBurst: number;
  /** Failed authentications per address and minute, before the address is refused for a minute. */
  readonly maxAuthFailures: number;
  /** Bidirectional streams that a peer may have open. */
  readonly maxStreamsBidi: number;
  /** Unidirectional streams that a peer may have open. */
  readonly maxStreamsUni: number;
  /** First receive window of a stream. */
  readonly streamWindow: number;
  /** Largest receive window of a stream; it grows when the reader keeps up. */
  readonly maxStreamWindow: number;
  /** First receive window of a connection. */
  readonly connectionWindow: number;
  /** Largest receive window of a connection. */
  readonly maxConnectionWindow: number;
  /** Silence after which a QUIC connection ends. */
  readonly idleTimeout: number;
  /** The dialling side sends something this often, so that a quiet connection stays. */
  readonly keepAlive: number;
  /** Bytes from a peer before its handshake is complete. */
  readonly maxHandshakeBytes: number;
}

/** The defaults. */
export const DEFAULT_LIMITS: Limits = Object.freeze({
  maxConnections: 10_000,
  maxConnectionsPerAddress: 100,
  maxHandshakes: 512,
  retryThreshold: 128,
  handshakeTimeout: 10_000,
  connectionRate: 50,
  connectionBurst: 100,
  maxAuthFailures: 5,
  maxStreamsBidi: 1024,
  maxStreamsUni: 128,
  streamWindow: 1024 * 1024,
  maxStreamWindow: 16 * 1024 * 1024,
  connectionWindow: 16 * 1024 * 1024,
  maxConnectionWindow: 64 * 1024 * 1024,
  idleTimeout: 30_000,
  keepAlive: 10_000,
  maxHandshakeBytes: 64 * 1024,
});

/**
 * The defaults with some limits changed.
 *
 * @throws {RangeError} A limit is not a positive whole number.
 */
export function limitsWith(changes: Partial<Limits> = {}): Limits {
  const limits: Limits = Object.freeze({ ...DEFAULT_LIMITS, ...changes });
  for (const [name, value] of Object.entries(limits)) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new RangeError(`limit ${name} is ${value}; it must be a positive whole number`);
    }
  }
  return limits;
}
