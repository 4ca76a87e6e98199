/**
 * What is done for each request that names paths or handles, one function a kind; order and limits are the session's.
 *
 * @module
 */
import { MAX_DATA } from "../codec/numbers.ts";
import { DataReply, type NameEntry } from "../codec/replies.ts";
import type { SftpRequestBody } from "../codec/request.ts";
import { type DirectoryEntry, type FileStore, type OpenFlags, StoreError } from "../file_store.ts";
import type { OpenDirectory, OpenFile } from "./handles.ts";
import { longName } from "./long_name.ts";

/** Entries that a directory is asked for at once. */
const ENTRIES = 256;
/** Bytes of an answer, about. Clients of the draft may take packets of 34,000 bytes, and no longer ones (§3). */
const MOST_BYTES = 24_000;
/** Bytes of an entry beside its two names: lengths, attributes, and the columns of the long form. */
const BESIDE_NAMES = 100;

/** A path in the store for one of the client's: what is relative begins at the root. */
export function absolute(path: string): string {
  return path.startsWith("/") ? path : `/${path}`;
}

/** The path that `~` and `~/…` stand for: the home of everyone is the root. */
export function expanded(path: string): string {
  if (path === "~" || path.startsWith("~/")) return absolute(path.slice(2));
  if (path.startsWith("~")) throw new StoreError("NO_SUCH_FILE", "nobody else has a home here");
  return absolute(path);
}

/** Whether a request would change something. */
export function changes(request: SftpRequestBody): boolean {
  switch (request.kind) {
    case "open":
      return opensForChange(request.flags);
    case "write":
    case "remove":
    case "rmdir":
    case "setstat":
    case "lsetstat":
    case "mkdir":
    case "fsetstat":
    case "rename":
    case "posix-rename":
    case "hardlink":
    case "symlink":
    case "copy-data":
      return true;
    default:
      return false;
  }
}

/** Whether a file is opened in order to change it, or made. */
export function opensForChange(flags: OpenFlags): boolean {
  return flags.write || flags.append || flags.create || flags.truncate;
}

/** Does what changes names or what they lead to. */
export async function changeNames(store: FileStore, request: SftpRequestBody): Promise<void> {
  switch (request.kind) {
    case "setstat":
      return await store.setAttributes(absolute(request.path), request.attributes, true);
    case "lsetstat":
      return await store.setAttributes(absolute(request.path), request.attributes, false);
    case "mkdir":
      return await store.makeDirectory(absolute(request.path), request.attributes);
    case "remove":
      return await store.remove(absolute(request.path));
    case "rmdir":
      return await store.removeDirectory(absolute(request.path));
    case "rename":
      return await store.rename(absolute(request.from), absolute(request.to), false);
    case "posix-rename":
      return await store.rename(absolute(request.from), absolute(request.to), true);
    case "hardlink":
      return await store.hardLink(absolute(request.from), absolute(request.to));
    case "symlink":
      return await store.symbolicLink(request.target, absolute(request.path));
    default:
      throw new StoreError("UNSUPPORTED", "not supported");
  }
}

/** Reads into an answer. Returns it with the bytes of data in it: 0 is the end. */
export async function readData(
  { file, mayRead }: OpenFile,
  position: number,
  length: number,
): Promise<{ readonly reply: DataReply; readonly count: number }> {
  if (!mayRead) throw new StoreError("FAILURE", "the file was not opened for reading");
  const reply = new DataReply(Math.min(length, MAX_DATA));
  return { reply, count: await file.read(reply.room, position) };
}

/** Writes to a file that is open for it. */
export async function writeData(open: OpenFile, data: Uint8Array<ArrayBuffer>, position: number): Promise<void> {
  if (!open.mayWrite) throw new StoreError("FAILURE", "the file was not opened for writing");
  if (data.length > 0) await open.file.write(data, position);
}

/** The next entries of a directory, as many as an answer should have; none is the end. */
export async function nextEntries(open: OpenDirectory): Promise<NameEntry[]> {
  if (open.left.length === 0) open.left = await open.directory.next(ENTRIES);
  let [count, bytes] = [0, 0];
  for (const { name } of open.left) {
    bytes += 2 * name.length + BESIDE_NAMES;
    if (bytes > MOST_BYTES && count > 0) break;
    count++;
  }
  const now = Date.now();
  const entries = open.left.slice(0, count).map((entry) => shown(entry, now));
  open.left = open.left.slice(count);
  return entries;
}

/** Copies between files that are open (`copy-data`). `length` 0 is to the end. */
export async function copyData(
  source: OpenFile,
  target: OpenFile,
  { position, length, targetPosition }: SftpRequestBody & { readonly kind: "copy-data" },
  isOver: () => boolean,
): Promise<void> {
  if (!source.mayRead || !target.mayWrite) {
    throw new StoreError("FAILURE", "the files are not open for reading the one and writing the other");
  }
  if (source === target && (length === 0 || Math.abs(position - targetPosition) < length)) {
    throw new StoreError("FAILURE", "the two ranges overlap");
  }
  // The end as it is now: a copy into the file that is read, by another handle, would never come to it.
  const { size = Infinity } = await source.file.attributes();
  const end = length === 0 ? size : Math.min(size, position + length);
  const buffer = new Uint8Array(new ArrayBuffer(MAX_DATA));
  for (let at = position; at < end;) {
    if (isOver()) throw new StoreError("FAILURE", "the session is over");
    const count = await source.file.read(buffer.subarray(0, Math.min(buffer.length, end - at)), at);
    if (count === 0) break;
    await target.file.write(buffer.subarray(0, count), targetPosition + at - position);
    at += count;
  }
}

function shown({ name, attributes }: DirectoryEntry, now: number): NameEntry {
  return { name, longName: longName(name, attributes, now), attributes };
}
