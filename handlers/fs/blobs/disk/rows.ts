/**
 * The rows of blobs, holds and tags.
 *
 * @module
 */
import { notFound } from "../../errors.ts";
import type { Hash } from "../../wire/hash_text.ts";
import type { HashAndFormat, TagOptions } from "../blob_store.ts";
import type { StoreDatabase } from "./database.ts";

const COMPLETE = 1;
const PLACE = { inline: 0, owned: 1 } as const;
const FORMAT = { raw: 0, hashSeq: 1 } as const;
/** Seconds to which `used` is kept. */
const HOUR = 3600;

/** A blob that is to be written down. */
export interface NewRow {
  /** Bytes. */
  readonly size: number;
  /** The data, where they lie in the database. */
  readonly data?: Uint8Array;
  /** The pairs, likewise. */
  readonly pairs?: Uint8Array;
  /** Identity for whom it is kept. */
  readonly owner?: string;
}

/** A blob that is complete. */
export interface BlobRow {
  /** Hex. */
  readonly hash: Hash;
  /** Bytes. */
  readonly size: number;
  /** The data, where they lie in the database. */
  readonly data: Uint8Array | null;
  /** The pairs, likewise. */
  readonly pairs: Uint8Array | null;
  /** When it was last opened, Unix seconds. */
  readonly used: number;
}

/** The rows of a store, as one holder changes them. */
export class BlobRows {
  readonly #database: StoreDatabase;
  readonly #holder: string;
  readonly #holds = new Map<Hash, number>();
  /** Holds that go with the next one that is written. */
  readonly #released = new Set<Hash>();

  /** @param holder Whose holds are meant. */
  constructor(database: StoreDatabase, holder: string) {
    this.#database = database;
    this.#holder = holder;
  }

  /** A blob that is complete. */
  find(hash: Hash): { readonly size: number } | undefined {
    return this.#database.get("SELECT size FROM blobs WHERE hash=? AND state=?", bytesOf(hash), COMPLETE);
  }

  /**
   * A blob with what of it lies in the database; it counts as used.
   *
   * @throws {AlknetError} `BLOB_NOT_FOUND`.
   */
  opened(hash: Hash): BlobRow {
    const key = bytesOf(hash);
    const row = this.#database.get<Omit<BlobRow, "hash">>(
      "SELECT size,used,data,pairs FROM blobs LEFT JOIN inline USING(hash) WHERE hash=? AND state=?",
      key,
      COMPLETE,
    );
    if (!row) throw notFound(hash);
    const now = hour();
    if (row.used < now) {
      this.#database.transaction(() => this.#database.run("UPDATE blobs SET used=? WHERE hash=?", now, key));
    }
    return { ...row, hash };
  }

  /** Writes down a blob, in a transaction of the caller's, unless it is there. */
  insert(hash: Hash, { size, data, pairs, owner }: NewRow): void {
    const key = bytesOf(hash);
    if (this.find(hash)) return;
    this.#database.run(
      "INSERT INTO blobs(hash,size,state,place,bucket,owner,used) VALUES(?,?,?,?,0,?,?)",
      key,
      size,
      COMPLETE,
      data ? PLACE.inline : PLACE.owned,
      owner ?? null,
      hour(),
    );
    if (data || pairs?.byteLength) {
      this.#database.run(
        "INSERT INTO inline(hash,data,pairs) VALUES(?,?,?)",
        key,
        data ?? null,
        pairs?.byteLength ? pairs : null,
      );
    }
    this.#database.run("INSERT OR IGNORE INTO candidates(hash,since) VALUES(?,?)", key, Date.now());
  }

  /** Holds a blob once more; see {@linkcode writeHold}. */
  count(hash: Hash): void {
    this.#holds.set(hash, (this.#holds.get(hash) ?? 0) + 1);
    this.#released.delete(hash);
  }

  /** Writes down that a blob is held, in a transaction of the caller's, and that others are not any more. */
  writeHold(hash: Hash): void {
    for (const gone of this.#released) {
      this.#database.run("DELETE FROM holds WHERE hash=? AND holder=?", bytesOf(gone), this.#holder);
    }
    // Where the transaction fails they stay until the holder ends.
    this.#released.clear();
    this.#database.run("INSERT OR IGNORE INTO holds(hash,holder) VALUES(?,?)", bytesOf(hash), this.#holder);
  }

  /** Holds it no more. */
  release(hash: Hash): void {
    const left = (this.#holds.get(hash) ?? 0) - 1;
    if (left > 0) this.#holds.set(hash, left);
    else if (this.#holds.delete(hash)) this.#released.add(hash);
  }

  /** Holds nothing more. */
  releaseAll(): void {
    this.#holds.clear();
    this.#released.clear();
    this.#database.run("DELETE FROM holds WHERE holder=?", this.#holder);
  }

  /** Blobs that only this holder holds and that have no rows. */
  orphans(): Hash[] {
    return this.#database.all<{ hash: Uint8Array }>(
      "SELECT hash FROM holds h WHERE holder=? AND NOT EXISTS(SELECT 1 FROM blobs b WHERE b.hash=h.hash) " +
        "AND NOT EXISTS(SELECT 1 FROM holds o WHERE o.hash=h.hash AND o.holder<>h.holder)",
      this.#holder,
    ).map(({ hash }) => hash.toHex());
  }

  /** Writes down a tag, in a transaction of the caller's. */
  setTag(name: string, { hash, format }: HashAndFormat, { expires, owner }: TagOptions): void {
    this.#database.run(
      "INSERT OR REPLACE INTO tags(name,hash,format,owner,expires) VALUES(?,?,?,?,?)",
      name,
      bytesOf(hash),
      FORMAT[format],
      owner ?? null,
      expires ? Math.floor(expires.getTime() / 1000) : null,
    );
  }
}

function bytesOf(hash: Hash): Uint8Array {
  return Uint8Array.fromHex(hash);
}

function hour(): number {
  const now = Math.floor(Date.now() / 1000);
  return now - now % HOUR;
}
