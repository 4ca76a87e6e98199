/**
 * A QUIC connection as handlers see it, over whichever engine drives it.
 *
 * @module
 */
import { type CloseInfo, ConnectionClosedError, StreamClosedError } from "../../../errors.ts";
import {
  type ConnectionLink,
  type ConnectionStats,
  type Datagrams,
  LinkedConnection,
} from "../../../handler/connection.ts";
import { ReceiveHalf, SendHalf } from "../../../handler/halves.ts";
import { STRANGER_BYTES } from "../../../handler/holdings.ts";
import { bidi, receiveStream, sendStream } from "../../../handler/memory.ts";
import type { BidiStream, SendStream } from "../../../handler/stream.ts";
import { fingerprintOf } from "../../../identity/fingerprint.ts";
import {
  CREDIT_STEP,
  NO_STREAM,
  type PathStats,
  type SessionCommands,
  type SessionEvents,
  type SessionFacts,
  STREAM_COST,
  STREAM_CREDIT,
} from "../link/link.ts";
import { SeenStreams } from "./seen_streams.ts";
import { StallWatch } from "./stall_watch.ts";

interface StreamHalves {
  readonly send?: SendHalf;
  readonly receive?: ReceiveHalf;
  /** Bytes the reader took and the engine was not told of yet. */
  owed: number;
}

/** What all streams together may owe; each alone owes less than a step, but there are many. */
const MAX_OWED = STRANGER_BYTES / 4;
/** Reset code of a stream that nobody reads, while others wait for the room that it takes; a hint for people. */
const CUT_FOR_OTHERS = 0x102;
/** Datagram messages kept for a reader that is late; what exceeds them is dropped (RFC 9221 §5). */
const DATAGRAM_QUEUE = 256;

/** Milliseconds without progress after which a peer is given up that does not read what a finished handler wrote. */
const STALLED = 30_000;

