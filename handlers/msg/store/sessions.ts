/**
 * Sessions, keys of messages that have not come yet, and what has come, as they are kept.
 *
 * @module
 */
import { equalBytes, joined, wipe } from "@alknet/core/crypto";
import { readU32, u32 } from "../agreement/labels.ts";
import type { SkippedChange, SkippedKeys } from "../agreement/ratchet.ts";
import { Session } from "../agreement/state.ts";
import type { MessageStore } from "./message_store.ts";

/** A session, and whose it is. */
export interface SessionRow {
  /** Of the contact. */
  readonly contact: number;
  /** The queue by which its contact answers, unless it knows another. */
  readonly rid: Uint8Array;
  /** Whether messages to the contact go by it. */
  readonly sends: boolean;
  /** Whether it receives only: what was sealed by it may not be known here. */
  readonly isStale: boolean;
  /** The session. */
  readonly session: Session;
}

interface Raw {
  readonly id: Uint8Array;
  readonly contact: number;
  readonly rid: Uint8Array;
  readonly sends: number;
  readonly stale: number;
  readonly secret: Uint8Array;
  readonly ed: Uint8Array;
}

interface SkippedRow {
  readonly row: number;
  readonly hk: Uint8Array;
  readonly n: number;
  readonly mk: Uint8Array;
}

const SELECT = "SELECT session.*, contact.ed FROM session JOIN contact ON contact.id = session.contact";
/** Sessions of a contact: each envelope is tried with all of them. */
const MOST_SESSIONS = 16;
/** Keys kept a session, and for so many days; the oldest go first. */
const MOST_SKIPPED = 2000;
const SKIPPED_DAYS = 30;
/** Days that a digest is remembered: one more than a mailbox keeps an item. */
const SEEN_DAYS = 31;

/** Sessions of a store. What changes something is called in a transaction. */
export class Sessions {
  readonly #store: MessageStore;

  /** Those of a store. */
  constructor(store: MessageStore) {
    this.#store = store;
  }

  /** All of a contact, and all that began in a queue. */
  ofContact(contact: number, rid: Uint8Array): SessionRow[] {
    return this.#rows(`${SELECT} WHERE session.contact = ? OR session.rid = ?`, contact, rid);
  }

  /** All whose contacts answer by a queue. */
  byQueue(rid: Uint8Array): SessionRow[] {
    return this.#rows(`${SELECT} WHERE session.rid = ?`, rid);
  }

  /** The one by which messages to a contact go. */
  sending(contact: number): SessionRow | undefined {
    return this.#rows(`${SELECT} WHERE session.contact = ? AND sends = 1 AND stale = 0`, contact)[0];
  }

  /** Contacts to whom messages went by a session that is stale now, and for whom there is no other. */
  ended(): number[] {
    const sql = "SELECT DISTINCT contact FROM session AS one WHERE sends = 1 AND stale = 1 AND NOT EXISTS " +
      "(SELECT 1 FROM session WHERE contact = one.contact AND sends = 1 AND stale = 0)";
    return this.#store.database.all<{ contact: number }>(sql).map(({ contact }) => contact);
  }

  /** All of a contact receive only from now on. */
  end(contact: number): void {
    this.#store.database.run("UPDATE session SET stale = 1 WHERE contact = ?", contact);
  }

  /** The one of an id, in hex. */
  find(id: string): SessionRow | undefined {
    return this.#rows(`${SELECT} WHERE session.id = ?`, Uint8Array.fromHex(id))[0];
  }

  /** Keeps a session as it is now. */
  put({ contact, rid, sends, session }: Omit<SessionRow, "isStale">): void {
    const id = Uint8Array.fromHex(session.id);
    const bytes = session.toBytes();
    const secret = this.#store.seal("session", [id], bytes);
    wipe(bytes);
    const sql = "INSERT INTO session (id, contact, rid, sends, stale, secret) VALUES (?, ?, ?, ?, 0, ?) " +
      "ON CONFLICT DO UPDATE SET sends = excluded.sends, secret = excluded.secret";
    this.#store.database.run(sql, id, contact, rid, sends ? 1 : 0, secret);
  }

