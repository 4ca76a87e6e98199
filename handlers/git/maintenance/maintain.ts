/**
 * One run of maintenance on one repository: a closure that follows its refs, and few packs (git.md §5.5).
 *
 * @module
 */
import { existsSync } from "node:fs";
import type { Oid } from "../objects/oid.ts";
import type { OpenFolder } from "../store/folder/repositories.ts";
import { formatClosure } from "../store/folder/closure/record.ts";
import type { Holder } from "../store/folder/holder.ts";
import type { OnStep } from "../store/folder/files.ts";
import type { RefSnapshot } from "../store/types.ts";
import { isClosureOf } from "../walk/closure/closure_of.ts";
import { CommitReader } from "../walk/commits.ts";
import { selectFetch } from "../walk/fetch.ts";
import type { Pace } from "../walk/pace.ts";
import type { Selection } from "../walk/selection.ts";
import { bringBack, drop } from "./drop.ts";
import { KEPT_FOR, lastFull, readDropped, writeDropped } from "./dropped.ts";
import { extended } from "./extend.ts";
import { takeGcLock } from "./gc_lock.ts";
import { hasWorkingTrees, reachedFrom, rootsOf } from "./reached.ts";
import { merge, mergedFrom } from "./merge.ts";
import { repack, writeClosure } from "./repack.ts";
import { keepGraph, writeGraph } from "./write_graph.ts";

/** More packs than these are made fewer. */
const MOST_PACKS = 24;
/** More loose objects than these, that refs reach, are packed. */
const MOST_LOOSE = 500;

/** Seconds after which all is packed anew and what nothing reaches is told apart. */
const WEEK = 7 * 86_400;

/** How it is done. */
export interface MaintainOptions {
  /** Its pace, and its end. */
  readonly pace: Pace;
  /** Packs anew whatever there is, and tells apart what nothing reaches. Where nothing is said: once a week. */
  readonly full?: boolean;
  /** Whether it may pack anew at all; else only what costs as much as what is new is done. */
  readonly mayRepack?: boolean;
  /** Unix seconds: what nothing has reached for 14 days goes. */
  readonly now?: number;
  /** Milliseconds for which pushes that are under way are waited for before something goes. */
  readonly patience?: number;
  /** Told of each step. */
  readonly onStep?: OnStep;
}

/**
 * What was done: nothing was needed, the commit-graph was written, the closure was, the latest packs became one, all was
 * packed anew, somebody else is at it.
 */
export type Maintained = "nothing" | "graph" | "closure" | "merged" | "repacked" | "locked" | "postponed";

/**
 * Maintains a repository.
 *
 * @throws {AlknetError} `GIT_OBJECT_MISSING`, `GIT_CORRUPT`: nothing was removed. What the file system throws.
 */
export async function maintain(open: OpenFolder, options: MaintainOptions): Promise<Maintained> {
  const done = await maintainPacks(open, options);
  if (done !== "nothing" && done !== "closure" && done !== "merged") return done;
  // What somebody works in has a graph if they want one.
  const isWritten = !open.folder.endsWith("/.git") && await keepGraph(open, options);
  return done === "nothing" && isWritten ? "graph" : done;
}

async function maintainPacks(open: OpenFolder, options: MaintainOptions): Promise<Maintained> {
  const { pace, mayRepack = true, now = unixSeconds(), onStep } = options;
  const { folder, objects, closure: reader } = open;
  const full = options.full ?? (mayRepack && !folder.endsWith("/.git") && now - (lastFull(folder) ?? now) >= WEEK);
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
      const holder = await open.holder();
      await writeClosure(folder, record, holder);
      if (lastFull(folder) === undefined) await writeDropped(folder, [], holder);
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
  bringBack(folder);
  const record = full ? undefined : await extended({ objects, closure, selection, tips, pace });
  // Where the others are too many as well, one run does for all.
  if (record && packs.length - record.bodies.length + mergedFrom(record.bodies) < MOST_PACKS) {
    await merge({ folder, objects, record, holder, pace, onStep });
    open.renew();
    return "merged";
  }
  const whole = closure ? await select() : selection;
  await packAnew(open, { tips, selection: whole, commits, holder }, { ...options, full, now });
  open.renew();
  return "repacked";
}

interface Packing {
  readonly tips: readonly Oid[];
  readonly selection: Selection;
  readonly commits: CommitReader;
  readonly holder: Holder;
}

/** Packs all anew. A full run tells apart what nothing reaches, and drops what nothing has reached for long. */
async function packAnew(
  open: OpenFolder,
  { tips, selection, commits: reader, holder }: Packing,
  { pace, full, now, patience, onStep }: MaintainOptions & { readonly now: number },
): Promise<void> {
  const { folder, objects, refs } = open;
  objects.look();
  const dropped = readDropped(folder);
  const roots = full && !hasWorkingTrees(folder) ? await rootsOf(folder, refs) : undefined;
  const reached = roots && await reachedFrom(roots, { store: objects, without: tips, reader, pace });
  await repack({ folder, objects, selection, tips, reached, dropped, now, holder, pace, onStep });
  const due = dropped.filter(({ since }) => now - since >= KEPT_FOR).map(({ hash }) => hash);
  if (roots && reached && due.length > 0) {
    await drop({ folder, objects, refs, due, roots, reader, pace, patience, onStep });
  }
  if (full || lastFull(folder) === undefined) await writeDropped(folder, readDropped(folder), holder);
  await writeGraph(open, reader, pace);
  onStep?.("graph");
}

function unixSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

/** What heads and tags point at that are shown, each once, rising. */
function tipsOf(refs: RefSnapshot): Oid[] {
  const tips = new Set<Oid>();
  for (const { oid } of refs.list(["refs/heads/", "refs/tags/"])) tips.add(oid);
  return [...tips].sort();
}
