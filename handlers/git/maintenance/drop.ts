/**
 * Packs of what nothing has reached for long go (git.md §5.5). First no newcomer finds them; who receives already is waited
 * for; and where refs reach them after all, they are there again.
 *
 * @module
 */
import { existsSync, readdirSync, renameSync, unlinkSync } from "node:fs";
import type { Oid } from "../objects/oid.ts";
import { type OnStep, sync } from "../store/folder/files.ts";
import { isAlive } from "../store/folder/holder.ts";
import { unlessMissing } from "../store/folder/loose.ts";
import type { FolderObjects } from "../store/folder/objects.ts";
import type { RefStore } from "../store/types.ts";
import type { CommitReader } from "../walk/commits.ts";
import type { Pace } from "../walk/pace.ts";
import { packName } from "./dropped.ts";
import { reachedFrom, type Roots, rootsOf } from "./reached.ts";

/** What goes, and of what. */
export interface Drop {
  /** Path of the repository. */
  readonly folder: string;
  /** Its objects, opened while the packs were there. */
  readonly objects: FolderObjects;
  /** Its refs. */
  readonly refs: RefStore;
  /** Trailers of the packs. */
  readonly due: readonly string[];
  /** From where was found that nothing reaches them. */
  readonly roots: Roots;
  /** Reads commits. */
  readonly reader: CommitReader;
  /** Its pace. */
  readonly pace: Pace;
  /** Milliseconds for which pushes are waited for. */
  readonly patience?: number;
  /** Told of each step. */
  readonly onStep?: OnStep;
}

/** The ending of an index that nobody is to find. */
const ASIDE = ".idx-aside";
const PATIENCE = 60_000;
const LOOK_AGAIN = 50;

/** Brings back what somebody who died had set aside. */
export function bringBack(folder: string): void {
  const packs = `${folder}/objects/pack`;
  for (const name of unlessMissing(() => readdirSync(packs)) ?? []) {
    if (!name.endsWith(ASIDE)) continue;
    unlessMissing(() => renameSync(`${packs}/${name}`, `${packs}/${name.slice(0, -ASIDE.length)}.idx`));
  }
}

/**
 * Removes packs. Says which are gone: none where a push takes too long.
 *
 * @throws What the file system throws. Packs that are there then are brought back by {@linkcode bringBack}.
 */
export async function drop(work: Drop): Promise<string[]> {
  const { folder, due, patience = PATIENCE, onStep } = work;
  const packs = `${folder}/objects/pack`;
  const paths = new Map(due.map((hash) => [hash, `${packs}/${packName(hash)}`]));
  for (const [hash, path] of paths) {
    // Somebody says that it is to stay.
    if (existsSync(`${path}.keep`)) paths.delete(hash);
    else unlessMissing(() => renameSync(`${path}.idx`, `${path}${ASIDE}`));
  }
  await sync(packs);
  onStep?.("set aside");
  const needed = await over(folder, patience) ? await reachedAfterAll(work) : new Set(due);
  const gone: string[] = [];
  for (const [hash, path] of paths) {
    if (needed.has(hash)) continue;
    for (const ending of [ASIDE, ".pack", ".rev", ".bitmap", ".mtimes"]) {
      unlessMissing(() => unlinkSync(`${path}${ending}`));
      onStep?.(`dropped ${ending}`);
    }
    gone.push(hash);
  }
  bringBack(folder);
  await sync(packs);
  return gone;
}

/** Waits until the pushes have ended that are under way. Whether they have. */
async function over(folder: string, patience: number): Promise<boolean> {
  const receiving = (): string[] => (unlessMissing(() => readdirSync(`${folder}/objects`)) ?? []).filter(isReceived);
  const isReceived = (name: string): boolean => {
    const holder = /^incoming-([0-9a-f]{16})-[0-9]+$/.exec(name)?.[1];
    return holder !== undefined && isAlive(folder, holder);
  };
  const begun = new Set(receiving());
  for (const until = performance.now() + patience; begun.size > 0;) {
    if (performance.now() > until) return false;
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN));
    const now = new Set(receiving());
    for (const name of begun) if (!now.has(name)) begun.delete(name);
  }
  return true;
}

/** Of the packs, those that refs reach which were not there before. */
async function reachedAfterAll(
  { folder, objects, refs, due, roots, reader, pace }: Drop,
): Promise<ReadonlySet<string>> {
  const now = await rootsOf(folder, refs);
  const isNew = (oid: Oid): boolean => !roots.refs.has(oid) && !roots.logs.has(oid);
  const fresh = { refs: new Set([...now.refs].filter(isNew)), logs: new Set([...now.logs].filter(isNew)) };
  if (fresh.refs.size === 0 && fresh.logs.size === 0) return new Set();
  const reached = await reachedFrom(fresh, { store: objects, without: [...roots.refs], reader, pace });
  if (!reached) return new Set(due);
  const needed = new Set<string>();
  for (const { pack } of reached.places()) needed.add(objects.packs[pack].index.packHash);
  return needed;
}
