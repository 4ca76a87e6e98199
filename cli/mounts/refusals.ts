/**
 * What a branch refused, in the words of SFTP. A fault that no client can have caused stays what it is.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { StoreError, type StoreErrorCode } from "@alknet/handlers/sftp";

const REFUSALS: Readonly<Record<string, readonly [StoreErrorCode, string]>> = {
  BRANCH_NOT_FOUND: ["NO_SUCH_FILE", "no such file or directory"],
  PATH_NOT_FOUND: ["NO_SUCH_FILE", "no such file or directory"],
  NOT_A_FOLDER: ["NO_SUCH_FILE", "a name on the way is not a directory"],
  HISTORY_GONE: ["NO_SUCH_FILE", "that version is not kept any more"],
  OUTSIDE_BRANCH: ["PERMISSION_DENIED", "leads out of the folder"],
  TOO_MANY_LINKS: ["PERMISSION_DENIED", "too many links, or one that may not be followed"],
  READ_ONLY: ["PERMISSION_DENIED", "this branch may only be read"],
  BRANCH_FROZEN: ["PERMISSION_DENIED", "a version does not change"],
  NOT_CHANGED: ["PERMISSION_DENIED", "the root stays what it is"],
  BLOB_NOT_FOUND: ["FAILURE", "its content is not in the store any more"],
  NOT_FOR_WRITING: ["FAILURE", "the file was not opened for writing"],
  INVALID_NAME: ["FAILURE", "a branch cannot have this name or path"],
  INVALID_INPUT: ["FAILURE", "not possible with these arguments"],
  PATH_EXISTS: ["FAILURE", "file exists"],
  IS_A_FOLDER: ["FAILURE", "is a directory"],
  FOLDER_NOT_EMPTY: ["FAILURE", "directory not empty"],
  QUOTA_EXCEEDED: ["FAILURE", "disk quota exceeded"],
  STORE_FULL: ["FAILURE", "no space left on device"],
  CHANGED_MEANWHILE: ["FAILURE", "somebody else has changed it meanwhile"],
};

/** Does work on a branch, whose refusals become those of SFTP. */
export async function refusing<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw refusal(error);
  }
}

function refusal(error: unknown): unknown {
  if (!(error instanceof AlknetError) || error instanceof StoreError) return error;
  if (!Object.hasOwn(REFUSALS, error.code)) return error;
  const [code, message] = REFUSALS[error.code];
  return new StoreError(code, message, { cause: error });
}
