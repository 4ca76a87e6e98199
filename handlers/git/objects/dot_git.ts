/**
 * Names that some file system takes for `.git` or for files that git reads (git's utf8.c and path.c): HFS+ passes over
 * some characters, NTFS over case, dots and spaces at the end, and what follows a colon, and has short names.
 *
 * @module
 */

/** Characters that HFS+ passes over, in UTF-8. */
const IGNORED = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g;

/** Whether some file system takes a name for `.git`. A backslash separates names on Windows. */
export function isDotGit(name: string): boolean {
  return hfs(name) === ".git" || name.split("\\").some((part) => /^(?:\.git|git~1)[. ]*(?:$|:)/i.test(part));
}

/**
 * Whether some file system takes a name for a file such as `.gitmodules`.
 *
 * @param file Without its dot, in lower case.
 * @param hash The first six characters of the short name that NTFS makes where the usual ones are taken.
 */
export function isDotFile(name: string, file: string, hash: string): boolean {
  if (hfs(name) === `.${file}`) return true;
  const [, first] = /^(.*?)[. ]*(?::.*)?$/s.exec(name.toLowerCase())!;
  if (first === `.${file}`) return true;
  const [, stem, number] = /^(.+)~([1-9][0-9]*)$/.exec(first) ?? [];
  if (stem === undefined) return false;
  if (stem === file.slice(0, 6) && /^[1-4]$/.test(number)) return true;
  return first.length === 8 && hash.startsWith(stem);
}

function hfs(name: string): string {
  return name.replaceAll(IGNORED, "").toLowerCase();
}
