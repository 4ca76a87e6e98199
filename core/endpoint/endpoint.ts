/**
 * The endpoint: listens on one port over UDP and TCP, and gives each connection to the handler of its ALPN.
 *
 * @module
 */
import { AlknetError } from "../errors.ts";
import type { Connection, SocketAddress } from "../handler/connection.ts";
import type { Handler } from "../handler/handler.ts";
import { anonymousOnly, type IdentityProvider } from "../identity/identity.ts";
import { NodeKey } from "../identity/node_key.ts";
import { descriptorLimit } from "../limits/descriptors.ts";
import { Gate } from "../limits/gate.ts";
import { type Limits, limitsWith } from "../limits/limits.ts";
import { logger } from "../log.ts";
import type { CertificateKeyPair } from "../identity/key_pair.ts";
import { assertNoOverlap } from "./overlap.ts";
import { alpnsFor, assertPair } from "../transports/tls_profile.ts";
import type { Listener } from "../transports/transport.ts";
import { beEngineIfStartedAsOne } from "../transports/quic/process/engine_command.ts";
import type { QuicListenOptions } from "../transports/quic/quic.ts";
import { formatSocketAddress, type ListenEntry, parseListenAddress } from "../handler/address.ts";
import { bind, type BindOptions } from "./binding.ts";
import { CloseCode } from "./codes.ts";
import { connect, type ConnectOptions } from "./dial.ts";
import { Serving } from "./serving.ts";

/** Handlers by ALPN; what a router is to an endpoint. */
export interface HandlerTable<Alpns extends readonly string[]> {
  /** The ALPN strings, in the order in which the server prefers them. */
  readonly alpns: Alpns;
  /** The handler that claims exactly this ALPN. */
  handler(alpn: string): Handler | undefined;
}

/** Options of `Router.listen`. */
export interface ListenOptions {
  /** `HOST:PORT`, one or several. Port 0 picks one that is free for UDP and TCP. Default `127.0.0.1:0`. */
  readonly listen?: string | readonly (string | ListenEntry)[];
  /** The node's key. Default: a new one, which lasts as long as the endpoint. */
  readonly key?: NodeKey;
  /** The certificate of the public profile. Without one, the node certificate serves every client. */
  readonly certificate?: CertificateKeyPair;
  /** Who has a fingerprint or a token. Default: nobody. */
  readonly identityProvider?: IdentityProvider;
  /** Changes to {@linkcode DEFAULT_LIMITS}. */
  readonly limits?: Partial<Limits>;
  /** Transports to listen on. Default both. */
  readonly transports?: readonly ("quic" | "tls")[];
  /** How the QUIC engine runs. */
  readonly quic?: QuicListenOptions;
  /** Time for handlers to finish at shutdown, in milliseconds. Default 2000. */
  readonly drain?: number;
}

/** The limits that an endpoint can change while it runs. */
export type DynamicLimits = Partial<Pick<Limits, "maxConnectionsPerAddress" | "maxAuthFailures">>;

/** Counters of an endpoint. */
export interface EndpointStats {
  /** Connections that run, by ALPN. */
  readonly connections: Readonly<Record<string, number>>;
  /** Connections accepted since the start. */
  readonly accepted: number;
  /** Refusals since the start, by reason. */
  readonly refused: Readonly<Record<string, number>>;
  /** Bytes received and sent by connections that run. */
  readonly bytesReceived: number;
  /** Bytes sent by connections that run. */
  readonly bytesSent: number;
}

/** A listening endpoint. Disposing of it shuts it down. */
export interface Endpoint<Alpn extends string = string> extends AsyncDisposable {
  /** z-base-32 of the node's public key. */
  readonly nodeId: string;
  /** Fingerprint of the node's key. */
  readonly fingerprint: string;
  /** Where it listens: one entry for each address, served by each transport. */
  readonly addresses: readonly SocketAddress[];
  /** The transports that listen. */
  readonly transports: readonly ("quic" | "tls")[];
  /** The protocols served. */
  readonly alpns: readonly Alpn[];
  /** Aborted when the endpoint begins to drain. */
  readonly signal: AbortSignal;
  /**
   * Dials another node as this one.
   *
   * @throws {DialError} See {@linkcode connect}.
   */
  connect(address: string, alpn: Alpn | (string & Record<never, never>), options?: ConnectOptions): Promise<Connection>;
  /** Gives a ready connection to its handler, as if a transport had accepted it. Resolves when the handler is done. */
  dispatch(connection: Connection): Promise<void>;
  /**
   * Changes the limits that can change while it runs. They hold for newcomers; whoever is connected stays.
   *
   * @throws {RangeError} A limit is not a positive whole number.
   */
  adjustLimits(changes: DynamicLimits): void;
  /**
   * Shows newcomers this certificate of the public profile, over every transport. Whoever is connected stays.
   *
   * @throws {AlknetError} `TLS_CONFIG`: certificate and key are unreadable or do not belong together, or the
   * endpoint began without one. Nothing has changed.
   */
  adjustCertificate(certificate: CertificateKeyPair): void;
  /** Counters, as of now. */
  stats(): EndpointStats;
  /** The connections that run. */
  connections(): Iterable<Connection>;
  /**
   * Stops accepting, lets handlers finish for up to `drain` milliseconds, then closes the rest. Never rejects; calling it
   * again gives the same promise.
   */
  shutdown(options?: { drain?: number }): Promise<void>;
}

