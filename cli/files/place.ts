/**
 * Places: paths of branches, here or at another node, and paths of this machine.
 *
 * ```text
 * [ADDRESS/]BRANCH[@VERSION]:/PATH   anything else is a local path
 * ```
 *
 * @module
 */
import { parseTarget } from "@alknet/core/address";
import { UsageError } from "../terminal/output.ts";

/** A branch, or a version of one. */
export interface BranchPlace {
  /** The node, by its address or its id; absent: the home's own store. */
  readonly address?: string;
  /** The branch. */
  readonly branch: string;
  /** A commit's number or a snapshot. */
  readonly version?: string;
}

/** A path in a branch. */
export interface FilePlace extends BranchPlace {
  /** The path, without a slash at its end. */
  readonly path: string;
  /** Whether it was written with a slash at its end: a folder is meant. */
  readonly isFolder: boolean;
}

const BRANCH = String.raw`(?<branch>[A-Za-z0-9][A-Za-z0-9._-]{1,99})(?:@(?<version>[A-Za-z0-9._-]{1,100}))?`;
const NODE = String.raw`(?:(?<address>[^/]+)/)?`;
const BRANCH_PLACE = new RegExp(`^${NODE}${BRANCH}$`);
const FILE_PLACE = new RegExp(`^${NODE}${BRANCH}:(?<path>/.*)$`, "s");

/** A path in a branch; nothing for a local path. */
export function filePlace(text: string): FilePlace | undefined {
  const groups = FILE_PLACE.exec(text)?.groups;
  if (!groups || !isAddress(groups.address)) return undefined;
  const { path } = groups;
  const bare = path.replace(/\/+$/, "");
  return { ...branchOf(groups), path: bare === "" ? "/" : bare, isFolder: path.endsWith("/") };
}

/**
 * A path in a branch.
 *
 * @throws {UsageError} It is none.
 */
export function parsePlace(text: string): FilePlace {
  const place = filePlace(text);
  if (place) return place;
  throw new UsageError(`${JSON.stringify(text)} is no place in a branch; write main:/path, or ADDRESS/main:/path`);
}

/**
 * A branch, or a version of one; a path that follows it is left out.
 *
 * @throws {UsageError} It is none.
 */
export function parseBranch(text: string): BranchPlace {
  const place = filePlace(text);
  if (place) return place;
  const groups = BRANCH_PLACE.exec(text)?.groups;
  if (groups && isAddress(groups.address)) return branchOf(groups);
  throw new UsageError(`${JSON.stringify(text)} is no branch; write main, main@12, or ADDRESS/main`);
}

/** As operations name it. */
export function atVersion({ branch, version }: BranchPlace): string {
  return version === undefined ? branch : `${branch}@${version}`;
}

/**
 * A branch that is to be changed.
 *
 * @throws {UsageError} It is a version.
 */
export function changing<Place extends BranchPlace>(place: Place): Place {
  if (place.version === undefined) return place;
  throw new UsageError(`${atVersion(place)} is a version, which does not change; leave out @${place.version}`);
}

function branchOf({ address, branch, version }: Record<string, string | undefined>): BranchPlace {
  return { branch: branch!, ...address !== undefined && { address }, ...version !== undefined && { version } };
}

function isAddress(text: string | undefined): boolean {
  if (text === undefined) return true;
  try {
    parseTarget(text);
    return true;
  } catch {
    return false;
  }
}
