/**
 * What a tree keeps: after `kill -9`, of its history, within quotas, and of blobs (fs.md §5.4, §5.5, §6; §11 rows 21, 24, 31, 37).
 *
 * @module
 */
import { openFs } from "@alknet/handlers/fs";
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { hashOf } from "@alknet/handlers/fs/bao";
import { StoreDatabase } from "../../../../handlers/fs/blobs/disk/tables/database.ts";
import { BranchRows } from "../../../../handlers/fs/tree/rows/branches.ts";
import { atOnce } from "../../../../handlers/fs/tree/rows/steps.ts";
import { SqliteRows } from "../../../../handlers/fs/tree/sqlite.ts";
import { start } from "../../../support/process.ts";
import { Random, seeded } from "../../../support/random.ts";
import { temporaryFolder } from "../../../support/temp.ts";
import { sound } from "../stores.ts";
import { change } from "./committing_program.ts";
import { type Model, sorted } from "./model.ts";
import { allOf, onBoth } from "./trees.ts";

const PROGRAM = new URL("./committing_program.ts", import.meta.url).pathname;
const DAY = 24 * 3_600_000;
const KILLS = 10;

Deno.test("tree: kill -9 while commits are made: each acknowledged one is there whole, and so is each blob that it links (row 21)", async () => {
  await using temporary = await temporaryFolder();
  const folder = temporary.join("fs");
  const random = seeded("tree kills");
  let [acknowledged, played] = [0, 0];
  const model: Model = new Map();
  for (let kill = 0; kill < KILLS; kill++) {
    {
      await using child = start(Deno.execPath(), ["run", "-A", "--no-check", PROGRAM, folder], { signal: "SIGKILL" });
      for (let n = random.between(1, 12); n > 0; n--) acknowledged = Number(await child.line(/^\d+$/));
      using watcher = Deno.watchFs(folder);
      let changes = random.between(0, 6);
      for await (const _ of watcher) if (changes-- <= 0) break;
    }
    await using fs = await openFs({ folder });
    const { head } = await fs.tree.branch("main");
    ok(head >= acknowledged, `${head} is there, ${acknowledged} was acknowledged`);
    const nothing = {
      putFile() {},
      mkdir() {},
      symlink() {},
      set() {},
      remove() {},
      move() {},
      copy() {},
      restore() {},
    };
    while (played < head) {
      played++;
      change(played, model, hashOf(new Random(played).bytes(20_000)).toHex(), nothing);
    }
    deepEqual(sorted(await allOf(fs.tree, "main")), sorted(model));
    await fs.blobs.collect({ full: true });
    const seen = new Set(
      [...await allOf(fs.tree, `main@${random.between(0, head)}`), ...model].map(([, what]) => what),
    );
    for (const hash of seen) if (hash !== "folder") equal((await fs.blobs.status(hash)).state, "complete");
  }
  await sound(folder);
});

onBoth(
  "tree: a blob stays while a version links it, and goes with the last one that is kept (rows 24, 37)",
  async (treeStore) => {
    let now = Date.UTC(2026, 0, 1);
    await using store = await treeStore({ blobs: 6, now: () => now });
    const { tree, fs: { blobs }, commit, hashes } = store;
    for (let i = 0; i < 6; i++) await blobs.dropTag(`blob ${i}`);
    for (const hash of hashes) {
      await commit("main", (edit) => edit.putFile({ path: "/f", hash }));
      now += 10 * DAY;
    }
    now += DAY;
    await tree.snapshot("main", "last", "tester");
    await rejects(tree.snapshot("main", "7", "tester"), { code: "INVALID_NAME" });
    await tree.fork("work", "main@2", "tester");
    const kept = async (): Promise<string> => {
      await tree.upkeep();
      now += 3_600_000;
      await blobs.collect({ full: true });
      const states = await Promise.all(hashes.map((hash) => blobs.status(hash)));
      return states.map(({ state }) => (state === "complete" ? "+" : "-")).join("");
    };
    // At day 61, of commits at days 0, 10, …, 50: those of days 40 and 50, and the versions before: 4 and younger; 2 is forked.
    equal(await kept(), "-+-+++");
    await rejects(tree.at("main@1"), { code: "HISTORY_GONE", oldest: 4 });
    await rejects(tree.at("main@3"), { code: "HISTORY_GONE" });
    await rejects(tree.fork("other", "main@3", "tester"), { code: "HISTORY_GONE" });
    equal((await (await tree.at("main@2")).stat("/f"))!.hash, hashes[1]);
    equal((await (await tree.at("work")).stat("/f"))!.hash, hashes[1]);
    deepEqual((await tree.log("main")).map(({ seq }) => seq), [6, 5, 4]);
    const signal = AbortSignal.timeout(60_000);
    await rejects(Array.fromAsync(tree.watch("main", { since: 1, signal })), { code: "HISTORY_GONE", oldest: 4 });
    await tree.drop("work");
    equal(await kept(), "---+++");
    now += 60 * DAY;
    await commit("main", (edit) => edit.remove({ path: "/f" }));
    now += 60 * DAY;
    // The snapshot keeps what it names, for ever.
    equal(await kept(), "-----+");
    equal((await (await tree.at("main@last")).stat("/f"))!.hash, hashes[5]);
    await tree.unsnapshot("main", "last");
    equal(await kept(), "------");
    await rejects(tree.at("main@last"), { code: "BRANCH_NOT_FOUND" });
  },
);

