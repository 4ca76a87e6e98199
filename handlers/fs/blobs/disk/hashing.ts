/**
 * Hashing a file of a store, whose outboard goes where there is room for it.
 *
 * @module
 */
import { open } from "node:fs/promises";
import { hashBlob, type Maybe } from "../../bao/outboard.ts";
import { hashFileInThreads, WORTH_THREADS } from "../../bao/threads/pool.ts";
import { outboardSize, PAIR } from "../../bao/tree.ts";
import type { Told } from "../blob_store.ts";
import { INLINE, readAt, type Staged, writeAt } from "./files.ts";

/** Bytes that are read at once. */
const PIECE = 4 * 1024 * 1024;

/** A file that was hashed. */
export interface HashedFile {
  /** Its hash, in hex. */
  readonly hash: string;
  /** Its bytes. */
  readonly size: number;
  /** Its outboard; a file is not on the disk yet. */
  readonly pairs: Staged;
}

/**
 * Hashes a file that nobody else writes.
 *
 * @param pairsPath Where a large outboard goes.
 */
export async function hashFile(path: string, pairsPath: string, { progress, signal }: Told): Promise<HashedFile> {
  await using file = await open(path, "r");
  const { size } = await file.stat();
  const most = outboardSize(size);
  const few = most <= INLINE ? new Uint8Array(most) : undefined;
  await using many = few ? undefined : await open(pairsPath, "wx", 0o600);
  let done = 0;
  const put = (place: number, pairs: Uint8Array): Maybe<void> =>
    many ? writeAt(many, pairs, place * PAIR) : few!.set(pairs, place * PAIR);
  const result = (root: Uint8Array): HashedFile => ({
    hash: root.toHex(),
    size,
    pairs: few ? { bytes: few } : { path: pairsPath },
  });
  if (size >= WORTH_THREADS) {
    const told = { signal, progress: (bytes: number): void => progress?.(done += bytes, size) };
    const root = await hashFileInThreads(path, size, put, told);
    if (root) return result(root);
  }
  const buffer = new Uint8Array(Math.min(PIECE, size));
  const root = await hashBlob(size, async (at, length) => {
    signal?.throwIfAborted();
    const piece = buffer.subarray(0, length);
    if (await readAt(file, piece, at) < length) throw new Error(`${path} became shorter while it was read`);
    progress?.(done += length, size);
    return piece;
  }, put);
  return result(root);
}
