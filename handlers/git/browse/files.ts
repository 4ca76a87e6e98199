/**
 * What a tree holds, and what of it changed.
 *
 * @module
 */
import type { Kind, Oid } from "../objects/oid.ts";
import { GITLINK_MODE, TREE_MODE, type TreeEntry } from "../objects/tree.ts";
import type { Browsing } from "./browsing.ts";
import { pathText } from "./quoted_path.ts";

/** An entry of a tree. */
export interface FileRecord {
  /** From the root; what is not UTF-8 in git's quotes. */
  readonly path: string;
  /** Six octal digits. */
  readonly mode: string;
  /** What it is; a commit is of another repository. */
  readonly type: Kind;
  /** The object. */
  readonly oid: Oid;
  /** Bytes of a file. */
  readonly size?: number;
}

/** What became of a path. */
export interface ChangeRecord {
  /** From the root; what is not UTF-8 in git's quotes. */
  readonly path: string;
  /** What was done. */
  readonly change: "added" | "removed" | "changed";
  /** What is there now. */
  readonly mode?: string;
  /** What is there now. */
  readonly oid?: Oid;
  /** What was there before. */
  readonly oldMode?: string;
  /** What was there before. */
  readonly oldOid?: Oid;
}

/**
 * The entries of a tree, in git's order.
 *
 * @param options Where the tree stands, each byte one character; whether those below are listed instead of trees; how many.
 * @throws {AlknetError} `GIT_OBJECT_MISSING`, `GIT_CORRUPT`.
 */
export async function filesOf(
  tree: Oid,
  { path, recursive, limit }: { readonly path: string; readonly recursive: boolean; readonly limit: number },
  { trees, repository: { objects }, pace }: Browsing,
): Promise<{ readonly entries: FileRecord[]; readonly more: boolean }> {
  const entries: FileRecord[] = [];
  const prefix = (folder: string): string => folder === "" ? "" : `${folder}/`;
  const stack = (await trees.entries(tree)).map((entry) => ({ entry, at: prefix(path) + entry.name })).reverse();
  for (let next = stack.pop(); next; next = stack.pop()) {
    const { entry: { mode, oid }, at } = next;
    if (recursive && mode === TREE_MODE) {
      for (const entry of (await trees.entries(oid)).toReversed()) stack.push({ entry, at: `${at}/${entry.name}` });
      await pace.step();
      continue;
    }
    if (entries.length === limit) return { entries, more: true };
    const type = mode === TREE_MODE ? "tree" : mode === GITLINK_MODE ? "commit" : "blob";
    const size = type === "blob" ? (await objects.info(oid))?.size : undefined;
    entries.push({ path: pathText(at), mode: modeText(mode), type, oid, ...(size !== undefined && { size }) });
    await pace.step();
  }
  return { entries, more: false };
}

/**
 * What differs between two trees, in the order of paths. An absent one is empty.
 *
 * @throws {AlknetError} `GIT_OBJECT_MISSING`, `GIT_CORRUPT`.
 */
export async function changesBetween(
  before: Oid | undefined,
  after: Oid | undefined,
  limit: number,
  browsing: Browsing,
): Promise<{ readonly changes: ChangeRecord[]; readonly more: boolean }> {
  const changes: ChangeRecord[] = [];
  const stack: Pair[] = await pairsOf("", before, after, browsing);
  for (let pair = stack.pop(); pair; pair = stack.pop()) {
    const { path, old, now } = pair;
    if ((old ?? now)!.mode === TREE_MODE) {
      stack.push(...await pairsOf(`${path}/`, old?.oid, now?.oid, browsing));
      await browsing.pace.step();
      continue;
    }
    if (changes.length === limit) return { changes, more: true };
    changes.push({
      path: pathText(path),
      change: !old ? "added" : !now ? "removed" : "changed",
      ...(now && { mode: modeText(now.mode), oid: now.oid }),
      ...(old && { oldMode: modeText(old.mode), oldOid: old.oid }),
    });
  }
  return { changes, more: false };
}

/** What is at one path, of one kind: a tree and a file of one name are two. */
interface Pair {
  readonly path: string;
  readonly old?: TreeEntry;
  readonly now?: TreeEntry;
}

/** Entries of two trees that differ, the first last. */
async function pairsOf(
  prefix: string,
  before: Oid | undefined,
  after: Oid | undefined,
  { trees }: Browsing,
): Promise<Pair[]> {
  const pairs = new Map<string, { path: string; old?: TreeEntry; now?: TreeEntry }>();
  const take = async (tree: Oid | undefined, side: "old" | "now"): Promise<void> => {
    for (const entry of tree === undefined ? [] : await trees.entries(tree)) {
      const key = entry.mode === TREE_MODE ? `${entry.name}/` : entry.name;
      const pair = pairs.get(key) ?? { path: prefix + entry.name };
      pair[side] = entry;
      pairs.set(key, pair);
    }
  };
  await take(before, "old");
  await take(after, "now");
  const differ = [...pairs].filter(([, { old, now }]) => old?.oid !== now?.oid || old?.mode !== now?.mode);
  return differ.sort(([a], [b]) => a < b ? 1 : -1).map(([, pair]) => pair);
}

function modeText(mode: number): string {
  return mode.toString(8).padStart(6, "0");
}
