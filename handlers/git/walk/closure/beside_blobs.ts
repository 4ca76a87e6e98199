/**
 * What a clone without blobs is sent of a closure: found by what its entries are, without a look into any tree (git.md §5.4).
 *
 * @module
 */
import type { Closure } from "../../store/types.ts";
import type { ObjectFilter } from "../../wire/filter_spec.ts";
import { type FetchWalk, selectFetch, selectTags } from "../fetch.ts";
import { Selection } from "../selection.ts";

/** Whether a filter leaves out blobs, all of them, and nothing else. */
export function isBlobNone({ treeDepth, blobBytes, kinds }: ObjectFilter): boolean {
  return treeDepth === Infinity && blobBytes === 0 && kinds === undefined;
}

/**
 * Selects all that wants reach but for blobs, where the wants reach all of a closure; blobs that are wanted go along.
 *
 * @throws {AlknetError} `GIT_OBJECT_MISSING`, `GIT_CORRUPT`.
 */
export async function selectBesideBlobs(walk: FetchWalk & { readonly closure: Closure }): Promise<Selection> {
  const { store, closure, wants, pace } = walk;
  const all = new Selection(store);
  for (const oid of closure.besideBlobs()) {
    all.add(oid);
    await pace.step();
  }
  const { selection: beyond } = await selectFetch(walk);
  for (const place of beyond.places()) {
    all.add(store.entry(place).oid);
    await pace.step();
  }
  for (const oid of beyond.loose) all.add(oid);
  for (const want of wants) {
    if (closure.holds(want)) all.add((await selectTags(want, store, all)).oid);
    await pace.step();
  }
  return all;
}
