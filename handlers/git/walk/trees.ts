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
import type { Intake } from "./filters.ts";
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
  /** Takes what is met. */
  readonly intake: Intake;
  /** Gets what the client has of what trees were compared with; absent where nobody asks. */
  readonly held?: Selection;
  /** The walk's pace. */
  readonly pace: Pace;
}

/** A tree with which one is compared. */
export interface BesideTree {
  /** The tree. */
  readonly tree: Oid;
  /** Whether the client has it; else it is sent, and this was done for it before. */
  readonly held: boolean;
}

/**
 * Takes a commit's tree and all that is below it. What a tree beside it has at the same path is there already, or is sent
 * already; so is what is below a tree that was taken.
 *
 * @param level On which it is.
 * @throws {AlknetError} `GIT_OBJECT_MISSING`, `GIT_CORRUPT`.
 */
export async function selectTree(
  tree: Oid,
  beside: readonly BesideTree[],
  walk: TreeWalk,
  level = 0,
): Promise<void> {
  const { trees, intake, pace } = walk;
  const stack = [{ tree, beside, depth: level }];
  for (let next = stack.pop(); next; next = stack.pop()) {
    const { tree, beside, depth } = next;
    if (beside.some((other) => other.tree === tree) || !intake.tree(tree, depth)) continue;
    const sides = await sidesOf(beside, walk);
    for (const { mode, name, oid } of await trees.entries(tree)) {
      if (mode === GITLINK_MODE || isThere(name, oid, sides)) continue;
      if (mode !== TREE_MODE) await intake.leaf(oid, depth + 1);
      else stack.push({ tree: oid, beside: treesAt(name, sides), depth: depth + 1 });
    }
    await pace.step();
  }
}

interface Side {
  readonly entries: ReadonlyMap<string, TreeEntry>;
  readonly held: boolean;
}

async function sidesOf(beside: readonly BesideTree[], { trees, held: met }: TreeWalk): Promise<Side[]> {
  const sides: Side[] = [];
  for (const { tree, held } of beside) {
    const entries = await trees.entries(tree);
    sides.push({ entries: new Map(entries.map((entry) => [entry.name, entry])), held });
    if (!held || !met) continue;
    met.add(tree);
    for (const { mode, oid } of entries) if (mode !== GITLINK_MODE) met.add(oid);
  }
  return sides;
}

function isThere(name: string, oid: Oid, sides: readonly Side[]): boolean {
  return sides.some(({ entries }) => entries.get(name)?.oid === oid);
}

function treesAt(name: string, sides: readonly Side[]): BesideTree[] {
  const trees: BesideTree[] = [];
  for (const { entries, held } of sides) {
    const entry = entries.get(name);
    if (entry?.mode === TREE_MODE) trees.push({ tree: entry.oid, held });
  }
  return trees;
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
