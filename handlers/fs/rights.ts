/**
 * Who may read which blob, and do what with which branch (fs.md §9). To know a hash is no right.
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
  const subjects: Subject[] = ["anyone"];
  if (identity) subjects.push(`id:${identity.id}`);
  if (fingerprint !== undefined) subjects.push(`key:${fingerprint}`);
  if (await grants.mayRead(hash, subjects)) return true;
  const branches = await tree?.linking(hash, MOST_BRANCHES) ?? [];
  return branches.some((branch) => mayUse(branch, "read", identity));
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
