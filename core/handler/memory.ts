/**
 * Connections without a network: for tests of handlers and for composition within a process.
 *
 * @module
 */
import { AlknetError, ConnectionClosedError, StreamClosedError } from "../errors.ts";
import type { Peer } from "../identity/identity.ts";
import { type Connection, type ConnectionLink, type ConnectionStats, LinkedConnection } from "./connection.ts";
import { ReceiveHalf, SendHalf } from "./halves.ts";
import type { BidiStream, ReceiveStream, SendStream } from "./stream.ts";

/** Options of {@linkcode memoryPair}. */
export interface MemoryPairOptions {
  /** Whether the pair behaves like a single-stream transport (TCP and TLS). Default `false`: like QUIC. */
  readonly singleStream?: boolean;
  /** What the accepting side is told about the dialling one. Default: nothing. */
  readonly client?: Peer;
  /** What the dialling side is told about the accepting one. Default: nothing. */
  readonly server?: Peer;
  /** Bytes that a direction of a stream holds before its writer waits. Default 256 KiB. */
  readonly window?: number;
}

/**
 * Two linked connections; the first is the dialling side.
 *
 * @example
 * ```ts
 * import { memoryPair } from "@alknet/core/handler";
 *
 * const [client, server] = memoryPair("alknet/echo");
 * const stream = await client.open();
 * server.close(5, "bye");
 * const { code } = await client.closed;
 * console.assert(code === 5 && stream.id === 0);
 * ```
 */
export function memoryPair(alpn: string, options: MemoryPairOptions = {}): [client: Connection, server: Connection] {
  const { singleStream = false, client = {}, server = {}, window = 256 * 1024 } = options;
  const dialling = new MemoryLink(0, singleStream, window);
  const accepting = new MemoryLink(1, singleStream, window);
  const facts = {
    alpn,
    remoteAddress: { hostname: "127.0.0.1", port: 0 },
    transport: "memory" as const,
    dialled: true,
  };
  const near = new LinkedConnection({ ...facts, peer: server }, dialling);
  const far = new LinkedConnection({ ...facts, peer: client }, accepting);
  dialling.join(near, accepting);
  accepting.join(far, dialling);
  return [near, far];
}

type Direction = { send: SendHalf; receive: ReceiveHalf };

class MemoryLink implements ConnectionLink {
  readonly #side: 0 | 1;
  readonly #singleStream: boolean;
  readonly #window: number;
  readonly #halves = new Set<SendHalf | ReceiveHalf>();
  #connection!: LinkedConnection;
  #far!: MemoryLink;
  #opened = 0;
  #openedSend = 0;
  #sent = 0;
  #received = 0;

  constructor(side: 0 | 1, singleStream: boolean, window: number) {
    this.#side = side;
    this.#singleStream = singleStream;
    this.#window = window;
  }

  join(connection: LinkedConnection, far: MemoryLink): void {
    this.#connection = connection;
    this.#far = far;
  }

  open(): Promise<BidiStream> {
    if (this.#singleStream && (this.#side === 1 || this.#opened > 0)) return Promise.reject(unavailable());
    const id = this.#opened++ * 4 + this.#side;
    const out = this.#direction(this.#far);
    const back = this.#far.#direction(this);
    this.#far.#connection.incoming(bidi(id, back.send, out.receive));
    return Promise.resolve(bidi(id, out.send, back.receive));
  }

  openSend(): Promise<SendStream> {
    if (this.#singleStream) return Promise.reject(unavailable());
    const id = this.#openedSend++ * 4 + 2 + this.#side;
    const { send, receive } = this.#direction(this.#far);
    this.#far.#connection.incomingReceive(receiveStream(id, receive));
    return Promise.resolve(sendStream(id, send));
  }

  close(code: number, reason: string): void {
    this.#fail(new ConnectionClosedError({ by: "local", code, reason }));
    this.#far.#peerClosed(code, reason);
  }

  async finish(): Promise<void> {
    await Promise.all([...this.#halves].map((half) => half instanceof SendHalf ? half.finish() : undefined));
    this.#far.#peerClosed(0, "");
    this.#fail(new ConnectionClosedError({ by: "local", code: 0, reason: "" }));
  }

  stats(): ConnectionStats {
    return { bytesSent: this.#sent, bytesReceived: this.#received };
  }

  /** One direction of a stream, from this side to `far`. */
  #direction(far: MemoryLink): Direction {
    const receive: ReceiveHalf = new ReceiveHalf({
      consumed: (bytes) => send.grant(bytes),
      stop: (code) => {
        if (this.#singleStream) return far.#cut("stopped");
        this.#ended(send);
        send.fail(new StreamClosedError("peer", "stop", code));
      },
    });
    const send: SendHalf = new SendHalf({
      send: (bytes, fin) => {
        this.#sent += bytes.byteLength;
        far.#received += bytes.byteLength;
        receive.push(bytes, fin);
        if (fin) this.#ended(send);
      },
      reset: (code) => {
        if (this.#singleStream) return this.#cut("reset");
        this.#ended(send);
        receive.fail(new StreamClosedError("peer", "reset", code));
      },
    }, this.#window);
    this.#halves.add(send);
    far.#halves.add(receive);
    return { send, receive };
  }

  #ended(send: SendHalf): void {
    this.#halves.delete(send);
    for (const half of this.#far.#halves) if (half.done) this.#far.#halves.delete(half);
    if (!this.#singleStream || this.#halves.size > 0 || this.#far.#halves.size > 0) return;
    this.#connection.ended({ by: "peer" });
    this.#far.#connection.ended({ by: "peer" });
  }

  /** A single stream has no codes and no other stream to go on: cutting it ends the connection (core.md §6.1). */
  #cut(how: string): void {
    const info = { by: "local" as const, reason: `stream ${how}` };
    this.#fail(new ConnectionClosedError(info));
    this.#connection.ended(info);
    this.#far.#peerClosed(0, "");
  }

  #peerClosed(code: number, reason: string): void {
    const info = this.#singleStream ? { by: "peer" as const } : { by: "peer" as const, code, reason };
    this.#fail(new ConnectionClosedError(info));
    this.#connection.ended(info);
  }

  #fail(error: AlknetError): void {
    for (const half of this.#halves) half.fail(error);
    this.#halves.clear();
  }
}

/** A bidirectional stream of two halves. */
export function bidi(id: number, send: SendHalf, receive: ReceiveHalf): BidiStream {
  return {
    id,
    get readable() {
      return receive.readable;
    },
    get writable() {
      return send.writable;
    },
    reset: (code) => send.reset(code),
    stop: (code) => receive.stop(code),
  };
}

/** A stream of a receiving half. */
export function receiveStream(id: number, receive: ReceiveHalf): ReceiveStream {
  return {
    id,
    get readable() {
      return receive.readable;
    },
    stop: (code) => receive.stop(code),
  };
}

/** A stream of a sending half. */
export function sendStream(id: number, send: SendHalf): SendStream {
  return {
    id,
    get writable() {
      return send.writable;
    },
    reset: (code) => send.reset(code),
  };
}

function unavailable(): AlknetError {
  return new AlknetError(
    "STREAM_UNAVAILABLE",
    "this connection carries one stream, which the dialling side opens first",
  );
}
