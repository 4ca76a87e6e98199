/**
 * Faults of the call protocol: very many calls at once, callers that vanish, and a connection that is lost at every
 * event. What is left is counted, nothing is timed.
 *
 * @module
 */
// Loaded with the module: a library opened within a test would count as that test's leak.
import "../../core/transports/quic/quic.ts";
import "../../core/transports/quic/linux/call_table.ts";
import { connect } from "@alknet/core/dial";
import { type BidiStream, type Connection, defineHandler, type Endpoint, memoryPair, router } from "@alknet/core";
import {
  CallError,
  Dispatcher,
  type JsonValue,
  nodeRegistry,
  operation,
  provide,
  type Registry,
} from "@alknet/core/operations";
import { CALL_ALPN, CallConnection, CallSession } from "@alknet/handlers/call";
import { NodeKey } from "@alknet/core/identity";
import { deepEqual, equal, ok } from "node:assert/strict";
import Type from "typebox";
import { http } from "@alknet/handlers/http";
import { WebSocketCarrier } from "../../handlers/http/websocket/websocket_carrier.ts";
import { ROOMY } from "../core/endpoint/support.ts";
import { openSocket } from "../handlers/call/ways.ts";
import { type Served, WAYS as HTTP_WAYS } from "../handlers/http/fronts.ts";
import { CaseOperations, startCallNode } from "../interop/call_node.ts";
import { start } from "../support/process.ts";
import { ROOT } from "../support/python.ts";
import { needs } from "../support/programs.ts";

/** Calls in flight on one connection. */
const CALLS = 100_000;
/** Subscriptions of a caller that vanishes. */
const SUBSCRIPTIONS = 10_000;
/** Milliseconds that nothing here reaches: these tests count, however slow the machine is. */
const PATIENCE = 600_000;
const TRANSPORTS = ["quic", "tls", "websocket"] as const;

for (const transport of TRANSPORTS) {
  Deno.test(`alknet/call over ${transport}: ${CALLS} calls in flight at once are all answered`, async () => {
    await using node = await startNode(transport);
    const { operations } = node;
    const client = await node.dial();
    const gates = ["even", "odd"];
    const calls = Array.from({ length: CALLS }, (_, n) => {
      return client.call("gate/wait", { gate: gates[n % 2] }, { timeoutMs: PATIENCE });
    });
    await operations.reached({ waiting: CALLS });
    const [served] = operations.peers;
    deepEqual([client.counts.outgoing, served.counts.inbound], [CALLS, CALLS]);
    // The table has room for others, and their answers find their way past those that wait.
    equal(await client.call("math/add", { a: 2, b: 3 }), 5);
    operations.open("odd");
    await Promise.all(calls.filter((_, n) => n % 2 === 1));
    equal(client.counts.outgoing, CALLS / 2);
    operations.open("even");
    ok((await Promise.all(calls)).every((output) => output === "opened"));
    deepEqual([client.counts, served.counts], [{ inbound: 0, outgoing: 0 }, { inbound: 0, outgoing: 0 }]);
    await client.close();
  });

  Deno.test({
    name:
      `alknet/call over ${transport}: a caller that is killed with ${SUBSCRIPTIONS} subscriptions open leaves nothing`,
    ...needs("linux"),
    async fn() {
      await using node = await startNode(transport);
      const { operations } = node;
      const program = ["run", "-A", `${ROOT}tests/faults/call_client.ts`, node.address, transport];
      await using caller = start(Deno.execPath(), [...program, String(SUBSCRIPTIONS), operations.tokens.nobody]);
      await operations.reached({ open: SUBSCRIPTIONS });
      const [served] = operations.peers;
      equal(served.counts.inbound, SUBSCRIPTIONS);
      caller.kill("SIGKILL");
      await served.closed;
      await operations.reached({ open: 0 });
      deepEqual(served.counts, { inbound: 0, outgoing: 0 });
      equal(operations.peers.size, 0);
    },
  });
}

