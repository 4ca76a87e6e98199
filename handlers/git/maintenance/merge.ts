/**
 * Packs of pushes become larger ones, each at least twice as large as all that came after it (git.md §5.5): what a
 * repository has is copied as often as it doubles, and no more.
 *
 * @module
 */
import type { ClosureRecord, RecordedBody } from "../store/folder/closure/record.ts";
import type { OnStep } from "../store/folder/files.ts";
import type { Holder } from "../store/folder/holder.ts";
import type { FolderObjects } from "../store/folder/objects.ts";
import type { Pace } from "../walk/pace.ts";
import { Selection } from "../walk/selection.ts";
import { removeOld, writeClosure } from "./repack.ts";
import { writePack } from "./write_pack.ts";

/** How many times as large as all that came after it a pack is. */
const FACTOR = 2;

/** What is merged. */
export interface Merge {
  /** Path of the repository. */
  readonly folder: string;
  /** Its objects. */
  readonly objects: FolderObjects;
  /** Its closure, those packs included that are to be merged. */
  readonly record: ClosureRecord;
  /** Who writes. */
  readonly holder: Holder;
  /** Its pace. */
  readonly pace: Pace;
  /** Told of each step. */
  readonly onStep?: OnStep;
}

/** Where the last of some bodies begin that are to be one; all of them are `0`. */
export function mergedFrom(bodies: readonly Pick<RecordedBody, "end">[]): number {
  let first = bodies.length - 1;
  for (let sum = bodies.at(-1)?.end ?? 0; first > 0 && bodies[first - 1].end < FACTOR * sum;) {
    sum += bodies[--first].end;
  }
  return first;
}

/**
 * Merges the last packs of a closure into one: neighbours, so that what a delta is made of still comes before it. Whoever
 * dies over it leaves objects twice at most.
 *
 * @throws {AlknetError} `GIT_CORRUPT`, `GIT_OBJECT_MISSING`: nothing was removed. What the file system throws.
 */
export async function merge({ folder, objects, record, holder, pace, onStep }: Merge): Promise<void> {
  const { tips, bodies } = record;
  const first = mergedFrom(bodies);
  const merged = bodies.slice(first);
  const selection = new Selection(objects);
  for (const { pack, end } of merged) {
    const { index } = objects.packOf(pack)!;
    for (let position = 0; position < index.count; position++) {
      // What lies behind the body is there once more, in a pack that stays or in one of these.
      if (index.offsetAt(position) < end) selection.add(index.oidAt(position));
      await pace.step();
    }
  }
  const { hash, end, count } = await writePack({
    folder: `${folder}/objects`,
    objects,
    selection,
    holder,
    pace,
    onStep,
  });
  await writeClosure(folder, { tips, bodies: [...bodies.slice(0, first), { pack: hash, end, count }] }, holder);
  onStep?.("closure");
  const gone = new Set(merged.map(({ pack }) => pack));
  const names = objects.packNames.filter((_, number) => gone.has(objects.packs[number].index.packHash));
  await removeOld(`${folder}/objects/pack`, names, onStep);
  onStep?.("removed");
}
