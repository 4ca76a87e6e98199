/**
 * A mailbox in a SQLite database (msg.md §4). Items that come in one turn are one commit.
 *
 * @module
 */
import { equalBytes, joined } from "@alknet/core/crypto";
import { AlknetError } from "@alknet/core/handler";
import { setImmediate } from "node:timers";
import { u32 } from "../agreement/labels.ts";
import { Database, type DatabaseKind } from "../database.ts";
import { MAILBOX_LIMITS, type MailboxLimits } from "../limits.ts";
import type { Item, MailboxStore, NewItem, Published, QueueRow } from "./mailbox_store.ts";

const KIND: DatabaseKind = {
  what: "a mailbox",
  code: "MAILBOX_STORE",
  applicationId: 0x616c6b62,
  version: 1,
  // used, day: days since 1970, nothing finer. prekey id 0: the bundle.
  schema: `
CREATE TABLE queue (rid BLOB PRIMARY KEY, sid BLOB NOT NULL UNIQUE, rcap BLOB NOT NULL, scap BLOB NOT NULL, kind INT NOT NULL,
  next INT NOT NULL DEFAULT 1, used INT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE item (id INTEGER PRIMARY KEY, rid BLOB NOT NULL REFERENCES queue ON DELETE CASCADE, seq INT NOT NULL, kind INT NOT NULL,
  day INT NOT NULL, digest BLOB NOT NULL, body BLOB NOT NULL, UNIQUE (rid, seq), UNIQUE (rid, digest)) STRICT;
CREATE INDEX item_day ON item (day);
CREATE TABLE prekey (rid BLOB REFERENCES queue ON DELETE CASCADE, id INT, key BLOB NOT NULL, PRIMARY KEY (rid, id)) STRICT;`,
};
/** Appends of one commit. */
const GROUP = 256;
const BUNDLE_ID = 0;

interface Waiting {
  readonly rid: Uint8Array;
  readonly item: NewItem;
  readonly resolve: (outcome: Appended) => void;
  readonly reject: (error: unknown) => void;
}
type Appended = Awaited<ReturnType<MailboxStore["append"]>>;

/**
 * Opens a mailbox, made where it is not there, for its owner alone.
 *
 * @param file Its path.
 * @throws {AlknetError} `MAILBOX_STORE`: it is none, or of another version.
 */
export function openMailboxStore(file: string, limits: MailboxLimits = MAILBOX_LIMITS): MailboxStore {
  return new SqliteMailbox(file, limits);
}

class SqliteMailbox implements MailboxStore {
  readonly #database: Database;
  readonly #limits: MailboxLimits;
  #queues: number;
  #bytes: number;
  #waiting: Waiting[] = [];
  #scheduled = false;

  constructor(file: string, limits: MailboxLimits) {
    this.#database = new Database(file, KIND);
    this.#limits = limits;
    this.#queues = this.#count("SELECT count(*) AS n FROM queue");
    this.#bytes = this.#count("SELECT coalesce(sum(length(body)), 0) AS n FROM item");
  }

