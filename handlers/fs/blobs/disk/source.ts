/**
 * A stored blob, opened: what of it lies in the database is at hand, the rest is read from its files.
 *
 * @module
 */
import { MemoryOutboard, type Outboard } from "../../bao/outboard.ts";
import { outboardSize, PAIR } from "../../bao/tree.ts";
import { corrupt } from "../../errors.ts";
import type { OpenSource } from "../blob_store.ts";
import { WindowReader } from "./files.ts";
import type { BlobRow } from "./tables/rows.ts";

/**
 * Opens a blob.
 *
 * @param pathOf Where its files are.
 * @throws {AlknetError} `BLOB_CORRUPT`: a file is not there.
 */
export async function openSource(
  row: BlobRow,
  pathOf: (kind: "data" | "obao4") => string,
  isPartial = false,
): Promise<OpenSource> {
  const files = new AsyncDisposableStack();
  const open = async (kind: "data" | "obao4"): Promise<WindowReader> => {
    try {
      return files.use(await WindowReader.open(pathOf(kind)));
    } catch (cause) {
      await files.disposeAsync();
      if ((cause as { code?: unknown }).code === "ENOENT") throw corrupt(row.hash, `its file is not there (${kind})`);
      throw cause;
    }
  };
  const { data } = row;
  const file = data ? undefined : await open("data");
  return {
    isPartial,
    outboard: await outboardOf(row, open),
    read: (at, length) => file ? file.read(at, length) : data!.subarray(at, at + length),
    [Symbol.asyncDispose]: () => files.disposeAsync(),
  };
}

async function outboardOf(
  { hash, size, pairs }: BlobRow,
  open: (kind: "obao4") => Promise<WindowReader>,
): Promise<Outboard> {
  const root = Uint8Array.fromHex(hash);
  if (pairs || outboardSize(size) === 0) return new MemoryOutboard(size, root, pairs ?? new Uint8Array());
  const file = await open("obao4");
  return { size, root, pair: (place) => file.read(place * PAIR, PAIR) };
}
