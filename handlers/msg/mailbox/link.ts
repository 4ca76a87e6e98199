/**
 * The asking side of a connection to a mailbox: requests on one stream, answers by their ids.
 *
 * @module
 */
import { AlknetError, type Connection } from "@alknet/core/handler";
import { MailboxCode } from "../codes.ts";
import { AnswerType, formatRequest, type Frame, framesOf, readError, type Request } from "./frames.ts";

interface Pending {
  resolve(frame: Frame): void;
  reject(error: unknown): void;
}

/** A request whose answers go on coming. */
interface Listener {
  /** Frames that nobody took yet, at most so many as may be unacknowledged, and the end. */
  readonly frames: Frame[];
  readonly most: number;
  wake(): void;
}

/** A mailbox that has said nothing for so many milliseconds is asked something, and has as many to answer. */
const SILENCE = 12_000;

/** What people are told of each code, and what to do. */
const REFUSALS: Readonly<Record<number, readonly [code: string, text: string]>> = {
  [MailboxCode.BAD_FRAME]: ["MAILBOX_BAD_FRAME", "does not know what was asked; it may be older or newer"],
  [MailboxCode.NO_QUEUE]: [
    "MAILBOX_NO_QUEUE",
    "has no such queue, or not for us: its owner dropped it, or revoked the token",
  ],
  [MailboxCode.QUOTA]: ["MAILBOX_QUOTA", "has a full queue: its owner has to read first"],
  [MailboxCode.RATE]: ["MAILBOX_RATE", "was asked too often"],
  [MailboxCode.FORBIDDEN]: [
    "MAILBOX_FORBIDDEN",
    "lets us make no queues; its operator may: alknet authorize KEY --scope mailbox:create",
  ],
  [MailboxCode.CLASS]: ["MAILBOX_CLASS", "does not take envelopes of that length"],
  [MailboxCode.FULL]: ["MAILBOX_FULL", "is full"],
  [MailboxCode.CONFLICT]: ["MAILBOX_CONFLICT", "has another queue of that id"],
  [MailboxCode.NO_PREKEYS]: ["MAILBOX_NO_PREKEYS", "has no keys of the contact yet: the contact has to be online once"],
};

/** A connection to a mailbox. */
export class MailboxLink implements AsyncDisposable {
  readonly #mailbox: string;
  readonly #connection: Connection;
  readonly #pending = new Map<number, Pending>();
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #listeners = new Map<number, Listener>();
  readonly #patience: number;
  #silence?: ReturnType<typeof setTimeout>;
  #next = 1;
  #over: unknown;

  private constructor(
    mailbox: string,
    connection: Connection,
    writer: WritableStreamDefaultWriter<Uint8Array>,
    patience: number,
  ) {
    this.#patience = patience;
    this.#mailbox = mailbox;
    this.#connection = connection;
    this.#writer = writer;
  }

