/**
 * Merging one branch into another (fs.md §6, Merge): each name that the source changed is compared with what both had and with
 * what the target has.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { below, compareNames, partsOf } from "../names.ts";
import type { Conflict, MergeResult, Policy } from "../path_tree.ts";
import type { BranchRow, BranchRows } from "../rows/branches.ts";
import type { TreeTables } from "../rows/engine.ts";
import { type Content, entryOf, FILE, FOLDER, isIdentical, isSame, ROOT_NODE, type Row } from "../rows/row.ts";
import type { Steps } from "../rows/steps.ts";
import type { View } from "../rows/view.ts";
import type { Writer } from "../rows/writer.ts";
import { sidesOf } from "./base.ts";
import { type Key, keysBetween } from "./keys.ts";
import { besides, nameOf, Plan } from "./plan.ts";

/** What a merge needs. */
export interface MergeParts {
  /** The tables. */
  readonly tables: TreeTables;
  /** Those of the branches. */
  readonly branches: BranchRows;
  /** Writes into the target. */
  readonly writer: Writer;
  /** What is done where both changed the same. */
  readonly policy: Policy;
}

/** A name that differs in the source from what both had. */
interface Change {
  readonly key: Key;
  readonly path: string;
  readonly base?: Row;
  readonly from?: Row;
}

/** A name that the source changed. */
interface Changed {
  readonly key: Key;
  /** Where it is in the source. */
  readonly path: string;
  readonly base: Row | undefined;
  readonly from: Row | undefined;
  /** Where it would be in the target; nothing where its folder is gone there. */
  readonly place: Key | undefined;
  readonly into: Row | undefined;
}

/** One merge. */
export class Merge {
  readonly #parts: MergeParts;
  readonly #conflicts: Conflict[] = [];
  /** Folders of the source as they are called in the target; nothing for those whose contents are not brought. */
  readonly #folders = new Map<number, number | undefined>();
  /** Names in which the source differs from what both had. */
  readonly #names = new Set<string>();
  readonly #plan: Plan;
  #base!: View;
  #from!: View;
  readonly #into: View;
  #source = "";
  #below: readonly Key[] | undefined;

  /** @param parts What it needs. */
  constructor(parts: MergeParts) {
    this.#parts = parts;
    this.#into = parts.writer.before;
    this.#plan = new Plan(this.#into);
  }

