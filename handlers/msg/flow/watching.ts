/**
 * Watching: own queues are listened to, what waits is sent, and what happens is told, whoever of those that share the
 * database did it (msg.md §1, `watch`).
 *
 * @module
 */
import type { AlknetError } from "@alknet/core/handler";
import type { OutboxRow } from "../store/messages.ts";
import type { MessageState } from "../store/messages.ts";
import type { MessageEvent, StoredMessage } from "../types.ts";
import { Bell } from "../bell.ts";
import { MailboxListener } from "./listening.ts";
import type { Parts } from "./parts.ts";
import { beginAnew } from "./restoring.ts";
import { flush } from "./sending.ts";

/** Milliseconds from one look at what others have changed in the database to the next. */
const LOOK = 1000;
/** Messages of one look at the store. */
const AT_ONCE = 100;
/** Own messages whose receipts are told. */
const OWN = 500;
/** Whoever wrote something tries to send it for that long; what is left then is sent here. */
const OTHERS_TRY = 15_000;
const SENDING = 30_000;

/** What watching needs beside the parts. */
export interface WatchOptions {
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Told of what cannot be done for now; it is tried again. */
  readonly onFault?: (fault: AlknetError) => void;
  /** Whether it tells of what others receive and send, and does neither. */
  readonly looksOnly?: boolean;
  /** Others' messages behind a place, as people see them. */
  readonly behind: (place: number, limit: number) => readonly (StoredMessage & { readonly place: number })[];
}

/** Tells what happens, from now on until the signal. Beginning is at once, telling as it is asked for. */
export function watch(parts: Parts, options: WatchOptions): AsyncIterable<MessageEvent> {
  return new Watch(parts, options).events();
}

class Watch {
  readonly #parts: Parts;
  readonly #options: WatchOptions;
  readonly #bell = new Bell();
  /** What is to be told, in order. */
  readonly #events: MessageEvent[] = [];
  /** Contacts that wait to be accepted, and were told of. */
  readonly #requests: Set<string>;
  /** Of the last message that was told of. */
  #place: number;
  /** Whether the store is to be looked at, whatever others do. */
  #isNew = true;
  /** What has become of the last of one's own, by place. */
  #states: Map<number, MessageState>;
  #failure?: { readonly error: unknown };

  constructor(parts: Parts, options: WatchOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#place = parts.messages.lastPlace();
    this.#requests = new Set(this.#requesting());
    this.#states = new Map(parts.messages.ownStates(OWN).map(({ place, state }) => [place, state]));
  }

  async *events(): AsyncGenerator<MessageEvent> {
    const { queues, store } = this.#parts;
    const inner = new AbortController();
    const signal = AbortSignal.any([this.#options.signal, inner.signal]);
    const fail = (error: unknown): void => {
      if (signal.aborted) return;
      this.#failure = { error };
      inner.abort();
    };
    const { looksOnly = false } = this.#options;
    const tasks = new Map(looksOnly ? [] : [["", this.#send(signal).catch(fail)]]);
    let version = store.database.version;
    try {
      while (!signal.aborted) {
        const current = store.database.version;
        // Another program may have made a queue.
        if (current !== version) this.#bell.ring();
        if (current !== version || this.#isNew) {
          version = current;
          this.#isNew = false;
          for (const mailbox of new Set(queues.list().map(({ mailbox }) => mailbox))) {
            if (!looksOnly && !tasks.has(mailbox)) tasks.set(mailbox, this.#listener(mailbox).run(signal).catch(fail));
          }
          this.#look();
        }
        for (let event; (event = this.#events.shift()) !== undefined;) yield event;
        if (!this.#isNew) await this.#bell.wait(LOOK, signal);
      }
      if (this.#failure) throw this.#failure.error;
    } finally {
      inner.abort();
      await Promise.allSettled(tasks.values());
    }
  }

  /** What has come into the store. */
  #look(): void {
    this.#lookAtOwn();
    const messages = this.#options.behind(this.#place, AT_ONCE);
    if (messages.length === 0) return;
    this.#place = messages.at(-1)!.place;
    this.#isNew = messages.length === AT_ONCE;
    for (const contact of this.#requesting()) {
      if (this.#requests.has(contact)) continue;
      this.#requests.add(contact);
      this.#events.push({ event: "request", contact });
    }
    for (const { place: _, ...message } of messages) {
      if (!message.mine) this.#events.push({ event: "message", message });
    }
  }

  /** Receipts, whoever received them; what was sent is told by whoever sent it. */
  #lookAtOwn(): void {
    const rows = this.#parts.messages.ownStates(OWN);
    for (const { place, id, state } of rows.toReversed()) {
      const isNews = this.#states.get(place) !== state && (state === "delivered" || state === "read");
      if (isNews) this.#events.push({ event: "state", id, state });
    }
    this.#states = new Map(rows.map(({ place, state }) => [place, state]));
  }

  #listener(mailbox: string): MailboxListener {
    return new MailboxListener(this.#parts, mailbox, this.#bell, {
      came: ({ contact }, outcome) => {
        if (outcome === "unreadable") {
          this.#events.push({ event: "unreadable", contact: this.#nameOf(contact) });
          // It may have been the last straw.
          if (beginAnew(this.#parts) > 0) this.#events.push({ event: "reset", contact: this.#nameOf(contact) });
        }
        this.#isNew = true;
        this.#bell.ring();
      },
      fault: (fault) => this.#options.onFault?.(fault),
    });
  }

  /** Sends what is due, until the signal. */
  async #send(signal: AbortSignal): Promise<void> {
    const { messages, now } = this.#parts;
    beginAnew(this.#parts);
    let isTold = false;
    while (!signal.aborted) {
      const isDue = ({ due, made, tries, message }: OutboxRow): boolean =>
        due <= now() && (tries > 0 || message === undefined || made <= now() - OTHERS_TRY);
      const waiting = messages.outbox();
      if (waiting.some(isDue)) {
        try {
          const stop = { signal: AbortSignal.any([signal, AbortSignal.timeout(SENDING)]) };
          const { faults } = await flush(this.#parts, stop, isDue);
          if (faults.length > 0 && !isTold) this.#options.onFault?.(faults[0]);
          isTold = faults.length > 0;
        } catch (error) {
          if (signal.aborted) return;
          throw error;
        }
        for (const row of waiting) this.#sent(row);
      }
      await this.#bell.wait(LOOK, signal);
    }
  }

  /** Tells what has become of one that was on its way. */
  #sent({ id, contact, message }: OutboxRow): void {
    const { messages } = this.#parts;
    if (message === undefined || messages.outbox(id).length > 0) return;
    const state = messages.own(contact, message)?.state;
    if (state === undefined || state === "waiting") return;
    this.#events.push({ event: "state", id: message, state });
    this.#bell.ring();
  }

  #requesting(): string[] {
    return this.#parts.contacts.people().filter(({ state }) => state === "request").map(({ name }) => name);
  }

  #nameOf(contact: number | undefined): string | undefined {
    return contact === undefined ? undefined : this.#parts.contacts.find("id", contact)?.name;
  }
}
