/**
 * The rows of blobs and of holds.
 *
 * @module
 */
import { notFound } from "../../../errors.ts";
import type { Hash } from "../../../wire/hash_text.ts";
import type { StoreDatabase } from "./database.ts";

const PARTIAL = 0;
/** `state` of a blob all of which is there. */
export const COMPLETE = 1;
/** Where a blob's data lie. */
export const PLACE = { inline: 0, owned: 1, referenced: 2, bucket: 3 } as const;
/** `bucket` of a blob: not there, there, something else in its place, or perhaps a part of it. */
export const THERE = { no: 0, yes: 1, wrong: 2, begun: 3 } as const;
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

/** A blob that is there, or a part of it. */
export interface BlobRow {
  /** Hex. */
  readonly hash: Hash;
  /** Bytes. */
  readonly size: number;
  /** The data, where they lie in the database. */
  readonly data: Uint8Array | null;
  /** The pairs, likewise. */
  readonly pairs: Uint8Array | null;
  /** Whether it is complete, or a partial. */
  readonly state: number;
  /** Where its data lie. */
  readonly place: number;
  /** When it was last opened, Unix seconds. */
  readonly used: number;
}

/** The rows of a store, as one holder changes them. */
export class BlobRows {
  readonly #database: StoreDatabase;
  readonly #holder: string;
  readonly #now: () => number;
  readonly #holds = new Map<Hash, number>();
  /** Holds that go with the next one that is written. */
  readonly #released = new Set<Hash>();

  /**
   * @param holder Whose holds are meant.
   * @param now Milliseconds since 1970.
   */
  constructor(database: StoreDatabase, holder: string, now: () => number = Date.now) {
    this.#database = database;
    this.#holder = holder;
    this.#now = now;
  }

  /** A blob that is complete. */
  find(hash: Hash): { readonly size: number; readonly place: number } | undefined {
    return this.#database.get("SELECT size,place FROM blobs WHERE hash=? AND state=?", bytesOf(hash), COMPLETE);
  }

  /** A blob of which a part is there. */
  findPartial(hash: Hash): { readonly size: number } | undefined {
    return this.#database.get("SELECT size FROM blobs WHERE hash=? AND state=?", bytesOf(hash), PARTIAL);
  }

