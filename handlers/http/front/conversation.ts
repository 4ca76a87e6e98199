/**
 * One HTTP conversation: a stream of the peer, piped to a socket of the inner server.
 *
 * Bytes pass as fast as the slower side takes them, and no faster. The conversation knows how many of its requests run
 * and when bytes last moved, so that time limits can be held without looking into the bytes.
 *
 * @module
 */
import type { BidiStream } from "@alknet/core/handler";
import type { ConnectionBindings } from "../request/bindings.ts";
import { HttpCode } from "./codes.ts";
import { HALF_CLOSE_GRACE, type HttpLimits, LARGE_BUFFER, LINGER_BYTES, LINGER_TIME, SMALL_BUFFER } from "../limits.ts";

/** With TLS the end of a client's output means that it left; on a stream of our own it means that it has asked. */
const HALF_CLOSING_ALPN = "alknet/http";

/** The inner server ends a conversation without a word where the chunks of a body are none (RFC 9112 §7.1). */
const BAD_REQUEST = new TextEncoder().encode(
  "HTTP/1.1 400 Bad Request\r\nServer: nginx\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
);

/** What a conversation is made of. */
export interface ConversationParts {
  /** The peer's stream. */
  readonly stream: BidiStream;
  /** Connected to the inner server. */
  readonly socket: Deno.TcpConn;
  /** Called before the socket is closed, while nobody else can have its port. */
  readonly release: () => void;
  /** What its requests find as `c.env`. */
  readonly bindings: ConnectionBindings;
  /** Times to hold. */
  readonly limits: HttpLimits;
  /** Milliseconds that only go forward. */
  readonly now: () => number;
}

/** A conversation from its first byte to its end. */
export class Conversation {
  readonly #parts: ConversationParts;
  readonly #startedAt: number;
  /** When something last happened: a byte either way, a request, an answer. */
  #activeAt: number;
  /** When the client was last given something; its own bytes do not count, or a slow sender would never be idle. */
  #servedAt: number;
  /** Since when the client has not taken what was offered, if so. */
  #offeredAt?: number;
  /** Since when the client's half is closed, if it is. */
  #halfClosedAt?: number;
  /** Since when the server's half is closed, if it is: from then on input is dropped. */
  #lingeringAt?: number;
  #dropped = 0;
  /** Requests that the application is answering. */
  #running = 0;
  #begun = false;
  /** Whether nothing has come yet of the request that began last, or of what came before there was one. */
  #awaited = true;
  /** Whether it speaks HTTP no more: then the end of the input is the client's end. */
  #takenOver = false;
  /** Bytes that came since the last request began. */
  #received = 0;
  /** Whether bytes were passed up since the last answer. */
  #unanswered = false;
  #wake?: () => void;
  #socketClosed = false;
  #ended = false;

  /** @param parts What it is made of; the conversation owns stream and socket from now on. */
  constructor(parts: ConversationParts) {
    this.#parts = parts;
    this.#startedAt = this.#activeAt = this.#servedAt = parts.now();
  }

  /** What its requests find as `c.env`. */
  get bindings(): ConnectionBindings {
    return this.#parts.bindings;
  }

  /** Whether a request has ever reached the application. */
  get begun(): boolean {
    return this.#begun;
  }

