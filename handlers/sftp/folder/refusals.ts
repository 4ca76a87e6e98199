/**
 * What the kernel refused, in the words of SFTP. No message names a path: the client knows its own, and no other.
 *
 * @module
 */
import { StoreError, type StoreErrorCode } from "../file_store.ts";
import { Errno } from "./libc.ts";

const REFUSALS: ReadonlyMap<number, readonly [StoreErrorCode, string]> = new Map([
  [Errno.ENOENT, ["NO_SUCH_FILE", "no such file or directory"]],
  [Errno.ENOTDIR, ["NO_SUCH_FILE", "a name on the way is not a directory"]],
  [Errno.EACCES, ["PERMISSION_DENIED", "permission denied"]],
  [Errno.EPERM, ["PERMISSION_DENIED", "operation not permitted"]],
  [Errno.ELOOP, ["PERMISSION_DENIED", "too many links, or one that may not be followed"]],
  [Errno.EROFS, ["PERMISSION_DENIED", "read-only file system"]],
  [Errno.EXDEV, ["FAILURE", "the two are on different file systems"]],
  [Errno.EEXIST, ["FAILURE", "file exists"]],
  [Errno.EISDIR, ["FAILURE", "is a directory"]],
  [Errno.ENOTEMPTY, ["FAILURE", "directory not empty"]],
  [Errno.EBUSY, ["FAILURE", "in use"]],
  [Errno.EINVAL, ["FAILURE", "not possible with these arguments"]],
  [Errno.EFBIG, ["FAILURE", "larger than a file may be here"]],
  [Errno.ENOSPC, ["FAILURE", "no space left on device"]],
  [Errno.EDQUOT, ["FAILURE", "disk quota exceeded"]],
  [Errno.EMLINK, ["FAILURE", "too many links to it"]],
  [Errno.ENAMETOOLONG, ["FAILURE", "name too long"]],
  [Errno.EMFILE, ["FAILURE", "too many open files"]],
  [Errno.ENFILE, ["FAILURE", "too many open files"]],
  [Errno.EOPNOTSUPP, ["UNSUPPORTED", "this file system cannot do it"]],
  [Errno.ENOSYS, ["UNSUPPORTED", "this system cannot do it"]],
]);

/** The refusal for an answer below zero. */
export function refusal(answer: number): StoreError {
  const [code, message] = REFUSALS.get(-answer) ?? ["FAILURE", `the disk refused (error ${-answer})`];
  return new StoreError(code, message);
}

/** The same for the way to a file, on which "another device" is what the kernel says of a way out. */
export function refusalOfPath(answer: number): StoreError {
  return answer === -Errno.EXDEV ? new StoreError("PERMISSION_DENIED", "leads out of the folder") : refusal(answer);
}

/** Lets an answer through that is no refusal. */
export function must(answer: number): number {
  if (answer < 0) throw refusal(answer);
  return answer;
}
