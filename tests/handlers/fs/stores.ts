/**
 * Stores of both kinds for tests, gone when the test is.
 *
 * @module
 */
import { type Fs, memoryFs, openFs } from "@alknet/handlers/fs";
import { DatabaseSync } from "node:sqlite";
import { deepEqual, equal } from "node:assert/strict";
import { has } from "../../support/programs.ts";
import { startS3 } from "../../support/s3.ts";
import { temporaryFolder } from "../../support/temp.ts";

/** A store on disk. */
export interface TestStore extends AsyncDisposable {
  /** It. */
  readonly fs: Fs;
  /** Its folder. */
  readonly folder: string;
}

/** A store in a folder of its own; it is sound when it goes. */
export async function diskStore(): Promise<TestStore> {
  const temporary = await temporaryFolder();
  const folder = temporary.join("fs");
  const fs = await openFs({ folder });
  return {
    fs,
    folder,
    async [Symbol.asyncDispose]() {
      await fs[Symbol.asyncDispose]();
      await sound(folder);
      await temporary[Symbol.asyncDispose]();
    },
  };
}

/** Each kind of store, by its name. */
export const KINDS: Readonly<Record<string, () => Promise<{ readonly fs: Fs } & AsyncDisposable>>> = {
  memory: async () => {
    const fs = await Promise.resolve(memoryFs());
    return { fs, [Symbol.asyncDispose]: () => fs[Symbol.asyncDispose]() };
  },
  disk: diskStore,
  ...has("versitygw") ? { bucket: bucketStore } : {},
};

/** A store that keeps no file here that lies in its bucket. */
async function bucketStore(): Promise<TestStore> {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await startS3());
  const temporary = stack.use(await temporaryFolder());
  const folder = temporary.join("fs");
  stack.defer(() => sound(folder));
  const fs = stack.use(await openFs({ folder, bucket: server.options({ mode: "cold", cacheBytes: 0 }) }));
  const owned = stack.move();
  return { fs, folder, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** A store that nobody has open: its database is whole, `tmp/` is empty, each file has a row and each row its files. */
export async function sound(folder: string): Promise<void> {
  const database = new DatabaseSync(`${folder}/store.db`);
  try {
    equal(Object.values(database.prepare("PRAGMA integrity_check").get()!)[0], "ok");
    const rows = database.prepare(
      "SELECT lower(hex(hash)) AS hash, state, place, pairs IS NULL AND size>16384 AND place<>3 AS has FROM blobs LEFT JOIN inline " +
        "USING(hash)",
    ).all() as { hash: string; state: number; place: number; has: number }[];
    const parts = rows.filter(({ state }) => state === 0).map(({ hash }) => hash);
    const names = (await filesBelow(`${folder}/partial`)).map((name) => name.slice(0, 64));
    deepEqual([...new Set(names)].sort(), parts.sort());
    equal(database.prepare("SELECT count(*) AS n FROM blobs WHERE state=2").get()!.n, 0);
    const expected = rows.filter(({ state }) => state === 1).flatMap(({ hash, place, has }) => [
      ...place === 1 ? [`${hash}.data`] : [],
      ...has ? [`${hash}.obao4`] : [],
    ]);
    equal((await filesBelow(`${folder}/data`)).sort().join("\n"), expected.sort().join("\n"));
    equal(database.prepare("SELECT count(*) AS n FROM holds").get()!.n, 0);
  } finally {
    database.close();
  }
  equal((await filesBelow(`${folder}/tmp`)).join(), "");
}

/** Reads bytes at hand. */
export function readerOfBytes(bytes: Uint8Array): { read(length: number): Uint8Array } {
  let at = 0;
  return { read: (length) => bytes.subarray(at, at += Math.min(length, bytes.byteLength - at)) };
}

/** Names of the files below a folder. */
export async function filesBelow(folder: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) names.push(...await filesBelow(`${folder}/${name}`));
    else names.push(name);
  }
  return names;
}

/** What the program that is killed adds: in the database, with its data in a file, with its outboard too. */
export const SIZES_OF_PROGRAM: readonly number[] = [100, 200_000, 6 << 20];

/** Bytes of what the program brings in parts: its outboard is a file too. */
export const PART_SIZE = 5 << 20;

/** Bytes of what the program sends: in the database, in a file, in parts. */
export const SENT_SIZES: readonly number[] = [100, 200_000, 17 << 20];
