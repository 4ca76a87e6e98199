/**
 * `alknet git remove`, `settings`, `maintain` and `fsck`: what they do with the repositories of a home.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import type { OwnedSettings, RepositoryKeeper, SettingChanges } from "@alknet/handlers/git";
import { ExitCode, print, printJson, UsageError } from "../terminal/output.ts";
import { Progress } from "../terminal/progress.ts";
import { StopSignals } from "../terminal/signals.ts";
import { counted, formatSize } from "../terminal/size.ts";
import { type GitHomeChoice, openGitHome } from "./folders.ts";

/** Which repository of which home. */
export interface KeepingOptions extends GitHomeChoice {
  /** Its name. */
  readonly name: string;
  /** Whether programs read what is printed. */
  readonly json: boolean;
}

/** Puts a repository aside for two weeks. */
export async function removeRepository(options: KeepingOptions): Promise<number> {
  const { name, json } = options;
  const keeper = await keeperOf(options);
  const until = new Date(await keeper.remove(name) * 1000).toISOString();
  if (json) printJson({ name, until });
  else print(`removed ${name}, kept until ${until.slice(0, 10)}`);
  return ExitCode.DONE;
}

/** Prints the settings of a repository, after changing those that are given. */
export async function keepSettings(
  options: KeepingOptions & { readonly changes: readonly string[] },
): Promise<number> {
  const { name, changes, json } = options;
  const given = changesOf(changes);
  const keeper = await keeperOf(options);
  const settings = Object.keys(given).length > 0 ? await keeper.change(name, given) : await keeper.settings(name);
  if (json) printJson({ name, ...settings });
  else for (const line of settingLines(settings)) print(line);
  return ExitCode.DONE;
}

/** Looks after a repository. */
export async function maintainRepository(options: KeepingOptions & { readonly full: boolean }): Promise<number> {
  const { name, full, json } = options;
  const keeper = await keeperOf(options);
  const done = await interruptible((signal) => keeper.maintain(name, { full, signal }));
  const { outcome, by, packs, objects, bytes, closure } = done;
  if (outcome === "locked") {
    throw new AlknetError("REPOSITORY_LOCKED", `${name} is being collected by process ${by}; nothing was done`);
  }
  if (json) printJson({ name, ...done });
  else {
    const words = [counted(packs, "pack"), counted(objects, "object"), formatSize(bytes)];
    print(`${name}: ${[...words, ...closure ? ["closure"] : []].join(", ")}`);
  }
  return ExitCode.DONE;
}

/** Checks that a repository is whole. */
export async function checkRepository(options: KeepingOptions): Promise<number> {
  const { name, json } = options;
  const keeper = await keeperOf(options);
  using progress = new Progress(`checking ${name}`);
  const { objects, faults } = await interruptible((signal) =>
    keeper.check(name, { signal, progress: (done, total) => progress.report(done / total) })
  );
  progress[Symbol.dispose]();
  if (json) printJson({ name, objects, faults: [...faults] });
  else {
    for (const fault of faults) print(fault);
    if (faults.length === 0) print(`${name}: ${counted(objects, "object")} sound`);
  }
  if (faults.length === 0) return ExitCode.DONE;
  throw new AlknetError("REPOSITORY_BROKEN", `${name} is not whole: ${counted(faults.length, "fault")}`);
}

async function keeperOf(options: KeepingOptions): Promise<RepositoryKeeper> {
  const { isRepositoryName, RepositoryKeeper } = await import("@alknet/handlers/git");
  const { name } = options;
  if (!isRepositoryName(name)) throw new UsageError(`${JSON.stringify(name)} is no name of a repository`);
  const { folders } = await openGitHome(options);
  return new RepositoryKeeper(folders);
}

async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  using signals = new StopSignals();
  const interrupted = new AbortController();
  signals.first.then(() => interrupted.abort(new AlknetError("INTERRUPTED", "interrupted")));
  return await work(interrupted.signal);
}

const UNITS: Readonly<Record<string, number>> = { "": 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/** `public=false`, `quota=10m`, `protected=refs/heads/release/*` once for each; `owner=` unsets. */
function changesOf(words: readonly string[]): SettingChanges {
  const changes: { -readonly [Name in keyof SettingChanges]: SettingChanges[Name] } = {};
  for (const word of words) {
    const [, key, value] = /^([A-Za-z]+)=(.*)$/s.exec(word) ?? [];
    switch (key) {
      case "public":
      case "requireSigned":
        if (!/^(?:true|false|)$/.test(value)) throw new UsageError(`${key}=${value}: true or false is needed`);
        changes[key] = value === "" ? null : value === "true";
        break;
      case "description":
      case "owner":
        changes[key] = value === "" ? null : value;
        break;
      case "quota":
        changes.quota = value === "" ? null : bytesOf(value);
        break;
      case "protected":
        changes.protected = value === "" ? null : [...changes.protected ?? [], value];
        break;
      default:
        throw new UsageError(
          `${JSON.stringify(word)} is no setting: description=, public=, owner=, quota=, requireSigned=, protected=`,
        );
    }
  }
  return changes;
}

function bytesOf(text: string): number {
  const [, digits, unit = ""] = /^([0-9]{1,12})([kmg]?)$/i.exec(text) ?? [];
  const bytes = Number(digits) * UNITS[unit.toLowerCase()];
  if (Number.isSafeInteger(bytes) && bytes > 0) return bytes;
  throw new UsageError(`quota=${text}: bytes are needed, such as 500m or 10g`);
}

function settingLines(
  { description, public: isPublic, owner, quota, requireSigned, protected: patterns }: OwnedSettings,
) {
  return [
    `description=${description}`,
    `public=${isPublic}`,
    `owner=${owner ?? ""}`,
    `quota=${quota ?? ""}`,
    `requireSigned=${requireSigned}`,
    ...patterns.length === 0 ? ["protected="] : patterns.map((pattern) => `protected=${pattern}`),
  ];
}
