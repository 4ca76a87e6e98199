/**
 * Names: of repositories as clients write them, and of refs (git-check-ref-format).
 *
 * @module
 */

const PART = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$/;
const ENDING = /(?:\.|\.git|\.lock)$/;
const MOST_PARTS = 4;

/** Whether text is the name of a repository: 1 to 4 parts, none of which a path could misread. */
export function isRepositoryName(name: string): boolean {
  const parts = name.split("/");
  return parts.length <= MOST_PARTS && parts.every((part) => PART.test(part) && !ENDING.test(part));
}

/** The name that a path on the wire means, or nothing: one slash before and after and one `.git` are dropped. */
export function repositoryName(path: string): string | undefined {
  const name = path.replace(/^\//, "").replace(/\/$/, "").replace(/\.git$/, "");
  return isRepositoryName(name) ? name : undefined;
}

/** A path on the wire, as an answer may repeat it on somebody's terminal. */
export function printable(path: string): string {
  return path.slice(0, 256).replace(/[^\x20-\x7e]/g, "?");
}

// deno-lint-ignore no-control-regex
const UNFIT = /[\x00-\x20\x7f~^:?*[\\]|\.\.|@\{|\/\/|\/$|\.$/;

/** Whether text is the full name of a ref that is listed: `refs/` and more, as git checks it, at most 1024 bytes. */
export function isRefName(name: string): boolean {
  if (!name.startsWith("refs/") || name.length > 1024 || UNFIT.test(name)) return false;
  return name.split("/").every((part) => part !== "" && !part.startsWith(".") && !part.endsWith(".lock"));
}

/** Whether a push may name a ref: `refs/`, two more parts of at most 255 bytes each, and none that git keeps for itself. */
export function isPushName(name: string): boolean {
  const bytes = new TextEncoder().encode(name).byteLength;
  if (bytes > 1024 || !isRefName(name) || name.startsWith("refs/internal/")) return false;
  const parts = name.split("/");
  // A lock beside the ref has a longer name.
  return parts.length >= 3 && parts.every((part) => new TextEncoder().encode(part).byteLength <= 255 - ".lock".length);
}

/** Whether `transfer.hideRefs` and the like hide a ref: the last entry that fits counts, and `!` shows what is hidden. */
export function isHiddenRef(name: string, entries: readonly string[]): boolean {
  const last = entries.findLast((entry) => {
    const prefix = entry.replace(/^!/, "").replace(/^\^/, "").replace(/\/+$/, "");
    return name === prefix || name.startsWith(`${prefix}/`);
  });
  return last !== undefined && !last.startsWith("!");
}
