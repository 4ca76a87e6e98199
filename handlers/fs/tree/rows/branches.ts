/**
 * The rows of branches: what they were forked from, and which of their versions are kept (fs.md §6).
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { HistoryGoneError, noBranch, quoted } from "../errors.ts";
import { checkBranchName, parseVersion } from "../names.ts";
import type { Branch, Snapshot } from "../path_tree.ts";
import type { TreeDatabase } from "./engine.ts";
import type { Level } from "./row.ts";
import type { Steps } from "./steps.ts";
import { View } from "./view.ts";

/** A branch. */
export interface BranchRow {
  /** Its number. */
  readonly id: number;
  /** Its name; `#` and its number of one that was dropped. */
  readonly name: string;
  /** What it was forked from. */
  readonly parent: number | null;
  /** At which commit of that. */
  readonly at: number | null;
  /** Levels behind it. */
  readonly depth: number;
  /** Its last commit. */
  readonly head: number;
  /** Whose it is. */
  readonly owner: string | null;
  /** Whether anyone may read it. */
  readonly public: number;
}

/** Begins the names of dropped branches. */
export const DROPPED = "#";

interface SnapshotRow {
  readonly name: string;
  readonly seq: number;
  readonly note: string | null;
  readonly owner: string | null;
}

/** A name that stands, or stood, for a blob. */
interface Linking {
  readonly branch: number;
  readonly dir: number;
  readonly name: string;
  readonly seq: number;
  readonly until: number | null;
}

const LINKING =
  "SELECT branch,dir,name,seq,CAST(NULL AS BIGINT) AS until FROM entries WHERE hash=?1 AND hash IS NOT NULL" +
  " UNION ALL SELECT branch,dir,name,seq,until FROM past WHERE hash=?1 AND hash IS NOT NULL LIMIT ?2";

/** The branches of a store. Changes are in transactions of the caller's. */
export class BranchRows {
  readonly #database: TreeDatabase;

  /** @param database That of the store. */
  constructor(database: TreeDatabase) {
    this.#database = database;
  }

  /**
   * A branch by its name.
   *
   * @param isChanged Whether it, or what it holds, is going to be changed in the transaction that this is in.
   * @throws {AlknetError} `BRANCH_NOT_FOUND`.
   */
  *named(name: string, isChanged = false): Steps<BranchRow> {
    const lock = isChanged ? this.#database.forUpdate : "";
    const row = name.startsWith(DROPPED)
      ? undefined
      : yield* this.#database.get<BranchRow>(`SELECT * FROM branches WHERE name=?${lock}`, name);
    if (!row) throw noBranch(name);
    return row;
  }

  /**
   * A branch by its number, dropped or not.
   *
   * @param isChanged Likewise.
   * @throws {AlknetError} `BRANCH_NOT_FOUND`: it was taken away meanwhile.
   */
  *numbered(id: number, isChanged = false): Steps<BranchRow> {
    const lock = isChanged ? this.#database.forUpdate : "";
    const row = yield* this.#database.get<BranchRow>(`SELECT * FROM branches WHERE id=?${lock}`, id);
    if (!row) throw noBranch(`${DROPPED}${id}`);
    return row;
  }

