/**
 * A SQLite file for its owner alone, opened, made where it is not there, and changed in transactions (msg.md §3.1).
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { DatabaseSync, type StatementSync } from "node:sqlite";

/** Milliseconds that a transaction waits for those of other processes. */
const BUSY_TIMEOUT = 5000;
const PRAGMAS = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON; PRAGMA foreign_keys=ON;";

/** What a column holds. */
export type SqlValue = Uint8Array | string | number | bigint | null;

/** What kind of file it is. */
export interface DatabaseKind {
  /** For messages: `messages`. */
  readonly what: string;
  /** Code of errors. */
  readonly code: string;
  /** Tells ours from others' (https://sqlite.org/fileformat.html §1.3). */
  readonly applicationId: number;
  /** Version of the tables. */
  readonly version: number;
  /** Makes the tables. */
  readonly schema: string;
}

/** An open file. */
export class Database implements Disposable {
  readonly #database: DatabaseSync;
  readonly #path: string;
  readonly #kind: DatabaseKind;
  readonly #statements = new Map<string, StatementSync>();

  /**
   * Opens it; `:memory:` is one that no file holds.
   *
   * @throws {AlknetError} The kind's code: it is none of ours, or of a newer version, or busy.
   */
  constructor(path: string, kind: DatabaseKind) {
    this.#path = path;
    this.#kind = kind;
    // SQLite gives its other files the mode of this one.
    if (path !== ":memory:") Deno.openSync(path, { read: true, write: true, create: true, mode: 0o600 }).close();
    this.#database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT });
    try {
      this.#explained(() => {
        if (this.#pragma("user_version") === 0 && this.#pragma("schema_version") === 0) this.#make();
        this.#check();
        this.#database.exec(PRAGMAS);
      });
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  /**
   * Does some work as one change: all of it, or none.
   *
   * @throws {AlknetError} `DISK_FULL`, or the kind's code where another program holds the file. What the work throws.
   */
  transaction<T>(work: () => T): T {
    return this.#explained(() => {
      this.#database.exec("BEGIN IMMEDIATE");
      try {
        const result = work();
        this.#database.exec("COMMIT");
        return result;
      } catch (error) {
        if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
        throw error;
      }
    });
  }

  /** Changes rows. Gives how many, and the id of the last that came. */
  run(sql: string, ...values: readonly SqlValue[]): { readonly changes: number; readonly id: number } {
    const { changes, lastInsertRowid } = this.#statement(sql).run(...values);
    return { changes: Number(changes), id: Number(lastInsertRowid) };
  }

  /** The first row. */
  get<Row>(sql: string, ...values: readonly SqlValue[]): Row | undefined {
    return this.#statement(sql).get(...values) as Row | undefined;
  }

  /** All rows. */
  all<Row>(sql: string, ...values: readonly SqlValue[]): Row[] {
    return this.#statement(sql).all(...values) as Row[];
  }

  /**
   * What is another text once something was changed, here or by another program
   * (https://sqlite.org/pragma.html#pragma_data_version).
   */
  get version(): string {
    const { data_version } = this.get<{ data_version: number }>("PRAGMA data_version")!;
    return `${data_version} ${this.get<{ n: number }>("SELECT total_changes() AS n")!.n}`;
  }

  /** Closes it. Twice is harmless. */
  [Symbol.dispose](): void {
    this.#statements.clear();
    if (this.#database.isOpen) this.#database.close();
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) this.#statements.set(sql, statement = this.#database.prepare(sql));
    return statement;
  }

  #make(): void {
    const { schema, applicationId, version } = this.#kind;
    this.#database.exec("PRAGMA journal_mode=WAL;");
    this.transaction(() => {
      // Another process may have been quicker.
      if (this.#pragma("user_version") !== 0) return;
      this.#database.exec(`${schema} PRAGMA application_id=${applicationId}; PRAGMA user_version=${version};`);
    });
  }

  #check(): void {
    const { what, code, applicationId, version } = this.#kind;
    if (this.#pragma("application_id") !== applicationId) {
      throw new AlknetError(code, `${this.#path} is no database of ${what}; move it away`);
    }
    const found = this.#pragma("user_version");
    if (found === version) return;
    throw new AlknetError(
      code,
      `${this.#path} has version ${found}, and this program knows version ${version}; nothing was changed`,
    );
  }

  #pragma(name: string): number {
    return Object.values(this.#database.prepare(`PRAGMA ${name}`).get() as object)[0];
  }

  /** The runtime gives no number, only SQLite's own words. */
  #explained<T>(work: () => T): T {
    try {
      return work();
    } catch (cause) {
      if (cause instanceof AlknetError || !(cause instanceof Error)) throw cause;
      const { code, what } = this.#kind;
      if (/disk is full/.test(cause.message)) {
        throw new AlknetError("DISK_FULL", `the disk of ${this.#path} is full; nothing was changed`, { cause });
      }
      if (/is locked/.test(cause.message)) {
        throw new AlknetError(code, `${this.#path} is being written by another program; try again`, { cause });
      }
      if (/not a database|malformed/.test(cause.message)) {
        throw new AlknetError(code, `${this.#path} is no database of ${what}, or was damaged`, { cause });
      }
      throw cause;
    }
  }
}
