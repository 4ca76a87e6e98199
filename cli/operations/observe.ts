/**
 * Watches connections as they come and go, for live counters and events. A handler does not know that it is watched.
 *
 * @module
 */
import type { CloseInfo, Connection, Handler } from "@alknet/core/handler";

/** What one ALPN has carried since the start. */
export interface Traffic {
  /** The ALPN. */
  readonly alpn: string;
  /** What its handler does, in a few words. */
  readonly description: string;
  /** Connections that run. */
  readonly open: number;
  /** Connections since the start. */
  readonly total: number;
  /** Payload bytes received since the start. */
  readonly bytesReceived: number;
  /** Payload bytes sent since the start. */
  readonly bytesSent: number;
}

/** An event of `alknet serve --json`: a name and its fields. */
export interface ServeEvent {
  /** `connection` or `closed`; other parts of the command add theirs. */
  readonly event: string;
  readonly [field: string]: unknown;
}

interface Counters {
  readonly description: string;
  readonly running: Set<Connection>;
  total: number;
  bytesReceived: number;
  bytesSent: number;
}

/** Counts what handlers carry. */
export class Observer {
  readonly #counters = new Map<string, Counters>();
  readonly #onEvent: (event: ServeEvent) => void;

  /** @param onEvent Told of each connection that begins or ends. */
  constructor(onEvent: (event: ServeEvent) => void = () => {}) {
    this.#onEvent = onEvent;
  }

  /** The same handler, watched. */
  watch<const Alpns extends readonly string[]>(handler: Handler<Alpns>): Handler<Alpns> {
    for (const alpn of handler.alpns) {
      const description = handler.description ?? "";
      this.#counters.set(alpn, { description, running: new Set(), total: 0, bytesReceived: 0, bytesSent: 0 });
    }
    return {
      ...handler,
      handle: (connection, context) => {
        this.#begin(connection);
        return handler.handle(connection, context);
      },
    };
  }

  /** Counters of every ALPN, as of now, in the order in which they were watched. */
  traffic(): Traffic[] {
    return [...this.#counters].map(([alpn, { description, running, total, bytesReceived, bytesSent }]) => {
      for (const connection of running) {
        const stats = connection.stats();
        bytesReceived += stats.bytesReceived;
        bytesSent += stats.bytesSent;
      }
      return { alpn, description, open: running.size, total, bytesReceived, bytesSent };
    });
  }

  /** The connections that run, as the events of their beginning. */
  *running(): Iterable<ServeEvent> {
    for (const { running } of this.#counters.values()) {
      for (const connection of running) yield { event: "connection", ...factsOf(connection) };
    }
  }

  #begin(connection: Connection): void {
    const counters = this.#counters.get(connection.alpn);
    if (!counters) return;
    counters.total++;
    counters.running.add(connection);
    this.#onEvent({ event: "connection", ...factsOf(connection) });
    connection.closed.then((info) => {
      const { bytesReceived, bytesSent } = connection.stats();
      counters.running.delete(connection);
      counters.bytesReceived += bytesReceived;
      counters.bytesSent += bytesSent;
      this.#onEvent({
        event: "closed",
        ...factsOf(connection),
        bytesReceived,
        bytesSent,
        ...howClosed(connection, info),
      });
    });
  }
}

/** Messages of HTTP say themselves where they end, so that its clients leave without TLS's farewell (RFC 9112 §9.8). */
function howClosed({ alpn }: Connection, { by, code, reason, error }: CloseInfo): Record<string, unknown> {
  const left = error?.code === "TRUNCATED" && (alpn === "h2" || alpn === "http/1.1");
  return left ? { by: "peer" } : { by, code, reason, error: error?.code };
}

function factsOf(connection: Connection): Record<string, unknown> {
  const { id, alpn, transport, remoteAddress, peer, identity } = connection;
  const facts = { id, alpn, transport, address: remoteAddress.hostname, port: remoteAddress.port };
  return { ...facts, fingerprint: peer.fingerprint, identity: identity?.id };
}
