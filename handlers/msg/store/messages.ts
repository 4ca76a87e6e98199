/**
 * Messages, and those on their way, as they are kept.
 *
 * @module
 */
import { equalBytes } from "@alknet/core/crypto";
import { b64, bytesOf } from "../content/bytes.ts";
import type { Address } from "../carrier.ts";
import type { MessageStore } from "./message_store.ts";

/** What has become of a message: of another's, `delivered` until it was shown, then `read`. */
export type MessageState = "waiting" | "stored" | "delivered" | "read" | "failed";

/** States that another's receipt gives, which nothing takes back. */
const RANK: Partial<Record<MessageState, number>> = { delivered: 1, read: 2 };

/** A message. */
export interface MessageRow {
  /** Rises. */
  readonly place: number;
  /** Whose, or to whom. */
  readonly contact: number;
  /** Whether it was written here. */
  readonly mine: boolean;
  /** 16 bytes, b64. */
  readonly id: string;
  /** When it was written, as its writer says: milliseconds since 1970. */
  readonly at: number;
  /** When it came here. */
  readonly got: number;
  /** See {@linkcode MessageState}. */
  readonly state: MessageState;
  /** The content, as it went or came, without what is for the program alone. */
  readonly content: Uint8Array;
}

/** A message on its way. */
export interface OutboxRow {
  /** Rises. */
  readonly id: number;
  /** To whom. */
  readonly contact: number;
  /** Id of the message, b64; absent: what is no message. */
  readonly message?: string;
  /** Of what is no message; absent: what begins a session anew. */
  readonly content?: Uint8Array;
  /** Milliseconds since 1970. */
  readonly made: number;
  /** How often it was tried. */
  readonly tries: number;
  /** When it is tried again. */
  readonly due: number;
  /** Where it goes, sealed; absent while nothing is known to seal it with. */
  readonly sealed?: Sealed;
}

/** What is on its way, sealed. */
export interface Sealed {
  /** Where it goes. */
  readonly to: Address;
  /** Those that the mailbox does not have yet, one at least; of a content in parts several. */
  readonly envelopes: readonly Uint8Array[];
}

interface RawMessage extends Omit<MessageRow, "mine" | "id" | "content"> {
  readonly mine: number;
  readonly id: Uint8Array;
  readonly secret: Uint8Array;
}

interface RawOutbox extends Omit<OutboxRow, "message" | "content" | "sealed"> {
  readonly message: Uint8Array | null;
  readonly secret: Uint8Array;
}

/** Which messages are meant. */
export interface MessageChoice {
  /** Of this contact alone. */
  readonly contact?: number;
  /** Behind this place. */
  readonly after?: number;
  /** At most so many: the last, or with `after` the first. */
  readonly limit: number;
  /** Those that were not shown alone. */
  readonly unread?: boolean;
}

/** Messages of a store. What changes something is called in a transaction. */
export class Messages {
  readonly #store: MessageStore;

  /** Those of a store. */
  constructor(store: MessageStore) {
    this.#store = store;
  }

