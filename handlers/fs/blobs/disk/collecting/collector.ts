/**
 * Collection: what nothing refers to goes (fs.md §5.4). Its cost is that of what was dropped, not of what is stored.
 *
 * A blob is kept by a tag, by a hold of a living process, by an entry of a branch, and as a member of a sequence that is
 * tagged or held; a part of one also for a week after its last byte. Whether it is, is looked up in the transaction that
 * says that it goes, so that nobody can come to refer to it between.
 *
 * @module
 */
import type { Collected, CollectOptions } from "../../blob_store.ts";
import type { StoreDatabase } from "../tables/database.ts";
import type { DiskParts } from "../parts.ts";
import type { TagRows } from "../tables/tags.ts";
import { GOING } from "../going.ts";
import { hear, type Referrers } from "./referrers.ts";

/** Milliseconds that a candidate has to find somebody who refers to it. */
const AGE = 5 * 60_000;
/** Milliseconds that a part of a blob stays without more of it; and its last byte is known to the hour. */
const PARTIAL_AGE = (7 * 24 + 1) * 3_600_000;
/** Candidates of a transaction. */
const AT_ONCE = 1000;

/** Whether anything refers to a blob: keyed lookups, each in an index. */
export const ALIVE = "SELECT EXISTS(SELECT 1 FROM tags WHERE hash=?1 AND (expires IS NULL OR expires>?2))" +
  " OR EXISTS(SELECT 1 FROM holds WHERE hash=?1)" +
  " OR EXISTS(SELECT 1 FROM entries WHERE hash=?1 AND hash IS NOT NULL)" +
  " OR EXISTS(SELECT 1 FROM past WHERE hash=?1 AND hash IS NOT NULL)" +
  " OR EXISTS(SELECT 1 FROM members m WHERE m.child=?1 AND (" +
  "EXISTS(SELECT 1 FROM tags t WHERE t.hash=m.root AND t.format=1 AND (t.expires IS NULL OR t.expires>?2))" +
  " OR EXISTS(SELECT 1 FROM holds h WHERE h.hash=m.root))) AS alive";

interface Row {
  readonly size: number;
  readonly state: number;
  readonly used: number;
}

/** Collects what nothing refers to. */
export class Collector {
  readonly #parts: DiskParts;
  readonly #tags: TagRows;
  readonly #now: () => number;
  readonly #database: StoreDatabase;
  readonly #referrers: Referrers | undefined;

  /**
   * @param now Milliseconds since 1970.
   * @param referrers Trees that lie elsewhere and refer to blobs of the store.
   */
  constructor(parts: DiskParts, tags: TagRows, now: () => number, referrers?: Referrers) {
    this.#parts = parts;
    this.#tags = tags;
    this.#now = now;
    this.#database = parts.database;
    this.#referrers = referrers;
  }

  /**
   * One pass.
   *
   * @returns What went, or would go; nothing where another process is at it.
   * @throws {AlknetError} `TREE_UNAVAILABLE`: it cannot be known what trees elsewhere refer to.
   */
  async collect({ full: isFull = false, dryRun = false }: CollectOptions): Promise<Collected | undefined> {
    const { going, rows } = this.#parts;
    using lock = await going.lock();
    if (!lock) return undefined;
    const now = this.#now();
    // What was dropped elsewhere longer ago than is known there is found by looking at all.
    const full = isFull || (this.#referrers !== undefined && !await hear(this.#referrers, this.#database, now));
    this.#database.transaction(() => {
      rows.writeReleases();
      this.#tags.dropExpired(now);
    });
    if (!dryRun) await going.takeAway();
    const sum = { blobs: 0, bytes: 0 };
    const takeAway = async (): Promise<void> => {
      if (dryRun) return;
      const left = await going.takeAway();
      sum.blobs -= left.blobs;
      sum.bytes -= left.bytes;
    };
    for (let after: Uint8Array | undefined = new Uint8Array(); after;) {
      const page: Uint8Array[] = this.#page(after, full, now - AGE);
      const isReferred = await this.#asked(page, now);
      this.#database.transaction(() => {
        for (const hash of page) {
          if (isReferred(hash)) continue;
          const size = this.#look(hash, { now, dryRun });
          if (size === undefined) continue;
          sum.blobs++;
          sum.bytes += size;
        }
      });
      await takeAway();
      after = page.length < AT_ONCE ? undefined : page.at(-1);
    }
    return sum;
  }

  /**
   * Asks trees elsewhere which of some blobs they refer to. Whoever links one holds it meanwhile, and makes it a candidate anew
   * after it: one that is as it was before they were asked was not linked since.
   */
  async #asked(page: readonly Uint8Array[], now: number): Promise<(hash: Uint8Array) => boolean> {
    if (!this.#referrers || page.length === 0) return () => false;
    const before = new Map(page.map((hash) => [hash, this.#since(hash)]));
    const referred = await this.#referrers.among(page);
    return (hash) => {
      const since = this.#since(hash);
      if (since !== before.get(hash) || (since !== undefined && since >= now)) return true;
      if (!referred.has(hash.toHex())) return false;
      // When it is dropped there, that is heard.
      this.#database.run("DELETE FROM candidates WHERE hash=?", hash);
      return true;
    };
  }

  #since(hash: Uint8Array): number | undefined {
    return this.#database.get<{ since: number }>("SELECT since FROM candidates WHERE hash=?", hash)?.since;
  }

  #page(after: Uint8Array, full: boolean, before: number): Uint8Array[] {
    const found = full
      ? this.#database.all<{ hash: Uint8Array }>(
        "SELECT hash FROM blobs WHERE hash>? ORDER BY hash LIMIT ?",
        after,
        AT_ONCE,
      )
      : this.#database.all<{ hash: Uint8Array }>(
        "SELECT hash FROM candidates WHERE hash>? AND since<=? ORDER BY hash LIMIT ?",
        after,
        before,
        AT_ONCE,
      );
    return found.map(({ hash }) => hash);
  }

  /** Says that a blob goes, if nothing refers to it. Its bytes then. */
  #look(hash: Uint8Array, { now, dryRun }: { readonly now: number; readonly dryRun: boolean }): number | undefined {
    const row = this.#database.get<Row>("SELECT size,state,used FROM blobs WHERE hash=?", hash);
    const settled = (): void => {
      if (!dryRun) this.#database.run("DELETE FROM candidates WHERE hash=?", hash);
    };
    if (!row) return void settled();
    if (row.state === GOING) return row.size;
    if (this.#database.get<{ alive: number }>(ALIVE, hash, Math.floor(now / 1000))!.alive) return void settled();
    const PARTIAL = 0;
    // Nobody will say that its week is over: it stays a candidate.
    if (row.state === PARTIAL && row.used * 1000 + PARTIAL_AGE > now) return undefined;
    if (dryRun) return row.size;
    this.#database.run("UPDATE blobs SET state=? WHERE hash=?", GOING, hash);
    this.#database.run("DELETE FROM members WHERE root=?", hash);
    return row.size;
  }
}