  /**
   * Merges a version, in a transaction of the caller's.
   *
   * @throws {AlknetError} `HISTORY_GONE`, `QUOTA_EXCEEDED`; `INVALID_INPUT`: a branch into itself.
   */
  *run(source: BranchRow, seq: number): Steps<MergeResult> {
    const { tables: { database }, branches, writer } = this.#parts;
    if (source.id === writer.branch.id) {
      throw new AlknetError("INVALID_INPUT", "a branch is not merged into itself; use fs/restore");
    }
    this.#source = source.name;
    const { base, from } = yield* sidesOf({ database, branches, writer }, source, seq);
    [this.#base, this.#from] = [base, from];
    for (const one of yield* this.#changed()) yield* this.#merge(one);
    yield* this.#plan.write(writer, source.name);
    yield* database.run(
      "INSERT INTO merges(target,source,seq,source_seq) VALUES(?,?,?,?)" +
        " ON CONFLICT(target,source,seq) DO UPDATE SET source_seq=excluded.source_seq",
      writer.branch.id,
      source.id,
      writer.hasChanged ? writer.seq : writer.branch.head,
      seq,
    );
    return { applied: this.#plan.size, conflicts: this.#conflicts };
  }

  /** What the source changed, folders before what they hold. */
  *#changed(): Steps<Change[]> {
    const found: Change[] = [];
    for (const key of yield* keysBetween(this.#parts.tables.database, this.#base, this.#from)) {
      this.#names.add(nameOf(key));
      const folder = yield* this.#from.pathOf(key.dir);
      // What lies in a folder that went, goes with it.
      if (folder === undefined) continue;
      const isKnown = (yield* this.#base.pathOf(key.dir)) !== undefined;
      const base = isKnown ? yield* this.#base.lookup(key.dir, key.name) : undefined;
      const from = yield* this.#from.lookup(key.dir, key.name);
      if (!isIdentical(base, from)) found.push({ key, path: below(folder, key.name), base, from });
    }
    return found.sort((one, other) => compareNames(one.path, other.path));
  }

  *#merge({ key, path, base, from }: Change): Steps<void> {
    const dir = yield* this.#folderOf(key.dir);
    // Its folder is not brought, and that was said.
    if (dir === undefined && this.#folders.has(key.dir)) return;
    const place = dir === undefined ? undefined : { dir, name: key.name };
    const there = place && (yield* this.#into.lookup(place.dir, place.name));
    // A folder that is elsewhere now leaves its name free, in the target too.
    const leaves = base?.kind === FOLDER && (yield* this.#isElsewhere(base, from, this.#from));
    const here = leaves ? undefined : base;
    const into = leaves && isSame(there, base) ? undefined : there;
    const one = { key, path, base: here, from, place, into };
    if (from?.kind === FOLDER && (yield* this.#isElsewhere(from, base, this.#base))) yield* this.#move(from, one);
    else if (from?.kind === FOLDER) yield* this.#folder(from, one);
    else if (from) yield* this.#file(from, one);
    else if (here) yield* this.#gone(here, one);
  }

  /** Whether a folder, at a name, is in another version at another. */
  *#isElsewhere({ node }: Row, there: Row | undefined, view: View): Steps<boolean> {
    return there?.node !== node && (yield* view.pathOf(node!)) !== undefined;
  }

  /** A folder of the source, by its node, in the target. */
  *#folderOf(node: number): Steps<number | undefined> {
    if (this.#folders.has(node)) return this.#folders.get(node);
    if (node === ROOT_NODE || (yield* this.#into.pathOf(node)) !== undefined) return node;
    return (yield* this.#folderAt(yield* this.#from.pathOf(node))) ??
      (yield* this.#folderAt(yield* this.#base.pathOf(node)));
  }

  *#folderAt(path: string | undefined): Steps<number | undefined> {
    const row = path === undefined ? undefined : yield* this.#into.find(partsOf(path));
    return row?.kind === FOLDER ? row.node! : undefined;
  }

  /** A folder that the source moved. */
  *#move(from: Row, one: Changed): Steps<void> {
    const { place, base, into } = one;
    const node = yield* this.#folderOf(from.node!);
    const there = node === undefined ? undefined : yield* this.#into.nameOf(node);
    const before = (yield* this.#base.nameOf(from.node!))!;
    if (!there || !place) return yield* this.#conflict("removed", { ...one, base: before }, from);
    if (there.dir === place.dir && there.name === place.name) return;
    this.#folders.set(from.node!, there.node!);
    const wasAt = yield* this.#folderOf(before.dir);
    const unmoved = there.name === before.name && (there.dir === before.dir || there.dir === wasAt);
    const stuck = { ...one, base: before, into: there };
    if (!unmoved) return void this.#report("moved", stuck);
    if (yield* this.#plan.isWithin(place.dir, there.node!)) return void this.#report("cycle", stuck);
    const isFree = !into ||
      (isSame(into, base) && (into.kind !== FOLDER || !(yield* this.#hasChangedBelow(into.node!))));
    if (isFree) return this.#plan.move(there, place, into);
    const reason = into.kind === FOLDER ? "changed" : "kind";
    const policy = this.#report(reason, one);
    if (policy === "theirs") this.#plan.move(there, place, into);
    if (policy === "both") this.#plan.move(there, yield* this.#beside(place));
  }

  /** A folder that the source made, or changed itself. */
  *#folder(from: Row, one: Changed): Steps<void> {
    const { base, into, place } = one;
    if (base?.node === from.node) {
      if (into?.kind === FOLDER) this.#attributes(from, one);
      return;
    }
    if (!place) return yield* this.#conflict("removed", one, from);
    if (into?.kind === FOLDER && !isSame(into, base)) return void this.#folders.set(from.node!, into.node!);
    if (!into && base) return yield* this.#conflict("removed", one, from);
    if (into && !isSame(into, base)) return yield* this.#conflict("kind", one, from);
    if (into?.kind === FOLDER && (yield* this.#hasChangedBelow(into.node!))) {
      return yield* this.#conflict("removed", one, from);
    }
    yield* this.#bring(from, place, into);
  }

  /** A file or a link that the source made or changed. */
  *#file(from: Row, one: Changed): Steps<void> {
    const { base, into, place } = one;
    if (!place || (!into && base)) return yield* this.#conflict("removed", one, from);
    if (!into) return yield* this.#bring(from, place);
    // What both have alike, or the source has as it was: only attributes are left.
    if (isSame(into, from) || isSame(base, from)) return this.#attributes(from, one);
    if (!isSame(into, base)) return yield* this.#conflict(into.kind === from.kind ? "changed" : "kind", one, from);
    if (into.kind === FOLDER && (yield* this.#hasChangedBelow(into.node!))) {
      return yield* this.#conflict("removed", one, from);
    }
    yield* this.#bring({ ...from, ...attributesOf(from, one) }, place, into);
  }

  /** Something that the source removed. */
  *#gone(base: Row, one: Changed): Steps<void> {
    const { into } = one;
    const isKept = base.kind === FOLDER && !isSame(base, into) &&
      (yield* this.#into.pathOf(base.node!)) !== undefined;
    if (!into && !isKept) return;
    if (!into || !isSame(base, into) || (base.kind === FOLDER && (yield* this.#hasChangedBelow(base.node!)))) {
      return yield* this.#conflict("removed", one);
    }
    this.#plan.remove(into);
  }

  #attributes(from: Row, one: Changed): void {
    const content = { ...one.into!, ...attributesOf(from, one) };
    if (!isIdentical(content, one.into)) this.#plan.put(one.place!, content, one.into);
  }

  /** Both changed it: what the policy says. */
  *#conflict(reason: Conflict["reason"], one: Changed, from?: Row): Steps<void> {
    const policy = this.#report(reason, one);
    const { place, into } = one;
    if (from?.kind === FOLDER) this.#folders.set(from.node!, undefined);
    if (policy !== "theirs" && policy !== "both") return;
    if (!from) {
      // Of what the source has no more there is nothing to keep beside.
      if (policy === "theirs" && into) this.#plan.remove(into);
      return;
    }
    const at = place ?? (yield* this.#made(one));
    if (!at) return;
    const isBeside = policy === "both" && place !== undefined;
    // A folder that the target removed comes back whole; what both have at once comes by its own names.
    const isWhole = from.kind === FOLDER && reason === "removed";
    const target = isBeside ? yield* this.#beside(at) : at;
    if (isWhole) yield* this.#bringWhole(from, target, isBeside ? undefined : into);
    else yield* this.#bring(from, target, isBeside ? undefined : into);
  }

  #report(reason: Conflict["reason"], { path, base, from, into }: Changed): Policy {
    this.#conflicts.push({
      path,
      reason,
      ...base && { base: entryOf(base) },
      ...from && { from: entryOf(from) },
      ...into && { into: entryOf(into) },
    });
    return this.#parts.policy;
  }

  *#bring(from: Content, place: Key, replaces?: Row): Steps<void> {
    if (from.kind !== FOLDER) return this.#plan.put(place, from, replaces);
    const isKnown = yield* this.#isKnown(from.node!);
    const node = isKnown ? yield* this.#parts.branches.newNode() : from.node!;
    this.#folders.set(from.node!, node);
    this.#plan.put(place, { ...from, node }, replaces);
    if (!isKnown) return;
    // What both had in it was changed by nobody, and so would not come by its own name.
    const children = this.#from.children(from.node!);
    for (let child = yield* children.next(); child; child = yield* children.next()) {
      if (!this.#names.has(nameOf(child))) yield* this.#bring(child, { dir: node, name: child.name });
    }
  }

  *#bringWhole(from: Row, place: Key, replaces?: Row): Steps<void> {
    const node = yield* this.#parts.branches.newNode();
    this.#plan.put(place, { ...from, node }, replaces);
    const children = this.#from.children(from.node!);
    for (let child = yield* children.next(); child; child = yield* children.next()) {
      const key = { dir: node, name: child.name };
      if (child.kind === FOLDER) {
        this.#folders.set(child.node!, undefined);
        yield* this.#bringWhole(child, key);
      } else this.#plan.put(key, child);
    }
  }

  /** Whether the target, or what it was forked from, has rows in a folder: then those would come with it. */
  *#isKnown(node: number): Steps<boolean> {
    const { database } = this.#parts.tables;
    for (const { branch, v } of this.#into.levels) {
      for (const table of ["entries", "past"]) {
        const sql = `SELECT 1 FROM ${table} WHERE branch=? AND dir=? AND seq<=? LIMIT 1`;
        if (yield* database.get(sql, branch, node, v)) return true;
      }
    }
    return false;
  }

  /** A place whose folders are made again, as the source has them. */
  *#made({ path }: Changed): Steps<Key | undefined> {
    const parts = partsOf(path);
    const name = parts.pop()!;
    let dir = ROOT_NODE;
    for (let i = 0; i < parts.length; i++) {
      const row: Row = (yield* this.#from.find(parts.slice(0, i + 1)))!;
      const known: number | undefined = yield* this.#folderOf(row.node!);
      if (known !== undefined) {
        dir = known;
        continue;
      }
      const into = yield* this.#into.lookup(dir, parts[i]);
      // Something else has its name there: no place for it.
      if (into || this.#plan.has({ dir, name: parts[i] })) return undefined;
      const node = yield* this.#parts.branches.newNode();
      this.#plan.put({ dir, name: parts[i] }, { ...row, node });
      this.#folders.set(row.node!, node);
      dir = node;
    }
    return { dir, name };
  }

  /** A free name beside another. */
  *#beside(key: Key): Steps<Key> {
    const [into, plan] = [this.#into, this.#plan];
    return yield* besides(key, this.#source, function* (one) {
      return !plan.has(one) && !(yield* into.lookup(one.dir, one.name));
    });
  }

  /** Whether the target changed something in a folder, or made something there. */
  *#hasChangedBelow(folder: number): Steps<boolean> {
    if (!this.#below) {
      const below: Key[] = [];
      for (const key of yield* keysBetween(this.#parts.tables.database, this.#base, this.#into)) {
        const { dir, name } = key;
        const into = (yield* this.#into.pathOf(dir)) === undefined ? undefined : yield* this.#into.lookup(dir, name);
        if (into && !isSame(into, yield* this.#base.lookup(dir, name))) below.push(key);
      }
      this.#below = below;
    }
    for (const { dir } of this.#below) if (yield* this.#into.isWithin(dir, folder)) return true;
    return false;
  }
}

/** Attributes of the side that changed them; of the target, where both did. */
function attributesOf(from: Row, { base, into }: Changed): Pick<Content, "mode" | "mtime"> {
  const pick = (name: "mode" | "mtime"): number => {
    if (!into) return from[name];
    return base && into[name] === base[name] ? from[name] : into[name];
  };
  const isNewer = base?.kind === FILE && into && isSame(base, into) && !isSame(base, from);
  // New bytes come with their time.
  return { mode: pick("mode"), mtime: isNewer ? from.mtime : pick("mtime") };
}
