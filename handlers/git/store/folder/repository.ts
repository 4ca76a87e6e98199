/**
 * What makes a folder a repository that is served, and its settings (gitrepository-layout). It is read, never written.
 *
 * @module
 */
import { existsSync, readFileSync, statSync } from "node:fs";
import { unsupported } from "../../errors.ts";
import type { RepositorySettings } from "../types.ts";
import { GitConfig } from "./git_config.ts";
import { unlessMissing } from "./loose.ts";

/** Extensions that change nothing of what is read here. */
const KNOWN_EXTENSIONS = ["extensions.noop", "extensions.preciousobjects"];

/** Whether a folder looks like a repository: HEAD, objects and refs are there. */
export function isRepositoryFolder(folder: string): boolean {
  const isFolder = (path: string) => unlessMissing(() => statSync(path).isDirectory()) ?? false;
  return existsSync(`${folder}/HEAD`) && isFolder(`${folder}/objects`) && isFolder(`${folder}/refs`);
}

/**
 * The settings of a folder.
 *
 * @throws {AlknetError} `GIT_UNSUPPORTED`: what it is cannot be served; `GIT_CORRUPT`: its config cannot be read.
 */
export function readSettings(folder: string): RepositorySettings {
  const config = new GitConfig(unlessMissing(() => readFileSync(`${folder}/config`, "utf8")) ?? "");
  const version = Number(config.get("core.repositoryformatversion") ?? 0);
  if (version !== 0 && version !== 1) {
    throw unsupported(folder, `its format is of version ${version}; 0 and 1 are read`);
  }
  const [extension] = config.keysOf("extensions").filter((key) => !KNOWN_EXTENSIONS.includes(key));
  if (version === 1 && extension !== undefined) throw unsupported(folder, `it uses ${extension}`);
  if (existsSync(`${folder}/objects/info/alternates`)) throw unsupported(folder, "it borrows objects (alternates)");
  if (existsSync(`${folder}/shallow`)) throw unsupported(folder, "it is shallow");
  return {
    public: config.is("alknet.public"),
    description: config.get("alknet.description") ?? "",
    owner: config.get("alknet.owner"),
    hidden: [...config.all("transfer.hiderefs"), ...config.all("uploadpack.hiderefs")],
  };
}
