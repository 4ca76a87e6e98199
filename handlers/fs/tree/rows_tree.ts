/**
 * Trees in tables, wherever these are: in the database of a store, or in one that several nodes share (fs.md §6, §7).
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import type { Hash } from "../wire/hash_text.ts";
import { diffOf } from "./comparing/diff.ts";
import { Merge } from "./comparing/merge.ts";
import { Edit, Recorded } from "./edit.ts";
import { noFolder, noPath, quoted } from "./errors.ts";
import { Chores } from "./history/chores.ts";
import { Log } from "./history/log.ts";
import { Upkeep } from "./history/upkeep.ts";
import { partsOf } from "./names.ts";
import type {
  Branch,
  Change,
  Difference,
  Entry,
  MergeOptions,
  MergeResult,
  OwnerUsage,
  Page,
  PathTree,
  Snapshot,
  TreeEdit,
  TreeView,
  WatchOptions,
} from "./path_tree.ts";
import { BranchRows, DROPPED } from "./rows/branches.ts";
import type { TreeDatabase, TreeEngine, TreeTables } from "./rows/engine.ts";
import { entryOf, FILE, FOLDER, ROOT_NODE, type Row } from "./rows/row.ts";
import type { Steps } from "./rows/steps.ts";
import type { View } from "./rows/view.ts";
import { MAX_NAMES, writeEntry, Writer } from "./rows/writer.ts";

/** Branches behind one at most. */
const MAX_DEPTH = 31;
/** Entries of a page at most, and unless told otherwise. */
const MAX_PAGE = 1000;
/** Days that versions are kept. */
const HISTORY_DAYS = 30;

/** Trees in tables. */
export class RowsTree implements PathTree, AsyncDisposable {
  readonly #engine: TreeEngine;
  readonly #tables: TreeTables;
  readonly #database: TreeDatabase;
  readonly #branches: BranchRows;
  readonly #log: Log;
  readonly #upkeep: Upkeep;
  readonly #chores: Chores;
  readonly #closed = new AbortController();

  /**
   * @param engine Where they are; it is closed with the tree.
   * @param historyDays For how many days versions are kept.
   */
  constructor(engine: TreeEngine, historyDays: number = HISTORY_DAYS) {
    this.#engine = engine;
    this.#tables = engine.tables;
    this.#database = engine.tables.database;
    this.#branches = new BranchRows(this.#database);
    this.#log = new Log(engine, this.#branches);
    this.#upkeep = new Upkeep(engine, this.#branches, historyDays);
    this.#chores = new Chores(this.#upkeep, engine.tables.isKeeper);
  }

