/**
 * Where the history of a shallow clone ends, before a fetch and after it.
 *
 * @module
 */
import type { Oid } from "../objects/oid.ts";
import { CommitQueue } from "./commit_queue.ts";
import type { CommitReader, Ends } from "./commits.ts";
import type { Pace } from "./pace.ts";

/** What is known and asked for. */
export interface DepthWalk {
  /** Commits that are wanted. */
  readonly wants: readonly Oid[];
  /** Commits that the client may see anyway: what all visible refs point at. */
  readonly visible: readonly Oid[];
  /** Commits that the client has without their parents. */
  readonly shallows: readonly Oid[];
  /** Commits from each want, or from each shallow one; `Infinity`: all. */
  readonly commits?: number;
  /** No commits before these Unix seconds. */
  readonly since?: number;
  /** No commits that these reach. */
  readonly not: readonly Oid[];
  /** Whether `commits` counts from the shallow ones. */
  readonly relative: boolean;
  /** Reads commits. */
  readonly reader: CommitReader;
  /** Its pace. */
  readonly pace: Pace;
}

/** Where the client's history ends afterwards. */
export interface Horizon {
  /** Commits that it will have without their parents and does not now. */
  readonly shallow: readonly Oid[];
  /** Commits whose parents it gets. */
  readonly unshallow: readonly Oid[];
  /** What it gets beyond its wants: the parents of these. */
  readonly wants: readonly Oid[];
  /** Where walks end. */
  readonly ends: Ends;
}

/** What a depth selects: its last commits, and those before them. */
interface Reach {
  readonly last: ReadonlySet<Oid>;
  readonly inner: ReadonlySet<Oid>;
}

/**
 * Finds where the client's history will end. What no ref that the client may see reaches is not given parents, whatever
 * it says of it.
 *
 * @returns Nothing where a depth selects no commits at all.
 * @throws {AlknetError} See {@linkcode CommitReader.links}.
 */
export async function horizonOf(walk: DepthWalk): Promise<Horizon | undefined> {
  const { shallows, reader } = walk;
  const held = new Set(shallows);
  const reach = await reachOf(walk);
  if (!reach) return undefined;
  const unshallow = shallows.filter((oid) => reach.inner.has(oid));
  const wants: Oid[] = [];
  for (const oid of unshallow) wants.push(...(await reader.links(oid)).parents);
  const sent = new Set([...reach.last, ...shallows.filter((oid) => !reach.inner.has(oid))]);
  return { shallow: [...reach.last].filter((oid) => !held.has(oid)), unshallow, wants, ends: { sent, held } };
}

async function reachOf(walk: DepthWalk): Promise<Reach | undefined> {
  const { wants, visible, shallows, commits, since, not, relative, reader, pace } = walk;
  if (since !== undefined || not.length > 0) return await selected(walk);
  if (commits === undefined) return { last: new Set(), inner: new Set() };
  if (commits < Infinity && !relative) return await within(wants, commits, { reader, pace });
  // As with git, all of the client's history is continued, whichever part of it is fetched.
  const seen = await reached([...wants, ...visible], shallows, { reader, pace });
  if (commits === Infinity) return { last: new Set(), inner: seen };
  return await within([...seen], commits + 1, { reader, pace });
}

interface Walking {
  readonly reader: CommitReader;
  readonly pace: Pace;
}

/** Commits up to a depth, level by level. */
async function within(heads: readonly Oid[], depth: number, { reader, pace }: Walking): Promise<Reach> {
  const seen = new Set<Oid>();
  let level = new Set(heads);
  for (let at = 1; at < depth && level.size > 0; at++) {
    const next = new Set<Oid>();
    for (const oid of level) {
      seen.add(oid);
      for (const parent of (await reader.links(oid)).parents) {
        if (!seen.has(parent) && !level.has(parent)) next.add(parent);
      }
      await pace.step();
    }
    level = next;
  }
  return { last: level, inner: seen };
}

/** Commits from a time on, and that some do not reach; the last are those with a parent that is none of these. */
async function selected({ wants, since = 0, not, reader, pace }: DepthWalk): Promise<Reach | undefined> {
  // All that these reach: dates, which may be wrong, do not say where it would be enough.
  const outside = await ancestors(not, new Set(), 0, { reader, pace });
  const inner = await ancestors(wants, outside, since, { reader, pace });
  if (inner.size === 0) return undefined;
  const last = new Set<Oid>();
  for (const oid of inner) if ((await reader.links(oid)).parents.some((parent) => !inner.has(parent))) last.add(oid);
  return { last, inner: inner.difference(last) };
}

/** Commits and what they reach, but for what lies outside or is older, and what only that reaches. */
async function ancestors(
  tips: readonly Oid[],
  outside: ReadonlySet<Oid>,
  since: number,
  { reader, pace }: Walking,
): Promise<Set<Oid>> {
  const met = new Set<Oid>();
  const stack = [...tips];
  for (let oid = stack.pop(); oid !== undefined; oid = stack.pop()) {
    if (met.has(oid) || outside.has(oid)) continue;
    const { date, parents } = await reader.links(oid);
    if (date < since) continue;
    met.add(oid);
    stack.push(...parents);
    await pace.step();
  }
  return met;
}

/** Which of some commits others reach, the youngest looked at first. */
export async function reached(
  tips: readonly Oid[],
  sought: readonly Oid[],
  { reader, pace }: Walking,
): Promise<Set<Oid>> {
  const left = new Set(sought);
  const found = new Set<Oid>();
  const seen = new Set<Oid>(tips);
  const queue = new CommitQueue();
  if (left.size > 0) { for (const oid of seen) queue.push(oid, (await reader.links(oid)).date); }
  for (let oid = queue.pop(); oid !== undefined && left.size > 0; oid = queue.pop()) {
    if (left.delete(oid)) found.add(oid);
    for (const parent of (await reader.links(oid)).parents) {
      if (seen.has(parent)) continue;
      seen.add(parent);
      queue.push(parent, (await reader.links(parent)).date);
    }
    await pace.step();
  }
  return found;
}
