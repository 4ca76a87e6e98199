/**
 * Listening and dialling over TLS, for tests.
 *
 * @module
 */
import type { LinkedConnection } from "../../../../core/handler/connection.ts";
import { NodeKey } from "../../../../core/identity/node_key.ts";
import { Gate } from "../../../../core/limits/gate.ts";
import { type Limits, limitsWith } from "../../../../core/limits/limits.ts";
import { dialTls, listenTls, type TlsDialRequest } from "../../../../core/transports/tls/tls.ts";
import type { CertificateKeyPair } from "../../../../core/identity/key_pair.ts";
import type { Listener } from "../../../../core/transports/transport.ts";

/** Options of {@linkcode tlsServer}. */
export interface TlsServerOptions {
  /** Protocols. Default `test/suite`. */
  readonly alpns?: readonly string[];
  /** The protocol of clients that name none. */
  readonly withoutAlpn?: string;
  /** Changes to the limits, which here allow what one machine can do. */
  readonly limits?: Partial<Limits>;
  /** The public profile. */
  readonly public?: CertificateKeyPair;
  /** The identity profile; `null` for none. Default: that of `key`. */
  readonly identity?: CertificateKeyPair | null;
  /** Default: a queue that `next` empties. */
  readonly onConnection?: (connection: LinkedConnection) => void;
}

/** A listener whose connections can be awaited. */
export interface TlsServer extends AsyncDisposable {
  /** The node's key. */
  readonly key: NodeKey;
  /** The listener. */
  readonly listener: Listener;
  /** The gate. */
  readonly gate: Gate;
  /** Its port. */
  readonly port: number;
  /** The next connection. */
  next(): Promise<LinkedConnection>;
  /** Connections so far. */
  readonly accepted: number;
  /** Dials it, pinning its key. */
  dial(changes?: Partial<TlsDialRequest>): Promise<LinkedConnection>;
}

/** Limits under which a test is not refused for being quick. */
export const ROOMY: Partial<Limits> = {
  maxConnectionsPerAddress: 10_000,
  connectionRate: 100_000,
  connectionBurst: 100_000,
};

/** Listens on loopback. */
export async function tlsServer(options: TlsServerOptions = {}): Promise<TlsServer> {
  const key = NodeKey.generate();
  const limits = limitsWith({ ...ROOMY, ...options.limits });
  const gate = new Gate(limits);
  const waiting: LinkedConnection[] = [];
  const wanted: ((connection: LinkedConnection) => void)[] = [];
  let accepted = 0;
  const queue = (connection: LinkedConnection): void => {
    const want = wanted.shift();
    if (want) want(connection);
    else waiting.push(connection);
  };
  const listener = await listenTls({
    address: { hostname: "127.0.0.1", port: 0 },
    alpns: options.alpns ?? ["test/suite"],
    withoutAlpn: options.withoutAlpn,
    profiles: {
      identity: options.identity === null ? undefined : options.identity ?? key.certificate(),
      public: options.public,
    },
    nodeId: key.id,
    limits,
    gate,
    onConnection: (connection) => {
      accepted++;
      (options.onConnection ?? queue)(connection);
    },
  });
  return {
    key,
    listener,
    gate,
    port: listener.address.port,
    get accepted() {
      return accepted;
    },
    next: () => {
      const connection = waiting.shift();
      return connection ? Promise.resolve(connection) : new Promise((resolve) => wanted.push(resolve));
    },
    dial: (changes) =>
      dialTls({
        address: listener.address,
        serverName: `${key.id}.alknet`,
        alpn: "test/suite",
        expectation: { kind: "fingerprints", fingerprints: [key.fingerprint] },
        limits,
        signal: new AbortController().signal,
        ...changes,
      }),
    [Symbol.asyncDispose]: () => listener.close(),
  };
}
