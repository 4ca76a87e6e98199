/**
 * Trees for tests: a store with some blobs, and what a version holds as a map.
 *
 * @module
 */
import {
  type Entry,
  openFs,
  type PathTree,
  type PostgresOptions,
  type TreeEdit,
  type TreeFs,
} from "@alknet/handlers/fs";
import { DatabaseSync } from "node:sqlite";
import { type PostgresServer, startPostgres } from "../../../support/postgres.ts";
import { needs } from "../../../support/programs.ts";
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
  /** What a query says that asks the tables for one number. */
  number(sql: string): Promise<number>;
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
  /** What has the tables. Default: the store. */
  readonly server?: PostgresServer;
}

/**
 * A clock on which five minutes are 3 ms: what was let go is old enough to be collected when the next pass comes.
 *
 * @param start When it was right: milliseconds since 1970.
 */
export function hurried(start: number): () => number {
  return () => start + Math.floor((performance.timeOrigin + performance.now() - start) * 100_000);
}

/** A test of trees: how it makes a store, and by how much less it does where each statement has a way to go. */
export type TreeTest = (make: (options?: TreeStoreOptions) => Promise<TreeStore>, scale: number) => Promise<void>;

/** A test of trees on each engine (fs.md §11 row 55). */
export function onBoth(name: string, test: TreeTest): void {
  Deno.test(name, () => test(treeStore, 1));
  Deno.test({
    name: name.replace(/^tree:/, "tree on PostgreSQL:"),
    ...needs("postgresql"),
    async fn() {
      await using server = await startPostgres();
      await test((options) => treeStore({ ...options, server }), 0.1);
    },
  });
}

/** A store in a folder of its own; it is sound when it goes. */
export async function treeStore({ blobs = 8, now, quotas, server }: TreeStoreOptions = {}): Promise<TreeStore> {
  const temporary = await temporaryFolder();
  const folder = temporary.join("fs");
  const database = await server?.database();
  const postgres = server?.options(database!);
  const fs = await openFs({ folder, now, quotas, durability: "normal", postgres });
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
    async number(sql) {
      if (server) return Number(await server.sql(`SET search_path=alknet_fs; ${sql}`, database!));
      using store = new DatabaseSync(`${folder}/store.db`);
      return Number(Object.values(store.prepare(sql).get()!)[0]);
    },
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

/** Opens the store of a node whose branches are in PostgreSQL, with a blob in it. */
export async function nodeOn(
  folder: string,
  postgres: PostgresOptions,
): Promise<TreeFs & { readonly hash: string }> {
  const fs = await openFs({ folder, postgres, durability: "normal" });
  await using held = await fs.blobs.add(new Blob(["hello"]).stream());
  await fs.blobs.setTag("kept", held);
  return { ...fs, hash: held.hash, [Symbol.asyncDispose]: () => fs[Symbol.asyncDispose]() };
}
