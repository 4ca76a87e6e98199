/**
 * Own queues and their keys, as they are kept. Both are here before a mailbox hears of them.
 *
 * @module
 */
import type { Random } from "@alknet/core/crypto";
import { b64, bytesOf } from "../content/content.ts";
import type { MessageStore } from "./message_store.ts";

/** An own queue. */
export interface OwnQueue {
  /** 24 bytes. */
  readonly rid: Uint8Array;
  /** Whose it is alone; absent for that of a token. */
  readonly contact?: number;
  /** The name of the token. */
  readonly token?: string;
  /** `pending` until the mailbox has it, with its keys. */
  readonly state: "pending" | "made" | "dropped";
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
  /** Whether something came by it: then its contact knows it. */
  readonly used: boolean;
}

/** A signed key of a queue. */
export interface OwnPrekey {
  /** From 1. */
  readonly id: number;
  /** When it was made, in days since 1970. */
  readonly day: number;
  /** X25519. The caller wipes it. */
  readonly secret: Uint8Array;
}

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

  /** All that are not dropped. */
  list(): OwnQueue[] {
    return this.#store.database.all<Raw>("SELECT * FROM queue WHERE state <> 'dropped'").map((row) => this.#read(row));
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
    const queue: OwnQueue = { rid, sid, rcap, t, mailbox, ...of, state: "pending", spk: 0, used: false };
    const sql = "INSERT INTO queue (rid, contact, token, state, secret) VALUES (?, ?, ?, ?, ?)";
    const { contact = null, token = null, state } = queue;
    this.#store.database.run(sql, rid, contact, token, state, this.#sealed(queue));
    return queue;
  }

  /** As it is now, whoever changed it. */
  find(rid: Uint8Array): OwnQueue {
    return this.#read(this.#store.database.get<Raw>("SELECT * FROM queue WHERE rid = ?", rid)!);
  }

  /** Takes over what has changed of one; the rest stays as it is now. */
  change({ rid }: OwnQueue, changes: Partial<Pick<OwnQueue, "state" | "spk" | "used">>): OwnQueue {
    const next = { ...this.find(rid), ...changes };
    const sql = "UPDATE queue SET state = ?, secret = ? WHERE rid = ?";
    this.#store.database.run(sql, next.state, this.#sealed(next), next.rid);
    return next;
  }

  /** Keeps a signed key. */
  addPrekey({ rid }: OwnQueue, { id, day, secret }: OwnPrekey): void {
    const sealed = this.#store.seal("prekey", [rid, "spk", id], secret);
    const sql = "INSERT INTO prekey (rid, kind, id, day, secret) VALUES (?, 'spk', ?, ?, ?)";
    this.#store.database.run(sql, rid, id, day, sealed);
  }

  /** A signed key; nothing where there is none of this id any more. */
  prekey({ rid }: OwnQueue, id: number): OwnPrekey | undefined {
    const sql = "SELECT day, secret FROM prekey WHERE rid = ? AND kind = 'spk' AND id = ?";
    const row = this.#store.database.get<{ day: number; secret: Uint8Array }>(sql, rid, id);
    return row && { id, day: row.day, secret: this.#store.open("prekey", [rid, "spk", id], row.secret) };
  }

  /** Forgets signed keys that were made before a day, and what began with them. */
  forgetPrekeys({ rid }: OwnQueue, day: number): void {
    const { database } = this.#store;
    for (const { id } of database.all<{ id: number }>("SELECT id FROM prekey WHERE rid = ? AND day < ?", rid, day)) {
      database.run("DELETE FROM prekey WHERE rid = ? AND kind = 'spk' AND id = ?", rid, id);
      database.run("DELETE FROM first_seen WHERE rid = ? AND spk = ?", rid, id);
    }
  }

  #sealed({ rid, mailbox, sid, rcap, t, spk, used }: OwnQueue): Uint8Array {
    const json = { mailbox, sid: b64(sid), rcap: b64(rcap), t: b64(t), once: false, spk, opk: 0, used };
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
      used: json.used === true,
    };
  }
}
