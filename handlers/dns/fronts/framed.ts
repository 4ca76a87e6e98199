/**
 * Messages on a byte stream, each behind its length (RFC 1035 §4.2.2, RFC 7766): queries are answered as they come, and what
 * is ready in one turn of the event loop leaves in one write.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import type { DnsCaller } from "../caller.ts";
import { encodeMessage } from "../codec/encode.ts";
import { EdnsCode, type EdnsOption, Rcode } from "../codec/types.ts";
import { DoqCode } from "../codes.ts";
import type { Soon } from "../engine/engine.ts";
import { Deadline } from "./deadline.ts";
import { asksForTransfer, type Transfer } from "../transfer/transfer.ts";
import { framed, type FrontParts, HEADER, joined, malformed, optionOf, padOf, queryOrRefusal } from "./parts.ts";

/** A stream of bytes, both ways. */
export interface ByteStream {
  /** What the peer sends. */
  readonly readable: ReadableStream<Uint8Array>;
  /** What we send. */
  readonly writable: WritableStream<Uint8Array>;
}

/**
 * How a stream of messages ended: in peace, or for which reason it is to be cut: nonsense, silence, a frame that is not
 * whole in time, an answer that is not taken in time.
 */
export type FramedEnd = "end" | "protocol" | "idle" | "late" | "stalled";

/** The code for a stream that is to be cut. */
export function endCode(end: FramedEnd): DoqCode {
  if (end === "protocol" || end === "late") return DoqCode.PROTOCOL;
  return end === "stalled" ? DoqCode.LOAD : DoqCode.NONE;
}

/** Answers that a peer may send us before it is no client any more. */
const MAX_RESPONSES = 2;
/** How long one waits whose rate is used up, in milliseconds. */
const RATE_PAUSE = 100;
/** Unit of the times of RFC 7828, in milliseconds. */
const KEEPALIVE_UNIT = 100;

/** Serves one stream until its peer ends it, misbehaves or is silent for too long. */
export class FramedStream {
  readonly #parts: FrontParts;
  readonly #caller: DnsCaller;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #deadline = new Deadline();
  /** What came and was not looked at. */
  #bytes: Uint8Array = new Uint8Array(0);
  #responses = 0;
  /** Whether the frame that is read now had begun at the read before. */
  #begunBefore = false;
  /** A read that was begun, and whose end nobody has seen. */
  #reading: Promise<ReadableStreamReadResult<Uint8Array>> | undefined;
  /** Queries that are asked of others, and their answers as they come. */
  #running = 0;
  #ready: Uint8Array[] = [];
  #failure: { readonly error: unknown } | undefined;
  readonly #gone = new AbortController();

  /**
   * @param parts What the front is given.
   * @param caller Who asks.
   * @param stream Where the messages are.
   */
  constructor(parts: FrontParts, caller: DnsCaller, stream: ByteStream) {
    this.#parts = parts;
    this.#caller = caller;
    this.#reader = stream.readable.getReader();
    this.#writer = stream.writable.getWriter();
  }

  /**
   * Answers what comes.
   *
   * @param signal Aborted when nothing new is to be read: what was read is answered.
   */
  async serve(signal: AbortSignal): Promise<FramedEnd> {
    const stop = (): void => this.#deadline.cancel();
    signal.addEventListener("abort", stop, { once: true });
    try {
      while (!signal.aborted) {
        const end = await this.#round(signal);
        if (end === "protocol") this.#parts.rates.refuse(this.#caller, end);
        if (end) return end;
      }
      return await this.#finish();
    } finally {
      signal.removeEventListener("abort", stop);
      // What is asked of others for this stream is nobody's any more.
      this.#gone.abort();
    }
  }

  /** Answers the whole messages that have come, then waits for more. */
  async #round(draining: AbortSignal): Promise<FramedEnd | undefined> {
    const answers = this.#takeReady();
    const next = this.#answerAll(answers);
    if (answers.length > 0 && !await this.#write(answers)) return "stalled";
    if (next === "protocol") return next;
    if (typeof next === "object") return await this.#transfer(next);
    if (next === "pause") await this.#deadline.pause(RATE_PAUSE);
    if (next === "full") await this.#pauseUntilReady();
    // A drain that began meanwhile reads no more.
    return next === "read" && !draining.aborted ? await this.#read() : undefined;
  }