  /** Forgets sessions of a contact who begins too many: stale ones first, never the one that sends, nor this one. */
  limit(contact: number, id: string): void {
    const sql =
      "DELETE FROM session WHERE id IN (SELECT id FROM session WHERE contact = ?1 AND sends = 0 AND id <> ?2 " +
      "ORDER BY stale DESC, id LIMIT max(0, (SELECT count(*) FROM session WHERE contact = ?1) - ?3))";
    this.#store.database.run(sql, contact, Uint8Array.fromHex(id), MOST_SESSIONS);
  }

  /** Messages to a contact go by this one from now on, which is not stale. */
  sendBy(contact: number, id: string): void {
    this.#store.database.run("UPDATE session SET sends = (id = ?) WHERE contact = ?", Uint8Array.fromHex(id), contact);
  }

  /** Keys of messages that have not come yet. */
  skipped(session: Session): SkippedKeys {
    const id = Uint8Array.fromHex(session.id);
    let kept: SkippedRow[] | undefined;
    const all = () => kept ??= this.#keys(id);
    return {
      headerKeys: () => [...new Map(all().toReversed().map(({ hk }) => [hk.toHex(), hk])).values()].reverse(),
      find: (hk, n) => all().find((key) => key.n === n && equalBytes(key.hk, hk))?.mk,
    };
  }

  /** What has become of them. */
  changeSkipped(session: Session, { add, used }: SkippedChange, day: number): void {
    const { database } = this.#store;
    const id = Uint8Array.fromHex(session.id);
    if (used) {
      const row = this.#keys(id).find(({ hk, n }) => n === used.n && equalBytes(hk, used.hk));
      if (row) database.run("DELETE FROM skipped WHERE id = ?", row.row);
    }
    for (const { hk, n, mk } of add) {
      const row = this.#store.nextId("skipped");
      const bytes = joined(hk, u32(n), mk);
      const secret = this.#store.seal("skipped", [row], bytes);
      wipe(bytes, mk);
      database.run("INSERT INTO skipped (id, session, day, secret) VALUES (?, ?, ?, ?)", row, id, day, secret);
    }
    database.run("DELETE FROM skipped WHERE day < ?", day - SKIPPED_DAYS);
    const sql = "DELETE FROM skipped WHERE session = ?1 AND id NOT IN " +
      "(SELECT id FROM skipped WHERE session = ?1 ORDER BY id DESC LIMIT ?2)";
    if (add.length > 0) database.run(sql, id, MOST_SKIPPED);
  }

  /** Whether a first message began a session, by H(bytes 0 to Q), while its keys are here. */
  hasBegun(hash: Uint8Array): boolean {
    return this.#store.has("SELECT 1 FROM first_seen WHERE hash = ?", hash);
  }

  /** A first message began a session. */
  began(hash: Uint8Array, session: Session, rid: Uint8Array, spk: number): void {
    const sql = "INSERT INTO first_seen (hash, session, rid, spk) VALUES (?, ?, ?, ?)";
    this.#store.database.run(sql, hash, Uint8Array.fromHex(session.id), rid, spk);
  }

  /** Whether an envelope has come before, by the first 16 bytes of its hash. */
  hasSeen(digest: Uint8Array): boolean {
    return this.#store.has("SELECT 1 FROM seen WHERE digest = ?", digest);
  }

  /** An envelope has come. */
  saw(digest: Uint8Array, day: number): void {
    this.#store.database.run("INSERT INTO seen (digest, day) VALUES (?, ?) ON CONFLICT DO NOTHING", digest, day);
    this.#store.database.run("DELETE FROM seen WHERE day < ?", day - SEEN_DAYS);
  }

  #rows(sql: string, ...values: (Uint8Array | number)[]): SessionRow[] {
    return this.#store.database.all<Raw>(sql, ...values).map(({ id, contact, rid, sends, stale, secret, ed }) => {
      const bytes = this.#store.open("session", [id], secret);
      const session = Session.fromBytes(id.toHex(), ed, bytes);
      wipe(bytes);
      return { contact, rid, sends: sends === 1, isStale: stale === 1, session };
    });
  }

  /** Newest first. */
  #keys(id: Uint8Array): SkippedRow[] {
    const sql = "SELECT id, secret FROM skipped WHERE session = ? ORDER BY id DESC";
    return this.#store.database.all<{ id: number; secret: Uint8Array }>(sql, id).map(({ id: row, secret }) => {
      const bytes = this.#store.open("skipped", [row], secret);
      return { row, hk: bytes.slice(0, 32), n: readU32(bytes, 32), mk: bytes.slice(36) };
    });
  }
}