  /** Branches after a name. */
  *page(after: string, count: number): Steps<BranchRow[]> {
    return yield* this.#database.all<BranchRow>(
      "SELECT * FROM branches WHERE name>? AND name>='$' ORDER BY name LIMIT ?",
      after,
      count,
    );
  }

  /** A version of a branch, with those behind it. */
  *view({ id, head, parent, at }: BranchRow, v: number): Steps<View> {
    const levels: Level[] = [{ branch: id, v, head }];
    for (let next = parent, seq = at; next !== null;) {
      const row = yield* this.numbered(next);
      levels.push({ branch: row.id, v: seq!, head: row.head });
      [next, seq] = [row.parent, row.at];
    }
    return new View(this.#database, levels);
  }

  /**
   * The commit that a version names.
   *
   * @throws {AlknetError} `BRANCH_NOT_FOUND`, `HISTORY_GONE`, `INVALID_NAME`.
   */
  *version(text: string): Steps<{ readonly branch: BranchRow; readonly seq: number }> {
    const { branch: name, version } = parseVersion(text);
    const branch = yield* this.named(name);
    return { branch, seq: yield* this.seqOf(branch, version) };
  }

  /**
   * The commit of a branch by its number or by the name of a snapshot.
   *
   * @throws {AlknetError} `BRANCH_NOT_FOUND`: there is no such version. `HISTORY_GONE`.
   */
  *seqOf(branch: BranchRow, version: number | string | undefined): Steps<number> {
    if (version === undefined) return branch.head;
    const seq = typeof version === "number" ? version : (yield* this.#snapshotRow(branch, version)).seq;
    if (seq > branch.head) {
      throw new AlknetError(
        "BRANCH_NOT_FOUND",
        `the branch ${quoted(branch.name)} has ${branch.head} commits, not ${seq}`,
      );
    }
    if (!(yield* this.isKept(branch, seq))) throw new HistoryGoneError(yield* this.oldest(branch.id));
    return seq;
  }

  /** Whether a version is kept: by its age, a snapshot or a fork. */
  *isKept({ id, head }: BranchRow, seq: number): Steps<boolean> {
    const database = this.#database;
    return seq === head || seq >= (yield* this.oldest(id)) ||
      (yield* database.get("SELECT 1 FROM snapshots WHERE branch=? AND seq=?", id, seq)) !== undefined ||
      (yield* database.get("SELECT 1 FROM branches WHERE parent=? AND at=?", id, seq)) !== undefined;
  }

  /** The oldest version that is kept by its age. */
  *oldest(id: number): Steps<number> {
    const sql = "SELECT value FROM counters WHERE name=?";
    return (yield* this.#database.get<{ value: number }>(sql, oldestName(id)))?.value ?? 0;
  }

  /** Says which version is the oldest one. */
  *setOldest(id: number, seq: number): Steps<void> {
    const sql = "INSERT INTO counters(name,value) VALUES(?,?) ON CONFLICT(name) DO UPDATE SET value=excluded.value";
    yield* this.#database.run(sql, oldestName(id), seq);
  }

  /** Branches with a version that links a blob, some of them, so many looked at. */
  *linking(hash: Uint8Array, most: number): Steps<BranchRow[]> {
    const found = new Map<number, BranchRow>();
    let left = most;
    const rows = yield* this.#database.all<Linking>(LINKING, hash, most);
    for (const { branch, dir, name, seq, until } of rows) {
      const own = yield* this.numbered(branch);
      found.set(branch, own);
      // What was forked from it while it was true has it too, unless a branch between hides it.
      const forks = yield* this.#forks(branch, seq, until, left);
      for (let fork = forks.shift(); fork && left > 0; fork = forks.shift(), left--) {
        const view = yield* this.view(fork, 0);
        const there = (yield* view.pathOf(dir)) === undefined ? undefined : yield* view.lookup(dir, name);
        if (there?.hash?.toHex() !== hash.toHex()) continue;
        found.set(fork.id, fork);
        forks.push(...yield* this.#forks(fork.id, 0, null, left));
      }
    }
    return [...found.values()].filter(({ name }) => !name.startsWith(DROPPED));
  }

  *#forks(parent: number, from: number, until: number | null, most: number): Steps<BranchRow[]> {
    return yield* this.#database.all<BranchRow>(
      "SELECT * FROM branches WHERE parent=? AND at>=? AND at<? LIMIT ?",
      parent,
      from,
      until ?? Number.MAX_SAFE_INTEGER,
      most,
    );
  }

  /** The next number of a folder. */
  newNode(): Steps<number> {
    return this.#database.newNode();
  }

  /**
   * Writes down a new branch. Its number.
   *
   * @throws {AlknetError} `PATH_EXISTS`, `INVALID_NAME`.
   */
  *insert(
    name: string,
    { parent, at, depth, owner }: Pick<BranchRow, "parent" | "at" | "depth" | "owner">,
  ): Steps<number> {
    checkBranchName(name);
    if (yield* this.#database.get("SELECT 1 FROM branches WHERE name=?", name)) {
      throw new AlknetError("PATH_EXISTS", `there is a branch ${quoted(name)} already`);
    }
    yield* this.#database.run(
      "INSERT INTO branches(name,parent,at,depth,head,owner,public) VALUES(?,?,?,?,0,?,0)",
      name,
      parent,
      at,
      depth,
      owner,
    );
    return (yield* this.named(name)).id;
  }

  /** A branch as others see it. */
  *shown({ name, head, parent, at, owner, public: open }: BranchRow): Steps<Branch> {
    const from = parent === null ? undefined : (yield* this.numbered(parent)).name;
    return {
      name,
      head,
      ...from !== undefined && !from.startsWith(DROPPED) && { parent: from, at: at! },
      ...owner !== null && { owner },
      public: open === 1,
    };
  }

  /**
   * Names the head of a branch.
   *
   * @throws {AlknetError} `PATH_EXISTS`, `INVALID_NAME`.
   */
  *addSnapshot(branch: BranchRow, name: string, owner: string, note: string | undefined): Steps<Snapshot> {
    checkBranchName(name, "snapshot");
    if (yield* this.#database.get("SELECT 1 FROM snapshots WHERE branch=? AND name=?", branch.id, name)) {
      throw new AlknetError("PATH_EXISTS", `the branch ${quoted(branch.name)} has a snapshot ${quoted(name)} already`);
    }
    yield* this.#database.run(
      "INSERT INTO snapshots(branch,name,seq,note,owner) VALUES(?,?,?,?,?)",
      branch.id,
      name,
      branch.head,
      note ?? null,
      owner,
    );
    return yield* this.snapshot(branch, name);
  }

  /** A snapshot. */
  *snapshot(branch: BranchRow, name: string): Steps<Snapshot> {
    return yield* this.#shownSnapshot(branch, yield* this.#snapshotRow(branch, name));
  }

  /** Snapshots after a name. */
  *snapshots(branch: BranchRow, after: string, count: number): Steps<Snapshot[]> {
    const rows = yield* this.#database.all<SnapshotRow>(
      "SELECT * FROM snapshots WHERE branch=? AND name>? ORDER BY name LIMIT ?",
      branch.id,
      after,
      count,
    );
    const found: Snapshot[] = [];
    for (const row of rows) found.push(yield* this.#shownSnapshot(branch, row));
    return found;
  }

  /** Takes a snapshot away. */
  *dropSnapshot(branch: BranchRow, name: string): Steps<Snapshot> {
    const snapshot = yield* this.snapshot(branch, name);
    yield* this.#database.run("DELETE FROM snapshots WHERE branch=? AND name=?", branch.id, name);
    return snapshot;
  }

  *#shownSnapshot({ id }: BranchRow, { name, seq, note, owner }: SnapshotRow): Steps<Snapshot> {
    const commit = yield* this.#database.get<{ time: number }>(
      "SELECT time FROM changes WHERE branch=? AND seq=? ORDER BY n LIMIT 1",
      id,
      seq,
    );
    return { name, seq, ...note !== null && { note }, ...owner !== null && { owner }, time: commit?.time ?? 0 };
  }

  *#snapshotRow({ id, name: branch }: BranchRow, name: string): Steps<SnapshotRow> {
    const sql = "SELECT * FROM snapshots WHERE branch=? AND name=?";
    const row = yield* this.#database.get<SnapshotRow>(sql, id, name);
    if (row) return row;
    throw new AlknetError("BRANCH_NOT_FOUND", `the branch ${quoted(branch)} has no snapshot ${quoted(name)}`);
  }
}

function oldestName(id: number): string {
  return `oldest of ${id}`;
}
