/**
 * Who may read and push which blob, and do what with which branch (fs.md §9). To know a hash is no right.
 *
 * @module
 */
import type { Identity } from "@alknet/core/handler";
import type { Grants, Subject } from "./blobs/grants.ts";
import type { Branch, PathTree } from "./tree/path_tree.ts";
import type { Hash } from "./wire/hash_text.ts";

/** Whoever asks. */
export interface Asker {
  /** Who it is; absent for the anonymous. */
  readonly identity?: Identity;
  /** The key it has proven. */
  readonly fingerprint?: string;
}

/** By what a blob may be read. */
export interface ReadParts {
  /** By grants. */
  readonly grants: Grants;
  /** By branches that link it. */
  readonly tree?: PathTree;
  /** By its hash alone. */
  readonly publicBlobs: boolean;
}

/** What may be done with a branch; each includes those before it. */
export type BranchRight = "read" | "write" | "admin";

/** Scopes that let an identity read every blob. */
const SCOPES: readonly string[] = ["blobs:read", "blobs:write", "blobs:admin", "admin"];
/** Scopes that let an identity push blobs. */
const PUSH_SCOPES: readonly string[] = ["blobs:write", "blobs:admin", "admin"];
const RIGHTS: readonly BranchRight[] = ["read", "write", "admin"];
/** Branches that are looked at for a right to a blob. */
const MOST_BRANCHES = 16;

/**
 * Whether somebody may read a blob: by a scope, by a grant to anyone, to the identity or to the key, by a branch that they may
 * read, or because whoever knows a hash may read it (`publicBlobs`). Whether the blob is there has no part in it.
 */
export async function mayRead(
  hash: Hash,
  { identity, fingerprint }: Asker,
  { grants, tree, publicBlobs }: ReadParts,
): Promise<boolean> {
  if (publicBlobs || identity?.scopes.some((scope) => SCOPES.includes(scope))) return true;
  if (await grants.mayRead(hash, subjectsOf({ identity, fingerprint }))) return true;
  const branches = await tree?.linking(hash, MOST_BRANCHES) ?? [];
  return branches.some((branch) => mayUse(branch, "read", identity));
}

/** By what a blob may be pushed, and how much of it. */
export interface PushRight {
  /** In whose quota it is counted. */
  readonly owner?: string;
  /** Most bytes, with what it lists. */
  readonly bytes?: number;
  /** By a grant of this blob: whoever made it has told that the blob is wanted. */
  readonly isGranted?: boolean;
  /**
   * Whether what a sequence lists may come with it, and then is known to be of it. Whoever may read few blobs could make a
   * sequence of the hashes of others.
   */
  readonly isForSequences: boolean;
}

/**
 * By what right somebody may push a blob: by a scope, by a branch that they may write, or by a grant to anyone, to the identity
 * or to the key. Nothing where there is none, whether the blob is there or not.
 */
export async function mayPush(
  hash: Hash,
  { identity, fingerprint }: Asker,
  { grants, tree }: Pick<ReadParts, "grants" | "tree">,
): Promise<PushRight | undefined> {
  const owner = identity?.id;
  if (identity?.scopes.some((scope) => PUSH_SCOPES.includes(scope))) return { owner, isForSequences: true };
  const granted = await grants.mayPush(hash, subjectsOf({ identity, fingerprint }));
  if (granted) return { ...granted, isGranted: true, isForSequences: true };
  if (!identity || !tree) return undefined;
  for await (const branch of tree.branches()) {
    if (mayUse(branch, "write", identity)) return { owner, isForSequences: false };
  }
  return undefined;
}

function subjectsOf({ identity, fingerprint }: Asker): Subject[] {
  const subjects: Subject[] = ["anyone"];
  if (identity) subjects.push(`id:${identity.id}`);
  if (fingerprint !== undefined) subjects.push(`key:${fingerprint}`);
  return subjects;
}

/** Whether somebody may do something with a branch: its owner, by a scope, by a resource, or anyone who reads what is public. */
export function mayUse({ name, owner, public: open }: Branch, right: BranchRight, identity?: Identity): boolean {
  if (right === "read" && open) return true;
  if (!identity) return false;
  if (identity.id === owner || identity.scopes.includes("admin")) return true;
  const resource = `branch/${name}`;
  const actions = Object.hasOwn(identity.resources, resource) ? identity.resources[resource] : [];
  return RIGHTS.slice(RIGHTS.indexOf(right)).some((one) =>
    actions.includes(one) || identity.scopes.includes(`fs:${one}`) || identity.scopes.includes(`fs:${one}:${name}`)
  );
}
