/**
 * What is left over by commits, done bit by bit (fs.md §6): rows below removed folders are retired, history that nobody
 * keeps goes, and so do branches that were dropped. Each bit is a transaction of its own, so that nobody waits long, and a
 * process that dies leaves the rest to the next.
 *
 * @module
 */
import type { Tables } from "../../blobs/disk/parts.ts";
import { type BranchRow, type BranchRows, DROPPED } from "../rows/branches.ts";
import { COLUMNS, FILE, FOLDER, type Row } from "../rows/row.ts";
import { retireRow } from "../rows/writer.ts";

/** Rows of a transaction. */
const AT_ONCE = 1000;
/** Milliseconds of a day. */
const DAY = 24 * 3_600_000;
const TABLES = ["past", "changes", "snapshots", "doomed"] as const;

interface Doomed {
  readonly branch: number;
  readonly node: number;
  readonly seq: number;
}

/** Does what is left over. */
export class Upkeep {
  readonly #tables: Tables;
  readonly #branches: BranchRows;
  readonly #history: number;

  /** @param days For how many days versions are kept. */
  constructor(tables: Tables, branches: BranchRows, days: number) {
    this.#tables = tables;
    this.#branches = branches;
    this.#history = days * DAY;
  }

  /** Retires some rows below removed folders. Whether there is more to do. */
  reap(): boolean {
    const { database } = this.#tables;
    const doomed = database.get<Doomed>("SELECT branch,node,seq FROM doomed LIMIT 1");
    if (!doomed) return false;
    return database.transaction(() => {
      let left = AT_ONCE;
      for (let next: Doomed | undefined = doomed; next && left > 0;) {
        left -= this.#reap(next, left);
        next = database.get<Doomed>("SELECT branch,node,seq FROM doomed LIMIT 1");
      }
      return left <= 0;
    });
  }

