/**
 * git's own lock of maintenance, `gc.pid`: stock `git gc` declines while we hold it, and we while it does (git-gc,
 * builtin/gc.c).
 *
 * ```text
 * <pid> <host>        counts for 12 hours, and on this host while the process lives
 * ```
 *
 * @module
 */
import { linkSync, readFileSync, renameSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { kill } from "node:process";
import { codeOf } from "../store/folder/files.ts";
import type { Holder } from "../store/folder/holder.ts";
import { unlessMissing } from "../store/folder/loose.ts";

/** Milliseconds for which it counts. */
const COUNTS = 12 * 3_600_000;

const held = new Set<string>();

/** Takes the lock of a repository, to be disposed; nothing where somebody else has it. */
export function takeGcLock(folder: string, holder: Holder): Disposable | undefined {
  const [file, lock, own] = [`${folder}/gc.pid`, `${folder}/gc.pid.lock`, holder.temporary()];
  // A lock that is being written is empty; one of ours has its content from its first moment.
  if (held.has(folder) || isHeld(file)) return undefined;
  if ((unlessMissing(() => readFileSync(lock, "utf8")) ?? "") !== "" && !isHeld(lock)) {
    unlessMissing(() => unlinkSync(lock));
  }
  writeFileSync(own, `${Deno.pid} ${hostname()}`, { mode: 0o600, flag: "wx" });
  try {
    linkSync(own, lock);
  } catch (error) {
    if (codeOf(error) === "EEXIST") return undefined;
    throw error;
  } finally {
    unlinkSync(own);
  }
  if (isHeld(file)) {
    unlinkSync(lock);
    return undefined;
  }
  renameSync(lock, file);
  held.add(folder);
  return {
    [Symbol.dispose]: () => {
      if (held.delete(folder)) unlessMissing(() => unlinkSync(file));
    },
  };
}

/** Who holds the lock of a repository, as its file says: `<pid> <host>`; nothing where nobody does. */
export function gcLockHolder(folder: string): string | undefined {
  const file = `${folder}/gc.pid`;
  if (!held.has(folder) && !isHeld(file)) return undefined;
  return unlessMissing(() => readFileSync(file, "utf8"))?.trim().slice(0, 256);
}

function isHeld(file: string): boolean {
  const text = unlessMissing(() => readFileSync(file, "utf8"));
  const since = unlessMissing(() => statSync(file).mtimeMs);
  const [, pid, host] = /^([0-9]+) (\S+)/.exec(text ?? "") ?? [];
  if (since === undefined || pid === undefined || Date.now() - since > COUNTS) return false;
  if (host !== hostname()) return true;
  // One of a process that had our number and died.
  if (Number(pid) === Deno.pid) return false;
  try {
    return kill(Number(pid), 0);
  } catch (error) {
    return codeOf(error) !== "ESRCH";
  }
}
