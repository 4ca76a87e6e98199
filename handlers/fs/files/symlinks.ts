/**
 * Paths with ".", ".." and links, resolved within a version. Links that are absolute begin at the root of the branch; what
 * leads above it is refused.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { noFolder, noPath, quoted } from "../tree/errors.ts";
import { pathOf } from "../tree/names.ts";
import type { Entry, TreeView } from "../tree/path_tree.ts";

/** Links that are followed for one path. */
const MAX_LINKS = 40;
/** Names that are looked at for one path, those of links among them. */
const MAX_STEPS = 4096;
/** What is no sequence of names alone. */
const NOT_PLAIN = /\/(?:\.{0,2})(?:\/|$)/;

/** Where a path leads. */
export interface Located {
  /** Without ".", ".." and links on the way. */
  readonly path: string;
  /** What is there; nothing where its folder alone is. */
  readonly entry?: Entry;
}

/**
 * Resolves a path.
 *
 * @param follow Whether a link at the end is followed.
 * @throws {AlknetError} `PATH_NOT_FOUND`, `NOT_A_FOLDER` on the way; `INVALID_NAME`; `OUTSIDE_BRANCH`; `TOO_MANY_LINKS`.
 */
export async function locate(view: TreeView, path: string, follow: boolean): Promise<Located> {
  if (path === "/" || !NOT_PLAIN.test(path)) {
    const entry = await view.stat(path);
    if (entry && !(entry.kind === "link" && follow)) return { path, entry };
    if (!entry) {
      const folder = await view.stat(path.slice(0, path.lastIndexOf("/")) || "/");
      if (folder?.kind === "folder") return { path };
    }
  }
  return await walk(view, path, follow);
}

/** The folder of a path, and its last name. */
export function splitPath(path: string): { readonly folder: string; readonly name: string } {
  const slash = path.lastIndexOf("/");
  return { folder: path.slice(0, slash) || "/", name: path.slice(slash + 1) };
}

async function walk(view: TreeView, path: string, follow: boolean): Promise<Located> {
  const ahead = namesOf(path).reverse();
  const names: string[] = [];
  let entry = (await view.stat("/"))!;
  for (let links = 0, steps = 0; ahead.length > 0;) {
    if (++steps > MAX_STEPS) throw tooMany(path);
    const name = ahead.pop()!;
    if (entry.kind !== "folder") throw noFolder(pathOf(names));
    if (name === "" || name === ".") continue;
    if (name === "..") {
      if (names.length === 0) throw new AlknetError("OUTSIDE_BRANCH", `${quoted(path)} leads out of the branch`);
      names.pop();
      entry = (await view.stat(pathOf(names)))!;
      continue;
    }
    const at = pathOf([...names, name]);
    const found = await view.stat(at);
    if (!found) {
      if (ahead.every((rest) => rest === "")) return { path: at };
      throw noPath(at);
    }
    if (found.kind === "link" && (follow || ahead.length > 0)) {
      if (++links > MAX_LINKS) throw tooMany(path);
      const target = found.target!;
      if (target.startsWith("/")) {
        names.length = 0;
        entry = (await view.stat("/"))!;
      }
      ahead.push(...namesOf(target).reverse());
      continue;
    }
    names.push(name);
    entry = found;
  }
  return { path: pathOf(names), entry };
}

/** Names of a path or of what a link leads to; an empty one at the end says that a folder is meant. */
function namesOf(path: string): string[] {
  return path.replace(/^\/+/, "").split("/");
}

function tooMany(path: string): AlknetError {
  return new AlknetError("TOO_MANY_LINKS", `${quoted(path)} leads through more than ${MAX_LINKS} links`);
}
