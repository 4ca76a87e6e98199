/**
 * The node's end of the bridge to an engine process: frames become connections' events, commands become frames.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import { AlknetError, type CloseInfo } from "../../../errors.ts";
import { answers } from "../connection/answers.ts";
import type { EndedEvent, RefusedEvent } from "../link/engine_config.ts";
import { type Frame, FrameReader, FrameWriter, jsonOf, Kind } from "../link/frames.ts";
import { DATAGRAM_BACKLOG, type PathStats, type SessionCommands, type SessionFacts } from "../link/link.ts";
import { QuicConnection } from "../connection/quic_connection.ts";
import { ringsOf, type RingWriter } from "../link/shared_ring.ts";

/** Characters of a reason that are worth sending to the engine. */
const MAX_REASON = 1000;

/** What the bridge reports. */
export interface BridgeEvents {
  /** The engine gave a sign of life: something came from it. */
  alive(): void;
  /** It says how many it refused since the last time, by reason. */
  counted(refused: Readonly<Record<string, number>>): void;
  /** The engine refused a newcomer or closed a connection for abuse. */
  refused(event: RefusedEvent): void;
  /** A connection whose handshake is complete. */
  opened(connection: QuicConnection): void;
  /** Any other frame of the engine as a whole. */
  control(frame: Frame): void;
}

/** One engine, as the node talks to it. */
export class Bridge {
  /** Resolves when the engine has gone. */
  readonly closed: Promise<void>;
  readonly #pipe: Deno.Conn;
  readonly #events: BridgeEvents;
  readonly #in = new FrameReader();
  readonly #out = new FrameWriter();
  readonly #connections = new Map<number, QuicConnection>();
  readonly #ring: RingWriter | undefined;
  #flushing = false;
  /** Bytes that were taken for the socket, which it has not all. */
  #leaving = 0;
  /** Whoever was given something has its turn. */
  #answering = false;
  #closed = false;
  #fault: unknown;

  /**
   * @param pipe The private socket.
   * @param events Who is told what.
   * @param shared Rings that the engine was offered; not touched once `closed` has resolved.
   */
  constructor(pipe: Deno.Conn, events: BridgeEvents, shared?: Uint8Array<ArrayBuffer>) {
    this.#pipe = pipe;
    this.#events = events;
    if (shared) {
      const rings = ringsOf(shared, "node");
      this.#in.ring = rings.in;
      this.#ring = rings.out;
    }
    this.closed = this.#read();
  }

  /** What went wrong on this side with what the engine said; then the engine is not to blame for the end. */
  get fault(): unknown {
    return this.#fault;
  }

  /** Sends a command to the engine as a whole. */
  command(kind: number, value: number, text: string): void {
    this.#out.write(kind, 0, 0, value, new TextEncoder().encode(text));
    this.#schedule();
  }

  /** Ends every connection: the engine that had them is gone. */
  end(info: CloseInfo): void {
    for (const connection of this.#connections.values()) connection.ended(info);
    this.#connections.clear();
  }

  /** Sends a frame of one connection. */
  send(kind: number, connection: number, stream: number, value: number, payload?: Uint8Array, flag?: boolean): void {
    this.#out.write(kind, connection, stream, value, payload, flag);
    this.#schedule();
  }

  /** Sends a datagram message, or drops it where the engine does not keep up. */
  sendDatagram(connection: number, message: Uint8Array): void {
    if (this.#out.length + this.#leaving <= DATAGRAM_BACKLOG) this.send(Kind.SEND_DATAGRAM, connection, 0, 0, message);
  }

  /** Closes the socket, at which the engine ends. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#out.ring = undefined;
    this.#pipe.close();
  }

  async #read(): Promise<void> {
    try {
      while (true) {
        const { bytes, start, length } = this.#in.room();
        const count = await this.#pipe.read(bytes.subarray(start, start + length));
        if (count === null) break;
        this.#events.alive();
        this.#answering = true;
        if (!this.#take(count)) break;
        await answers();
        this.#answering = false;
        if (this.#out.length > 0) this.#leave();
      }
    } catch { /* closed by us, or the engine has died: both are the end */ }
    this.close();
    this.#in.ring = undefined;
  }

