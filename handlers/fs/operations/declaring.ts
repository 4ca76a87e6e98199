/**
 * What the operations of fs share: schemas, the errors that they declare, and how a fault becomes one (fs.md §8, §9).
 *
 * @module
 */
import { AlknetError, type Identity } from "@alknet/core/handler";
import { CallError, type ErrorDeclaration } from "@alknet/core/operations";
import Type, { type TInteger } from "typebox";
import { type BranchRight, mayUse } from "../rights.ts";
import { HistoryGoneError, noBranch, TreeUnavailableError } from "../tree/errors.ts";
import { BRANCH_PATTERN } from "../tree/names.ts";
import type { Branch, PathTree } from "../tree/path_tree.ts";

/** Objects take the members that they name, and no others. */
export const closed = { additionalProperties: false };

const MAX_PAGE = 1000;
/** Characters of a path, each at least a byte of it. */
const MAX_PATH = 4096;

/** A branch's name. */
export const branchName = Type.String({ pattern: BRANCH_PATTERN, description: "a branch" });
/** A path. */
export const path = Type.String({ minLength: 1, maxLength: MAX_PATH, description: "from the root: /a/b" });
/** A version of a branch that is named beside it. */
export const version = Type.String({ minLength: 1, maxLength: 100, description: "a commit's number or a snapshot" });
/** A branch, or a version of one. */
export const branchAt = Type.String({ minLength: 1, maxLength: 201, description: "BRANCH or BRANCH@VERSION" });
/** A name for a snapshot. */
export const snapshotName = Type.String({ pattern: BRANCH_PATTERN, description: "not digits alone" });
/** A hash. */
export const hash = Type.String({ pattern: "^[0-9a-f]{64}$", description: "BLAKE3, 64 hex digits" });
/** A number of bytes, a commit, a time. */
export const whole: TInteger = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
/** Permissions. */
export const mode = Type.Integer({ minimum: 0, maximum: 0o7777, description: "permissions, 12 bits" });
/** A time. */
export const mtime = Type.Integer({ description: "milliseconds since 1970" });
/** Which page of a list. */
export const page = {
  after: Type.Optional(
    Type.String({ maxLength: MAX_PATH, description: "what comes after it; next of the page before" }),
  ),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_PAGE, description: "default 1000" })),
};
/** Where the next page begins. */
export const next = Type.Optional(Type.String({ description: "after of the next page; absent at the end" }));

/** Errors by their codes, with the status of HTTP. */
export const ERRORS: Readonly<Record<string, ErrorDeclaration>> = {
  INVALID_NAME: { description: "a path or a name is not allowed", httpStatus: 400 },
  BLOB_NOT_FOUND: { description: "the blob is not there, not complete, or not for you", httpStatus: 404 },
  BRANCH_NOT_FOUND: { description: "there is no such branch or version, or not for you", httpStatus: 404 },
  PATH_NOT_FOUND: { description: "there is nothing at the path", httpStatus: 404 },
  TAG_NOT_FOUND: { description: "there is no such tag", httpStatus: 404 },
  BRANCH_FROZEN: { description: "a version does not change", httpStatus: 409 },
  PATH_EXISTS: { description: "something is there already", httpStatus: 409 },
  NOT_A_FOLDER: { description: "a folder was needed", httpStatus: 409 },
  IS_A_FOLDER: { description: "a folder is there", httpStatus: 409 },
  FOLDER_NOT_EMPTY: { description: "the folder holds something", httpStatus: 409 },
  HISTORY_GONE: {
    description: "the version is not kept any more",
    details: Type.Object({ oldest: whole }, closed),
    httpStatus: 410,
  },
  GRANT_EXPIRED: { description: "the grant has ended, is another's, or there is none", httpStatus: 410 },
  CHANGED_MEANWHILE: { description: "ifHash is not what is there", httpStatus: 412 },
  BLOB_CORRUPT: { description: "what is stored is not the blob", httpStatus: 500 },
  HASH_MISMATCH: { description: "each provider sent something else", httpStatus: 502 },
  BLOB_ABSENT: { description: "providers have a part of the blob, or cannot be reached", httpStatus: 503 },
  QUOTA_EXCEEDED: { description: "the owner of the branch would keep more than it may", httpStatus: 507 },
  STORE_FULL: { description: "the disk is full", httpStatus: 507 },
  TREE_UNAVAILABLE: { description: "branches are not to be had now", httpStatus: 503 },
};

/** What is wrong with where the branches lie. */
const ELSEWHERE: readonly string[] = ["TREE_UNAVAILABLE", "STORE_NEWER", "STORE_BUSY", "INVALID_STORE"];

/** Does work, whose faults become what the operation declares. */
export async function told<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw callError(error);
  }
}

/** A fault as what the operation declares; one that it does not declare as it is. */
export function callError(error: unknown): unknown {
  if (!(error instanceof AlknetError) || error instanceof CallError) return error;
  const { code, message } = error;
  if (ELSEWHERE.includes(code)) {
    const isUncertain = error instanceof TreeUnavailableError && error.isUncertain;
    // Where they lie is nothing to whoever asks.
    const what = isUncertain ? "; whether the change was made is not known: look before you try again" : "";
    return new CallError("TREE_UNAVAILABLE", `branches are not to be had now${what}`, {
      cause: error,
      retryable: !isUncertain,
    });
  }
  if (code !== "INVALID_INPUT" && !Object.hasOwn(ERRORS, code)) return error;
  return new CallError(code, message, {
    cause: error,
    retryable: code === "STORE_FULL" || code === "BLOB_ABSENT",
    ...error instanceof HistoryGoneError && { details: { oldest: error.oldest } },
  });
}

/**
 * A branch that somebody may use.
 *
 * @param name Its name, or that of a version.
 * @throws {AlknetError} `BRANCH_NOT_FOUND`: there is none, or not for them.
 */
export async function usable(
  tree: PathTree,
  name: string,
  right: BranchRight,
  identity: Identity | undefined,
): Promise<Branch> {
  const bare = name.split("@", 1)[0];
  const branch = await tree.branch(bare);
  if (!mayUse(branch, right, identity)) throw noBranch(bare);
  return branch;
}

/** Who asks, who must be known. */
export function known(identity: Identity | undefined): Identity {
  if (!identity) throw new CallError("FORBIDDEN", "authentication required");
  return identity;
}

/** Entries of a page, and where the next begins. */
export function paged<Name extends string, T>(
  name: Name,
  items: readonly T[],
  limit: number | undefined,
  last: (item: T) => string,
): { readonly [K in Name]: T[] } & { readonly next?: string } {
  const isMore = items.length > 0 && items.length >= (limit ?? MAX_PAGE);
  return { [name]: [...items], ...isMore && { next: last(items.at(-1)!) } } as
    & { readonly [K in Name]: T[] }
    & { readonly next?: string };
}
