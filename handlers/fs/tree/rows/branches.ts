/**
 * The rows of branches: what they were forked from, and which of their versions are kept (fs.md §6).
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import type { StoreDatabase } from "../../blobs/disk/tables/database.ts";
import { HistoryGoneError, noBranch, quoted } from "../errors.ts";
import { checkBranchName, parseVersion } from "../names.ts";
import type { Branch, Snapshot } from "../path_tree.ts";
import { type Level, View } from "./view.ts";

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

const LINKING = "SELECT branch,dir,name,seq,NULL AS until FROM entries WHERE hash=?1 AND hash IS NOT NULL" +
  " UNION ALL SELECT branch,dir,name,seq,until FROM past WHERE hash=?1 AND hash IS NOT NULL LIMIT ?2";

/** The branches of a store. Changes are in transactions of the caller's. */
export class BranchRows {
  readonly #database: StoreDatabase;

  /** @param database That of the store. */
  constructor(database: StoreDatabase) {
    this.#database = database;
  }

  /**
   * A branch by its name.
   *
   * @throws {AlknetError} `BRANCH_NOT_FOUND`.
   */
  named(name: string): BranchRow {
    const row = name.startsWith(DROPPED)
      ? undefined
      : this.#database.get<BranchRow>("SELECT * FROM branches WHERE name=?", name);
    if (!row) throw noBranch(name);
    return row;
  }

  /**
   * A branch by its number, dropped or not.
   *
   * @throws {AlknetError} `BRANCH_NOT_FOUND`: it was taken away meanwhile.
   */
  numbered(id: number): BranchRow {
    const row = this.#database.get<BranchRow>("SELECT * FROM branches WHERE id=?", id);
    if (!row) throw noBranch(`${DROPPED}${id}`);
    return row;
  }

