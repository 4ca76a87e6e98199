/**
 * The two halves of a stream, shared by every transport.
 *
 * A half stands between a Web Stream and a transport and speaks to the transport in credits: the sending half never
 * hands over more bytes than it was granted, and the receiving half reports each byte that the reader took. Memory on
 * either side is therefore bounded by what the transport grants, however slow the other end is.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import { type AlknetError, StreamClosedError } from "../errors.ts";
import type { Account } from "./account.ts";
import { checkedCode, isCode } from "./application_code.ts";
import { ChunkQueue } from "./chunk_queue.ts";

/** What a receiving half asks of its transport. */
export interface ReceivePort {
  /** The reader took `bytes` more; the transport may deliver as many again. */
  consumed(bytes: number): void;
  /** The reader wants no more; tell the peer, with this code. */
  stop(code: number): void;
}

/** What a sending half asks of its transport. */
export interface SendPort {
  /** Sends bytes within the credit granted so far, and the end of the stream after them if `fin`. The transport copies
   * what it cannot send at once. */
  send(bytes: Uint8Array, fin: boolean): void;
  /** Cuts the direction with this code. */
  reset(code: number): void;
}

/** Reset and stop code when a Web Stream is cancelled or aborted without a code as its reason. */
const CANCELLED = 0;
const EMPTY = new Uint8Array(0);
/** Bytes that a reader gets at once of what has come while it was busy: each piece costs it a turn, or a system call. */
const TOGETHER = 256 * 1024;
/** What a writer takes of an account that others wait for, in bytes. */
const FAIR_SHARE = 16 * 1024;

/** The receiving half: a transport pushes, a ReadableStream pulls. */
export class ReceiveHalf {
  readonly #port: ReceivePort;
  #readable?: ReadableStream<Uint8Array>;
  #controller?: ReadableStreamDefaultController<Uint8Array>;
  readonly #queue = new ChunkQueue();
  #wanted?: () => void;
  #ended = false;
  #error?: AlknetError;

  /** @param port The transport's side of this direction. */
  constructor(port: ReceivePort) {
    this.#port = port;
  }

  /** The Web Stream, made on first use: a stream that is only reset never pays for one. */
  get readable(): ReadableStream<Uint8Array> {
    return this.#readable ??= new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
        if (this.#error && this.#queue.isEmpty) controller.error(this.#error);
      },
      pull: () => this.#pull(),
      cancel: (reason) => this.stop(isCode(reason) ? reason : CANCELLED),
    }, { highWaterMark: 0 });
  }

  /** Whether the direction has ended, well or badly, as far as the transport is concerned. */
  get done(): boolean {
    return this.#ended;
  }

  /**
   * The transport received bytes, in order.
   *
   * @param bytes Copied, unless `keep`.
   * @param fin Whether they are the last.
   * @param keep Whether the array is the half's from now on.
   */
  push(bytes: Uint8Array, fin: boolean, keep = false): void {
    if (this.#ended) return;
    // A reader woken for nothing would not be woken again: it asks once for each chunk.
    if (bytes.byteLength === 0 && !fin) return;
    this.#queue.push(bytes, keep);
    this.#ended = fin;
    this.#wake();
  }

  /** The peer reset the stream, or the connection is gone: what was not yet read is dropped, as RFC 9000 §3.2 allows. */
  fail(error: AlknetError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    this.#drop();
    this.#controller?.error(error);
    this.#wake();
  }

  /** Stops the peer's sending and errors the reader. */
  stop(code: number): void {
    checkedCode(code);
    if (this.#ended && this.#queue.isEmpty) return;
    const tell = !this.#ended;
    this.#ended = true;
    this.#drop();
    this.#error = new StreamClosedError("local", "stop", code);
    try {
      this.#controller?.error(this.#error);
    } catch { /* already closed or cancelled */ }
    this.#wake();
    if (tell) this.#port.stop(code);
  }

  /** Drops what nobody will read, and gives its credit back: a connection may share credit among its streams. */
  #drop(): void {
    const bytes = this.#queue.clear();
    if (bytes > 0) this.#port.consumed(bytes);
  }

  #pull(): void | Promise<void> {
    if (this.#deliver()) return;
    return new Promise((resolve) =>
      this.#wanted = () => {
        this.#deliver();
        resolve();
      }
    );
  }

  #wake(): void {
    const wanted = this.#wanted;
    this.#wanted = undefined;
    wanted?.();
  }

  /** Hands one chunk, or the end, to the reader. Returns whether there was anything to hand over. */
  #deliver(): boolean {
    if (this.#error) return true;
    const chunk = this.#queue.take(TOGETHER);
    if (chunk) {
      this.#controller!.enqueue(chunk);
      this.#port.consumed(chunk.byteLength);
    }
    if (this.#ended && this.#queue.isEmpty) {
      this.#controller!.close();
      return true;
    }
    return chunk !== undefined;
  }
}

