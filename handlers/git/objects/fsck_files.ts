/**
 * What is wrong with files that git itself reads from a tree, and that can harm whoever checks them out (git-fsck,
 * `gitmodules…`, `gitattributes…`).
 *
 * @module
 */
import type { Report } from "./fsck.ts";
import type { Oid } from "./oid.ts";

/** Where the files are. */
export interface Files {
  /** An object, whole. */
  read(oid: Oid): Promise<{ readonly bytes: Uint8Array } | undefined>;
}

/** Larger files are not read. */
const LARGE_MODULES = 16 * 1024 * 1024;
const LARGE_ATTRIBUTES = 100 * 1024 * 1024;
/** Longest line of attributes. */
const LONG_LINE = 2048;

/**
 * Looks at a `.gitmodules`.
 *
 * @param entries Reads a file of git's configuration; nothing where it is none.
 */
export async function fsckModules(
  oid: Oid,
  size: number,
  files: Files,
  report: Report,
  entries: (text: string) => Iterable<[key: string, value: string]> | undefined,
): Promise<void> {
  if (size > LARGE_MODULES) return void report("gitmodulesLarge");
  const text = new TextDecoder().decode((await files.read(oid))?.bytes);
  const found = entries(text);
  if (!found) return void report("gitmodulesParse");
  for (const [key, value] of found) {
    const [, name, field] = /^submodule\.(.*)\.([^.]+)$/s.exec(key) ?? [];
    if (name === undefined) continue;
    if (!isModuleName(name)) report("gitmodulesName");
    if (field === "url" && !isModuleUrl(value)) report("gitmodulesUrl");
    if (field === "path" && value.startsWith("-")) report("gitmodulesPath");
    if (field === "update" && value.startsWith("!")) report("gitmodulesUpdate");
  }
}

/** Looks at a `.gitattributes`. */
export async function fsckAttributes(oid: Oid, size: number, files: Files, report: Report): Promise<void> {
  if (size > LARGE_ATTRIBUTES) return void report("gitattributesLarge");
  const bytes = (await files.read(oid))?.bytes ?? new Uint8Array();
  for (let at = 0; at < bytes.byteLength;) {
    const end = bytes.indexOf(0x0a, at);
    const length = (end < 0 ? bytes.byteLength : end) - at;
    if (length >= LONG_LINE) return void report("gitattributesLineLength");
    at += length + 1;
  }
}

/** A name leads nowhere else. */
function isModuleName(name: string): boolean {
  return name !== "" && !name.split(/[\\/]/).includes("..");
}

/** A URL is no option of a program, has no line end, hidden or not, and a host where its scheme needs one. */
function isModuleUrl(url: string): boolean {
  if (url.startsWith("-")) return false;
  const broken = /%0a|\n/i.test(url);
  if (/^\.\.?\//.test(url) || url.startsWith("git://")) {
    // What climbs to the top and goes on with a colon or a slash becomes another URL.
    return !broken && !/^(?:\.\/)*(?:\.\.\/)(?:\.\.?\/)*[:/]/.test(url);
  }
  const [, remote] = /^(?:(?:https?|ftps?)::|(?=(?:https?|ftps?):\/\/))(.*)$/s.exec(url) ?? [];
  if (remote === undefined) return true;
  const authority = /^[^:/]+:\/\/([^/?#]*)/.exec(remote)?.[1] ?? "";
  return !broken && authority.slice(authority.lastIndexOf("@") + 1) !== "";
}
