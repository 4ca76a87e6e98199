/**
 * Which refs a push may move, as far as that is known before its pack.
 *
 * @module
 */
import type { PushSettings, RefSnapshot } from "../../store/types.ts";
import { isHiddenRef, isPushName } from "../../wire/names.ts";
import type { PushCommand } from "../../wire/push_request.ts";

/** Why a ref does not move: the word for programs, and what to say to people. */
export interface Refusal {
  /** What stands in the report. */
  readonly reason: string;
  /** For people; empty where the reason says it. */
  readonly detail: string;
}

/** A refusal. */
export function refusal(reason: string, detail = ""): Refusal {
  return { reason, detail };
}

/** What stands against each command, by the name of its ref. */
export function refusals(
  commands: readonly PushCommand[],
  settings: PushSettings,
  refs: RefSnapshot,
): Map<string, Refusal> {
  const refused = new Map<string, Refusal>();
  const makes = ({ old, new: new_ }: PushCommand): boolean => old === null && new_ !== null;
  const stays = commands.some(makes) ? remaining(commands, refs) : undefined;
  for (const command of commands) {
    const found = refusalOf(command, settings, refs) ??
      (stays && makes(command) && conflicts(command.name, stays)
        ? refusal("D/F conflict", "a ref of that name, or below it, is in the way")
        : undefined);
    if (found) refused.set(command.name, found);
  }
  return refused;
}

function refusalOf(
  { name, old, new: new_ }: PushCommand,
  settings: PushSettings,
  refs: RefSnapshot,
): Refusal | undefined {
  if (!isPushName(name)) return refusal("funny refname", "no name of a ref that can be pushed");
  if (isHiddenRef(name, settings.hidden)) return refusal("hidden", "the repository hides it (receive.hideRefs)");
  const there = refs.get(name);
  if (there?.symref !== undefined) {
    return refusal("funny refname", "a symbolic ref; push to the ref that it stands for");
  }
  if (new_ !== null && settings.checkedOut.includes(name)) {
    return refusal("branch is currently checked out", "a working tree has it (receive.denyCurrentBranch)");
  }
  if ((there?.oid ?? null) !== old) return refusal("stale info", "it has moved; fetch first");
  if (new_ !== null || old === null) return undefined;
  if (isProtected(name, settings.protected, refs)) {
    return refusal("protected", "it is neither forced nor deleted (alknet.protected)");
  }
  if (settings.denyDeletes) return refusal("deletion prohibited", "no ref is deleted (receive.denyDeletes)");
  return settings.denyDeleteCurrent && refs.head.symref === name
    ? refusal("deletion prohibited", "it is the branch that a clone checks out (receive.denyDeleteCurrent)")
    : undefined;
}

/**
 * Whether a ref is protected: the last pattern that fits counts, `*` stays within a part, `!` takes away, and `HEAD` is the
 * branch that it stands for.
 */
export function isProtected(name: string, patterns: readonly string[], refs: RefSnapshot): boolean {
  const fits = (pattern: string): boolean => {
    if (pattern === "HEAD") return refs.head.symref === name;
    const source = pattern.split("*").map((part) => part.replaceAll(/[\\^$.|?+()[\]{}]/g, "\\$&")).join("[^/]*");
    return new RegExp(`^${source}$`).test(name);
  };
  const last = patterns.findLast((pattern) => fits(pattern.replace(/^!/, "")));
  return last !== undefined && !last.startsWith("!");
}

/** Names that are there after a push, and the folders that they lie in, with how many refs are in each. */
function remaining(
  commands: readonly PushCommand[],
  refs: RefSnapshot,
): { readonly names: ReadonlySet<string>; readonly folders: ReadonlySet<string> } {
  const names = new Set<string>();
  for (const { name } of refs.list()) names.add(name);
  for (const { name, new: new_ } of commands) {
    if (new_ === null) names.delete(name);
    else names.add(name);
  }
  const folders = new Set<string>();
  for (const name of names) for (const folder of foldersOf(name)) folders.add(folder);
  return { names, folders };
}

function conflicts(name: string, { names, folders }: ReturnType<typeof remaining>): boolean {
  return folders.has(name) || foldersOf(name).some((folder) => names.has(folder));
}

function foldersOf(name: string): string[] {
  const folders: string[] = [];
  for (let at = name.indexOf("/", 5); at >= 0; at = name.indexOf("/", at + 1)) folders.push(name.slice(0, at));
  return folders;
}
