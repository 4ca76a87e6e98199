/**
 * Repositories that are removed: aside for two weeks, then gone (git.md §2, "On disk").
 *
 * ```text
 * <root>/.removed/team+notes.1700000000/    the name, with + for /, and when
 * ```
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { lstat, mkdir, readdir, rename, rm, rmdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { sync } from "../files.ts";
import { folderOf, type RepositoryFolders } from "../repositories.ts";

/** Seconds for which what was removed is kept. */
const KEPT = 14 * 86_400;
const NAME = /^[A-Za-z0-9_][A-Za-z0-9._+-]*\.([0-9]{1,12})$/;

/**
 * Puts a repository aside.
 *
 * @param now Unix seconds.
 * @returns Until when it is kept, Unix seconds.
 * @throws {AlknetError} `NO_SUCH_REPOSITORY`; `REPOSITORY_ELSEWHERE`: the configuration names its folder, which is not ours.
 */
export async function removeRepository(
  folders: RepositoryFolders,
  name: string,
  now: number = Math.floor(Date.now() / 1000),
): Promise<number> {
  if (Object.hasOwn(folders.elsewhere, name)) {
    throw new AlknetError(
      "REPOSITORY_ELSEWHERE",
      `${name} lies in a folder that the configuration names: take it out of handlers.git.repositories instead`,
    );
  }
  const there = await folderOf(folders, name);
  const folder = join(folders.root, `${name}.git`);
  if (there === undefined || !(await lstat(folder)).isDirectory()) {
    throw new AlknetError("NO_SUCH_REPOSITORY", `there is no repository ${JSON.stringify(name)}`);
  }
  const aside = join(folders.root, ".removed");
  await mkdir(aside, { recursive: true, mode: 0o700 });
  // One of the same name may have been removed within this second.
  let at = now;
  while (await lstat(join(aside, asideName(name, at))).catch(() => undefined)) at++;
  await rename(folder, join(aside, asideName(name, at)));
  await sync(aside);
  for (let parent = dirname(folder); parent.startsWith(join(folders.root, "/")); parent = dirname(parent)) {
    // A folder that was there for it alone goes with it.
    if (!await rmdir(parent).then(() => true, () => false)) break;
  }
  return at + KEPT;
}

/** Deletes what was removed long enough ago. What cannot be deleted stays. */
export async function sweepRemoved(root: string, now: number = Math.floor(Date.now() / 1000)): Promise<void> {
  const aside = join(root, ".removed");
  for (const entry of await readdir(aside, { withFileTypes: true }).catch(() => [])) {
    const since = NAME.exec(entry.name)?.[1];
    if (since === undefined || !entry.isDirectory() || Number(since) + KEPT > now) continue;
    await rm(join(aside, entry.name), { recursive: true, force: true }).catch(() => {});
  }
}

function asideName(name: string, seconds: number): string {
  return `${name.replaceAll("/", "+")}.${seconds}`;
}
