/**
 * What the endpoint asks of a transport, and what a transport may ask of the endpoint.
 *
 * @module
 */
import type { LinkedConnection, SocketAddress } from "../handler/connection.ts";
import type { Gate } from "../limits/gate.ts";
import type { Limits } from "../limits/limits.ts";
import type { CertificateKeyPair } from "../identity/key_pair.ts";
import type { TlsProfiles } from "./tls_profile.ts";

/** A transport that listens. */
export interface Listener {
  /** `quic` or `tls`. */
  readonly transport: "quic" | "tls";
  /** Where it listens. */
  readonly address: SocketAddress;
  /** Holds to these limits of admission from now on. */
  adjustLimits(limits: Limits): void;
  /** Shows newcomers this certificate of the public profile from now on; whoever is connected stays. */
  adjustCertificate(certificate: CertificateKeyPair): void;
  /** Takes no new connections; those that run go on. */
  stopAccepting(): Promise<void>;
  /** Releases everything; connections that still run end at once. */
  close(): Promise<void>;
}

/** What a listener is given. */
export interface ListenRequest {
  /** Where to listen; port 0 picks a free one. */
  readonly address: SocketAddress;
  /** Protocols to offer on this transport, in the server's order of preference. */
  readonly alpns: readonly string[];
  /** Of these, the one of clients over TCP that name none; absent: they are refused. */
  readonly withoutAlpn?: string;
  /** The certificates. */
  readonly profiles: TlsProfiles;
  /** z-base-32 of the node's key; what clients that pin it send as server name. */
  readonly nodeId: string;
  /** The limits. */
  readonly limits: Limits;
  /** Asked before anything is spent on a newcomer. */
  readonly gate: Gate;
  /** Told of each connection whose handshake is complete. */
  readonly onConnection: (connection: LinkedConnection) => void;
}

/** How a dialler recognises the server. There is no "no check" but the one that says so. */
export type Expectation =
  /** Any of these fingerprints; names, dates and authorities are not looked at. */
  | { readonly kind: "fingerprints"; readonly fingerprints: readonly string[] }
  /** A certificate that these authorities vouch for and that names this host. PEM; absent: the system's. */
  | { readonly kind: "authorities"; readonly host: string; readonly authorities?: string }
  /** Anything. Says so on every use. */
  | { readonly kind: "insecure" };

/** What a transport needs in order to dial one address. Throws {@linkcode DialError}. */
export interface DialRequest {
  /** A resolved IP address. */
  readonly address: SocketAddress;
  /** SNI to send; absent for IP addresses (RFC 6066 §3). */
  readonly serverName?: string;
  /** The one protocol asked for. */
  readonly alpn: string;
  /** Over TCP, whether a server may agree on none. */
  readonly alpnOptional?: boolean;
  /** How the server is recognised. */
  readonly expectation: Expectation;
  /** The certificate that proves who we are; absent: nothing over TCP, a throw-away key over QUIC. */
  readonly certificate?: CertificateKeyPair;
  /** The limits. */
  readonly limits: Limits;
  /** Ends the attempt; its reason is what the dial rejects with. */
  readonly signal: AbortSignal;
}
