/**
 * Changes of attributes, in the order in which OpenSSH's server makes them: size, permissions, times, owner.
 *
 * @module
 */
import { type FileAttributes, StoreError } from "../file_store.ts";
import { At, away, cString, Errno, Syscall } from "./libc.ts";
import { must } from "./refusals.ts";
import { isDirectory, ITSELF, modeOf } from "./status.ts";

const PERMISSIONS = 0o7777;
const SET_ID = 0o6000;
const encoder = new TextEncoder();

/** Changes an open file, or one that a descriptor names; its size only where it is open for writing. */
export async function change(fd: number, attributes: FileAttributes): Promise<void> {
  const { size, mode, times, owner } = attributes;
  if (mode !== undefined) refuseSetId(fd, mode);
  if (size !== undefined) must(await away("ftruncate", fd, safe(size)));
  if (mode !== undefined) must(await changeMode(fd, mode & PERMISSIONS));
  if (times) must(await away("utimensat", fd, ITSELF, timespecs(times), At.EMPTY_PATH));
  if (owner) must(await away("fchownat", fd, ITSELF, owner.uid, owner.gid, At.EMPTY_PATH));
}

/** Permissions for something new. The node's umask takes from them. */
export function permissionsOf(attributes: FileAttributes, otherwise: number): number {
  // A file with the node's rights for whoever runs it would be a way out of the folder.
  return (attributes.mode ?? otherwise) & PERMISSIONS & ~SET_ID;
}

/**
 * A number of bytes as the kernel takes it.
 *
 * @throws {StoreError} Above 2^53, where a number would be another one.
 */
export function safe(bytes: number): bigint {
  if (Number.isSafeInteger(bytes) && bytes >= 0) return BigInt(bytes);
  throw new StoreError("FAILURE", "sizes and positions end at 2^53 bytes");
}

/** A directory hands its group down by that bit, which is harmless; a file would run as its owner. */
function refuseSetId(fd: number, mode: number): void {
  if ((mode & SET_ID) === 0 || isDirectory(modeOf(fd))) return;
  throw new StoreError("PERMISSION_DENIED", "set-user-id and set-group-id are not given to files");
}

async function changeMode(fd: number, mode: number): Promise<number> {
  const answer = await away("fchmodat2", Syscall.fchmodat2, fd, ITSELF, mode, At.EMPTY_PATH);
  if (answer !== -Errno.ENOSYS && answer !== -Errno.EPERM) return answer;
  // Before Linux 6.6, and in sandboxes that do not know the call, a descriptor of a path is reached by its own link.
  return await away("chmod", cString(encoder.encode(`/proc/self/fd/${fd}`)), mode);
}

/** Two `struct timespec`: the last access, the last change. */
function timespecs({ accessed, modified }: NonNullable<FileAttributes["times"]>): Uint8Array<ArrayBuffer> {
  return new Uint8Array(BigInt64Array.of(BigInt(Math.floor(accessed)), 0n, BigInt(Math.floor(modified)), 0n).buffer);
}
