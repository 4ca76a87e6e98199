/**
 * Blobs under branches that nodes share (fs.md §5.4, §7; §11 rows 56, 57): what a branch links stays in the store that links it,
 * and goes from each when the last version does, whoever dropped it.
 *
 * @module
 */
import { openFs, type PostgresOptions, type TreeFs } from "@alknet/handlers/fs";
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { DiskBlobStore } from "../../../../handlers/fs/blobs/disk/disk.ts";
import { PostgresEngine } from "../../../../handlers/fs/tree/postgres/engine.ts";
import { SharedTrees } from "../../../../handlers/fs/tree/postgres/shared.ts";
import { RowsTree } from "../../../../handlers/fs/tree/rows_tree.ts";
import { setTimeout as delay } from "node:timers/promises";
import { seeded } from "../../../support/random.ts";
import { startPostgres } from "../../../support/postgres.ts";
import { start } from "../../../support/process.ts";
import { needs } from "../../../support/programs.ts";
import { startS3 } from "../../../support/s3.ts";
import { temporaryFolder } from "../../../support/temp.ts";
import { sound } from "../stores.ts";
import { allOf, hurried } from "./trees.ts";

const PROGRAM = new URL("./linking_program.ts", import.meta.url).pathname;
const STOPS = new URL("./stopping_program.ts", import.meta.url).pathname;
const HOUR = 3_600_000;
/** Blobs that are linked while they are collected. */
const RACES = Number(Deno.env.get("ALKNET_RACES") ?? 2500);
/** Processes that link, each killed. */
const LIVES = 2;

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
      // The keeper collects without end; the other process links what was let go a moment before, and is killed at times.
      const time = Date.now();
      await using fs = await openFs({ folder, postgres, durability: "normal", now: hurried(time) });
      const random = seeded("races");
      const counts = { linked: 0, refused: 0, passes: 0 };
      for (let round = 0; round < LIVES; round++) {
        await using child = start(
          Deno.execPath(),
          ["run", "-A", "--no-check", PROGRAM, folder, JSON.stringify(rest), `life${round}`, `${time}`],
          { signal: "SIGKILL" },
        );
        let isOver = false;
        const collecting = (async () => {
          for (; !isOver; counts.passes++) {
            await fs.blobs.collect();
            await delay(random.below(4));
          }
        })();
        try {
          const isMore = (n: number): boolean => n < RACES / 10 / LIVES || counts.refused === 0 && n < RACES;
          for (let n = 0; isMore(n); n++) {
            counts[await child.line(/^(?:linked|refused)$/) as "linked" | "refused"] += 10;
          }
        } finally {
          isOver = true;
          await collecting;
        }
      }
      console.log(`races: ${JSON.stringify(counts)}`);
      ok(counts.linked > 0 && counts.refused > 0, JSON.stringify(counts));
      for (let i = 0; i < 40; i++) {
        const hash = await add(fs, `own ${i}`);
        const [result] = await Promise.allSettled([
          fs.tree.commit("main", "tester", (edit) => edit.putFile({ path: `/own ${i}`, hash })),
          fs.blobs.collect({ full: true }),
        ]);
        if (result.status === "rejected") equal(result.reason.code, "BLOB_NOT_FOUND");
      }
      await fs.blobs.collect({ full: true });
      const links: string[] = [];
      for await (const { name } of fs.tree.branches()) {
        links.push(...[...(await allOf(fs.tree, name)).values()].filter((what) => what !== "folder"));
      }
      ok(links.length >= counts.linked);
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

Deno.test({
  name:
    "tree on PostgreSQL: a collector that is killed, wherever it was: another one takes over, and what was linked meanwhile stays (row 57)",
  ...needs("postgresql"),
  async fn() {
    await using server = await startPostgres();
    await using temporary = await temporaryFolder();
    const folder = temporary.join("fs");
    const { password, ...rest } = server.options(await server.database());
    const content = (where: string, n: number): string => `${where} ${n} `.repeat(4000);
    {
      await using fs = await openFs({ folder, postgres: { ...rest, password }, durability: "normal" });
      const put = (path: string, hash: string): Promise<number> =>
        fs.tree.commit("main", "tester", (edit) => edit.putFile({ path, hash }));
      for (const where of ["asked", "0", "1", "5"]) {
        const hashes: string[] = [];
        for (let n = 0; n < 6; n++) hashes.push(await add(fs, content(where, n)));
        await put(`/${where}`, hashes[0]);
        const open = { signal: "SIGKILL" } as const;
        await using child = start(
          Deno.execPath(),
          ["run", "-A", "--no-check", STOPS, folder, JSON.stringify(rest), where],
          open,
        );
        await child.line(/^stopped$/);
        // Nobody else collects as long as it lives, nor does what goes come back.
        let isOver = false;
        const collecting = fs.blobs.collect({ full: true }).finally(() => isOver = true);
        const again = add(fs, content(where, 2)).finally(() => isOver ||= where !== "asked");
        if (where === "asked") await put("/meanwhile", hashes[1]);
        else await rejects(put("/meanwhile", hashes[1]), { code: "BLOB_NOT_FOUND" });
        equal(isOver, false);
        Deno.kill(child.pid, "SIGKILL");
        await child.status;
        equal(await again, hashes[2]);
        await collecting;
        await put(`/${where} again`, hashes[2]);
        await fs.blobs.collect({ full: true });
        const states = await Promise.all(hashes.map(async (hash) => (await fs.blobs.status(hash)).state));
        const linked = where === "asked" ? [0, 1, 2] : [0, 2];
        deepEqual(states, hashes.map((_, n) => linked.includes(n) ? "complete" : "absent"), where);
        equal(await text(fs, hashes[2]), content(where, 2));
      }
    }
    // Its holds and files went with it.
    await (await openFs({ folder, postgres: { ...rest, password } }))[Symbol.asyncDispose]();
    await sound(folder);
  },
});
