/**
 * What comes into a store, until it has its place: taken into `tmp/` where it is large, and hashed there.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { MemoryOutboard } from "../../bao/outboard.ts";
import { diskError } from "../../errors.ts";
import type { Hash } from "../../wire/hash_text.ts";
import type { AddOptions } from "../blob_store.ts";
import { INLINE, Spill, type Staged } from "./files.ts";
import { hashFile } from "./hashing.ts";
import { exceeded } from "./tables/usage.ts";

/** What is to be kept. */
export interface Import {
  /** Its hash. */
  readonly hash: Hash;
  /** Its bytes. */
  readonly size: number;
  /** Its data. */
  readonly data: Staged;
  /** Its outboard. */
  readonly pairs: Staged;
}

/**
 * A file in bytes if it is small, else a copy of it.
 *
 * @throws {AlknetError} `NOT_A_FILE`.
 */
export async function copyOf(path: string, newPath: () => string): Promise<Staged> {
  const { isFile, size } = await Deno.stat(path);
  if (!isFile) throw notAFile(path);
  if (size <= INLINE) {
    const bytes = await Deno.readFile(path);
    if (bytes.byteLength <= INLINE) return { bytes };
  }
  const copy = newPath();
  await Deno.copyFile(path, copy);
  // The copy has the mode of the file.
  if (Deno.build.os !== "windows") await Deno.chmod(copy, 0o600);
  return { path: copy };
}

/** `NOT_A_FILE`: a folder, say. */
export function notAFile(path: string): AlknetError {
  return new AlknetError("NOT_A_FILE", `${path} is no file; blobs are made of files`);
}

/**
 * Makes sure that there is room for a file.
 *
 * @throws {AlknetError} `QUOTA_EXCEEDED`.
 */
export async function assertFits(path: string, room: number): Promise<void> {
  const { size } = await Deno.stat(path);
  if (size > room) throw exceeded(`${path} has ${size} bytes; ${room} may still be added`);
}

/**
 * What a stream brings.
 *
 * @param room Bytes that it may have.
 * @throws {AlknetError} `QUOTA_EXCEEDED`.
 */
export async function spooled(
  from: ReadableStream<Uint8Array>,
  newPath: () => string,
  room: number,
  { signal, progress }: AddOptions,
): Promise<Staged> {
  await using spill = new Spill(newPath, 1024 * 1024);
  let done = 0;
  for await (const bytes of from) {
    signal?.throwIfAborted();
    done += bytes.byteLength;
    if (done > room) throw exceeded(`more than the ${room} bytes came that may still be added`);
    await spill.write(bytes);
    progress?.(done);
  }
  return await spill.end();
}

/** The same, with its hash and its outboard. */
export async function hashed(data: Staged, newPath: () => string, told: AddOptions): Promise<Import> {
  if ("path" in data) return { data, ...await hashFile(data.path, newPath(), told) };
  const { size, root, pairs } = MemoryOutboard.of(data.bytes);
  told.progress?.(size, size);
  return { hash: root.toHex(), size, data, pairs: { bytes: pairs } };
}

/**
 * Does work with files of its own, which are gone after it, but for those that came to their place.
 *
 * @param paths Such files that are there already.
 * @throws {AlknetError} `STORE_FULL`. What the work throws.
 */
export async function working<T>(
  { root, newPath }: { readonly root: string; readonly newPath: () => string },
  work: (newPath: () => string) => Promise<T>,
  paths: string[],
): Promise<T> {
  try {
    return await work(() => {
      const path = newPath();
      paths.push(path);
      return path;
    });
  } catch (error) {
    throw diskError(error, root);
  } finally {
    await Promise.all(paths.map((path) => Deno.remove(path).catch(() => {})));
  }
}
