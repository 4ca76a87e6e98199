/**
 * A hub that attaches the peers which dial it, over each transport: what imports, routing and discovery are tested on.
 *
 * @module
 */
// Loaded with the module: a library opened within a test would count as that test's leak.
import "../../../core/transports/quic/quic.ts";
import "../../../core/transports/quic/linux/call_table.ts";
import { router } from "@alknet/core";
import { type Connection, type Identity, type IdentityProvider, memoryPair } from "@alknet/core/handler";
import { NodeKey } from "@alknet/core/identity";
import { Dispatcher, type HandlerRegistration, type JsonValue, nodeRegistry, PeerSet } from "@alknet/core/operations";
import {
  call,
  CALL_ALPN,
  CallConnection,
  type CallPeer,
  CallSession,
  type CallSessionOptions,
} from "@alknet/handlers/call";
import { http } from "@alknet/handlers/http";
import { WebSocketCarrier } from "../../../handlers/http/websocket/websocket_carrier.ts";
import { contextOf } from "../context.ts";
import { OPEN_LIMITS, WAYS as HTTP_WAYS } from "../http/fronts.ts";
import { identity } from "./fixtures.ts";
import { type Answer, openSocket, StreamWire } from "./ways.ts";

/** The two ends of a connection to the hub. */
export interface Joined {
  /** The hub, as the one that dialled sees it. */
  readonly hub: CallSession;
  /** The one that dialled, as the hub sees it. */
  readonly peer: CallPeer;
}

/**
 * What a peer that is no implementation of ours answers, by the name of the operation; `undefined` is no answer at all.
 * To any other name it answers `NOT_FOUND`.
 */
export type Script = Readonly<Record<string, (input: JsonValue) => JsonValue | undefined>>;

/** A peer that answers from a script. */
export interface Scripted {
  /** It, as the hub sees it. */
  readonly peer: CallPeer;
  /** What the hub sent. */
  readonly received: readonly Answer[];
  /** Resolves with the next envelope of this type. */
  next(type: string): Promise<Answer>;
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
  /** Dials the hub, and answers it from a script. */
  joinScripted(id: string, script: Script): Promise<Scripted>;
}

/** A transport between hub and peers. */
export interface HubWay {
  /** For titles. */
  readonly name: string;
  /** Starts a hub. */
  start(registrations: readonly HandlerRegistration[]): Promise<Hub>;
}

/** The transports over which peers are. */
export const HUB_WAYS: readonly HubWay[] = [
  { name: "memory", start: (registrations) => Promise.resolve(hubOver(new HubState(registrations), memory)) },
  { name: "QUIC", start: (registrations) => startEndpoint("quic", registrations) },
  { name: "TLS", start: (registrations) => startEndpoint("tls", registrations) },
];

/** Over a WebSocket nobody is a peer: whoever joins is known by a token. */
export const WEBSOCKET_HUB: HubWay = { name: "WebSocket", start: startWebSocket };

/** What every hub has, whatever carries it. */
class HubState {
  readonly peers = new PeerSet();
  readonly users = new Map<string, Identity>();
  readonly fingerprints = new Map<string, string>();
  readonly dispatcher: Dispatcher;
  readonly handler: ReturnType<typeof call>;
  readonly #arrivals: ((peer: CallPeer) => void)[] = [];

  constructor(registrations: readonly HandlerRegistration[]) {
    this.dispatcher = new Dispatcher({ registry: nodeRegistry(registrations), peers: this.peers });
    this.handler = call(this.dispatcher, { onConnection: this.arrived });
  }

  readonly provider: IdentityProvider = {
    resolveFingerprint: (fingerprint) => {
      const id = this.fingerprints.get(fingerprint);
      return id === undefined ? undefined : identity(id);
    },
    resolveToken: (token) => this.users.get(String(token)),
  };

  readonly arrived = (peer: CallPeer): void => this.#arrivals.shift()!(peer);

