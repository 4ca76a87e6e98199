/**
 * Commits, as far as walks read them: tree, parents, and the committer's date.
 *
 * ```text
 * tree <oid>\n
 * parent <oid>\n          none or more
 * author …\n
 * committer NAME <EMAIL> SECONDS ZONE\n
 * ```
 *
 * @module
 */
import { corrupt } from "../errors.ts";
import type { Oid } from "./oid.ts";

/** What a walk needs of a commit. */
export interface CommitLinks {
  /** Its tree. */
  readonly tree: Oid;
  /** Its parents, in order. */
  readonly parents: readonly Oid[];
  /** The committer's date, Unix seconds; 0 where it cannot be read. */
  readonly date: number;
}

const latin1 = new TextDecoder("latin1");

/**
 * Reads a commit.
 *
 * @throws {AlknetError} `GIT_CORRUPT`: it has no tree, or a parent that is no object id.
 */
export function parseCommit(bytes: Uint8Array): CommitLinks {
  const text = latin1.decode(bytes);
  const tree = /^tree ([0-9a-f]{40})\n/.exec(text)?.[1];
  if (tree === undefined) throw corrupt("a commit has no tree");
  const parents: Oid[] = [];
  let at = 46;
  for (; text.startsWith("parent ", at); at += 48) {
    const parent = text.slice(at + 7, at + 47);
    if (!/^[0-9a-f]{40}$/.test(parent) || text[at + 47] !== "\n") throw corrupt("a commit has a parent that is none");
    parents.push(parent);
  }
  const end = text.indexOf("\n\n", at);
  const header = text.slice(at, end < 0 ? text.length : end);
  const date = Number(/(?:^|\n)committer [^\n]*> (\d{1,15})(?: |\n|$)/.exec(header)?.[1] ?? 0);
  return { tree, parents, date };
}
