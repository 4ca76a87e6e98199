/**
 * Writes frames: those that come while a write is under way go out together in the next one.
 *
 * @module
 */
import { checkedLength } from "./frames.ts";
import { HIGH_WATER } from "../limits.ts";

const HEADER = 4;
/** Bytes of one write, at least one frame: what a transport can take before others have their turn. */
const MAX_BATCH = 256 * 1024;
const UTF8 = new TextEncoder();

/** A body and its length in bytes. */
interface Waiting {
  readonly json: string;
  readonly length: number;
  readonly isAnswer: boolean;
}

/** What waits on all lanes of a connection, in bytes. */
export interface Held {
  /** Answers that are not written. */
  unread: number;
  /** Frames that have not come whole. */
  partial: number;
}

/** The sending half of a stream of frames. */
export class FrameWriter {
  /** Resolves when nothing more will be written. */
  readonly closed: Promise<void>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #refused: (error: unknown) => void;
  readonly #held: Held;
  #waiting: Waiting[] = [];
  #queued = 0;
  /** What of it are answers. */
  #unread = 0;
  #writing = false;
  #finishing = false;
  #failed = false;
  #drained: PromiseWithResolvers<void> | undefined;
  #flushed: PromiseWithResolvers<void> | undefined;

  /**
   * @param writable What takes the bytes; nobody else may write to it.
   * @param held Counts what waits.
   * @param refused Told once, when it takes no more before it was finished.
   */
  constructor(writable: WritableStream<Uint8Array>, held: Held, refused: (error: unknown) => void) {
    this.#held = held;
    this.#writer = writable.getWriter();
    this.#refused = refused;
    this.closed = this.#writer.closed.catch((error) => this.#fail(error));
  }

  /** Resolves when everything queued was written, or never will be. */
  flushed(): Promise<void> | undefined {
    return this.#queued === 0 || this.#failed ? undefined : (this.#flushed ??= Promise.withResolvers()).promise;
  }

  /**
   * Queues one body. The promise, where there is one, settles when the transport has taken most of what waits, or will
   * never take it: whoever sends more waits for it.
   *
   * @throws {AlknetError} `MESSAGE_TOO_LARGE`: nothing was queued.
   */
  send(json: string, isAnswer = false): void | Promise<void> {
    if (this.#failed || this.#finishing) return;
    const length = checkedLength(json);
    this.#waiting.push({ json, length, isAnswer });
    this.#queued += length;
    if (isAnswer) {
      this.#unread += length;
      this.#held.unread += length;
    }
    if (!this.#writing) {
      this.#writing = true;
      queueMicrotask(() => this.#flush());
    }
    if (this.#queued > HIGH_WATER) return (this.#drained ??= Promise.withResolvers()).promise;
  }

  /** Ends the direction once everything queued has been written. */
  finish(): void {
    if (this.#finishing) return;
    this.#finishing = true;
    if (!this.#writing) this.#close();
  }

  async #flush(): Promise<void> {
    try {
      while (this.#waiting.length > 0) {
        const batch = this.#waiting;
        this.#waiting = [];
        for (let from = 0; from < batch.length;) {
          const to = endOfBatch(batch, from);
          await this.#writer.write(encoded(batch, from, to));
          if (this.#failed) return;
          for (; from < to; from++) this.#written(batch[from]);
          if (this.#queued <= HIGH_WATER / 2) this.#drain();
        }
      }
      this.#writing = false;
      this.#flushed?.resolve();
      this.#flushed = undefined;
      if (this.#finishing) this.#close();
    } catch (error) {
      this.#fail(error);
    }
  }

  #written({ length, isAnswer }: Waiting): void {
    this.#queued -= length;
    if (!isAnswer) return;
    this.#unread -= length;
    this.#held.unread -= length;
  }

  #close(): void {
    this.#writer.close().catch(() => {});
  }

  #drain(): void {
    this.#drained?.resolve();
    this.#drained = undefined;
  }

  #fail(error: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#waiting = [];
    this.#queued = 0;
    this.#held.unread -= this.#unread;
    this.#unread = 0;
    this.#drain();
    this.#flushed?.resolve();
    this.#refused(error);
  }
}

function endOfBatch(frames: readonly Waiting[], from: number): number {
  let bytes = HEADER + frames[from].length;
  let to = from + 1;
  while (to < frames.length && (bytes += HEADER + frames[to].length) <= MAX_BATCH) to++;
  return to;
}

function encoded(frames: readonly Waiting[], from: number, to: number): Uint8Array {
  let total = 0;
  for (let i = from; i < to; i++) total += HEADER + frames[i].length;
  const bytes = new Uint8Array(total);
  let at = 0;
  for (let i = from; i < to; i++) {
    const { json, length } = frames[i];
    bytes[at] = length >>> 24;
    bytes[at + 1] = length >>> 16;
    bytes[at + 2] = length >>> 8;
    bytes[at + 3] = length;
    UTF8.encodeInto(json, bytes.subarray(at + HEADER));
    at += HEADER + length;
  }
  return bytes;
}
