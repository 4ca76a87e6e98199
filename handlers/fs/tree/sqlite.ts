/**
 * Trees in the database of a store on disk (fs.md §6).
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import type { Tables } from "../blobs/disk/parts.ts";
import type { Hash } from "../wire/hash_text.ts";
import { diffOf } from "./comparing/diff.ts";
import { Merge } from "./comparing/merge.ts";
import { Edit } from "./edit.ts";
import { noFolder, noPath, quoted } from "./errors.ts";
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
import { type BranchRow, BranchRows, DROPPED } from "./rows/branches.ts";
import { COLUMNS, entryOf, FILE, FOLDER, ROOT_NODE } from "./rows/row.ts";
import type { View } from "./rows/view.ts";
import { MAX_NAMES, Writer } from "./rows/writer.ts";

/** Branches behind one at most. */
const MAX_DEPTH = 31;
/** Entries of a page at most, and unless told otherwise. */
const MAX_PAGE = 1000;
/** Milliseconds between two passes over what is left over. */
const EVERY = 3_600_000;
/** Days that versions are kept. */
const HISTORY_DAYS = 30;

/** Trees in a database. */
export class SqlitePathTree implements PathTree, AsyncDisposable {
  readonly #tables: Tables;
  readonly #branches: BranchRows;
  readonly #log: Log;
  readonly #upkeep: Upkeep;
  readonly #timer: ReturnType<typeof setInterval> | undefined;
  readonly #closed = new AbortController();
  #working: Promise<void> = Promise.resolve();
  #works = false;

