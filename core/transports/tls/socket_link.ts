/**
 * A TLS socket as the link of a connection: one stream, whose two directions are the socket's.
 *
 * Back-pressure: what was read and not consumed, and what was written and not yet taken by the kernel, are bounded by
 * the windows below. A half-close is a close_notify alert and a FIN; a connection that is closed, reset or cut ends
 * without close_notify, so that no reader takes it for the end of what was sent (RFC 8446 §6.1).
 *
 * @module
 */
import type { Socket } from "node:net";
import { clearTimeout, setTimeout } from "node:timers";
import type { TLSSocket } from "node:tls";
import { AlknetError, type CloseInfo, ConnectionClosedError } from "../../errors.ts";
import {
  type ConnectionFacts,
  type ConnectionLink,
  type ConnectionStats,
  LinkedConnection,
} from "../../handler/connection.ts";
import { ReceiveHalf, SendHalf } from "../../handler/halves.ts";
import { bidi } from "../../handler/memory.ts";
import type { BidiStream, SendStream } from "../../handler/stream.ts";
import type { NativeReads } from "./native_reads.ts";

/** Bytes read and not consumed beyond which the socket is not read. */
const RECEIVE_WINDOW = 512 * 1024;
/** Bytes written and not yet taken by the kernel beyond which writers wait. */
const SEND_WINDOW = 512 * 1024;
/** Milliseconds without progress after which a peer is given up that does not read what a finished handler wrote. */
const STALLED = 30_000;
/**
 * Milliseconds of silence of the peer, after everything was handed to the system, within which it may end its direction.
 * Closing a TCP socket while the peer still sends resets it, and a reset overtakes what it has not read.
 */
const LINGER = 30_000;
/** Milliseconds for that in all. */
const MAX_LINGER = 300_000;
/** Milliseconds of silence after which keep-alive probes begin (core.md §13). */
const KEEP_ALIVE = 30_000;
/** First size of the buffer in which writes gather. */
const GATHER = 16 * 1024;
const EMPTY = new Uint8Array(0);
/** A FIN that no alert announced: what came before it may be a part (RFC 8446 §6.1). */
const TRUNCATED = new Error("the peer's TCP stream ended without close_notify");

/** What {@linkcode connectionOver} is given. */
export interface SocketParts {
  /** The TLS layer; its handshake is complete. */
  readonly tls: TLSSocket;
  /** The TCP socket below it. */
  readonly raw: Socket;
  /** The input of that socket. */
  readonly reads: NativeReads;
  /** Whether we dialled. */
  readonly dialled: boolean;
}

/** A connection over a TLS socket whose handshake is complete. On the accepting side its one stream has come in already. */
export function connectionOver(
  parts: SocketParts,
  facts: Omit<ConnectionFacts, "transport" | "dialled">,
): LinkedConnection {
  const link = new SocketLink(parts, facts);
  link.begin(parts.dialled);
  return link.connection;
}

class SocketLink implements ConnectionLink {
  readonly connection: LinkedConnection;
  readonly #tls: TLSSocket;
  readonly #raw: Socket;
  readonly #reads: NativeReads;
  readonly #receive: ReceiveHalf;
  readonly #send: SendHalf;
  /** The stream that the first `open()` yields. */
  #unopened?: BidiStream;
  #unread = 0;
  /** Bytes that the socket is writing. */
  #writing = 0;
  /** What waits until it has written them, in the first `#waitingBytes` bytes. */
  #waiting = EMPTY;
  #waitingBytes = 0;
  #inputEnded = false;
  #outputEnded = false;
  /** Runs while the connection finishes; pushed back by each sign of progress. */
  #deadline?: NodeJS.Timeout;
  /** Until when the peer's silence is measured anew with each word of it. */
  #lingers = 0;
  #received = 0;
  #sent = 0;
  #error?: Error;

  constructor({ tls, raw, reads, dialled }: SocketParts, facts: Omit<ConnectionFacts, "transport" | "dialled">) {
    this.connection = new LinkedConnection({ ...facts, transport: "tls", dialled }, this);
    this.#tls = tls;
    this.#raw = raw;
    this.#reads = reads;
    this.#receive = new ReceiveHalf({ consumed: (bytes) => this.#consumed(bytes), stop: () => this.#cut("stopped") });
    this.#send = new SendHalf(
      { send: (bytes, fin) => this.#output(bytes, fin), reset: () => this.#cut("reset") },
      SEND_WINDOW,
      this.connection.accounts.sent,
    );
  }

