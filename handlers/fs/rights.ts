/**
 * Who may read which blob (fs.md §9). To know a hash is no right.
 *
 * @module
 */
import type { Identity } from "@alknet/core/handler";
import type { Grants, Subject } from "./blobs/grants.ts";
import type { Hash } from "./wire/hash_text.ts";

/** Whoever asks. */
export interface Asker {
  /** Who it is; absent for the anonymous. */
  readonly identity?: Identity;
  /** The key it has proven. */
  readonly fingerprint?: string;
}

/** Scopes that let an identity read every blob. */
const SCOPES: readonly string[] = ["blobs:read", "blobs:write", "blobs:admin", "admin"];

/**
 * Whether somebody may read a blob: by a scope, by a grant to anyone, to the identity or to the key, or because whoever knows
 * a hash may read it (`publicBlobs`). Whether the blob is there has no part in it.
 */
export async function mayRead(
  hash: Hash,
  { identity, fingerprint }: Asker,
  { grants, publicBlobs }: { readonly grants: Grants; readonly publicBlobs: boolean },
): Promise<boolean> {
  if (publicBlobs || identity?.scopes.some((scope) => SCOPES.includes(scope))) return true;
  const subjects: Subject[] = ["anyone"];
  if (identity) subjects.push(`id:${identity.id}`);
  if (fingerprint !== undefined) subjects.push(`key:${fingerprint}`);
  return await grants.mayRead(hash, subjects);
}
