/**
 * The rows of tags, and of what the sequences under them list.
 *
 * @module
 */
import type { Hash } from "../../../wire/hash_text.ts";
import type { HashAndFormat, Tag, TagOptions } from "../../blob_store.ts";
import type { StoreDatabase } from "./database.ts";
import { type BlobRows, bytesOf } from "./rows.ts";
import type { Usage } from "./usage.ts";

const FORMAT = { raw: 0, hashSeq: 1 } as const;

interface TagRow {
  readonly name: string;
  readonly hash: Uint8Array;
  readonly format: number;
  readonly owner: string | null;
  readonly expires: number | null;
}

/** The tags of a store. Each change is in a transaction of the caller's. */
export class TagRows {
  readonly #database: StoreDatabase;
  readonly #rows: BlobRows;
  readonly #usage: Usage;

  /**
   * @param rows Those of the blobs.
   * @param usage Told of what identities keep.
   */
  constructor(database: StoreDatabase, rows: BlobRows, usage: Usage) {
    this.#usage = usage;
    this.#database = database;
    this.#rows = rows;
  }

  /**
   * Writes down a tag. What had the name has it no more.
   *
   * @throws {AlknetError} `QUOTA_EXCEEDED`.
   */
  set(name: string, { hash, format }: HashAndFormat, { expires, owner }: TagOptions): void {
    this.drop(name);
    this.#database.run(
      "INSERT INTO tags(name,hash,format,owner,expires) VALUES(?,?,?,?,?)",
      name,
      bytesOf(hash),
      FORMAT[format],
      owner ?? null,
      expires ? Math.floor(expires.getTime() / 1000) : null,
    );
    this.#usage.settled(bytesOf(hash), format === "hashSeq");
    if (owner !== undefined) this.#usage.added(owner, bytesOf(hash), format === "hashSeq");
  }

  /** Takes a tag away. Whether there was one. */
  drop(name: string): boolean {
    const row = this.#database.get<TagRow>("SELECT * FROM tags WHERE name=?", name);
    if (!row) return false;
    this.#database.run("DELETE FROM tags WHERE name=?", name);
    if (row.owner !== null) this.#usage.dropped(row.owner, row.hash, row.format === FORMAT.hashSeq);
    this.#rows.dropped(row.hash);
    return true;
  }

  /** Takes away those that have ended. */
  dropExpired(now: number): void {
    const ended = this.#database.all<{ name: string }>(
      "SELECT name FROM tags WHERE expires IS NOT NULL AND expires<=?",
      Math.floor(now / 1000),
    );
    for (const { name } of ended) this.drop(name);
  }

  /** Tags after a name, in their order; of one blob, where it is named. */
  page(after: string, count: number, hash?: Hash): Tag[] {
    const rows = hash === undefined
      ? this.#database.all<TagRow>("SELECT * FROM tags WHERE name>? ORDER BY name LIMIT ?", after, count)
      : this.#database.all<TagRow>(
        "SELECT * FROM tags WHERE hash=? AND name>? ORDER BY name LIMIT ?",
        bytesOf(hash),
        after,
        count,
      );
    return rows.map(({ name, hash, format, owner, expires }) => ({
      name,
      hash: hash.toHex(),
      format: format === FORMAT.raw ? "raw" : "hashSeq",
      ...owner !== null && { owner },
      ...expires !== null && { expires: new Date(expires * 1000) },
    }));
  }

  /** Writes down what a sequence lists. */
  setMembers(root: Hash, children: Iterable<Uint8Array>): void {
    const key = bytesOf(root);
    for (const child of children) {
      this.#database.run("INSERT OR IGNORE INTO members(root,child) VALUES(?,?)", key, child);
    }
  }
}
