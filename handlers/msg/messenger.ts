/**
 * A messenger: tokens, contacts, and messages that go and come (msg.md §1).
 *
 * @module
 */
import { equalBytes, systemBytes } from "@alknet/core/crypto";
import { parseAddress } from "@alknet/core/address";
import { AlknetError } from "@alknet/core/handler";
import { nodeIdOf, parseNodeId } from "@alknet/core/identity";
import { formatToken, NAME_CHARACTERS, parseToken } from "./agreement/token.ts";
import type { Stop } from "./carrier.ts";
import { b64, readContent } from "./content/content.ts";
import { freshQueue, keptQueue, madeQueue } from "./flow/own_queues.ts";
import type { Parts } from "./flow/parts.ts";
import { receive } from "./flow/receiving.ts";
import { beginAnew, renewedQueue, restored } from "./flow/restoring.ts";
import { asFault, flush, sendOne, written } from "./flow/sending.ts";
import { watch } from "./flow/watching.ts";
import { type ContactRow, Contacts } from "./store/contacts.ts";
import { MessageStore } from "./store/message_store.ts";
import { type MessageRow, Messages, type MessageState } from "./store/messages.ts";
import { OwnQueues } from "./store/queues.ts";
import { Sessions } from "./store/sessions.ts";
import type {
  Contact,
  MadeToken,
  MessageEvent,
  MessageQuery,
  Messenger,
  MessengerOptions,
  StoredMessage,
  Synced,
  WaitingMessage,
} from "./types.ts";

const DEFAULT_MESSAGES = 100;
const MOST_MESSAGES = 500;

/**
 * Opens a messenger.
 *
 * @throws {AlknetError} `MESSAGE_STORE`: the database is none, or another vault's.
 */
export function openMessenger(options: MessengerOptions): Messenger {
  return new StoredMessenger(options);
}

class StoredMessenger implements Messenger {
  readonly fault?: AlknetError;
  readonly #parts: Parts;
  readonly #name: string;

