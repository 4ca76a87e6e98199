/**
 * Repositories that a push makes, and that are gone again where the push fails.
 *
 * @module
 */
import { AlknetError, type Identity } from "@alknet/core/handler";
import { rm } from "node:fs/promises";
import { createRepository } from "../store/folder/create.ts";
import { folderOf, type FolderRepositories, type RepositoryFolders } from "../store/folder/repositories.ts";
import { mayCreate } from "./policy.ts";

/** Makes repositories for those who may. */
export class Creating {
  readonly #folders: RepositoryFolders;
  readonly #repositories: FolderRepositories;

  /** @param repositories Who has them open. */
  constructor(folders: RepositoryFolders, repositories: FolderRepositories) {
    this.#folders = folders;
    this.#repositories = repositories;
  }

  /** Whether somebody's push would make a repository: they may, and there is none of that name. */
  async would(name: string, identity: Identity | undefined): Promise<boolean> {
    if (!identity || !mayCreate(name, identity) || Object.hasOwn(this.#folders.elsewhere, name)) return false;
    return await folderOf(this.#folders, name) === undefined;
  }

  /**
   * Makes one: empty, for its owner alone.
   *
   * @returns Takes it back unless something has come into it; nothing where there is one already.
   */
  async make(name: string, owner: Identity): Promise<(() => Promise<void>) | undefined> {
    let folder: string;
    try {
      folder = await createRepository(this.#folders.root, name, { owner: owner.id });
    } catch (error) {
      if (error instanceof AlknetError && error.code === "REPOSITORY_EXISTS") return undefined;
      throw error;
    }
    return async () => {
      if (await this.#isUnused(name)) await rm(folder, { recursive: true, force: true });
    };
  }

  /** Whether nothing is in it, and nobody is at it. */
  async #isUnused(name: string): Promise<boolean> {
    using open = await this.#repositories.openFolder(name);
    if (!open || open.users > 1 || open.objects.packBytes() > 0) return false;
    return (await open.refs.snapshot([])).list()[Symbol.iterator]().next().done === true;
  }
}
