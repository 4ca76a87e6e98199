/**
 * Whether all that new tips reach is there: what is new is walked, up to what refs reach already.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { missing } from "../errors.ts";
import type { Oid } from "../objects/oid.ts";
import { parseTag } from "../objects/tag.ts";
import { GITLINK_MODE, TREE_MODE, type TreeEntry } from "../objects/tree.ts";
import type { ObjectReader, RefSnapshot } from "../store/types.ts";
import { CommitQueue } from "./commit_queue.ts";
import { CommitReader, commitsBetween } from "./commits.ts";
import type { Pace } from "./pace.ts";
import { TreeReader } from "./trees.ts";

/** What is walked. */
export interface ConnectivityWalk {
  /** What is new, and then what is there. */
  readonly objects: ObjectReader;
  /** Whether an object is new. */
  holds(oid: Oid): boolean;
  /** All refs, hidden ones too: what they reach is whole. */
  readonly refs: RefSnapshot;
  /** Its pace. */
  readonly pace: Pace;
}

const UNCONNECTED = ["GIT_OBJECT_MISSING", "GIT_CORRUPT", "OBJECT_TOO_LARGE"];

/** The tips that are not connected. */
export async function unconnected(tips: readonly Oid[], walk: ConnectivityWalk): Promise<Set<Oid>> {
  if (await areConnected(tips, walk)) return new Set();
  const bad = new Set<Oid>();
  // What one walk has seen counts for all of its tips; of which of them something is missing, each says alone.
  for (const tip of tips) if (tips.length === 1 || !await areConnected([tip], walk)) bad.add(tip);
  return bad;
}

/** Whether a commit is another or comes after it, whatever their dates say. */
export async function isAncestor(old: Oid, oid: Oid, reader: CommitReader, pace: Pace): Promise<boolean> {
  const seen = new Set<Oid>([oid]);
  const queue = new CommitQueue();
  queue.push(oid, 0);
  for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
    if (at === old) return true;
    for (const parent of (await reader.links(at)).parents) {
      if (seen.has(parent)) continue;
      seen.add(parent);
      queue.push(parent, (await reader.links(parent)).date);
    }
    await pace.step();
  }
  return false;
}

async function areConnected(tips: readonly Oid[], walk: ConnectivityWalk): Promise<boolean> {
  try {
    await new Connectivity(walk).check(tips);
    return true;
  } catch (error) {
    if (error instanceof AlknetError && UNCONNECTED.includes(error.code)) return false;
    throw error;
  }
}

class Connectivity {
  readonly #walk: ConnectivityWalk;
  readonly #reader: CommitReader;
  readonly #trees: TreeReader;
  /** What refs point at. */
  readonly #known = new Set<Oid>();
  readonly #seen = new Set<Oid>();

  constructor(walk: ConnectivityWalk) {
    this.#walk = walk;
    this.#reader = new CommitReader(walk.objects);
    this.#trees = new TreeReader(walk.objects);
    for (const { oid, peeled } of walk.refs.list()) {
      this.#known.add(oid);
      if (peeled !== undefined) this.#known.add(peeled);
    }
  }

  async check(tips: readonly Oid[]): Promise<void> {
    const commits: Oid[] = [];
    for (const tip of tips) {
      const target = await this.#target(tip);
      if (target?.kind === "commit") commits.push(target.oid);
      else if (target?.kind === "tree") await this.#tree(target.oid, []);
      await this.#walk.pace.step();
    }
    for (const oid of await this.#newCommits(commits)) {
      const { tree, parents } = await this.#reader.links(oid);
      const others: Oid[] = [];
      for (const parent of parents) others.push((await this.#reader.links(parent)).tree);
      // What a parent has at the same path is there: it is checked too, or refs reach it.
      await this.#tree(tree, others);
    }
  }

  /** What a tip is, or as a tag is of; nothing where refs point at it. */
  async #target(tip: Oid): Promise<{ kind: "commit" | "tree" | "blob"; oid: Oid } | undefined> {
    const { objects } = this.#walk;
    for (let at = tip;;) {
      if (this.#known.has(at)) return undefined;
      const info = await objects.info(at);
      if (!info) throw missing(at);
      if (info.kind !== "tag") return { kind: info.kind, oid: at };
      at = parseTag((await objects.read(at))!.bytes).oid;
    }
  }

  /** Commits that tips reach and refs do not. */
  async #newCommits(tips: readonly Oid[]): Promise<Oid[]> {
    const { holds, pace, refs } = this.#walk;
    const found: Oid[] = [];
    const beyond: Oid[] = [];
    const seen = new Set<Oid>(tips);
    const stack = [...seen];
    for (let oid = stack.pop(); oid !== undefined; oid = stack.pop()) {
      if (this.#known.has(oid)) continue;
      if (!holds(oid)) {
        beyond.push(oid);
        continue;
      }
      found.push(oid);
      for (const parent of (await this.#reader.links(oid)).parents) {
        if (!seen.has(parent)) stack.push(parent);
        seen.add(parent);
      }
      await pace.step();
    }
    if (beyond.length === 0) return found;
    const reached: Oid[] = [];
    for (const { oid, peeled } of refs.list()) {
      const commit = await this.#reader.commitOf(peeled ?? oid);
      if (commit !== undefined) reached.push(commit);
      await pace.step();
    }
    return [...found, ...await commitsBetween(beyond, reached, this.#reader, pace)];
  }

  async #tree(tree: Oid, others: readonly Oid[]): Promise<void> {
    const { objects, pace } = this.#walk;
    const stack = [{ tree, others }];
    for (let next = stack.pop(); next; next = stack.pop()) {
      if (next.others.includes(next.tree) || this.#seen.has(next.tree)) continue;
      this.#seen.add(next.tree);
      const beside: Map<string, TreeEntry>[] = [];
      for (const other of next.others) {
        beside.push(new Map((await this.#trees.entries(other)).map((entry) => [entry.name, entry])));
      }
      for (const { mode, name, oid } of await this.#trees.entries(next.tree)) {
        if (mode === GITLINK_MODE) continue;
        const there = beside.map((entries) => entries.get(name)).filter((entry) => entry !== undefined);
        if (there.some((entry) => entry.oid === oid && entry.mode === mode)) continue;
        if (mode === TREE_MODE) {
          const trees = there.filter((entry) => entry.mode === TREE_MODE).map((entry) => entry.oid);
          stack.push({ tree: oid, others: trees });
        } else if (!await objects.has(oid)) throw missing(oid);
      }
      await pace.step();
    }
  }
}
