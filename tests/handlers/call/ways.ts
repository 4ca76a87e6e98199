/**
 * Every way in which calls reach the handler, and a client that writes the wire itself.
 *
 * @module
 */
// Loaded with the module: a library opened within a test would count as that test's leak.
import "../../../core/transports/quic/quic.ts";
import "../../../core/transports/quic/engine/libc.ts";
import { type BidiStream, type Connection, memoryPair } from "@alknet/core/handler";
import { NodeKey } from "@alknet/core/identity";
import { call, Dispatcher, type JsonObject, type JsonValue, Registry } from "@alknet/handlers/call";
import { encodeFrame, FrameDecoder } from "../../../handlers/call/frames.ts";
import { CaseOperations, startCallNode } from "../../interop/call_node.ts";
import { OPEN_LIMITS } from "../http/fronts.ts";
import { contextOf } from "../context.ts";

/** A connection to a node with the operations of the cases. */
export interface Reached extends AsyncDisposable {
  /** The dialling end. */
  readonly connection: Connection;
  /** What the node offers, and what it did. */
  readonly operations: CaseOperations;
  /** Tokens by name. */
  readonly tokens: Readonly<Record<string, string>>;
}

/** A way. */
export interface Way {
  /** For titles. */
  readonly name: string;
  /** Whether there is one stream alone. */
  readonly single: boolean;
  /** Connects to a node of its own; the node knows the client as `peer`, if it shows its key. */
  reach(known?: boolean): Promise<Reached>;
}

/** The ways. */
export const WAYS: readonly Way[] = [
  { name: "memory", single: false, reach: (known) => reachMemory(false, known) },
  { name: "memory, one stream", single: true, reach: (known) => reachMemory(true, known) },
  { name: "QUIC", single: false, reach: (known) => reachNode("quic", known) },
  { name: "TLS", single: true, reach: (known) => reachNode("tls", known) },
];

function reachMemory(singleStream: boolean, known = false): Promise<Reached> {
  const operations = new CaseOperations();
  const [near, far] = memoryPair("alknet/call", { singleStream });
  if (known) far.identity = { id: "peer", scopes: ["a"], resources: {} };
  const stop = new AbortController();
  const handler = call(new Dispatcher({ registry: new Registry(operations.registrations()) }), {
    onConnection: (peer) => operations.peers.add(peer),
  });
  const served = Promise.resolve(
    handler.handle(far, { ...contextOf(stop.signal), identityProvider: operations.provider("none") }),
  );
  return Promise.resolve({
    connection: near,
    operations,
    tokens: operations.tokens,
    async [Symbol.asyncDispose]() {
      near.close();
      await served;
    },
  });
}

async function reachNode(transport: "quic" | "tls", known = false): Promise<Reached> {
  const key = NodeKey.generate();
  const node = await startCallNode(known ? key.fingerprint : "none", {
    transports: [transport],
    limits: OPEN_LIMITS,
    quic: { engine: "in-process" },
  });
  const [{ hostname, port }] = node.endpoint.addresses;
  const connection = await node.endpoint.connect(`${node.endpoint.nodeId}@${hostname}:${port}`, "alknet/call", {
    transport,
    key,
  });
  return {
    connection,
    operations: node.operations,
    tokens: node.tokens,
    async [Symbol.asyncDispose]() {
      connection.close();
      await connection[Symbol.asyncDispose]();
      await node[Symbol.asyncDispose]();
    },
  };
}

/** An envelope as it came. */
export interface Answer {
  readonly type: string;
  readonly id: string;
  readonly payload: JsonObject;
}

/** One stream, written and read frame by frame. */
export class Wire {
  readonly stream: BidiStream;
  readonly writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #decoder = new FrameDecoder();

  /** @param stream A stream that was just opened. */
  constructor(stream: BidiStream) {
    this.stream = stream;
    this.writer = stream.writable.getWriter();
    this.#reader = stream.readable.getReader();
  }

  /** Sends bytes as they are. */
  async bytes(...bytes: readonly (number | Uint8Array)[]): Promise<void> {
    for (const part of bytes) await this.writer.write(typeof part === "number" ? new Uint8Array([part]) : part);
  }

  /** Sends an envelope. */
  async send(type: string, id: string, payload: JsonValue = {}, more: JsonObject = {}): Promise<void> {
    await this.writer.write(encodeFrame(JSON.stringify({ type, id, payload, ...more })));
  }

  /** Asks. */
  async ask(id: string, operationId: string, input?: JsonValue, more: JsonObject = {}): Promise<void> {
    await this.send("call.requested", id, { operationId, ...(input !== undefined && { input }), ...more });
  }

  /** The next envelope; nothing when the stream has ended or was cut. */
  async next(): Promise<Answer | undefined> {
    while (true) {
      const frame = this.#decoder.next();
      if (frame) return frame.envelope as Answer;
      const read = await this.#reader.read().catch(() => undefined);
      if (!read || read.done) return undefined;
      this.#decoder.push(read.value);
    }
  }

  /** Asks, and takes the next envelope for the answer. */
  async call(id: string, operationId: string, input?: JsonValue, more?: JsonObject): Promise<Answer | undefined> {
    await this.ask(id, operationId, input, more);
    return await this.next();
  }
}

/** A stream of a connection. */
export async function wireOf(connection: Connection): Promise<Wire> {
  return new Wire(await connection.open());
}
