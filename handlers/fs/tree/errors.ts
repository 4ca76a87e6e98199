/**
 * Errors of trees, by their codes (fs.md §6, §9).
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";

/** `HISTORY_GONE`: a version is not kept any more. */
export class HistoryGoneError extends AlknetError {
  /** The class, as it stands before the message. */
  override readonly name = "HistoryGoneError";
  /** The oldest version that is. */
  readonly oldest: number;

  /**
   * The error that says so.
   *
   * @param oldest The oldest version that is kept.
   */
  constructor(oldest: number) {
    super("HISTORY_GONE", `that version is not kept any more; the oldest is ${oldest}`);
    this.oldest = oldest;
  }
}

/** `TREE_UNAVAILABLE`: branches are not to be had now. The message says where they are, which is for the operator alone. */
export class TreeUnavailableError extends AlknetError {
  /** The class, as it stands before the message. */
  override readonly name = "TreeUnavailableError";
  /** Whether it may be that what was asked for was done nevertheless: then it is not to be asked for again unseen. */
  readonly isUncertain: boolean;

  /**
   * The error that says so.
   *
   * @param message Where they are, and why.
   */
  constructor(message: string, options: { readonly cause?: unknown; readonly isUncertain?: boolean } = {}) {
    const { isUncertain = false, ...rest } = options;
    super("TREE_UNAVAILABLE", message, rest);
    this.isUncertain = isUncertain;
  }
}

/** `BRANCH_NOT_FOUND`: there is none, or not for whoever asks. */
export function noBranch(name: string): AlknetError {
  return new AlknetError("BRANCH_NOT_FOUND", `there is no branch ${quoted(name)}, or not for you`);
}

/** `PATH_NOT_FOUND`. */
export function noPath(path: string): AlknetError {
  return new AlknetError("PATH_NOT_FOUND", `there is nothing at ${quoted(path)}`);
}

/** `NOT_A_FOLDER`. */
export function noFolder(path: string): AlknetError {
  return new AlknetError("NOT_A_FOLDER", `${quoted(path)} is no folder`);
}

/** `IS_A_FOLDER`. */
export function isFolder(path: string): AlknetError {
  return new AlknetError("IS_A_FOLDER", `${quoted(path)} is a folder`);
}

/** `PATH_EXISTS`. */
export function pathExists(path: string): AlknetError {
  return new AlknetError("PATH_EXISTS", `${quoted(path)} is there already`);
}

/** `FOLDER_NOT_EMPTY`. */
export function notEmpty(path: string): AlknetError {
  return new AlknetError("FOLDER_NOT_EMPTY", `the folder ${quoted(path)} is not empty`);
}

/** Text of somebody else's in a message. */
export function quoted(text: string): string {
  return JSON.stringify(text);
}
