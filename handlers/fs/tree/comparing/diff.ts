/**
 * How two versions differ, by path (fs.md §6, Diff).
 *
 * A folder that went, or is elsewhere, is one difference; one that came is as many as it holds. A file that moved is one
 * that went and one that came.
 *
 * @module
 */
import { below, compareNames, isWithin } from "../names.ts";
import type { Difference } from "../path_tree.ts";
import type { TreeDatabase } from "../rows/engine.ts";
import { entryOf, FOLDER, isSame, type Row } from "../rows/row.ts";
import type { Steps } from "../rows/steps.ts";
import type { View } from "../rows/view.ts";
import { keysBetween } from "./keys.ts";

/** The differences at a path and below it. */
export function* diffOf(database: TreeDatabase, one: View, other: View, path: string): Steps<Difference[]> {
  const found: Difference[] = [];
  for (const { dir, name } of yield* keysBetween(database, one, other)) {
    const [from, to] = [yield* one.pathOf(dir), yield* other.pathOf(dir)];
    const before = from === undefined ? undefined : yield* one.lookup(dir, name);
    const after = to === undefined ? undefined : yield* other.lookup(dir, name);
    if (isSame(before, after)) continue;
    // What lies in a folder that came is told with it, and what lay in one that went as well.
    const isGone = before !== undefined && to !== undefined && !(yield* isElsewhere(before, other));
    const isNew = after !== undefined && from !== undefined;
    if (isGone && isNew && !isFolder(before) && !isFolder(after)) {
      const was = from === to ? {} : { from: below(from!, name) };
      found.push({ path: below(to!, name), change: "changed", ...was, before: entryOf(before), after: entryOf(after) });
      continue;
    }
    if (isGone) found.push({ path: below(from!, name), change: "removed", before: entryOf(before) });
    if (after === undefined) continue;
    if (yield* isElsewhere(after, one)) found.push(yield* moved(after, one, other));
    else if (isNew) yield* came(after, below(to!, name), one, other, found);
  }
  return found.filter((each) => isWithin(each.path, path) || (each.from !== undefined && isWithin(each.from, path)))
    .sort((a, b) => compareNames(a.path, b.path) || (a.change === "removed" ? -1 : 1));
}

function isFolder({ kind }: Row): boolean {
  return kind === FOLDER;
}

/** Whether a folder is in the other version, wherever. */
function* isElsewhere({ kind, node }: Row, view: View): Steps<boolean> {
  return kind === FOLDER && (yield* view.pathOf(node!)) !== undefined;
}

function* moved(after: Row, one: View, other: View): Steps<Difference> {
  const [from, path] = [(yield* one.pathOf(after.node!))!, (yield* other.pathOf(after.node!))!];
  const before = (yield* one.nameOf(after.node!))!;
  return { path, change: "moved", from, before: entryOf(before), after: entryOf(after) };
}

/** Something that came, with what it holds; a folder in it that was elsewhere is told as moved, by its own name. */
function* came(row: Row, path: string, one: View, other: View, found: Difference[]): Steps<void> {
  found.push({ path, change: "added", after: entryOf(row) });
  if (row.kind !== FOLDER) return;
  const names = other.children(row.node!);
  for (let child = yield* names.next(); child; child = yield* names.next()) {
    if (!(yield* isElsewhere(child, one))) yield* came(child, below(path, child.name), one, other, found);
  }
}
