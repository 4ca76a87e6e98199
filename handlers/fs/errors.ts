/**
 * Errors of fs, by their codes (fs.md §9).
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";

/** The first digits of a hash: what messages and logs hold of it. */
export function shortHash(hash: string): string {
  return hash.slice(0, 10);
}

/** `BLOB_NOT_FOUND`: it is not there, or not for whoever asks. */
export function notFound(hash: string, where = "it is not in the store"): AlknetError {
  return new AlknetError("BLOB_NOT_FOUND", `blob ${shortHash(hash)}: ${where}`);
}

/** `BLOB_CORRUPT`: what is stored is not the blob. */
export function corrupt(hash: string, what: string): AlknetError {
  return new AlknetError("BLOB_CORRUPT", `blob ${shortHash(hash)}: ${what}`);
}

/** `QUOTA_EXCEEDED`: a blob is larger than what is taken. */
export function tooLarge(size: number, most: number): AlknetError {
  return new AlknetError("QUOTA_EXCEEDED", `a blob of ${size} bytes is not taken; up to ${most} are`);
}

/** A fault of the disk as what it means for a store: `STORE_FULL`, `STORE_BUSY`, or itself. */
export function diskError(error: unknown, folder: string): unknown {
  const code = (error as { code?: unknown })?.code;
  if (isBusyDatabase(error)) return storeBusy(folder, error);
  if (code !== "ENOSPC" && code !== "EDQUOT" && !isFullDatabase(error)) return error;
  return storeFull(folder, error);
}

/** `STORE_FULL`: there is no room on the disk. */
export function storeFull(folder: string, cause?: unknown): AlknetError {
  return new AlknetError("STORE_FULL", `the disk of ${folder} is full; nothing was changed`, { cause });
}

/** `STORE_BUSY`: another process does not let go of the database. What was to be done was not. */
function storeBusy(folder: string, cause: unknown): AlknetError {
  const what = `another process keeps the store of ${folder} busy; nothing was changed`;
  return new AlknetError("STORE_BUSY", `${what}; wait for it or end it, then try again`, { cause });
}

function isBusyDatabase(error: unknown): boolean {
  const SQLITE_BUSY = 5;
  const { errcode, message } = (error ?? {}) as { errcode?: unknown; message?: unknown };
  return (typeof errcode === "number" && (errcode & 0xff) === SQLITE_BUSY) || message === "database is locked";
}

function isFullDatabase(error: unknown): boolean {
  const SQLITE_FULL = 13;
  const { errcode, message } = error as { errcode?: unknown; message?: unknown };
  // Not every error of the runtime's SQLite has the number.
  return errcode === SQLITE_FULL || message === "database or disk is full";
}
