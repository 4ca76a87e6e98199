/**
 * The repositories of a node: those below its root, and those that its configuration names elsewhere.
 *
 * @module
 */
import { lstat, readdir, realpath } from "node:fs/promises";
import { join, sep } from "node:path";
import type { PackCaches } from "../../pack/pack_file.ts";
import { isRepositoryName } from "../../wire/names.ts";
import type { Maybe, Repositories, Repository } from "../types.ts";
import { FolderObjects } from "./objects.ts";
import { FolderRefs } from "./refs.ts";
import { isRepositoryFolder, readSettings } from "./repository.ts";

/** Where repositories lie. */
export interface RepositoryFolders {
  /** A repository `NAME` is `<root>/<NAME>.git`. */
  readonly root: string;
  /** Names of repositories to their folders; these win. */
  readonly elsewhere: Readonly<Record<string, string>>;
}

interface Open {
  readonly objects: FolderObjects;
  users: number;
}

/** Repositories of folders. One that several have open is open once. */
export class FolderRepositories implements Repositories {
  readonly #folders: RepositoryFolders;
  readonly #caches: PackCaches;
  readonly #limit: number;
  readonly #open = new Map<string, Open>();

  /** @param limit Bytes of an object that is read whole. */
  constructor(folders: RepositoryFolders, caches: PackCaches, limit: number) {
    this.#folders = folders;
    this.#caches = caches;
    this.#limit = limit;
  }

  async open(name: string): Maybe<Repository> {
    const folder = await folderOf(this.#folders, name);
    if (folder === undefined) return undefined;
    const settings = readSettings(folder);
    const held = this.#open.get(folder) ??
      { objects: new FolderObjects(`${folder}/objects`, this.#caches, this.#limit), users: 0 };
    this.#open.set(folder, held);
    const { objects } = held;
    held.users++;
    let left = false;
    return {
      name,
      objects,
      refs: new FolderRefs(folder, objects, settings.hidden),
      settings,
      [Symbol.dispose]: () => {
        if (left) return;
        left = true;
        if (--held.users > 0) return;
        this.#open.delete(folder);
        objects[Symbol.dispose]();
      },
    };
  }

  async list(): Promise<string[]> {
    return await namesOf(this.#folders);
  }
}

/** The folder of a repository, or nothing where there is none that may be opened: its real path lies below the root. */
export async function folderOf({ root, elsewhere }: RepositoryFolders, name: string): Promise<string | undefined> {
  if (!isRepositoryName(name)) return undefined;
  if (Object.hasOwn(elsewhere, name)) {
    const inside = join(elsewhere[name], ".git");
    return [elsewhere[name], inside].find(isRepositoryFolder);
  }
  const [base, folder] = await Promise.all(
    [root, join(root, `${name}.git`)].map((path) => realpath(path).catch(() => undefined)),
  );
  if (base === undefined || folder === undefined || !folder.startsWith(base + sep)) return undefined;
  return isRepositoryFolder(folder) ? folder : undefined;
}

/** The names of all repositories, in order. */
export async function namesOf({ root, elsewhere }: RepositoryFolders): Promise<string[]> {
  const names = new Set(Object.keys(elsewhere).filter(isRepositoryName));
  const look = async (prefix: string, depth: number): Promise<void> => {
    for (const name of await readdir(join(root, prefix)).catch(() => [])) {
      const path = join(root, prefix, name);
      if (!(await lstat(path).catch(() => undefined))?.isDirectory()) continue;
      const full = `${prefix}${name}`;
      if (name.endsWith(".git")) {
        const short = full.slice(0, -4);
        if (isRepositoryName(short) && isRepositoryFolder(path)) names.add(short);
      } else if (depth < 4 && isRepositoryName(full)) await look(`${full}/`, depth + 1);
    }
  };
  await look("", 1);
  return [...names].sort();
}