/** The sending half: a WritableStream writes, a transport grants. */
export class SendHalf {
  readonly #port: SendPort;
  #writable?: WritableStream<Uint8Array>;
  #controller?: WritableStreamDefaultController;
  readonly #account: Account | undefined;
  #credit: number;
  #granted?: () => void;
  /** The write that waits for credit. */
  #writing?: Promise<void>;
  #writes = 0;
  #ended = false;
  #error?: AlknetError;

  /**
   * @param port The transport's side of this direction.
   * @param credit Bytes that may be sent before the first grant.
   * @param account What all streams of the connection draw on, where it bounds them together.
   */
  constructor(port: SendPort, credit: number, account?: Account) {
    this.#port = port;
    this.#account = account;
    this.#credit = credit;
  }

  /** The Web Stream, made on first use. */
  get writable(): WritableStream<Uint8Array> {
    return this.#writable ??= new WritableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
        if (this.#error) controller.error(this.#error);
      },
      write: (chunk) => this.#write(chunk),
      close: () => this.#finish(),
      abort: (reason) => this.reset(isCode(reason) ? reason : CANCELLED),
    });
  }

  /** Whether the direction has ended: finished, reset, stopped, or failed. */
  get done(): boolean {
    return this.#ended;
  }

  /** The transport can take `bytes` more. */
  grant(bytes: number): void {
    this.#credit += bytes;
    if (this.#credit > 0) this.#wake();
  }

  /** The peer stopped the stream, or the connection is gone. */
  fail(error: AlknetError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    this.#controller?.error(error);
    this.#wake();
  }

  /** Cuts the direction with this code and errors the writer. */
  reset(code: number): void {
    checkedCode(code);
    if (this.#ended) return;
    this.#ended = true;
    this.#error = new StreamClosedError("local", "reset", code);
    this.#controller?.error(this.#error);
    this.#wake();
    this.#port.reset(code);
  }

  /**
   * Half-closes once everything written before has been handed to the transport; for whoever owns the stream, not its
   * writer. Resolves when the direction has ended, this way or another.
   */
  async finish(): Promise<void> {
    // Writes that nobody awaited wait in the WritableStream, which hands over the next one some microtasks after the last.
    let seen = -1;
    while (this.#writable && !this.#ended && (this.#writing || seen !== this.#writes)) {
      seen = this.#writes;
      await this.#writing?.catch(ignore);
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    this.#finish();
  }

  #write(chunk: Uint8Array): void | Promise<void> {
    this.#writes++;
    if (!(chunk instanceof Uint8Array)) throw new TypeError("a stream takes Uint8Array chunks");
    if (this.#ended) throw this.#error ?? new StreamClosedError("local", "reset", CANCELLED);
    if (chunk.byteLength > this.#room) {
      return this.#writing = this.#writeSlowly(chunk).finally(() => this.#writing = undefined);
    }
    this.#send(chunk);
  }

  async #writeSlowly(chunk: Uint8Array): Promise<void> {
    let rest = chunk;
    while (rest.byteLength > 0) {
      while (this.#room <= 0 && !this.#ended) await this.#roomThere();
      if (this.#ended) throw this.#error ?? new StreamClosedError("local", "reset", CANCELLED);
      // Whoever found the account empty leaves something for the others that did.
      const most = this.#account?.isContended ? FAIR_SHARE : Infinity;
      const part = rest.subarray(0, Math.min(this.#room, most));
      rest = rest.subarray(part.byteLength);
      this.#send(part);
    }
  }

  /** Bytes that may be sent now. */
  get #room(): number {
    return this.#account ? Math.min(this.#credit, this.#account.room) : this.#credit;
  }

  #send(bytes: Uint8Array): void {
    this.#credit -= bytes.byteLength;
    this.#account?.take(bytes.byteLength);
    this.#port.send(bytes, false);
  }

  async #roomThere(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#granted = resolve;
    if (this.#credit > 0) this.#account?.wait(resolve);
    await promise;
    this.#account?.cancel(resolve);
  }

  #finish(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#port.send(EMPTY, true);
  }

  #wake(): void {
    const granted = this.#granted;
    this.#granted = undefined;
    granted?.();
  }
}

function ignore(): void {}
