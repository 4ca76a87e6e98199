/**
 * `store.db`: opened, made where it is not there, and changed in transactions.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { dirname } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { diskError } from "../../../errors.ts";
import { APPLICATION_ID, NODE_INDEXES, SCHEMA, USER_VERSION } from "./schema.ts";

/** Milliseconds that a transaction waits for those of other processes. */
const BUSY_TIMEOUT = 5000;

/** The database of a store. */
export class StoreDatabase implements Disposable {
  readonly #database: DatabaseSync;
  readonly #folder: string;
  readonly #statements = new Map<string, StatementSync>();

  /**
   * Opens it.
   *
   * @param path Its file.
   * @param durability Whether a commit waits until it is on the disk.
   * @throws {AlknetError} `STORE_NEWER`, `INVALID_STORE`, `STORE_BUSY`.
   */
  constructor(path: string, durability: "full" | "normal") {
    this.#folder = dirname(path);
    // SQLite gives its files the mode of this one.
    Deno.openSync(path, { create: true, write: true, mode: 0o600 }).close();
    this.#database = new DatabaseSync(path);
    try {
      this.#database.exec(`PRAGMA busy_timeout=${BUSY_TIMEOUT}; PRAGMA foreign_keys=ON;`);
      if (this.#pragma("user_version") === 0) this.#make();
      this.#check(path);
      this.#index();
      this.#database.exec(`PRAGMA synchronous=${durability === "full" ? "FULL" : "NORMAL"};`);
    } catch (error) {
      this.#database.close();
      throw diskError(error, this.#folder);
    }
  }

  /**
   * Does some work as one change: all of it, or none.
   *
   * @throws {AlknetError} `STORE_FULL`, `STORE_BUSY`. What the work throws.
   */
  transaction<T>(work: () => T): T {
    try {
      this.#database.exec("BEGIN IMMEDIATE");
    } catch (error) {
      throw diskError(error, this.#folder);
    }
    try {
      const result = work();
      this.#database.exec("COMMIT");
      return result;
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw diskError(error, this.#folder);
    }
  }

  /** Reads several rows as they are at one time, whatever other processes commit meanwhile. */
  reading<T>(work: () => T): T {
    if (this.#database.isTransaction) return work();
    this.#database.exec("BEGIN");
    try {
      return work();
    } finally {
      this.#database.exec("COMMIT");
    }
  }

  /** Changes rows. */
  run(sql: string, ...values: readonly SqlValue[]): void {
    this.#told(() => this.#statement(sql).run(...values));
  }

  /** The first row. */
  get<Row>(sql: string, ...values: readonly SqlValue[]): Row | undefined {
    return this.#told(() => this.#statement(sql).get(...values)) as Row | undefined;
  }

  /** All rows. */
  all<Row>(sql: string, ...values: readonly SqlValue[]): Row[] {
    return this.#told(() => this.#statement(sql).all(...values)) as Row[];
  }

  /** Closes it. Twice is harmless. */
  [Symbol.dispose](): void {
    if (this.#database.isOpen) this.#database.close();
  }

  #told<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw diskError(error, this.#folder);
    }
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) this.#statements.set(sql, statement = this.#database.prepare(sql));
    return statement;
  }

  #make(): void {
    this.#database.exec("PRAGMA journal_mode=WAL;");
    this.transaction(() => {
      // Another process may have been quicker.
      if (this.#pragma("user_version") !== 0) return;
      this.#database.exec(SCHEMA);
      this.#database.exec(`PRAGMA application_id=${APPLICATION_ID}; PRAGMA user_version=${USER_VERSION};`);
    });
  }

  #index(): void {
    if (this.get("SELECT 1 FROM sqlite_master WHERE name='past_node'")) return;
    try {
      this.#database.exec(NODE_INDEXES);
    } catch (error) {
      // Blobs need none of them, and can be cleared from a full disk: the next to open the store makes them.
      if (diskError(error, this.#folder) === error) throw error;
    }
  }

  #check(path: string): void {
    if (this.#pragma("application_id") !== APPLICATION_ID) {
      throw new AlknetError("INVALID_STORE", `${path} is no store of blobs; name another folder`);
    }
    const version = this.#pragma("user_version");
    if (version > USER_VERSION) {
      const what = `${path} was written by a newer alknet (version ${version}, this one knows ${USER_VERSION})`;
      throw new AlknetError("STORE_NEWER", `${what}; nothing was changed`);
    }
  }

  #pragma(name: string): number {
    return Object.values(this.#database.prepare(`PRAGMA ${name}`).get() as object)[0];
  }
}

/** What a column holds. */
export type SqlValue = Uint8Array | string | number | bigint | null;