  /** The next connection, as the hub sees it. */
  arrival(): Promise<CallPeer> {
    return new Promise((resolve) => this.#arrivals.push(resolve));
  }
}

/** Dials a hub, which knows the key as a peer's if an id is given. */
type Dial = (state: HubState, id?: string) => Promise<Connection>;

function hubOver(state: HubState, dial: Dial, end: () => Promise<void> = () => Promise.resolve()): Hub {
  const open: { close(): unknown }[] = [];
  return {
    peers: state.peers,
    users: state.users,
    async join(id, offers = []) {
      const arrived = state.arrival();
      const hub = new CallConnection(await dial(state, id), offering(offers));
      open.push(hub);
      // Over one stream, the hub sees the connection once something was said on it.
      await hub.call("services/list");
      return { hub, peer: await arrived };
    },
    async joinScripted(id, script) {
      const arrived = state.arrival();
      const scripted = new ScriptedPeer(await dial(state, id), script);
      open.push(scripted);
      await scripted.begin();
      return { peer: await arrived, received: scripted.received, next: (type) => scripted.next(type) };
    },
    async [Symbol.asyncDispose]() {
      for (const each of open) await each.close();
      await end();
    },
  };
}

function offering(offers: readonly HandlerRegistration[]): CallSessionOptions {
  return { dispatcher: new Dispatcher({ registry: nodeRegistry(offers) }) };
}

/** Reads every stream of a connection, and answers what it has answers for. */
class ScriptedPeer {
  readonly received: Answer[] = [];
  readonly #connection: Connection;
  readonly #script: Script;
  #changed = Promise.withResolvers<void>();

  constructor(connection: Connection, script: Script) {
    this.#connection = connection;
    this.#script = script;
  }

  async begin(): Promise<void> {
    const wire = new StreamWire(await this.#connection.open());
    await wire.ask("hello", "/services/list");
    this.#serve(wire);
    (async () => {
      for await (const stream of this.#connection) this.#serve(new StreamWire(stream));
    })();
  }

  async next(type: string): Promise<Answer> {
    for (let from = this.received.length;;) {
      for (; from < this.received.length; from++) if (this.received[from].type === type) return this.received[from];
      await this.#changed.promise;
    }
  }

  async close(): Promise<void> {
    this.#connection.close();
    await this.#connection[Symbol.asyncDispose]();
  }

  async #serve(wire: StreamWire): Promise<void> {
    for (let envelope; (envelope = await wire.next());) {
      this.received.push(envelope);
      this.#changed.resolve();
      this.#changed = Promise.withResolvers();
      if (envelope.type !== "call.requested") continue;
      const { operationId, input = null } = envelope.payload;
      const answer = this.#script[String(operationId).slice(1)];
      const output = answer?.(input);
      if (output !== undefined) await wire.send("call.responded", envelope.id, { output });
      else if (!answer) {
        await wire.send("call.error", envelope.id, { code: "NOT_FOUND", message: "none", retryable: false });
      }
    }
  }
}

function memory(state: HubState, id?: string): Promise<Connection> {
  const client = id === undefined ? {} : { fingerprint: `memory:${id}` };
  const [near, far] = memoryPair(CALL_ALPN, { client });
  if (id !== undefined) far.identity = identity(id);
  state.handler.handle(far, { ...contextOf(new AbortController().signal), identityProvider: state.provider });
  return Promise.resolve(near);
}

async function startEndpoint(transport: "quic" | "tls", registrations: readonly HandlerRegistration[]): Promise<Hub> {
  const state = new HubState(registrations);
  const endpoint = await router().use(state.handler).listen({
    identityProvider: state.provider,
    transports: [transport],
    limits: OPEN_LIMITS,
    quic: { engine: "in-process" },
    drain: 0,
  });
  const [{ hostname, port }] = endpoint.addresses;
  const dial: Dial = async (_state, id) => {
    const key = NodeKey.generate();
    if (id !== undefined) state.fingerprints.set(key.fingerprint, id);
    return await endpoint.connect(`${endpoint.nodeId}@${hostname}:${port}`, CALL_ALPN, { transport, key });
  };
  return hubOver(state, dial, () => endpoint.shutdown({ drain: 0 }));
}

async function startWebSocket(registrations: readonly HandlerRegistration[]): Promise<Hub> {
  const state = new HubState(registrations);
  const way = HTTP_WAYS.find(({ name }) => name === "alknet/http (HTTP/1.1) over TLS")!;
  const { dispatcher, arrived } = state;
  const served = await way.serve(http({ dispatcher, onConnection: arrived }), state.provider);
  const open: CallSession[] = [];
  return {
    peers: state.peers,
    users: state.users,
    async join(id = "nobody", offers = []) {
      state.users.set(`alk_${id}`, identity(id));
      const arrival = state.arrival();
      const socket = await openSocket(served.base, `alk_${id}`);
      const carrier = new WebSocketCarrier(socket, { identity: identity("hub"), maxMessage: 2 ** 26 });
      const hub = new CallSession(carrier, offering(offers));
      open.push(hub);
      return { hub, peer: await arrival };
    },
    joinScripted: () => Promise.reject(new Error("nobody is a peer over a WebSocket")),
    async [Symbol.asyncDispose]() {
      for (const hub of open) await hub.close();
      await served[Symbol.asyncDispose]();
    },
  };
}
