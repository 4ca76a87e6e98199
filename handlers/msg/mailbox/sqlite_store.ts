/**
 * A mailbox in a SQLite database (msg.md §4). What is changed in one turn is one commit, whoever asked for it.
 *
 * @module
 */
import { equalBytes, joined } from "@alknet/core/crypto";
import { AlknetError } from "@alknet/core/handler";
import { setImmediate } from "node:timers";
import { u32 } from "../agreement/labels.ts";
import { Database, type DatabaseKind } from "../database.ts";
import { MAILBOX_LIMITS, type MailboxLimits } from "../limits.ts";
import type { Held, Item, MailboxStore, NewItem, Published, QueueRow } from "./mailbox_store.ts";

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
/** Changes of one commit. */
const GROUP = 256;
/** Items, and queues, that a sweep takes away at a time, so that those who ask meanwhile do not wait for all of it. */
const SWEPT = 256;
const BUNDLE_ID = 0;
const IN_MEMORY = ":memory:";

/** A change that waits for its commit. */
interface Change {
  readonly work: () => unknown;
  readonly resolve: (outcome: unknown) => void;
  readonly reject: (error: unknown) => void;
  /** What it comes to where the disk is full; absent: the fault itself. */
  readonly full?: unknown;
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

/**
 * A mailbox that is gone with the process: for tests, and for programs that keep nothing.
 */
export function memoryMailboxStore(limits: MailboxLimits = MAILBOX_LIMITS): MailboxStore {
  return new SqliteMailbox(IN_MEMORY, limits);
}

class SqliteMailbox implements MailboxStore {
  readonly #database: Database;
  readonly #limits: MailboxLimits;
  #held: Held;
  #waiting: Change[] = [];
  #scheduled = false;

  constructor(file: string, limits: MailboxLimits) {
    this.#database = new Database(file, KIND);
    this.#limits = limits;
    const sql = "SELECT (SELECT count(*) FROM queue) AS queues, count(*) AS items, " +
      "coalesce(sum(length(body)), 0) AS bytes FROM item";
    this.#held = { ...this.#database.get<Held>(sql)! };
  }

  get held(): Held {
    return { ...this.#held };
  }

  async create(queue: QueueRow): Promise<"created" | "same" | "conflict" | "full"> {
    const { rid, sid, rcap, scap, kind, used } = queue;
    return await this.#changed<"created" | "same" | "conflict" | "full">(() => {
      const others = this.#database.all<QueueRow>("SELECT * FROM queue WHERE rid = ? OR sid = ?", rid, sid);
      if (others.length > 0) return others.length === 1 && isSame(others[0], queue) ? "same" : "conflict";
      if (this.#held.queues >= this.#limits.queues) return "full";
      const sql = "INSERT INTO queue (rid, sid, rcap, scap, kind, used) VALUES (?, ?, ?, ?, ?, ?)";
      this.#database.run(sql, rid, sid, rcap, scap, kind, used);
      this.#held.queues++;
      return "created";
    }, "full");
  }

  find(by: "sid" | "rid", id: Uint8Array): QueueRow | undefined {
    const sql = by === "sid" ? "SELECT * FROM queue WHERE sid = ?" : "SELECT * FROM queue WHERE rid = ?";
    return this.#database.get<QueueRow>(sql, id);
  }

  async touch(rid: Uint8Array, day: number): Promise<void> {
    await this.#changed(() => this.#database.run("UPDATE queue SET used = ? WHERE rid = ?", day, rid));
  }

  async append(rid: Uint8Array, item: NewItem): Promise<Appended> {
    return await this.#changed(() => this.#append(rid, item), "full");
  }

  after(rid: Uint8Array, seq: bigint, count: number, most = Number.MAX_SAFE_INTEGER): Item[] {
    const sql = "SELECT seq, kind, body FROM item WHERE rid = ? AND seq > ? AND length(body) <= ? ORDER BY seq LIMIT ?";
    const rows = this.#database.all<{ seq: number; kind: 0 | 1; body: Uint8Array }>(sql, rid, seq, most, count);
    return rows.map(({ seq, kind, body }) => ({ seq: BigInt(seq), kind, body }));
  }

  waiting(rid: Uint8Array): number {
    return this.#database.get<{ n: number }>("SELECT count(*) AS n FROM item WHERE rid = ?", rid)!.n;
  }

