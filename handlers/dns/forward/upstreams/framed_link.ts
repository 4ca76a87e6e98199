/**
 * Messages behind their lengths on one stream (RFC 7858, `alknet/dns`), answered in any order and told apart by ids.
 *
 * @module
 */
import type { BidiStream, Connection } from "@alknet/core/handler";
import { Buffer } from "node:buffer";
import { randomInt } from "node:crypto";
import { QUERY_PADDING } from "../../client/exchange.ts";
import { decodeMessage } from "../../codec/decode.ts";
import { encodeMessage } from "../../codec/encode.ts";
import { DnsMalformedError } from "../../codec/errors.ts";
import type { Message } from "../../codec/types.ts";
import { type Link, linkEnded } from "./link.ts";

interface Asked {
  readonly resolve: (answer: Message) => void;
  readonly reject: (reason: unknown) => void;
}

const IDS = 0x1_0000;
const HEADER = 12;

/** Opens one on a connection of its own. */
export async function framedLink(connection: Connection): Promise<Link> {
  return new FramedLink(connection, await connection.open());
}

class FramedLink implements Link {
  readonly ended: Promise<void>;
  readonly #connection: Connection;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #asked = new Map<number, Asked>();
  /** What leaves with the next turn, in one write. */
  #leaving: Uint8Array[] = [];
  #isOver = false;

  constructor(connection: Connection, stream: BidiStream) {
    this.#connection = connection;
    this.#writer = stream.writable.getWriter();
    this.#writer.closed.catch(() => this.close());
    this.ended = this.#read(stream.readable.getReader());
  }

  ask(query: Message, signal: AbortSignal): Promise<Message> {
    if (this.#isOver) return Promise.reject(linkEnded());
    const id = this.#freeId();
    const bytes = encodeMessage({ ...query, id }, { padTo: QUERY_PADDING });
    const { promise, resolve, reject } = Promise.withResolvers<Message>();
    const abort = (): void => {
      if (this.#asked.delete(id)) reject(signal.reason);
    };
    const settled = <T>(settle: (value: T) => void) => (value: T): void => {
      signal.removeEventListener("abort", abort);
      settle(value);
    };
    this.#asked.set(id, {
      resolve: settled((answer: Message) => resolve({ ...answer, id: query.id })),
      reject: settled(reject),
    });
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) abort();
    else this.#send(bytes);
    return promise;
  }

  close(): void {
    this.#isOver = true;
    this.#connection.close(0, "");
    for (const { reject } of this.#asked.values()) reject(linkEnded());
    this.#asked.clear();
  }

  /** An id that nobody can guess, and that no other question has. */
  #freeId(): number {
    for (;;) {
      const id = randomInt(IDS);
      if (!this.#asked.has(id)) return id;
    }
  }

  #send(bytes: Uint8Array): void {
    this.#leaving.push(Uint8Array.of(bytes.byteLength >>> 8, bytes.byteLength & 0xff), bytes);
    if (this.#leaving.length > 2) return;
    queueMicrotask(() => {
      const whole = Buffer.concat(this.#leaving);
      this.#leaving = [];
      this.#writer.write(new Uint8Array(whole.buffer, whole.byteOffset, whole.byteLength)).catch(() => this.close());
    });
  }

  async #read(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
    // Pieces of a message that is not whole, and how many bytes they have.
    let pieces: Uint8Array[] = [];
    let size = 0;
    let wanted = 2;
    try {
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        pieces.push(part.value);
        size += part.value.byteLength;
        if (size < wanted) continue;
        const rest = this.#take(pieces.length === 1 ? pieces[0] : Buffer.concat(pieces));
        pieces = rest.byteLength === 0 ? [] : [rest];
        size = rest.byteLength;
        wanted = size < 2 ? 2 : 2 + (rest[0] << 8 | rest[1]);
      }
    } catch { /* the end, in whichever way */ }
    this.close();
  }

  /** Takes whole messages off the front; returns what is left. */
  #take(bytes: Uint8Array): Uint8Array {
    let at = 0;
    for (;;) {
      const left = bytes.byteLength - at;
      const length = left < 2 ? 0 : bytes[at] << 8 | bytes[at + 1];
      if (left < 2 || left < 2 + length) return bytes.subarray(at);
      this.#answered(bytes.subarray(at + 2, at + 2 + length));
      at += 2 + length;
    }
  }

  #answered(bytes: Uint8Array): void {
    if (bytes.byteLength < HEADER) throw new DnsMalformedError("a message has 12 bytes at least");
    const id = bytes[0] << 8 | bytes[1];
    const asked = this.#asked.get(id);
    // To a question that nobody waits for any more, or that nobody asked.
    if (!asked) return;
    this.#asked.delete(id);
    try {
      asked.resolve(decodeMessage(bytes));
    } catch (error) {
      asked.reject(error);
    }
  }
}
