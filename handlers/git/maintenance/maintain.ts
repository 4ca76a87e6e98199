/**
 * One run of maintenance on one repository: a closure that follows its refs, and few packs (git.md §5.5).
 *
 * @module
 */
import { existsSync } from "node:fs";
import type { Oid } from "../objects/oid.ts";
import type { OpenFolder } from "../store/folder/repositories.ts";
import { formatClosure } from "../store/folder/closure/record.ts";
import type { OnStep } from "../store/folder/files.ts";
import type { RefSnapshot } from "../store/types.ts";
import { isClosureOf } from "../walk/closure/closure_of.ts";
import { CommitReader } from "../walk/commits.ts";
import { selectFetch } from "../walk/fetch.ts";
import type { Pace } from "../walk/pace.ts";
import { extended } from "./extend.ts";
import { takeGcLock } from "./gc_lock.ts";
import { repack, writeClosure } from "./repack.ts";

/** More packs than these are made fewer. */
const MOST_PACKS = 24;
/** More loose objects than these, that refs reach, are packed. */
const MOST_LOOSE = 500;

/** How it is done. */
export interface MaintainOptions {
  /** Its pace, and its end. */
  readonly pace: Pace;
  /** Packs anew whatever there is. */
  readonly full?: boolean;
  /** Whether it may pack anew at all; else only what costs as much as what is new is done. */
  readonly mayRepack?: boolean;
  /** Told of each step. */
  readonly onStep?: OnStep;
}

/** What was done: nothing was needed, the closure was written, all was packed anew, somebody else is at it. */
export type Maintained = "nothing" | "closure" | "repacked" | "locked" | "postponed";

/**
 * Maintains a repository.
 *
 * @throws {AlknetError} `GIT_OBJECT_MISSING`, `GIT_CORRUPT`: nothing was removed. What the file system throws.
 */
export async function maintain(
  open: OpenFolder,
  { pace, full = false, mayRepack = true, onStep }: MaintainOptions,
): Promise<Maintained> {
  const { folder, objects, closure: reader } = open;
  const tips = tipsOf(await open.refs.snapshot());
  if (tips.length === 0 && !full) return "nothing";
  const commits = new CommitReader(objects);
  const there = full ? undefined : reader.read();
  const closure = there && await isClosureOf(there, tips, commits, pace) ? there : undefined;
  const select = async (without?: typeof closure) =>
    (await selectFetch({
      store: objects,
      wants: tips,
      common: [],
      tags: [],
      thin: false,
      closure: without,
      reader: commits,
      pace,
    })).selection;
  const selection = await select(closure);
  const packs = objects.packNames.map((name) => `${folder}/objects/pack/${name}`)
    .filter((path) => existsSync(`${path}.idx`) && !existsSync(`${path}.keep`));
  if (!full && packs.length <= MOST_PACKS && selection.loose.size <= MOST_LOOSE) {
    const record = await extended({ objects, closure, selection, tips, pace });
    if (record) {
      if (closure && formatClosure(record) === formatClosure(closure.record)) return "nothing";
      await writeClosure(folder, record, await open.holder());
      return "closure";
    }
    // What came otherwise is found by walking down to what the closure holds.
    if (closure) return "nothing";
  }
  // What somebody works in is theirs to pack.
  if (!full && (!mayRepack || folder.endsWith("/.git"))) return "postponed";
  const holder = await open.holder();
  using lock = takeGcLock(folder, holder);
  if (!lock) return "locked";
  onStep?.("gc.pid");
  await repack({
    folder,
    objects,
    selection: closure ? await select() : selection,
    tips,
    holder,
    pace,
    onStep,
  });
  open.renew();
  return "repacked";
}

/** What heads and tags point at that are shown, each once, rising. */
function tipsOf(refs: RefSnapshot): Oid[] {
  const tips = new Set<Oid>();
  for (const { oid } of refs.list(["refs/heads/", "refs/tags/"])) tips.add(oid);
  return [...tips].sort();
}
