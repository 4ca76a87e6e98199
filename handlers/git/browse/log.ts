/**
 * Commits that a revision reaches, the youngest first, as `git log` has them; of a path, those that changed it.
 *
 * @module
 */
import type { Oid } from "../objects/oid.ts";
import { TREE_MODE, type TreeEntry } from "../objects/tree.ts";
import { CommitQueue } from "../walk/commit_queue.ts";
import type { Browsing } from "./browsing.ts";

/** What of a history is asked for. */
export interface LogQuestion {
  /** Where it begins. */
  readonly from: Oid;
  /** A path, each byte one character: commits that changed what is there. */
  readonly path?: string;
  /** The last commit of the answer before. */
  readonly after?: Oid;
  /** Commits at most. */
  readonly limit: number;
}

/** Commits of one date come in the order in which they were met: a fraction of a second each. */
const TICK = 2 ** -21;

/**
 * The next commits. Each comes after a child of it; where clocks were wrong, not after all of them.
 *
 * @throws {AlknetError} `GIT_OBJECT_MISSING`, `GIT_CORRUPT`.
 */
export async function logOf(
  { from, path, after, limit }: LogQuestion,
  browsing: Browsing,
): Promise<{ readonly commits: Oid[]; readonly more: boolean }> {
  const { commits: reader, pace, most } = browsing;
  const queue = new CommitQueue();
  const seen = new Set<Oid>();
  const push = async (oid: Oid): Promise<void> => {
    if (seen.has(oid)) return;
    seen.add(oid);
    queue.push(oid, (await reader.links(oid)).date - Math.min(seen.size * TICK, 0.99));
  };
  await push(from);
  const found: Oid[] = [];
  let skipping = after !== undefined;
  for (let oid = queue.pop(), looked = 0; oid !== undefined; oid = queue.pop()) {
    if (++looked > most) return { commits: found, more: true };
    const { shown, parents } = path === undefined
      ? { shown: true, parents: (await reader.links(oid)).parents }
      : await changed(oid, path, browsing);
    if (shown && !skipping) {
      if (found.length === limit) return { commits: found, more: true };
      found.push(oid);
    }
    if (oid === after) skipping = false;
    for (const parent of parents) await push(parent);
    await pace.step();
  }
  return { commits: found, more: false };
}

/** Whether a commit changed a path, and where its history goes on: at a parent that has the same, that one alone. */
async function changed(
  oid: Oid,
  path: string,
  browsing: Browsing,
): Promise<{ readonly shown: boolean; readonly parents: readonly Oid[] }> {
  const { commits } = browsing;
  const { tree, parents } = await commits.links(oid);
  const own = await entryAt(tree, path, browsing);
  for (const parent of parents) {
    const theirs = await entryAt((await commits.links(parent)).tree, path, browsing);
    if (theirs?.oid === own?.oid && theirs?.mode === own?.mode) return { shown: false, parents: [parent] };
  }
  return { shown: parents.length > 0 || own !== undefined, parents };
}

/** What is at a path of a tree; the tree itself at the empty path. */
export async function entryAt(tree: Oid, path: string, { trees }: Browsing): Promise<TreeEntry | undefined> {
  let at: TreeEntry | undefined = { mode: TREE_MODE, name: "", oid: tree };
  for (const part of path.split("/").filter((part) => part !== "")) {
    if (at.mode !== TREE_MODE) return undefined;
    at = (await trees.entries(at.oid)).find(({ name }) => name === part);
    if (!at) return undefined;
  }
  return at;
}
