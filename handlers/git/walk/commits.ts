/**
 * Commits that wants reach and haves do not.
 *
 * @module
 */
import { corrupt, missing } from "../errors.ts";
import { type CommitLinks, parseCommit } from "../objects/commit.ts";
import type { Oid } from "../objects/oid.ts";
import { parseTag } from "../objects/tag.ts";
import type { LinkedCommits, ObjectReader } from "../store/types.ts";
import { CommitQueue } from "./commit_queue.ts";
import type { Pace } from "./pace.ts";

const WANT = 1;
const HAVE = 2;

/** Reads commits, each once. */
export class CommitReader {
  readonly #store: ObjectReader;
  readonly #graph?: LinkedCommits;
  readonly #read = new Map<Oid, CommitLinks>();

  /**
   * @param store Where they are.
   * @param graph What is known of some without reading them. That a commit is in it does not show that it is in the store.
   */
  constructor(store: ObjectReader, graph?: LinkedCommits) {
    this.#store = store;
    this.#graph = graph;
  }

  /**
   * What a commit links to.
   *
   * @throws {AlknetError} `GIT_OBJECT_MISSING`; `GIT_CORRUPT`: it is no commit.
   */
  async links(oid: Oid): Promise<CommitLinks> {
    const held = this.#read.get(oid);
    if (held) return held;
    const known = this.#graph?.links(oid);
    if (known) {
      this.#read.set(oid, known);
      return known;
    }
    const object = await this.#store.read(oid);
    if (!object) throw missing(oid);
    if (object.kind !== "commit") throw corrupt(`object ${oid} is a ${object.kind}, and a commit is expected`);
    const links = parseCommit(object.bytes);
    this.#read.set(oid, links);
    return links;
  }

  /** The commit that an object is or, as a tag, is a tag of; nothing where it is of something else, or not there. */
  async commitOf(oid: Oid): Promise<Oid | undefined> {
    for (let at = oid, depth = 0; depth < 64; depth++) {
      if (this.#read.has(at)) return at;
      const info = await this.#store.info(at);
      if (info?.kind === "commit") return at;
      if (info?.kind !== "tag") return undefined;
      at = parseTag((await this.#store.read(at))!.bytes).oid;
    }
    return undefined;
  }
}

/** Commits beyond which nothing is looked for, though they have parents. */
export interface Ends {
  /** Their parents are not sent. */
  readonly sent: ReadonlySet<Oid>;
  /** The client has them without their parents. */
  readonly held: ReadonlySet<Oid>;
}

/** Every commit has all of its parents. */
export const NO_ENDS: Ends = { sent: new Set(), held: new Set() };

/**
 * Walks from `wants` to what `haves` reach. WANT and HAVE flow to parents, the younger first; HAVE also to what was passed
 * already, where clocks were wrong.
 *
 * @param ends Where they do not flow on.
 * @returns Commits, mostly the younger first.
 * @throws {AlknetError} See {@linkcode CommitReader.links}.
 */
export async function commitsBetween(
  wants: readonly Oid[],
  haves: readonly Oid[],
  reader: CommitReader,
  pace: Pace,
  ends: Ends = NO_ENDS,
): Promise<Oid[]> {
  const marks = new Map<Oid, number>();
  const queued = new Set<Oid>();
  const queue = new CommitQueue();
  const met: Oid[] = [];
  let wanted = 0;
  /** What of some flags flows from a commit to its parents. */
  const onward = (oid: Oid, flags: number): number =>
    (ends.sent.has(oid) ? 0 : flags & WANT) | (ends.held.has(oid) ? 0 : flags & HAVE);
  const mark = async (first: Oid, firstFlags: number): Promise<void> => {
    const stack = [{ oid: first, flags: firstFlags }];
    for (let next = stack.pop(); next; next = stack.pop()) {
      const { oid, flags } = next;
      if (flags === 0) continue;
      const before = marks.get(oid);
      const now = (before ?? 0) | flags;
      if (now === before) continue;
      marks.set(oid, now);
      if (before === undefined) {
        queue.push(oid, (await reader.links(oid)).date);
        queued.add(oid);
        if (now === WANT) wanted++;
      } else if (queued.has(oid)) {
        if (before === WANT) wanted--;
      } else if (now & HAVE) {
        const on = onward(oid, flags);
        for (const parent of (await reader.links(oid)).parents) stack.push({ oid: parent, flags: on });
      }
    }
  };
  for (const oid of haves) await mark(oid, HAVE);
  for (const oid of wants) await mark(oid, WANT);
  while (wanted > 0) {
    const oid = queue.pop()!;
    queued.delete(oid);
    const flags = marks.get(oid)!;
    if (flags === WANT) {
      wanted--;
      met.push(oid);
    }
    const on = onward(oid, flags);
    for (const parent of (await reader.links(oid)).parents) await mark(parent, on);
    await pace.step();
  }
  // Where clocks were wrong, a have that waits may still have parents among what was met.
  for (const oid of queued) {
    if (!(onward(oid, marks.get(oid)!) & HAVE)) continue;
    for (const parent of (await reader.links(oid)).parents) if (marks.has(parent)) await mark(parent, HAVE);
    await pace.step();
  }
  return met.filter((oid) => marks.get(oid) === WANT);
}

/**
 * Commits in an order in which each comes after its parents, whatever their dates say.
 *
 * @throws {AlknetError} See {@linkcode CommitReader.links}.
 */
export async function parentsFirst(commits: readonly Oid[], reader: CommitReader, pace: Pace): Promise<Oid[]> {
  const waiting = new Set(commits);
  const ordered: Oid[] = [];
  // The last met are likely the oldest.
  for (const first of commits.toReversed()) {
    const trail: { oid: Oid; parents: Oid[] }[] = [];
    const enter = async (oid: Oid): Promise<void> => {
      if (waiting.delete(oid)) trail.push({ oid, parents: [...(await reader.links(oid)).parents] });
    };
    await enter(first);
    for (let at = trail.at(-1); at; at = trail.at(-1)) {
      const parent = at.parents.pop();
      if (parent !== undefined) await enter(parent);
      else ordered.push(trail.pop()!.oid);
    }
    await pace.step();
  }
  return ordered;
}

/**
 * Whether each want reaches a common commit, looking no further back than the oldest of these.
 *
 * @throws {AlknetError} See {@linkcode CommitReader.links}.
 */
export async function allReach(
  wants: readonly Oid[],
  common: readonly Oid[],
  reader: CommitReader,
  pace: Pace,
): Promise<boolean> {
  const reaches = new Map<Oid, boolean>(common.map((oid) => [oid, true]));
  let oldest = Infinity;
  for (const oid of common) oldest = Math.min(oldest, (await reader.links(oid)).date);
  for (const want of wants) {
    const trail: { oid: Oid; parents: Oid[] }[] = [];
    let next: Oid | undefined = want;
    while (next !== undefined && reaches.get(next) !== true) {
      if (!reaches.has(next)) {
        const { parents, date }: CommitLinks = await reader.links(next);
        reaches.set(next, false);
        trail.push({ oid: next, parents: date < oldest ? [] : [...parents] });
        await pace.step();
      }
      while (trail.length > 0 && trail[trail.length - 1].parents.length === 0) trail.pop();
      next = trail[trail.length - 1]?.parents.pop();
    }
    if (next === undefined) return false;
    for (const { oid } of trail) reaches.set(oid, true);
  }
  return true;
}
