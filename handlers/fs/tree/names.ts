/**
 * Names in a tree, paths, and the versions of branches (fs.md §5.6, §6).
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";

/** Bytes of a name, and of a path. */
const MAX_NAME = 255;
const MAX_PATH = 4096;
/** Names in a path. */
const MAX_PARTS = 128;
/** Characters of a path that a message shows. */
const SHOWN = 80;

/** What names of branches and of snapshots look like, as the source of a pattern. */
export const BRANCH_PATTERN = "^[A-Za-z0-9][A-Za-z0-9._-]{1,99}$";
const BRANCH = new RegExp(BRANCH_PATTERN);
const DIGITS = /^\d{1,16}$/;

const encoder = new TextEncoder();

/** A branch, and which of its versions. */
export interface VersionName {
  /** The branch. */
  readonly branch: string;
  /** A commit's number, or a snapshot's name; absent: the head. */
  readonly version?: number | string;
}

/**
 * The names of an absolute path; none for the root.
 *
 * @throws {AlknetError} `INVALID_NAME`.
 */
export function partsOf(path: string): string[] {
  if (!path.startsWith("/")) throw invalidName(path, "it does not begin with /");
  if (encoder.encode(path).byteLength > MAX_PATH) throw invalidName(path, `it has more than ${MAX_PATH} bytes`);
  if (path === "/") return [];
  const parts = path.slice(1).split("/");
  if (parts.length > MAX_PARTS) throw invalidName(path, `it has more than ${MAX_PARTS} names`);
  for (const part of parts) {
    const fault = nameFault(part);
    if (fault !== undefined) throw invalidName(path, fault);
  }
  return parts;
}

/** The path of names. */
export function pathOf(parts: readonly string[]): string {
  return `/${parts.join("/")}`;
}

/** A name in a folder. */
export function below(folder: string, name: string): string {
  return folder === "/" ? `/${name}` : `${folder}/${name}`;
}

/** Whether one path is the other, or lies in it. */
export function isWithin(path: string, folder: string): boolean {
  return folder === "/" || path === folder || path.startsWith(`${folder}/`);
}

/** What is wrong with a name, if anything. */
export function nameFault(name: string): string | undefined {
  if (name === "") return "a name in it is empty";
  if (name === "." || name === "..") return `it holds the name ${name}`;
  if (name.includes("/") || name.includes("\0")) return "a name in it holds / or NUL";
  if (!name.isWellFormed()) return "a name in it is no text of UTF-8";
  if (encoder.encode(name).byteLength > MAX_NAME) return `a name in it has more than ${MAX_NAME} bytes`;
  return undefined;
}

/**
 * A name for a branch or a snapshot.
 *
 * @throws {AlknetError} `INVALID_NAME`: it is none; a snapshot's is not digits alone.
 */
export function checkBranchName(name: string, kind: "branch" | "snapshot" = "branch"): void {
  if (!BRANCH.test(name)) {
    throw invalidName(name, `a ${kind} has 2 to 100 letters, digits, dots, dashes and underscores`);
  }
  if (kind === "snapshot" && DIGITS.test(name)) throw invalidName(name, "digits alone are the number of a commit");
}

/**
 * `NAME`, `NAME@SEQ` or `NAME@SNAPSHOT`.
 *
 * @throws {AlknetError} `INVALID_NAME`.
 */
export function parseVersion(text: string): VersionName {
  const at = text.indexOf("@");
  if (at < 0) return { branch: text };
  return { branch: text.slice(0, at), version: versionOf(text.slice(at + 1)) };
}

/**
 * A commit's number, or a snapshot's name.
 *
 * @throws {AlknetError} `INVALID_NAME`.
 */
export function versionOf(text: string): number | string {
  if (!DIGITS.test(text)) {
    checkBranchName(text, "snapshot");
    return text;
  }
  const seq = Number(text);
  if (!Number.isSafeInteger(seq)) throw invalidName(text, "no branch has so many commits");
  return seq;
}

/** Which of two texts comes first by the bytes of UTF-8, which is the order of code points. */
export function compareNames(one: string, other: string): number {
  const length = Math.min(one.length, other.length);
  for (let i = 0; i < length; i++) {
    const [a, b] = [one.charCodeAt(i), other.charCodeAt(i)];
    if (a !== b) return rank(a) - rank(b);
  }
  return one.length - other.length;
}

/** `INVALID_NAME`. */
export function invalidName(name: string, fault: string): AlknetError {
  const shown = name.length > SHOWN ? `${name.slice(0, SHOWN)}…` : name;
  return new AlknetError("INVALID_NAME", `the name ${JSON.stringify(shown.toWellFormed())} is not allowed: ${fault}`);
}

/** Halves of pairs stand for code points above all that one unit can say. */
function rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}
