/**
 * Answers to questions about a repository, in the shapes of its operations: also where no node is asked.
 *
 * @module
 */
import type { Oid } from "../objects/oid.ts";
import { TREE_MODE } from "../objects/tree.ts";
import { parseTag } from "../objects/tag.ts";
import { type BlobRecord, blobRecord } from "./blob.ts";
import { type Browsing, noSuchPath, noSuchRevision } from "./browsing.ts";
import { type CommitRecord, commitRecord } from "./commit_record.ts";
import { type ChangeRecord, changesBetween, type FileRecord, filesOf } from "./files.ts";
import { entryAt, logOf } from "./log.ts";
import { pathBytes, pathText } from "./quoted_path.ts";
import { resolveCommit, resolveRevision } from "./revision.ts";

/** Bytes of a file that one answer holds. */
export const MOST_CONTENT: number = 1024 * 1024;
/** How often a tag is a tag of a tag before it is followed no further. */
const MOST_TAGS = 64;

/** Commits of a history: `git/log`. */
export async function logAnswer(
  { rev, path, after, limit }: {
    readonly rev?: string;
    readonly path?: string;
    readonly after?: Oid;
    readonly limit: number;
  },
  browsing: Browsing,
): Promise<{ readonly commits: CommitRecord[]; readonly more: boolean }> {
  const from = await resolveCommit(rev, browsing);
  const bytes = path === undefined ? undefined : bytesOf(path);
  const { commits: found, more } = await logOf({ from, path: bytes, after, limit }, browsing);
  const commits: CommitRecord[] = [];
  for (const oid of found) commits.push(await commitRecord(oid, browsing.repository.objects));
  return { commits, more };
}

/** A commit, and what it changed of its first parent: `git/commit`. */
export async function commitAnswer(
  { rev, limit }: { readonly rev?: string; readonly limit: number },
  browsing: Browsing,
): Promise<CommitRecord & { readonly changes: ChangeRecord[]; readonly more: boolean }> {
  const oid = await resolveCommit(rev, browsing);
  const { tree, parents: [first] } = await browsing.commits.links(oid);
  const before = first === undefined ? undefined : (await browsing.commits.links(first)).tree;
  const { changes, more } = await changesBetween(before, tree, limit, browsing);
  return { ...await commitRecord(oid, browsing.repository.objects), changes, more };
}

/** The entries of a tree, or the one of a file: `git/tree`. */
export async function treeAnswer(
  { rev, path = "", recursive, limit }: {
    readonly rev?: string;
    readonly path?: string;
    readonly recursive: boolean;
    readonly limit: number;
  },
  browsing: Browsing,
): Promise<{ readonly entries: FileRecord[]; readonly more: boolean }> {
  const bytes = bytesOf(path).replace(/\/+$/, "");
  const tree = await treeOf(rev, browsing);
  const there = await entryAt(tree, bytes, browsing);
  if (!there) throw noSuchPath(path);
  if (there.mode === TREE_MODE) return await filesOf(there.oid, { path: bytes, recursive, limit }, browsing);
  const { mode, oid } = there;
  const info = await browsing.repository.objects.info(oid);
  const record: FileRecord = {
    path: pathText(bytes),
    mode: mode.toString(8).padStart(6, "0"),
    type: info?.kind ?? "commit",
    oid,
    ...(info && { size: info.size }),
  };
  return { entries: [record], more: false };
}

/** A file of a revision, or one by its id: `git/blob`. */
export async function blobAnswer(
  { rev, path, oid }: { readonly rev?: string; readonly path?: string; readonly oid?: Oid },
  browsing: Browsing,
): Promise<BlobRecord> {
  const { objects } = browsing.repository;
  if (oid !== undefined) {
    const found = await resolveRevision(oid, browsing);
    if ((await objects.info(found))?.kind !== "blob") throw noSuchRevision(oid, "it is no file");
    return await blobRecord(found, MOST_CONTENT, objects);
  }
  const entry = await entryAt(await treeOf(rev, browsing), bytesOf(path ?? ""), browsing);
  const kind = entry && (await objects.info(entry.oid))?.kind;
  if (!entry || kind !== "blob") throw noSuchPath(path ?? "");
  return await blobRecord(entry.oid, MOST_CONTENT, objects);
}

/** The tree that a revision is, or that its commit has. */
async function treeOf(rev: string | undefined, browsing: Browsing): Promise<Oid> {
  const { commits, repository: { objects } } = browsing;
  let at = await resolveRevision(rev, browsing);
  for (let i = 0; i < MOST_TAGS; i++) {
    const info = await objects.info(at);
    if (info?.kind === "tree") return at;
    if (info?.kind === "commit") return (await commits.links(at)).tree;
    if (info?.kind !== "tag") break;
    at = parseTag((await objects.read(at))!.bytes).oid;
  }
  throw noSuchRevision(rev ?? "HEAD", "it has no files");
}

function bytesOf(path: string): string {
  const bytes = pathBytes(path);
  if (bytes === undefined) throw noSuchPath(path);
  return bytes;
}