const log = logger("endpoint");
const DEFAULT_LISTEN = "127.0.0.1:0";
const DEFAULT_DRAIN = 2000;
/** Descriptors kept for files, engines and what handlers open. */
const RESERVED_DESCRIPTORS = 128;

/**
 * Listens on every address with every transport. All are up when it resolves; none is when it rejects.
 *
 * @throws {AlknetError} `NO_HANDLERS`, `BIND_FAILED`, or a code of TLS setup.
 */
export async function listen<const Alpns extends readonly string[]>(
  handlers: HandlerTable<Alpns>,
  options: ListenOptions,
): Promise<Endpoint<Alpns[number]>> {
  await beEngineIfStartedAsOne();
  if (handlers.alpns.length === 0) {
    throw new AlknetError("NO_HANDLERS", "the router has no handlers; register one with use() before listen()");
  }
  const endpoint = new RunningEndpoint(handlers, options);
  await endpoint.bind(options);
  return endpoint;
}

class RunningEndpoint<Alpns extends readonly string[]> implements Endpoint<Alpns[number]> {
  readonly nodeId: string;
  readonly fingerprint: string;
  readonly alpns: Alpns;
  readonly #key: NodeKey;
  readonly #hasPublic: boolean;
  #limits: Limits;
  readonly #gate: Gate;
  readonly #drain: number;
  readonly #shutdown = new AbortController();
  readonly #serving: Serving;
  readonly #running = new Map<Connection, Promise<void>>();
  #listeners: Listener[] = [];
  #accepted = 0;
  #ended?: Promise<void>;

