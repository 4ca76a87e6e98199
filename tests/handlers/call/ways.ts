/**
 * Every way in which calls reach a node, and clients that write the wire themselves.
 *
 * @module
 */
// Loaded with the module: a library opened within a test would count as that test's leak.
import "../../../core/transports/quic/quic.ts";
import "../../../core/transports/quic/linux/call_table.ts";
import { type BidiStream, type Connection, type Identity, memoryPair } from "@alknet/core/handler";
import { NodeKey } from "@alknet/core/identity";
import type { Clock, JsonObject, JsonValue } from "@alknet/core/operations";
import { call, CallConnection, type CallConnectionOptions, CallSession } from "@alknet/handlers/call";
import { http } from "@alknet/handlers/http";
import { encodeFrame, FrameDecoder } from "../../../handlers/call/frames/frames.ts";
import { WebSocketCarrier } from "../../../handlers/http/websocket/websocket_carrier.ts";
import { CaseOperations, startCallNode } from "../../interop/call_node.ts";
import { contextOf } from "../context.ts";
import { OPEN_LIMITS, WAYS as HTTP_WAYS } from "../http/fronts.ts";

/** A connection to a node with the operations of the cases. */
export interface Reached extends AsyncDisposable {
  /** The dialling end, where it has streams. */
  readonly connection: Connection | undefined;
  /** What the node offers, and what it did. */
  readonly operations: CaseOperations;
  /** Tokens by name. */
  readonly tokens: Readonly<Record<string, string>>;
  /** Who the node takes the client for. */
  readonly identity: Identity | undefined;
  /** Opens a stream to write on; where there is one, it is opened once. */
  wire(): Promise<Wire>;
  /** Our own implementation at the dialling end, in the place of a wire. */
  session(options?: CallConnectionOptions): CallSession;
  /** Ends the connection without a word. */
  lose(): void;
  /** Resolves when the connection has ended, seen from the dialling end. */
  readonly ended: Promise<unknown>;
}

/** Options of {@linkcode Way.reach}. */
export interface ReachOptions {
  /** Whether the node knows the client: as `peer`, with scope `a`. */
  readonly known?: boolean;
  /** Requests of a connection that the node takes at once. */
  readonly maxRequests?: number;
  /** The node's clock. */
  readonly clock?: Clock;
  /** Milliseconds that a query may take. */
  readonly timeout?: number;
  /** Streams that the node grants at a time. */
  readonly streams?: number;
}

/** A way. */
export interface Way {
  /** For titles. */
  readonly name: string;
  /** Whether there is one stream alone. */
  readonly single: boolean;
  /** Whether it carries frames: others carry messages. */
  readonly framed: boolean;
  /** Connects to a node of its own. */
  reach(options?: ReachOptions): Promise<Reached>;
}

/** The ways with streams. */
export const STREAM_WAYS: readonly Way[] = [
  { name: "memory", single: false, framed: true, reach: (options) => reachMemory(false, options) },
  { name: "memory, one stream", single: true, framed: true, reach: (options) => reachMemory(true, options) },
  { name: "QUIC", single: false, framed: true, reach: (options) => reachNode("quic", options) },
  { name: "TLS", single: true, framed: true, reach: (options) => reachNode("tls", options) },
];

/** All ways. */
export const WAYS: readonly Way[] = [
  ...STREAM_WAYS,
  { name: "WebSocket", single: true, framed: false, reach: reachWebSocket },
];

const PEER: Identity = { id: "peer", scopes: ["a"], resources: {} };

function reachMemory(singleStream: boolean, options: ReachOptions = {}): Promise<Reached> {
  const { known, maxRequests, clock, timeout } = options;
  const operations = new CaseOperations();
  const [near, far] = memoryPair("alknet/call", { singleStream });
  if (known) far.identity = PEER;
  const stop = new AbortController();
  const handler = call(operations.dispatcher({ clock, timeout }), { maxRequests, onConnection: operations.connected });
  const context = { ...contextOf(stop.signal), identityProvider: operations.provider("none") };
  const served = Promise.resolve(handler.handle(far, context));
  return Promise.resolve(reachedOver(near, operations, known, async () => {
    near.close();
    await served;
  }));
}

async function reachNode(transport: "quic" | "tls", options: ReachOptions = {}): Promise<Reached> {
  const { known, streams, ...rest } = options;
  const key = NodeKey.generate();
  const node = await startCallNode(known ? key.fingerprint : "none", {
    transports: [transport],
    limits: { ...OPEN_LIMITS, ...(streams !== undefined && { maxStreamsBidi: streams }) },
    quic: { engine: "in-process" },
  }, rest);
  const [{ hostname, port }] = node.endpoint.addresses;
  const connection = await node.endpoint.connect(`${node.endpoint.nodeId}@${hostname}:${port}`, "alknet/call", {
    transport,
    key,
  });
  return reachedOver(connection, node.operations, known, async () => {
    connection.close();
    await connection[Symbol.asyncDispose]();
    await node[Symbol.asyncDispose]();
  });
}

