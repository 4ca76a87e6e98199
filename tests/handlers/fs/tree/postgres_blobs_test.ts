/**
 * Blobs under branches that nodes share (fs.md §5.4, §7; §11 rows 56, 57): what a branch links stays in the store that links it,
 * and goes from each when the last version does, whoever dropped it.
 *
 * @module
 */
import { openFs, type PostgresOptions, type TreeFs } from "@alknet/handlers/fs";
import { equal, ok } from "node:assert/strict";
import { DiskBlobStore } from "../../../../handlers/fs/blobs/disk/disk.ts";
import { PostgresEngine } from "../../../../handlers/fs/tree/postgres/engine.ts";
import { SharedTrees } from "../../../../handlers/fs/tree/postgres/shared.ts";
import { RowsTree } from "../../../../handlers/fs/tree/rows_tree.ts";
import { startPostgres } from "../../../support/postgres.ts";
import { start } from "../../../support/process.ts";
import { needs } from "../../../support/programs.ts";
import { startS3 } from "../../../support/s3.ts";
import { temporaryFolder } from "../../../support/temp.ts";
import { sound } from "../stores.ts";
import { allOf } from "./trees.ts";

const PROGRAM = new URL("./linking_program.ts", import.meta.url).pathname;
const HOUR = 3_600_000;

async function add({ blobs }: Pick<TreeFs, "blobs">, text: string): Promise<string> {
  await using held = await blobs.add(new Blob([text]).stream());
  return held.hash;
}

async function text({ blobs }: TreeFs, hash: string): Promise<string> {
  await using reader = await blobs.open(hash);
  return new TextDecoder().decode(await reader.read(0, reader.size));
}

Deno.test({
  name:
    "tree on PostgreSQL: one database and one bucket: what a node commits the other reads; what the other removes goes here too (row 56)",
  ...needs("postgresql", "versitygw"),
  async fn() {
    await using server = await startPostgres();
    await using bucket = await startS3();
    await using temporary = await temporaryFolder();
    let now = Date.now();
    const postgres = server.options(await server.database());
    const open = (name: string): Promise<TreeFs> =>
      openFs({
        folder: temporary.join(name),
        postgres,
        bucket: bucket.options({ prefix: "shared/" }),
        historyDays: 0,
        now: () => now,
      });
    {
      await using one = await open("one");
      await using two = await open("two");
      const hash = await add(one, "from one to the other");
      await one.tree.commit("main", "one", (edit) => edit.putFile({ path: "/a", hash }));
      await one.settle();
      const entry = (await (await two.tree.at("main")).stat("/a"))!;
      equal(entry.hash, hash);
      equal(await text(two, entry.hash!), "from one to the other");
      // It is no candidate here, nor there.
      now += HOUR;
      for (const { blobs } of [one, two]) equal((await blobs.collect({ full: true })).blobs, 0);
      equal((await two.blobs.status(hash)).state, "complete");
      await two.tree.commit("main", "two", (edit) => edit.remove({ path: "/a" }));
      await two.tree.commit("main", "two", (edit) => edit.mkdir({ path: "/after" }));
      now += HOUR;
      await one.tree.upkeep();
      await two.tree.upkeep();
      // Each is told of what the other dropped: no look at all there is is needed. It was heard now, and goes some minutes later.
      for (const { blobs } of [one, two]) await blobs.collect();
      now += HOUR;
      for (const { blobs } of [one, two]) await blobs.collect();
      for (const { blobs } of [one, two]) equal((await blobs.status(hash)).state, "absent");
    }
    for (const name of ["one", "two"]) await sound(temporary.join(name));
  },
});

Deno.test({
  name:
    "tree on PostgreSQL: what is linked while it is collected stays, or is refused: no link is without its blob; whoever is killed (row 57)",
  ...needs("postgresql"),
  async fn() {
    await using server = await startPostgres();
    await using temporary = await temporaryFolder();
    const folder = temporary.join("fs");
    const { password, ...rest } = server.options(await server.database());
    const postgres: PostgresOptions = { ...rest, password };
    {
      // The keeper collects without end; the other process links what was let go a moment before.
      await using fs = await openFs({ folder, postgres, durability: "normal" });
      let [linked, refused] = [0, 0];
      for (let round = 0; round < 3; round++) {
        await using child = start(
          Deno.execPath(),
          ["run", "-A", "--no-check", PROGRAM, folder, JSON.stringify(rest), `${round}`],
          { signal: "SIGKILL" },
        );
        for (let n = 0; n < 80;) {
          const [next] = await Promise.all([child.line(/^(?:linked|refused)$/), fs.blobs.collect({ full: true })]);
          if (next === "linked") linked++;
          else refused++;
          n++;
        }
      }
      ok(linked > 0, `${linked} linked, ${refused} refused`);
      for (let i = 0; i < 60; i++) {
        const hash = await add(fs, `own ${i}`);
        const [result] = await Promise.allSettled([
          fs.tree.commit("main", "tester", (edit) => edit.putFile({ path: `/own ${i}`, hash })),
          fs.blobs.collect({ full: true }),
        ]);
        if (result.status === "rejected") equal(result.reason.code, "BLOB_NOT_FOUND");
      }
      await fs.blobs.collect({ full: true });
      const links = [...(await allOf(fs.tree, "main")).values()].filter((what) => what !== "folder");
      ok(links.length >= linked);
      for (const hash of links) equal((await fs.blobs.status(hash)).state, "complete", hash);
    }
    // Whoever opens it next lets go what the killed held.
    await (await openFs({ folder, postgres }))[Symbol.asyncDispose]();
    await sound(folder);
  },
});

Deno.test({
  name:
    "tree on PostgreSQL: a blob that is linked after the database said that nothing links it, and before it goes, stays (row 57)",
  ...needs("postgresql"),
  async fn() {
    await using server = await startPostgres();
    await using temporary = await temporaryFolder();
    let meanwhile = (): Promise<void> => Promise.resolve();
    const shared = new class extends SharedTrees {
      override async among(hashes: readonly Uint8Array[]): Promise<ReadonlySet<string>> {
        const found = await super.among(hashes);
        await meanwhile();
        return found;
      }
    }(server.options(await server.database()));
    let now = Date.now();
    const options = { folder: temporary.join("fs"), durability: "normal", now: () => now } as const;
    await using blobs = await DiskBlobStore.openFolder(options, undefined, shared);
    await using tree = new RowsTree(new PostgresEngine(shared, blobs.tables));
    for (const full of [true, false]) {
      const hash = await add({ blobs }, `linked, ${full}`);
      await add({ blobs }, `let go, ${full}`);
      now += HOUR;
      meanwhile = async () => {
        meanwhile = () => Promise.resolve();
        // A while after the pass began.
        now += 10;
        await tree.commit("main", "tester", (edit) => edit.putFile({ path: `/${full}`, hash }));
        // What is held no more is written down with the next hold.
        await add({ blobs }, `after, ${full}`);
      };
      await blobs.collect({ full });
      equal((await blobs.status(hash)).state, "complete");
      await blobs.collect({ full: true });
      equal((await blobs.status(hash)).state, "complete");
    }
  },
});