  /** Branches after a name. */
  page(after: string, count: number): BranchRow[] {
    return this.#database.all<BranchRow>(
      "SELECT * FROM branches WHERE name>? AND name>='$' ORDER BY name LIMIT ?",
      after,
      count,
    );
  }

  /** A version of a branch, with those behind it. */
  view({ id, head, parent, at }: BranchRow, v: number): View {
    const levels: Level[] = [{ branch: id, v, head }];
    for (let next = parent, seq = at; next !== null;) {
      const row = this.numbered(next);
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
  version(text: string): { readonly branch: BranchRow; readonly seq: number } {
    const { branch: name, version } = parseVersion(text);
    const branch = this.named(name);
    return { branch, seq: this.seqOf(branch, version) };
  }

  /**
   * The commit of a branch by its number or by the name of a snapshot.
   *
   * @throws {AlknetError} `BRANCH_NOT_FOUND`: there is no such version. `HISTORY_GONE`.
   */
  seqOf(branch: BranchRow, version: number | string | undefined): number {
    if (version === undefined) return branch.head;
    const seq = typeof version === "number" ? version : this.#snapshotRow(branch, version).seq;
    if (seq > branch.head) {
      throw new AlknetError(
        "BRANCH_NOT_FOUND",
        `the branch ${quoted(branch.name)} has ${branch.head} commits, not ${seq}`,
      );
    }
    if (!this.isKept(branch, seq)) throw new HistoryGoneError(this.oldest(branch.id));
    return seq;
  }

  /** Whether a version is kept: by its age, a snapshot or a fork. */
  isKept({ id, head }: BranchRow, seq: number): boolean {
    return seq === head || seq >= this.oldest(id) ||
      this.#database.get("SELECT 1 FROM snapshots WHERE branch=? AND seq=?", id, seq) !== undefined ||
      this.#database.get("SELECT 1 FROM branches WHERE parent=? AND at=?", id, seq) !== undefined;
  }

  /** The oldest version that is kept by its age. */
  oldest(id: number): number {
    return this.#database.get<{ value: number }>("SELECT value FROM counters WHERE name=?", oldestName(id))?.value ?? 0;
  }

  /** Says which version is the oldest one. */
  setOldest(id: number, seq: number): void {
    this.#database.run("INSERT OR REPLACE INTO counters(name,value) VALUES(?,?)", oldestName(id), seq);
  }

  /** Branches with a version that links a blob, some of them, so many looked at. */
  linking(hash: Uint8Array, most: number): BranchRow[] {
    const found = new Map<number, BranchRow>();
    let left = most;
    const rows = this.#database.all<Linking>(LINKING, hash, most);
    for (const { branch, dir, name, seq, until } of rows) {
      const own = this.numbered(branch);
      found.set(branch, own);
      // What was forked from it while it was true has it too, unless a branch between hides it.
      const forks = this.#forks(branch, seq, until, left);
      for (let fork = forks.shift(); fork && left > 0; fork = forks.shift(), left--) {
        const view = this.view(fork, 0);
        const there = view.pathOf(dir) === undefined ? undefined : view.lookup(dir, name);
        if (there?.hash?.toHex() !== hash.toHex()) continue;
        found.set(fork.id, fork);
        forks.push(...this.#forks(fork.id, 0, null, left));
      }
    }
    return [...found.values()].filter(({ name }) => !name.startsWith(DROPPED));
  }

  #forks(parent: number, from: number, until: number | null, most: number): BranchRow[] {
    return this.#database.all<BranchRow>(
      "SELECT * FROM branches WHERE parent=? AND at>=? AND at<? LIMIT ?",
      parent,
      from,
      until ?? Number.MAX_SAFE_INTEGER,
      most,
    );
  }

  /** The next number of a folder. */
  newNode(): number {
    this.#database.run(
      "INSERT INTO counters(name,value) VALUES('node',1) ON CONFLICT(name) DO UPDATE SET value=value+1",
    );
    return this.#database.get<{ value: number }>("SELECT value FROM counters WHERE name='node'")!.value;
  }

  /**
   * Writes down a new branch. Its number.
   *
   * @throws {AlknetError} `PATH_EXISTS`, `INVALID_NAME`.
   */
  insert(name: string, { parent, at, depth, owner }: Pick<BranchRow, "parent" | "at" | "depth" | "owner">): number {
    checkBranchName(name);
    if (this.#database.get("SELECT 1 FROM branches WHERE name=?", name)) {
      throw new AlknetError("PATH_EXISTS", `there is a branch ${quoted(name)} already`);
    }
    this.#database.run(
      "INSERT INTO branches(name,parent,at,depth,head,owner,public) VALUES(?,?,?,?,0,?,0)",
      name,
      parent,
      at,
      depth,
      owner,
    );
    return this.named(name).id;
  }

  /** A branch as others see it. */
  shown({ name, head, parent, at, owner, public: open }: BranchRow): Branch {
    const from = parent === null ? undefined : this.numbered(parent).name;
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
  addSnapshot(branch: BranchRow, name: string, owner: string, note: string | undefined): Snapshot {
    checkBranchName(name, "snapshot");
    if (this.#database.get("SELECT 1 FROM snapshots WHERE branch=? AND name=?", branch.id, name)) {
      throw new AlknetError("PATH_EXISTS", `the branch ${quoted(branch.name)} has a snapshot ${quoted(name)} already`);
    }
    this.#database.run(
      "INSERT INTO snapshots(branch,name,seq,note,owner) VALUES(?,?,?,?,?)",
      branch.id,
      name,
      branch.head,
      note ?? null,
      owner,
    );
    return this.snapshot(branch, name);
  }

  /** A snapshot. */
  snapshot(branch: BranchRow, name: string): Snapshot {
    return this.#shownSnapshot(branch, this.#snapshotRow(branch, name));
  }

  /** Snapshots after a name. */
  snapshots(branch: BranchRow, after: string, count: number): Snapshot[] {
    return this.#database.all<SnapshotRow>(
      "SELECT * FROM snapshots WHERE branch=? AND name>? ORDER BY name LIMIT ?",
      branch.id,
      after,
      count,
    ).map((row) => this.#shownSnapshot(branch, row));
  }

  /** Takes a snapshot away. */
  dropSnapshot(branch: BranchRow, name: string): Snapshot {
    const snapshot = this.snapshot(branch, name);
    this.#database.run("DELETE FROM snapshots WHERE branch=? AND name=?", branch.id, name);
    return snapshot;
  }

  #shownSnapshot({ id }: BranchRow, { name, seq, note, owner }: SnapshotRow): Snapshot {
    const commit = this.#database.get<{ time: number }>(
      "SELECT time FROM changes WHERE branch=? AND seq=? ORDER BY n LIMIT 1",
      id,
      seq,
    );
    return { name, seq, ...note !== null && { note }, ...owner !== null && { owner }, time: commit?.time ?? 0 };
  }

  #snapshotRow({ id, name: branch }: BranchRow, name: string): SnapshotRow {
    const row = this.#database.get<SnapshotRow>("SELECT * FROM snapshots WHERE branch=? AND name=?", id, name);
    if (row) return row;
    throw new AlknetError("BRANCH_NOT_FOUND", `the branch ${quoted(branch)} has no snapshot ${quoted(name)}`);
  }
}

function oldestName(id: number): string {
  return `oldest of ${id}`;
}