  /** Retires all that lies in a folder of a branch, in a transaction of the caller's. */
  reapWhole(branch: number): void {
    for (;;) {
      const doomed = this.#tables.database.get<Doomed>(
        "SELECT branch,node,seq FROM doomed WHERE branch=? LIMIT 1",
        branch,
      );
      if (!doomed) return;
      this.#reap(doomed, Number.MAX_SAFE_INTEGER);
    }
  }

  /** Takes some of the history away that nobody keeps. Whether there is more to do. */
  prune(): boolean {
    const before = this.#tables.now() - this.#history;
    let more = false;
    for (const branch of this.#all()) {
      if (!branch.name.startsWith(DROPPED)) this.#age(branch, before);
      if (!this.#hasOld(branch)) continue;
      if (this.#tables.database.transaction(() => this.#pruneBranch(branch))) more = true;
    }
    return more;
  }

  /** Takes some rows of dropped branches away that nothing was forked from. Whether there is more to do. */
  sweep(): boolean {
    const { database } = this.#tables;
    const gone = database.get<BranchRow>(
      `SELECT * FROM branches b WHERE name>='${DROPPED}' AND name<'$' ` +
        "AND NOT EXISTS(SELECT 1 FROM branches f WHERE f.parent=b.id) LIMIT 1",
    );
    if (!gone) return false;
    database.transaction(() => this.#sweep(gone));
    return true;
  }

  #reap({ branch, node, seq }: Doomed, most: number): number {
    const { database } = this.#tables;
    const row = this.#branches.numbered(branch);
    // Which names the branch itself has is known until its rows are retired: then all of them at once.
    const isAlone = row.depth === 0;
    if (!isAlone) this.#doomBehind(row, node, seq);
    const limit = isAlone ? most : Number.MAX_SAFE_INTEGER;
    const rows = database.all<Row>(
      `SELECT ${COLUMNS} FROM entries WHERE branch=? AND dir=? LIMIT ?`,
      branch,
      node,
      limit,
    );
    let [bytes, files] = [0, 0];
    for (const one of rows) {
      if (one.kind === FOLDER) this.#doom(branch, one.node!, seq);
      if (one.kind === FILE) [bytes, files] = [bytes - one.size!, files - 1];
      retireRow(this.#tables, branch, one, seq);
    }
    if (row.owner !== null) this.#tables.usage.entries(row.owner, bytes, files);
    if (rows.length < limit) database.run("DELETE FROM doomed WHERE branch=? AND node=?", branch, node);
    return Math.max(1, rows.length);
  }

  /** Folders in it that the branch has from what it was forked from may hold rows of its own. */
  #doomBehind(branch: BranchRow, node: number, seq: number): void {
    const view = this.#branches.view(branch, branch.head);
    for (const { kind, node: child, name } of view.behind.children(node)) {
      if (kind === FOLDER && !view.own({ ...view.levels[0], v: seq }, node, name)) this.#doom(branch.id, child!, seq);
    }
  }

  #doom(branch: number, node: number, seq: number): void {
    this.#tables.database.run("INSERT OR REPLACE INTO doomed(branch,node,seq) VALUES(?,?,?)", branch, node, seq);
  }

  /** Says which version is the oldest that its age keeps: the one before the first young commit. */
  #age({ id, head }: BranchRow, before: number): void {
    const { database } = this.#tables;
    // Commits come in the order of their times, but for a clock that is set back, which keeps more.
    const known = this.#branches.oldest(id);
    let [oldest, high] = [known, head];
    while (oldest < high) {
      const middle = Math.floor((oldest + high) / 2);
      const time = database.get<{ time: number }>(
        "SELECT time FROM changes WHERE branch=? AND seq>? ORDER BY seq,n LIMIT 1",
        id,
        middle,
      )?.time;
      if (time === undefined || time >= before) high = middle;
      else oldest = middle + 1;
    }
    if (oldest > known) database.transaction(() => this.#branches.setOldest(id, oldest));
  }

  #hasOld({ id }: BranchRow): boolean {
    const oldest = this.#branches.oldest(id);
    const { database } = this.#tables;
    return oldest > 0 && (
      database.get("SELECT 1 FROM past INDEXED BY past_until WHERE branch=? AND until<=? LIMIT 1", id, oldest) !==
        undefined ||
      database.get("SELECT 1 FROM changes WHERE branch=? AND seq<? LIMIT 1", id, oldest) !== undefined
    );
  }

  #pruneBranch({ id }: BranchRow): boolean {
    const { database, dropped } = this.#tables;
    const oldest = this.#branches.oldest(id);
    const rows = database.all<{ dir: number; name: string; until: number; hash: Uint8Array | null }>(
      "SELECT dir,name,until,hash FROM past p INDEXED BY past_until WHERE branch=?1 AND until<=?2" +
        " AND NOT EXISTS(SELECT 1 FROM snapshots s WHERE s.branch=?1 AND s.seq>=p.seq AND s.seq<p.until)" +
        " AND NOT EXISTS(SELECT 1 FROM branches f WHERE f.parent=?1 AND f.at>=p.seq AND f.at<p.until) LIMIT ?3",
      id,
      oldest,
      AT_ONCE,
    );
    for (const { dir, name, until, hash } of rows) {
      database.run("DELETE FROM past WHERE branch=? AND dir=? AND name=? AND until=?", id, dir, name, until);
      if (hash) dropped(hash);
    }
    const changes = database.all<{ seq: number; n: number }>(
      "SELECT seq,n FROM changes WHERE branch=? AND seq<? LIMIT ?",
      id,
      oldest,
      AT_ONCE,
    );
    for (const { seq, n } of changes) database.run("DELETE FROM changes WHERE branch=? AND seq=? AND n=?", id, seq, n);
    return rows.length === AT_ONCE || changes.length === AT_ONCE;
  }

  #sweep(branch: BranchRow): void {
    const { database, dropped, usage } = this.#tables;
    const { id, owner } = branch;
    const rows = database.all<Row>(`SELECT ${COLUMNS} FROM entries WHERE branch=? LIMIT ?`, id, AT_ONCE);
    let [bytes, files] = [0, 0];
    for (const { dir, name, kind, hash, size } of rows) {
      database.run("DELETE FROM entries WHERE branch=? AND dir=? AND name=?", id, dir, name);
      if (kind !== FILE) continue;
      dropped(hash!);
      [bytes, files] = [bytes - size!, files - 1];
    }
    if (owner !== null) usage.entries(owner, bytes, files);
    if (rows.length > 0) return;
    const past = database.all<{ hash: Uint8Array | null }>(
      "DELETE FROM past WHERE (branch,dir,name,until) IN (SELECT branch,dir,name,until FROM past WHERE branch=? LIMIT ?)" +
        " RETURNING hash",
      id,
      AT_ONCE,
    );
    for (const { hash } of past) if (hash) dropped(hash);
    if (past.length > 0) return;
    for (const table of TABLES) database.run(`DELETE FROM ${table} WHERE branch=?`, id);
    database.run("DELETE FROM merges WHERE target=?1 OR source=?1", id);
    database.run("DELETE FROM counters WHERE name=?", `oldest of ${id}`);
    database.run("DELETE FROM branches WHERE id=?", id);
  }

  #all(): BranchRow[] {
    return this.#tables.database.all<BranchRow>("SELECT * FROM branches ORDER BY id");
  }
}
