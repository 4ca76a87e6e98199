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

/** Trees with which one is compared. */
export interface Beside {
  /** Trees that are sent, for which this was done before. */
  readonly sent: readonly Oid[];
  /** Trees that the client has. */
  readonly held: readonly Oid[];
}

/**
 * Takes a commit's tree and all that is below it. What a tree beside it has at the same path is there already, or is sent
 * already; so is what is below a tree that was taken.
 *
 * @param level On which it is.
 * @throws {AlknetError} `GIT_OBJECT_MISSING`, `GIT_CORRUPT`.
 */
export async function selectTree(tree: Oid, beside: Beside, walk: TreeWalk, level = 0): Promise<void> {
  const { trees, intake, pace } = walk;
  const stack = [{ tree, beside, depth: level }];
  for (let next = stack.pop(); next; next = stack.pop()) {
    const { beside: { sent, held }, depth } = next;
    if (sent.includes(next.tree) || held.includes(next.tree) || !intake.tree(next.tree, depth)) continue;
    const sentEntries = await entriesOf(sent, trees);
    const heldEntries = await entriesOf(held, trees, walk.held);
    for (const { mode, name, oid } of await trees.entries(next.tree)) {
      if (mode === GITLINK_MODE) continue;
      const [there, theirs] = [named(name, sentEntries), named(name, heldEntries)];
      if (there.some((entry) => entry.oid === oid) || theirs.some((entry) => entry.oid === oid)) continue;
      if (mode !== TREE_MODE) await intake.leaf(oid, depth + 1);
      else stack.push({ tree: oid, beside: { sent: treesOf(there), held: treesOf(theirs) }, depth: depth + 1 });
    }
    await pace.step();
  }
}

type Entries = ReadonlyMap<string, TreeEntry>;

async function entriesOf(oids: readonly Oid[], trees: TreeReader, met?: Selection): Promise<Entries[]> {
  const all: Entries[] = [];
  for (const oid of oids) {
    const entries = await trees.entries(oid);
    all.push(new Map(entries.map((entry) => [entry.name, entry])));
    met?.add(oid);
    if (met) { for (const { mode, oid } of entries) if (mode !== GITLINK_MODE) met.add(oid); }
  }
  return all;
}

function named(name: string, all: readonly Entries[]): TreeEntry[] {
  return all.map((entries) => entries.get(name)).filter((entry) => entry !== undefined);
}

function treesOf(entries: readonly TreeEntry[]): Oid[] {
  return entries.filter((entry) => entry.mode === TREE_MODE).map((entry) => entry.oid);
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
