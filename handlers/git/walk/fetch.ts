/**
 * What a fetch sends: all that its wants reach, but for what the client's commits reach.
 *
 * @module
 */
import { missing } from "../errors.ts";
import type { Oid } from "../objects/oid.ts";
import { parseTag } from "../objects/tag.ts";
import type { ObjectStore, Ref } from "../store/types.ts";
import { type CommitReader, commitsBetween, parentsFirst } from "./commits.ts";
import type { Pace } from "./pace.ts";
import { Selection } from "./selection.ts";
import { selectTree, TreeReader, type TreeWalk } from "./trees.ts";

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
  /** Reads commits. */
  readonly reader: CommitReader;
  /** Its pace. */
  readonly pace: Pace;
}

/**
 * Selects what is sent.
 *
 * @throws {AlknetError} `GIT_OBJECT_MISSING`, `GIT_CORRUPT`.
 */
export async function selectFetch({ store, wants, common, tags, reader, pace }: FetchWalk): Promise<Selection> {
  const selection = new Selection(store);
  const commits: Oid[] = [];
  const trees: Oid[] = [];
  for (const want of wants) {
    const target = await selectTags(want, store, selection);
    if (target.kind === "commit") commits.push(target.oid);
    else if (target.kind === "tree") trees.push(target.oid);
    else selection.add(target.oid);
    await pace.step();
  }
  const parts = { trees: new TreeReader(store), selection, pace };
  const sent = await commitsBetween(commits, common, reader, pace);
  // A tree that is selected counts as sent whole. That holds only where the parents, whose trees it is compared with, are
  // done: else a change that was taken back would be left out by each because of the other.
  for (const oid of await parentsFirst(sent, reader, pace)) {
    selection.add(oid);
    const { tree, parents } = await reader.links(oid);
    const others: Oid[] = [];
    for (const parent of parents) others.push((await reader.links(parent)).tree);
    await selectTree(tree, others, parts);
  }
  // Of what a commit's tree leaves out because of its parents, a tree that is wanted by itself needs all.
  for (const tree of trees) await selectWhole(tree, store, parts);
  for (const { oid, peeled } of tags) {
    if (peeled !== undefined && selection.has(peeled)) await selectTags(oid, store, selection);
    await pace.step();
  }
  return selection;
}

/** A tree of its own: it is sent whole, whatever the client has. */
async function selectWhole(tree: Oid, store: ObjectStore, parts: TreeWalk): Promise<void> {
  const alone = new Selection(store);
  await selectTree(tree, [], { ...parts, selection: alone });
  for (const place of alone.places()) parts.selection.add(store.entry(place).oid);
  for (const oid of alone.loose) parts.selection.add(oid);
}

/** Selects a tag and the tags that it is of, and says what these are of; or what else the object is. */
async function selectTags(
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