  async create(queue: QueueRow): Promise<"created" | "same" | "conflict" | "full"> {
    const { rid, sid, rcap, scap, kind, used } = queue;
    const others = this.#database.all<QueueRow>("SELECT * FROM queue WHERE rid = ? OR sid = ?", rid, sid);
    if (others.length > 0) return others.length === 1 && isSame(others[0], queue) ? "same" : "conflict";
    if (this.#queues >= this.#limits.queues) return "full";
    return await this.#changed<"created" | "full">("full", () => {
      const sql = "INSERT INTO queue (rid, sid, rcap, scap, kind, used) VALUES (?, ?, ?, ?, ?, ?)";
      this.#database.run(sql, rid, sid, rcap, scap, kind, used);
      this.#queues++;
      return "created";
    });
  }

  find(by: "sid" | "rid", id: Uint8Array): QueueRow | undefined {
    const sql = by === "sid" ? "SELECT * FROM queue WHERE sid = ?" : "SELECT * FROM queue WHERE rid = ?";
    return this.#database.get<QueueRow>(sql, id);
  }

  async touch(rid: Uint8Array, day: number): Promise<void> {
    await this.#changed(undefined, () => this.#database.run("UPDATE queue SET used = ? WHERE rid = ?", day, rid));
  }

  append(rid: Uint8Array, item: NewItem): Promise<Appended> {
    const { promise, resolve, reject } = Promise.withResolvers<Appended>();
    this.#waiting.push({ rid, item, resolve, reject });
    if (this.#waiting.length >= GROUP) this.#flush();
    else if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(() => this.#flush());
    }
    return promise;
  }

  after(rid: Uint8Array, seq: bigint, count: number, most = Number.MAX_SAFE_INTEGER): Item[] {
    const sql = "SELECT seq, kind, body FROM item WHERE rid = ? AND seq > ? AND length(body) <= ? ORDER BY seq LIMIT ?";
    const rows = this.#database.all<{ seq: number; kind: 0 | 1; body: Uint8Array }>(sql, rid, seq, most, count);
    return rows.map(({ seq, kind, body }) => ({ seq: BigInt(seq), kind, body }));
  }

  async ack(rid: Uint8Array, seq: bigint): Promise<void> {
    await this.#changed(undefined, () => {
      const sql = "DELETE FROM item WHERE rid = ? AND seq = ? RETURNING length(body) AS n";
      this.#bytes -= this.#database.get<{ n: number }>(sql, rid, seq)?.n ?? 0;
    });
  }

  async drop(rid: Uint8Array): Promise<void> {
    await this.#changed(undefined, () => {
      this.#bytes -= this.#count("SELECT coalesce(sum(length(body)), 0) AS n FROM item WHERE rid = ?", rid);
      this.#queues -= this.#database.run("DELETE FROM queue WHERE rid = ?", rid).changes;
    });
  }

  async sweep(day: number): Promise<void> {
    const { itemDays, queueDays } = this.#limits;
    await this.#changed(undefined, () => {
      this.#database.run("DELETE FROM queue WHERE used < ?", day - queueDays);
      this.#database.run("DELETE FROM item WHERE day < ?", day - itemDays);
      this.#recount();
    });
  }

  async putPrekeys(rid: Uint8Array, { bundle, keys }: Published): Promise<number | "quota"> {
    return await this.#changed<number | "quota">("quota", () => {
      const held = new Set(
        this.#database.all<{ id: number }>("SELECT id FROM prekey WHERE rid = ? AND id > 0", rid).map(({ id }) => id),
      );
      const fresh = new Map(keys.filter(({ id }) => !held.has(id)).map(({ id, key }) => [id, key]));
      if (held.size + fresh.size > this.#limits.prekeys) return "quota";
      const sql = "INSERT INTO prekey (rid, id, key) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET key = excluded.key";
      for (const [id, key] of fresh) this.#database.run(sql, rid, id, key);
      if (bundle) this.#database.run(sql, rid, BUNDLE_ID, bundle);
      return held.size + fresh.size;
    });
  }

  async takePrekeys(rid: Uint8Array): Promise<Uint8Array | undefined> {
    return await this.#changed(undefined, () => {
      const bundle = this.#database.get<{ key: Uint8Array }>("SELECT key FROM prekey WHERE rid = ? AND id = 0", rid);
      if (!bundle) return undefined;
      const sql = "DELETE FROM prekey WHERE rid = ?1 AND id = (SELECT min(id) FROM prekey WHERE rid = ?1 AND id > 0) " +
        "RETURNING id, key";
      const opk = this.#database.get<{ id: number; key: Uint8Array }>(sql, rid);
      const rest = opk ? joined(Uint8Array.of(1), u32(opk.id), opk.key) : Uint8Array.of(0);
      return joined(bundle.key, rest);
    });
  }

  // deno-lint-ignore require-await -- a fault is to reject.
  async [Symbol.asyncDispose](): Promise<void> {
    this.#flush();
    this.#database[Symbol.dispose]();
  }

  /** One commit for all that waits. */
  #flush(): void {
    this.#scheduled = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    if (waiting.length === 0) return;
    const before = this.#bytes;
    try {
      const outcomes = this.#database.transaction(() => waiting.map(({ rid, item }) => this.#append(rid, item)));
      for (const [i, { resolve }] of waiting.entries()) resolve(outcomes[i]);
    } catch (error) {
      this.#bytes = before;
      const full = isFull(error);
      for (const { resolve, reject } of waiting) full ? resolve("full") : reject(error);
    }
  }

  #append(rid: Uint8Array, { kind, digest, day, body }: NewItem): Appended {
    const queue = this.#database.get<{ kind: number; next: number }>("SELECT kind, next FROM queue WHERE rid = ?", rid);
    if (!queue) return "gone";
    if (this.#database.get("SELECT 1 FROM item WHERE rid = ? AND digest = ?", rid, digest)) return "same";
    const { queueItems, contactItems, bytes } = this.#limits;
    const held = this.#count("SELECT count(*) AS n FROM item WHERE rid = ?", rid);
    if (held >= (queue.kind === 1 ? contactItems : queueItems)) return "quota";
    if (this.#bytes + body.byteLength > bytes) return "full";
    const sql = "INSERT INTO item (rid, seq, kind, day, digest, body) VALUES (?, ?, ?, ?, ?, ?)";
    this.#database.run(sql, rid, queue.next, kind, day, digest, body);
    this.#database.run("UPDATE queue SET next = next + 1 WHERE rid = ?", rid);
    this.#bytes += body.byteLength;
    return "stored";
  }

  /** One commit; a full disk is an outcome where the caller has one for it. */
  // deno-lint-ignore require-await -- a fault is to reject.
  async #changed<T>(full: T, work: () => T | void): Promise<T> {
    const [queues, bytes] = [this.#queues, this.#bytes];
    try {
      return this.#database.transaction(work) as T;
    } catch (error) {
      [this.#queues, this.#bytes] = [queues, bytes];
      if (full !== undefined && isFull(error)) return full;
      throw error;
    }
  }

  #recount(): void {
    this.#queues = this.#count("SELECT count(*) AS n FROM queue");
    this.#bytes = this.#count("SELECT coalesce(sum(length(body)), 0) AS n FROM item");
  }

  #count(sql: string, ...values: Uint8Array[]): number {
    return this.#database.get<{ n: number }>(sql, ...values)!.n;
  }
}

function isFull(error: unknown): boolean {
  return error instanceof AlknetError && error.code === "DISK_FULL";
}

function isSame(a: QueueRow, b: QueueRow): boolean {
  const same = (["rid", "sid", "rcap", "scap"] as const).every((name) => equalBytes(a[name], b[name]));
  return same && a.kind === b.kind;
}
