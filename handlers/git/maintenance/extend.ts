/**
 * A closure that takes in packs which came since, without writing any: where they bring exactly what its new tips reach
 * (git.md §5.4).
 *
 * @module
 */
import type { Oid } from "../objects/oid.ts";
import type { PackFile } from "../pack/pack_file.ts";
import { kindOfType } from "../pack/entry.ts";
import { type FolderClosure, openClosure } from "../store/folder/closure/closure.ts";
import type { ClosureRecord } from "../store/folder/closure/record.ts";
import type { FolderObjects } from "../store/folder/objects.ts";
import type { Pace } from "../walk/pace.ts";
import type { Selection } from "../walk/selection.ts";

/** What a closure is extended with. */
export interface Extension {
  /** The packs. */
  readonly objects: FolderObjects;
  /** What there is; absent where there is nothing yet. */
  readonly closure?: FolderClosure;
  /** What the tips reach beyond it. */
  readonly selection: Selection;
  /** Its new tips. */
  readonly tips: readonly Oid[];
  /** Its pace. */
  readonly pace: Pace;
}

/** The record of the larger closure; nothing where a pack has more than is reached, or what is reached is loose. */
export async function extended(
  { objects, closure, selection, tips, pace }: Extension,
): Promise<ClosureRecord | undefined> {
  if (selection.loose.size > 0) return undefined;
  const selected = new Map<number, number>();
  for (const { pack } of selection.places()) {
    selected.set(pack, (selected.get(pack) ?? 0) + 1);
    await pace.step();
  }
  let record: ClosureRecord = { tips, bodies: closure?.record.bodies ?? [] };
  // Packs are numbered as they came: bases lie in what came before.
  for (const [number, count] of selected) {
    const { [number]: pack } = objects.packs;
    const before = openClosure(record, objects);
    const body = before && bodyOf(pack, before);
    if (body?.count !== count) return undefined;
    record = { tips, bodies: [...record.bodies, { pack: pack.index.packHash, ...body }] };
    await pace.step();
  }
  return record;
}

/**
 * Where what a pack brought ends: behind it stand whole objects that lie in the closure already, such as bases of a thin
 * one.
 */
function bodyOf(pack: PackFile, before: FolderClosure): { end: number; count: number } {
  const { index, size } = pack;
  const { offsets, positions } = index.order;
  let count = index.count;
  const isAppended = (rank: number): boolean =>
    kindOfType(pack.head(offsets[rank]).type) !== undefined && before.holds(index.oidAt(positions[rank]));
  while (count > 0 && isAppended(count - 1)) count--;
  return { count, end: count < index.count ? offsets[count] : size - 20 };
}
