/**
 * Attributes of files, by `statx`, and the room of file systems, by `fstatvfs`.
 *
 * @module
 */
import type { FileAttributes, FileSystemRoom } from "../file_store.ts";
import { At, away, cString, now } from "./libc.ts";
import { must } from "./refusals.ts";

/** The file itself instead of a name in a directory. */
export const ITSELF: Uint8Array<ArrayBuffer> = cString(new Uint8Array());

/** Type, permissions, links, owner, times and size. */
const STATX_BASIC = 0x1ff - 0x100 - 0x80;
/** What is in memory will do. */
const AT_STATX_DONT_SYNC = 0x4000;
const NAME_ONLY = At.SYMLINK_NOFOLLOW | At.NO_AUTOMOUNT;

const S_IFMT = 0o170000;
const S_IFREG = 0o100000;
const S_IFDIR = 0o040000;
const ST_RDONLY = 1;
const ST_NOSUID = 2;

/** One `struct statx`, for calls which are made now. */
const here = newStatus();

/** Attributes of an open file. */
export async function statusOf(fd: number): Promise<FileAttributes> {
  const status = newStatus();
  must(await away("statx", fd, ITSELF, At.EMPTY_PATH, STATX_BASIC, status.bytes));
  return attributesOf(status.view);
}

/** Type and permissions of an open file, from memory. */
export function modeOf(fd: number): number {
  must(now("statx", fd, ITSELF, At.EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_BASIC, here.bytes));
  return here.view.getUint16(28, true);
}

/** Attributes of a name in a directory, now. Nothing where there is no such name any more, or it may not be asked for. */
export function statusNow(directory: number, name: Uint8Array<ArrayBuffer>): FileAttributes | undefined {
  return now("statx", directory, name, NAME_ONLY, STATX_BASIC, here.bytes) < 0 ? undefined : attributesOf(here.view);
}

/** The same on another thread. */
export async function statusAway(
  directory: number,
  name: Uint8Array<ArrayBuffer>,
): Promise<FileAttributes | undefined> {
  const { bytes, view } = newStatus();
  return await away("statx", directory, name, NAME_ONLY, STATX_BASIC, bytes) < 0 ? undefined : attributesOf(view);
}

/** Whether a mode is that of a file with content of its own. */
export function isRegular(mode: number): boolean {
  return (mode & S_IFMT) === S_IFREG;
}

/** Whether a mode is that of a directory. */
export function isDirectory(mode: number): boolean {
  return (mode & S_IFMT) === S_IFDIR;
}

/** The room of the file system on which an open file is. */
export async function roomOf(fd: number, readOnly: boolean): Promise<FileSystemRoom> {
  const bytes = new Uint8Array(new ArrayBuffer(256));
  must(await away("fstatvfs", fd, bytes));
  const view = new DataView(bytes.buffer);
  const field = (index: number): bigint => view.getBigUint64(index * 8, true);
  const flags = Number(field(9));
  return {
    blockSize: Number(field(0)),
    fragmentSize: Number(field(1)),
    blocks: field(2),
    freeBlocks: field(3),
    availableBlocks: field(4),
    files: field(5),
    freeFiles: field(6),
    availableFiles: field(7),
    id: field(8),
    readOnly: readOnly || (flags & ST_RDONLY) !== 0,
    noSetuid: (flags & ST_NOSUID) !== 0,
    longestName: Number(field(10)),
  };
}

function newStatus(): { bytes: Uint8Array<ArrayBuffer>; view: DataView<ArrayBuffer> } {
  const bytes = new Uint8Array(new ArrayBuffer(256));
  return { bytes, view: new DataView(bytes.buffer) };
}

/** `struct statx`: nlink @16, uid @20, gid @24, mode @28, size @40, atime @64, mtime @112. */
function attributesOf(view: DataView): FileAttributes {
  return {
    size: large(view, 40),
    owner: { uid: view.getUint32(20, true), gid: view.getUint32(24, true) },
    mode: view.getUint16(28, true),
    times: { accessed: large(view, 64), modified: large(view, 112) },
    links: view.getUint32(16, true),
  };
}

/** 64 bits with a sign as a number: sizes and times of real files are exact in it. */
function large(view: DataView, at: number): number {
  return view.getInt32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);
}