  async ack(rid: Uint8Array, seq: bigint): Promise<void> {
    await this.#changed(() => {
      const sql = "DELETE FROM item WHERE rid = ? AND seq = ? RETURNING length(body) AS n";
      this.#gone(this.#database.all<{ n: number }>(sql, rid, seq));
    });
  }

  async drop(rid: Uint8Array): Promise<void> {
    await this.#changed(() => this.#drop(rid));
  }

  async sweep(day: number): Promise<void> {
    const { itemDays, queueDays } = this.#limits;
    // Each says whether there may be more.
    const queues = (): boolean => {
      const sql = "SELECT rid FROM queue WHERE used < ? LIMIT ?";
      const old = this.#database.all<{ rid: Uint8Array }>(sql, day - queueDays, SWEPT);
      const enough = this.#held.items - SWEPT;
      for (const { rid } of old) {
        this.#drop(rid);
        if (this.#held.items <= enough) return true;
      }
      return old.length === SWEPT;
    };
    const items = (): boolean => {
      const sql =
        "DELETE FROM item WHERE id IN (SELECT id FROM item WHERE day < ? LIMIT ?) RETURNING length(body) AS n";
      const old = this.#database.all<{ n: number }>(sql, day - itemDays, SWEPT);
      this.#gone(old);
      return old.length === SWEPT;
    };
    while (await this.#changed(queues));
    while (await this.#changed(items));
  }

  async putPrekeys(rid: Uint8Array, { bundle, keys }: Published): Promise<number | "quota"> {
    return await this.#changed<number | "quota">(() => {
      const held = new Set(
        this.#database.all<{ id: number }>("SELECT id FROM prekey WHERE rid = ? AND id > 0", rid).map(({ id }) => id),
      );
      const fresh = new Map(keys.filter(({ id }) => !held.has(id)).map(({ id, key }) => [id, key]));
      if (held.size + fresh.size > this.#limits.prekeys) return "quota";
      const sql = "INSERT INTO prekey (rid, id, key) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET key = excluded.key";
      for (const [id, key] of fresh) this.#database.run(sql, rid, id, key);
      if (bundle) this.#database.run(sql, rid, BUNDLE_ID, bundle);
      return held.size + fresh.size;
    }, "quota");
  }

  async takePrekeys(rid: Uint8Array): Promise<Uint8Array | undefined> {
    return await this.#changed(() => {
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
    while (this.#waiting.length > 0) this.#flush();
    this.#database[Symbol.dispose]();
  }

  #append(rid: Uint8Array, { kind, digest, day, body }: NewItem): Appended {
    const queue = this.#database.get<{ kind: number; next: number }>("SELECT kind, next FROM queue WHERE rid = ?", rid);
    if (!queue) return "gone";
    if (this.#database.get("SELECT 1 FROM item WHERE rid = ? AND digest = ?", rid, digest)) return "same";
    const { queueItems, contactItems, bytes } = this.#limits;
    if (this.waiting(rid) >= (queue.kind === 1 ? contactItems : queueItems)) return "quota";
    if (this.#held.bytes + body.byteLength > bytes) return "full";
    const sql = "INSERT INTO item (rid, seq, kind, day, digest, body) VALUES (?, ?, ?, ?, ?, ?)";
    this.#database.run(sql, rid, queue.next, kind, day, digest, body);
    this.#database.run("UPDATE queue SET next = next + 1 WHERE rid = ?", rid);
    this.#held.items++;
    this.#held.bytes += body.byteLength;
    return "stored";
  }

  #drop(rid: Uint8Array): void {
    this.#gone(this.#database.all<{ n: number }>("DELETE FROM item WHERE rid = ? RETURNING length(body) AS n", rid));
    this.#held.queues -= this.#database.run("DELETE FROM queue WHERE rid = ?", rid).changes;
  }

  /** Items of these lengths are gone. */
  #gone(items: readonly { readonly n: number }[]): void {
    this.#held.items -= items.length;
    for (const { n } of items) this.#held.bytes -= n;
  }

  /** Changes something, in the next commit. */
  #changed<T>(work: () => T, full?: T): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#waiting.push({ work, full, resolve: (outcome) => resolve(outcome as T), reject });
    if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(() => this.#flush());
    }
    return promise;
  }

  /** One commit for what waits. */
  #flush(): void {
    const group = this.#waiting.splice(0, GROUP);
    this.#scheduled = this.#waiting.length > 0;
    if (this.#scheduled) setImmediate(() => this.#flush());
    if (group.length > 0) this.#commit(group);
  }

  #commit(group: readonly Change[]): void {
    const before = { ...this.#held };
    let outcomes: readonly unknown[];
    try {
      outcomes = this.#database.transaction(() => group.map(({ work }) => work()));
    } catch (error) {
      this.#held = before;
      // What one cannot have is no reason to refuse the others.
      if (group.length > 1) return group.forEach((one) => this.#commit([one]));
      const [{ full, resolve, reject }] = group;
      return full !== undefined && isFull(error) ? resolve(full) : reject(error);
    }
    for (const [i, { resolve }] of group.entries()) resolve(outcomes[i]);
  }
}

function isFull(error: unknown): boolean {
  return error instanceof AlknetError && error.code === "DISK_FULL";
}

function isSame(a: QueueRow, b: QueueRow): boolean {
  const same = (["rid", "sid", "rcap", "scap"] as const).every((name) => equalBytes(a[name], b[name]));
  return same && a.kind === b.kind;
}
