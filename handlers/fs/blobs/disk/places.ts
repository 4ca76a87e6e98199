/**
 * Where the files of a store are (fs.md §5).
 *
 * @module
 */
import { join } from "node:path";
import type { Hash } from "../../wire/hash_text.ts";

/** Kinds of files of a partial blob. */
export const PARTIAL_KINDS = ["data", "obao4", "bits", "lock"] as const;

/** Where a file of a complete blob is. */
export function blobPath(root: string, hash: Hash, kind: "data" | "obao4"): string {
  return join(root, "data", hash.slice(0, 2), `${hash}.${kind}`);
}

/** Where a file of a partial blob is. */
export function partialPath(root: string, hash: Hash, kind: typeof PARTIAL_KINDS[number]): string {
  return join(root, "partial", `${hash}.${kind}`);
}

/** Removes what there is of a partial blob. */
export async function removePartial(root: string, hash: Hash): Promise<void> {
  for (const kind of PARTIAL_KINDS) await Deno.remove(partialPath(root, hash, kind)).catch(() => {});
}