onBoth(
  "tree: quotas count the files of an identity's branches: up to them, and not beyond (row 23)",
  async (treeStore) => {
    await using store = await treeStore({ quotas: { local: { bytes: 10, files: 20 }, "*": { files: 2 } } });
    const { tree, commit, hashes, fs } = store;
    // 1 + 2 + 3 + 4 bytes.
    for (let i = 0; i < 4; i++) await commit("main", (edit) => edit.putFile({ path: `/${i}`, hash: hashes[i] }));
    deepEqual(await tree.usage("local"), { owner: "local", bytes: 10, files: 4, maxBytes: 10, maxFiles: 20 });
    const before = await store.all("main");
    await rejects(commit("main", (edit) => edit.putFile({ path: "/4", hash: hashes[0] })), { code: "QUOTA_EXCEEDED" });
    deepEqual(await store.all("main"), before);
    await rejects(fs.blobs.add(new Blob([new Uint8Array(1)]).stream(), { owner: "local" }), { code: "QUOTA_EXCEEDED" });
    await commit("main", (edit) => edit.putFile({ path: "/3", hash: hashes[0] }));
    equal((await tree.usage("local")).bytes, 7);
    await commit("main", (edit) => edit.remove({ path: "/2" }));
    // A fork keeps nothing of its own; what its owner puts does.
    await tree.fork("theirs", "main", "ada");
    await commit("theirs", (edit) => edit.putFile({ path: "/a", hash: hashes[0] }));
    await commit("theirs", (edit) => edit.putFile({ path: "/0", hash: hashes[1] }));
    await rejects(commit("theirs", (edit) => edit.putFile({ path: "/b", hash: hashes[0] })), {
      code: "QUOTA_EXCEEDED",
    });
    deepEqual([(await tree.usage("ada")).files, (await tree.usage("local")).bytes], [2, 4]);
    await tree.configure("theirs", { owner: "local", public: true });
    deepEqual([(await tree.usage("ada")).files, (await tree.usage("local")).bytes], [0, 7]);
    ok((await tree.branch("theirs")).public);
  },
);

Deno.test("tree: to find a name takes lookups by its path and by the branches behind, whatever is stored (row 31)", async () => {
  await using temporary = await temporaryFolder();
  const folder = temporary.join("fs");
  await using fs = await openFs({ folder, durability: "normal" });
  await fs.tree.commit("main", "tester", (edit) => edit.mkdir({ path: "/a/b/c/d/e", parents: true }));
  const lookups = (branch: string): number => {
    using database = new StoreDatabase(`${folder}/store.db`, "normal");
    const rows = new BranchRows(new SqliteRows(database));
    const row = atOnce(rows.named(branch));
    const view = atOnce(rows.view(row, row.head));
    ok(atOnce(view.find(["a", "b", "c", "d", "e"])));
    return view.lookups;
  };
  equal(lookups("main"), 5);
  for (let round = 0; round < 3; round++) {
    await fs.tree.commit("main", "tester", (edit) => {
      for (let i = 0; i < 3000; i++) edit.mkdir({ path: `/a/b/c/${round}-${i}` });
    });
    equal(lookups("main"), 5);
  }
  for (let i = 0; i < 31; i++) await fs.tree.fork(`fork${i}`, i === 0 ? "main" : `fork${i - 1}`, "tester");
  equal(lookups("fork30"), 5 * 32);
  // Forked before the head of each: the past is asked too.
  for (let i = 0; i < 31; i++) await fs.tree.commit(`fork${i}`, "tester", (edit) => edit.mkdir({ path: "/other" }));
  ok(lookups("fork30") <= 5 * 32 * 2);
  using database = new DatabaseSync(`${folder}/store.db`);
  const plan = (sql: string): string =>
    database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all().map(({ detail }) => detail).join();
  const key = "branch=? AND dir=? AND name=?";
  ok(plan(`SELECT * FROM entries WHERE ${key}`).includes(`USING PRIMARY KEY (${key})`));
  ok(plan(`SELECT * FROM past WHERE ${key} AND until>? ORDER BY until LIMIT 1`).includes("USING PRIMARY KEY"));
  const node = "branch=? AND node=?";
  ok(plan(`SELECT * FROM entries INDEXED BY entries_node WHERE ${node}`).includes(`entries_node (${node})`));
  const past = `SELECT * FROM past INDEXED BY past_node WHERE ${node} AND until>? ORDER BY until LIMIT 1`;
  ok(plan(past).includes(`past_node (${node} AND until>?)`), plan(past));
});
