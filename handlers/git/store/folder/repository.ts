/**
 * What makes a folder a repository that is served, and its settings (gitrepository-layout, git-config).
 *
 * @module
 */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { unsupported } from "../../errors.ts";
import { knownFault, type Verdict } from "../../objects/fsck.ts";
import type { PushSettings, RepositorySettings } from "../types.ts";
import { GitConfig } from "./git_config.ts";
import { unlessMissing } from "./loose.ts";

const UNITS = { "": 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };
/** Extensions that change nothing of what is read here. */
const KNOWN_EXTENSIONS = ["extensions.noop", "extensions.preciousobjects"];

/** Whether a folder looks like a repository: HEAD, objects and refs are there. */
export function isRepositoryFolder(folder: string): boolean {
  const isFolder = (path: string) => unlessMissing(() => statSync(path).isDirectory()) ?? false;
  return existsSync(`${folder}/HEAD`) && isFolder(`${folder}/objects`) && isFolder(`${folder}/refs`);
}

/** Where a repository says what it follows. */
export function mirrorFile(folder: string): string {
  return `${folder}/alknet/mirror.json`;
}

/** Whether a repository follows another one. */
export function isMirror(folder: string): boolean {
  return existsSync(mirrorFile(folder));
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
    filters: !isOff(config.get("uploadpack.allowfilter")),
    push: pushSettings(config, folder),
  };
}

function pushSettings(config: GitConfig, folder: string): PushSettings {
  return {
    hidden: [...config.all("transfer.hiderefs"), ...config.all("receive.hiderefs")],
    protected: ["HEAD", ...config.all("alknet.protected")],
    checkedOut: isLax(config.get("receive.denycurrentbranch")) ? [] : checkedOut(config, folder),
    denyNonFastForwards: config.is("receive.denynonfastforwards"),
    denyDeletes: config.is("receive.denydeletes"),
    denyDeleteCurrent: !isLax(config.get("receive.denydeletecurrent")),
    maxInputSize: sizeOf(config.get("receive.maxinputsize")),
    quota: sizeOf(config.get("alknet.quota")),
    requireSigned: config.is("alknet.requiresigned"),
    fsckObjects: !isOff(config.get("receive.fsckobjects") ?? config.get("transfer.fsckobjects")),
    fsck: fsckVerdicts(config),
  };
}

/** `10m` in bytes; nothing for none, for 0, which is git's for no bound, and for what is no number. */
function sizeOf(text: string | undefined): number | undefined {
  const [, digits, unit = ""] = /^([0-9]{1,15})([kmg]?)$/i.exec(text ?? "") ?? [];
  const bytes = Number(digits) * UNITS[unit.toLowerCase() as keyof typeof UNITS];
  return Number.isSafeInteger(bytes) && bytes > 0 ? bytes : undefined;
}

/** Whether a setting that refuses lets pass. Where it is not set, or set to what nobody knows, it refuses. */
function isLax(text: string | undefined): boolean {
  return /^(?:ignore|warn|false|no|off|0)$/i.test(text ?? "");
}

/** Branches of working trees: nobody else moves them, as the files there would not follow. */
function checkedOut(config: GitConfig, folder: string): string[] {
  const bare = config.get("core.bare") === undefined ? !folder.endsWith("/.git") : config.is("core.bare");
  const linked = unlessMissing(() => readdirSync(`${folder}/worktrees`)) ?? [];
  const heads = [...bare ? [] : [`${folder}/HEAD`], ...linked.map((name) => `${folder}/worktrees/${name}/HEAD`)];
  return heads.map((path) => /^ref:\s*(\S+)/.exec(unlessMissing(() => readFileSync(path, "utf8")) ?? "")?.[1])
    .filter((name) => name !== undefined);
}

function isOff(text: string | undefined): boolean {
  return text !== undefined && /^(?:false|no|off|0|)$/i.test(text);
}

function fsckVerdicts(config: GitConfig): Readonly<Record<string, Verdict>> {
  const verdicts: Record<string, Verdict> = {};
  for (const key of config.keysOf("receive.fsck")) {
    const id = key.slice("receive.fsck.".length).toLowerCase();
    const verdict = config.get(key)?.toLowerCase();
    if (knownFault(id) && (verdict === "error" || verdict === "warn" || verdict === "ignore")) verdicts[id] = verdict;
  }
  return verdicts;
}
