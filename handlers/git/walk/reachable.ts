/**
 * Whether refs reach what is wanted by its object id: old commits, and trees and blobs that a partial clone fetches when it
 * needs them.
 *
 * @module
 */
import type { Oid } from "../objects/oid.ts";
import { parseTag } from "../objects/tag.ts";
import { GITLINK_MODE, TREE_MODE } from "../objects/tree.ts";
import type { ObjectReader, Ref } from "../store/types.ts";
import { CommitQueue } from "./commit_queue.ts";
import type { CommitReader } from "./commits.ts";
import type { Pace } from "./pace.ts";
import { TreeReader } from "./trees.ts";

/** Where is looked. */
export interface ReachWalk {
  /** The objects. */
  readonly store: ObjectReader;
  /** Refs from which is looked. */
  readonly refs: Iterable<Ref>;
  /** What HEAD points at. */
  readonly head?: Oid;
  /** Commits and trees that are looked at. */
  readonly limit: number;
  /** Reads commits. */
  readonly reader: CommitReader;
  /** Its pace. */
  readonly pace: Pace;
}

/**
 * The first of some objects that refs do not reach, or not within the limit; nothing where they reach all.
 *
 * @throws {AlknetError} `GIT_OBJECT_MISSING`, `GIT_CORRUPT`.
 */
export async function firstUnreached(wants: readonly Oid[], walk: ReachWalk): Promise<Oid | undefined> {
  const search = new Search(walk);
  for (const oid of wants) {
    const info = await walk.store.info(oid);
    if (!info) return oid;
    search.seek(oid, info.kind === "commit" || info.kind === "tag" ? info.kind : "content");
    await walk.pace.step();
  }
  const left = await search.run();
  return left && wants.find((oid) => left.has(oid));
}

class Search {
  readonly #walk: ReachWalk;
  readonly #trees: TreeReader;
  readonly #tags = new Set<Oid>();
  readonly #commits = new Set<Oid>();
  /** Trees and blobs. */
  readonly #content = new Set<Oid>();
  readonly #seenTrees = new Set<Oid>();
  readonly #seenCommits = new Set<Oid>();
  readonly #queue = new CommitQueue();
  #left: number;

  constructor(walk: ReachWalk) {
    this.#walk = walk;
    this.#trees = new TreeReader(walk.store);
    this.#left = walk.limit;
  }

  seek(oid: Oid, what: "tag" | "commit" | "content"): void {
    (what === "tag" ? this.#tags : what === "commit" ? this.#commits : this.#content).add(oid);
  }

  /** Looks. Resolves to what was not found, if anything. */
  async run(): Promise<ReadonlySet<Oid> | undefined> {
    const { refs, head, pace } = this.#walk;
    const loose: Oid[] = [];
    // What HEAD's files are is wanted the most: then no other ref is looked at.
    if (head !== undefined && await this.#begin(head) && this.#content.size > 0) await this.#commit(this.#queue.pop()!);
    if (this.#isOver() && this.#tags.size === 0) return this.#rest();
    for (const ref of refs) {
      if (this.#tags.size > 0) await this.#followTags(ref);
      if (!await this.#begin(ref.peeled ?? ref.oid)) loose.push(ref.peeled ?? ref.oid);
      await pace.step();
    }
    for (let oid = this.#queue.pop(); oid !== undefined && !this.#isOver(); oid = this.#queue.pop()) {
      await this.#commit(oid);
      await pace.step();
    }
    // What refs point at without a commit: a tag of a tree, say.
    for (const oid of loose) {
      if (this.#content.size === 0 || this.#isOver()) break;
      this.#content.delete(oid);
      if ((await this.#walk.store.info(oid))?.kind === "tree") await this.#tree(oid);
      await pace.step();
    }
    return this.#rest();
  }

  #rest(): ReadonlySet<Oid> | undefined {
    const left = this.#tags.union(this.#commits).union(this.#content);
    return left.size > 0 ? left : undefined;
  }

  #isOver(): boolean {
    return this.#left <= 0 || (this.#commits.size === 0 && this.#content.size === 0);
  }

  /** Begins at what a ref points at, if it is a commit. */
  async #begin(oid: Oid): Promise<boolean> {
    if (this.#seenCommits.has(oid)) return true;
    if ((await this.#walk.store.info(oid))?.kind !== "commit") return false;
    this.#seenCommits.add(oid);
    this.#queue.push(oid, (await this.#walk.reader.links(oid)).date);
    return true;
  }

  /** Tags that a ref's tag is of. */
  async #followTags({ oid, peeled }: Ref): Promise<void> {
    for (let at = oid; peeled !== undefined && at !== peeled;) {
      this.#tags.delete(at);
      at = parseTag((await this.#walk.store.read(at))!.bytes).oid;
    }
  }

  async #commit(oid: Oid): Promise<void> {
    const { reader } = this.#walk;
    this.#left--;
    this.#commits.delete(oid);
    const { tree, parents } = await reader.links(oid);
    if (this.#content.size > 0) await this.#tree(tree);
    for (const parent of parents) {
      if (this.#seenCommits.has(parent)) continue;
      this.#seenCommits.add(parent);
      this.#queue.push(parent, (await reader.links(parent)).date);
    }
  }

  /** A tree and all that is below it. */
  async #tree(first: Oid): Promise<void> {
    const stack = [first];
    for (let oid = stack.pop(); oid !== undefined && !this.#isOver(); oid = stack.pop()) {
      this.#content.delete(oid);
      if (this.#seenTrees.has(oid)) continue;
      this.#seenTrees.add(oid);
      this.#left--;
      for (const { mode, oid: below } of await this.#trees.entries(oid)) {
        if (mode === TREE_MODE) stack.push(below);
        else if (mode !== GITLINK_MODE) this.#content.delete(below);
      }
      await this.#walk.pace.step();
    }
  }
}
