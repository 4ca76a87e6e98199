/**
 * Tables of trees in the database of a store on disk: a statement costs so little that nobody waits for one (fs.md §6).
 *
 * @module
 */
// deno-lint-ignore-file require-yield -- nobody waits for a statement here
import type { Tables } from "../blobs/disk/parts.ts";
import type { StoreDatabase } from "../blobs/disk/tables/database.ts";
import type { Quota, Usage, Used } from "../blobs/disk/tables/usage.ts";
import type { TreeDatabase, TreeEngine, TreeTables, TreeUsage } from "./rows/engine.ts";
import { atOnce, type SqlValue, type Steps } from "./rows/steps.ts";

/** Milliseconds between two looks at what other processes commit. */
const LOOK = 250;
const COMPLETE = 1;

/** Runs work on the tables of a store. */
export class SqliteEngine implements TreeEngine {
  readonly look: number = LOOK;
  readonly tables: TreeTables;
  readonly #database: StoreDatabase;

  /** @param tables Those of the store; they are not closed here. */
  constructor({ database, usage, dropped, now, isKeeper }: Tables) {
    this.#database = database;
    this.tables = {
      database: new SqliteRows(database),
      usage: new StoreUsage(usage),
      *dropped(hash) {
        dropped(hash);
      },
      sizeOf: (hash) => sizeOf(database, hash),
      now,
      isKeeper,
    };
  }

  // Async throughout, so that a fault of the database rejects rather than throws.
  // deno-lint-ignore require-await
  async run<T>(work: () => Steps<T>): Promise<T> {
    return atOnce(work());
  }

  // deno-lint-ignore require-await
  async reading<T>(work: () => Steps<T>): Promise<T> {
    return this.#database.reading(() => atOnce(work()));
  }

  // deno-lint-ignore require-await
  async transaction<T>(work: () => Steps<T>): Promise<T> {
    return this.#database.transaction(() => atOnce(work()));
  }

  /** Other processes say nothing: it is looked. */
  listen(): void {}

  /** Nothing of its own is open. */
  async [Symbol.asyncDispose](): Promise<void> {}
}

/** The bytes of a blob that is complete in a store; nothing if it is not. */
export function sizeOf(database: StoreDatabase, hash: Uint8Array): number | undefined {
  return database.get<{ size: number }>("SELECT size FROM blobs WHERE hash=? AND state=?", hash, COMPLETE)?.size;
}

/** Such tables, statement by statement. */
export class SqliteRows implements TreeDatabase {
  // A transaction that changes anything is alone.
  readonly forUpdate: string = "";
  readonly #database: StoreDatabase;

  /** @param database Has them. */
  constructor(database: StoreDatabase) {
    this.#database = database;
  }

  *get<T>(sql: string, ...values: readonly SqlValue[]): Steps<T | undefined> {
    return this.#database.get<T>(sql, ...values);
  }

  *all<T>(sql: string, ...values: readonly SqlValue[]): Steps<T[]> {
    return this.#database.all<T>(sql, ...values);
  }

  *run(sql: string, ...values: readonly SqlValue[]): Steps<void> {
    this.#database.run(sql, ...values);
  }

  *newNode(): Steps<number> {
    this.#database.run(
      "INSERT INTO counters(name,value) VALUES('node',1) ON CONFLICT(name) DO UPDATE SET value=value+1",
    );
    return this.#database.get<{ value: number }>("SELECT value FROM counters WHERE name='node'")!.value;
  }
}

class StoreUsage implements TreeUsage {
  readonly #usage: Usage;

  constructor(usage: Usage) {
    this.#usage = usage;
  }

  *entries(owner: string, bytes: number, files: number): Steps<void> {
    this.#usage.entries(owner, bytes, files);
  }

  *total(owner: string): Steps<Used> {
    return this.#usage.total(owner);
  }

  quota(owner: string): Quota {
    return this.#usage.quota(owner);
  }
}
