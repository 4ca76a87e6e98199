/**
 * Dialling: one attempt to reach one address, over QUIC, over TCP and TLS, or over whichever answers.
 *
 * @module
 */
import type { Connection } from "../handler/connection.ts";
import type { NodeKey } from "../identity/node_key.ts";
import type { Limits } from "../limits/limits.ts";
import type { CertificateKeyPair } from "../transports/tls_profile.ts";

/** Options of {@linkcode connect}. */
export interface ConnectOptions {
  /** `auto` tries QUIC, and TCP and TLS when UDP does not answer. Default `auto`. */
  readonly transport?: "quic" | "tls" | "auto";
  /** The key whose node certificate proves who we are. Default: none; we are anonymous. */
  readonly key?: NodeKey;
  /** Another certificate to present instead. */
  readonly certificate?: CertificateKeyPair;
  /** Accept any of these fingerprints, besides the node id of the address. */
  readonly fingerprints?: readonly string[];
  /** Certificate authorities to trust instead of the system's, PEM. */
  readonly authorities?: string;
  /** Skip the check of the server's certificate. */
  readonly insecure?: boolean;
  /** SOCKS5 proxy to go through, `HOST:PORT`; never around it. */
  readonly proxy?: string;
  /** Time for the whole attempt, in milliseconds. Default 10 000. */
  readonly timeout?: number;
  /** Changes to the default limits. */
  readonly limits?: Partial<Limits>;
  /** Ends the attempt. */
  readonly signal?: AbortSignal;
}

/**
 * Dials a node.
 *
 * @param address `[NODEID@]HOST:PORT`. A node id pins the server's key; without one its certificate must be valid.
 * @param alpn The one protocol asked for.
 * @throws {DialError} See its codes.
 * @throws {AlknetError} `INVALID_ADDRESS`.
 */
export function connect(_address: string, _alpn: string, _options: ConnectOptions = {}): Promise<Connection> {
  throw new Error("being written");
}
