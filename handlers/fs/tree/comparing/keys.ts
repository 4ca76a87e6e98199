/**
 * Names in which two versions may differ: those with a row that one of them has and the other has not (fs.md §6, Diff). Their
 * number is that of the changes since the point that both come from.
 *
 * @module
 */
import type { TreeDatabase } from "../rows/engine.ts";
import { FOLDER, type Level, ROOT_NODE } from "../rows/row.ts";
import type { Steps } from "../rows/steps.ts";
import type { View } from "../rows/view.ts";

/** A name in a folder. */
export interface Key {
  /** Node of the folder. */
  readonly dir: number;
  /** The name. */
  readonly name: string;
}

/** Where two versions come from: in each, which of its levels is of the same branch. */
interface Common {
  readonly one: number;
  readonly other: number;
}

/** The names in which they may differ; each once. */
export function* keysBetween(database: TreeDatabase, one: View, other: View): Steps<Key[]> {
  const keys = new Map<string, Key>();
  const add = (rows: Iterable<Key>): void => {
    for (const { dir, name } of rows) keys.set(`${dir}/${name}`, { dir, name });
  };
  const common = commonOf(one, other);
  if (!common) {
    for (const view of [one, other]) add(yield* everything(view));
    return [...keys.values()];
  }
  for (const level of one.levels.slice(0, common.one)) add(yield* changed(database, level, -1));
  for (const level of other.levels.slice(0, common.other)) add(yield* changed(database, level, -1));
  const [a, b] = [one.levels[common.one], other.levels[common.other]];
  if (a.v !== b.v) add(yield* changed(database, a.v > b.v ? a : b, Math.min(a.v, b.v)));
  return [...keys.values()];
}

/** The version that both come from; nothing where they have nothing in common. */
export function commonLevels(one: View, other: View): readonly Level[] | undefined {
  const common = commonOf(one, other);
  if (!common) return undefined;
  const [a, b] = [one.levels.slice(common.one), other.levels.slice(common.other)];
  return a[0].v <= b[0].v ? a : b;
}

function commonOf(one: View, other: View): Common | undefined {
  for (const [i, { branch }] of one.levels.entries()) {
    const there = other.levels.findIndex((level) => level.branch === branch);
    if (there >= 0) return { one: i, other: there };
  }
  return undefined;
}

/** Names whose rows a level has from commits after one, up to its own. */
function* changed(database: TreeDatabase, { branch, v, head }: Level, since: number): Steps<Key[]> {
  const now = yield* database.all<Key>(
    "SELECT dir,name FROM entries INDEXED BY entries_seq WHERE branch=? AND seq>? AND seq<=?",
    branch,
    since,
    v,
  );
  // What the level says of a name was true until then, or began to be then, and is no more.
  const past = head === 0 ? [] : yield* database.all<Key>(
    "SELECT dir,name FROM past INDEXED BY past_until WHERE branch=?1 AND until>?2 AND (until<=?3 OR (seq>?2 AND seq<=?3))",
    branch,
    since,
    v,
  );
  return [...now, ...past];
}

function* everything(view: View): Steps<Key[]> {
  const found: Key[] = [];
  const folders = [ROOT_NODE];
  for (let dir = folders.pop(); dir !== undefined; dir = folders.pop()) {
    const names = view.children(dir);
    for (let row = yield* names.next(); row; row = yield* names.next()) {
      found.push({ dir, name: row.name });
      if (row.kind === FOLDER) folders.push(row.node!);
    }
  }
  return found;
}