  /** Blobs that are there, or a part of them, after a hash, in their order. */
  page(after: Hash | undefined, count: number): Hash[] {
    return this.#database.all<{ hash: Uint8Array }>(
      "SELECT hash FROM blobs WHERE hash>? AND state<=? ORDER BY hash LIMIT ?",
      after === undefined ? new Uint8Array() : bytesOf(after),
      COMPLETE,
      count,
    ).map(({ hash }) => hash.toHex());
  }

  /**
   * A blob, or a part of one, with what of it lies in the database; it counts as used.
   *
   * @throws {AlknetError} `BLOB_NOT_FOUND`.
   */
  opened(hash: Hash): BlobRow {
    const key = bytesOf(hash);
    const row = this.#database.get<Omit<BlobRow, "hash">>(
      "SELECT size,state,place,used,data,pairs FROM blobs LEFT JOIN inline USING(hash) WHERE hash=? AND state<=?",
      key,
      COMPLETE,
    );
    if (!row) throw notFound(hash);
    const now = this.#hour();
    // A partial counts by when its last byte came.
    if (row.state === COMPLETE && row.used < now) {
      this.#database.transaction(() => this.#database.run("UPDATE blobs SET used=? WHERE hash=?", now, key));
    }
    return { ...row, hash };
  }

  /** Writes down a blob, in a transaction of the caller's, unless it is there; what was a part of it is that no more. */
  insert(hash: Hash, { size, data, pairs, owner }: NewRow, where?: number): void {
    const key = bytesOf(hash);
    const there = this.find(hash);
    if (there && (there.place !== PLACE.referenced || where === PLACE.referenced)) return;
    const before = this.#database.get<{ bucket: number }>("SELECT bucket FROM blobs WHERE hash=?", key);
    // A part of it, or a reference to it, which is not ours to keep.
    this.#database.run("DELETE FROM blobs WHERE hash=?", key);
    this.#database.run(
      "INSERT INTO blobs(hash,size,state,place,bucket,owner,used) VALUES(?,?,?,?,?,?,?)",
      key,
      size,
      COMPLETE,
      where ?? (data ? PLACE.inline : PLACE.owned),
      before?.bucket ?? 0,
      owner ?? null,
      this.#hour(),
    );
    if (data || pairs?.byteLength) {
      this.#database.run(
        "INSERT INTO inline(hash,data,pairs) VALUES(?,?,?)",
        key,
        data ?? null,
        pairs?.byteLength ? pairs : null,
      );
    }
    this.#candidate(key);
  }

  /** Writes down that a blob has its own files, in a transaction of the caller's: it was a partial, or a reference. */
  complete(hash: Hash, size: number, pairs: Uint8Array | undefined): void {
    const key = bytesOf(hash);
    this.#database.run(
      "UPDATE blobs SET state=?,place=?,size=?,used=? WHERE hash=?",
      COMPLETE,
      PLACE.owned,
      size,
      this.#hour(),
      key,
    );
    this.#database.run("DELETE FROM sources WHERE hash=?", key);
    if (pairs?.byteLength) this.#database.run("INSERT OR REPLACE INTO inline(hash,pairs) VALUES(?,?)", key, pairs);
  }

  /** Writes down that a part of a blob comes, in a transaction of the caller's. The size that is known. */
  beginPartial(hash: Hash, claimed: number, owner: string | undefined): number {
    const known = this.findPartial(hash) ?? this.find(hash);
    if (known) return known.size;
    const key = bytesOf(hash);
    this.#database.run(
      "INSERT INTO blobs(hash,size,state,place,bucket,owner,used) VALUES(?,?,?,?,0,?,?)",
      key,
      claimed,
      PARTIAL,
      PLACE.owned,
      owner ?? null,
      this.#hour(),
    );
    this.#candidate(key);
    return claimed;
  }

  /** Writes down that more of a part came. */
  touchPartial(hash: Hash, size: number): void {
    this.#database.run(
      "UPDATE blobs SET size=?,used=? WHERE hash=? AND state=?",
      size,
      this.#hour(),
      bytesOf(hash),
      PARTIAL,
    );
  }

  /** Forgets a part of a blob. */
  dropPartial(hash: Hash): void {
    this.#database.run("DELETE FROM blobs WHERE hash=? AND state=?", bytesOf(hash), PARTIAL);
  }

  /** Holds a blob once more; see {@linkcode writeHold}. */
  count(hash: Hash): void {
    this.#holds.set(hash, (this.#holds.get(hash) ?? 0) + 1);
    this.#released.delete(hash);
  }

  /** Writes down that a blob is held, in a transaction of the caller's, and that others are not any more. */
  writeHold(hash: Hash): void {
    this.writeReleases();
    this.#database.run("INSERT OR IGNORE INTO holds(hash,holder) VALUES(?,?)", bytesOf(hash), this.#holder);
  }

  /** Writes down what is held no more, in a transaction of the caller's. */
  writeReleases(): void {
    for (const gone of this.#released) {
      const key = bytesOf(gone);
      this.#database.run("DELETE FROM holds WHERE hash=? AND holder=?", key, this.#holder);
      this.dropped(key);
    }
    // Where the transaction fails they stay until the holder ends.
    this.#released.clear();
  }

  /** Writes down that something refers to a blob no more, nor to what it lists. */
  dropped(key: Uint8Array): void {
    this.#candidate(key);
    this.#database.run(
      "INSERT OR REPLACE INTO candidates(hash,since) SELECT child,? FROM members WHERE root=?",
      this.#now(),
      key,
    );
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
    this.#database.transaction(() => this.forgetHolder());
  }

  /** Takes away what the holder held, in a transaction of the caller's. */
  forgetHolder(): void {
    const held = this.#database.all<{ hash: Uint8Array }>("SELECT hash FROM holds WHERE holder=?", this.#holder);
    for (const { hash } of held) this.dropped(hash);
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

  /** Blobs that lie elsewhere alone and that this holder holds: it may have died while their files went. */
  strays(): Hash[] {
    return this.#database.all<{ hash: Uint8Array }>(
      "SELECT hash FROM holds JOIN blobs USING(hash) WHERE holder=? AND place=?",
      this.#holder,
      PLACE.bucket,
    ).map(({ hash }) => hash.toHex());
  }

  #candidate(key: Uint8Array): void {
    this.#database.run("INSERT OR REPLACE INTO candidates(hash,since) VALUES(?,?)", key, this.#now());
  }

  #hour(): number {
    const now = Math.floor(this.#now() / 1000);
    return now - now % HOUR;
  }
}

/** A hash as the tables have it. */
export function bytesOf(hash: Hash): Uint8Array {
  return Uint8Array.fromHex(hash);
}
