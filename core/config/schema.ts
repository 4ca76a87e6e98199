/**
 * The schema of the configuration file, which is also its JSON Schema.
 *
 * @module
 */
import Type, { type Static } from "typebox";
import type { ConfigDocument, Schema } from "./types.ts";

const closed = { additionalProperties: false };
const texts = (description: string) => Type.Array(Type.String({ minLength: 1 }), { description });
const count = (description: string) => Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, description });
const bytes = (description: string) => count(`${description}, in bytes`);
/** setTimeout fires at once above 2^31 - 1. */
const milliseconds = (description: string, minimum = 1) =>
  Type.Integer({ minimum, maximum: 2 ** 31 - 1, description: `${description}, in milliseconds` });

const certificate = Type.Object({
  mode: Type.Enum(["key", "x509", "selfSigned"]),
  certificate_file: Type.Optional(Type.String({ minLength: 1 })),
  key_file: Type.Optional(Type.String({ minLength: 1 })),
  names: Type.Optional(texts("host names and IP addresses")),
}, closed);

const quic = Type.Object({
  engine: Type.Optional(Type.Enum(["process", "in_process"])),
  engines: Type.Optional(Type.Integer({ minimum: 1, maximum: 64, description: "engine processes" })),
  // The least that QUIC works with (RFC 9000 §14), and the most that UDP over IPv4 carries.
  max_datagram_size: Type.Optional(Type.Integer({ minimum: 1200, maximum: 65_527, description: "bytes" })),
  udp: Type.Optional(Type.Enum(["auto", "node"])),
}, closed);

const limits = Type.Object({
  max_connections: Type.Optional(count("connections in all")),
  max_handshakes: Type.Optional(count("handshakes in flight")),
  retry_threshold: Type.Optional(count("handshakes in flight from which on QUIC clients must prove their address")),
  handshake_timeout_ms: Type.Optional(milliseconds("time for a handshake")),
  connection_rate: Type.Optional(count("new connections per address and second")),
  connection_burst: Type.Optional(count("new connections per address in one burst")),
  max_streams_bidi: Type.Optional(count("bidirectional streams that a peer may have open")),
  max_streams_uni: Type.Optional(count("unidirectional streams that a peer may have open")),
  stream_window: Type.Optional(bytes("first receive window of a stream")),
  max_stream_window: Type.Optional(bytes("largest receive window of a stream")),
  connection_window: Type.Optional(bytes("first receive window of a connection")),
  max_connection_window: Type.Optional(bytes("largest receive window of a connection")),
  idle_timeout_ms: Type.Optional(milliseconds("silence after which a QUIC connection ends")),
  keep_alive_ms: Type.Optional(milliseconds("how often the dialling side sends something")),
  max_handshake_bytes: Type.Optional(bytes("from a peer before its handshake is complete")),
}, closed);

const peer = Type.Object({
  // No control characters: the name stands in logs and lists.
  peer_id: Type.String({ minLength: 1, maxLength: 128, pattern: "^[^\\u0000-\\u001f\\u007f-\\u009f]*$" }),
  fingerprints: Type.Optional(texts("any of them is this peer")),
  auth_token_hash: Type.Optional(Type.String()),
  scopes: Type.Optional(texts("what it may do")),
  resources: Type.Optional(Type.Record(Type.String(), texts("actions"))),
  display_name: Type.Optional(Type.String()),
  enabled: Type.Optional(Type.Boolean()),
}, closed);

const apiKey = Type.Object({
  prefix: Type.String({ minLength: 1, maxLength: 8 }),
  hash: Type.String(),
  scopes: Type.Optional(texts("what it may do")),
  description: Type.Optional(Type.String()),
  expires_at: Type.Optional(Type.Integer({ minimum: 0, description: "Unix seconds" })),
}, closed);

const listenEntry = Type.Object({
  address: Type.String({ minLength: 1, description: "HOST:PORT" }),
  without_alpn: Type.Optional(
    Type.String({ minLength: 1, description: "what clients get whose TLS names no protocol, as dot" }),
  ),
}, closed);

const schema = Type.Object({
  listen: Type.Optional(
    Type.Union([Type.String(), Type.Array(Type.Union([Type.String(), listenEntry]), { minItems: 1 })]),
  ),
  certificate: Type.Optional(certificate),
  drain_timeout_ms: Type.Optional(milliseconds("time for handlers to finish at shutdown", 0)),
  transports: Type.Optional(Type.Array(Type.Enum(["quic", "tls"]), { minItems: 1, uniqueItems: true })),
  quic: Type.Optional(quic),
  limits: Type.Optional(limits),
  handlers: Type.Optional(Type.Record(Type.String(), Type.Record(Type.String(), Type.Unknown()))),
  auth: Type.Optional(Type.Object({
    peers: Type.Optional(Type.Array(peer)),
    api_keys: Type.Optional(Type.Array(apiKey)),
  }, closed)),
  rate_limits: Type.Optional(Type.Object({
    max_connections_per_ip: Type.Optional(count("connections per address")),
    max_auth_attempts: Type.Optional(count("failed authentications per address and minute")),
  }, closed)),
}, closed);

/** The schema of a configuration file, as JSON Schema. */
export const configSchema: Schema = schema;

// The published type is written out, because a package's types may not need inference. This holds the two together.
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false;
type Flat<T> = T extends object ? { [K in keyof T]: Flat<T[K]> } : T;
const _same: Same<Flat<Static<typeof schema>>, Flat<ConfigDocument>> = true;
