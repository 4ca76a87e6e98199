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

// deno-lint-ignore no-control-regex
const UNFIT = /[\x00-\x20\x7f~^:?*[\\]|\.\.|@\{|\/\/|\/$|\.$/;

/** Whether text is the full name of a ref that is listed: `refs/` and more, as git checks it, at most 1024 bytes. */
export function isRefName(name: string): boolean {
  if (!name.startsWith("refs/") || name.length > 1024 || UNFIT.test(name)) return false;
  return name.split("/").every((part) => part !== "" && !part.startsWith(".") && !part.endsWith(".lock"));
}
