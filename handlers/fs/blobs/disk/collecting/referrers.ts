/**
 * Trees that lie elsewhere and refer to blobs of a store: who asks them before a blob goes, and how a store remembers that it
 * has to.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import type { StoreDatabase } from "../tables/database.ts";
import type { Usage, Used } from "../tables/usage.ts";

/** What was dropped. */
export interface Dropped {
  /** Blobs that something refers to no more. */
  readonly hashes: readonly Uint8Array[];
  /** Up to when: by their clock, milliseconds since 1970. */
  readonly now: number;
  /** Whether these are all. */
  readonly isWhole: boolean;
}

/** Such trees. */
export interface Referrers {
  /** Says whom to tell which trees they are, whenever these are met; what that throws is thrown by what met them. */
  bind(met: (id: string) => void): void;
  /**
   * Which of some blobs they refer to, in hex.
   *
   * @throws {AlknetError} `TREE_UNAVAILABLE`.
   */
  among(hashes: readonly Uint8Array[]): Promise<ReadonlySet<string>>;
  /**
   * How much an identity keeps there.
   *
   * @throws {AlknetError} `TREE_UNAVAILABLE`.
   */
  used(owner: string): Promise<Used>;
  /**
   * What was dropped since then, some of it perhaps told before.
   *
   * @throws {AlknetError} `TREE_UNAVAILABLE`.
   */
  dropped(since: number): Promise<Dropped>;
}

const HEARD = "dropped elsewhere, heard until";
const MARK = "trees in ";

/**
 * Makes sure that a store whose blobs are linked elsewhere is not opened without those who link them: what they link would be
 * taken away. A store that is opened with them is marked.
 *
 * @throws {AlknetError} `INVALID_STORE`.
 */
export function assertReferrers(database: StoreDatabase, root: string, isElsewhere: boolean): void {
  const mark = markOf(database);
  if (mark === undefined && isElsewhere) {
    database.transaction(() => database.run("INSERT OR IGNORE INTO counters(name,value) VALUES(?,1)", MARK));
  }
  if (mark === undefined || isElsewhere) return;
  const what = `the branches over ${root} lie in a database; say in handlers.fs.postgres which it is`;
  throw new AlknetError("INVALID_STORE", `${what}, or name another folder; nothing was changed`);
}

/**
 * Remembers which trees they are.
 *
 * @throws {AlknetError} `INVALID_STORE`: they were others before.
 */
export function metReferrers(database: StoreDatabase, root: string, id: string): void {
  const mark = markOf(database);
  if (mark === MARK + id) return;
  if (mark !== undefined && mark !== MARK) {
    const what = `the branches over ${root} lie in another database, or this one was made anew`;
    throw new AlknetError("INVALID_STORE", `${what}; name the right one in handlers.fs.postgres, or another folder`);
  }
  database.transaction(() => {
    database.run("DELETE FROM counters WHERE name=?", MARK);
    database.run("INSERT OR IGNORE INTO counters(name,value) VALUES(?,1)", MARK + id);
  });
}

/** Counts what an identity keeps there, before more is taken for it; as it was, where they cannot be asked. */
export async function count(referrers: Referrers | undefined, usage: Usage, owner: string | undefined): Promise<void> {
  if (!referrers || owner === undefined) return;
  const { bytes, files } = usage.quota(owner);
  if (bytes === undefined && files === undefined) return;
  const used = await referrers.used(owner).catch(() => undefined);
  if (used) usage.told(owner, used);
}

/** Writes down what they dropped. Whether that is all of it. */
export async function hear(referrers: Referrers, database: StoreDatabase, now: number): Promise<boolean> {
  const since = database.get<{ value: number }>("SELECT value FROM counters WHERE name=?", HEARD)?.value ?? 0;
  const { hashes, now: until, isWhole } = await referrers.dropped(since);
  database.transaction(() => {
    for (const hash of hashes) {
      database.run("INSERT OR IGNORE INTO candidates(hash,since) SELECT hash,? FROM blobs WHERE hash=?", now, hash);
    }
    database.run("INSERT OR REPLACE INTO counters(name,value) VALUES(?,?)", HEARD, until);
  });
  return isWhole;
}

function markOf(database: StoreDatabase): string | undefined {
  const sql = "SELECT name FROM counters WHERE name>=?1 AND name<?1||'~' ORDER BY name DESC LIMIT 1";
  return database.get<{ name: string }>(sql, MARK)?.name;
}
