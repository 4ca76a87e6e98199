/**
 * Whether some objects reach all that a closure holds: only then may who sees them, or wants them, have all of it.
 *
 * @module
 */
import type { Oid } from "../../objects/oid.ts";
import type { Closure } from "../../store/types.ts";
import type { CommitReader } from "../commits.ts";
import type { Pace } from "../pace.ts";

/** Commits beyond a closure that are looked at; with more, walking without it costs little more. */
const MOST = 10_000;

/**
 * Whether each tip of a closure is among some objects, or comes before one. Only what is not in the closure is walked.
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
  for (const oid of from) if (!left.delete(oid) && !closure.holds(oid)) beyond.push(oid);
  if (left.size === 0) return true;
  const seen = new Set<Oid>();
  const stack: Oid[] = [];
  const meet = (oid: Oid): void => {
    if (left.delete(oid) || seen.has(oid) || closure.holds(oid)) return;
    seen.add(oid);
    stack.push(oid);
  };
  for (const oid of beyond) {
    const commit = await reader.commitOf(oid);
    if (commit !== undefined) meet(commit);
  }
  for (let oid = stack.pop(); oid !== undefined && left.size > 0 && seen.size <= MOST; oid = stack.pop()) {
    for (const parent of (await reader.links(oid)).parents) meet(parent);
    await pace.step();
  }
  return left.size === 0;
}
