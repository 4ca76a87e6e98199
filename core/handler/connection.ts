/**
 * A connection as a handler sees it: the same over QUIC, over TCP and TLS, and in memory.
 *
 * @module
 */
import { AlknetError, type CloseInfo, ConnectionClosedError } from "../errors.ts";
import type { Identity, Peer } from "../identity/identity.ts";
import { checkedCode } from "./application_code.ts";
import type { Account } from "./account.ts";
import { type ConnectionAccounts, HOLDINGS } from "./holdings.ts";
import type { BidiStream, ReceiveStream, SendStream } from "./stream.ts";

/** Which transport carries a connection. */
export type TransportName = "quic" | "tls" | "memory";

/** An address of a socket. */
export interface SocketAddress {
  /** IPv4 or IPv6 address, without brackets. */
  readonly hostname: string;
  /** Port, 0 to 65535. */
  readonly port: number;
}

/** Counters of a connection. Fields that a transport cannot know are absent. */
export interface ConnectionStats {
  /** Payload bytes that streams received. */
  readonly bytesReceived: number;
  /** Payload bytes that streams sent. */
  readonly bytesSent: number;
  /** Smoothed round trip, in milliseconds. */
  readonly rtt?: number;
  /** Packets deemed lost. */
  readonly packetsLost?: number;
  /** Congestion window, in bytes. */
  readonly congestionWindow?: number;
}

/** Unreliable messages within a connection (RFC 9221); present where the transport has them. */
export interface Datagrams {
  /** Longest message that fits, in bytes. */
  readonly maxSize: number;
  /** Sends one message. It may be lost, and is dropped when the send queue is full. */
  send(message: Uint8Array): void;
  /** Messages of the peer. When nobody reads, the oldest waiting ones are kept and later ones dropped. */
  readonly readable: ReadableStream<Uint8Array>;
}

/** One peer, one ALPN, one handler. Iterating yields the streams that the peer opens, until the connection ends. */
export interface Connection extends AsyncIterable<BidiStream>, AsyncDisposable {
  /** Names the connection in logs; unique in this process. */
  readonly id: string;
  /** The protocol that TLS negotiated. */
  readonly alpn: string;
  /** What TLS proved about the other end. */
  readonly peer: Peer;
  /** Who the other end is, once someone resolved it. Written once; a second write throws `IDENTITY_ALREADY_SET`. */
  identity: Identity | undefined;
  /** Address of the other end, as validated when the connection began. */
  readonly remoteAddress: SocketAddress;
  /** What carries the connection. Handlers do not need it; logs and operators do. */
  readonly transport: TransportName;
  /**
   * What a handler keeps of what it was sent, in bytes, beside what is on its way: it holds them here, and waits while
   * others of that connection or address have all that they may (core.md §13).
   */
  readonly kept: Account;
  /** How it ended. Resolves, never rejects. */
  readonly closed: Promise<CloseInfo>;
  /** Unidirectional streams that the peer opens (QUIC and multi-stream memory pairs). */
  readonly receiveStreams: AsyncIterable<ReceiveStream>;
  /** Unreliable messages, where the transport has them. */
  readonly datagrams: Datagrams | undefined;
  /**
   * A new stream of ours; waits for the peer's credit.
   *
   * @throws {AlknetError} `STREAM_UNAVAILABLE` on a single-stream transport, but for the dialling side's first call.
   * @throws {ConnectionClosedError} The connection has ended.
   */
  open(): Promise<BidiStream>;
  /**
   * A new stream on which only we send.
   *
   * @throws {AlknetError} `STREAM_UNAVAILABLE` on a single-stream transport.
   * @throws {ConnectionClosedError} The connection has ended.
   */
  openSend(): Promise<SendStream>;
  /** Counters, as of now. */
  stats(): ConnectionStats;
  /**
   * Ends the connection at once. Code and reason reach the peer where the transport carries them. Twice is harmless.
   *
   * @throws {RangeError} The code is not a whole number from 0 to 2^53 - 1.
   */
  close(code?: number, reason?: string): void;
  /** Ends the connection with code 0 once the peer has what was written, or cannot be given it any more. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** What the connection asks of its transport. */
export interface ConnectionLink {
  /** Opens a bidirectional stream. */
  open(): Promise<BidiStream>;
  /** Opens a unidirectional stream. */
  openSend(): Promise<SendStream>;
  /** Closes at once. The transport answers with {@linkcode LinkedConnection.ended}. */
  close(code: number, reason: string): void;
  /** Delivers what was written, then closes with code 0. Resolves when the connection has ended. */
  finish(): Promise<void>;
  /** Counters, as of now. */
  stats(): ConnectionStats;
  /** The peer proved who it is: it may make us hold more (core.md §13). */
  trust?(): void;
  /** Resolves when what the transport held for the ended connection is released, where that takes time. */
  released?(): Promise<void>;
}

/** What a transport knows about a connection when it is established. */
export interface ConnectionFacts {
  /** The protocol negotiated. */
  readonly alpn: string;
  /** What TLS proved. */
  readonly peer: Peer;
  /** The validated address of the other end. */
  readonly remoteAddress: SocketAddress;
  /** What carries it. */
  readonly transport: TransportName;
  /** Whether this side dialled: then it chose whom to hold bytes for. */
  readonly dialled: boolean;
}

let connections = 0;

/** The one implementation of {@linkcode Connection}: transports differ in the link, and call `incoming` and `ended`. */
export class LinkedConnection implements Connection {
  readonly id: string = `c${++connections}`;
  readonly alpn: string;
  readonly peer: Peer;
  readonly remoteAddress: SocketAddress;
  readonly transport: TransportName;
  readonly accounts: ConnectionAccounts;
  readonly closed: Promise<CloseInfo>;
  readonly datagrams: Datagrams | undefined;
  readonly #link: ConnectionLink;
  readonly #resolveClosed: (info: CloseInfo) => void;
  readonly #streams = new Mailbox<BidiStream>();
  readonly #receiveStreams = new Mailbox<ReceiveStream>();
  #identity: Identity | undefined;
  #trusted = false;
  #info: CloseInfo | undefined;

