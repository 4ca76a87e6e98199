/**
 * Folders as a command line grants them: `FOLDER`, `FOLDER:read`, `FOLDER:write`, `FOLDER:readwrite`.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { basename, resolve } from "node:path";

/** A folder that is granted. */
export interface FolderGrant {
  /** Where it stands for the guest. */
  readonly guest: string;
  /** Where it is. */
  readonly folder: string;
  /** What the guest may do there. */
  readonly ops: "read" | "write" | "readwrite";
}

/**
 * Reads one. For the guest the folder has its own last name.
 *
 * @param base What it is relative to. Default: where the command runs.
 * @throws {AlknetError} `INVALID_GRANT`: no folder is named, or one that has no name.
 */
export function parseFolderGrant(text: string, base: string = Deno.cwd()): FolderGrant {
  const [, named, ops = "read"] = /^(.*?)(?::(read|write|readwrite))?$/s.exec(text) ?? [];
  if (named === "") throw new AlknetError("INVALID_GRANT", "a folder is missing; write FOLDER or FOLDER:readwrite");
  const folder = resolve(base, named);
  const name = basename(folder);
  if (name === "") throw new AlknetError("INVALID_GRANT", `${JSON.stringify(named)} is the whole disk; name a folder`);
  return { guest: `/${name}`, folder, ops: ops as FolderGrant["ops"] };
}

/**
 * Several, each under a name of its own.
 *
 * @throws {AlknetError} `INVALID_GRANT`: two would have one name; as {@linkcode parseFolderGrant}.
 */
export function parseFolderGrants(texts: readonly string[], base?: string): FolderGrant[] {
  const mounts = texts.map((text) => parseFolderGrant(text, base));
  const twice = mounts.find(({ guest }, at) => mounts.findIndex((other) => other.guest === guest) < at);
  if (!twice) return mounts;
  throw new AlknetError("INVALID_GRANT", `two folders are called ${twice.guest} for the guest; grant one of them`);
}