/** Every way in which two ends are connected. */
const CARRIERS: Readonly<Record<string, () => Promise<Carriers>>> = {
  "a pair with many streams": () => overMemory(false),
  "a pair with one stream": () => overMemory(true),
  quic: () => overEndpoint("quic"),
  tls: () => overEndpoint("tls"),
  websocket: () => overWebSocket(),
};

for (const [name, open] of Object.entries(CARRIERS)) {
  Deno.test(`alknet/call over ${name}: the connection is lost at every event, and within it; nothing is left (call.md §16)`, async () => {
    await using carriers = await open();
    const whole = await converse(carriers, Infinity, false);
    deepEqual(whole.outcomes, [5, "done", [0, 1, 2], "SOURCE_LOST", "left", "asked", "aborted"], JSON.stringify(whole));
    ok(whole.frames > 15, `${whole.frames} frames`);
    for (let frames = 0; frames <= whole.frames; frames++) {
      for (const within of [false, true]) {
        const { outcomes } = await converse(carriers, frames, within);
        for (const outcome of outcomes) {
          const expected = whole.outcomes.some((each) => JSON.stringify(each) === JSON.stringify(outcome));
          ok(expected || outcome === "INTERNAL: connection closed", `cut after ${frames} frames: ${outcome}`);
        }
      }
    }
  });
}

/** Makes connections, one after another. */
interface Carriers extends AsyncDisposable {
  /** One that is lost after so many frames, or within the next. */
  next(frames: number, within: boolean): Promise<Ends>;
}

/** The two ends of a connection that will be lost. */
interface Ends {
  readonly client: CallSession;
  readonly served: CallSession;
  readonly operations: CaseOperations;
  readonly lossy: Lossy;
}

/** What loses a connection. */
interface Lossy {
  /** Frames that passed. */
  readonly frames: number;
  /** Resolves with the end of the connection. */
  readonly lost: Promise<unknown>;
}

/** Has every kind of request under way on a connection that is lost. */
async function converse(
  carriers: Carriers,
  frames: number,
  within: boolean,
): Promise<{ outcomes: unknown[]; frames: number }> {
  const { client, served, operations, lossy } = await carriers.next(frames, within);
  const stop = new AbortController();
  const asked = client.call("gate/wait", { gate: "never" }, { signal: stop.signal });
  asked.catch(() => {});
  const calls = [
    client.call("math/add", { a: 2, b: 3 }),
    client.call("math/slow", { turns: 3 }),
    values(client.subscribe("log/follow", { lines: 3 })),
    values(client.subscribe("log/follow", { lines: 1, fail: true })),
    first(client.subscribe("log/forever")),
    client.call("ask/back", null),
    Promise.race([operations.reached({ waiting: 1 }), lossy.lost]).then(() => stop.abort()).then(() => asked),
  ];
  const outcomes = await Promise.all(calls.map((call, at) => outcomeOf(call, at === 6 ? stop.signal : undefined)));
  client.close();
  await Promise.all([client.closed, served.closed]);
  deepEqual([client.counts, served.counts], [{ inbound: 0, outgoing: 0 }, { inbound: 0, outgoing: 0 }]);
  await operations.reached({ open: 0, waiting: 0 });
  return { outcomes, frames: lossy.frames };
}

async function outcomeOf(call: Promise<unknown>, aborted?: AbortSignal): Promise<unknown> {
  try {
    return await call;
  } catch (error) {
    if (aborted?.aborted && !(error instanceof CallError && error.message === "connection closed")) return "aborted";
    if (!(error instanceof CallError)) throw error;
    return error.code === "INTERNAL" ? `INTERNAL: ${error.message}` : error.code;
  }
}

/** The operations of the cases, and one that asks the caller. */
function registry(operations: CaseOperations, caller: () => CallSession): Registry {
  const back = operation({ name: "ask/back", type: "query", input: Type.Unknown(), output: Type.Unknown() });
  return nodeRegistry([...operations.registrations(), provide(back, () => caller().call("worker/status"))]);
}

function status(): { dispatcher: Dispatcher } {
  const asked = operation({ name: "worker/status", type: "query", input: Type.Unknown(), output: Type.String() });
  return { dispatcher: new Dispatcher({ registry: nodeRegistry([provide(asked, () => "asked")]) }) };
}

