/**
 * A hub that attaches the peers which dial it, over each transport: what imports, routing and discovery are tested on.
 *
 * @module
 */
// Loaded with the module: a library opened within a test would count as that test's leak.
import "../../../core/transports/quic/quic.ts";
import "../../../core/transports/quic/engine/libc.ts";
import { router } from "@alknet/core";
import { type Connection, type Identity, type IdentityProvider, memoryPair } from "@alknet/core/handler";
import { NodeKey } from "@alknet/core/identity";
import {
  call,
  CALL_ALPN,
  CallConnection,
  type CallPeer,
  Dispatcher,
  type HandlerRegistration,
  PeerSet,
  Registry,
} from "@alknet/handlers/call";
import { contextOf } from "../context.ts";
import { OPEN_LIMITS } from "../http/fronts.ts";
import { identity } from "./fixtures.ts";

/** The two ends of a connection to the hub. */
export interface Joined {
  /** The hub, as the one that dialled sees it. */
  readonly hub: CallConnection;
  /** The one that dialled, as the hub sees it. */
  readonly peer: CallPeer;
  /** The raw connection of the one that dialled. */
  readonly connection: Connection;
}

/** A node that knows peers and tokens. */
export interface Hub extends AsyncDisposable {
  /** Peers attached. */
  readonly peers: PeerSet;
  /** Tokens of users, with whom they stand for. */
  readonly users: Map<string, Identity>;
  /**
   * Dials the hub.
   *
   * @param id As which peer the hub knows the key; without it, the hub does not know who dials.
   * @param offers What the one that dials offers.
   */
  join(id?: string, offers?: readonly HandlerRegistration[]): Promise<Joined>;
}

/** A transport between hub and peers. */
export interface HubWay {
  /** For titles. */
  readonly name: string;
  /** Starts a hub. */
  start(registrations: readonly HandlerRegistration[]): Promise<Hub>;
}

/** The transports. */
export const HUB_WAYS: readonly HubWay[] = [
  { name: "memory", start: (registrations) => startMemory(registrations) },
  { name: "QUIC", start: (registrations) => startEndpoint("quic", registrations) },
  { name: "TLS", start: (registrations) => startEndpoint("tls", registrations) },
];

/** What every hub has, whatever carries it. */
class HubState {
  readonly peers = new PeerSet();
  readonly users = new Map<string, Identity>();
  readonly fingerprints = new Map<string, string>();
  readonly #arrivals: ((peer: CallPeer) => void)[] = [];
  readonly handler: ReturnType<typeof call>;

  constructor(registrations: readonly HandlerRegistration[]) {
    const dispatcher = new Dispatcher({ registry: new Registry(registrations), peers: this.peers });
    this.handler = call(dispatcher, { onConnection: (peer) => this.#arrivals.shift()!(peer) });
  }

  readonly provider: IdentityProvider = {
    resolveFingerprint: (fingerprint) => {
      const id = this.fingerprints.get(fingerprint);
      return id === undefined ? undefined : identity(id);
    },
    resolveToken: (token) => this.users.get(String(token)),
  };

  /** The next connection, as the hub sees it. */
  arrival(): Promise<CallPeer> {
    return new Promise((resolve) => this.#arrivals.push(resolve));
  }
}

function dialled(connection: Connection, offers: readonly HandlerRegistration[]): CallConnection {
  return new CallConnection(connection, { dispatcher: new Dispatcher({ registry: new Registry(offers) }) });
}

function startMemory(registrations: readonly HandlerRegistration[]): Promise<Hub> {
  const state = new HubState(registrations);
  const stop = new AbortController();
  const served: (void | Promise<void>)[] = [];
  const open: Connection[] = [];
  const hub: Hub = {
    peers: state.peers,
    users: state.users,
    async join(id, offers = []) {
      const client = id === undefined ? {} : { fingerprint: `memory:${id}` };
      const [near, far] = memoryPair(CALL_ALPN, { client });
      if (id !== undefined) far.identity = identity(id);
      open.push(near);
      const arrived = state.arrival();
      const context = { ...contextOf(stop.signal), identityProvider: state.provider };
      served.push(state.handler.handle(far, context));
      return { hub: dialled(near, offers), peer: await arrived, connection: near };
    },
    async [Symbol.asyncDispose]() {
      for (const connection of open) connection.close();
      await Promise.all(served);
    },
  };
  return Promise.resolve(hub);
}

async function startEndpoint(
  transport: "quic" | "tls",
  registrations: readonly HandlerRegistration[],
): Promise<Hub> {
  const state = new HubState(registrations);
  const endpoint = await router().use(state.handler).listen({
    identityProvider: state.provider,
    transports: [transport],
    limits: OPEN_LIMITS,
    quic: { engine: "in-process" },
    drain: 0,
  });
  const [{ hostname, port }] = endpoint.addresses;
  const open: CallConnection[] = [];
  return {
    peers: state.peers,
    users: state.users,
    async join(id, offers = []) {
      const key = NodeKey.generate();
      if (id !== undefined) state.fingerprints.set(key.fingerprint, id);
      const arrived = state.arrival();
      const address = `${endpoint.nodeId}@${hostname}:${port}`;
      const connection = await endpoint.connect(address, CALL_ALPN, { transport, key });
      const hub = dialled(connection, offers);
      open.push(hub);
      // Over one stream, the hub sees the connection once something was said on it.
      await hub.call("services/list");
      return { hub, peer: await arrived, connection };
    },
    async [Symbol.asyncDispose]() {
      for (const hub of open) await hub.close();
      await endpoint.shutdown({ drain: 0 });
    },
  };
}
