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
 * @throws {AlknetError} `INVALID_GRANT`: no folder is named, or one that has no name.
 */
export function parseFolderGrant(text: string): FolderGrant {
  const [, named, ops = "read"] = /^(.*?)(?::(read|write|readwrite))?$/s.exec(text) ?? [];
  if (named === "") throw new AlknetError("INVALID_GRANT", "a folder is missing; write FOLDER or FOLDER:readwrite");
  const folder = resolve(named);
  const name = basename(folder);
  if (name === "") throw new AlknetError("INVALID_GRANT", `${JSON.stringify(named)} is the whole disk; name a folder`);
  return { guest: `/${name}`, folder, ops: ops as FolderGrant["ops"] };
}