/** Two sessions over two connections. */
function sessions(near: Connection, far: Connection, frames: number, within: boolean): Ends {
  const operations = new CaseOperations();
  const lossy = new LossyConnection(near, frames, within);
  const served: CallConnection = new CallConnection(far, {
    dispatcher: new Dispatcher({ registry: registry(operations, () => served) }),
  });
  return { client: new CallConnection(lossy.connection, status()), served, operations, lossy };
}

async function values(subscription: AsyncIterable<JsonValue>): Promise<JsonValue[]> {
  const lines: JsonValue[] = [];
  for await (const value of subscription) lines.push((value as { line: number }).line);
  return lines;
}

async function first(subscription: AsyncIterable<JsonValue>): Promise<string> {
  for await (const _ of subscription) break;
  return "left";
}

/** A connection that is lost after so many frames in both directions, or in the middle of the one after. */
class LossyConnection implements Lossy {
  readonly connection: Connection;
  /** Frames that passed. */
  frames = 0;
  /** Resolves with the end of the connection. */
  readonly lost: Promise<unknown>;

  constructor(inner: Connection, after: number, within: boolean) {
    this.lost = inner.closed;
    const lose = () => inner.close(7, "lost");
    const count = (frame: Uint8Array): Uint8Array | undefined => {
      if (this.frames++ < after) return frame;
      queueMicrotask(lose);
      return within ? frame.subarray(0, frame.byteLength >> 1) : undefined;
    };
    const wrap = (stream: BidiStream): BidiStream => {
      const out = byFrame(count);
      out.readable.pipeTo(stream.writable).catch(() => {});
      const incoming = byFrame(count);
      stream.readable.pipeTo(incoming.writable).catch(() => {});
      const { id } = stream;
      const { reset, stop } = { reset: stream.reset.bind(stream), stop: stream.stop.bind(stream) };
      return { id, readable: incoming.readable, writable: out.writable, reset, stop };
    };
    this.connection = new Proxy(inner, {
      get(target, name) {
        if (name === "open") return async () => wrap(await target.open());
        if (name === Symbol.asyncIterator) {
          return async function* () {
            for await (const stream of target) yield wrap(stream);
          };
        }
        const value = Reflect.get(target, name);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  }
}

/** Cuts bytes into frames, whatever pieces they come in, and passes what is left of each. */
function byFrame(pass: (frame: Uint8Array) => Uint8Array | undefined): TransformStream<Uint8Array, Uint8Array> {
  let held = new Uint8Array();
  return new TransformStream({
    transform(chunk, controller) {
      const bytes = new Uint8Array(held.byteLength + chunk.byteLength);
      bytes.set(held);
      bytes.set(chunk, held.byteLength);
      held = bytes;
      while (held.byteLength >= 4) {
        const length = 4 + new DataView(held.buffer, held.byteOffset).getUint32(0);
        if (held.byteLength < length) return;
        const passed = pass(held.slice(0, length));
        held = held.slice(length);
        if (passed) controller.enqueue(passed);
      }
    },
  });
}

/** A WebSocket that is lost after so many messages in both directions; messages come whole or not at all. */
class LossySocket implements Lossy {
  frames = 0;
  readonly lost: Promise<unknown>;
  readonly socket: WebSocket;

  constructor(inner: WebSocket, after: number) {
    this.lost = new Promise((resolve) => inner.addEventListener("close", resolve));
    const passes = (): boolean => {
      if (this.frames++ < after) return true;
      queueMicrotask(() => inner.close());
      return false;
    };
    this.socket = new Proxy(inner, {
      get(target, name) {
        if (name === "send") return (data: Uint8Array<ArrayBuffer>) => void (passes() && target.send(data));
        const value = Reflect.get(target, name, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
      set(target, name, value) {
        const heard = name === "onmessage" && value !== null;
        return Reflect.set(target, name, heard ? (event: Event) => void (passes() && value(event)) : value, target);
      },
    });
  }
}

async function overWebSocket(): Promise<Carriers> {
  const operations = new CaseOperations();
  let served: CallSession;
  let arrived: (session: CallSession) => void;
  const dispatcher = new Dispatcher({ registry: registry(operations, () => served) });
  const handler = http({ dispatcher, onConnection: (peer) => arrived(peer as CallSession) });
  const node = await serveWebSocket(handler, operations);
  return {
    async next(frames) {
      const arrival = new Promise<CallSession>((resolve) => arrived = resolve);
      const lossy = new LossySocket(await openSocket(node.base, operations.tokens.nobody), frames);
      served = await arrival;
      return { client: new CallSession(carrierOf(lossy.socket), status()), served, operations, lossy };
    },
    [Symbol.asyncDispose]: () => node[Symbol.asyncDispose](),
  };
}

function overMemory(singleStream: boolean): Promise<Carriers> {
  const next = (frames: number, within: boolean): Promise<Ends> => {
    const [near, far] = memoryPair(CALL_ALPN, { singleStream });
    return Promise.resolve(sessions(near, far, frames, within));
  };
  return Promise.resolve({ next, [Symbol.asyncDispose]: () => Promise.resolve() });
}

async function overEndpoint(transport: "quic" | "tls"): Promise<Carriers> {
  let accepted = Promise.withResolvers<Connection>();
  const take = defineHandler({
    alpns: [CALL_ALPN],
    async handle(connection) {
      accepted.resolve(connection);
      await connection.closed;
    },
  });
  const endpoint = await router().use(take).listen({ ...listenOptions(transport), limits: ROOMY, drain: 0 });
  const key = NodeKey.generate();
  return {
    async next(frames, within) {
      accepted = Promise.withResolvers<Connection>();
      const near = await connect(addressOf(endpoint), CALL_ALPN, { transport, key });
      return sessions(near, await accepted.promise, frames, within);
    },
    [Symbol.asyncDispose]: () => endpoint.shutdown(),
  };
}

/** A node with the operations of the cases, in whose time nothing ends. */
interface FaultNode extends AsyncDisposable {
  readonly operations: CaseOperations;
  /** What a caller in another process is given. */
  readonly address: string;
  dial(): Promise<CallSession>;
}

async function startNode(transport: typeof TRANSPORTS[number]): Promise<FaultNode> {
  if (transport === "websocket") return await startWebSocketNode();
  const options = { ...listenOptions(transport), limits: { idleTimeout: 3000 } };
  const node = await startCallNode("", options, { timeout: PATIENCE });
  return {
    operations: node.operations,
    address: addressOf(node.endpoint),
    dial: () => dial(node.endpoint, transport),
    [Symbol.asyncDispose]: () => node[Symbol.asyncDispose](),
  };
}

async function startWebSocketNode(): Promise<FaultNode> {
  const operations = new CaseOperations();
  const dispatcher = operations.dispatcher({ timeout: PATIENCE });
  const served = await serveWebSocket(http({ dispatcher, onConnection: operations.connected }), operations);
  return {
    operations,
    address: served.base,
    dial: async () => new CallSession(carrierOf(await openSocket(served.base, operations.tokens.nobody))),
    [Symbol.asyncDispose]: () => served[Symbol.asyncDispose](),
  };
}

function serveWebSocket(handler: ReturnType<typeof http>, operations: CaseOperations): Promise<Served> {
  const way = HTTP_WAYS.find(({ name }) => name === "alknet/http (HTTP/1.1) over TLS")!;
  return way.serve(handler, operations.provider(""));
}

function carrierOf(socket: WebSocket): WebSocketCarrier {
  return new WebSocketCarrier(socket, {
    identity: { id: "node", scopes: [], resources: {} },
    maxMessage: 64 * 1024 * 1024,
  });
}

function listenOptions(transport: "quic" | "tls") {
  return { transports: [transport], quic: { engine: "in-process" } } as const;
}

function addressOf({ nodeId, addresses: [{ port }] }: Endpoint): string {
  return `${nodeId}@127.0.0.1:${port}`;
}

async function dial(endpoint: Endpoint, transport: "quic" | "tls"): Promise<CallConnection> {
  return new CallConnection(await connect(addressOf(endpoint), CALL_ALPN, { transport, key: NodeKey.generate() }));
}