/** The node's side of one QUIC connection. */
export class QuicConnection implements SessionEvents, ConnectionLink {
  /** What handlers see. */
  readonly connection: LinkedConnection;
  readonly #commands: SessionCommands;
  readonly #dialled: boolean;
  readonly #streams = new Map<number, StreamHalves>();
  readonly #seen = new SeenStreams();
  readonly #datagrams: DatagramQueue | undefined;
  readonly #stalls = new StallWatch({
    stands: () => this.connection.accounts.sent.isContended,
    cut: () => this.#commands.reset(NO_STREAM, CUT_FOR_OTHERS),
  });
  readonly #opened = { bidi: 0, uni: 0 };
  readonly #limit = { bidi: 0, uni: 0 };
  readonly #ended = Promise.withResolvers<void>();
  #waiting: (() => void)[] = [];
  #owed = 0;
  #owedByStreams = 0;
  #sent = 0;
  #granted = 0;
  #received = 0;
  #path: PathStats | undefined;
  #over = false;
  readonly #release: () => Promise<void>;
  #released: Promise<void> | undefined;

  /**
   * @param facts What the handshake established.
   * @param commands The engine's side.
   * @param release Called once at the end, where something is held for this connection alone.
   */
  constructor(facts: SessionFacts, commands: SessionCommands, release: () => Promise<void> = () => Promise.resolve()) {
    this.#commands = commands;
    this.#release = release;
    this.#dialled = facts.dialled;
    if (facts.maxDatagram > 0) this.#datagrams = new DatagramQueue(facts.maxDatagram, commands);
    const { alpn, remoteAddress, dialled, certificate } = facts;
    const peer = certificate ? { certificate, fingerprint: fingerprintOf(certificate) } : {};
    this.connection = new LinkedConnection(
      { alpn, remoteAddress, dialled, peer, transport: "quic" },
      this,
      this.#datagrams,
    );
  }

  async open(): Promise<BidiStream> {
    const id = await this.#openId("bidi");
    const { send, receive } = this.#add(id, true, true);
    return bidi(id, send!, receive!);
  }

  async openSend(): Promise<SendStream> {
    const id = await this.#openId("uni");
    return sendStream(id, this.#add(id, true, false).send!);
  }

  close(code: number, reason: string): void {
    this.#commands.close(code, reason);
    this.#end({ by: "local", code, reason });
  }

  async finish(): Promise<void> {
    const written = Promise.all([...this.#streams.values()].map(({ send }) => send?.finish()));
    await this.#progressing(written);
    if (!this.#over) this.#commands.finish();
    await this.#ended.promise;
  }

  /** Waits for what was written to be taken, as long as the peer takes something of it now and then. */
  async #progressing(written: Promise<unknown>): Promise<void> {
    let granted = -1;
    const stalled = Promise.withResolvers<void>();
    const look = setInterval(() => {
      if (this.#granted === granted) stalled.resolve();
      granted = this.#granted;
    }, STALLED);
    await Promise.race([written, stalled.promise, this.#ended.promise]);
    clearInterval(look);
  }

  trust(): void {
    if (this.#over || this.#dialled) return;
    this.#commands.trust();
  }

  stats(): ConnectionStats {
    return { bytesSent: this.#sent, bytesReceived: this.#received, ...this.#path };
  }

  async released(): Promise<void> {
    await this.#released;
  }

  data(id: number, bytes: Uint8Array, fin: boolean): void {
    this.#received += bytes.byteLength;
    const stream = this.#streams.get(id) ?? this.#incoming(id);
    if (!stream) return this.#consumed(NO_STREAM, undefined, bytes.byteLength);
    if (stream.receive!.done) this.#consumed(id, stream, bytes.byteLength);
    else stream.receive!.push(bytes, fin);
    if (fin) this.#settle(id, stream);
  }

  peerReset(id: number, code: number): void {
    const stream = this.#streams.get(id) ?? this.#incoming(id);
    if (!stream) return;
    stream.receive?.fail(new StreamClosedError("peer", "reset", code));
    this.#settle(id, stream);
  }

  peerStopped(id: number, code: number): void {
    const stream = this.#streams.get(id);
    if (!stream) return;
    stream.send?.fail(new StreamClosedError("peer", "stop", code));
    this.#settle(id, stream);
  }

  grant(id: number, bytes: number): void {
    this.#granted += bytes;
    if (id === NO_STREAM) {
      this.connection.accounts.sent.give(bytes);
      return this.#stalls.moved();
    }
    this.#streams.get(id)?.send?.grant(bytes);
  }

  streamLimit(bidi: number, uni: number): void {
    this.#limit.bidi = bidi;
    this.#limit.uni = uni;
    this.#wake();
  }

  datagram(message: Uint8Array): void {
    this.#datagrams?.push(message);
  }

  path(stats: PathStats): void {
    this.#path = stats;
  }

  ended(info: CloseInfo): void {
    this.#end(info);
    this.connection.ended(info);
  }

  #end(info: CloseInfo): void {
    if (this.#over) return;
    this.#over = true;
    const error = new ConnectionClosedError(info);
    for (const { send, receive } of this.#streams.values()) {
      send?.fail(error);
      receive?.fail(error);
    }
    this.#streams.clear();
    this.#datagrams?.end();
    this.#stalls.end();
    this.#wake();
    this.#ended.resolve();
    this.#released = this.#release();
  }

  /** The id of our next stream (RFC 9000 §2.1), once the peer allows another. */
  async #openId(kind: "bidi" | "uni"): Promise<number> {
    while (this.#opened[kind] >= this.#limit[kind] && !this.#over) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    if (this.#over) throw new ConnectionClosedError(await this.connection.closed);
    const id = this.#opened[kind]++ * 4 + (kind === "uni" ? 2 : 0) + (this.#dialled ? 0 : 1);
    this.#commands.open(id);
    return id;
  }

  /** A stream that the peer opened and we see for the first time; nothing if we had it and it is over. */
  #incoming(id: number): StreamHalves | undefined {
    const oursBit = this.#dialled ? 0 : 1;
    if (this.#over || (id & 1) === oursBit || !this.#seen.begin(id)) return;
    const oneWay = (id & 2) !== 0;
    const stream = this.#add(id, !oneWay, true);
    const taken = () => this.#over ? undefined : this.#repay(STREAM_COST);
    if (oneWay) this.connection.incomingReceive(receiveStream(id, stream.receive!), taken);
    else this.connection.incoming(bidi(id, stream.send!, stream.receive!), taken);
    return stream;
  }

  #add(id: number, sends: boolean, receives: boolean): StreamHalves {
    const send = sends ? this.#sendHalf(id) : undefined;
    const receive = receives ? this.#receiveHalf(id) : undefined;
    const stream = { send, receive, owed: 0 };
    this.#streams.set(id, stream);
    return stream;
  }

  #sendHalf(id: number): SendHalf {
    return new SendHalf(
      {
        send: (bytes, fin) => {
          this.#sent += bytes.byteLength;
          this.#commands.send(id, bytes, fin);
          if (this.connection.accounts.sent.room <= 0) this.#stalls.watch();
          if (fin) this.#settleById(id);
        },
        reset: (code) => {
          this.#commands.reset(id, code);
          this.#settleById(id);
        },
      },
      STREAM_CREDIT,
      this.connection.accounts.sent,
    );
  }

  #receiveHalf(id: number): ReceiveHalf {
    return new ReceiveHalf({
      consumed: (bytes) => this.#consumed(id, this.#streams.get(id), bytes),
      stop: (code) => {
        this.#commands.stop(id, code);
        this.#settleById(id);
      },
    });
  }

  /** Saves up what readers took, and tells the engine in steps. */
  #consumed(id: number, stream: StreamHalves | undefined, bytes: number): void {
    if (this.#over) return;
    if (!stream || stream.receive?.done) return this.#repay(bytes);
    stream.owed += bytes;
    this.#owedByStreams += bytes;
    if (stream.owed >= CREDIT_STEP) this.#report(id, stream);
    if (this.#owedByStreams < MAX_OWED) return;
    for (const [id, stream] of this.#streams) this.#report(id, stream);
  }

  #report(id: number, stream: StreamHalves): void {
    if (stream.owed === 0) return;
    this.#commands.consumed(id, stream.owed);
    this.#owedByStreams -= stream.owed;
    stream.owed = 0;
  }

  #repay(bytes: number): void {
    this.#owed += bytes;
    if (this.#owed < CREDIT_STEP) return;
    this.#commands.consumed(NO_STREAM, this.#owed);
    this.#owed = 0;
  }

  #settleById(id: number): void {
    const stream = this.#streams.get(id);
    if (stream) this.#settle(id, stream);
  }

  /** Forgets a stream when both directions are over. */
  #settle(id: number, stream: StreamHalves): void {
    if (stream.receive && !stream.receive.done) return;
    this.#owedByStreams -= stream.owed;
    if (stream.owed > 0) this.#repay(stream.owed);
    stream.owed = 0;
    if (stream.send && !stream.send.done) return;
    this.#streams.delete(id);
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}

/** Datagram messages of one connection. */
class DatagramQueue implements Datagrams {
  readonly maxSize: number;
  readonly readable: ReadableStream<Uint8Array>;
  readonly #commands: SessionCommands;
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  /** Nobody reads any more; sending goes on. */
  #unread = false;
  #over = false;

  constructor(maxSize: number, commands: SessionCommands) {
    this.maxSize = maxSize;
    this.#commands = commands;
    this.readable = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
      },
      cancel: () => {
        this.#unread = true;
      },
    }, { highWaterMark: DATAGRAM_QUEUE });
  }

  send(message: Uint8Array): void {
    if (message.byteLength > this.maxSize) {
      throw new RangeError(`datagram of ${message.byteLength} bytes; at most ${this.maxSize} fit`);
    }
    if (!this.#over) this.#commands.sendDatagram(message);
  }

  push(message: Uint8Array): void {
    if (!this.#over && !this.#unread && this.#controller.desiredSize! > 0) this.#controller.enqueue(message.slice());
  }

  end(): void {
    if (!this.#over && !this.#unread) this.#controller.close();
    this.#over = true;
  }
}
