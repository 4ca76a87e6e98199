/**
 * The configuration as it is written in a file ({@linkcode ConfigDocument}) and as a program reads it ({@linkcode Config},
 * with every default in place).
 *
 * @module
 */
import type { ListenEntry } from "../handler/address.ts";
import type { ApiKeyEntry, PeerEntry } from "../identity/provider.ts";

/** A schema made with TypeBox, which is also a JSON Schema. */
export type Schema = object;

/** Where the certificate of the public profile comes from. */
export interface CertificateDocument {
  /** `key`: the node certificate serves everyone. `x509`: from files. `selfSigned`: made at start, for development. */
  mode: "key" | "x509" | "selfSigned";
  /** `x509`: PEM file with the chain, leaf first. Relative to the folder of the configuration file. */
  certificate_file?: string;
  /** `x509`: PEM file with the key; nobody but its owner may read it. */
  key_file?: string;
  /** `selfSigned`: host names and IP addresses. */
  names?: string[];
}

/** How QUIC runs. */
export interface QuicDocument {
  /** A process of its own, or this one. Default `process`. */
  engine?: "process" | "in_process";
  /** Engine processes. Default 1. */
  engines?: number;
  /** Longest datagram to send, in bytes; 1200 to 65 527. Default: what the path is known to carry. */
  max_datagram_size?: number;
  /** `auto`: the fastest driver of the platform. `node`: the portable one. Default `auto`. */
  udp?: "auto" | "node";
}

/** Changes to the limits of the endpoint; what each means is in `Limits`. Sizes in bytes, times in milliseconds. */
export interface LimitsDocument {
  /** Connections in all. */
  max_connections?: number;
  /** Handshakes in flight. */
  max_handshakes?: number;
  /** Handshakes in flight from which on QUIC clients must prove their address. */
  retry_threshold?: number;
  /** Time for a handshake. */
  handshake_timeout_ms?: number;
  /** New connections per address and second. */
  connection_rate?: number;
  /** New connections per address in one burst. */
  connection_burst?: number;
  /** Bidirectional streams that a peer may have open. */
  max_streams_bidi?: number;
  /** Unidirectional streams that a peer may have open. */
  max_streams_uni?: number;
  /** First receive window of a stream. */
  stream_window?: number;
  /** Largest receive window of a stream. */
  max_stream_window?: number;
  /** First receive window of a connection. */
  connection_window?: number;
  /** Largest receive window of a connection. */
  max_connection_window?: number;
  /** Silence after which a QUIC connection ends. */
  idle_timeout_ms?: number;
  /** How often the dialling side sends something. */
  keep_alive_ms?: number;
  /** Bytes from a peer before its handshake is complete. */
  max_handshake_bytes?: number;
}

/** A peer, as written. */
export interface PeerDocument {
  /** Stable name, unique; `local` is reserved. */
  peer_id: string;
  /** Any of them is this peer. Default: none. */
  fingerprints?: string[];
  /** `sha256:` and 64 hex digits. */
  auth_token_hash?: string;
  /** What it may do. Default: nothing. */
  scopes?: string[];
  /** Resource type to actions. Default: none. */
  resources?: Record<string, string[]>;
  /** For people. */
  display_name?: string;
  /** `false`: resolves to nothing. Default `true`. */
  enabled?: boolean;
}

/** An API key, as written. */
export interface ApiKeyDocument {
  /** First characters of the token, at most 8. */
  prefix: string;
  /** `sha256:` and 64 hex digits. */
  hash: string;
  /** What it may do. Default: nothing. */
  scopes?: string[];
  /** For people. */
  description?: string;
  /** Unix seconds from which on it is invalid. */
  expires_at?: number;
}

/** An address to listen on, and what is special about it. */
export interface ListenDocument {
  /** `HOST:PORT`. */
  address: string;
  /** The protocol of clients over TCP whose TLS names none, as `dot`: they are refused where it is absent. */
  without_alpn?: string;
}

/** What a configuration file holds. Everything may be left out. */
export interface ConfigDocument {
  /** `HOST:PORT`, one or several. Default: the program's. Static, as all that follows up to `handlers`. */
  listen?: string | (string | ListenDocument)[];
  /** Certificate of the public profile. Default mode `key`. */
  certificate?: CertificateDocument;
  /** Time for handlers to finish at shutdown, in milliseconds. Default 2000. */
  drain_timeout_ms?: number;
  /** Default both. */
  transports?: ("quic" | "tls")[];
  /** How QUIC runs. */
  quic?: QuicDocument;
  /** Changes to the limits. */
  limits?: LimitsDocument;
  /** Options of each handler by its name. What they are is the handler's matter. */
  handlers?: Record<string, Record<string, unknown>>;
  /** Who may do what. Dynamic. */
  auth?: { peers?: PeerDocument[]; api_keys?: ApiKeyDocument[] };
  /** Limits that a running node takes over. Dynamic. */
  rate_limits?: { max_connections_per_ip?: number; max_auth_attempts?: number };
}

/** The part that takes effect at the next start. Frozen. */
export interface StaticConfig {
  /** Addresses to listen on; empty where the file names none. */
  readonly listen: readonly ListenEntry[];
  /** Certificate of the public profile; paths are absolute. */
  readonly certificate: Readonly<CertificateDocument>;
  /** Time for handlers to finish at shutdown, in milliseconds. */
  readonly drain_timeout_ms: number;
  /** Transports to listen on. */
  readonly transports: readonly ("quic" | "tls")[];
  /** How QUIC runs. */
  readonly quic: Readonly<QuicDocument> & Required<Pick<QuicDocument, "engine" | "engines" | "udp">>;
  /** Changes to the limits. */
  readonly limits: Readonly<LimitsDocument>;
  /** Options of each handler by its name. */
  readonly handlers: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** A peer, with defaults and in canonical form. */
export interface PeerConfig extends PeerEntry {
  /** For people. */
  readonly display_name?: string;
  /** Whether it resolves. */
  readonly enabled: boolean;
}

/** An API key, with defaults and in canonical form. */
export interface ApiKeyConfig extends ApiKeyEntry {
  /** For people. */
  readonly description?: string;
}

/** The part that a running node takes over: one immutable snapshot. Frozen. */
export interface DynamicConfig {
  /** Who may do what. */
  readonly auth: { readonly peers: readonly PeerConfig[]; readonly api_keys: readonly ApiKeyConfig[] };
  /** Limits that can change while running. */
  readonly rate_limits: {
    /** Connections per IPv4 address or IPv6 /64. */
    readonly max_connections_per_ip: number;
    /** Failed authentications per address and minute. */
    readonly max_auth_attempts: number;
  };
}

/** A whole configuration. */
export interface Config {
  /** Needs a restart. */
  readonly static: StaticConfig;
  /** Does not. */
  readonly dynamic: DynamicConfig;
}
