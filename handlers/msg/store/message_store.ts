/**
 * The database of one who writes: opened with the keys that it belongs to (msg.md §3.1).
 *
 * @module
 */
import { AlknetError, equalBytes, type Random } from "@alknet/core/crypto";
import type { MessageKeys } from "../agreement/identity.ts";
import { Database, type SqlValue } from "../database.ts";
import { raiseGeneration } from "./generation.ts";
import { MESSAGES } from "./schema.ts";
import { type KeyPart, SealedColumn } from "./sealed_column.ts";

/** Rows, and what is sealed in them. */
export class MessageStore implements Disposable {
  /** The tables. */
  readonly database: Database;
  /** Whether it was put back from a copy, so that its sessions are stale and its queues have keys that it does not know. */
  readonly isRestored: boolean;
  readonly #column: SealedColumn;

  /**
   * Opens it, made where it is not there, for its owner alone.
   *
   * @throws {AlknetError} `MESSAGE_STORE`: it is none, of another version, or another vault's.
   */
  constructor(file: string, keys: MessageKeys, random: Random) {
    this.database = new Database(file, MESSAGES);
    try {
      this.#column = this.database.transaction(() => {
        const meta = "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING";
        this.database.run(meta, "salt", random(32));
        this.database.run(meta, "ed", keys.ed);
        this.database.run(meta, "generation", new Uint8Array(8));
        const [salt, ed] = ["salt", "ed"].map((name) =>
          this.database.get<{ value: Uint8Array }>("SELECT value FROM meta WHERE name = ?", name)!.value
        );
        if (equalBytes(ed, keys.ed)) return new SealedColumn(keys.store, salt, random);
        throw new AlknetError("MESSAGE_STORE", `${file} belongs to another vault; move it away to begin anew`);
      });
      this.isRestored = raiseGeneration(this.database, file, () => {
        // What was sealed since then is not known here: nothing is sealed by these again.
        this.database.run("UPDATE session SET stale = 1");
        this.database.run("UPDATE queue SET state = 'restored' WHERE state <> 'dropped'");
      });
    } catch (error) {
      this.database[Symbol.dispose]();
      throw error;
    }
  }

  /** Does some work as one change: all of it, or none. */
  transaction<T>(work: () => T): T {
    return this.database.transaction(work);
  }

  /** A free primary key of a table. To be used in the transaction that asks. */
  nextId(table: "contact" | "skipped" | "outbox" | "message"): number {
    const column = table === "message" ? "place" : "id";
    return this.database.get<{ n: number }>(`SELECT coalesce(max(${column}), 0) + 1 AS n FROM ${table}`)!.n;
  }

  /** Seals what a row holds. */
  seal(table: string, key: readonly KeyPart[], secret: Uint8Array): Uint8Array {
    return this.#column.seal(table, key, secret);
  }

  /** Opens what a row holds. Throws `MESSAGE_STORE`. */
  open(table: string, key: readonly KeyPart[], sealed: Uint8Array): Uint8Array {
    return this.#column.open(table, key, sealed);
  }

  /** Seals JSON. */
  sealJson(table: string, key: readonly KeyPart[], value: Readonly<Record<string, unknown>>): Uint8Array {
    return this.seal(table, key, new TextEncoder().encode(JSON.stringify(value)));
  }

  /** Opens JSON. */
  openJson(table: string, key: readonly KeyPart[], sealed: Uint8Array): Record<string, unknown> {
    return JSON.parse(new TextDecoder().decode(this.open(table, key, sealed)));
  }

  /** Whether there is a row. */
  has(sql: string, ...values: readonly SqlValue[]): boolean {
    return this.database.get(sql, ...values) !== undefined;
  }

  /** Closes it, and wipes its key. */
  [Symbol.dispose](): void {
    this.#column?.[Symbol.dispose]();
    this.database[Symbol.dispose]();
  }
}
