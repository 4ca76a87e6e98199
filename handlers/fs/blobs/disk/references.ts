/**
 * Blobs whose data are files that stay where they are. Such a file is believed while its size and its time are those that it
 * was hashed with, and each group of it only once it is verified, as of every blob; one that changed is absent.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { Hash } from "../../wire/hash_text.ts";
import type { AddOptions, OpenSource, VerifyStep } from "../blob_store.ts";
import { verified } from "../verifying.ts";
import type { StoreDatabase } from "./tables/database.ts";
import { hashFile } from "./hashing.ts";
import { type Import, notAFile } from "./importing.ts";
import { bytesOf, PLACE } from "./tables/rows.ts";

/** No file has this time: what is believed no more. */
const NEVER = -1n;

/** A file as it was hashed. */
export interface Source {
  /** Absolute. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** When it was last changed, in nanoseconds since 1970. */
  readonly mtime: bigint;
}

/** The sources of a store. */
export class References {
  readonly #database: StoreDatabase;

  /** @param database That of the store. */
  constructor(database: StoreDatabase) {
    this.#database = database;
  }

  /** Writes down where a blob is, in a transaction of the caller's. */
  set(hash: Hash, { path, size, mtime }: Source): void {
    this.#database.run(
      "INSERT OR REPLACE INTO sources(hash,path,size,mtime_ns) VALUES(?,?,?,?)",
      bytesOf(hash),
      path,
      size,
      mtime,
    );
  }

  /** A file that is as it was hashed; nothing where none is. */
  async path(hash: Hash): Promise<string | undefined> {
    const all = this.#database.all<{ path: string; size: number; mtime: string }>(
      "SELECT path,size,CAST(mtime_ns AS TEXT) AS mtime FROM sources WHERE hash=?",
      bytesOf(hash),
    );
    for (const { path, size, mtime } of all) {
      const now = await seen(path).catch(() => undefined);
      if (now?.size === size && now.mtime === BigInt(mtime)) return path;
    }
    return undefined;
  }

  /** Looks at the files of a blob again: whether one of them is it, which is believed then. */
  async restore(hash: Hash, newPath: () => string): Promise<boolean> {
    const all = this.#database.all<{ path: string }>("SELECT path FROM sources WHERE hash=?", bytesOf(hash));
    for (const { path } of all) {
      const found = await hashedInPlace(path, newPath, {}).catch(() => undefined);
      if (found?.hash !== hash) continue;
      this.#database.transaction(() => this.set(hash, found.source));
      return true;
    }
    return false;
  }

  /** Believes a file no more: something in it did not verify. */
  distrust(hash: Hash, path: string): void {
    this.#database.transaction(() =>
      this.#database.run("UPDATE sources SET mtime_ns=? WHERE hash=? AND path=?", NEVER, bytesOf(hash), path)
    );
  }
}

/** What looking at a stored blob needs. */
export interface VerifyParts {
  /** Files that stay where they are. */
  readonly references: References;
  /** Looks at those of the blob again. */
  readonly restore: () => Promise<boolean>;
  /** Opens it. */
  readonly source: () => Promise<OpenSource>;
}

/** Looks at a stored blob; a file elsewhere that is again what it was is believed again. */
export async function* verifiedRow(
  hash: Hash,
  { size, place }: { readonly size: number; readonly place: number },
  { references, restore, source }: VerifyParts,
): AsyncGenerator<VerifyStep> {
  const isElsewhere = place === PLACE.referenced;
  const believed = !isElsewhere || await references.path(hash) !== undefined || await restore();
  if (!believed) return yield { hash, size, done: 0, fault: "reference" };
  for await (const step of verified(hash, size, source)) {
    const isFile = isElsewhere && (step.fault === "data" || step.fault === "missing");
    yield isFile ? { ...step, fault: "reference" } : step;
  }
}

/**
 * Hashes a file where it is.
 *
 * @throws {AlknetError} `NOT_A_FILE`; `CHANGED_MEANWHILE`.
 */
export async function hashedInPlace(
  path: string,
  newPath: () => string,
  told: AddOptions,
): Promise<Import & { readonly source: Source }> {
  const absolute = resolve(path);
  const before = await seen(absolute);
  if (!before) throw notAFile(path);
  const found = await hashFile(absolute, newPath(), told).catch(async (error) => {
    const after = await seen(absolute).catch(() => undefined);
    throw isSame(before, after) ? error : changed(path, error);
  });
  if (!isSame(before, await seen(absolute)) || found.size !== before.size) throw changed(path);
  return { ...found, data: { path: absolute }, source: { path: absolute, size: found.size, mtime: before.mtime } };
}

interface Seen {
  readonly size: number;
  readonly mtime: bigint;
  readonly ino: bigint;
}

/** A file as it is now; nothing where it is none. */
async function seen(path: string): Promise<Seen | undefined> {
  const { size, mtimeNs, ino, isFile } = await stat(path, { bigint: true }).then((found) => ({
    size: Number(found.size),
    mtimeNs: found.mtimeNs,
    ino: found.ino,
    isFile: found.isFile(),
  }));
  return isFile ? { size, mtime: mtimeNs, ino } : undefined;
}

function isSame(one: Seen, other: Seen | undefined): boolean {
  return one.size === other?.size && one.mtime === other.mtime && one.ino === other.ino;
}

function changed(path: string, cause?: unknown): AlknetError {
  return new AlknetError("CHANGED_MEANWHILE", `${path} was changed while it was read; nothing was added`, { cause });
}
