/**
 * What a fetch sends: all that its wants reach, but for what the client's commits reach.
 *
 * @module
 */
import { missing } from "../errors.ts";
import type { Oid } from "../objects/oid.ts";
import { parseTag } from "../objects/tag.ts";
import type { Closure, ObjectStore, Ref } from "../store/types.ts";
import type { ObjectFilter } from "../wire/filter_spec.ts";
import { type CommitReader, commitsBetween, NO_ENDS, parentsFirst } from "./commits.ts";
import { intakeOf } from "./filters.ts";
import type { Pace } from "./pace.ts";
import { Selection } from "./selection.ts";
import type { Horizon } from "./shallow.ts";
import { type BesideTree, selectTree, TreeReader } from "./trees.ts";

/** Trees of the client's with which the tree of a commit is compared whose parents are not sent. */
const NEARBY = 8;

/** What is to be sent of what. */
export interface FetchWalk {
  /** Where the objects are. */
  readonly store: ObjectStore;
  /** Objects of any kind. */
  readonly wants: readonly Oid[];
  /** Commits that the client has, and this store too. */
  readonly common: readonly Oid[];
  /** Refs whose tags go along where what they are of is sent. */
  readonly tags: Iterable<Ref>;
  /** Where the client's history ends; absent where it does not. */
  readonly horizon?: Horizon;
  /** What is left out of what is not wanted itself. */
  readonly filter?: ObjectFilter;
  /** What is sent anyway, all of it, as the wants reach it. */
  readonly closure?: Closure;
  /** Whether what the client has may be the base of deltas. */
  readonly thin: boolean;
  /** Reads commits. */
  readonly reader: CommitReader;
  /** Its pace. */
  readonly pace: Pace;
}

/** What is to be sent. */
export interface Selected {
  /** All that is sent, beside the closure. */
  readonly selection: Selection;
  /** What the client has that may be the base of a delta; absent where nothing may. */
  readonly held?: Selection;
}

/**
 * Selects what is sent.
 *
 * @throws {AlknetError} `GIT_OBJECT_MISSING`, `GIT_CORRUPT`.
 */
export async function selectFetch(walk: FetchWalk): Promise<Selected> {
  const { store, wants, tags, filter, closure, thin, pace } = walk;
  const selection = new Selection(store, closure);
  // Who leaves things out may have done so before: of what it has, nothing can be said but what it names.
  const held = thin && !filter ? new Selection(store) : undefined;
  const commits: Oid[] = [];
  const trees: Oid[] = [];
  for (const want of wants) {
    if (closure?.holds(want)) continue;
    const target = await selectTags(want, store, selection);
    if (target.kind === "commit") commits.push(target.oid);
    else if (target.kind === "tree") trees.push(target.oid);
    else selection.add(target.oid);
    await pace.step();
  }
  await selectCommits(commits, walk, { selection, held });
  await selectTrees(trees, walk, selection);
  if (filter?.kinds?.has("tag") === false) return { selection, held };
  for (const { oid, peeled } of tags) {
    if (peeled !== undefined && !closure?.holds(oid) && selection.has(peeled)) await selectTags(oid, store, selection);
    await pace.step();
  }
  return { selection, held };
}

async function selectCommits(wants: readonly Oid[], walk: FetchWalk, { selection, held }: Selected): Promise<void> {
  if (wants.length === 0 && !walk.horizon) return;
  const { store, horizon, filter, reader, pace } = walk;
  const common = [...walk.common, ...await commitsOf(walk)];
  const ends = horizon?.ends ?? NO_ENDS;
  const sent = await commitsBetween([...wants, ...horizon?.wants ?? []], common, reader, pace, ends);
  const isSent = new Set(sent);
  const nearby = common.slice(0, NEARBY);
  const children = await childrenOf(horizon?.unshallow ?? [], reader);
  const intake = intakeOf(selection, store, filter);
  const parts = { trees: new TreeReader(store), intake, held, pace };
  for (const oid of wants) if (isSent.has(oid)) selection.add(oid);
  // A tree that is selected counts as sent whole. That holds only where the parents, whose trees it is compared with, are
  // done: else a change that was taken back would be left out by each because of the other.
  for (const oid of await parentsFirst(sent, reader, pace)) {
    if (intake.takes("commit")) selection.add(oid);
    const { tree, parents } = await reader.links(oid);
    const beside: BesideTree[] = [];
    // Whose parents are not sent is compared with what the client has that may be like it.
    for (const other of [...ends.sent.has(oid) ? nearby : parents, ...children.get(oid) ?? []]) {
      beside.push({ tree: (await reader.links(other)).tree, held: !isSent.has(other) });
    }
    await selectTree(tree, beside, parts);
  }
}

/** The commits behind which all is of the closure. */
async function commitsOf({ closure, reader, pace }: FetchWalk): Promise<Oid[]> {
  const commits = new Set<Oid>();
  for (const oid of closure?.tips ?? []) {
    const commit = await reader.commitOf(oid);
    if (commit !== undefined) commits.add(commit);
    await pace.step();
  }
  return [...commits];
}

/** The commits that each of their parents has among some. */
async function childrenOf(commits: readonly Oid[], reader: CommitReader): Promise<Map<Oid, Oid[]>> {
  const children = new Map<Oid, Oid[]>();
  for (const oid of commits) {
    for (const parent of (await reader.links(oid)).parents) children.set(parent, [...children.get(parent) ?? [], oid]);
  }
  return children;
}

/** Trees that are wanted by themselves: of what a commit's tree leaves out because of its parents, these need all. */
async function selectTrees(wants: readonly Oid[], { store, filter, closure, pace }: FetchWalk, selection: Selection) {
  if (wants.length === 0) return;
  const alone = new Selection(store, closure);
  const parts = { trees: new TreeReader(store), intake: intakeOf(alone, store, filter), pace };
  for (const tree of wants) {
    // As git has it, filters count levels from what is in it.
    await selectTree(tree, [], parts, -1);
    selection.add(tree);
  }
  for (const place of alone.places()) selection.add(store.entry(place).oid);
  for (const oid of alone.loose) selection.add(oid);
}

/**
 * Selects a tag and the tags that it is of, and says what these are of; or what else the object is.
 *
 * @throws {AlknetError} `GIT_OBJECT_MISSING`, `GIT_CORRUPT`.
 */
export async function selectTags(
  oid: Oid,
  store: ObjectStore,
  selection: Selection,
): Promise<{ kind: "commit" | "tree" | "blob"; oid: Oid }> {
  for (let at = oid;;) {
    const info = await store.info(at);
    if (!info) throw missing(at);
    if (info.kind !== "tag") return { kind: info.kind, oid: at };
    selection.add(at);
    at = parseTag((await store.read(at))!.bytes).oid;
  }
}
