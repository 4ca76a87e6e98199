/**
 * DNS over QUIC (RFC 9250): one query a stream, which the client opens, and its answer on the same.
 *
 * @module
 */
import type { BidiStream, Connection, Logger } from "@alknet/core/handler";
import type { DnsCaller } from "../caller.ts";
import { encodeMessage } from "../codec/encode.ts";
import { EdnsCode } from "../codec/types.ts";
import { DoqCode } from "../codes.ts";
import type { Soon } from "../engine/engine.ts";
import { cut, isCancelled } from "./cut.ts";
import { Expiry } from "./expiry.ts";
import { framed, type FrontParts, HEADER, joined, optionOf, padOf, queryOrRefusal } from "./parts.ts";

/** Streams refused for load within {@linkcode LOAD_TIME} that end the connection. */
const MAX_REFUSED = 8;
/** Milliseconds. */
const LOAD_TIME = 10_000;

/** A peer that breaks the rules: its connection ends. */
class ProtocolError extends Error {}
/** More than is served: its stream ends. */
class LoadError extends Error {}

/** One connection. */
export class DoqSession {
  readonly #parts: FrontParts;
  readonly #caller: DnsCaller;
  readonly #connection: Connection;
  readonly #log: Logger;
  /** Streams that are not over, with what their peer is given time for. */
  readonly #open = new Expiry<BidiStream>((stream) => cut(stream, DoqCode.PROTOCOL));
  /** Streams whose answer is not written. */
  #unanswered = 0;
  readonly #drained = Promise.withResolvers<void>();
  #draining = false;
  /** When the last streams were refused for load. */
  #refused: number[] = [];

  /**
   * @param parts What the front is given.
   * @param caller Who asks.
   * @param connection Where the streams are.
   * @param log Told of what is our fault.
   */
  constructor(parts: FrontParts, caller: DnsCaller, connection: Connection, log: Logger) {
    this.#parts = parts;
    this.#caller = caller;
    this.#connection = connection;
    this.#log = log;
  }

  /**
   * Serves until the connection ends, or a drain has let what runs finish.
   *
   * @param signal Aborted when nothing new is to be read.
   */
  async serve(signal: AbortSignal): Promise<void> {
    const drain = (): void => this.#drain();
    if (signal.aborted) drain();
    signal.addEventListener("abort", drain, { once: true });
    try {
      // A stream of one direction ends the connection, and with it what is waited for here.
      await Promise.race([Promise.all([this.#accept(), this.#refuseOneWay()]), this.#drained.promise]);
    } finally {
      signal.removeEventListener("abort", drain);
      this.#open[Symbol.dispose]();
    }
  }

  #drain(): void {
    this.#draining = true;
    if (this.#unanswered === 0) this.#drained.resolve();
  }

  async #accept(): Promise<void> {
    for await (const stream of this.#connection) {
      if (this.#draining) cut(stream, DoqCode.NONE);
      else if (this.#open.size >= this.#parts.limits.inFlight) {
        this.#parts.rates.refuse(this.#caller, "in-flight");
        this.#refuse(stream);
      } else void this.#serve(stream);
    }
  }

  async #refuseOneWay(): Promise<void> {
    for await (const _ of this.#connection.receiveStreams) this.#misbehaved();
  }

  /** One stream to its end. Never rejects. */
  async #serve(stream: BidiStream): Promise<void> {
    this.#unanswered++;
    try {
      await this.#exchange(stream);
    } catch (error) {
      this.#failed(stream, error);
    } finally {
      this.#open.delete(stream);
    }
  }

  #failed(stream: BidiStream, error: unknown): void {
    if (error instanceof ProtocolError) return this.#misbehaved();
    if (error instanceof LoadError) return this.#refuse(stream);
    if (!isCancelled(error)) this.#log.error("a stream failed: {error}", { error: (error as Error).message });
    cut(stream, isCancelled(error) ? DoqCode.CANCELLED : DoqCode.INTERNAL);
  }

  async #exchange(stream: BidiStream): Promise<void> {
    const { frame, stalled } = this.#parts.limits;
    const writer = stream.writable.getWriter();
    const reader = stream.readable.getReader();
    const gone = new AbortController();
    try {
      this.#open.set(stream, frame);
      // Who wants no answer any more is not read from either, and what is asked of others for it is nobody's.
      writer.closed.catch((error) => {
        gone.abort(error);
        cut(stream, DoqCode.CANCELLED);
      });
      const asked = await this.#query(reader);
      this.#open.set(stream, stalled);
      const answer = await this.#answer(asked, gone.signal);
      this.#open.set(stream, stalled);
      await writer.write(framed([answer]));
      await writer.close();
    } finally {
      this.#unanswered--;
      if (this.#draining && this.#unanswered === 0) this.#drained.resolve();
    }
    this.#open.set(stream, frame);
    if (!(await reader.read()).done) throw new ProtocolError();
  }

  /** The message of a stream, once it is whole, without its length. */
  async #query(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<Uint8Array> {
    let bytes: Uint8Array = new Uint8Array(0);
    while (true) {
      const { done, value } = await reader.read();
      if (done) throw new ProtocolError();
      bytes = bytes.byteLength === 0 ? value : joined(bytes, value);
      if (bytes.byteLength < 2) continue;
      const length = bytes[0] << 8 | bytes[1];
      if (length > this.#parts.limits.query) throw new LoadError();
      if (length < HEADER || bytes.byteLength > 2 + length) throw new ProtocolError();
      if (bytes.byteLength < 2 + length) continue;
      if (!this.#parts.rates.query(this.#caller)) throw new LoadError();
      return bytes.subarray(2);
    }
  }

  #answer(bytes: Uint8Array, signal: AbortSignal): Soon<Uint8Array> {
    const query = queryOrRefusal(bytes);
    // RFC 9250 §4.2.1 and §5.5.2: ids are 0, and connections are QUIC's business.
    if (!query || query.id !== 0 || optionOf(query, EdnsCode.KEEPALIVE)) throw new ProtocolError();
    if (query.response) return encodeMessage(query);
    return this.#parts.engine.respond(query, this.#caller, { padTo: padOf(query), signal });
  }

  /** Refuses a stream; a peer that goes on so is refused whole. */
  #refuse(stream: BidiStream): void {
    cut(stream, DoqCode.LOAD);
    const now = performance.now();
    this.#refused = this.#refused.filter((at) => now - at < LOAD_TIME);
    if (this.#refused.push(now) >= MAX_REFUSED) this.#connection.close(DoqCode.LOAD, "load");
  }

  #misbehaved(): void {
    this.#parts.rates.refuse(this.#caller, "protocol");
    this.#connection.close(DoqCode.PROTOCOL, "protocol");
  }
}