  /** Begins to read. */
  begin(dialled: boolean): void {
    const stream = bidi(0, this.#send, this.#receive);
    if (dialled) this.#unopened = stream;
    else this.connection.incoming(stream);
    this.#raw.setNoDelay(true);
    this.#raw.setKeepAlive(true, KEEP_ALIVE);
    this.#tls.on("data", (chunk: Uint8Array) => this.#input(chunk));
    this.#tls.once("end", () => this.#endOfInput());
    this.#tls.once("finish", () => this.#endOfOutput());
    this.#tls.on("error", (error) => this.#error ??= error);
    this.#tls.once("close", () => this.#closed());
  }

  open(): Promise<BidiStream> {
    const stream = this.#unopened;
    this.#unopened = undefined;
    return stream ? Promise.resolve(stream) : Promise.reject(unavailable());
  }

  openSend(): Promise<SendStream> {
    return Promise.reject(unavailable());
  }

  close(code: number, reason: string): void {
    this.#fail({ by: "local", code, reason });
    this.#tls.destroy();
  }

  /** Sends what was written and the end after it, and waits until the peer has ended its direction too. */
  async finish(): Promise<void> {
    if (this.#tls.destroyed) return;
    const closed = new Promise<void>((resolve) => this.#tls.once("close", () => resolve()));
    // Whoever finishes reads no more, and what is left unread would turn the close into a reset.
    this.#receive.fail(new ConnectionClosedError({ by: "local", code: 0, reason: "" }));
    this.#unread = 0;
    this.#reads.start();
    if (this.#outputEnded) this.#linger();
    else this.#deadline = setTimeout(() => this.#tls.destroy(), STALLED);
    await this.#send.finish();
    await closed;
  }

  stats(): ConnectionStats {
    return { bytesReceived: this.#received, bytesSent: this.#sent };
  }

  #input(chunk: Uint8Array): void {
    this.#received += chunk.byteLength;
    // It reads on, for it speaks.
    if (performance.now() < this.#lingers) this.#deadline?.refresh();
    if (this.#receive.done) return;
    const { received } = this.connection.accounts;
    this.#unread += chunk.byteLength;
    received.take(chunk.byteLength);
    if (this.#unread >= RECEIVE_WINDOW || received.room <= 0) this.#reads.stop();
    this.#receive.push(chunk, false, true);
  }

  #consumed(bytes: number): void {
    const { received } = this.connection.accounts;
    this.#unread -= bytes;
    received.give(bytes);
    if (this.#unread <= 0 || this.#unread <= RECEIVE_WINDOW / 2 && received.room > 0) this.#reads.start();
  }

  #endOfInput(): void {
    if (!this.#reads.endedProperly) {
      this.#error ??= TRUNCATED;
      this.#tls.destroy();
      return;
    }
    this.#inputEnded = true;
    this.#receive.push(EMPTY, true);
    // Nobody asked for the stream and nothing came on it: the connection is over for both.
    if (this.#unopened && this.#received === 0) this.#send.finish();
  }

  #output(bytes: Uint8Array, fin: boolean): void {
    if (bytes.byteLength > 0) {
      // A socket that is idle encrypts at once and keeps nothing; what must wait is copied, as a writer may reuse it.
      if (this.#writing === 0) this.#write(bytes);
      else this.#wait(bytes);
    }
    if (fin && this.#writing === 0) this.#tls.end();
  }

  /** What gathers while the socket writes goes out as one, so that small writes share records and system calls. */
  #wait(bytes: Uint8Array): void {
    const needed = this.#waitingBytes + bytes.byteLength;
    if (needed > this.#waiting.byteLength) {
      const larger = new Uint8Array(Math.max(needed, Math.min(2 * this.#waiting.byteLength, SEND_WINDOW), GATHER));
      larger.set(this.#waiting.subarray(0, this.#waitingBytes));
      this.#waiting = larger;
    }
    this.#waiting.set(bytes, this.#waitingBytes);
    this.#waitingBytes = needed;
  }

  #write(bytes: Uint8Array): void {
    this.#writing = bytes.byteLength;
    this.#tls.write(bytes, this.#written);
  }

  readonly #written = (error?: Error | null): void => {
    if (error) return;
    const bytes = this.#writing;
    this.#writing = 0;
    this.#sent += bytes;
    this.connection.accounts.sent.give(bytes);
    this.#deadline?.refresh();
    if (this.#waitingBytes > 0) {
      const gathered = this.#waiting.subarray(0, this.#waitingBytes);
      this.#waitingBytes = 0;
      this.#write(gathered);
    } else {
      // An idle connection holds no buffer.
      this.#waiting = EMPTY;
      if (this.#send.done) this.#tls.end();
    }
    this.#send.grant(bytes);
  };

  #endOfOutput(): void {
    this.#outputEnded = true;
    if (this.#deadline) this.#linger();
  }

  /** Waits for the peer to end its direction. */
  #linger(): void {
    clearTimeout(this.#deadline);
    this.#lingers = performance.now() + MAX_LINGER;
    this.#deadline = setTimeout(() => this.#tls.destroy(), LINGER);
  }

  /** A direction cannot be cut alone: there are no codes and no other stream to go on. */
  #cut(how: string): void {
    this.#fail({ by: "local", reason: `stream ${how}` });
    this.#tls.destroy();
  }

  #closed(): void {
    clearTimeout(this.#deadline);
    this.#fail(this.#howItEnded());
  }

  #howItEnded(): CloseInfo {
    const code = (this.#error as NodeJS.ErrnoException | undefined)?.code;
    // Who has said that it ends, and then wants no more either, has closed.
    const closed = this.#outputEnded || code === undefined || code === "ECONNRESET" || code === "EPIPE";
    if (this.#inputEnded && closed) return { by: "peer" };
    if (this.#error === TRUNCATED) {
      return { by: "error", error: new AlknetError("TRUNCATED", `connection lost: ${TRUNCATED.message}`) };
    }
    const error = new AlknetError("INTERNAL", `connection lost: ${this.#error?.message ?? "the socket closed"}`, {
      cause: this.#error,
    });
    return code === "ETIMEDOUT" ? { by: "timeout", error } : { by: "error", error };
  }

  #fail(info: CloseInfo): void {
    const error = new ConnectionClosedError(info);
    this.#receive.fail(error);
    this.#send.fail(error);
    this.#waiting = EMPTY;
    this.#waitingBytes = 0;
    this.connection.ended(info);
  }
}

function unavailable(): AlknetError {
  return new AlknetError(
    "STREAM_UNAVAILABLE",
    "this connection carries one stream, which the dialling side opens first",
  );
}
