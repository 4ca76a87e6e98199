/**
 * One version of a branch: names are looked up in its own rows, then in those of what it was forked from (fs.md §6, Resolve).
 *
 * Each lookup names a whole primary key; whether a row is of the version is looked at outside the statement, so that no
 * planner walks by commits.
 *
 * @module
 */
import type { StoreDatabase } from "../../blobs/disk/tables/database.ts";
import { below, compareNames } from "../names.ts";
import { COLUMNS, FOLDER, GONE, ROOT, ROOT_NODE, type Row } from "./row.ts";

/** A branch, as a version sees it. */
export interface Level {
  /** Its number. */
  readonly branch: number;
  /** Which of its versions. */
  readonly v: number;
  /** Its last commit. */
  readonly head: number;
}

/** Names that are read at once. */
const AT_ONCE = 1000;

/** Those to know whether there are any. */
const FEW = 50;

const NOW = `SELECT ${COLUMNS} FROM entries WHERE branch=? AND dir=? AND name=?`;
const PAST = `SELECT ${COLUMNS} FROM past WHERE branch=? AND dir=? AND name=? AND until>? ORDER BY until LIMIT 1`;
const NAMES_NOW =
  `SELECT ${COLUMNS} FROM entries WHERE branch=?1 AND dir=?2 AND name>?3 AND +seq<=?4 ORDER BY name LIMIT ?5`;
const NAMES_PAST = `SELECT ${COLUMNS} FROM entries WHERE branch=?1 AND dir=?2 AND name>?3 AND +seq<=?4` +
  ` UNION ALL SELECT ${COLUMNS} FROM past WHERE branch=?1 AND dir=?2 AND name>?3 AND +until>?4 AND +seq<=?4` +
  " ORDER BY name LIMIT ?5";
// Without numbers of how rows are spread, a planner takes a branch for as narrow as a folder.
const NODE_NOW = `SELECT ${COLUMNS} FROM entries INDEXED BY entries_node WHERE branch=? AND node=?`;
const NODE_PAST =
  `SELECT ${COLUMNS} FROM past INDEXED BY past_node WHERE branch=? AND node=? AND until>? ORDER BY until LIMIT 1`;

/** A version. */
export class View {
  /** The branch, and those behind it, the nearest first. */
  readonly levels: readonly Level[];
  /** Keyed lookups so far. */
  lookups = 0;
  readonly #database: StoreDatabase;
  readonly #paths = new Map<number, string | undefined>([[ROOT_NODE, "/"]]);

  /** @param levels The branch, and those behind it, the nearest first. */
  constructor(database: StoreDatabase, levels: readonly Level[]) {
    this.#database = database;
    this.levels = levels;
  }

  /** The version without its own branch: what that was forked from. */
  get behind(): View {
    return new View(this.#database, this.levels.slice(1));
  }

  /** What a name in a folder stands for. */
  lookup(dir: number, name: string): Row | undefined {
    for (const level of this.levels) {
      const row = this.own(level, dir, name);
      if (row) return row.kind === GONE ? undefined : row;
    }
    return undefined;
  }

  /** What a level says of a name. */
  own({ branch, v, head }: Level, dir: number, name: string): Row | undefined {
    this.lookups++;
    const now = this.#database.get<Row>(NOW, branch, dir, name);
    if (now && now.seq <= v) return now;
    if (v >= head) return undefined;
    this.lookups++;
    const past = this.#database.get<Row>(PAST, branch, dir, name, v);
    return past && past.seq <= v ? past : undefined;
  }

  /** What is at a path; the root for no names. */
  find(parts: readonly string[]): Row | undefined {
    let row: Row | undefined = ROOT;
    for (const part of parts) {
      if (row?.kind !== FOLDER) return undefined;
      row = this.lookup(row.node!, part);
    }
    return row;
  }

  /** The names of a folder after one, by their bytes. */
  *children(dir: number, after = "", atOnce: number = AT_ONCE): Generator<Row> {
    const cursors = this.levels.map((level) => this.#names(level, dir, after, atOnce));
    const heads = cursors.map((cursor) => cursor.next());
    for (;;) {
      let nearest: Row | undefined;
      for (const { value } of heads) {
        if (value && (!nearest || compareNames(value.name, nearest.name) < 0)) nearest = value;
      }
      if (!nearest) return;
      for (const [i, { value }] of heads.entries()) if (value?.name === nearest.name) heads[i] = cursors[i].next();
      if (nearest.kind !== GONE) yield nearest;
    }
  }

  /** Whether a folder holds nothing. */
  isEmpty(dir: number): boolean {
    return this.children(dir, "", FEW).next().done === true;
  }

  /** The name of a folder, by its node, wherever it is in this version. */
  nameOf(node: number): Row | undefined {
    for (const { branch, v, head } of this.levels) {
      for (const row of this.#database.all<Row>(NODE_NOW, branch, node)) {
        if (row.seq <= v && this.#isVisible(row)) return row;
      }
      if (v >= head) continue;
      const past = this.#database.get<Row>(NODE_PAST, branch, node, v);
      if (past && past.seq <= v && this.#isVisible(past)) return past;
    }
    return undefined;
  }

  /** The path of a folder, if this version has it. What was found is kept: a view of what changes must not be asked. */
  pathOf(node: number): string | undefined {
    if (this.#paths.has(node)) return this.#paths.get(node);
    // A node that lies in itself would be a fault of ours; it has no path then.
    this.#paths.set(node, undefined);
    const row = this.nameOf(node);
    const folder = row && this.pathOf(row.dir);
    const path = folder === undefined ? undefined : below(folder, row!.name);
    this.#paths.set(node, path);
    return path;
  }

  /** Whether a folder lies in another, or is it. */
  isWithin(node: number, folder: number): boolean {
    for (
      let at: number | undefined = node;
      at !== undefined;
      at = at === ROOT_NODE ? undefined : this.nameOf(at)?.dir
    ) {
      if (at === folder) return true;
    }
    return false;
  }

  #isVisible({ dir, name, node }: Row): boolean {
    return this.lookup(dir, name)?.node === node;
  }

  *#names({ branch, v, head }: Level, dir: number, after: string, atOnce: number): Generator<Row, undefined> {
    for (let last = after;;) {
      const rows = this.#database.all<Row>(v < head ? NAMES_PAST : NAMES_NOW, branch, dir, last, v, atOnce);
      yield* rows;
      if (rows.length < atOnce) return undefined;
      last = rows.at(-1)!.name;
    }
  }
}
