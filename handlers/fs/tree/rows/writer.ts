/**
 * Rows that a commit writes: what they replace moves to the past, and is counted (fs.md §6, Commit).
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import type { ChangeOp } from "../path_tree.ts";
import type { BranchRow, BranchRows } from "./branches.ts";
import type { TreeDatabase, TreeTables } from "./engine.ts";
import { COLUMNS, type Content, FILE, GONE, type Row } from "./row.ts";
import type { Steps } from "./steps.ts";
import type { View } from "./view.ts";

/** Changes of a commit: its transaction keeps others waiting. */
export const MAX_CHANGES = 10_000;
/** Names that a commit writes, but for one of the node's own commands: copying a folder is one change, and as many names. */
export const MAX_NAMES = 100_000;
/** Says that what lies in a folder is to be retired. */
export const DOOM =
  "INSERT INTO doomed(branch,node,seq) VALUES(?,?,?) ON CONFLICT(branch,node) DO UPDATE SET seq=excluded.seq";
/** Who the node's own commands are; no peer has that name. */
const LOCAL = "local";

/** What a name stands for, from a commit of its branch on. */
export function* writeEntry(
  database: TreeDatabase,
  { branch, seq, dir, name }: {
    readonly branch: number;
    readonly seq: number;
    readonly dir: number;
    readonly name: string;
  },
  { kind, node, hash, size, mode, mtime, target }: Content,
): Steps<void> {
  const sql = `INSERT INTO entries(branch,${COLUMNS}) VALUES(?,?,?,?,?,?,?,?,?,?,?)`;
  yield* database.run(sql, branch, dir, name, seq, kind, node, hash, size, mode, mtime, target);
}

/** What a commit writes into. */
export interface WriterParts {
  /** The tables. */
  readonly tables: TreeTables;
  /** Those of the branches. */
  readonly branches: BranchRows;
  /** Milliseconds since 1970. */
  readonly time: number;
  /** Who makes it. */
  readonly actor: string;
}

/** Writes the rows of one commit, in a transaction of the caller's. */
export class Writer {
  /** The number of the commit. */
  readonly seq: number;
  /** The branch as it is with what was written so far. */
  readonly view: View;
  /** The branch as it was. */
  readonly before: View;
  /** Milliseconds since 1970. */
  readonly time: number;
  /** What it writes into. */
  readonly branches: BranchRows;
  /** Whether folders with something in them were removed. */
  dooms = false;
  readonly #tables: TreeTables;
  readonly #branch: BranchRow;
  readonly #actor: string;
  readonly #behind: View;
  #changes = 0;
  #names = 0;
  #bytes = 0;
  #files = 0;

  private constructor(
    branch: BranchRow,
    { tables, branches, time, actor }: WriterParts,
    { before, view }: { readonly before: View; readonly view: View },
  ) {
    this.#tables = tables;
    this.branches = branches;
    this.#branch = branch;
    this.#actor = actor;
    this.time = time;
    this.seq = branch.head + 1;
    this.before = before;
    this.view = view;
    this.#behind = view.behind;
  }

  /** Begins a commit to a branch. */
  static *begin(branch: BranchRow, parts: WriterParts): Steps<Writer> {
    const before = yield* viewAt(branch, parts.branches, branch.head);
    const view = yield* viewAt(branch, parts.branches, branch.head + 1);
    return new Writer(branch, parts, { before, view });
  }

  /** The branch. */
  get branch(): BranchRow {
    return this.#branch;
  }

  /** Whether anything was changed. */
  get hasChanged(): boolean {
    return this.#changes > 0;
  }

