/**
 * Own queues and their keys, as they are kept. Both are here before a mailbox hears of them.
 *
 * @module
 */
import type { Random } from "@alknet/core/crypto";
import { b64, bytesOf } from "../content/bytes.ts";
import type { MessageStore } from "./message_store.ts";

/** An own queue. */
export interface OwnQueue {
  /** 24 bytes. */
  readonly rid: Uint8Array;
  /** Whose it is alone; absent for that of a token. */
  readonly contact?: number;
  /** The name of the token. */
  readonly token?: string;
  /** `pending` until the mailbox has it, with its keys; `restored`: the mailbox may have keys of it that are not here. */
  readonly state: "pending" | "made" | "restored" | "dropped";
  /** `ID@HOST:PORT`. */
  readonly mailbox: string;
  /** 24 bytes. */
  readonly sid: Uint8Array;
  /** 32 bytes. Secret. */
  readonly rcap: Uint8Array;
  /** 32 bytes. Secret. */
  readonly t: Uint8Array;
  /** Id of the last signed key. */
  readonly spk: number;
  /** Id of the signed key that the mailbox has. */
  readonly published: number;
  /** Id of the last key for one use. */
  readonly opk: number;
  /** Whether something came by it: then its contact knows it. */
  readonly used: boolean;
  /** How many came last that did not open. */
  readonly unreadable: number;
}

/** Signed, or for one use. */
export type PrekeyKind = "spk" | "opk";

/** A key of a queue. */
export interface OwnPrekey {
  /** From 1. */
  readonly id: number;
  /** When it was made, of a signed one when the mailbox had it: in days since 1970. */
  readonly day: number;
  /** X25519; behind it, of a signed key of suite 2, the seed of ML-KEM. The caller wipes it. */
  readonly secret: Uint8Array;
}

/**
 * Keys for one use that are kept. A mailbox holds the last 200 at most; of those that it gave out, so many are on their way
 * even where somebody takes them as fast as may be.
 */
const MOST_OPKS = 5000;

interface Raw {
  readonly rid: Uint8Array;
  readonly contact: number | null;
  readonly token: string | null;
  readonly state: OwnQueue["state"];
  readonly secret: Uint8Array;
}

/** Own queues of a store. What changes something is called in a transaction. */
export class OwnQueues {
  readonly #store: MessageStore;
  readonly #random: Random;

  /** Those of a store. */
  constructor(store: MessageStore, random: Random) {
    this.#store = store;
    this.#random = random;
  }

  /** All that are not dropped, those of tokens first: what begins is there, and goes on in those of contacts. */
  list(): OwnQueue[] {
    const sql = "SELECT * FROM queue WHERE state <> 'dropped' ORDER BY contact";
    return this.#store.database.all<Raw>(sql).map((row) => this.#read(row));
  }

  /** That of a token. */
  ofToken(name: string): OwnQueue | undefined {
    const sql = "SELECT * FROM queue WHERE token = ? AND state <> 'dropped'";
    const row = this.#store.database.get<Raw>(sql, name);
    return row && this.#read(row);
  }

  /** That of a contact alone. */
  ofContact(contact: number): OwnQueue | undefined {
    const sql = "SELECT * FROM queue WHERE contact = ? AND state <> 'dropped'";
    const row = this.#store.database.get<Raw>(sql, contact);
    return row && this.#read(row);
  }

