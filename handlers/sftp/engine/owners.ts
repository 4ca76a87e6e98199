/**
 * Names of users and groups, for `users-groups-by-id@openssh.com`. A client learns those alone whose files it was shown: who else
 * has an account at the node is not in its folder.
 *
 * @module
 */
import type { FileAttributes } from "../file_store.ts";

/** Names by number. */
export interface OwnerNames {
  /** Of users. */
  readonly users: ReadonlyMap<number, string>;
  /** Of groups. */
  readonly groups: ReadonlyMap<number, string>;
}

/** Owners of what a session has shown. */
export class ShownOwners {
  readonly #names: () => Promise<OwnerNames>;
  readonly #users = new Set<number>();
  readonly #groups = new Set<number>();

  /** @param names Asked for when a client asks. */
  constructor(names: () => Promise<OwnerNames>) {
    this.#names = names;
  }

  /** A client is shown these attributes. */
  note({ owner }: FileAttributes): void {
    if (!owner) return;
    this.#users.add(owner.uid);
    this.#groups.add(owner.gid);
  }

  /** Names in the order of the numbers; an empty one where there is none. */
  async find(
    users: readonly number[],
    groups: readonly number[],
  ): Promise<{ readonly users: string[]; readonly groups: string[] }> {
    const names = await this.#names();
    return {
      users: users.map((id) => this.#users.has(id) ? names.users.get(id) ?? "" : ""),
      groups: groups.map((id) => this.#groups.has(id) ? names.groups.get(id) ?? "" : ""),
    };
  }
}
