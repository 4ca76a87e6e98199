/**
 * What the root of a policy for files stands for: a folder of the disk, a branch of the node, or all of them.
 *
 * @module
 */
import type { TreeFs } from "@alknet/handlers/fs";
import { openFolderStore, type OpenStore, StoreError } from "@alknet/handlers/sftp";

/** `fs:`, `fs:BRANCH`, `fs:BRANCH@VERSION`. Paths of folders are absolute, and none is one of these. */
const ROOT = /^fs:(?:[A-Za-z0-9][A-Za-z0-9._-]{1,99}(?:@[A-Za-z0-9._-]{1,100})?)?$/;

/** Whether a root stands for branches. */
export function isBranchRoot(root: string): boolean {
  return ROOT.test(root);
}

/** Opens roots. Whether a branch may be used is looked at by each request, and is the identity's right, not the policy's. */
export function storeOpener(files: TreeFs | undefined): OpenStore {
  return async ({ root, readOnly }, { identity }) => {
    if (!isBranchRoot(root)) return await openFolderStore(root, { readOnly });
    if (!files) throw new StoreError("FAILURE", "the node has no branches");
    const branch = root.slice("fs:".length);
    if (branch === "") {
      const { BranchesStore } = await import("./branches.ts");
      return new BranchesStore(files, identity, readOnly);
    }
    const { BranchStore } = await import("./store.ts");
    return new BranchStore(files.files(branch, identity), readOnly);
  };
}