  /** A new one, of a token or a contact. */
  add(mailbox: string, of: { readonly token: string } | { readonly contact: number }): OwnQueue {
    const [rid, sid, rcap, t] = [24, 24, 32, 32].map((length) => this.#random(length));
    const none = { spk: 0, published: 0, opk: 0, used: false, unreadable: 0 };
    const queue: OwnQueue = { rid, sid, rcap, t, mailbox, ...of, state: "pending", ...none };
    const sql = "INSERT INTO queue (rid, contact, token, state, secret) VALUES (?, ?, ?, ?, ?)";
    const { contact = null, token = null, state } = queue;
    this.#store.database.run(sql, rid, contact, token, state, this.#sealed(queue));
    return queue;
  }

  /** Those that are not wanted any more, and that their mailboxes may have still. */
  dropped(): OwnQueue[] {
    const rows = this.#store.database.all<Raw>("SELECT * FROM queue WHERE state = 'dropped'");
    return rows.map((row) => this.#read(row));
  }

  /** One is not wanted any more, whosever it was; its mailbox does not know that yet. */
  abandon({ rid }: OwnQueue): void {
    const sql = "UPDATE queue SET state = 'dropped', contact = NULL, token = NULL WHERE rid = ?";
    this.#store.database.run(sql, rid);
  }

  /** Forgets one, and its keys. */
  forget({ rid }: OwnQueue): void {
    this.#store.database.run("DELETE FROM queue WHERE rid = ?", rid);
  }

  /** Whether one is there and wanted. */
  isWanted({ rid }: OwnQueue): boolean {
    return this.#store.has("SELECT 1 FROM queue WHERE rid = ? AND state <> 'dropped'", rid);
  }

  /** As it is now, whoever changed it. */
  find(rid: Uint8Array): OwnQueue {
    return this.#read(this.#store.database.get<Raw>("SELECT * FROM queue WHERE rid = ?", rid)!);
  }

  /** Takes over what has changed of one; the rest stays as it is now. */
  change(
    { rid }: OwnQueue,
    changes: Partial<Pick<OwnQueue, "state" | "spk" | "published" | "opk" | "used" | "unreadable">>,
  ): OwnQueue {
    const next = { ...this.find(rid), ...changes };
    const sql = "UPDATE queue SET state = ?, secret = ? WHERE rid = ?";
    this.#store.database.run(sql, next.state, this.#sealed(next), next.rid);
    return next;
  }

  /** Keeps a key. */
  addPrekey({ rid }: OwnQueue, kind: PrekeyKind, { id, day, secret }: OwnPrekey): void {
    const sealed = this.#store.seal("prekey", [rid, kind, id], secret);
    const sql = "INSERT INTO prekey (rid, kind, id, day, secret) VALUES (?, ?, ?, ?, ?)";
    this.#store.database.run(sql, rid, kind, id, day, sealed);
  }

  /** A key; nothing where there is none of this id any more. */
  prekey({ rid }: OwnQueue, kind: PrekeyKind, id: number): OwnPrekey | undefined {
    const sql = "SELECT day, secret FROM prekey WHERE rid = ? AND kind = ? AND id = ?";
    const row = this.#store.database.get<{ day: number; secret: Uint8Array }>(sql, rid, kind, id);
    return row && { id, day: row.day, secret: this.#store.open("prekey", [rid, kind, id], row.secret) };
  }

  /** The mailbox has the last signed key since a day. */
  wasPublished(queue: OwnQueue, day: number): OwnQueue {
    const { rid, spk } = queue;
    this.#store.database.run("UPDATE prekey SET day = ? WHERE rid = ? AND kind = 'spk' AND id = ?", day, rid, spk);
    return this.change(queue, { published: spk });
  }

  /** Forgets keys for one use: their first use is over, or nobody got them. */
  forgetOpks({ rid }: OwnQueue, from: number, to = from): void {
    const sql = "DELETE FROM prekey WHERE rid = ? AND kind = 'opk' AND id BETWEEN ? AND ?";
    this.#store.database.run(sql, rid, from, to);
  }

  /**
   * Forgets signed keys that were replaced before a day, what began with them, and keys for one use that nobody can have any
   * more. A key is replaced when the mailbox has the next, however long that took.
   */
  forgetPrekeys({ rid, published, opk }: OwnQueue, day: number): void {
    const { database } = this.#store;
    const sql = "SELECT id FROM prekey WHERE rid = ?1 AND kind = 'spk' AND id < " +
      "(SELECT max(id) FROM prekey WHERE rid = ?1 AND kind = 'spk' AND id <= ?2 AND day < ?3)";
    for (const { id } of database.all<{ id: number }>(sql, rid, published, day)) {
      database.run("DELETE FROM prekey WHERE rid = ? AND kind = 'spk' AND id = ?", rid, id);
      database.run("DELETE FROM first_seen WHERE rid = ? AND spk = ?", rid, id);
    }
    database.run("DELETE FROM prekey WHERE rid = ? AND kind = 'opk' AND id <= ?", rid, opk - MOST_OPKS);
  }

  #sealed({ rid, mailbox, sid, rcap, t, ...rest }: OwnQueue): Uint8Array {
    const { spk, published, opk, used, unreadable } = rest;
    const secrets = { sid: b64(sid), rcap: b64(rcap), t: b64(t) };
    const json = { mailbox, ...secrets, once: false, spk, published, opk, used, unreadable };
    return this.#store.sealJson("queue", [rid], json);
  }

  #read({ rid, contact, token, state, secret }: Raw): OwnQueue {
    const json = this.#store.openJson("queue", [rid], secret);
    return {
      rid,
      contact: contact ?? undefined,
      token: token ?? undefined,
      state,
      mailbox: json.mailbox as string,
      sid: bytesOf(json.sid)!,
      rcap: bytesOf(json.rcap)!,
      t: bytesOf(json.t)!,
      spk: json.spk as number,
      published: json.published as number ?? 0,
      opk: json.opk as number,
      used: json.used === true,
      unreadable: json.unreadable as number ?? 0,
    };
  }
}