  /**
   * Takes a connection over.
   *
   * @param patience Milliseconds of silence after which a mailbox that is listened to is asked whether it is there, and that it
   * has to say so.
   */
  static async over(mailbox: string, connection: Connection, patience: number = SILENCE): Promise<MailboxLink> {
    try {
      const { readable, writable } = await connection.open();
      const link = new MailboxLink(mailbox, connection, writable.getWriter(), patience);
      link.#read(readable).catch(() => {});
      return link;
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  /** Whether it can be asked no more. */
  get isOver(): boolean {
    return this.#over !== undefined;
  }

  /**
   * Asks, and waits for the answer.
   *
   * @throws {AlknetError} `MAILBOX_…` as the mailbox refuses; `MAILBOX_AWAY` when the connection ends before.
   */
  async ask(request: Request, signal: AbortSignal): Promise<Frame> {
    return await this.#ask(this.#next++, request, signal);
  }

  /**
   * Listens to a queue: items as they come, until another reader takes over, or the queue is no more. The request goes out at
   * once. Throws as {@linkcode ask} does.
   *
   * @param window Items that may be unacknowledged.
   */
  async *listen(
    { window, ...queue }: Extract<Request, { readonly type: "sub" }>,
    signal: AbortSignal,
  ): AsyncGenerator<Frame> {
    const id = this.#next++;
    let { promise, resolve } = Promise.withResolvers<void>();
    const listener: Listener = { frames: [], most: window + 1, wake: () => resolve() };
    const wake = (): void => listener.wake();
    this.#listeners.set(id, listener);
    signal.addEventListener("abort", wake, { once: true });
    this.#watchSilence();
    try {
      await this.#ask(id, { ...queue, window }, signal);
      for (;;) {
        signal.throwIfAborted();
        const frame = listener.frames.shift();
        if (frame?.type === AnswerType.END) return;
        if (frame) yield frame;
        else if (this.#over !== undefined) throw this.#over;
        else {
          await promise;
          ({ promise, resolve } = Promise.withResolvers<void>());
        }
      }
    } finally {
      this.#listeners.delete(id);
      signal.removeEventListener("abort", wake);
    }
  }

  async #ask(id: number, request: Request, signal: AbortSignal): Promise<Frame> {
    signal.throwIfAborted();
    if (this.#over !== undefined) throw this.#over;
    const { promise, resolve, reject } = Promise.withResolvers<Frame>();
    const abort = (): void => reject(signal.reason);
    this.#pending.set(id, { resolve, reject });
    signal.addEventListener("abort", abort, { once: true });
    promise.catch(() => {});
    try {
      this.#writer.write(formatRequest(request, id)).catch((error) => this.#end(error));
      const answer = await promise;
      if (answer.type === AnswerType.ERROR) throw this.#refused(readError(answer));
      return answer;
    } finally {
      this.#pending.delete(id);
      signal.removeEventListener("abort", abort);
    }
  }

  /** Ends the connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#end(new AlknetError("MAILBOX_AWAY", "the connection to the mailbox was ended here"));
    await this.#connection[Symbol.asyncDispose]();
  }

  async #read(readable: ReadableStream<Uint8Array>): Promise<void> {
    try {
      for await (const frame of framesOf(readable)) {
        this.#watchSilence();
        this.#answered(frame);
      }
      this.#end(undefined);
    } catch (error) {
      this.#end(error);
    }
  }

  #answered(frame: Frame): void {
    const pending = this.#pending.get(frame.id);
    // What is given before the request is answered is no answer to it.
    if (pending && frame.type !== AnswerType.ITEM) return pending.resolve(frame);
    const listener = this.#listeners.get(frame.id);
    if (!listener) return pending?.resolve(frame);
    if (listener.frames.length >= listener.most) {
      throw new AlknetError("BAD_FRAME", "the mailbox gives more than was asked for");
    }
    listener.frames.push(frame);
    listener.wake();
  }

  /** A connection on which nothing comes may be dead without anybody saying so. */
  #watchSilence(): void {
    clearTimeout(this.#silence);
    if (this.#listeners.size === 0 || this.#over !== undefined) return;
    this.#silence = setTimeout(() => {
      this.ask({ type: "info" }, AbortSignal.timeout(this.#patience)).catch((error) => {
        // Whatever it says, it is there.
        if (error instanceof AlknetError) return;
        this.#end(error);
        this.#connection.close();
      });
    }, this.#patience);
  }

  #end(cause: unknown): void {
    if (this.#over !== undefined) return;
    clearTimeout(this.#silence);
    this.#over = new AlknetError("MAILBOX_AWAY", `mailbox ${this.#mailbox} ended the connection; try again`, { cause });
    for (const { reject } of this.#pending.values()) reject(this.#over);
    for (const { wake } of this.#listeners.values()) wake();
    if (cause instanceof AlknetError && cause.code === "BAD_FRAME") this.#connection.close();
  }

  #refused({ code, retryAfter }: { readonly code: number; readonly retryAfter: number }): AlknetError {
    const [name, text] = REFUSALS[code] ?? ["MAILBOX_REFUSED", `refuses with code ${code}`];
    const again = retryAfter > 0 ? `; again in ${Math.ceil(retryAfter / 1000)} s` : "";
    return new AlknetError(name, `mailbox ${this.#mailbox} ${text}${again}`);
  }
}
