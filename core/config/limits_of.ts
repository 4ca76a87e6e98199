/**
 * The limits of the endpoint under the names that they have in the configuration.
 *
 * @module
 */
import type { Limits } from "../limits/limits.ts";
import type { Config, LimitsDocument } from "./types.ts";

const NAMES = {
  max_connections: "maxConnections",
  max_handshakes: "maxHandshakes",
  retry_threshold: "retryThreshold",
  handshake_timeout_ms: "handshakeTimeout",
  connection_rate: "connectionRate",
  connection_burst: "connectionBurst",
  max_streams_bidi: "maxStreamsBidi",
  max_streams_uni: "maxStreamsUni",
  stream_window: "streamWindow",
  max_stream_window: "maxStreamWindow",
  connection_window: "connectionWindow",
  max_connection_window: "maxConnectionWindow",
  idle_timeout_ms: "idleTimeout",
  keep_alive_ms: "keepAlive",
  max_handshake_bytes: "maxHandshakeBytes",
} as const satisfies Record<keyof LimitsDocument, keyof Limits>;

/** Every limit has a name: two of them in `rate_limits`, because they can change while running. */
type Unnamed = Exclude<
  keyof Limits,
  (typeof NAMES)[keyof typeof NAMES] | "maxConnectionsPerAddress" | "maxAuthFailures"
>;
const _complete: [Unnamed] extends [never] ? true : false = true;

/** The changes to the default limits that a configuration asks for, as an endpoint takes them. */
export function limitsOf({ static: { limits }, dynamic: { rate_limits } }: Config): Partial<Limits> {
  const changes: Partial<Record<keyof Limits, number>> = {
    maxConnectionsPerAddress: rate_limits.max_connections_per_ip,
    maxAuthFailures: rate_limits.max_auth_attempts,
  };
  for (const [name, value] of Object.entries(limits)) changes[NAMES[name as keyof LimitsDocument]] = value;
  return changes;
}
