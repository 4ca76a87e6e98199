/**
 * Blobs that are read come here again, so that they need not be asked for each time. Killed anywhere, the row says that the
 * blob lies in the bucket alone, and the hold that files here may be there, which are to go.
 *
 * @module
 */
import { dirname } from "node:path";
import { INLINE, place, Spill, syncFile, syncFolder } from "../../blobs/disk/files.ts";
import type { ElsewhereParts } from "../../blobs/disk/elsewhere.ts";
import { hashed, working } from "../../blobs/disk/importing.ts";
import { readerOf } from "../../blobs/reading.ts";
import type { OpenSource } from "../../blobs/blob_store.ts";
import type { Hash } from "../../wire/hash_text.ts";
import type { BucketRows } from "./rows.ts";

/** Bytes of the largest that come: whoever reads a part of one waits for all of it. */
const MOST = 16 * 1024 * 1024;
/** No blob takes more of what may stay here than such a part. */
const SHARE = 4;
/** Bytes that are read at once. */
const PIECE = 1024 * 1024;

/** Whether a blob of so many bytes comes here when it is read. */
export function isBrought(size: number, cacheBytes: number): boolean {
  return size > INLINE && size <= Math.min(MOST, cacheBytes / SHARE);
}

/**
 * Brings a blob here. Every group of it is verified before it is written.
 *
 * @param source It, in the bucket.
 * @returns Whether it is here.
 */
export async function bring(
  hash: Hash,
  source: OpenSource,
  { store, rows }: { readonly store: ElsewhereParts; readonly rows: BucketRows },
): Promise<boolean> {
  await using _held = await store.hold(hash);
  const reader = readerOf(source);
  return await working(store, async (newPath) => {
    await using spill = new Spill(newPath, PIECE);
    for (let at = 0; at < reader.size; at += PIECE) await spill.write(await reader.read(at, PIECE));
    const { data, pairs } = await hashed(await spill.end(), newPath, {});
    if (!("path" in data)) return false;
    if ("path" in pairs) {
      await syncFile(pairs.path);
      await place(pairs.path, store.pathOf(hash, "obao4"));
    }
    await place(data.path, store.pathOf(hash, "data"));
    await syncFolder(dirname(store.pathOf(hash, "data")));
    return rows.here(hash, "bytes" in pairs ? pairs.bytes : undefined);
  }, []);
}