  /**
   * Pipes both ways. Never rejects.
   *
   * @param answered Called once the server has ended its side: the client's input is only drained from then on.
   */
  async run(answered: () => void): Promise<void> {
    await Promise.all([this.#upward(), this.#downward().finally(answered)]);
    this.end(HttpCode.NO_ERROR);
  }

  /** Whether it speaks HTTP no more. */
  get isTakenOver(): boolean {
    return this.#takenOver;
  }

  /** Ends the conversation in good order if nothing that it was asked waits for its answer. */
  finishIdle(): void {
    if (!this.#takenOver && this.#running === 0 && !this.#unanswered) this.finish();
  }

  /** Ends the conversation in good order: the client gets what the server had to say, then the end. */
  finish(): void {
    this.#closeSocket();
  }

  /** Ends the conversation at once, with this code where a direction has not ended by itself. */
  end(code: HttpCode): void {
    if (this.#ended) return;
    this.#ended = true;
    const { stream } = this.#parts;
    stream.reset(code);
    stream.stop(code);
    this.#closeSocket();
    this.#wake?.();
  }

  /** Requests that the application is answering. */
  get running(): number {
    return this.#running;
  }

  /** A request has reached the application. Returns how many bytes came since the one before: its headers are no longer. */
  requestBegan(): number {
    this.#begun = this.#awaited = true;
    this.#running++;
    this.#activeAt = this.#parts.now();
    const received = this.#received;
    this.#received = 0;
    return received;
  }

  /** A request takes the conversation over, as a WebSocket does. Call {@linkcode requestEnded} when it is over. */
  takeOver(): void {
    this.requestBegan();
    this.#takenOver = true;
    this.#wake?.();
  }

  /** The answer to a request is complete, or will never be. */
  requestEnded(): void {
    this.#running--;
    this.#unanswered = false;
    this.#activeAt = this.#servedAt = this.#parts.now();
    if (this.#running === 0) this.#wake?.();
  }

  /** Ends the conversation if one of its time limits has passed. */
  sweep(): void {
    const { limits, bindings, now } = this.#parts;
    const over = (since: number | undefined, limit: number) => since !== undefined && now() - since > limit;
    if (over(this.#lingeringAt, LINGER_TIME)) return this.end(HttpCode.NO_ERROR);
    const left = bindings.peer.alpn !== HALF_CLOSING_ALPN && over(this.#halfClosedAt, limits.halfClosed);
    const silent = this.#running > 0 && over(this.#activeAt, limits.silent);
    if (left || silent || over(this.#offeredAt, limits.stalled)) return this.end(HttpCode.REQUEST_CANCELLED);
    if (this.#running > 0 || this.#offeredAt !== undefined) return;
    if (this.#begun ? over(this.#servedAt, limits.idle) : over(this.#startedAt, limits.firstRequest)) this.finish();
  }

  /** From the client to the inner server. */
  async #upward(): Promise<void> {
    const reader = this.#parts.stream.readable.getReader();
    reader.closed.catch(ignore);
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return await this.#closeUpward();
        this.#activeAt = this.#parts.now();
        this.#received += value.byteLength;
        if (this.#socketClosed || !await this.#pass(value)) this.#drop(value);
      }
    } catch {
      this.end(HttpCode.REQUEST_CANCELLED);
    }
  }

  /** Returns whether the inner server took the bytes. */
  async #pass(bytes: Uint8Array): Promise<boolean> {
    this.#unanswered = true;
    try {
      for (let at = 0; at < bytes.byteLength;) at += await this.#parts.socket.write(bytes.subarray(at));
      return true;
    } catch {
      return false;
    }
  }

  #drop(bytes: Uint8Array): void {
    this.#dropped += bytes.byteLength;
    if (this.#dropped > LINGER_BYTES) this.end(HttpCode.NO_ERROR);
  }

  /** Passes the end of the input up, once everything that was asked has been answered. */
  async #closeUpward(): Promise<void> {
    this.#halfClosedAt = this.#parts.now();
    while (!this.#socketClosed && !this.#takenOver && (this.#running > 0 || this.#unanswered)) {
      if (this.#running > 0) await this.#woken();
      else {
        await this.#woken(HALF_CLOSE_GRACE);
        if (this.#running === 0) break;
      }
    }
    if (!this.#socketClosed) await this.#parts.socket.closeWrite().catch(ignore);
  }

  async #woken(atMost?: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      if (atMost !== undefined) timer = setTimeout(resolve, atMost);
    });
    clearTimeout(timer);
    this.#wake = undefined;
  }

  /** From the inner server to the client. */
  async #downward(): Promise<void> {
    const { stream, socket, now, bindings } = this.#parts;
    const writer = stream.writable.getWriter();
    writer.closed.catch(ignore);
    let buffer = new Uint8Array(SMALL_BUFFER);
    try {
      for (;;) {
        // A server that closes before it has read everything resets the socket: an end like any other.
        const read = await socket.read(buffer).catch(() => null);
        if (read === null) break;
        this.#awaited = false;
        this.#offeredAt = this.#activeAt = now();
        await writer.write(buffer.subarray(0, read));
        this.#offeredAt = undefined;
        this.#servedAt = now();
        if (read === SMALL_BUFFER) buffer = new Uint8Array(LARGE_BUFFER);
      }
      const asked = this.#running > 0 || this.#unanswered;
      const gaveUp = asked && this.#awaited && !this.#socketClosed && bindings.peer.alpn === "http/1.1";
      this.#closeSocket();
      if (this.#ended) return;
      if (gaveUp) await writer.write(BAD_REQUEST);
      this.#lingeringAt = now();
      await writer.close();
    } catch {
      this.end(HttpCode.REQUEST_CANCELLED);
    }
  }

  #closeSocket(): void {
    if (this.#socketClosed) return;
    this.#socketClosed = true;
    this.#parts.release();
    this.#parts.socket.close();
    this.#wake?.();
  }
}

function ignore(): void {}