  /**
   * @param facts What the handshake established.
   * @param link The transport's side.
   * @param datagrams Unreliable messages, where the transport has them.
   */
  constructor(facts: ConnectionFacts, link: ConnectionLink, datagrams?: Datagrams) {
    this.alpn = facts.alpn;
    this.peer = facts.peer;
    this.remoteAddress = facts.remoteAddress;
    this.transport = facts.transport;
    this.accounts = HOLDINGS.open(facts.remoteAddress.hostname, facts.dialled);
    this.datagrams = datagrams;
    this.#link = link;
    const { promise, resolve } = Promise.withResolvers<CloseInfo>();
    this.closed = promise;
    this.#resolveClosed = resolve;
  }

  get identity(): Identity | undefined {
    return this.#identity;
  }

  set identity(identity: Identity | undefined) {
    if (identity === undefined) throw new TypeError("an identity cannot be unset");
    if (this.#identity) {
      throw new AlknetError(
        "IDENTITY_ALREADY_SET",
        `connection ${this.id} already has an identity; it is written once`,
      );
    }
    this.#identity = Object.freeze({ ...identity });
    this.trust();
  }

  /** The peer proved who it is, by its key or by a credential within the protocol: it may make us hold more. */
  trust(): void {
    if (this.#trusted) return;
    this.#trusted = true;
    this.accounts.trust();
    this.#link.trust?.();
  }

  get kept(): Account {
    return this.accounts.kept;
  }

  get receiveStreams(): AsyncIterable<ReceiveStream> {
    return this.#receiveStreams;
  }

  /** How the connection ended, once it has. */
  get closeInfo(): CloseInfo | undefined {
    return this.#info;
  }

  // Async, so that an ended connection rejects rather than throws.
  async open(): Promise<BidiStream> {
    this.#assertOpen();
    return await this.#link.open();
  }

  async openSend(): Promise<SendStream> {
    this.#assertOpen();
    return await this.#link.openSend();
  }

  stats(): ConnectionStats {
    return this.#link.stats();
  }

  close(code = 0, reason = ""): void {
    checkedCode(code);
    if (this.#info) return;
    this.#link.close(code, reason);
    this.ended({ by: "local", code, reason });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#info) {
      await this.#link.finish();
      this.ended({ by: "local", code: 0, reason: "" });
    }
    await this.#link.released?.();
  }

  [Symbol.asyncIterator](): AsyncIterator<BidiStream> {
    return this.#streams[Symbol.asyncIterator]();
  }

  /**
   * The transport received a stream that the peer opened.
   *
   * @param taken Called once the handler has it, for a transport that bounds how many wait.
   */
  incoming(stream: BidiStream, taken?: () => void): void {
    this.#streams.put(stream, taken);
  }

  /** The transport received a unidirectional stream that the peer opened; as {@linkcode incoming}. */
  incomingReceive(stream: ReceiveStream, taken?: () => void): void {
    this.#receiveStreams.put(stream, taken);
  }

  /** The transport's connection has ended; the first call counts. */
  ended(info: CloseInfo): void {
    if (this.#info) return;
    this.#info = info;
    this.#streams.end();
    this.#receiveStreams.end();
    this.accounts.close();
    this.#resolveClosed(info);
  }

  #assertOpen(): void {
    if (this.#info) throw new ConnectionClosedError(this.#info);
  }
}

/** Values in order, for one consumer at a time, until the end. */
class Mailbox<T> implements AsyncIterable<T> {
  readonly #waiting: { readonly value: T; readonly taken?: () => void }[] = [];
  #ended = false;
  #wake?: () => void;

  put(value: T, taken?: () => void): void {
    this.#waiting.push({ value, taken });
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<T> {
    while (true) {
      for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) {
        next.taken?.();
        yield next.value;
      }
      if (this.#ended) return;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }
}
