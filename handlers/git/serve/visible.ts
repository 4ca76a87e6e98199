/**
 * Whether objects may be had by their ids: what refs that are shown point at, and what these reach.
 *
 * @module
 */
import type { Oid } from "../objects/oid.ts";
import type { RefSnapshot, Repository } from "../store/types.ts";
import { isClosureOf } from "../walk/closure/closure_of.ts";
import type { CommitReader } from "../walk/commits.ts";
import type { Pace } from "../walk/pace.ts";
import { firstUnreached } from "../walk/reachable.ts";

/** What is looked at. */
export interface VisibleWalk {
  /** The repository. */
  readonly repository: Repository;
  /** The refs that are shown. */
  readonly refs: RefSnapshot;
  /** Commits and trees that are looked at. */
  readonly limit: number;
  /** Reads commits. */
  readonly reader: CommitReader;
  /** Its pace. */
  readonly pace: Pace;
  /** Waits for the turn of a walk, where one is needed. */
  turn?(): Promise<Disposable>;
}

/** The first of some objects that may not be had; nothing where all may. Whether it is there makes no difference. */
export async function firstStranger(
  wants: readonly Oid[],
  { repository, refs, limit, reader, pace, turn }: VisibleWalk,
): Promise<Oid | undefined> {
  const pointedAt = new Set<string>();
  const { head } = refs;
  if (head.oid !== undefined) pointedAt.add(head.oid);
  for (const { oid, peeled } of refs.list()) {
    pointedAt.add(oid);
    if (peeled !== undefined) pointedAt.add(peeled);
  }
  const unnamed = wants.filter((oid) => !pointedAt.has(oid));
  if (unnamed.length === 0) return undefined;
  using _turn = await turn?.();
  const closure = repository.closure();
  // Only where all of it is reached by what is shown, being in it says that it may be had.
  const without = closure && await isClosureOf(closure, pointedAt, reader, pace) ? closure : undefined;
  const others = without ? unnamed.filter((oid) => !without.holds(oid)) : unnamed;
  if (others.length === 0) return undefined;
  const store = repository.objects;
  return await firstUnreached(others, { store, refs: refs.list(), head: head.oid, without, limit, reader, pace });
}
