/**
 * Repairing a store whose processes died (fs.md §5.3).
 *
 * @module
 */
import { dirname, join } from "node:path";
import { diskError } from "../../errors.ts";
import type { Hash } from "../../wire/hash_text.ts";
import type { Going } from "./going.ts";
import type { StoreDatabase } from "./tables/database.ts";
import { place } from "./files.ts";
import { hashFile } from "./hashing.ts";
import { removeDeadHolders } from "./holder.ts";
import { lockPartial } from "./partial/disk_partial.ts";
import { partialPath, removePartial } from "./places.ts";
import { BlobRows } from "./tables/rows.ts";

/** What repairing needs. */
export interface RepairParts {
  /** Folder of the store. */
  readonly root: string;
  /** Its database. */
  readonly database: StoreDatabase;
  /** Blobs that are being taken away. */
  readonly going: Going;
  /** Where a file of a complete blob is. */
  readonly pathOf: (hash: Hash, kind: "data" | "obao4") => string;
}

/**
 * Removes what dead holders left: their work, their holds, files that came to their place and not to their rows; finishes
 * what was being taken away, and parts that had become whole.
 */
async function repair(parts: RepairParts): Promise<void> {
  const { root, database, going, pathOf } = parts;
  await removeDeadHolders(join(root, "tmp"), async (id) => {
    const rows = new BlobRows(database, id);
    for (const hash of [...rows.orphans(), ...rows.strays()]) {
      for (const kind of ["data", "obao4"] as const) await Deno.remove(pathOf(hash, kind)).catch(() => {});
    }
    database.transaction(() => rows.forgetHolder());
  });
  {
    using lock = await going.lock();
    if (lock) await going.takeAway();
  }
  const rows = database.all<{ hash: Uint8Array }>(
    "SELECT hash FROM blobs b WHERE state<>1 AND state=0 AND NOT EXISTS(SELECT 1 FROM holds h WHERE h.hash=b.hash)",
  );
  for (const { hash } of rows) await repairPartial(hash.toHex(), parts);
  for await (const { name } of Deno.readDir(join(root, "partial"))) {
    const hash = /^([0-9a-f]{64})\./.exec(name)?.[1];
    if (hash === undefined || database.get("SELECT 1 FROM blobs WHERE hash=? AND state=0", Uint8Array.fromHex(hash))) {
      continue;
    }
    using lock = await lockPartial(root, hash);
    if (lock) await removePartial(root, hash);
  }
}

/** It may have been moved to the place of a whole blob, all or in part, and not have got its row. */
async function repairPartial(hash: Hash, { root, database, pathOf }: RepairParts): Promise<void> {
  const has = (path: string): Promise<boolean> => Deno.stat(path).then(() => true, () => false);
  const data = pathOf(hash, "data");
  if (!await has(data)) {
    // Its pairs go first.
    if (await has(pathOf(hash, "obao4"))) await Deno.rename(pathOf(hash, "obao4"), partialPath(root, hash, "obao4"));
    return;
  }
  const rows = new BlobRows(database, "");
  const pairsPath = join(dirname(data), `${hash}.again`);
  await Deno.remove(pairsPath).catch(() => {});
  const found = await hashFile(data, pairsPath, {});
  if (found.hash === hash) {
    if ("path" in found.pairs) await place(found.pairs.path, pathOf(hash, "obao4"));
    const few = "bytes" in found.pairs ? found.pairs.bytes : undefined;
    database.transaction(() => rows.complete(hash, found.size, few));
  } else {
    await Deno.remove(data).catch(() => {});
    await Deno.remove(pathOf(hash, "obao4")).catch(() => {});
    await Deno.remove(pairsPath).catch(() => {});
    database.transaction(() => rows.dropPartial(hash));
  }
  await removePartial(root, hash);
}

/** On a full disk what the dead left stays until the next time: who cannot open a store can drop nothing from it. */
export async function repairWhereRoom(parts: RepairParts): Promise<void> {
  try {
    await repair(parts);
  } catch (error) {
    const { code } = diskError(error, parts.root) as { code?: unknown };
    if (code !== "STORE_FULL") throw error;
  }
}