  /** Keeps one. Whether it was not there. */
  add(message: Omit<MessageRow, "place">): boolean {
    const { contact, mine, at, got, state, content } = message;
    const id = bytesOf(message.id)!;
    const there = "SELECT 1 FROM message WHERE contact = ? AND mine = ? AND id = ?";
    if (this.#store.has(there, contact, mine ? 1 : 0, id)) return false;
    const place = this.#store.nextId("message");
    const secret = this.#store.seal("message", [place], content);
    const sql =
      "INSERT INTO message (place, contact, mine, id, at, got, state, secret) VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
    this.#store.database.run(sql, place, contact, mine ? 1 : 0, id, at, got, state, secret);
    return true;
  }

  /** One's own. */
  own(contact: number, id: string): MessageRow | undefined {
    const sql = "SELECT * FROM message WHERE contact = ? AND mine = 1 AND id = ?";
    const row = this.#store.database.get<RawMessage>(sql, contact, bytesOf(id)!);
    return row && this.#read(row);
  }

  /** Another's. */
  other(contact: number, id: string): MessageRow | undefined {
    const sql = "SELECT * FROM message WHERE contact = ? AND mine = 0 AND id = ?";
    const row = this.#store.database.get<RawMessage>(sql, contact, bytesOf(id)!);
    return row && this.#read(row);
  }

  /** Ids of one's own that wait. */
  waitingOf(contact: number): string[] {
    const sql = "SELECT id FROM message WHERE contact = ? AND mine = 1 AND state = 'waiting'";
    return this.#store.database.all<{ id: Uint8Array }>(sql, contact).map(({ id }) => b64(id));
  }

  /** One of a contact, the other's before one's own. */
  find(contact: number, id: string): MessageRow | undefined {
    const sql = "SELECT * FROM message WHERE contact = ? AND id = ? ORDER BY mine LIMIT 1";
    const row = this.#store.database.get<RawMessage>(sql, contact, bytesOf(id) ?? new Uint8Array());
    return row && this.#read(row);
  }

  /** What has become of one's own. What was read stays read, and what was delivered delivered. */
  setState(contact: number, id: string, state: MessageState): void {
    const sql = "UPDATE message SET state = ?1 WHERE contact = ?2 AND mine = 1 AND id = ?3 AND " +
      "CASE state WHEN 'read' THEN 2 WHEN 'delivered' THEN 1 ELSE 0 END <= ?4";
    this.#store.database.run(sql, state, contact, bytesOf(id)!, RANK[state] ?? 0);
  }

  /** Another's was shown. Whether it was not before. */
  markRead(contact: number, id: string): boolean {
    const sql = "UPDATE message SET state = 'read' WHERE contact = ? AND mine = 0 AND id = ? AND state <> 'read'";
    return this.#store.database.run(sql, contact, bytesOf(id)!).changes > 0;
  }

  /** How many of a contact there are, and their bytes; those of a content that is not whole yet count. */
  sizeOf(contact: number): { readonly count: number; readonly bytes: number } {
    const sql = "SELECT count(*) AS count, coalesce(sum(length(secret)), 0) AS bytes FROM " +
      "(SELECT secret FROM message WHERE contact = ?1 AND mine = 0 UNION ALL SELECT secret FROM part WHERE contact = ?1)";
    return this.#store.database.get<{ count: number; bytes: number }>(sql, contact)!;
  }

  /** Ids of all of a contact. */
  idsOf(contact: number): string[] {
    const sql = "SELECT id FROM message WHERE contact = ? AND mine = 0 ORDER BY place";
    return this.#store.database.all<{ id: Uint8Array }>(sql, contact).map(({ id }) => b64(id));
  }

  /** What has become of the last of one's own: by place, without their contents. */
  ownStates(limit: number): { readonly place: number; readonly id: string; readonly state: MessageState }[] {
    const sql = "SELECT place, id, state FROM message WHERE mine = 1 ORDER BY place DESC LIMIT ?";
    const rows = this.#store.database.all<{ place: number; id: Uint8Array; state: MessageState }>(sql, limit);
    return rows.map(({ id, ...row }) => ({ ...row, id: b64(id) }));
  }

  /** Forgets all of a contact, and what is on its way there. */
  forget(contact: number): void {
    for (const table of ["message", "outbox", "part"]) {
      this.#store.database.run(`DELETE FROM ${table} WHERE contact = ?`, contact);
    }
  }

  /** The place of a message, by its id. */
  placeOf(id: string): number | undefined {
    const sql = "SELECT place FROM message WHERE id = ?";
    return this.#store.database.get<{ place: number }>(sql, bytesOf(id) ?? new Uint8Array())?.place;
  }

  /** The place of the last; 0 where there is none. */
  lastPlace(): number {
    return this.#store.database.get<{ n: number }>("SELECT coalesce(max(place), 0) AS n FROM message")!.n;
  }

  /** In order of their places. */
  list({ contact, after, limit, unread = false }: MessageChoice): MessageRow[] {
    const where = "(?1 IS NULL OR contact = ?1) AND place > ?2 AND (?3 = 0 OR (mine = 0 AND state = 'delivered'))";
    const order = after === undefined ? "DESC" : "ASC";
    const sql = `SELECT * FROM message WHERE ${where} ORDER BY place ${order} LIMIT ?4`;
    const rows = this.#store.database.all<RawMessage>(sql, contact ?? null, after ?? 0, unread ? 1 : 0, limit);
    return rows.map((row) => this.#read(row)).sort((a, b) => a.place - b.place);
  }

  /**
   * Puts one on its way: a message by its id, or what is none by its content.
   *
   * @param wait Milliseconds for which it is not due.
   */
  queue(contact: number, message: string | undefined, now: number, content?: Uint8Array, wait = 0): OutboxRow {
    const due = now + wait;
    const row = { id: this.#store.nextId("outbox"), contact, message, content, made: now, tries: 0, due };
    const sql = "INSERT INTO outbox (id, contact, message, made, tries, due, secret) VALUES (?, ?, ?, ?, 0, ?, ?)";
    const secret = this.#store.sealJson("outbox", [row.id], { content: content && b64(content) });
    this.#store.database.run(sql, row.id, contact, bytesOf(message) ?? null, now, due, secret);
    return row;
  }

  /** All on their way, in order; or one. */
  outbox(id?: number): OutboxRow[] {
    const sql = "SELECT * FROM outbox WHERE ?1 IS NULL OR id = ?1 ORDER BY id";
    return this.#store.database.all<RawOutbox>(sql, id ?? null).map((row) => this.#readOutbox(row));
  }

  /** Those of a contact that are no messages. */
  besides(contact: number): OutboxRow[] {
    const sql = "SELECT * FROM outbox WHERE contact = ? AND message IS NULL ORDER BY id";
    return this.#store.database.all<RawOutbox>(sql, contact).map((row) => this.#readOutbox(row));
  }

  /** Another content of one that is no message and is not sealed. */
  putContent({ id }: OutboxRow, content: Uint8Array): void {
    this.#putSecret(id, { content: b64(content) });
  }

  /** Keeps the envelopes of one. */
  putEnvelopes({ id, content }: OutboxRow, { to, envelopes: [envelope, ...rest] }: Sealed): void {
    const json = { mailbox: to.mailbox, sid: b64(to.id), scap: b64(to.cap), envelope: b64(envelope) };
    this.#putSecret(id, { ...json, content: content && b64(content), ...rest.length > 0 && { rest: rest.map(b64) } });
  }

  /** The mailbox has an envelope of one. Gives what is left to send, whoever sent the others. */
  wasStored({ id }: OutboxRow, envelope: Uint8Array): Sealed | undefined {
    const [row] = this.outbox(id);
    if (!row?.sealed) return undefined;
    const { to, envelopes } = row.sealed;
    const left = { to, envelopes: envelopes.filter((other) => !equalBytes(other, envelope)) };
    if (left.envelopes.length > 0) {
      this.putEnvelopes(row, left);
      return left;
    }
    this.unqueue(row, "stored");
    return undefined;
  }

  /** One could not be sent, and is tried again. */
  postpone({ id, tries }: OutboxRow, due: number): void {
    this.#store.database.run("UPDATE outbox SET tries = ?, due = ? WHERE id = ?", tries + 1, due, id);
  }

  /** One is on its way no more. Whether it was. */
  unqueue({ id, contact, message }: OutboxRow, state: MessageState): boolean {
    const { changes } = this.#store.database.run(
      "DELETE FROM outbox WHERE id = ? AND message IS ?",
      id,
      bytesOf(message) ?? null,
    );
    if (changes > 0 && message !== undefined) this.setState(contact, message, state);
    return changes > 0;
  }

  #read({ mine, id, secret, ...row }: RawMessage): MessageRow {
    return { ...row, mine: mine === 1, id: b64(id), content: this.#store.open("message", [row.place], secret) };
  }

  #readOutbox({ message, secret, ...row }: RawOutbox): OutboxRow {
    const json = this.#store.openJson("outbox", [row.id], secret);
    const [id, cap, envelope, content] = [json.sid, json.scap, json.envelope, json.content].map((text) =>
      bytesOf(text)
    );
    const rest = (json.rest as string[] | undefined ?? []).map((text) => bytesOf(text)!);
    const sealed = id && cap && envelope &&
      { to: { mailbox: json.mailbox as string, id, cap }, envelopes: [envelope, ...rest] };
    return { ...row, ...message && { message: b64(message) }, ...content && { content }, ...sealed && { sealed } };
  }

  #putSecret(id: number, json: Record<string, unknown>): void {
    const secret = this.#store.sealJson("outbox", [id], json);
    this.#store.database.run("UPDATE outbox SET secret = ? WHERE id = ?", secret, id);
  }
}
