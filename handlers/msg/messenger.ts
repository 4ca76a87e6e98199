/**
 * A messenger: tokens, contacts, and messages that go and come (msg.md §1).
 *
 * @module
 */
import { systemBytes } from "@alknet/core/crypto";
import { parseAddress } from "@alknet/core/address";
import { AlknetError } from "@alknet/core/handler";
import { nodeIdOf, parseNodeId } from "@alknet/core/identity";
import { formatToken } from "./agreement/token.ts";
import type { Stop } from "./carrier.ts";
import { b64 } from "./content/bytes.ts";
import { type FileContent, readContent, type TextContent } from "./content/content.ts";
import { readMarks } from "./content/marks.ts";
import { dayOf } from "./agreement/labels.ts";
import { addContact, decided, dropQueues, removeContact, safetyNumberOf } from "./flow/contacting.ts";
import { attached, isStreamed, MOST_FILE, noBlobs, received, wipeKey } from "./flow/attachments.ts";
import { tellList } from "./flow/devices.ts";
import { checkMailbox, checkName } from "./flow/names.ts";
import { freshQueue, keptQueue, madeQueue } from "./flow/own_queues.ts";
import { isGroup, messageIn } from "./flow/groups.ts";
import { StoredGroups } from "./flow/own_groups.ts";
import { StoredDevices } from "./flow/own_devices.ts";
import type { Parts } from "./flow/parts.ts";
import { acknowledge } from "./flow/receipts.ts";
import { receive } from "./flow/receiving.ts";
import { beginAnew, renewedQueue, restored } from "./flow/restoring.ts";
import { asFault, flush, isFault, sendOne, written } from "./flow/sending.ts";
import { watch } from "./flow/watching.ts";
import { type ContactRow, Contacts } from "./store/contacts.ts";
import { MessageStore } from "./store/message_store.ts";
import { type MessageRow, Messages } from "./store/messages.ts";
import { Partials } from "./store/partials.ts";
import { OwnQueues } from "./store/queues.ts";
import { Sessions } from "./store/sessions.ts";
import type {
  Contact,
  Groups,
  MadeToken,
  MessageEvent,
  MessageQuery,
  Messenger,
  MessengerOptions,
  Outgoing,
  OutgoingFile,
  OwnDevices,
  ReceivedFile,
  SentMessage,
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
  readonly devices: OwnDevices;
  readonly #groups: StoredGroups;
  readonly #parts: Parts;

  constructor(options: MessengerOptions) {
    const { keys, file, direct: carrier, blobs, name = "", mailbox, readReceipts = false } = options;
    const { now = Date.now, random = systemBytes } = options;
    if (mailbox !== undefined) checkMailbox(mailbox);
    const store = new MessageStore(file, keys, random);
    if (store.isRestored) this.fault = restored(file);
    this.#parts = {
      keys,
      store,
      contacts: new Contacts(store),
      queues: new OwnQueues(store, random),
      sessions: new Sessions(store),
      messages: new Messages(store),
      partials: new Partials(store),
      name,
      readReceipts,
      carrier,
      blobs,
      mailbox,
      random,
      now,
    };
    this.#groups = new StoredGroups(this.#parts);
    this.devices = new StoredDevices(this.#parts);
  }

  get groups(): Groups {
    return this.#groups;
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
      name: this.#parts.name,
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
    return shown(addContact(this.#parts, name, text));
  }

  contacts(): Contact[] {
    return this.#parts.contacts.people().map(shown);
  }

  decide(name: string, state: "accepted" | "blocked"): Contact {
    return this.#parts.store.transaction(() => shown(decided(this.#parts, this.#named(name), state)));
  }

  async remove(name: string, options: Stop): Promise<{ readonly fault?: AlknetError }> {
    return { fault: await removeContact(this.#parts, this.#named(name), options) };
  }

  async revoke(name: string, options: Stop): Promise<{ readonly fault?: AlknetError }> {
    const { store, queues } = this.#parts;
    store.transaction(() => {
      const queue = queues.ofToken(name);
      if (!queue) throw noToken(name);
      queues.abandon(queue);
    });
    return { fault: (await dropQueues(this.#parts, options))[0] };
  }

  safetyNumber(name: string): string {
    return safetyNumberOf(this.#parts, this.#named(name));
  }

  verify(name: string, number: string): Contact {
    const { store, contacts } = this.#parts;
    return store.transaction(() => {
      const contact = this.#named(name);
      if (safetyNumberOf(this.#parts, contact) === number) return shown(contacts.change(contact, { verified: true }));
      throw new AlknetError("IDENTITY_CHANGED", `${name} has another key by now; compare the numbers anew`);
    });
  }

  async send(
    to: string,
    what: Outgoing,
    { queue = false, signal }: Stop & { readonly queue?: boolean },
  ): Promise<SentMessage> {
    const { store, messages, contacts, random, now } = this.#parts;
    if (isGroup(contacts.find("name", to))) {
      this.#groups.assertWritable(to);
      return await this.#groups.send(to, await this.#outgoing(what, { signal }), { queue, signal });
    }
    const contact = this.#named(to);
    if (contact.state === "blocked") {
      throw new AlknetError("BLOCKED", `${to} is blocked: alknet msg contact accept ${to}`);
    }
    if (!contact.to) {
      throw new AlknetError("NOT_SENT", `${to} has not said where to answer; ask for a token: alknet msg contact add`);
    }
    const outgoing = await this.#outgoing(what, { signal });
    const id = b64(random(16));
    // Whoever answers a request has accepted it.
    if (contact.state === "request") this.decide(to, "accepted");
    const { row, copies } = written(this.#parts, contact, { ...outgoing, id, at: now() });
    wipeKey(outgoing);
    try {
      // What was written to the same contact before goes first.
      await flush(this.#parts, { signal }, (other) => other.contact === contact.id && other.id < row.id);
      const earlier = messages.outbox().find((other) => other.contact === contact.id && other.id < row.id);
      if (earlier) throw new AlknetError("NOT_SENT", `earlier messages to ${to} wait to be sent`);
      await sendOne(this.#parts, messages.outbox(row.id)[0] ?? row, { signal });
      const ids = new Set(copies.map(({ id }) => id));
      // Those that cannot be sent now are tried again.
      if (ids.size > 0) await flush(this.#parts, { signal }, (other) => ids.has(other.id));
      return { id, state: "stored" };
    } catch (error) {
      if (!isFault(error)) throw error;
      const fault = asFault(error);
      if (queue && fault.code !== "TOO_LONG") {
        // Whoever sends what waits need not wait for this try.
        store.transaction(() => messages.postpone(row, now()));
        return { id, state: "waiting", fault };
      }
      store.transaction(() => {
        for (const one of [row, ...copies]) messages.unqueue(one, "failed");
      });
      return { id, state: "failed", fault };
    }
  }

  async sync(stop: Stop): Promise<Synced> {
    const parts = this.#parts;
    const { store, partials, now } = parts;
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
    const kept = await dropQueues(parts, stop);
    store.transaction(() => partials.sweep(dayOf(now())));
    const resets = beginAnew(parts);
    store.transaction(() => tellList(parts));
    // Somebody asked: what waits is tried now, whenever it would be due.
    const { sent, faults } = await flush(parts, stop, () => true);
    const waiting = new Set(this.waiting().map(({ id }) => id)).size;
    return { received, sent, waiting, unreadable, drained, resets, faults: [...away.values(), ...kept, ...faults] };
  }

  messages({ contact, after, limit = DEFAULT_MESSAGES, unread }: MessageQuery = {}): StoredMessage[] {
    const { messages } = this.#parts;
    const of = contact === undefined ? undefined : this.#named(contact, true).id;
    const place = after === undefined ? undefined : messages.placeOf(after);
    if (after !== undefined && place === undefined) {
      throw new AlknetError("NO_MESSAGE", "there is no message of that id");
    }
    return this.#shown(messages.list({ contact: of, after: place, limit: Math.min(limit, MOST_MESSAGES), unread }));
  }

  watch(
    options: Stop & { readonly onFault?: (fault: AlknetError) => void; readonly looksOnly?: boolean },
  ): AsyncIterable<MessageEvent> {
    const { messages } = this.#parts;
    const behind = (after: number, limit: number) => {
      const rows = messages.list({ after, limit });
      return this.#shown(rows).map((message, i) => ({ ...message, place: rows[i].place }));
    };
    return watch(this.#parts, { ...options, behind });
  }

  waiting(): WaitingMessage[] {
    const { contacts, messages } = this.#parts;
    return messages.outbox().flatMap((row) => {
      const id = messageIn(row);
      const contact = contacts.find("id", row.contact);
      if (id === undefined || !contact) return [];
      return [{ id, contact: contacts.whose(contact).name, tries: row.tries, due: row.due }];
    });
  }

  markRead(shown: readonly StoredMessage[]): void {
    const { store, messages, contacts, readReceipts } = this.#parts;
    store.transaction(() => {
      const read = new Map<number, string[]>();
      for (const { id, contact } of shown.filter(({ mine }) => !mine)) {
        const of = contacts.find("name", contact);
        if (of && messages.markRead(of.id, id)) read.set(of.id, [...read.get(of.id) ?? [], id]);
      }
      if (!readReceipts) return;
      for (const [contact, ids] of read) acknowledge(this.#parts, contact, "read", ids);
    });
  }

  file(contact: string, id: string, stop: Stop): ReceivedFile {
    const row = this.#parts.messages.find(this.#named(contact, true).id, id);
    const content = row && readContent(row.content);
    if (content?.type === "file") return received(this.#parts, content, stop);
    throw new AlknetError("NO_FILE", row ? "the message is no file" : "there is no message of that id");
  }

  [Symbol.dispose](): void {
    this.#parts.store[Symbol.dispose]();
  }

  #shown(rows: readonly MessageRow[]): StoredMessage[] {
    if (rows.length === 0) return [];
    const known = new Map(this.#parts.contacts.list().map((one) => [one.id, one]));
    return rows.map((row) => {
      const contact = known.get(row.contact);
      const message = shownMessage(row, contact);
      if (!contact?.group) return message;
      const { from, differs } = readMarks(row.content);
      if (!from || row.mine) return message;
      const name = this.#parts.contacts.find("ed", from)?.name ?? nodeIdOf(from);
      return { ...message, from: name, ...differs && { differs } };
    });
  }

  async #outgoing(what: Outgoing, stop: Stop): Promise<TextContent | FileContent> {
    if (typeof what === "object" && (what.name === "" || [...what.name].length > 255 || /[/\\]/.test(what.name))) {
      throw new AlknetError("BAD_NAME", "a file has a name of 1 to 255 characters, which is no path");
    }
    return isStreamed(what) ? await attached(this.#parts, what, stop) : small(what);
  }

  /** @param mayBeGroup Whether that will do. */
  #named(name: string, mayBeGroup = false): ContactRow {
    const contact = this.#parts.contacts.find("name", name);
    if (contact && contact.deviceOf === undefined && (mayBeGroup || !isGroup(contact))) return contact;
    throw new AlknetError(
      "NO_CONTACT",
      `there is no contact ${JSON.stringify(name)}; alknet msg contact list names them`,
    );
  }
}

function shown({ id, name, ed, state, verified, to, asks }: ContactRow): Contact {
  return { id, name, nodeId: nodeIdOf(ed), state, verified, ...to && { mailbox: to.mailbox }, ...asks && { asks } };
}

function shownMessage({ id, mine, at, got, state, content }: MessageRow, contact?: ContactRow): StoredMessage {
  const read = readContent(content);
  const text = read.type === "text" ? read.text : "";
  const file = read.type === "file" && { file: { name: read.name, mime: read.mime, size: read.size } };
  const request = contact?.state === "request";
  return { id, contact: contact?.name ?? "-", request, mine, at, got, state, text, ...file };
}

/** A text or a small file, as a content. */
function small(what: Exclude<Outgoing, OutgoingFile>): TextContent | FileContent {
  if (typeof what === "string") return { type: "text", text: what };
  const { name, mime, data } = what;
  if (data.byteLength > MOST_FILE) throw noBlobs(data.byteLength);
  return { type: "file", name, size: data.byteLength, mime, data };
}

function noToken(name: string): AlknetError {
  return new AlknetError("NO_TOKEN", name === "" ? "there is no token without a name" : `there is no token ${name}`);
}

function noMailbox(): AlknetError {
  return new AlknetError(
    "NO_MAILBOX",
    "no mailbox is named; give --mailbox ID@HOST:PORT, or handlers.messenger.mailbox in the configuration",
  );
}
