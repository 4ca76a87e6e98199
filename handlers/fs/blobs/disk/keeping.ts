/**
 * Giving what came in its place: a hold first, then its files, then its rows. Killed anywhere, there is no row without a file,
 * and a file without a row belongs to a hold of a dead holder.
 *
 * @module
 */
import { dirname } from "node:path";
import type { Hash } from "../../wire/hash_text.ts";
import type { Batch } from "./tables/batch.ts";
import { place, syncFile, syncFolder } from "./files.ts";
import type { Import } from "./importing.ts";
import type { DiskParts } from "./parts.ts";
import { lockPartial } from "./partial/disk_partial.ts";
import { removePartial } from "./places.ts";
import type { References, Source } from "./references.ts";
import { bytesOf, type NewRow, PLACE } from "./tables/rows.ts";

/** What keeping needs. */
export interface KeepParts extends DiskParts {
  /** Changes that share a transaction. */
  readonly batch: Batch;
  /** Files that stay where they are. */
  readonly references: References;
  /** Whether whoever waits for it is alone, so that waiting for others gains nothing. */
  readonly alone?: boolean;
}

/** Keeps a blob, which is held once more then. */
export async function keep(
  blob: Import & { readonly source?: Source },
  owner: string | undefined,
  parts: KeepParts,
): Promise<void> {
  const { rows, going, root } = parts;
  const { hash, size, data, pairs } = blob;
  const row: NewRow = {
    size,
    owner,
    data: "bytes" in data ? data.bytes : undefined,
    pairs: "bytes" in pairs ? pairs.bytes : undefined,
  };
  rows.count(hash);
  try {
    const hadPart = rows.findPartial(hash) !== undefined;
    await going.whenGone(hash, () => blob.source ? refer(blob, blob.source, row, parts) : own(blob, row, parts));
    if (!hadPart) return;
    using lock = await lockPartial(root, hash);
    if (lock) await removePartial(root, hash);
  } catch (error) {
    rows.release(hash);
    throw error;
  }
}

async function own({ hash, data, pairs }: Import, row: NewRow, parts: KeepParts): Promise<void> {
  const { rows, going, batch, database, pathOf, usage } = parts;
  const files = [data, pairs].flatMap((part) => "path" in part ? [part.path] : []);
  if (files.length === 0) {
    const change = (): void => {
      going.refuse(hash);
      if (!rows.find(hash)) usage.assertRoom(row.owner, bytesOf(hash), row.size);
      rows.writeHold(hash);
      rows.insert(hash, row);
    };
    return await (parts.alone ? batch.changeNow(change) : batch.change(change));
  }
  if (held(hash, parts, (there) => there !== undefined && there !== PLACE.referenced)) return;
  await Promise.all(files.map(syncFile));
  if ("path" in pairs) await place(pairs.path, pathOf(hash, "obao4"));
  if ("path" in data) await place(data.path, pathOf(hash, "data"));
  await syncFolder(dirname(pathOf(hash, "data")));
  database.transaction(() => rows.insert(hash, row));
}

async function refer({ hash, pairs }: Import, source: Source, row: NewRow, parts: KeepParts): Promise<void> {
  const { rows, database, pathOf, references } = parts;
  if (held(hash, parts, (there) => there !== undefined && there !== PLACE.referenced)) return;
  if ("path" in pairs) {
    await syncFile(pairs.path);
    await place(pairs.path, pathOf(hash, "obao4"));
    await syncFolder(dirname(pathOf(hash, "obao4")));
  }
  database.transaction(() => {
    rows.insert(hash, row, PLACE.referenced);
    references.set(hash, source);
  });
}

/** Writes down a hold, so that what comes to its place is known to be of a living process. Whether the blob is there. */
function held(hash: Hash, { rows, going, database }: KeepParts, isThere: (place?: number) => boolean): boolean {
  return database.transaction(() => {
    going.refuse(hash);
    rows.writeHold(hash);
    return isThere(rows.find(hash)?.place);
  });
}