  async at(version: string): Promise<TreeView> {
    const engine = this.#engine;
    const { branch: { id }, seq } = await engine.run(() => this.#branches.version(version));
    return {
      seq,
      stat: async (path) => {
        const parts = partsOf(path);
        const { find } = this.#database;
        const row = find
          ? await engine.run(() => find(id, seq, parts))
          : await engine.reading(() => this.#found(id, seq, parts));
        return row && entryOf(row);
      },
      list: (path, page) => engine.reading(() => this.#listed(id, seq, path, page)),
    };
  }

  async *branches(after = ""): AsyncIterable<Branch> {
    for (let last = after, isMore = true; isMore;) {
      const page: Branch[] = await this.#engine.reading(() => this.#page(last));
      yield* page;
      isMore = page.length === MAX_PAGE;
      last = page.at(-1)?.name ?? last;
    }
  }

  branch(name: string): Promise<Branch> {
    return this.#engine.run(() => this.#shown(name));
  }

  // Async, so that what is asked for wrongly rejects rather than throws.
  async commit(branch: string, actor: string, work: (edit: TreeEdit) => void): Promise<number> {
    const edits = new Recorded(work);
    return await this.#commit(branch, actor, (writer) => edits.make(new Edit(writer)), edits.links);
  }

  configure(name: string, o: { readonly public?: boolean; readonly owner?: string }): Promise<Branch> {
    return this.#engine.transaction(() => this.#configured(name, o), { branch: name });
  }

  fork(name: string, from: string, owner: string): Promise<Branch> {
    return this.#engine.transaction(() => this.#forked(name, from, owner));
  }

  async drop(name: string): Promise<Branch> {
    const dropped = await this.#engine.transaction(() => this.#dropped(name), { branch: name });
    this.#chores.begin();
    return dropped;
  }

  snapshot(branch: string, name: string, owner: string, note?: string): Promise<Snapshot> {
    const branches = this.#branches;
    return this.#engine.transaction(function* () {
      return yield* branches.addSnapshot(yield* branches.named(branch, true), name, owner, note);
    }, { branch });
  }

  snapshots(branch: string, { after = "", limit = MAX_PAGE }: Page = {}): Promise<Snapshot[]> {
    const branches = this.#branches;
    return this.#engine.run(function* () {
      return yield* branches.snapshots(yield* branches.named(branch), after, limit);
    });
  }

  unsnapshot(branch: string, name: string): Promise<Snapshot> {
    const branches = this.#branches;
    return this.#engine.transaction(function* () {
      return yield* branches.dropSnapshot(yield* branches.named(branch, true), name);
    }, { branch });
  }

  async log(
    branch: string,
    o: { readonly path?: string; readonly before?: number; readonly limit?: number } = {},
  ): Promise<Change[]> {
    if (o.path !== undefined) partsOf(o.path);
    return await this.#log.page(await this.#engine.run(() => this.#branches.named(branch)), o);
  }

  async *diff(from: string, to: string, path = "/"): AsyncIterable<Difference> {
    partsOf(path);
    yield* await this.#engine.reading(() => this.#differences(from, to, path));
  }

  async merge(
    from: string,
    into: string,
    { actor, policy = "fail", dryRun = false }: MergeOptions,
  ): Promise<MergeResult> {
    const tried = Symbol("tried");
    const [tables, branches, upkeep] = [this.#tables, this.#branches, this.#upkeep];
    let result: MergeResult | undefined;
    try {
      const seq = await this.#commit(into, actor, function* (writer) {
        // What was removed and is not retired yet would be in the way of its own return.
        yield* upkeep.reapWhole(writer.branch.id);
        const { branch, seq } = yield* branches.version(from);
        result = yield* new Merge({ tables, branches, writer, policy }).run(branch, seq);
        if (dryRun || (policy === "fail" && result.conflicts.length > 0)) throw tried;
      });
      return result!.applied > 0 ? { seq, ...result! } : result!;
    } catch (error) {
      if (error === tried) return dryRun ? result! : { ...result!, applied: 0 };
      throw error;
    }
  }

  async *watch(branch: string, o: WatchOptions): AsyncIterable<Change> {
    if (o.path !== undefined) partsOf(o.path);
    const signal = AbortSignal.any([o.signal, this.#closed.signal]);
    yield* this.#log.watch(branch, { ...o, signal });
  }

  async usage(owner: string): Promise<OwnerUsage> {
    const { usage } = this.#tables;
    const { bytes: maxBytes, files: maxFiles } = usage.quota(owner);
    return {
      owner,
      ...await this.#engine.run(() => usage.total(owner)),
      ...maxBytes !== undefined && { maxBytes },
      ...maxFiles !== undefined && { maxFiles },
    };
  }

  linking(hash: Hash, most: number): Promise<Branch[]> {
    const branches = this.#branches;
    return this.#engine.reading(function* () {
      const found: Branch[] = [];
      for (const row of yield* branches.linking(Uint8Array.fromHex(hash), most)) found.push(yield* branches.shown(row));
      return found;
    });
  }

  upkeep(): Promise<void> {
    return this.#chores.done();
  }

  /** Ends what runs. Twice is harmless. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort();
    this.#log.wake();
    await this.#chores[Symbol.asyncDispose]();
    await this.#engine[Symbol.asyncDispose]();
  }

  async #commit(
    branch: string,
    actor: string,
    work: (writer: Writer) => Steps<void>,
    links: readonly Hash[] = [],
  ): Promise<number> {
    if (branch.includes("@")) {
      throw new AlknetError("BRANCH_FROZEN", `${quoted(branch)} is a version, which does not change; name the branch`);
    }
    const [tables, branches] = [this.#tables, this.#branches];
    let dooms = false;
    const seq = await this.#engine.transaction(function* () {
      const row = yield* branches.named(branch, true);
      const writer = yield* Writer.begin(row, { tables, branches, time: tables.now(), actor });
      yield* work(writer);
      dooms = writer.dooms;
      return yield* writer.end();
    }, { branch, links });
    this.#log.wake();
    // What was removed is to be counted so at once, as far as it takes no time; the rest follows.
    if (dooms) await this.#chores.reap();
    return seq;
  }

  *#found(id: number, seq: number, parts: readonly string[]): Steps<Row | undefined> {
    // Looked up each time: what was the head may be a version by then.
    const view = yield* this.#branches.view(yield* this.#branches.numbered(id), seq);
    return yield* view.find(parts);
  }

  *#listed(id: number, seq: number, path: string, { after = "", limit = MAX_PAGE }: Page = {}): Steps<Entry[]> {
    const parts = partsOf(path);
    const most = Math.min(Math.max(1, limit), MAX_PAGE);
    const view = yield* this.#branches.view(yield* this.#branches.numbered(id), seq);
    const folder = yield* view.find(parts);
    if (!folder) throw noPath(path);
    if (folder.kind !== FOLDER) throw noFolder(path);
    const entries: Entry[] = [];
    const names = view.children(folder.node!, after, most + 1);
    for (let row = yield* names.next(); row; row = yield* names.next()) {
      if (entries.push(entryOf(row)) === most) break;
    }
    return entries;
  }

  *#page(after: string): Steps<Branch[]> {
    const found: Branch[] = [];
    for (const row of yield* this.#branches.page(after, MAX_PAGE)) found.push(yield* this.#branches.shown(row));
    return found;
  }

  *#shown(name: string): Steps<Branch> {
    return yield* this.#branches.shown(yield* this.#branches.named(name));
  }

  *#configured(
    name: string,
    { public: open, owner }: { readonly public?: boolean; readonly owner?: string },
  ): Steps<Branch> {
    const [database, { usage }] = [this.#database, this.#tables];
    const { id, owner: before } = yield* this.#branches.named(name, true);
    if (open !== undefined) yield* database.run("UPDATE branches SET public=? WHERE id=?", open ? 1 : 0, id);
    if (owner !== undefined && owner !== before) {
      const counted = yield* database.get<{ bytes: number; files: number }>(
        "SELECT CAST(COALESCE(SUM(size),0) AS BIGINT) AS bytes,COUNT(*) AS files FROM entries WHERE branch=? AND kind=?",
        id,
        FILE,
      );
      const { bytes, files } = counted!;
      yield* database.run("UPDATE branches SET owner=? WHERE id=?", owner, id);
      if (before !== null) yield* usage.entries(before, -bytes, -files);
      yield* usage.entries(owner, bytes, files);
    }
    return yield* this.#shown(name);
  }

  *#forked(name: string, from: string, owner: string): Steps<Branch> {
    const { branch, seq } = yield* this.#branches.version(from);
    const isDeep = branch.depth >= MAX_DEPTH;
    const id = yield* this.#branches.insert(name, {
      parent: isDeep ? null : branch.id,
      at: isDeep ? null : seq,
      depth: isDeep ? 0 : branch.depth + 1,
      owner,
    });
    if (isDeep) {
      yield* this.#copyAll(yield* this.#branches.view(branch, seq), { id, owner, from: branch.id, seq });
    }
    return yield* this.#branches.shown(yield* this.#branches.numbered(id));
  }

  *#dropped(name: string): Steps<Branch> {
    const branch = yield* this.#branches.named(name, true);
    if ((yield* this.#branches.page("", 2)).length === 1) {
      throw new AlknetError("INVALID_INPUT", `${quoted(name)} is the last branch; make another one first`);
    }
    const shown = yield* this.#branches.shown(branch);
    yield* this.#database.run("UPDATE branches SET name=?,public=0 WHERE id=?", `${DROPPED}${branch.id}`, branch.id);
    return shown;
  }

  *#differences(from: string, to: string, path: string): Steps<Difference[]> {
    const views: View[] = [];
    for (const text of [from, to]) {
      const { branch, seq } = yield* this.#branches.version(text);
      views.push(yield* this.#branches.view(branch, seq));
    }
    return yield* diffOf(this.#database, views[0], views[1], path);
  }

  *#copyAll(
    view: View,
    { id, owner, from, seq }: {
      readonly id: number;
      readonly owner: string;
      readonly from: number;
      readonly seq: number;
    },
  ): Steps<void> {
    const { database, usage } = this.#tables;
    const folders = [ROOT_NODE];
    let [bytes, files, names] = [0, 0, 0];
    for (let dir = folders.pop(); dir !== undefined; dir = folders.pop()) {
      const children = view.children(dir);
      for (let row = yield* children.next(); row; row = yield* children.next()) {
        if (++names > MAX_NAMES && owner !== "local") {
          throw new AlknetError("INVALID_INPUT", `a fork of a fork of 31 copies its names, at most ${MAX_NAMES}`);
        }
        yield* writeEntry(database, { branch: id, seq: 0, dir, name: row.name }, row);
        const { kind, node, size } = row;
        if (kind === FOLDER) folders.push(node!);
        if (kind === FILE) [bytes, files] = [bytes + size!, files + 1];
      }
    }
    yield* database.run("INSERT INTO merges(target,source,seq,source_seq) VALUES(?,?,0,?)", id, from, seq);
    yield* usage.entries(owner, bytes, files);
  }
}
