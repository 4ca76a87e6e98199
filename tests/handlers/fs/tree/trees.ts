/**
 * Trees for tests: a store with some blobs, and what a version holds as a map.
 *
 * @module
 */
import { type Entry, openFs, type PathTree, type TreeEdit, type TreeFs } from "@alknet/handlers/fs";
import { temporaryFolder } from "../../../support/temp.ts";
import { sound } from "../stores.ts";

/** A store with blobs to link. */
export interface TreeStore extends AsyncDisposable {
  /** It. */
  readonly fs: TreeFs;
  /** Its trees. */
  readonly tree: PathTree;
  /** Its folder. */
  readonly folder: string;
  /** Blobs, of 1, 2, … bytes. */
  readonly hashes: readonly string[];
  /** Makes a commit on a branch as `tester`. */
  commit(branch: string, work: (edit: TreeEdit) => void): Promise<number>;
  /** What a version holds: paths, and what each stands for. */
  all(version: string): Promise<Map<string, string>>;
}

/** Options of {@linkcode treeStore}. */
export interface TreeStoreOptions {
  /** How many blobs. Default 8. */
  readonly blobs?: number;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** How much each may keep. */
  readonly quotas?: Readonly<Record<string, { readonly bytes?: number; readonly files?: number }>>;
}

/** A store in a folder of its own; it is sound when it goes. */
export async function treeStore({ blobs = 8, now, quotas }: TreeStoreOptions = {}): Promise<TreeStore> {
  const temporary = await temporaryFolder();
  const folder = temporary.join("fs");
  const fs = await openFs({ folder, now, quotas, durability: "normal" });
  const hashes: string[] = [];
  for (let i = 0; i < blobs; i++) {
    await using held = await fs.blobs.add(new Blob([new Uint8Array(i + 1).fill(i)]).stream());
    await fs.blobs.setTag(`blob ${i}`, held);
    hashes.push(held.hash);
  }
  return {
    fs,
    tree: fs.tree,
    folder,
    hashes,
    commit: (branch, work) => fs.tree.commit(branch, "tester", work),
    all: (version) => allOf(fs.tree, version),
    async [Symbol.asyncDispose]() {
      await fs[Symbol.asyncDispose]();
      await sound(folder);
      await temporary[Symbol.asyncDispose]();
    },
  };
}

/** What a version holds. */
export async function allOf(tree: PathTree, version: string): Promise<Map<string, string>> {
  const view = await tree.at(version);
  const found = new Map<string, string>();
  const walk = async (folder: string): Promise<void> => {
    for (let after: string | undefined = ""; after !== undefined;) {
      const page: Entry[] = await view.list(folder === "" ? "/" : folder, { after });
      for (const entry of page) {
        const path = `${folder}/${entry.name}`;
        found.set(path, entry.hash ?? (entry.kind === "link" ? `-> ${entry.target}` : "folder"));
        if (entry.kind === "folder") await walk(path);
      }
      after = page.length < 1000 ? undefined : page.at(-1)!.name;
    }
  };
  await walk("");
  return found;
}