  constructor(options: MessengerOptions) {
    const { keys, file, direct: carrier, name = "", mailbox, now = Date.now, random = systemBytes } = options;
    if (mailbox !== undefined) checkMailbox(mailbox);
    const store = new MessageStore(file, keys, random);
    this.#name = name;
    if (store.isRestored) this.fault = restored(file);
    this.#parts = {
      keys,
      store,
      contacts: new Contacts(store),
      queues: new OwnQueues(store, random),
      sessions: new Sessions(store),
      messages: new Messages(store),
      carrier,
      mailbox,
      random,
      now,
    };
  }

  async token(name: string, options: Stop & { readonly mailbox?: string }): Promise<MadeToken> {
    if (name !== "") checkName(name);
    const { queues, keys } = this.#parts;
    if (options.mailbox !== undefined) checkMailbox(options.mailbox);
    const mailbox = options.mailbox ?? queues.ofToken(name)?.mailbox ?? this.#parts.mailbox;
    if (mailbox === undefined) throw noMailbox();
    const kept = keptQueue(this.#parts, mailbox, { token: name });
    if (kept.mailbox !== mailbox) {
      const what = name === "" ? "the token without a name" : `token ${name}`;
      throw new AlknetError("TOKEN_ELSEWHERE", `${what} has its queue at ${kept.mailbox}; make one of another name`);
    }
    const { nodeId, host, port } = parseAddress(mailbox);
    const token = formatToken({
      once: false,
      ed: keys.ed,
      mailboxKey: parseNodeId(nodeId!),
      sid: kept.sid,
      t: kept.t,
      address: host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`,
      name: this.#name,
    });
    try {
      await madeQueue(this.#parts, (await renewedQueue(this.#parts, kept, options)).queue, options);
      return { token, mailbox, queue: "made" };
    } catch (error) {
      if (!isFault(error)) throw error;
      return { token, mailbox, queue: "pending", fault: asFault(error) };
    }
  }

  addContact(name: string, text: string): Contact {
    checkName(name);
    const token = parseToken(text.trim());
    // Those who were not named yet are called by their ids.
    if (isNodeId(name) && name !== nodeIdOf(token.ed)) {
      throw new AlknetError("BAD_NAME", "the name is the id of another key; choose another name");
    }
    const { store, contacts, sessions, keys } = this.#parts;
    if (equalBytes(token.ed, keys.ed)) throw new AlknetError("BAD_TOKEN", "the token is your own; give it to others");
    const to = { mailbox: `${nodeIdOf(token.mailboxKey)}@${token.address}`, sid: token.sid, t: token.t };
    checkMailbox(to.mailbox);
    return store.transaction(() => {
      const [named, known] = [contacts.find("name", name), contacts.find("ed", token.ed)];
      if (named && named.id !== known?.id) {
        throw new AlknetError(
          "NAME_TAKEN",
          `there is a contact ${name} already, with another key; choose another name`,
        );
      }
      if (!known) {
        return shown(contacts.add({ name, ed: token.ed, state: "accepted", to, verified: false }));
      }
      if (known.state !== "request" && known.name !== name) {
        throw new AlknetError("CONTACT_KNOWN", `the token is that of ${known.name}, who is a contact already`);
      }
      // Where a session sends already, its own queue is better than one that many know.
      const keeps = sessions.sending(known.id) !== undefined;
      return shown(contacts.change(known, { name, state: "accepted", to: keeps ? known.to : to }));
    });
  }

  contacts(): Contact[] {
    return this.#parts.contacts.list().map(shown);
  }

  decide(name: string, state: "accepted" | "blocked"): Contact {
    const { store, contacts } = this.#parts;
    return store.transaction(() => shown(contacts.change(this.#named(name), { state })));
  }

  async send(
    to: string,
    text: string,
    { queue = false, signal }: Stop & { readonly queue?: boolean },
  ): Promise<{ readonly id: string; readonly state: MessageState; readonly fault?: AlknetError }> {
    const { store, messages, random, now } = this.#parts;
    const contact = this.#named(to);
    if (contact.state === "blocked") {
      throw new AlknetError("BLOCKED", `${to} is blocked: alknet msg contact accept ${to}`);
    }
    if (!contact.to) {
      throw new AlknetError("NOT_SENT", `${to} has not said where to answer; ask for a token: alknet msg contact add`);
    }
    const id = b64(random(16));
    // Whoever answers a request has accepted it.
    if (contact.state === "request") this.decide(to, "accepted");
    const row = written(this.#parts, contact, { type: "text", id, at: now(), text });
    try {
      // What was written to the same contact before goes first.
      await flush(this.#parts, { signal }, (other) => other.contact === contact.id && other.id < row.id);
      const earlier = messages.outbox().find((other) => other.contact === contact.id && other.id < row.id);
      if (earlier) throw new AlknetError("NOT_SENT", `earlier messages to ${to} wait to be sent`);
      await sendOne(this.#parts, messages.outbox(row.id)[0] ?? row, { signal });
      return { id, state: "stored" };
    } catch (error) {
      if (!isFault(error)) throw error;
      const fault = asFault(error);
      if (queue && fault.code !== "TOO_LONG") {
        // Whoever sends what waits need not wait for this try.
        store.transaction(() => messages.postpone(row, now()));
        return { id, state: "waiting", fault };
      }
      store.transaction(() => messages.unqueue(row, "failed"));
      return { id, state: "failed", fault };
    }
  }

  async sync(stop: Stop): Promise<Synced> {
    const parts = this.#parts;
    const away = new Map<string, AlknetError>();
    let [received, unreadable, drained] = [0, 0, 0];
    for (const queue of parts.queues.list()) {
      if (away.has(queue.mailbox)) continue;
      try {
        const renewed = await renewedQueue(parts, queue, stop);
        received += renewed.received.messages;
        unreadable += renewed.received.unreadable;
        const fresh = await freshQueue(parts, await madeQueue(parts, renewed.queue, stop), stop);
        if (fresh.wasDrained && queue.token !== undefined) drained++;
        const got = await receive(parts, fresh.queue, stop);
        received += got.messages;
        unreadable += got.unreadable;
      } catch (error) {
        if (!isFault(error)) throw error;
        const fault = asFault(error);
        if (fault.code === "MESSAGE_STORE" || fault.code === "DISK_FULL") throw fault;
        away.set(queue.mailbox, fault);
      }
    }
    const resets = beginAnew(parts);
    // Somebody asked: what waits is tried now, whenever it would be due.
    const { sent, faults } = await flush(parts, stop, () => true);
    const waiting = parts.messages.outbox().filter(({ message }) => message !== undefined).length;
    return { received, sent, waiting, unreadable, drained, resets, faults: [...away.values(), ...faults] };
  }

  messages({ contact, after, limit = DEFAULT_MESSAGES, unread }: MessageQuery = {}): StoredMessage[] {
    const { messages } = this.#parts;
    const of = contact === undefined ? undefined : this.#named(contact).id;
    const place = after === undefined ? undefined : messages.placeOf(after);
    if (after !== undefined && place === undefined) {
      throw new AlknetError("NO_MESSAGE", "there is no message of that id");
    }
    return this.#shown(messages.list({ contact: of, after: place, limit: Math.min(limit, MOST_MESSAGES), unread }));
  }

  watch(options: Stop & { readonly onFault?: (fault: AlknetError) => void }): AsyncIterable<MessageEvent> {
    const { messages } = this.#parts;
    const behind = (after: number, limit: number) => {
      const rows = messages.list({ after, limit });
      return this.#shown(rows).map((message, i) => ({ ...message, place: rows[i].place }));
    };
    return watch(this.#parts, { ...options, behind });
  }

  waiting(): WaitingMessage[] {
    const { contacts, messages } = this.#parts;
    return messages.outbox().flatMap(({ message: id, contact, tries, due }) =>
      id === undefined ? [] : [{ id, contact: contacts.find("id", contact)?.name ?? "-", tries, due }]
    );
  }

  markRead(shown: readonly StoredMessage[]): void {
    const { store, messages, contacts } = this.#parts;
    store.transaction(() => {
      for (const { id, contact } of shown.filter(({ mine }) => !mine)) {
        const of = contacts.find("name", contact);
        if (of) messages.markRead(of.id, id);
      }
    });
  }

  [Symbol.dispose](): void {
    this.#parts.store[Symbol.dispose]();
  }

  #shown(rows: readonly MessageRow[]): StoredMessage[] {
    if (rows.length === 0) return [];
    const known = new Map(this.#parts.contacts.list().map((one) => [one.id, one]));
    return rows.map((row) => shownMessage(row, known.get(row.contact)));
  }

  #named(name: string): ContactRow {
    const contact = this.#parts.contacts.find("name", name);
    if (contact) return contact;
    throw new AlknetError(
      "NO_CONTACT",
      `there is no contact ${JSON.stringify(name)}; alknet msg contact list names them`,
    );
  }
}

function shown({ id, name, ed, state, verified, to }: ContactRow): Contact {
  return { id, name, nodeId: nodeIdOf(ed), state, verified, ...to && { mailbox: to.mailbox } };
}

function shownMessage({ id, mine, at, got, state, content }: MessageRow, contact?: ContactRow): StoredMessage {
  const read = readContent(content);
  const text = read.type === "text" ? read.text : "";
  return { id, contact: contact?.name ?? "-", request: contact?.state === "request", mine, at, got, state, text };
}

/** Whether what failed was sending or receiving, and not the program. */
function isFault(error: unknown): boolean {
  return error instanceof AlknetError || (error as Error).name === "TimeoutError";
}

function checkName(name: string): void {
  // deno-lint-ignore no-control-regex -- those are what is refused.
  if ([...name].length <= NAME_CHARACTERS && /^[^\s\x00-\x1f\x7f-\x9f-][^\s\x00-\x1f\x7f-\x9f]*$/.test(name)) return;
  throw new AlknetError(
    "BAD_NAME",
    `a name has 1 to ${NAME_CHARACTERS} characters, no spaces, and does not begin with a dash`,
  );
}

function isNodeId(name: string): boolean {
  try {
    parseNodeId(name);
    return true;
  } catch {
    return false;
  }
}

function checkMailbox(mailbox: string): void {
  if (parseAddress(mailbox).nodeId !== undefined) return;
  throw new AlknetError(
    "NO_MAILBOX",
    `mailbox ${mailbox} names no key; write ID@HOST:PORT, its id as alknet id says it`,
  );
}

function noMailbox(): AlknetError {
  return new AlknetError(
    "NO_MAILBOX",
    "no mailbox is named; give --mailbox ID@HOST:PORT, or handlers.messenger.mailbox in the configuration",
  );
}
