/**
 * Paths as a guest writes them: absolute, beneath one of its folders, and nothing that could mean something else.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";

const MOST_PATH = 4096;
const MOST_NAME = 255;

/** What `fs` refuses, with a code of its own. */
export type FsCode = "FS_REFUSED" | "FS_NOT_FOUND" | "FS_EXISTS" | "FS_LIMIT" | "FS_FAILED";

/** A refusal of `fs`; no message of it holds a path of the host. */
export function fsError(code: FsCode, why: string, cause?: unknown): AlknetError {
  return new AlknetError(code, why, { cause });
}

/**
 * The names of a path.
 *
 * @throws {AlknetError} `FS_REFUSED`: it is not absolute, or has `..`, the character zero, or a name that is too long.
 */
export function segmentsOf(path: unknown): string[] {
  if (typeof path !== "string" || !path.startsWith("/")) {
    throw fsError("FS_REFUSED", "a path begins with / and the name of a folder, as /data/file.txt");
  }
  if (path.length > MOST_PATH) throw fsError("FS_REFUSED", `a path has at most ${MOST_PATH} characters`);
  if (path.includes("\0") || !path.isWellFormed()) {
    throw fsError("FS_REFUSED", "a path is text without the character zero");
  }
  const segments = path.split("/").filter((name) => name !== "" && name !== ".");
  if (segments.includes("..")) throw fsError("FS_REFUSED", "a path has no ..");
  if (segments.some((name) => name.length * 3 > MOST_NAME && new TextEncoder().encode(name).length > MOST_NAME)) {
    throw fsError("FS_REFUSED", `a name has at most ${MOST_NAME} bytes`);
  }
  return segments;
}

/** What the kernel refused on the way, by its number. */
export function refusalOfWay(errno: number): AlknetError {
  if (errno === 2 || errno === 20) return fsError("FS_NOT_FOUND", "there is no such file or directory");
  if (errno === 18) return fsError("FS_REFUSED", "the path leads out of the folder");
  if (errno === 40) return fsError("FS_REFUSED", "the path has too many links, or one that is not followed");
  if (errno === 1 || errno === 13) return fsError("FS_REFUSED", "the host may not open it");
  return fsError("FS_FAILED", `the disk refused (error ${errno})`);
}

/** What the disk refused, without its own words: they hold paths. */
export function refusalOfDisk(error: unknown): AlknetError {
  if (error instanceof AlknetError) return error;
  if (error instanceof Deno.errors.NotFound) {
    return fsError("FS_NOT_FOUND", "there is no such file or directory", error);
  }
  if (error instanceof Deno.errors.AlreadyExists) return fsError("FS_EXISTS", "it is there already", error);
  if (error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable) {
    return fsError("FS_REFUSED", "the host may not do it", error);
  }
  if (error instanceof Deno.errors.IsADirectory) return fsError("FS_REFUSED", "it is a directory", error);
  return fsError("FS_FAILED", "the disk refused", error);
}
