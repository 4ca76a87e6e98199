/**
 * Trees and what they hold, but for what the trees beside them hold at the same path.
 *
 * @module
 */
import { corrupt, missing } from "../errors.ts";
import type { Oid } from "../objects/oid.ts";
import { GITLINK_MODE, parseTree, TREE_MODE, type TreeEntry } from "../objects/tree.ts";
import { ByteCache } from "../pack/byte_cache.ts";
import type { ObjectReader } from "../store/types.ts";
import type { Pace } from "./pace.ts";
import type { Selection } from "./selection.ts";

/** Bytes of trees that a walk keeps. */
const KEPT = 16 * 1024 * 1024;
/** Bytes of an entry that is kept, about. */
const ENTRY = 200;

/** What trees are selected with. */
export interface TreeWalk {
  /** Reads trees. */
  readonly trees: TreeReader;
  /** What is sent. */
  readonly selection: Selection;
  /** The walk's pace. */
  readonly pace: Pace;
}

/**
 * Adds a tree and all that is below it to what is sent. What one of `others` has at the same path is there already, or is
 * sent already; so is what is below a tree that is selected.
 *
 * @param others Trees of the commit's parents, which the client has or for which this was done before.
 * @throws {AlknetError} `GIT_OBJECT_MISSING`, `GIT_CORRUPT`.
 */
export async function selectTree(
  tree: Oid,
  others: readonly Oid[],
  { trees, selection, pace }: TreeWalk,
): Promise<void> {
  const stack = [{ tree, others }];
  for (let next = stack.pop(); next; next = stack.pop()) {
    if (next.others.includes(next.tree) || !selection.add(next.tree)) continue;
    const beside: Map<string, TreeEntry>[] = [];
    for (const other of next.others) {
      beside.push(new Map((await trees.entries(other)).map((entry) => [entry.name, entry])));
    }
    for (const { mode, name, oid } of await trees.entries(next.tree)) {
      if (mode === GITLINK_MODE) continue;
      const there = beside.map((entries) => entries.get(name)).filter((entry) => entry !== undefined);
      if (there.some((entry) => entry.oid === oid)) continue;
      if (mode !== TREE_MODE) selection.add(oid);
      else {
        stack.push({
          tree: oid,
          others: there.filter((entry) => entry.mode === TREE_MODE).map((entry) => entry.oid),
        });
      }
    }
    await pace.step();
  }
}

/** Reads trees, and keeps those read last: a commit's is compared with its parent's, and then its child's with it. */
export class TreeReader {
  readonly #store: ObjectReader;
  readonly #read = new ByteCache<readonly TreeEntry[]>(KEPT);

  /** @param store Where they are. */
  constructor(store: ObjectReader) {
    this.#store = store;
  }

  /**
   * The entries of a tree.
   *
   * @throws {AlknetError} `GIT_OBJECT_MISSING`; `GIT_CORRUPT`: it is no tree.
   */
  async entries(oid: Oid): Promise<readonly TreeEntry[]> {
    const held = this.#read.get(oid);
    if (held) return held;
    const object = await this.#store.read(oid);
    if (!object) throw missing(oid);
    if (object.kind !== "tree") throw corrupt(`object ${oid} is a ${object.kind}, and a tree is expected`);
    const entries = parseTree(object.bytes);
    this.#read.set(oid, entries, 100 + entries.length * ENTRY);
    return entries;
  }
}
