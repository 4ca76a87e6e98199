/**
 * Whether some objects reach all that a closure holds: only then may who sees them, or wants them, have all of it.
 *
 * @module
 */
import type { Oid } from "../../objects/oid.ts";
import type { Closure } from "../../store/types.ts";
import { CommitQueue } from "../commit_queue.ts";
import type { CommitReader } from "../commits.ts";
import type { Pace } from "../pace.ts";

/** Commits that are looked at, beyond a closure and in it; with more, walking without it costs little more. */
const MOST = 10_000;

/**
 * Whether each tip of a closure is among some objects, or comes before one. What is not in the closure is walked, and in it
 * only as far as the dates of tips that are missed, such as that of a branch which was merged and deleted.
 *
 * @throws {AlknetError} `GIT_OBJECT_MISSING`, `GIT_CORRUPT`.
 */
export async function isClosureOf(
  closure: Closure,
  from: Iterable<Oid>,
  reader: CommitReader,
  pace: Pace,
): Promise<boolean> {
  const left = new Set(closure.tips);
  const beyond: Oid[] = [];
  const within: Oid[] = [];
  for (const oid of from) (left.delete(oid) || closure.holds(oid) ? within : beyond).push(oid);
  if (left.size === 0) return true;
  const seen = new Set<Oid>();
  const stack: Oid[] = [];
  const meet = (oid: Oid): void => {
    if (seen.has(oid)) return;
    seen.add(oid);
    left.delete(oid);
    (closure.holds(oid) ? within : stack).push(oid);
  };
  for (const oid of beyond) {
    const commit = await reader.commitOf(oid);
    if (commit !== undefined) meet(commit);
  }
  for (let oid = stack.pop(); oid !== undefined && left.size > 0 && seen.size <= MOST; oid = stack.pop()) {
    for (const parent of (await reader.links(oid)).parents) meet(parent);
    await pace.step();
  }
  return left.size === 0 || await allBefore(left, within, reader, pace);
}

/** Whether all of some tips come before others. */
async function allBefore(left: Set<Oid>, from: readonly Oid[], reader: CommitReader, pace: Pace): Promise<boolean> {
  let oldest = Infinity;
  for (const oid of left) {
    // No commit comes before a tag.
    if (await reader.commitOf(oid) !== oid) return false;
    oldest = Math.min(oldest, (await reader.links(oid)).date);
  }
  const queue = new CommitQueue();
  const seen = new Set<Oid>();
  const enter = async (oid: Oid): Promise<void> => {
    if (seen.has(oid)) return;
    seen.add(oid);
    left.delete(oid);
    const { date } = await reader.links(oid);
    if (date >= oldest) queue.push(oid, date);
  };
  for (const oid of from) {
    const commit = await reader.commitOf(oid);
    if (commit !== undefined) await enter(commit);
  }
  for (let oid = queue.pop(); oid !== undefined && left.size > 0 && seen.size <= MOST; oid = queue.pop()) {
    for (const parent of (await reader.links(oid)).parents) await enter(parent);
    await pace.step();
  }
  return left.size === 0;
}
