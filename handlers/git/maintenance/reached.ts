/**
 * What refs and reflogs reach beside shown heads and tags: hidden refs, notes, a HEAD that stands alone, what refs were.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import type { Oid } from "../objects/oid.ts";
import { unlessMissing } from "../store/folder/loose.ts";
import type { ObjectStore, RefStore } from "../store/types.ts";
import type { CommitReader } from "../walk/commits.ts";
import { selectFetch } from "../walk/fetch.ts";
import type { Pace } from "../walk/pace.ts";
import type { Selection } from "../walk/selection.ts";

/** Where everything begins that is reached. */
export interface Roots {
  /** What refs point at, hidden ones too. */
  readonly refs: ReadonlySet<Oid>;
  /** What they pointed at before, as far as their logs say. */
  readonly logs: ReadonlySet<Oid>;
}

/** Whether more than refs and their logs reach objects: a working tree's index does. */
export function hasWorkingTrees(folder: string): boolean {
  return folder.endsWith("/.git") || existsSync(`${folder}/index`) || existsSync(`${folder}/worktrees`);
}

/** All roots of a repository. */
export async function rootsOf(folder: string, store: RefStore): Promise<Roots> {
  const snapshot = await store.snapshot([]);
  const refs = new Set<Oid>();
  if (snapshot.head.oid !== undefined) refs.add(snapshot.head.oid);
  for (const { oid } of snapshot.list()) refs.add(oid);
  const logs = new Set<Oid>();
  for (const path of filesBelow(`${folder}/logs`)) {
    for (const line of (unlessMissing(() => readFileSync(path, "latin1")) ?? "").split("\n")) {
      const [, old, new_] = /^([0-9a-f]{40}) ([0-9a-f]{40}) /.exec(line) ?? [];
      if (old !== undefined) logs.add(old).add(new_);
    }
  }
  return { refs, logs };
}

/** Where is looked. */
export interface ReachedWalk {
  /** The objects. */
  readonly store: ObjectStore;
  /** What is reached by these is left out. */
  readonly without: readonly Oid[];
  /** Reads commits. */
  readonly reader: CommitReader;
  /** Its pace. */
  readonly pace: Pace;
}

/** What roots reach; nothing where not all of that is there, so that nobody can say what is not reached. */
export async function reachedFrom({ refs, logs }: Roots, walk: ReachedWalk): Promise<Selection | undefined> {
  const { store, without, reader, pace } = walk;
  const wants = new Set(refs);
  // What a log tells of may be long gone.
  for (const oid of logs) {
    if (!wants.has(oid) && await store.has(oid)) wants.add(oid);
    await pace.step();
  }
  try {
    const common: Oid[] = [];
    for (const oid of without) {
      const commit = await reader.commitOf(oid);
      if (commit !== undefined) common.push(commit);
      await pace.step();
    }
    const parts = { store, common, tags: [], thin: false, reader, pace };
    return (await selectFetch({ ...parts, wants: [...wants] })).selection;
  } catch (error) {
    if (error instanceof AlknetError && error.code === "GIT_OBJECT_MISSING") return undefined;
    throw error;
  }
}

function* filesBelow(folder: string): Generator<string> {
  for (const entry of unlessMissing(() => readdirSync(folder, { withFileTypes: true })) ?? []) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) yield* filesBelow(path);
    else if (entry.isFile()) yield path;
  }
}
