/**
 * The commit-graph of a repository, written when much is not in it (git.md §5.5).
 *
 * @module
 */
import { mkdirSync, readdirSync, renameSync, rmdirSync, unlinkSync } from "node:fs";
import type { CommitGraph } from "../graph/commit_graph.ts";
import { graphBytes } from "../graph/graph_bytes.ts";
import { chainFolder, chainPath, graphPath } from "../graph/graph_folder.ts";
import type { CommitLinks } from "../objects/commit.ts";
import type { Oid } from "../objects/oid.ts";
import { sync, writeNew } from "../store/folder/files.ts";
import { unlessMissing } from "../store/folder/loose.ts";
import type { OpenFolder } from "../store/folder/repositories.ts";
import { CommitReader, parentsFirst } from "../walk/commits.ts";
import type { Pace } from "../walk/pace.ts";

/** More commits than these outside of the graph are taken in. */
const MOST_OUTSIDE = 20_000;
/** So is that part of those in it: a graph of few is written for little. */
const PART_OUTSIDE = 1 / 4;

/** Writes the graph where there is none, or where much is not in it. Says whether it did. */
export async function keepGraph(open: OpenFolder, { pace }: { readonly pace: Pace }): Promise<boolean> {
  const graph = open.graph();
  const reader = new CommitReader(open.objects, graph);
  const most = graph ? Math.min(graph.count * PART_OUTSIDE, MOST_OUTSIDE) : 0;
  const met = await reached(open, reader, pace, { graph, most });
  if (met.size <= most) return false;
  return await writeGraph(open, reader, pace);
}

/**
 * Writes the graph of all that refs reach, as one file, in the place of what was there. Says whether there is anything to
 * write.
 *
 * @throws {AlknetError} `GIT_OBJECT_MISSING`, `GIT_CORRUPT`: nothing was written. What the file system throws.
 */
export async function writeGraph(open: OpenFolder, reader: CommitReader, pace: Pace): Promise<boolean> {
  const met = await reached(open, reader, pace);
  if (met.size === 0) return false;
  const commits = new Map<Oid, CommitLinks>();
  for (const oid of await parentsFirst([...met], reader, pace)) commits.set(oid, await reader.links(oid));
  const objects = `${open.folder}/objects`;
  const temporary = (await open.holder()).temporary();
  await writeNew(temporary, graphBytes(commits));
  mkdirSync(`${objects}/info`, { recursive: true, mode: 0o700 });
  renameSync(temporary, graphPath(objects));
  await sync(`${objects}/info`);
  removeChain(objects);
  return true;
}

/** Commits that refs reach, shown or hidden, the younger first, mostly: all, or somewhat more than `most` beyond a graph. */
async function reached(
  { refs, objects }: OpenFolder,
  reader: CommitReader,
  pace: Pace,
  outside: { readonly graph?: CommitGraph; readonly most: number } = { most: Infinity },
): Promise<Set<Oid>> {
  const met = new Set<Oid>();
  const stack: Oid[] = [];
  const enter = (oid: Oid): void => {
    if (met.has(oid) || outside.graph?.has(oid)) return;
    met.add(oid);
    stack.push(oid);
  };
  for (const { oid } of (await refs.snapshot([])).list()) {
    const commit = await objects.has(oid) ? await reader.commitOf(oid) : undefined;
    if (commit !== undefined) enter(commit);
    await pace.step();
  }
  for (let oid = stack.pop(); oid !== undefined && met.size <= outside.most; oid = stack.pop()) {
    for (const parent of (await reader.links(oid)).parents) enter(parent);
    await pace.step();
  }
  return met;
}

/** A chain is not looked at beside the one file. */
function removeChain(objects: string): void {
  unlessMissing(() => unlinkSync(chainPath(objects)));
  const folder = chainFolder(objects);
  for (const name of unlessMissing(() => readdirSync(folder)) ?? []) {
    if (/^graph-[0-9a-f]{40}\.graph$/.test(name)) unlessMissing(() => unlinkSync(`${folder}/${name}`));
  }
  try {
    rmdirSync(folder);
  } catch { /* It is not there, or somebody else's as well. */ }
}
