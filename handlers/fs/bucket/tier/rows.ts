/**
 * What of the rows of a store is about its bucket.
 *
 * @module
 */
import type { StoreDatabase } from "../../blobs/disk/tables/database.ts";
import { bytesOf, PLACE, THERE } from "../../blobs/disk/tables/rows.ts";
import type { Hash } from "../../wire/hash_text.ts";

/** Rows that are read at once. */
const PAGE = 100;
/** What is to be sent, and what may go here, are found without looking at all. */
const INDEXES = `
CREATE INDEX IF NOT EXISTS blobs_unsent ON blobs(hash) WHERE state=1 AND bucket<>1;
CREATE INDEX IF NOT EXISTS blobs_kept ON blobs(used,hash,size) WHERE state=1 AND place=1 AND bucket=1;
`;

/** A blob of a store, as far as it matters here. */
export interface BucketRow {
  /** Its hash. */
  readonly hash: Hash;
  /** Its bytes. */
  readonly size: number;
}

/** Reads and writes them. */
export class BucketRows {
  readonly #database: StoreDatabase;

  /** @param database That of the store. */
  constructor(database: StoreDatabase) {
    this.#database = database;
    for (const sql of INDEXES.split("\n").filter((line) => line !== "")) {
      database.transaction(() => database.run(sql));
    }
  }

  /** Blobs that are here and not there, after a hash, in their order. */
  unsent(after: Hash | undefined): BucketRow[] {
    return this.#page(
      "SELECT hash,size FROM blobs WHERE state=1 AND bucket<>1 AND place<>3 AND hash>? ORDER BY hash LIMIT ?",
      after === undefined ? new Uint8Array() : bytesOf(after),
    );
  }

  /** How many. */
  countUnsent(): number {
    const sql = "SELECT count(*) AS n FROM blobs WHERE state=1 AND bucket<>1 AND place<>3";
    return this.#database.get<{ n: number }>(sql)!.n;
  }

  /** Bytes of files that may go here. */
  kept(): number {
    const sql = "SELECT total(size) AS n FROM blobs WHERE state=1 AND place=1 AND bucket=1";
    return this.#database.get<{ n: number }>(sql)!.n;
  }

  /** Those that were used the longest ago. */
  oldest(): BucketRow[] {
    return this.#page("SELECT hash,size FROM blobs WHERE state=1 AND place=1 AND bucket=1 ORDER BY used,hash LIMIT ?");
  }

  /** Blobs in whose place something else was found, and that are nowhere else; after a hash, in their order. */
  lost(after: Hash | undefined): BucketRow[] {
    return this.#page(
      "SELECT hash,size FROM blobs WHERE state=0 AND state<>1 AND place=3 AND hash>? ORDER BY hash LIMIT ?",
      after === undefined ? new Uint8Array() : bytesOf(after),
    );
  }

  /** A complete blob. */
  find(hash: Hash): { readonly size: number; readonly place: number; readonly bucket: number } | undefined {
    return this.#database.get("SELECT size,place,bucket FROM blobs WHERE hash=? AND state=1", bytesOf(hash));
  }

  /** Whether there is a row of a blob, whatever it says. */
  has(hash: Hash): boolean {
    return this.#database.get("SELECT 1 FROM blobs WHERE hash=?", bytesOf(hash)) !== undefined;
  }

  /** Says before the first request that something of a blob may be there. */
  begin(hash: Hash): void {
    this.#change("UPDATE blobs SET bucket=? WHERE hash=? AND bucket=?", THERE.begun, bytesOf(hash), THERE.no);
  }

  /** Says that it is there. */
  sent(hash: Hash): void {
    this.#change("UPDATE blobs SET bucket=? WHERE hash=? AND state=1", THERE.yes, bytesOf(hash));
  }

  /** Says that it is there alone, unless that is not so. Whether it is. */
  alone(hash: Hash): boolean {
    const sql = "UPDATE blobs SET place=? WHERE hash=? AND state=1 AND place=? AND bucket=?";
    this.#change(sql, PLACE.bucket, bytesOf(hash), PLACE.owned, THERE.yes);
    return this.find(hash)?.place === PLACE.bucket;
  }

  /** Says that its files are here again, and its pairs, where they are few. Whether it is so. */
  here(hash: Hash, pairs: Uint8Array | undefined): boolean {
    const key = bytesOf(hash);
    this.#database.transaction(() => {
      const sql = "UPDATE blobs SET place=? WHERE hash=? AND state=1 AND place=?";
      this.#database.run(sql, PLACE.owned, key, PLACE.bucket);
      if (pairs?.byteLength) this.#database.run("INSERT OR REPLACE INTO inline(hash,pairs) VALUES(?,?)", key, pairs);
    });
    return this.find(hash)?.place === PLACE.owned;
  }

  /** Says that something else is in its place: where it is nowhere else, it is as if nothing of it had come. */
  wrong(hash: Hash): void {
    const sql = "UPDATE blobs SET bucket=?, state=CASE place WHEN 3 THEN 0 ELSE state END WHERE hash=? AND state=1";
    this.#change(sql, THERE.wrong, bytesOf(hash));
  }

  /** Says that it was right after all. */
  right(hash: Hash): void {
    this.#change(
      "UPDATE blobs SET bucket=?, state=1 WHERE hash=? AND state=0 AND place=?",
      THERE.yes,
      bytesOf(hash),
      PLACE.bucket,
    );
  }

  /** Writes down, in a transaction of the caller's, a blob that is there alone; unless there is a row of it. */
  adopt({ hash, size }: BucketRow, now: number): void {
    if (this.has(hash)) return;
    const sql = "INSERT INTO blobs(hash,size,state,place,bucket,owner,used) VALUES(?,?,1,?,?,NULL,?)";
    this.#database.run(sql, bytesOf(hash), size, PLACE.bucket, THERE.yes, Math.floor(now / 3_600_000) * 3600);
    this.#database.run("INSERT OR REPLACE INTO candidates(hash,since) VALUES(?,?)", bytesOf(hash), now);
  }

  #change(sql: string, ...values: readonly (Uint8Array | number)[]): void {
    this.#database.transaction(() => this.#database.run(sql, ...values));
  }

  #page(sql: string, ...values: readonly Uint8Array[]): BucketRow[] {
    return this.#database.all<{ hash: Uint8Array; size: number }>(sql, ...values, PAGE)
      .map(({ hash, size }) => ({ hash: hash.toHex(), size }));
  }
}
