/**
 * A PostgreSQL that refuses (fs.md §11 rows 55, 60): it lets nobody in, it is full, or it is not the one that a store's branches
 * are in.
 *
 * @module
 */
import { openFs, type PostgresOptions, PostgresPassword } from "@alknet/handlers/fs";
import { selfSignedCertificate } from "@alknet/core/identity";
import { equal, match, ok, rejects } from "node:assert/strict";
import { keepLogs } from "../../../support/logs.ts";
import { owned, PASSWORD, startPostgres } from "../../../support/postgres.ts";
import { needs } from "../../../support/programs.ts";
import { smallDisk } from "../../../support/small_disk.ts";
import { temporaryFolder } from "../../../support/temp.ts";
import { sound } from "../stores.ts";
import { nodeOn } from "./trees.ts";

Deno.test({
  name:
    "tree on PostgreSQL: a wrong password, user, database or port, TLS that is not believed: said in words, without the password, in logs too (rows 55, 60)",
  ...needs("postgresql"),
  async fn() {
    await using temporary = await temporaryFolder();
    const { certificate: ca, privateKey: key } = selfSignedCertificate({ names: ["localhost"] });
    await using logs = await keepLogs();
    await using server = await startPostgres({ tls: { certificate: ca, key } });
    const database = await server.database();
    const other = "another-secret-5512";
    const cases: readonly [Partial<PostgresOptions>, RegExp][] = [
      [{ password: () => new PostgresPassword(other) }, /it does not take the password$/],
      [{ user: "nobody_here" }, /it does not take the password$/],
      [{ database: "none_here" }, /there is no such database; make it with createdb$/],
      [{ port: 1 }, /nothing listens there$/],
      [{ host: server.folder, port: 2 }, /nothing listens there$/],
      [{ host: server.folder, user: "none" }, /it does not let this user in; see its pg_hba\.conf$/],
      [{ host: "localhost", tls: true }, /TLS: .*(certificate|self).*$/i],
      // It is for localhost, not for any address.
      [{ host: "127.0.0.1", tls: true, ca }, /TLS: .*$/],
    ];
    for (const [i, [options, said]] of cases.entries()) {
      await using fs = await openFs({ folder: temporary.join(`fs ${i}`), postgres: server.options(database, options) });
      const error = await fs.tree.branch("main").then(() => undefined, (error) => error);
      equal(error?.code, "TREE_UNAVAILABLE", `${JSON.stringify(options)}: ${error}`);
      match(error.message, said);
      const whole = Deno.inspect(error, { depth: 10 });
      for (const word of [other, PASSWORD]) ok(!whole.includes(word), whole);
    }
    {
      const options = server.options(database, { host: "localhost", tls: true, ca });
      await using fs = await openFs({ folder: temporary.join("right"), postgres: options });
      equal((await fs.tree.branch("main")).head, 0);
      const ssl = await server.sql(
        "SELECT count(*) FROM pg_stat_ssl s JOIN pg_stat_activity USING(pid) WHERE ssl",
        "postgres",
      );
      ok(Number(ssl) >= 1);
      // Tables of a later version are left as they are.
      await server.sql("UPDATE alknet_fs.version SET n=99", database);
      await using late = await openFs({ folder: temporary.join("late"), postgres: options });
      await rejects(late.tree.branch("main"), { code: "STORE_NEWER", message: /version 99.*nothing was changed/ });
    }
    const said = logs.lines.join("\n");
    ok(said.includes("branches are not to be had"), said);
    for (const word of [other, PASSWORD]) ok(!said.includes(word));
  },
});

Deno.test({
  name:
    "tree on PostgreSQL: a full database is said so, nothing is changed by it, and it goes on once there is room (row 55)",
  ...needs("postgresql", "root"),
  async fn() {
    await using server = await startPostgres();
    await using temporary = await temporaryFolder();
    await using disk = await smallDisk(temporary, "20m");
    if (!disk) return;
    await Deno.chmod(temporary.path, 0o711);
    const space = `${disk.path}/space`;
    const ballast = `${disk.path}/ballast`;
    await Deno.mkdir(space);
    await owned(space);
    await Deno.writeFile(ballast, new Uint8Array(8 * 1024 * 1024));
    await server.sql(`CREATE TABLESPACE small LOCATION '${space}'`, "postgres");
    const database = await server.database("small");
    await using one = await nodeOn(temporary.join("fs"), server.options(database));
    const { tree, hash } = one;
    const commit = (n: number): Promise<number> =>
      tree.commit("main", "tester", (edit) => {
        for (let i = 0; i < 2000; i++) {
          edit.putFile({ path: `/${n}/${"long name ".repeat(20)}${i}`, hash, parents: true });
        }
      });
    let full: { code: string; message: string } | undefined;
    let made = 0;
    while (!full) await commit(made).then(() => made++, (error) => full = error);
    equal(full.code, "STORE_FULL");
    match(full.message, /^the disk of database "db\d+_\d+" at .* is full; nothing was changed$/);
    equal((await tree.branch("main")).head, made);
    equal((await (await tree.at("main")).list("/")).length, made);
    await Deno.remove(ballast);
    equal(await commit(made), made + 1);
    equal((await (await tree.at("main")).list("/")).length, made + 1);
    await one[Symbol.asyncDispose]();
    await server.sql(`DROP DATABASE ${database}`, "postgres");
    await server.sql("DROP TABLESPACE small", "postgres");
    await server.sql("CHECKPOINT", "postgres");
  },
});

Deno.test({
  name:
    "tree on PostgreSQL: a store is not opened without the database that its branches are in, nor with another one; what it has stays",
  ...needs("postgresql"),
  async fn() {
    await using server = await startPostgres();
    await using temporary = await temporaryFolder();
    const folder = temporary.join("fs");
    const [first, second] = [await server.database(), await server.database()];
    let hash: string;
    {
      await using fs = await openFs({ folder, postgres: server.options(first) });
      await using held = await fs.blobs.add(new Blob(["linked there"]).stream());
      hash = held.hash;
      await fs.tree.commit("main", "tester", (edit) => edit.putFile({ path: "/f", hash }));
    }
    await rejects(openFs({ folder }), { code: "INVALID_STORE", message: /handlers\.fs\.postgres/ });
    {
      await using fs = await openFs({ folder, postgres: server.options(second) });
      await rejects(fs.tree.branch("main"), { code: "INVALID_STORE", message: /another database/ });
      await rejects(fs.blobs.collect({ full: true }), { code: "INVALID_STORE" });
    }
    await using fs = await openFs({ folder, postgres: server.options(first) });
    await fs.blobs.collect({ full: true });
    equal((await fs.blobs.status(hash)).state, "complete");
    await fs[Symbol.asyncDispose]();
    await sound(folder);
  },
});
