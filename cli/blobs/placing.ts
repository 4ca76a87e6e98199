/**
 * Giving what was got its place: under its name only once it is whole, and over nothing that is there.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import type { BlobReader } from "@alknet/handlers/fs";
import { resolve } from "node:path";
import { exists } from "../home/home.ts";

/** Bytes that are copied at once. */
const PIECE = 1024 * 1024;

/**
 * Makes sure that a file may come to a path.
 *
 * @throws {AlknetError} `IS_A_FOLDER`, `PATH_EXISTS`.
 */
export async function assertFree(path: string, force: boolean): Promise<void> {
  const there = await Deno.stat(path).catch(() => undefined);
  if (there?.isDirectory) {
    throw new AlknetError("IS_A_FOLDER", `${path} is a folder; name a file with -o`);
  }
  if (!force && await exists(path)) {
    throw new AlknetError("PATH_EXISTS", `${path} is there already; --force replaces it, -o names another`);
  }
}

/** Writes a blob to a file, under its own name only once it is whole. */
export async function toFile(reader: BlobReader, path: string, force: boolean, signal: AbortSignal): Promise<void> {
  const part = resolve(`${path}.part`);
  // A link of that name is not followed.
  await Deno.remove(part).catch(() => {});
  const file = await Deno.open(part, { write: true, createNew: true });
  try {
    try {
      await copy(reader, (bytes) => writeAll(file, bytes), signal);
      await file.syncData();
    } finally {
      file.close();
    }
    await assertFree(path, force);
    await Deno.rename(part, resolve(path));
  } catch (error) {
    await Deno.remove(part).catch(() => {});
    throw error;
  }
}

/** Writes a blob to stdout, or a part of it. */
export async function toStdout(
  reader: BlobReader,
  signal: AbortSignal,
  part: { readonly from: number; readonly end: number } = { from: 0, end: reader.size },
): Promise<void> {
  await copy(reader, (bytes) => writeAll(Deno.stdout, bytes), signal, part);
}

async function copy(
  reader: BlobReader,
  write: (bytes: Uint8Array) => Promise<void>,
  signal: AbortSignal,
  { from, end }: { readonly from: number; readonly end: number } = { from: 0, end: reader.size },
): Promise<void> {
  for (let at = from; at < end; at += PIECE) {
    signal.throwIfAborted();
    await write(await reader.read(at, Math.min(PIECE, end - at)));
  }
}

async function writeAll(to: { write(bytes: Uint8Array): Promise<number> }, bytes: Uint8Array): Promise<void> {
  for (let rest = bytes; rest.byteLength > 0;) rest = rest.subarray(await to.write(rest));
}
