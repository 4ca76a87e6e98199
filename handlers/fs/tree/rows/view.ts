/**
 * One version of a branch: names are looked up in its own rows, then in those of what it was forked from (fs.md §6, Resolve).
 *
 * Each lookup names a whole primary key; whether a row is of the version is looked at outside the statement, so that no
 * planner walks by commits.
 *
 * @module
 */
import { below, compareNames } from "../names.ts";
import type { TreeDatabase } from "./engine.ts";
import { COLUMNS, FOLDER, GONE, type Level, ROOT, ROOT_NODE, type Row } from "./row.ts";
import type { Steps } from "./steps.ts";

/** Names that are read at once. */
const AT_ONCE = 1000;

/** Those to know whether there are any. */
const FEW = 50;

const NOW = `SELECT ${COLUMNS} FROM entries WHERE branch=? AND dir=? AND name=?`;
const PAST = `SELECT ${COLUMNS} FROM past WHERE branch=? AND dir=? AND name=? AND until>? ORDER BY until LIMIT 1`;
const NAMES_NOW =
  `SELECT ${COLUMNS} FROM entries WHERE branch=?1 AND dir=?2 AND name>?3 AND seq+0<=?4 ORDER BY name LIMIT ?5`;
const NAMES_PAST = `SELECT ${COLUMNS} FROM entries WHERE branch=?1 AND dir=?2 AND name>?3 AND seq+0<=?4` +
  ` UNION ALL SELECT ${COLUMNS} FROM past WHERE branch=?1 AND dir=?2 AND name>?3 AND until+0>?4 AND seq+0<=?4` +
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
  readonly #database: TreeDatabase;
  readonly #paths = new Map<number, string | undefined>([[ROOT_NODE, "/"]]);

  /** @param levels The branch, and those behind it, the nearest first. */
  constructor(database: TreeDatabase, levels: readonly Level[]) {
    this.#database = database;
    this.levels = levels;
  }

  /** The version without its own branch: what that was forked from. */
  get behind(): View {
    return new View(this.#database, this.levels.slice(1));
  }

  /** What a name in a folder stands for. */
  *lookup(dir: number, name: string): Steps<Row | undefined> {
    for (const level of this.levels) {
      const row = yield* this.own(level, dir, name);
      if (row) return row.kind === GONE ? undefined : row;
    }
    return undefined;
  }

  /** What a level says of a name. */
  *own({ branch, v, head }: Level, dir: number, name: string): Steps<Row | undefined> {
    this.lookups++;
    const now = yield* this.#database.get<Row>(NOW, branch, dir, name);
    if (now && now.seq <= v) return now;
    if (v >= head) return undefined;
    this.lookups++;
    const past = yield* this.#database.get<Row>(PAST, branch, dir, name, v);
    return past && past.seq <= v ? past : undefined;
  }

  /** What is at a path; the root for no names. */
  *find(parts: readonly string[]): Steps<Row | undefined> {
    if (parts.length > 0 && this.#database.resolve) return yield* this.#database.resolve(this.levels, parts);
    let row: Row | undefined = ROOT;
    for (const part of parts) {
      if (row?.kind !== FOLDER) return undefined;
      row = yield* this.lookup(row.node!, part);
    }
    return row;
  }

  /** The names of a folder after one, by their bytes. */
  children(dir: number, after = "", atOnce: number = AT_ONCE): Names {
    return new Names(this.levels.map((level) => new LevelNames(this.#database, level, { dir, after, atOnce })));
  }

  /** Whether a folder holds nothing. */
  *isEmpty(dir: number): Steps<boolean> {
    return (yield* this.children(dir, "", FEW).next()) === undefined;
  }

  /** The name of a folder, by its node, wherever it is in this version. */
  *nameOf(node: number): Steps<Row | undefined> {
    for (const { branch, v, head } of this.levels) {
      for (const row of yield* this.#database.all<Row>(NODE_NOW, branch, node)) {
        if (row.seq <= v && (yield* this.#isVisible(row))) return row;
      }
      if (v >= head) continue;
      const past = yield* this.#database.get<Row>(NODE_PAST, branch, node, v);
      if (past && past.seq <= v && (yield* this.#isVisible(past))) return past;
    }
    return undefined;
  }

  /** The path of a folder, if this version has it. What was found is kept: a view of what changes must not be asked. */
  *pathOf(node: number): Steps<string | undefined> {
    if (this.#paths.has(node)) return this.#paths.get(node);
    // A node that lies in itself would be a fault of ours; it has no path then.
    this.#paths.set(node, undefined);
    const row = yield* this.nameOf(node);
    const folder = row && (yield* this.pathOf(row.dir));
    const path = folder === undefined ? undefined : below(folder, row!.name);
    this.#paths.set(node, path);
    return path;
  }

  /** Whether a folder lies in another, or is it. */
  *isWithin(node: number, folder: number): Steps<boolean> {
    for (
      let at: number | undefined = node;
      at !== undefined;
      at = at === ROOT_NODE ? undefined : (yield* this.nameOf(at))?.dir
    ) {
      if (at === folder) return true;
    }
    return false;
  }

  *#isVisible({ dir, name, node }: Row): Steps<boolean> {
    return (yield* this.lookup(dir, name))?.node === node;
  }
}

/** The names of a folder, one after the other, by their bytes. */
export class Names {
  readonly #levels: readonly LevelNames[];
  #heads: (Row | undefined)[] | undefined;

  /** @param levels Those that each level has, the nearest first. */
  constructor(levels: readonly LevelNames[]) {
    this.#levels = levels;
  }

  /** The next one; nothing after the last. */
  *next(): Steps<Row | undefined> {
    if (!this.#heads) {
      this.#heads = [];
      for (const level of this.#levels) this.#heads.push(yield* level.next());
    }
    const heads = this.#heads;
    for (;;) {
      let nearest: Row | undefined;
      for (const row of heads) if (row && (!nearest || compareNames(row.name, nearest.name) < 0)) nearest = row;
      if (!nearest) return undefined;
      for (let i = 0; i < heads.length; i++) {
        if (heads[i]?.name === nearest.name) heads[i] = yield* this.#levels[i].next();
      }
      if (nearest.kind !== GONE) return nearest;
    }
  }
}

/** The names that a level has in a folder. */
class LevelNames {
  readonly #database: TreeDatabase;
  readonly #level: Level;
  readonly #dir: number;
  readonly #atOnce: number;
  #rows: Row[] = [];
  #at = 0;
  #last: string | undefined;

  constructor(
    database: TreeDatabase,
    level: Level,
    { dir, after, atOnce }: { readonly dir: number; readonly after: string; readonly atOnce: number },
  ) {
    this.#database = database;
    this.#level = level;
    this.#dir = dir;
    this.#atOnce = atOnce;
    this.#last = after;
  }

  /** The next one; nothing after the last. */
  *next(): Steps<Row | undefined> {
    if (this.#at === this.#rows.length && this.#last !== undefined) {
      const { branch, v, head } = this.#level;
      const sql = v < head ? NAMES_PAST : NAMES_NOW;
      this.#rows = yield* this.#database.all<Row>(sql, branch, this.#dir, this.#last, v, this.#atOnce);
      this.#at = 0;
      this.#last = this.#rows.length < this.#atOnce ? undefined : this.#rows.at(-1)!.name;
    }
    return this.#rows[this.#at++];
  }
}