  /** Passes on what has come. Returns false when that went wrong on this side: then the frames have no meaning any more. */
  #take(count: number): boolean {
    try {
      this.#in.advance(count, (frame) => this.#dispatch(frame));
      return true;
    } catch (error) {
      this.#fault = error;
      return false;
    }
  }

  #dispatch(frame: Frame): void {
    if (frame.kind === Kind.HEARTBEAT) {
      if (frame.payload.byteLength > 0) this.#events.counted(jsonOf<Record<string, number>>(frame.payload));
      return;
    }
    if (frame.kind === Kind.REFUSED) return this.#events.refused(jsonOf<RefusedEvent>(frame.payload));
    if (frame.kind === Kind.OPENED) return this.#opened(frame);
    if (frame.kind === Kind.SHARING) return this.#share();
    if (frame.connection === 0) return this.#events.control(frame);
    const connection = this.#connections.get(frame.connection);
    if (connection) this.#deliver(connection, frame);
  }

  #share(): void {
    if (!this.#closed) this.#out.ring = this.#ring;
  }

  #opened({ connection: id, value, payload }: Frame): void {
    const facts = jsonOf<Omit<SessionFacts, "certificate">>(payload.subarray(0, value));
    const certificate = payload.byteLength > value ? payload.slice(value) : undefined;
    const commands = new FramedCommands(this, id, () => this.#connections.delete(id));
    const connection = new QuicConnection({ ...facts, certificate }, commands);
    this.#connections.set(id, connection);
    this.#events.opened(connection);
  }

  #deliver(connection: QuicConnection, frame: Frame): void {
    const { stream, value, payload } = frame;
    switch (frame.kind) {
      case Kind.DATA:
        return connection.data(stream, payload, frame.flag);
      case Kind.PEER_RESET:
        return connection.peerReset(stream, value);
      case Kind.PEER_STOPPED:
        return connection.peerStopped(stream, value);
      case Kind.GRANT:
        return connection.grant(stream, value);
      case Kind.STREAM_LIMIT:
        return connection.streamLimit(stream, value);
      case Kind.DATAGRAM:
        return connection.datagram(payload);
      case Kind.PATH:
        return connection.path(jsonOf<PathStats>(payload));
      case Kind.ENDED:
        this.#connections.delete(frame.connection);
        return connection.ended(closeInfo(jsonOf<EndedEvent>(payload)));
    }
  }

  /** Commands of one turn of the event loop leave in one write: data and the end of a stream, above all. */
  #schedule(): void {
    if (this.#flushing || this.#answering || this.#closed) return;
    this.#flushing = true;
    setImmediate(() => this.#flush());
  }

  /** At once, unless a flush is under way, which takes this along. */
  #leave(): void {
    if (this.#flushing || this.#closed) return;
    this.#flushing = true;
    this.#flush();
  }

  async #flush(): Promise<void> {
    try {
      while (this.#out.length > 0) {
        const bytes = this.#out.take();
        this.#leaving = bytes.byteLength;
        for (let at = 0; at < bytes.byteLength;) at += await this.#pipe.write(bytes.subarray(at));
        this.#out.giveBack(bytes);
        this.#leaving = 0;
      }
    } catch { /* the engine has gone, which the reader notices */ }
    this.#flushing = false;
  }
}

/** Commands of one connection, as frames. */
class FramedCommands implements SessionCommands {
  readonly #bridge: Bridge;
  readonly #id: number;
  readonly #over: () => void;

  constructor(bridge: Bridge, id: number, over: () => void) {
    this.#bridge = bridge;
    this.#id = id;
    this.#over = over;
  }

  open(stream: number): void {
    this.#bridge.send(Kind.OPEN, this.#id, stream, 0);
  }

  send(stream: number, bytes: Uint8Array, fin: boolean): void {
    this.#bridge.send(Kind.SEND, this.#id, stream, 0, bytes, fin);
  }

  consumed(stream: number, bytes: number): void {
    this.#bridge.send(Kind.CONSUMED, this.#id, stream, bytes);
  }

  reset(stream: number, code: number): void {
    this.#bridge.send(Kind.RESET, this.#id, stream, code);
  }

  stop(stream: number, code: number): void {
    this.#bridge.send(Kind.STOP, this.#id, stream, code);
  }

  sendDatagram(message: Uint8Array): void {
    this.#bridge.sendDatagram(this.#id, message);
  }

  trust(): void {
    this.#bridge.send(Kind.TRUST, this.#id, 0, 0);
  }

  close(code: number, reason: string): void {
    // Longer than any packet takes; the engine cuts it to measure.
    this.#bridge.send(Kind.CLOSE, this.#id, 0, code, new TextEncoder().encode(reason.slice(0, MAX_REASON)));
    this.#over();
  }

  finish(): void {
    this.#bridge.send(Kind.FINISH, this.#id, 0, 0);
  }
}

function closeInfo({ error, ...rest }: EndedEvent): CloseInfo {
  return error ? { ...rest, error: new AlknetError(error.code, error.message) } : rest;
}
