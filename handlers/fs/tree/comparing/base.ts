/**
 * What two branches had in common last: where the one was forked, or what was merged since, either way (fs.md §6, Merge).
 *
 * @module
 */
import { HistoryGoneError } from "../errors.ts";
import type { BranchRow, BranchRows } from "../rows/branches.ts";
import type { TreeDatabase } from "../rows/engine.ts";
import type { Steps } from "../rows/steps.ts";
import { View } from "../rows/view.ts";
import type { Writer } from "../rows/writer.ts";
import { commonLevels } from "./keys.ts";

interface MergeRow {
  readonly target: number;
  readonly source: number;
  readonly seq: number;
  readonly source_seq: number;
}

/** What a merge compares. */
export interface Sides {
  /** What both had. */
  readonly base: View;
  /** What is merged. */
  readonly from: View;
  /** What it is merged into, as it was before. */
  readonly into: View;
}

/**
 * What a merge compares.
 *
 * @throws {HistoryGoneError} What both had is not kept any more.
 */
export function* sidesOf(
  { database, branches, writer }: {
    readonly database: TreeDatabase;
    readonly branches: BranchRows;
    readonly writer: Writer;
  },
  source: BranchRow,
  seq: number,
): Steps<Sides> {
  const target = writer.branch;
  // A level of the branch that is written finds what it was before in the past.
  const settled = (view: View): View =>
    new View(
      database,
      view.levels.map((level) => level.branch === target.id ? { ...level, head: writer.seq } : level),
    );
  const from = settled(yield* branches.view(source, seq));
  const into = writer.before;
  const last = yield* lastMerge(database, source, seq, target);
  if (last) {
    // The source of a merge is what both had then: the target has what it had itself beside.
    const branch = last.source === source.id ? source : target;
    if (last.source_seq !== 0 && !(yield* branches.isKept(branch, last.source_seq))) {
      throw new HistoryGoneError(yield* branches.oldest(branch.id));
    }
    return { base: settled(yield* branches.view(branch, last.source_seq)), from, into };
  }
  return { base: settled(new View(database, commonLevels(from, into) ?? [])), from, into };
}

/** The last merge of two branches, either way, that a version has. */
function* lastMerge(
  database: TreeDatabase,
  source: BranchRow,
  seq: number,
  target: BranchRow,
): Steps<MergeRow | undefined> {
  let last: MergeRow | undefined;
  let at = -1;
  for (
    const row of yield* database.all<MergeRow>(
      "SELECT * FROM merges WHERE (target=?1 AND source=?2) OR (target=?2 AND source=?1)",
      target.id,
      source.id,
    )
  ) {
    if ((row.source === source.id ? row.source_seq : row.seq) > seq) continue;
    // Both numbers only grow, so that a later merge has the larger sum.
    const sum = row.seq + row.source_seq;
    if (sum > at) [last, at] = [row, sum];
  }
  return last;
}