  /**
   * A version of the branch, as it is while this is written; the one before without a name.
   *
   * @throws {AlknetError} As {@linkcode BranchRows.seqOf}.
   */
  *at(version: number | string | undefined): Steps<View> {
    return yield* viewAt(this.#branch, this.branches, yield* this.branches.seqOf(this.#branch, version));
  }

  /** The bytes of a blob that is complete; nothing if it is not. */
  sizeOf(hash: Uint8Array): number | undefined {
    return this.#tables.sizeOf(hash);
  }

  /**
   * Makes a name stand for something.
   *
   * @throws {AlknetError} `INVALID_INPUT`: a commit writes no more names.
   */
  *put(dir: number, name: string, content: Content): Steps<void> {
    if (++this.#names > MAX_NAMES && this.#actor !== LOCAL) {
      throw new AlknetError("INVALID_INPUT", `a commit writes at most ${MAX_NAMES} names; do it in parts`);
    }
    yield* this.#retire(dir, name);
    yield* writeEntry(this.#tables.database, { branch: this.#branch.id, seq: this.seq, dir, name }, content);
    const { kind, size } = content;
    if (kind === FILE) this.#count(size!, 1);
  }

  /** Makes a name stand for nothing. */
  *clear(dir: number, name: string): Steps<void> {
    yield* this.#retire(dir, name);
    if (!(yield* this.#behind.lookup(dir, name))) return;
    yield* this.#tables.database.run(
      `INSERT INTO entries(branch,dir,name,seq,kind) VALUES(?,?,?,?,?)`,
      this.#branch.id,
      dir,
      name,
      this.seq,
      GONE,
    );
  }

  /** Says that what lies in a folder, by its node, is to be retired: nothing leads there any more. */
  *doom(node: number): Steps<void> {
    yield* this.#tables.database.run(
      DOOM,
      this.#branch.id,
      node,
      this.seq,
    );
    this.dooms = true;
  }

  /**
   * Writes down what was changed.
   *
   * @throws {AlknetError} `INVALID_INPUT`: a commit has no more.
   */
  *change(op: ChangeOp, path: string, row?: Content, origin?: string): Steps<void> {
    if (this.#changes >= MAX_CHANGES) {
      throw new AlknetError("INVALID_INPUT", `a commit has at most ${MAX_CHANGES} changes; make several`);
    }
    yield* this.#tables.database.run(
      "INSERT INTO changes(branch,seq,n,time,actor,op,path,origin,kind,hash,size) VALUES(?,?,?,?,?,?,?,?,?,?,?)",
      this.#branch.id,
      this.seq,
      this.#changes++,
      this.time,
      this.#actor,
      op,
      path,
      origin ?? null,
      row?.kind ?? null,
      row?.hash ?? null,
      row?.size ?? null,
    );
  }

  /**
   * Ends the commit. Its number; the head where nothing was changed.
   *
   * @throws {AlknetError} `QUOTA_EXCEEDED`.
   */
  *end(): Steps<number> {
    if (this.#changes === 0) return this.#branch.head;
    yield* this.#tables.database.run("UPDATE branches SET head=? WHERE id=?", this.seq, this.#branch.id);
    if (this.#branch.owner !== null) yield* this.#tables.usage.entries(this.#branch.owner, this.#bytes, this.#files);
    return this.seq;
  }

  /** Moves what the branch itself says of a name to the past. */
  *#retire(dir: number, name: string): Steps<void> {
    const { database } = this.#tables;
    const key = [this.#branch.id, dir, name] as const;
    const old = yield* database.get<Row>(`SELECT ${COLUMNS} FROM entries WHERE branch=? AND dir=? AND name=?`, ...key);
    if (!old) return;
    yield* retireRow(this.#tables, this.#branch.id, old, this.seq);
    if (old.kind === FILE) this.#count(-old.size!, -1);
  }

  #count(bytes: number, files: number): void {
    this.#bytes += bytes;
    this.#files += files;
  }
}

/** A version of a branch that a commit is written to: once a row is, what was there before is in the past. */
function viewAt(branch: BranchRow, branches: BranchRows, v: number): Steps<View> {
  return branches.view({ ...branch, head: branch.head + 1 }, v);
}

/** Moves a row to the past: it was true until a commit. One of that commit was never true. */
export function* retireRow(
  { database, dropped }: TreeTables,
  branch: number,
  row: Row,
  until: number,
): Steps<void> {
  const key = [branch, row.dir, row.name] as const;
  if (row.seq < until) {
    yield* database.run(
      `INSERT INTO past(branch,until,${COLUMNS}) SELECT branch,?,${COLUMNS} FROM entries WHERE branch=? AND dir=? AND name=?`,
      until,
      ...key,
    );
  } else if (row.hash) yield* dropped(row.hash);
  yield* database.run("DELETE FROM entries WHERE branch=? AND dir=? AND name=?", ...key);
}
