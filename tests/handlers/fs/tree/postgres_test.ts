/**
 * Branches in a PostgreSQL that nodes share (fs.md §7; §11 rows 21, 31, 55, 56): stopped and started, two nodes at one branch, a
 * node that is killed, and how much the database is asked.
 *
 * @module
 */
import { type Change, fsOperations, fsWeb, openFs, PostgresPassword, postgresPlace } from "@alknet/handlers/fs";
import { Dispatcher, nodeRegistry } from "@alknet/core/operations";
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { Connection } from "../../../../handlers/fs/tree/postgres/connection.ts";
import { PASSWORD, type PostgresServer, startPostgres } from "../../../support/postgres.ts";
import { start } from "../../../support/process.ts";
import { needs } from "../../../support/programs.ts";
import { temporaryFolder } from "../../../support/temp.ts";
import { allOf, nodeOn } from "./trees.ts";

const PROGRAM = new URL("./committing_program.ts", import.meta.url).pathname;

/** How many statements a server was asked meanwhile. What it logs comes in order, but not at once: marks say where it is. */
async function asked(server: PostgresServer, work: () => Promise<unknown>): Promise<number> {
  const mark = async (): Promise<number> => {
    const text = `SELECT 'mark ${crypto.randomUUID()}'`;
    await server.sql(text, "postgres");
    for (;;) {
      const at = server.said().indexOf(text);
      if (at >= 0) return at + text.length;
      await new Promise((done) => setTimeout(done, 5));
    }
  };
  const from = await mark();
  await work();
  const to = await mark();
  // Without the last mark.
  return [...server.said().slice(from, to).matchAll(/LOG: {2}(?:statement|execute [^:]*): /g)].length - 1;
}

