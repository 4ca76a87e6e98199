/**
 * Listening and dialling over QUIC, for tests.
 *
 * @module
 */
import type { LinkedConnection } from "../../../../core/handler/connection.ts";
import { NodeKey } from "../../../../core/identity/node_key.ts";
import { Gate } from "../../../../core/limits/gate.ts";
import { type Limits, limitsWith } from "../../../../core/limits/limits.ts";
import { dialQuic } from "../../../../core/transports/quic/dialling/dial.ts";
import { listenQuic, type QuicListenOptions } from "../../../../core/transports/quic/quic.ts";
import type { TlsProfiles } from "../../../../core/transports/tls_profile.ts";
import type { DialRequest, Listener } from "../../../../core/transports/transport.ts";

/** A way of running the engine. */
export interface Variant extends Pick<QuicListenOptions, "engine" | "udp"> {
  /** Begins the titles of its tests. */
  readonly name: string;
}

/** Both engines. */
export const ENGINES: readonly Variant[] = [
  { name: "QUIC in-process", engine: "in-process" },
  { name: "QUIC engine process", engine: "process" },
];

/** Both engines over each implementation of UDP. */
export const VARIANTS: readonly Variant[] = [
  ...ENGINES,
  ...ENGINES.map((engine) => ({ ...engine, name: `${engine.name} over node:dgram`, udp: "node" as const })),
];

/** Options of {@linkcode quicServer}. */
export interface QuicServerOptions {
  /** How the engine runs. */
  readonly quic?: QuicListenOptions;
  /** Protocols. Default `test/suite`. */
  readonly alpns?: readonly string[];
  /** Changes to the limits of both sides, which here allow what one machine can do. */
  readonly limits?: Partial<Limits>;
  /** The certificates. Default: that of `key`, for everyone. */
  readonly profiles?: TlsProfiles;
  /** Where to listen. Default `127.0.0.1`. */
  readonly hostname?: string;
}

/** A listener whose connections can be awaited. */
export interface QuicServer extends AsyncDisposable {
  /** The node's key. */
  readonly key: NodeKey;
  /** The listener. */
  readonly listener: Listener;
  /** The gate. */
  readonly gate: Gate;
  /** The limits of both sides. */
  readonly limits: Limits;
  /** Its port. */
  readonly port: number;
  /** The next connection. */
  next(): Promise<LinkedConnection>;
  /** Dials it, pinning its key. */
  dial(changes?: Partial<DialRequest>): Promise<LinkedConnection>;
  /** Dials it, and gives both ends. */
  pair(changes?: Partial<DialRequest>): Promise<[client: LinkedConnection, server: LinkedConnection]>;
}

/** Limits under which a test is not refused for being quick. */
export const ROOMY: Partial<Limits> = {
  maxConnectionsPerAddress: 10_000,
  connectionRate: 100_000,
  connectionBurst: 100_000,
};

/** Listens on loopback. */
export async function quicServer(options: QuicServerOptions = {}): Promise<QuicServer> {
  const { quic = { engine: "in-process" }, alpns = ["test/suite"], hostname = "127.0.0.1" } = options;
  const key = NodeKey.generate();
  const limits = limitsWith({ ...ROOMY, ...options.limits });
  const gate = new Gate(limits);
  const waiting: LinkedConnection[] = [];
  const wanted: ((connection: LinkedConnection) => void)[] = [];
  const dialled: LinkedConnection[] = [];
  const listener = await listenQuic({
    address: { hostname, port: 0 },
    alpns,
    profiles: options.profiles ?? { identity: key.certificate() },
    nodeId: key.id,
    limits,
    gate,
    onConnection: (connection) => {
      const want = wanted.shift();
      if (want) want(connection);
      else waiting.push(connection);
    },
  }, quic);
  const next = (): Promise<LinkedConnection> => {
    const connection = waiting.shift();
    return connection ? Promise.resolve(connection) : new Promise((resolve) => wanted.push(resolve));
  };
  const dial = async (changes?: Partial<DialRequest>): Promise<LinkedConnection> => {
    const connection = await dialQuic({
      address: listener.address,
      serverName: `${key.id}.alknet`,
      alpn: alpns[0],
      expectation: { kind: "fingerprints", fingerprints: [key.fingerprint] },
      limits,
      signal: new AbortController().signal,
      ...changes,
    }, { udp: quic.udp });
    dialled.push(connection);
    return connection;
  };
  return {
    key,
    listener,
    gate,
    limits,
    port: listener.address.port,
    next,
    dial,
    async pair(changes) {
      const [client, server] = await Promise.all([dial(changes), next()]);
      return [client, server];
    },
    async [Symbol.asyncDispose]() {
      for (const connection of dialled) connection.close();
      await listener.close();
      await Promise.all(dialled.map((connection) => connection[Symbol.asyncDispose]()));
    },
  };
}
