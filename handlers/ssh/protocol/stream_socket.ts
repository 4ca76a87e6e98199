/**
 * A stream of a connection as the socket that `ssh2` expects.
 *
 * @module
 */
import type { BidiStream } from "@alknet/core/handler";
import { Buffer } from "node:buffer";
import { Duplex } from "node:stream";

/** Bytes that may wait to be written before whoever heeds it waits too. */
const ROOM = 512 * 1024;
/** Beyond so many, what is not heeded by itself is held up: nothing is read of a peer that does not read our answers. */
const TOO_MANY = 4 * 1024 * 1024;

/** A node stream over a {@linkcode BidiStream}. Destroying it cuts both directions. */
export class StreamSocket extends Duplex {
  /** What ssh2 tells of the other end when a client has come; here it names the connection. */
  readonly remoteAddress: string;
  /** Bytes so far, both ways. */
  transferred = 0;
  readonly #stream: BidiStream;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  #reading = false;
  #waiting: (() => void)[] = [];

  /**
   * A socket over a stream.
   *
   * @param stream Becomes the socket's.
   * @param name See {@linkcode remoteAddress}.
   */
  constructor(stream: BidiStream, name = "") {
    // SSH ends with either direction (RFC 4253 §11.1).
    super({ allowHalfOpen: false, writableHighWaterMark: ROOM });
    this.remoteAddress = name;
    this.#stream = stream;
    this.#reader = stream.readable.getReader();
    this.#writer = stream.writable.getWriter();
    this.#writer.closed.catch(() => {});
    this.#reader.closed.catch(() => {});
    const room = (): void => {
      for (const go of this.#waiting.splice(0)) go();
    };
    this.on("drain", room);
    this.once("close", room);
  }

  /** Calls back once, when less waits to be written, or nothing will be. */
  whenRoom(go: () => void): void {
    if (this.writableNeedDrain && !this.destroyed) this.#waiting.push(go);
    else go();
  }

  /** Reads on. */
  override _read(): void {
    if (this.#reading) return;
    this.#reading = true;
    this.#pump();
  }

  /** Writes a chunk. */
  override _write(chunk: Uint8Array, _encoding: string, done: (error?: Error | null) => void): void {
    this.transferred += chunk.byteLength;
    this.#writer.write(chunk).then(() => done(), done);
  }

  /** Packets are short and come in bunches: together they are one write. */
  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), "", done);
  }

  /** Half-closes. */
  override _final(done: (error?: Error | null) => void): void {
    this.#writer.close().then(() => done(), done);
  }

  /** Cuts. */
  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#stream.reset(0);
    this.#stream.stop(0);
    done(error);
  }

  async #pump(): Promise<void> {
    try {
      for (;;) {
        const { done, value } = await this.#reader.read();
        this.transferred += value?.byteLength ?? 0;
        if (!this.push(done ? null : Buffer.from(value.buffer, value.byteOffset, value.byteLength)) || done) break;
        if (this.writableLength > TOO_MANY) await new Promise<void>((resolve) => this.whenRoom(resolve));
      }
    } catch (error) {
      this.destroy(error as Error);
    }
    this.#reading = false;
  }
}
