/**
 * What is left over by commits, done bit by bit (fs.md §6): rows below removed folders are retired, history that nobody
 * keeps goes, and so do branches that were dropped. Each bit is a transaction of its own, so that nobody waits long, and a
 * process that dies leaves the rest to the next.
 *
 * @module
 */
import { type BranchRow, type BranchRows, DROPPED } from "../rows/branches.ts";
import type { TreeEngine, TreeTables } from "../rows/engine.ts";
import { COLUMNS, FILE, FOLDER, type Row } from "../rows/row.ts";
import type { Steps } from "../rows/steps.ts";
import { DOOM, retireRow } from "../rows/writer.ts";

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
  readonly #engine: TreeEngine;
  readonly #tables: TreeTables;
  readonly #branches: BranchRows;
  readonly #history: number;

  /** @param days For how many days versions are kept. */
  constructor(engine: TreeEngine, branches: BranchRows, days: number) {
    this.#engine = engine;
    this.#tables = engine.tables;
    this.#branches = branches;
    this.#history = days * DAY;
  }

  /** Retires some rows below removed folders. Whether there is more to do. */
  async reap(): Promise<boolean> {
    if (!await this.#engine.run(() => this.#firstDoomed())) return false;
    return await this.#engine.transaction(() => this.#reapSome());
  }

  /** Retires all that lies in a folder of a branch, in a transaction of the caller's. */
  *reapWhole(branch: number): Steps<void> {
    for (;;) {
      const doomed = yield* this.#tables.database.get<Doomed>(
        "SELECT branch,node,seq FROM doomed WHERE branch=? LIMIT 1",
        branch,
      );
      if (!doomed) return;
      yield* this.#reap(doomed, Number.MAX_SAFE_INTEGER);
    }
  }

  /** Takes some of the history away that nobody keeps. Whether there is more to do. */
  async prune(): Promise<boolean> {
    const before = this.#tables.now() - this.#history;
    let more = false;
    for (const branch of await this.#engine.run(() => this.#all())) {
      if (!branch.name.startsWith(DROPPED)) await this.#age(branch, before);
      if (!await this.#engine.run(() => this.#hasOld(branch))) continue;
      if (await this.#engine.transaction(() => this.#pruneBranch(branch))) more = true;
    }
    return more;
  }

  /** Takes some rows of dropped branches away that nothing was forked from. Whether there is more to do. */
  async sweep(): Promise<boolean> {
    if (!await this.#engine.run(() => this.#gone())) return false;
    return await this.#engine.transaction(() => this.#sweepSome());
  }

  *#firstDoomed(): Steps<Doomed | undefined> {
    return yield* this.#tables.database.get<Doomed>("SELECT branch,node,seq FROM doomed LIMIT 1");
  }

  *#reapSome(): Steps<boolean> {
    let left = AT_ONCE;
    for (let next = yield* this.#firstDoomed(); next && left > 0; next = yield* this.#firstDoomed()) {
      left -= yield* this.#reap(next, left);
    }
    return left <= 0;
  }

  *#gone(): Steps<BranchRow | undefined> {
    return yield* this.#tables.database.get<BranchRow>(
      `SELECT * FROM branches b WHERE name>='${DROPPED}' AND name<'$' ` +
        "AND NOT EXISTS(SELECT 1 FROM branches f WHERE f.parent=b.id) LIMIT 1",
    );
  }

  *#sweepSome(): Steps<boolean> {
    const gone = yield* this.#gone();
    if (gone) yield* this.#sweep(gone);
    return gone !== undefined;
  }

  *#reap({ branch, node, seq }: Doomed, most: number): Steps<number> {
    const { database } = this.#tables;
    const row = yield* this.#branches.numbered(branch, true);
    // Which names the branch itself has is known until its rows are retired: then all of them at once.
    const isAlone = row.depth === 0;
    if (!isAlone) yield* this.#doomBehind(row, node, seq);
    const limit = isAlone ? most : Number.MAX_SAFE_INTEGER;
    const rows = yield* database.all<Row>(
      `SELECT ${COLUMNS} FROM entries WHERE branch=? AND dir=? LIMIT ?`,
      branch,
      node,
      limit,
    );
    let [bytes, files] = [0, 0];
    for (const one of rows) {
      if (one.kind === FOLDER) yield* this.#doom(branch, one.node!, seq);
      if (one.kind === FILE) [bytes, files] = [bytes - one.size!, files - 1];
      yield* retireRow(this.#tables, branch, one, seq);
    }
    if (row.owner !== null) yield* this.#tables.usage.entries(row.owner, bytes, files);
    if (rows.length < limit) yield* database.run("DELETE FROM doomed WHERE branch=? AND node=?", branch, node);
    return Math.max(1, rows.length);
  }

  /** Folders in it that the branch has from what it was forked from may hold rows of its own. */
  *#doomBehind(branch: BranchRow, node: number, seq: number): Steps<void> {
    const view = yield* this.#branches.view(branch, branch.head);
    const names = view.behind.children(node);
    for (let row = yield* names.next(); row; row = yield* names.next()) {
      if (row.kind !== FOLDER || (yield* view.own({ ...view.levels[0], v: seq }, node, row.name))) continue;
      yield* this.#doom(branch.id, row.node!, seq);
    }
  }

  #doom(branch: number, node: number, seq: number): Steps<void> {
    return this.#tables.database.run(DOOM, branch, node, seq);
  }

  /** Says which version is the oldest that its age keeps: the one before the first young commit. */
  async #age({ id, head }: BranchRow, before: number): Promise<void> {
    const { known, oldest } = await this.#engine.run(() => this.#oldest(id, head, before));
    if (oldest > known) await this.#engine.transaction(() => this.#branches.setOldest(id, oldest));
  }

  *#oldest(id: number, head: number, before: number): Steps<{ readonly known: number; readonly oldest: number }> {
    // Commits come in the order of their times, but for a clock that is set back, which keeps more.
    const known = yield* this.#branches.oldest(id);
    let [oldest, high] = [known, head];
    while (oldest < high) {
      const middle = Math.floor((oldest + high) / 2);
      const first = yield* this.#tables.database.get<{ time: number }>(
        "SELECT time FROM changes WHERE branch=? AND seq>? ORDER BY seq,n LIMIT 1",
        id,
        middle,
      );
      const time = first?.time;
      if (time === undefined || time >= before) high = middle;
      else oldest = middle + 1;
    }
    return { known, oldest };
  }

  *#hasOld({ id }: BranchRow): Steps<boolean> {
    const oldest = yield* this.#branches.oldest(id);
    const { database } = this.#tables;
    return oldest > 0 && (
      (yield* database.get(
          "SELECT 1 FROM past INDEXED BY past_until WHERE branch=? AND until<=? LIMIT 1",
          id,
          oldest,
        )) !== undefined ||
      (yield* database.get("SELECT 1 FROM changes WHERE branch=? AND seq<? LIMIT 1", id, oldest)) !== undefined
    );
  }

  *#pruneBranch({ id }: BranchRow): Steps<boolean> {
    // Whoever commits, or forks, is not in the way of it, nor it in theirs.
    yield* this.#branches.numbered(id, true);
    const { database, dropped } = this.#tables;
    const oldest = yield* this.#branches.oldest(id);
    const rows = yield* database.all<{ dir: number; name: string; until: number; hash: Uint8Array | null }>(
      "SELECT dir,name,until,hash FROM past p INDEXED BY past_until WHERE branch=?1 AND until<=?2" +
        " AND NOT EXISTS(SELECT 1 FROM snapshots s WHERE s.branch=?1 AND s.seq>=p.seq AND s.seq<p.until)" +
        " AND NOT EXISTS(SELECT 1 FROM branches f WHERE f.parent=?1 AND f.at>=p.seq AND f.at<p.until) LIMIT ?3",
      id,
      oldest,
      AT_ONCE,
    );
    for (const { dir, name, until, hash } of rows) {
      yield* database.run("DELETE FROM past WHERE branch=? AND dir=? AND name=? AND until=?", id, dir, name, until);
      if (hash) yield* dropped(hash);
    }
    const changes = yield* database.all<{ seq: number; n: number }>(
      "SELECT seq,n FROM changes WHERE branch=? AND seq<? LIMIT ?",
      id,
      oldest,
      AT_ONCE,
    );
    for (const { seq, n } of changes) {
      yield* database.run("DELETE FROM changes WHERE branch=? AND seq=? AND n=?", id, seq, n);
    }
    return rows.length === AT_ONCE || changes.length === AT_ONCE;
  }

  *#sweep(branch: BranchRow): Steps<void> {
    const { database, dropped, usage } = this.#tables;
    const { id, owner } = branch;
    const rows = yield* database.all<Row>(`SELECT ${COLUMNS} FROM entries WHERE branch=? LIMIT ?`, id, AT_ONCE);
    let [bytes, files] = [0, 0];
    for (const { dir, name, kind, hash, size } of rows) {
      yield* database.run("DELETE FROM entries WHERE branch=? AND dir=? AND name=?", id, dir, name);
      if (kind !== FILE) continue;
      yield* dropped(hash!);
      [bytes, files] = [bytes - size!, files - 1];
    }
    if (owner !== null) yield* usage.entries(owner, bytes, files);
    if (rows.length > 0) return;
    const past = yield* database.all<{ hash: Uint8Array | null }>(
      "DELETE FROM past WHERE (branch,dir,name,until) IN (SELECT branch,dir,name,until FROM past WHERE branch=? LIMIT ?)" +
        " RETURNING hash",
      id,
      AT_ONCE,
    );
    for (const { hash } of past) if (hash) yield* dropped(hash);
    if (past.length > 0) return;
    for (const table of TABLES) yield* database.run(`DELETE FROM ${table} WHERE branch=?`, id);
    yield* database.run("DELETE FROM merges WHERE target=?1 OR source=?1", id);
    yield* database.run("DELETE FROM counters WHERE name=?", `oldest of ${id}`);
    yield* database.run("DELETE FROM branches WHERE id=?", id);
  }

  *#all(): Steps<BranchRow[]> {
    return yield* this.#tables.database.all<BranchRow>("SELECT * FROM branches ORDER BY id");
  }
}
