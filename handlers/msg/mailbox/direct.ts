/**
 * The direct carrier: mailboxes are dialled (msg.md §4). Reading and sending go over connections of their own, each with a
 * key made for it alone, so that a mailbox does not see by the key who reads what and who sends.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { readU16 } from "../agreement/labels.ts";
import type { Address, Arrival, Carrier, Dial, Mailboxes, NewQueue, Stop } from "../carrier.ts";
import { AnswerType, type Frame, readItem, type Request } from "./frames.ts";
import { MailboxLink } from "./link.ts";
import { MSG_ALPN } from "./mailbox.ts";

/** What a connection is for. */
type Purpose = "read" | "send" | "create";

/** Items of a queue that are on their way here at a time. */
const WINDOW = 8;

/** A connection that is being made, or is there. */
interface Linking {
  readonly opening: Promise<MailboxLink>;
  link?: MailboxLink;
}

/** Options of {@linkcode mailboxClient}. */
export interface MailboxClientOptions {
  /** Makes connections. */
  readonly dial: Dial;
  /**
   * Milliseconds of silence after which a mailbox that is listened to is asked whether it is there, and that it has to say so.
   * Default 12 000.
   */
  readonly patience?: number;
}

/** Asks mailboxes directly. Disposing of it ends its connections. */
export function mailboxClient(options: MailboxClientOptions): Carrier & Mailboxes & AsyncDisposable {
  return new DirectCarrier(options);
}

class DirectCarrier implements Carrier, Mailboxes, AsyncDisposable {
  readonly #dial: Dial;
  readonly #patience?: number;
  readonly #links = new Map<string, Linking>();

  constructor({ dial, patience }: MailboxClientOptions) {
    this.#dial = dial;
    this.#patience = patience;
  }

  async prepare(mailbox: string, { signal }: Stop): Promise<void> {
    await this.#link(mailbox, "send", signal);
  }

  async send({ mailbox, id, cap }: Address, envelope: Uint8Array, stop: Stop): Promise<void> {
    await this.#ask(mailbox, "send", { type: "send", sid: id, scap: cap, envelope }, AnswerType.OK, stop);
  }

  async takeBundle({ mailbox, id, cap }: Address, stop: Stop): Promise<Uint8Array> {
    return (await this.#ask(mailbox, "send", { type: "take", sid: id, scap: cap }, AnswerType.BUNDLE, stop)).body;
  }

  async *receive(from: readonly Address[], stop: Stop): AsyncIterable<Arrival> {
    for (const address of from) {
      let last = 0n;
      for (;;) {
        const { mailbox, id: rid, cap: rcap } = address;
        const answer = await this.#ask(mailbox, "read", { type: "get", rid, rcap, flags: 0 }, undefined, stop);
        if (answer.type === AnswerType.EMPTY) break;
        if (answer.type !== AnswerType.ITEM) throw unexpected(mailbox);
        const { seq, kind, body } = readItem(answer);
        // What was not taken away comes again: its reader does not want it now.
        if (seq <= last) break;
        last = seq;
        yield { from: address, kind, bytes: body, ack: () => this.#acknowledge(address, seq, stop) };
      }
    }
  }

  async *listen(from: Address, stop: Stop): AsyncIterable<Arrival> {
    const { mailbox, id: rid, cap: rcap } = from;
    const link = await this.#link(mailbox, "read", stop.signal);
    for await (const frame of link.listen({ type: "sub", rid, rcap, window: WINDOW }, stop.signal)) {
      if (frame.type !== AnswerType.ITEM) throw unexpected(mailbox);
      const { seq, kind, body } = readItem(frame);
      yield { from, kind, bytes: body, ack: () => this.#acknowledge(from, seq, stop) };
    }
  }

  async create(mailbox: string, queue: NewQueue, stop: Stop): Promise<void> {
    await this.#ask(mailbox, "create", { type: "new", ...queue }, AnswerType.OK, stop);
  }

  async drop({ mailbox, id: rid, cap: rcap }: Address, stop: Stop): Promise<void> {
    await this.#ask(mailbox, "read", { type: "drop", rid, rcap }, AnswerType.OK, stop);
  }

  async publish(
    { mailbox, id: rid, cap: rcap }: Address,
    published: Parameters<Mailboxes["publish"]>[1],
    stop: Stop,
  ): Promise<number> {
    const { body } = await this.#ask(mailbox, "read", { type: "put", rid, rcap, ...published }, AnswerType.OK, stop);
    if (body.byteLength !== 2) throw unexpected(mailbox);
    return readU16(body);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const links = [...this.#links.values()];
    this.#links.clear();
    await Promise.allSettled(links.map(async ({ opening }) => await (await opening)[Symbol.asyncDispose]()));
  }

  async #acknowledge({ mailbox, id: rid, cap: rcap }: Address, seq: bigint, stop: Stop): Promise<void> {
    await this.#ask(mailbox, "read", { type: "ack", rid, rcap, seq }, AnswerType.OK, stop);
  }

  async #ask(
    mailbox: string,
    purpose: Purpose,
    request: Request,
    expected: number | undefined,
    { signal }: Stop,
  ): Promise<Frame> {
    const answer = await (await this.#link(mailbox, purpose, signal)).ask(request, signal);
    if (expected !== undefined && answer.type !== expected) throw unexpected(mailbox);
    return answer;
  }

  /** The connection for a purpose; those who ask while it is made share it. */
  async #link(mailbox: string, purpose: Purpose, signal: AbortSignal): Promise<MailboxLink> {
    const key = `${purpose} ${mailbox}`;
    const there = this.#links.get(key);
    if (there && !there.link?.isOver) return await there.opening;
    const opening = this.#dial(mailbox, MSG_ALPN, { signal, anonymous: purpose !== "create" })
      .then((connection) => MailboxLink.over(mailbox, connection, this.#patience));
    const linking: Linking = { opening };
    this.#links.set(key, linking);
    try {
      return linking.link = await opening;
    } catch (error) {
      if (this.#links.get(key) === linking) this.#links.delete(key);
      throw error;
    }
  }
}

function unexpected(mailbox: string): AlknetError {
  return new AlknetError("MAILBOX_ANSWER", `mailbox ${mailbox} answers what was not asked`);
}