function reachedOver(
  connection: Connection,
  operations: CaseOperations,
  known: boolean | undefined,
  dispose: () => Promise<void>,
): Reached {
  return {
    connection,
    operations,
    tokens: operations.tokens,
    identity: known ? PEER : undefined,
    wire: async () => new StreamWire(await connection.open()),
    session: (options) => new CallConnection(connection, options),
    lose: () => connection.close(),
    ended: connection.closed,
    [Symbol.asyncDispose]: dispose,
  };
}

async function reachWebSocket(options: ReachOptions = {}): Promise<Reached> {
  const { known, maxRequests, clock, timeout } = options;
  const operations = new CaseOperations();
  const way = HTTP_WAYS.find(({ name }) => name === "alknet/http (HTTP/1.1) over TLS")!;
  const handler = http({
    dispatcher: operations.dispatcher({ clock, timeout }),
    onConnection: operations.connected,
    ...(maxRequests !== undefined && { limits: { calls: maxRequests } }),
  });
  const served = await way.serve(handler, operations.provider("none"));
  const name = known ? "peer" : "nobody";
  const socket = await openSocket(served.base, operations.tokens[name]);
  const ended = new Promise((resolve) => socket.addEventListener("close", resolve));
  const wire = new SocketWire(socket);
  const identity = known ? PEER : { id: name, scopes: [], resources: {} };
  return {
    connection: undefined,
    operations,
    tokens: operations.tokens,
    identity,
    wire: () => Promise.resolve(wire),
    session: (options) => new CallSession(new WebSocketCarrier(socket, { identity, maxMessage: 2 ** 26 }), options),
    lose: () => socket.close(),
    ended,
    async [Symbol.asyncDispose]() {
      socket.close();
      await ended;
      await Promise.all([...operations.peers].map(({ closed }) => closed));
      await served[Symbol.asyncDispose]();
    },
  };
}

/** A WebSocket to the calls of a node, open. */
export async function openSocket(base: string, token: string): Promise<WebSocket> {
  const headers = { authorization: `Bearer ${token}` };
  const socket = new WebSocket(base.replace("http", "ws") + "/alknet/call", { headers, protocols: ["alknet.call"] });
  socket.binaryType = "arraybuffer";
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = () => reject(new Error("the upgrade was refused"));
  });
  socket.onerror = () => {};
  return socket;
}

/** An envelope as it came. */
export interface Answer {
  readonly type: string;
  readonly id: string;
  readonly payload: JsonObject;
}

/** What envelopes are written on and read from, one by one. */
export abstract class Wire {
  /** Sends an envelope as text. */
  abstract json(text: string): Promise<void>;
  /** The next envelope; nothing when the stream has ended or was cut. */
  abstract next(): Promise<Answer | undefined>;

  /** Sends an envelope. */
  send(type: string, id: string, payload: JsonValue = {}, more: JsonObject = {}): Promise<void> {
    return this.json(JSON.stringify({ type, id, payload, ...more }));
  }

  /** Asks. */
  ask(id: string, operationId: string, input?: JsonValue, more: JsonObject = {}): Promise<void> {
    return this.send("call.requested", id, { operationId, ...(input !== undefined && { input }), ...more });
  }

  /** Asks, and takes the next envelope for the answer. */
  async call(id: string, operationId: string, input?: JsonValue, more?: JsonObject): Promise<Answer | undefined> {
    await this.ask(id, operationId, input, more);
    return await this.next();
  }
}

/** One stream, written and read frame by frame. */
export class StreamWire extends Wire {
  readonly stream: BidiStream;
  readonly writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #decoder = new FrameDecoder();

  /** @param stream A stream that was just opened. */
  constructor(stream: BidiStream) {
    super();
    this.stream = stream;
    this.writer = stream.writable.getWriter();
    this.#reader = stream.readable.getReader();
  }

  /** Sends bytes as they are. */
  async bytes(bytes: Uint8Array): Promise<void> {
    await this.writer.write(bytes);
  }

  async json(text: string): Promise<void> {
    await this.writer.write(encodeFrame(text));
  }

  async next(): Promise<Answer | undefined> {
    while (true) {
      const frame = this.#decoder.next();
      if (frame) return frame.envelope as Answer;
      const read = await this.#reader.read().catch(() => undefined);
      if (!read || read.done) return undefined;
      this.#decoder.push(read.value);
    }
  }
}

/** A WebSocket, written and read message by message. */
class SocketWire extends Wire {
  readonly #socket: WebSocket;
  readonly #received: Answer[] = [];
  #taken = 0;
  #waiting: (() => void) | undefined;
  #ended = false;

  constructor(socket: WebSocket) {
    super();
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      this.#received.push(JSON.parse(new TextDecoder().decode(data)));
      this.#waiting?.();
    };
    socket.addEventListener("close", () => {
      this.#ended = true;
      this.#waiting?.();
    });
  }

  json(text: string): Promise<void> {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(new TextEncoder().encode(text));
    return Promise.resolve();
  }

  async next(): Promise<Answer | undefined> {
    while (this.#taken === this.#received.length && !this.#ended) {
      await new Promise<void>((resolve) => this.#waiting = resolve);
    }
    return this.#received[this.#taken++];
  }
}