  /** Answers messages as long as they are whole, as many as may be running at once. */
  #answerAll(answers: Uint8Array[]): "protocol" | "pause" | "full" | "read" | "more" | Transfer {
    const { limits, rates } = this.#parts;
    while (answers.length + this.#running < limits.inFlight) {
      if (this.#bytes.byteLength < 2) return "read";
      const length = this.#bytes[0] << 8 | this.#bytes[1];
      if (length < HEADER || length > limits.query) return "protocol";
      if (this.#bytes.byteLength < 2 + length) return "read";
      // Not read until there is room.
      if (!rates.query(this.#caller)) return "pause";
      const message = this.#bytes.subarray(2, 2 + length);
      this.#bytes = this.#bytes.subarray(2 + length);
      const answer = this.#answer(message);
      if (answer instanceof Promise) this.#run(answer);
      else if (answer === "protocol" || answer && !(answer instanceof Uint8Array)) return answer;
      else if (answer) answers.push(answer);
    }
    return answers.length > 0 ? "more" : "full";
  }

  /** Has an answer written when it comes; what comes in one turn leaves in one write. */
  #run(answer: Promise<Uint8Array>): void {
    this.#running++;
    answer.then((bytes) => this.#ready.push(bytes), (error) => this.#failure ??= { error }).finally(() => {
      this.#running--;
      this.#deadline.cancel();
    });
  }

  /** Answers that came; their number is no more than ran. */
  #takeReady(): Uint8Array[] {
    if (this.#failure) throw this.#failure.error;
    const ready = this.#ready;
    this.#ready = [];
    return ready;
  }

  async #pauseUntilReady(): Promise<void> {
    if (this.#ready.length === 0 && !this.#failure) await this.#deadline.pause(this.#parts.limits.stalled);
  }

  #answer(bytes: Uint8Array): Soon<Uint8Array> | Transfer | "protocol" | undefined {
    const query = queryOrRefusal(bytes);
    if (!query) return this.#response();
    if (query.response) return encodeMessage(query);
    const keepalive = optionOf(query, EdnsCode.KEEPALIVE)?.data.byteLength;
    // RFC 7828 §3.1: a client's is empty; one of two bytes is what servers send, and harmless.
    if (keepalive !== undefined && keepalive !== 0 && keepalive !== 2) {
      return encodeMessage(malformed(query, Rcode.FORMERR));
    }
    const { transfers } = this.#parts;
    if (transfers && asksForTransfer(query)) return transfers.begin(query, this.#caller, padOf(query));
    const extra = keepalive === 0 ? [this.#keepalive()] : undefined;
    return this.#parts.engine.respond(query, this.#caller, { padTo: padOf(query), extra, signal: this.#gone.signal });
  }

  /** For how long we keep a connection that is idle (RFC 7828 §3.3.2). */
  #keepalive(): EdnsOption {
    const units = Math.min(0xffff, Math.floor(this.#parts.limits.idle / KEEPALIVE_UNIT));
    return { code: EdnsCode.KEEPALIVE, data: Uint8Array.of(units >>> 8, units & 0xff) };
  }

  /** Answers are not for us; a peer that sends them again and again is no client. */
  #response(): "protocol" | undefined {
    return ++this.#responses > MAX_RESPONSES ? "protocol" : undefined;
  }

  /** Reads more. A frame that has begun has a time of its own, from its first byte on. */
  async #read(): Promise<FramedEnd | undefined> {
    const { idle, frame } = this.#parts.limits;
    if (this.#ready.length > 0 || this.#failure) return undefined;
    const begun = this.#bytes.byteLength > 0;
    this.#reading ??= this.#reader.read();
    // Nobody may be looking when it fails; the next wait is told.
    this.#reading.catch(() => {});
    const got = await this.#deadline.within(begun ? frame : idle, this.#reading, this.#begunBefore);
    this.#begunBefore = begun;
    if (got === "cancelled") return undefined;
    if (got === "late") return begun ? "late" : this.#running > 0 ? undefined : "idle";
    this.#reading = undefined;
    if (got.done) return begun ? "protocol" : await this.#finish();
    this.#bytes = begun ? joined(this.#bytes, got.value) : got.value;
    return undefined;
  }

  /** A whole zone, as fast as it is taken; what follows on the stream waits. */
  async #transfer(transfer: Transfer): Promise<FramedEnd | undefined> {
    using running = transfer;
    for (const message of running.messages) {
      if (!await this.#write([message])) return "stalled";
      // A peer that takes all at once is not to hold up all others.
      await new Promise<void>((resolve) => void setImmediate(resolve));
    }
    return undefined;
  }

  async #write(answers: readonly Uint8Array[]): Promise<boolean> {
    this.#begunBefore = false;
    return await this.#taken(this.#writer.write(framed(answers)));
  }

  /** When everything is answered, our direction ends too. */
  async #finish(): Promise<FramedEnd> {
    for (;;) {
      const answers = this.#takeReady();
      if (answers.length > 0 && !await this.#write(answers)) return "stalled";
      if (this.#running > 0) await this.#pauseUntilReady();
      else if (this.#ready.length === 0) break;
    }
    return await this.#taken(this.#writer.close()) ? "end" : "stalled";
  }

  /** Whether a peer takes what is written in time. What is cut off by a drain was written before it. */
  async #taken(writing: Promise<void>): Promise<boolean> {
    let outcome;
    do outcome = await this.#deadline.within(this.#parts.limits.stalled, writing); while (outcome === "cancelled");
    return outcome !== "late";
  }
}
