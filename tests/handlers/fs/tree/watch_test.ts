/**
 * Changes as they come, and what comparing costs (fs.md §6, Events and Diff; §11 rows 35, 38).
 *
 * @module
 */
import { type Change, openFs } from "@alknet/handlers/fs";
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { StoreDatabase } from "../../../../handlers/fs/blobs/disk/tables/database.ts";
import { diffOf } from "../../../../handlers/fs/tree/comparing/diff.ts";
import { BranchRows } from "../../../../handlers/fs/tree/rows/branches.ts";
import { atOnce } from "../../../../handlers/fs/tree/rows/steps.ts";
import { SqliteRows } from "../../../../handlers/fs/tree/sqlite.ts";
import { start } from "../../../support/process.ts";
import { temporaryFolder } from "../../../support/temp.ts";
import { treeStore } from "./trees.ts";

const PROGRAM = new URL("./committing_program.ts", import.meta.url).pathname;

async function take(changes: AsyncIterable<Change>, count: number): Promise<Change[]> {
  const found: Change[] = [];
  for await (const change of changes) if (found.push(change) === count) break;
  return found;
}

Deno.test("tree: changes are told each once and in order: since the beginning, since the head, of a path alone (row 38)", async () => {
  await using store = await treeStore();
  const { tree, commit, hashes: [a] } = store;
  const stop = new AbortController();
  const { signal } = stop;
  await commit("main", (edit) => edit.mkdir({ path: "/old" }));
  const first = take(tree.watch("main", { since: 0, signal }), 2003);
  const later = tree.watch("main", { signal })[Symbol.asyncIterator]();
  const next = later.next();
  const below = take(tree.watch("main", { since: 0, path: "/d/x", signal }), 4);
  await commit("main", (edit) => {
    for (let i = 0; i < 2000; i++) edit.mkdir({ path: `/n${i}` });
  });
  await commit("main", (edit) => edit.putFile({ path: "/d/x", hash: a, parents: true }));
  await commit("main", (edit) => edit.move({ from: "/d", to: "/e" }));
  await commit("main", (edit) => edit.putFile({ path: "/d/x/y", hash: a, parents: true }));
  const told = await first;
  deepEqual(told.map(({ seq, n }) => [seq, n]), [[1, 0], ...Array.from({ length: 2000 }, (_, n) => [2, n]), [3, 0], [
    3,
    1,
  ]]);
  deepEqual(told.at(-1), (await tree.log("main", { path: "/d/x", before: 4 }))[1]);
  equal((await next).value!.seq, 2);
  // What lies in it, it itself, and what it lies in.
  deepEqual((await below).map(({ op, path }) => `${op} ${path}`), ["mkdir /d", "put /d/x", "move /e", "mkdir /d"]);
  const ended = Array.fromAsync(tree.watch("main", { signal }));
  stop.abort();
  deepEqual(await ended, []);
  await later.return?.();
  const { signal: other } = new AbortController();
  await rejects(take(tree.watch("none", { signal: other }), 1), { code: "BRANCH_NOT_FOUND" });
  await tree.fork("gone", "main", "tester");
  const dropped = take(tree.watch("gone", { signal: other }), 1);
  await tree.drop("gone");
  await rejects(dropped, { code: "BRANCH_NOT_FOUND" });
});

Deno.test("tree: changes of another process are told too, each once, whenever it is killed (row 38)", async () => {
  await using temporary = await temporaryFolder();
  const folder = temporary.join("fs");
  await using fs = await openFs({ folder });
  const stop = new AbortController();
  const seen: Change[] = [];
  const watching = (async () => {
    for await (const change of fs.tree.watch("main", { since: 0, signal: stop.signal })) seen.push(change);
  })();
  for (let kill = 0; kill < 3; kill++) {
    await using child = start(Deno.execPath(), ["run", "-A", "--no-check", PROGRAM, folder], { signal: "SIGKILL" });
    for (let n = 0; n < 4; n++) await child.line(/^\d+$/);
  }
  await fs.tree.commit("main", "tester", (edit) => edit.mkdir({ path: "/the last one" }));
  const { head } = await fs.tree.branch("main");
  const known = (await fs.tree.log("main", { limit: 1_000_000 })).sort((a, b) => a.seq - b.seq || a.n - b.n);
  for await (const { seq } of fs.tree.watch("main", { since: head - 1, signal: stop.signal })) if (seq === head) break;
  // The first one has been told of it by now, or is next.
  while (seen.at(-1)?.seq !== head) await new Promise((done) => setTimeout(done));
  stop.abort();
  await watching;
  deepEqual(seen, known);
});

Deno.test("tree: to compare costs what was changed, not what is there (row 35)", async () => {
  await using store = await treeStore();
  const { tree, commit, folder, hashes: [a, b] } = store;
  for (let part = 0; part < 10; part++) {
    await commit("main", (edit) => {
      for (let i = 0; i < 2000; i++) edit.putFile({ path: `/${part}/${i}`, hash: a, parents: true });
    });
  }
  await tree.fork("work", "main", "tester");
  await commit("work", (edit) => {
    for (let i = 0; i < 10; i++) edit.putFile({ path: `/${i}/${i}`, hash: b });
  });
  let rows = 0;
  using database = new class extends StoreDatabase {
    override get<Row>(...args: Parameters<StoreDatabase["get"]>): Row | undefined {
      const row = super.get<Row>(...args);
      if (row) rows++;
      return row;
    }
    override all<Row>(...args: Parameters<StoreDatabase["all"]>): Row[] {
      const found = super.all<Row>(...args);
      rows += found.length;
      return found;
    }
  }(`${folder}/store.db`, "normal");
  const tables = new SqliteRows(database);
  const branches = new BranchRows(tables);
  const [one, other] = ["main", "work"].map((name) => {
    const row = atOnce(branches.named(name));
    return atOnce(branches.view(row, row.head));
  });
  rows = 0;
  const found = atOnce(diffOf(tables, one, other, "/"));
  deepEqual(
    found.map(({ path, change }) => `${change} ${path}`),
    Array.from({ length: 10 }, (_, i) => `changed /${i}/${i}`),
  );
  // Ten names, twice ten entries, and where ten folders are, in each of the two.
  ok(rows <= 10 + 20 + 40, `${rows} rows`);
});