  constructor(handlers: HandlerTable<Alpns>, options: ListenOptions) {
    this.alpns = handlers.alpns;
    this.#key = options.key ?? NodeKey.generate();
    this.nodeId = this.#key.id;
    this.fingerprint = this.#key.fingerprint;
    this.#limits = withinDescriptors(limitsWith(options.limits));
    this.#gate = new Gate(this.#limits, { onRefused: logRefusal });
    this.#hasPublic = options.certificate !== undefined;
    this.#drain = options.drain ?? DEFAULT_DRAIN;
    this.#serving = new Serving({
      handler: (alpn) => handlers.handler(alpn),
      provider: options.identityProvider ?? anonymousOnly,
      gate: this.#gate,
      signal: this.signal,
      limits: () => this.#limits,
    });
  }

  get addresses(): readonly SocketAddress[] {
    const seen = new Map<string, SocketAddress>();
    for (const { address } of this.#listeners) seen.set(formatSocketAddress(address), address);
    return [...seen.values()];
  }

  get transports(): readonly ("quic" | "tls")[] {
    return [...new Set(this.#listeners.map((listener) => listener.transport))];
  }

  get signal(): AbortSignal {
    return this.#shutdown.signal;
  }

  async bind(options: ListenOptions): Promise<void> {
    const wanted = options.listen ?? DEFAULT_LISTEN;
    const shared: BindOptions = {
      alpns: this.alpns,
      profiles: { identity: this.#key.certificate(), public: options.certificate },
      nodeId: this.nodeId,
      limits: this.#limits,
      gate: this.#gate,
      onConnection: (connection) => {
        // One that was on its way when the listeners were told to stop.
        if (this.#ended) connection.close(CloseCode.NORMAL, "shutdown");
        else this.dispatch(connection);
      },
      transports: options.transports ?? ["quic", "tls"],
      quic: options.quic,
    };
    try {
      const entries = (typeof wanted === "string" ? [wanted] : wanted).map((entry) =>
        typeof entry === "string" ? { address: entry } : entry
      );
      const addresses = entries.map(({ address }) => parseListenAddress(address));
      assertNoOverlap(addresses);
      assertCarried(entries, this.alpns);
      if (options.certificate) assertPair("public", options.certificate);
      for (const [n, address] of addresses.entries()) {
        this.#listeners.push(...await bind(address, { ...shared, withoutAlpn: entries[n].withoutAlpn }));
      }
      if (this.#listeners.length === 0) {
        const names = this.alpns.join(", ");
        throw new AlknetError("NO_TRANSPORT", `${names}: not carried over ${shared.transports.join(" or ")}`);
      }
    } catch (error) {
      await this.#closeListeners();
      throw error;
    }
  }

  connect(address: string, alpn: string, options: ConnectOptions = {}): Promise<Connection> {
    if (this.#ended) {
      return Promise.reject(new AlknetError("CONNECTION_CLOSED", "the endpoint is shutting down; it dials no more"));
    }
    return connect(address, alpn, { key: this.#key, limits: this.#limits, ...options });
  }

  dispatch(connection: Connection): Promise<void> {
    this.#accepted++;
    const done = this.#serving.serve(connection).finally(() => this.#running.delete(connection));
    this.#running.set(connection, done);
    return done;
  }

  adjustLimits({ maxConnectionsPerAddress, maxAuthFailures }: DynamicLimits): void {
    this.#limits = limitsWith({
      ...this.#limits,
      ...(maxConnectionsPerAddress === undefined ? {} : { maxConnectionsPerAddress }),
      ...(maxAuthFailures === undefined ? {} : { maxAuthFailures }),
    });
    this.#gate.adjust(this.#limits);
    for (const listener of this.#listeners) listener.adjustLimits(this.#limits);
  }

  adjustCertificate(certificate: CertificateKeyPair): void {
    if (!this.#hasPublic) {
      throw new AlknetError("TLS_CONFIG", "the endpoint began without a public certificate; there is none to change");
    }
    assertPair("public", certificate);
    for (const listener of this.#listeners) listener.adjustCertificate(certificate);
  }

  connections(): Iterable<Connection> {
    return this.#running.keys();
  }

  stats(): EndpointStats {
    const connections: Record<string, number> = {};
    let bytesReceived = 0;
    let bytesSent = 0;
    for (const connection of this.#running.keys()) {
      connections[connection.alpn] = (connections[connection.alpn] ?? 0) + 1;
      const stats = connection.stats();
      bytesReceived += stats.bytesReceived;
      bytesSent += stats.bytesSent;
    }
    const refused = Object.fromEntries(this.#gate.refused);
    return { connections, accepted: this.#accepted, refused, bytesReceived, bytesSent };
  }

  shutdown(options: { drain?: number } = {}): Promise<void> {
    return this.#ended ??= this.#end(options.drain ?? this.#drain);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }

  async #end(drain: number): Promise<void> {
    this.#gate.close();
    await Promise.all(this.#listeners.map((listener) => listener.stopAccepting()));
    this.#shutdown.abort("shutdown");
    await this.#drained(drain);
    for (const connection of this.#running.keys()) connection.close(CloseCode.NORMAL, "shutdown");
    await this.#closeListeners();
  }

  /** Resolves when every handler has finished, or after `drain` milliseconds. */
  async #drained(drain: number): Promise<void> {
    if (this.#running.size === 0 || drain <= 0) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => timer = setTimeout(resolve, drain));
    await Promise.race([Promise.all(this.#running.values()), late]);
    clearTimeout(timer);
  }

  async #closeListeners(): Promise<void> {
    const listeners = this.#listeners;
    this.#listeners = [];
    await Promise.all(listeners.map((listener) => listener.close()));
  }
}

/** Limits of which this process can hold as many connections as it says: a descriptor each, and some for all else. */
function withinDescriptors(limits: Limits): Limits {
  const descriptors = descriptorLimit();
  if (descriptors === undefined) return limits;
  const most = Math.max(1, descriptors - Math.min(RESERVED_DESCRIPTORS, Math.floor(descriptors / 4)));
  if (limits.maxConnections <= most) return limits;
  log.warn("at most {most} connections: {descriptors} descriptors are allowed (ulimit -n, LimitNOFILE=)", {
    most,
    descriptors,
  });
  return { ...limits, maxConnections: most };
}

/** Who names no protocol is given one that a handler claims and that TCP carries. */
function assertCarried(entries: readonly ListenEntry[], alpns: readonly string[]): void {
  const carried = alpnsFor("tls", alpns);
  for (const { address, withoutAlpn } of entries) {
    if (withoutAlpn === undefined || carried.includes(withoutAlpn)) continue;
    const message =
      `listen ${address}: no handler serves ${JSON.stringify(withoutAlpn)} over TCP, which clients that ` +
      `name no protocol would get; served are ${carried.join(", ")}`;
    throw new AlknetError("INCOMPATIBLE_OPTIONS", message);
  }
}

function logRefusal(address: string, reason: string): void {
  log.warn("refused src={src} reason={reason}", { src: address, reason });
}
