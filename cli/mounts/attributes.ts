/**
 * Attributes of a branch's files, as SFTP has them. A branch keeps no owners and no times of access.
 *
 * @module
 */
import type { Attributes, Entry, Space } from "@alknet/handlers/fs";
import { type FileAttributes, type FileSystemRoom, StoreError } from "@alknet/handlers/sftp";

const TYPES = { file: 0o100000, folder: 0o040000, link: 0o120000 } as const;
const MODE_BITS = 0o7777;
const LINK_MODE = 0o777;
const BLOCK = 4096;
const LONGEST_NAME = 255;

/** What is known of a name. */
export function attributesOf({ kind, mode, mtime, size, target }: Entry): FileAttributes {
  const modified = Math.max(0, Math.floor(mtime / 1000));
  return {
    size: size ?? (target === undefined ? 0 : new TextEncoder().encode(target).byteLength),
    mode: TYPES[kind] | (kind === "link" ? LINK_MODE : mode),
    times: { accessed: modified, modified },
  };
}

/**
 * What a client changes of one.
 *
 * @throws {StoreError} It changes what a branch does not keep.
 */
export function changesOf({ size, mode, times, owner }: FileAttributes): Attributes {
  if (owner) throw new StoreError("PERMISSION_DENIED", "a branch keeps no owners");
  return {
    ...size !== undefined && { size },
    ...mode !== undefined && { mode: mode & MODE_BITS },
    ...times && { mtime: times.modified * 1000 },
  };
}

/** Permissions of what is made; nothing where the client names none. */
export function modeOf({ mode }: FileAttributes): number | undefined {
  return mode === undefined ? undefined : mode & MODE_BITS;
}

/** How much there is room for. */
export function roomOf({ bytes, free, files, freeFiles }: Space, readOnly: boolean): FileSystemRoom {
  const blocks = (count: number): bigint => BigInt(Math.floor(count / BLOCK));
  return {
    blockSize: BLOCK,
    fragmentSize: BLOCK,
    blocks: blocks(bytes),
    freeBlocks: blocks(free),
    availableBlocks: blocks(free),
    files: BigInt(files),
    freeFiles: BigInt(freeFiles),
    availableFiles: BigInt(freeFiles),
    id: 0n,
    readOnly,
    noSetuid: true,
    longestName: LONGEST_NAME,
  };
}
