/**
 * Files that only their owner may read, written so that a reader sees the old content or the new, never a part.
 *
 * @module
 */
import { basename, dirname, join } from "node:path";
import { AlknetError } from "../errors.ts";

/** Owner reads and writes, nobody else does anything. */
const PRIVATE_MODE = 0o600;
/** Permission bits of everyone but the owner. */
const OTHERS = 0o077;
const OWNER_WRITES = 0o200;
/** Keys and certificate chains are a few KiB; more is a wrong path. */
const MAX_SIZE = 1024 * 1024;

/** Options of {@linkcode readPrivateFile}. */
export interface PrivateFileOptions {
  /** What the codes of errors begin with. Default `KEY_FILE`. */
  readonly code?: string;
  /** Most bytes that are read. Default 1 MiB. */
  readonly maxSize?: number;
}

/**
 * Reads a file that holds a secret.
 *
 * @param what What the file is, for messages: `key file`.
 * @throws {AlknetError} `KEY_FILE_NOT_FOUND`; `KEY_FILE_PERMISSIONS` when others may read it, with the command that mends
 * it; `KEY_FILE_UNREADABLE`.
 */
export async function readPrivateFile(path: string, what: string, options: PrivateFileOptions = {}): Promise<string> {
  const { code = "KEY_FILE", maxSize = MAX_SIZE } = options;
  try {
    // Looked at through the open file, so that what was checked is what is read.
    using file = await Deno.open(path);
    const { isFile, size, mode } = await file.stat();
    if (!isFile) throw new AlknetError(`${code}_UNREADABLE`, `${what} ${path} is not a regular file`);
    if (size > maxSize) {
      throw new AlknetError(`${code}_UNREADABLE`, `${what} ${path} is ${size} bytes long, more than one ever is`);
    }
    if (mode !== null && (mode & OTHERS) !== 0) throw tooOpen(`${code}_PERMISSIONS`, path, what, mode);
    return await readAll(file, maxSize);
  } catch (error) {
    if (error instanceof AlknetError) throw error;
    if (error instanceof Deno.errors.NotFound) {
      throw new AlknetError(`${code}_NOT_FOUND`, `${what} ${path} does not exist`, { cause: error });
    }
    throw new AlknetError(`${code}_UNREADABLE`, `cannot read ${what} ${path}: ${reason(error)}`, { cause: error });
  }
}

/**
 * Makes a file that did not exist, whole or not at all, readable by its owner alone from its first moment.
 *
 * @throws {Deno.errors.AlreadyExists} There is something at that path; it stays as it is.
 */
export async function createPrivateFile(path: string, content: string): Promise<void> {
  await withTemporary(path, content, async (temporary) => {
    try {
      await Deno.link(temporary, path);
    } catch (error) {
      if (error instanceof Deno.errors.AlreadyExists) throw error;
      // Some file systems have no hard links, which alone refuse to overwrite.
      if (await exists(path)) throw new Deno.errors.AlreadyExists(path);
      return await Deno.rename(temporary, path);
    }
    await Deno.remove(temporary);
  });
}

/**
 * Replaces the content of a file in one step, or makes it. Permissions, owner and a symbolic link to it stay; a new file
 * is readable by its owner alone.
 */
export async function replaceFile(path: string, content: string): Promise<void> {
  const target = await Deno.realPath(path).catch(() => path);
  await withTemporary(target, content, async (temporary) => {
    if (Deno.build.os !== "windows") await copyOwnership(target, temporary);
    try {
      await Deno.rename(temporary, target);
    } catch (cause) {
      // As a container has it whose file was mounted by itself; written in place, it could be read half done.
      if ((cause as { code?: unknown }).code !== "EBUSY") throw cause;
      throw new Error("it is mounted by itself and cannot be replaced; mount the folder that holds it instead", {
        cause,
      });
    }
  });
}

/** The words of a failure, without the path that most of them repeat. */
export function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Writes a temporary file beside `path`, on the disk when `place` is called, gone when it fails. */
async function withTemporary(
  path: string,
  content: string,
  place: (temporary: string) => Promise<void>,
): Promise<void> {
  const random = crypto.getRandomValues(new Uint8Array(6)).toHex();
  const temporary = join(dirname(path), `.${basename(path)}.${random}.tmp`);
  try {
    {
      using file = await Deno.open(temporary, { write: true, createNew: true, mode: PRIVATE_MODE });
      await writeAll(file, new TextEncoder().encode(content));
      await file.sync();
    }
    await place(temporary);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw error;
  }
  await syncFolder(dirname(path));
}

async function copyOwnership(from: string, to: string): Promise<void> {
  let old: Deno.FileInfo;
  try {
    old = await Deno.stat(from);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  if (old.mode !== null) await Deno.chmod(to, old.mode & 0o777);
  if (old.uid === null || (old.uid === Deno.uid() && old.gid === Deno.gid())) return;
  // Edited by root, the file of a service must stay the service's; for anyone else there is nothing to give away.
  await Deno.chown(to, old.uid, old.gid).catch(() => {});
}

/** Makes the new name last through a power cut. Not every platform can open a folder. */
async function syncFolder(path: string): Promise<void> {
  try {
    using folder = await Deno.open(path);
    await folder.sync();
  } catch {
    // The content itself is on the disk already.
  }
}

async function readAll(file: Deno.FsFile, maxSize: number): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of file.readable) {
    size += part.byteLength;
    if (size > maxSize) throw new Error(`it is longer than ${maxSize} bytes`);
    parts.push(part);
  }
  return new TextDecoder().decode(await new Blob(parts as BlobPart[]).arrayBuffer());
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.byteLength;) written += await file.write(bytes.subarray(written));
}

async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

function tooOpen(code: string, path: string, what: string, mode: number): AlknetError {
  const octal = (mode & 0o777).toString(8).padStart(4, "0");
  // As an orchestrator mounts secrets: read-only, for a group, on a volume that refuses chmod.
  const mounted = (mode & OWNER_WRITES) === 0
    ? "; where it is mounted read-only, have it mounted with mode 0400, as owned by the user that runs alknet"
    : "";
  return new AlknetError(
    code,
    `${what} ${path} is open to others (mode ${octal}); run: chmod 600 ${quoted(path)}${mounted}`,
  );
}

function quoted(path: string): string {
  return /^[\w./+:@%,-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
