/**
 * Opening the folder of a store: made where it is not there, repaired by the first of those that have it open.
 *
 * @module
 */
import { join } from "node:path";
import { diskError } from "../../errors.ts";
import type { Hash } from "../../wire/hash_text.ts";
import { assertReferrers } from "./collecting/referrers.ts";
import { Going } from "./going.ts";
import { Holder, lockIfFree } from "./holder.ts";
import { blobPath } from "./places.ts";
import { repairWhereRoom } from "./repair.ts";
import { StoreDatabase } from "./tables/database.ts";

/** A folder that is open. */
export interface OpenFolder {
  /** Its database. */
  readonly database: StoreDatabase;
  /** This process. */
  readonly holder: Holder;
  /** Blobs that are being taken away. */
  readonly going: Going;
  /** Held by the process that looks after the store. */
  readonly lock: Disposable | undefined;
}

/**
 * Opens a folder.
 *
 * @param root Absolute.
 * @param isElsewhere Whether its blobs may lie elsewhere too.
 * @param isReferred Whether trees that lie elsewhere refer to them.
 * @throws {AlknetError} `STORE_NEWER`, `INVALID_STORE`, `STORE_FULL`.
 */
export async function openStoreFolder(
  root: string,
  durability: "full" | "normal",
  isElsewhere: boolean,
  isReferred: boolean,
): Promise<OpenFolder> {
  for (const path of [root, join(root, "data"), join(root, "partial"), join(root, "tmp")]) {
    await Deno.mkdir(path, { recursive: true, mode: 0o700 });
  }
  let database: StoreDatabase;
  try {
    database = new StoreDatabase(join(root, "store.db"), durability);
  } catch (error) {
    throw diskError(error, root);
  }
  try {
    assertReferrers(database, root, isReferred);
  } catch (error) {
    database[Symbol.dispose]();
    throw error;
  }
  // One of those that have it open repairs it; the others need not wait.
  const lock = await lockIfFree(join(root, "LOCK"), true);
  try {
    const pathOf = (hash: Hash, kind: "data" | "obao4"): string => blobPath(root, hash, kind);
    const going = new Going(root, database, pathOf);
    going.elsewhere = isElsewhere ? "unknown" : undefined;
    if (lock) await repairWhereRoom({ root, database, going, pathOf });
    return { database, holder: await Holder.open(join(root, "tmp")), going, lock };
  } catch (error) {
    database[Symbol.dispose]();
    lock?.[Symbol.dispose]();
    throw diskError(error, root);
  }
}