Deno.test({
  name:
    "tree on PostgreSQL: two nodes commit to one branch: none is lost, and each sees all, once and in order (row 56)",
  ...needs("postgresql"),
  async fn() {
    await using server = await startPostgres();
    await using temporary = await temporaryFolder();
    const postgres = server.options(await server.database());
    // Both find no tables.
    const nodes = await Promise.all(["one", "two"].map((name) => nodeOn(temporary.join(name), postgres)));
    await using _one = nodes[0];
    await using _two = nodes[1];
    const stop = new AbortController();
    const seen: Change[][] = nodes.map(() => []);
    const count = 60;
    const watching = nodes.map(async ({ tree }, i) => {
      for await (const change of tree.watch("main", { since: 0, signal: stop.signal })) {
        if (seen[i].push(change) === 2 * count) break;
      }
    });
    await Promise.all(nodes.map(async ({ tree, hash }, i) => {
      for (let n = 0; n < count; n++) {
        await tree.commit("main", `node ${i}`, (edit) => edit.putFile({ path: `/${i}-${n}`, hash }));
      }
    }));
    await Promise.all(watching);
    deepEqual(seen[0], seen[1]);
    deepEqual(seen[0].map(({ seq }) => seq), Array.from({ length: 2 * count }, (_, i) => i + 1));
    for (const { tree } of nodes) equal((await allOf(tree, "main")).size, 2 * count);
    const [{ tree, hash }, { tree: other }] = nodes;
    {
      // Who listens is told of each commit, and of nothing else; what was said is there before the next answer.
      let told = 0;
      await using listener = await Connection.open(postgresPlace(postgres), postgres, () => told++);
      await listener.query("LISTEN alknet_fs");
      await tree.commit("main", "tester", (edit) => edit.mkdir({ path: "/told" }));
      await tree.usage("local");
      await tree.commit("main", "tester", (edit) => edit.remove({ path: "/told" }));
      await listener.query("SELECT 1");
      equal(told, 2);
    }
    // Only one of two that both replace what they saw.
    const both = await Promise.allSettled(
      [tree, other].map((one) =>
        one.commit("main", "tester", (edit) => edit.putFile({ path: "/once", hash, ifAbsent: true }))
      ),
    );
    deepEqual(both.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
    equal((both.find(({ status }) => status === "rejected") as PromiseRejectedResult).reason.code, "PATH_EXISTS");
    equal((await tree.branch("main")).head, 2 * count + 3);
    // Branches of their own at the same time, merged by the other.
    await Promise.all(nodes.map(async ({ tree, hash }, i) => {
      await tree.fork(`branch${i}`, "main", "tester");
      for (let n = 0; n < 20; n++) {
        await tree.commit(`branch${i}`, "tester", (edit) => edit.putFile({ path: `/b${i}/${n}`, hash, parents: true }));
      }
    }));
    await Promise.all([
      tree.merge("branch1", "main", { actor: "one" }),
      other.merge("branch0", "main", { actor: "two" }),
    ]);
    equal((await allOf(tree, "main")).size, 2 * count + 1 + 2 * 21);
    equal((await tree.usage("local")).files, 2 * count + 1 + 40);
  },
});

Deno.test({
  name:
    "tree on PostgreSQL: the database is stopped and started: TREE_UNAVAILABLE names it, nothing acknowledged is lost, all goes on by itself (row 55)",
  ...needs("postgresql"),
  async fn() {
    await using server = await startPostgres();
    await using temporary = await temporaryFolder();
    const database = await server.database();
    await using one = await nodeOn(temporary.join("one"), server.options(database));
    const { tree, blobs, hash } = one;
    const dispatcher = new Dispatcher({ registry: nodeRegistry(fsOperations(one)) });
    const identity = { id: "ada", scopes: ["admin"], resources: {} };
    const web = fsWeb(one);
    const acknowledged: string[] = [];
    let isRunning = true;
    const faults: { code: string; message: string; isUncertain?: boolean }[] = [];
    const writing = (async () => {
      for (let n = 0; isRunning; n++) {
        try {
          await tree.commit("main", "tester", (edit) => edit.putFile({ path: `/${n}`, hash }));
          acknowledged.push(`/${n}`);
        } catch (error) {
          faults.push(error as typeof faults[number]);
          await new Promise((done) => setTimeout(done, 5));
        }
      }
    })();
    const stop = new AbortController();
    const watched = new Set<string>();
    const watching = (async () => {
      for (let since = 0; !stop.signal.aborted;) {
        try {
          for await (const change of tree.watch("main", { since, signal: stop.signal })) {
            ok(!watched.has(change.path), `${change.path} was told twice`);
            watched.add(change.path);
            since = change.seq;
          }
        } catch {
          await new Promise((done) => setTimeout(done, 20));
        }
      }
    })();
    for (let round = 0; round < 3; round++) {
      const before = acknowledged.length;
      while (acknowledged.length < before + 10) await new Promise((done) => setTimeout(done, 5));
      await server.stop();
      const known = faults.length;
      while (faults.length < known + 2) await new Promise((done) => setTimeout(done, 5));
      // Hashes are served without it, and blobs taken; what nobody can say is not used goes not.
      equal((await blobs.status(hash)).state, "complete");
      await (await blobs.add(new Blob([`round ${round}`]).stream()))[Symbol.asyncDispose]();
      await rejects(blobs.collect({ full: true }), { code: "TREE_UNAVAILABLE" });
      await rejects(tree.at("main"), {
        code: "TREE_UNAVAILABLE",
        message: new RegExp(`^database "${database}" at 127`),
      });
      // Peers are told no more than that.
      const asking = dispatcher.call({ operation: "fs/stat", input: { branch: "main", path: "/" }, identity });
      await rejects(asking, { code: "TREE_UNAVAILABLE", message: "branches are not to be had now", retryable: true });
      const answer = (await web(new Request("http://node/fs/main/")))!;
      deepEqual([answer.status, (await answer.text()).includes("127.0.0.1")], [503, false]);
      await server.start();
    }
    const last = acknowledged.length;
    while (acknowledged.length < last + 5) await new Promise((done) => setTimeout(done, 5));
    isRunning = false;
    await writing;
    const there = await allOf(tree, "main");
    for (const path of acknowledged) ok(there.has(path), path);
    // What is there and was not acknowledged was said to be uncertain.
    ok(there.size - acknowledged.length <= faults.filter(({ isUncertain }) => isUncertain).length);
    for (const { code } of faults) equal(code, "TREE_UNAVAILABLE");
    while (watched.size < there.size) await new Promise((done) => setTimeout(done, 5));
    stop.abort();
    await watching;
  },
});

Deno.test({
  name:
    "tree on PostgreSQL: the database stops while it commits: it is said that nobody knows, and nothing is tried twice (row 55)",
  ...needs("postgresql"),
  async fn() {
    await using server = await startPostgres();
    await using temporary = await temporaryFolder();
    const database = await server.database();
    await using one = await nodeOn(temporary.join("one"), server.options(database));
    const { tree } = one;
    await tree.commit("main", "tester", (edit) => edit.mkdir({ path: "/before" }));
    // From here on to commit takes for ever.
    await server.sql(
      "CREATE FUNCTION alknet_fs.slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(600); RETURN NULL; END'; " +
        "CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON alknet_fs.changes DEFERRABLE INITIALLY DEFERRED " +
        "FOR EACH ROW EXECUTE FUNCTION alknet_fs.slow()",
      database,
    );
    const committing = rejects(tree.commit("main", "tester", (edit) => edit.mkdir({ path: "/perhaps" })), {
      code: "TREE_UNAVAILABLE",
      isUncertain: true,
      message: /the connection to it was lost; whether the change was made is not known: look before you try again$/,
    });
    const commits = "SELECT count(*) FROM pg_stat_activity WHERE query='COMMIT' AND state='active'";
    while (await server.sql(commits, database) === "0") await new Promise((done) => setTimeout(done, 10));
    await server.stop();
    await committing;
    await server.start();
    equal((await tree.branch("main")).head, 1);
  },
});

Deno.test({
  name:
    "tree on PostgreSQL: a node is killed while it commits: each acknowledged commit is there whole, the other node is not held up (rows 21, 56)",
  ...needs("postgresql"),
  async fn() {
    await using server = await startPostgres();
    await using temporary = await temporaryFolder();
    const folder = temporary.join("killed");
    const { password: _, ...postgres } = server.options(await server.database());
    const password = (): PostgresPassword => new PostgresPassword(PASSWORD);
    await using other = await nodeOn(temporary.join("other"), { ...postgres, password });
    for (let kill = 0; kill < 4; kill++) {
      let acknowledged = 0;
      {
        await using child = start(
          Deno.execPath(),
          ["run", "-A", "--no-check", PROGRAM, folder, JSON.stringify(postgres)],
          { signal: "SIGKILL" },
        );
        for (let n = 0; n < 3 + kill; n++) acknowledged = Number(await child.line(/^\d+$/));
      }
      // At once: what the dead one had begun and locked is let go with its connection.
      await other.tree.commit("main", "other", (edit) => edit.mkdir({ path: `/kill ${kill}` }));
      const { head } = await other.tree.branch("main");
      ok(head > acknowledged);
      ok((await allOf(other.tree, "main")).has(`/file ${acknowledged % 50}`));
    }
    await using again = await openFs({ folder, postgres: { ...postgres, password } });
    await again.blobs.collect({ full: true });
    const { head } = await again.tree.branch("main");
    const linked = new Set<string>();
    for (const version of [head, head - 3]) {
      for (const what of (await allOf(again.tree, `main@${version}`)).values()) if (what !== "folder") linked.add(what);
    }
    ok(linked.size > 5);
    for (const hash of linked) equal((await again.blobs.status(hash)).state, "complete");
    const log = await again.tree.log("main", { limit: 100_000 });
    deepEqual([...new Set(log.map(({ seq }) => seq))], Array.from({ length: head }, (_, i) => head - i));
  },
});

Deno.test({
  name:
    "tree on PostgreSQL: a path is found by one statement, however deep and however much there is, and by keys alone (row 31)",
  ...needs("postgresql"),
  async fn() {
    await using server = await startPostgres({ settings: ["log_statement=all"] });
    await using temporary = await temporaryFolder();
    const database = await server.database();
    await using one = await nodeOn(temporary.join("fs"), server.options(database));
    const { tree, hash } = one;
    await tree.commit("main", "tester", (edit) => {
      edit.putFile({ path: "/a/b/c/d/e", hash, parents: true });
      for (let i = 0; i < 1500; i++) edit.mkdir({ path: `/a/b/${i}` });
    });
    await tree.commit("main", "tester", (edit) => {
      for (let i = 0; i < 1500; i++) edit.set({ path: `/a/b/${i}`, mode: 0o700 });
    });
    for (let i = 0; i < 31; i++) await tree.fork(`fork${i}`, i === 0 ? "main" : `fork${i - 1}`, "tester");
    // Forked before the head of each: the past is looked at too.
    for (let i = 0; i < 31; i++) await tree.commit(`fork${i}`, "tester", (edit) => edit.mkdir({ path: "/other" }));
    const cost = (work: () => Promise<unknown>): Promise<number> => asked(server, work);
    for (const branch of ["main", "fork30"]) {
      const view = await tree.at(branch);
      equal((await view.stat("/a/b/c/d/e"))!.hash, hash);
      equal(await cost(() => view.stat("/a/b/c/d/e")), 1, branch);
      equal(await cost(() => view.stat("/a/b/none")), 1, branch);
      equal(await cost(() => tree.at(branch)), 1);
    }
    // To commit asks by the parts of the path and the branches behind, not by what is there.
    const put = (path: string): Promise<number> =>
      cost(() => tree.commit("main", "tester", (edit) => edit.putFile({ path, hash })));
    await put("/a/b/first");
    const few = await put("/a/b/second");
    ok(few <= 25, `${few} statements`);
    // What was asked is counted for certain once who asked is gone.
    const counted = async (work?: () => Promise<void>): Promise<string> => {
      await work?.();
      const clients = "SELECT count(*) FROM pg_stat_activity WHERE application_name='alknet'";
      while (await server.sql(clients, database) !== "0") await new Promise((done) => setTimeout(done, 10));
      return await server.sql(
        "SELECT string_agg(relname||seq_scan,',' ORDER BY relname) FROM pg_stat_user_tables WHERE relname IN('entries','past')",
        database,
      );
    };
    await one[Symbol.asyncDispose]();
    await server.sql("VACUUM ANALYZE", database);
    const before = await counted();
    const after = await counted(async () => {
      await using again = await openFs({ folder: temporary.join("fs"), postgres: server.options(database) });
      const view = await again.tree.at("fork30");
      for (let i = 0; i < 20; i++) ok(await view.stat("/a/b/c/d/e"));
    });
    equal(after, before);
  },
});
