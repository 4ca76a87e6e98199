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
  #next = 1;
  #over: unknown;

  private constructor(mailbox: string, connection: Connection, writer: WritableStreamDefaultWriter<Uint8Array>) {
    this.#mailbox = mailbox;
    this.#connection = connection;
    this.#writer = writer;
  }

  /** Takes a connection over. */
  static async over(mailbox: string, connection: Connection): Promise<MailboxLink> {
    try {
      const { readable, writable } = await connection.open();
      const link = new MailboxLink(mailbox, connection, writable.getWriter());
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
    signal.throwIfAborted();
    if (this.#over !== undefined) throw this.#over;
    const id = this.#next++;
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
      for await (const frame of framesOf(readable)) this.#pending.get(frame.id)?.resolve(frame);
      this.#end(undefined);
    } catch (error) {
      this.#end(error);
    }
  }

  #end(cause: unknown): void {
    if (this.#over !== undefined) return;
    this.#over = new AlknetError("MAILBOX_AWAY", `mailbox ${this.#mailbox} ended the connection; try again`, { cause });
    for (const { reject } of this.#pending.values()) reject(this.#over);
    if (cause instanceof AlknetError && cause.code === "BAD_FRAME") this.#connection.close();
  }

  #refused({ code, retryAfter }: { readonly code: number; readonly retryAfter: number }): AlknetError {
    const [name, text] = REFUSALS[code] ?? ["MAILBOX_REFUSED", `refuses with code ${code}`];
    const again = retryAfter > 0 ? `; again in ${Math.ceil(retryAfter / 1000)} s` : "";
    return new AlknetError(name, `mailbox ${this.#mailbox} ${text}${again}`);
  }
}