  /**
   * @param tables Those of the store; they are not closed here.
   * @param historyDays For how many days versions are kept.
   */
  constructor(tables: Tables, historyDays: number = HISTORY_DAYS) {
    this.#tables = tables;
    this.#branches = new BranchRows(tables.database);
    this.#log = new Log(tables.database, this.#branches);
    this.#upkeep = new Upkeep(tables, this.#branches, historyDays);
    if (!tables.isKeeper) return;
    this.#work();
    this.#timer = setInterval(() => this.#work(), EVERY);
    // What is left over keeps no program running.
    Deno.unrefTimer(Number(this.#timer));
  }

  // Async throughout, so that a fault of the database rejects rather than throws.
  // deno-lint-ignore require-await
  async at(version: string): Promise<TreeView> {
    const { branch, seq } = this.#branches.version(version);
    // Looked up each time: what was the head may be a version by then.
    const view = (): View => this.#branches.view(this.#branches.numbered(branch.id), seq);
    return {
      seq,
      // deno-lint-ignore require-await
      stat: async (path) => {
        const row = this.#tables.database.reading(() => view().find(partsOf(path)));
        return row && entryOf(row);
      },
      // deno-lint-ignore require-await
      list: async (path, page) => this.#tables.database.reading(() => listed(view(), path, page)),
    };
  }

  async *branches(after = ""): AsyncIterable<Branch> {
    for (let last = after, isMore = true; isMore;) {
      const rows: BranchRow[] = this.#branches.page(last, MAX_PAGE);
      for (const row of rows) yield this.#branches.shown(row);
      isMore = rows.length === MAX_PAGE;
      last = rows.at(-1)?.name ?? last;
    }
  }

  // deno-lint-ignore require-await
  async branch(name: string): Promise<Branch> {
    return this.#branches.shown(this.#branches.named(name));
  }

  // deno-lint-ignore require-await
  async commit(branch: string, actor: string, work: (edit: TreeEdit) => void): Promise<number> {
    return this.#commit(branch, actor, (writer) => work(new Edit(writer)));
  }

  // deno-lint-ignore require-await
  async configure(
    name: string,
    { public: open, owner }: { readonly public?: boolean; readonly owner?: string },
  ): Promise<Branch> {
    const { database, usage } = this.#tables;
    return database.transaction(() => {
      const { id, owner: before } = this.#branches.named(name);
      if (open !== undefined) database.run("UPDATE branches SET public=? WHERE id=?", open ? 1 : 0, id);
      if (owner !== undefined && owner !== before) {
        const { bytes, files } = database.get<{ bytes: number; files: number }>(
          "SELECT CAST(total(size) AS INT) AS bytes,count(*) AS files FROM entries WHERE branch=? AND kind=?",
          id,
          FILE,
        )!;
        database.run("UPDATE branches SET owner=? WHERE id=?", owner, id);
        if (before !== null) usage.entries(before, -bytes, -files);
        usage.entries(owner, bytes, files);
      }
      return this.#branches.shown(this.#branches.named(name));
    });
  }

  // deno-lint-ignore require-await
  async fork(name: string, from: string, owner: string): Promise<Branch> {
    return this.#tables.database.transaction(() => {
      const { branch, seq } = this.#branches.version(from);
      const isDeep = branch.depth >= MAX_DEPTH;
      const id = this.#branches.insert(name, {
        parent: isDeep ? null : branch.id,
        at: isDeep ? null : seq,
        depth: isDeep ? 0 : branch.depth + 1,
        owner,
      });
      if (isDeep) this.#copyAll(this.#branches.view(branch, seq), { id, owner, from: branch.id, seq });
      return this.#branches.shown(this.#branches.numbered(id));
    });
  }

  // deno-lint-ignore require-await
  async drop(name: string): Promise<Branch> {
    const dropped = this.#tables.database.transaction(() => {
      const branch = this.#branches.named(name);
      if (this.#branches.page("", 2).length === 1) {
        throw new AlknetError("INVALID_INPUT", `${quoted(name)} is the last branch; make another one first`);
      }
      const shown = this.#branches.shown(branch);
      this.#tables.database.run(
        "UPDATE branches SET name=?,public=0 WHERE id=?",
        `${DROPPED}${branch.id}`,
        branch.id,
      );
      return shown;
    });
    this.#work();
    return dropped;
  }

  // deno-lint-ignore require-await
  async snapshot(branch: string, name: string, owner: string, note?: string): Promise<Snapshot> {
    return this.#tables.database.transaction(() =>
      this.#branches.addSnapshot(this.#branches.named(branch), name, owner, note)
    );
  }

  // deno-lint-ignore require-await
  async snapshots(branch: string, { after = "", limit = MAX_PAGE }: Page = {}): Promise<Snapshot[]> {
    return this.#branches.snapshots(this.#branches.named(branch), after, limit);
  }

  // deno-lint-ignore require-await
  async unsnapshot(branch: string, name: string): Promise<Snapshot> {
    return this.#tables.database.transaction(() => this.#branches.dropSnapshot(this.#branches.named(branch), name));
  }

  async log(
    branch: string,
    o: { readonly path?: string; readonly before?: number; readonly limit?: number } = {},
  ): Promise<Change[]> {
    if (o.path !== undefined) partsOf(o.path);
    return await this.#log.page(this.#branches.named(branch), o);
  }

  async *diff(from: string, to: string, path = "/"): AsyncIterable<Difference> {
    partsOf(path);
    yield* this.#tables.database.reading(() => {
      const [one, other] = [from, to].map((text) => {
        const { branch, seq } = this.#branches.version(text);
        return this.#branches.view(branch, seq);
      });
      return diffOf(this.#tables.database, one, other, path);
    });
  }

  // deno-lint-ignore require-await
  async merge(
    from: string,
    into: string,
    { actor, policy = "fail", dryRun = false }: MergeOptions,
  ): Promise<MergeResult> {
    const tried = Symbol("tried");
    let result: MergeResult | undefined;
    try {
      const seq = this.#commit(into, actor, (writer) => {
        // What was removed and is not retired yet would be in the way of its own return.
        this.#upkeep.reapWhole(writer.branch.id);
        const { branch, seq } = this.#branches.version(from);
        const merge = new Merge({ tables: this.#tables, branches: this.#branches, writer, policy });
        result = merge.run(branch, seq);
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

  // deno-lint-ignore require-await
  async usage(owner: string): Promise<OwnerUsage> {
    const { bytes: maxBytes, files: maxFiles } = this.#tables.usage.quota(owner);
    return {
      owner,
      ...this.#tables.usage.total(owner),
      ...maxBytes !== undefined && { maxBytes },
      ...maxFiles !== undefined && { maxFiles },
    };
  }

  // deno-lint-ignore require-await
  async linking(hash: Hash, most: number): Promise<Branch[]> {
    return this.#tables.database.reading(() => this.#branches.linking(Uint8Array.fromHex(hash), most))
      .map((row) => this.#branches.shown(row));
  }

  async upkeep(): Promise<void> {
    this.#work();
    await this.#working;
  }

  /** Ends what runs. Twice is harmless. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    this.#closed.abort();
    this.#log.wake();
    await this.#working;
  }

  #commit(branch: string, actor: string, work: (writer: Writer) => void): number {
    if (branch.includes("@")) {
      throw new AlknetError("BRANCH_FROZEN", `${quoted(branch)} is a version, which does not change; name the branch`);
    }
    const { database, now } = this.#tables;
    let dooms = false;
    const seq = database.transaction(() => {
      const writer = new Writer(this.#branches.named(branch), {
        tables: this.#tables,
        branches: this.#branches,
        time: now(),
        actor,
      });
      work(writer);
      dooms = writer.dooms;
      return writer.end();
    });
    this.#log.wake();
    if (dooms) {
      // What was removed is to be counted so at once, as far as it takes no time; the rest follows.
      if (this.#upkeep.reap()) this.#work();
    }
    return seq;
  }

  /** Does what is left over, bit by bit, beside other work. */
  #work(): void {
    if (this.#works || this.#closed.signal.aborted) return;
    this.#works = true;
    this.#working = this.#workOff().finally(() => void (this.#works = false));
  }

  async #workOff(): Promise<void> {
    try {
      for (const step of ["reap", "sweep", "prune"] as const) {
        while (!this.#closed.signal.aborted && this.#upkeep[step]()) await new Promise((done) => setTimeout(done));
      }
    } catch {
      // On a full disk, say: the next pass goes on.
    }
  }

  #copyAll(
    view: View,
    { id, owner, from, seq }: {
      readonly id: number;
      readonly owner: string;
      readonly from: number;
      readonly seq: number;
    },
  ): void {
    const { database, usage } = this.#tables;
    const folders = [ROOT_NODE];
    let [bytes, files, names] = [0, 0, 0];
    for (let dir = folders.pop(); dir !== undefined; dir = folders.pop()) {
      for (const row of view.children(dir)) {
        if (++names > MAX_NAMES && owner !== "local") {
          throw new AlknetError("INVALID_INPUT", `a fork of a fork of 31 copies its names, at most ${MAX_NAMES}`);
        }
        const { name, kind, node, hash, size, mode, mtime, target } = row;
        database.run(
          `INSERT INTO entries(branch,${COLUMNS}) VALUES(?,?,?,0,?,?,?,?,?,?,?)`,
          id,
          dir,
          name,
          kind,
          node,
          hash,
          size,
          mode,
          mtime,
          target,
        );
        if (kind === FOLDER) folders.push(node!);
        if (kind === FILE) [bytes, files] = [bytes + size!, files + 1];
      }
    }
    database.run("INSERT INTO merges(target,source,seq,source_seq) VALUES(?,?,0,?)", id, from, seq);
    usage.entries(owner, bytes, files);
  }
}

function listed(view: View, path: string, { after = "", limit = MAX_PAGE }: Page = {}): Entry[] {
  const most = Math.min(Math.max(1, limit), MAX_PAGE);
  const folder = view.find(partsOf(path));
  if (!folder) throw noPath(path);
  if (folder.kind !== FOLDER) throw noFolder(path);
  const entries: Entry[] = [];
  for (const row of view.children(folder.node!, after, most + 1)) {
    if (entries.push(entryOf(row)) === most) break;
  }
  return entries;
}
