/**
 * Files that are to outlive a loss of power, and files that only one may make.
 *
 * @module
 */
import { close, closeSync, fsync, openSync, unlinkSync, writeFileSync } from "node:fs";
import { promisify } from "node:util";
import { GitPackError } from "../../errors.ts";

const synced = promisify(fsync);
const closed = promisify(close);

/** What is told of each step, so that a test can end the process there. */
export type OnStep = (step: string) => void;

/** Brings a folder's entries, or a file, to the disk. */
export async function sync(path: string): Promise<void> {
  const fd = openSync(path, "r");
  try {
    await synced(fd);
  } finally {
    await closed(fd);
  }
}

/** Writes a file that is not there yet, and brings it to the disk; where that fails, it is not there then. */
export async function writeNew(path: string, content: Uint8Array | string): Promise<void> {
  const fd = openSync(path, "wx", 0o600);
  try {
    writeFileSync(fd, content);
    await synced(fd);
  } catch (error) {
    unlinkSync(path);
    throw error;
  } finally {
    closeSync(fd);
  }
}

/** The code of an error of the file system, such as `ENOENT`. */
export function codeOf(error: unknown): string | undefined {
  return (error as { code?: string }).code;
}

/** Whether an error says that the disk, or what one may have of it, is full. Writes by descriptor say it in words alone. */
export function isFull(error: unknown): boolean {
  if (["ENOSPC", "EDQUOT", "EFBIG"].includes(codeOf(error) ?? "")) return true;
  return error instanceof Error && /\(os error (?:27|28|122)\)$/.test(error.message);
}

/**
 * Receives, and says it where there is no room.
 *
 * @throws {GitPackError} `disk full`. What the work throws.
 */
export async function receiving<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw isFull(error) ? new GitPackError("disk full") : error;
  }
}
