/**
 * `alknet fs` with a database in `handlers.fs.postgres`: on two machines, beside a running node, without the database, and with
 * what is wrong in the configuration.
 *
 * @module
 */
import { deepEqual, equal, match, notEqual } from "node:assert/strict";
import { PASSWORD, startPostgres, USER } from "../support/postgres.ts";
import { runAlknet } from "../support/process.ts";
import { needs } from "../support/programs.ts";
import { temporaryFolder } from "../support/temp.ts";
import { initHome, type TestHome } from "./home.ts";

/** Writes the configuration of a database beside what else there is. */
async function configured(home: TestHome, postgres: Record<string, unknown>): Promise<void> {
  await home.writeConfig({ ...await home.config(), handlers: { fs: { postgres } } });
}

async function well(home: TestHome, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await home.run(...args);
  equal(code, 0, `${args.join(" ")}\n${stderr}`);
  equal(stderr.includes(PASSWORD), false);
  return stdout.trimEnd();
}

Deno.test({
  name:
    "alknet fs over a database: what one machine adds the other lists and branches, its password in the vault or a file; a node watches; doctor looks",
  ...needs("postgresql"),
  async fn() {
    await using server = await startPostgres();
    await using one = await initHome();
    await using two = await initHome();
    await using folder = await temporaryFolder();
    const database = await server.database();
    const place = { host: "127.0.0.1", port: server.port, database, user: USER, tls: false };
    const sealed = await runAlknet(["vault", "seal", "tree", "--home", one.path], { stdin: `${PASSWORD}\n` });
    equal(sealed.code, 0, sealed.stderr);
    await configured(one, { ...place, credential: "tree" });
    await configured(two, { ...place, credential_file: await folder.write("password", `${PASSWORD}\n`) });
    match(
      await well(one, "doctor"),
      /^✓ postgres: database ".*" at 127\.0\.0\.1:\d+: PostgreSQL \d+.*still to be made$/m,
    );
    await well(one, "fs", "add", await folder.write("a.txt", "hello"), "main:/a.txt");
    await well(one, "fs", "mkdir", "main:/docs");
    await well(one, "fs", "mv", "main:/a.txt", "main:/docs/a.txt");
    equal(await well(two, "fs", "ls", "main:/docs"), "a.txt");
    match(await well(two, "doctor"), /^✓ postgres: .*tables of version 1$/m);
    {
      await using node = await two.serve();
      await well(two, "fs", "branch", "create", "work", "main");
      await well(one, "fs", "mkdir", "work:/made");
      match(await well(two, "fs", "ls", "work:/"), /^docs\/\nmade\/$/);
      match(await well(one, "fs", "log", "work:/"), /mkdir +\/made/);
      equal(node.child.errors.includes(PASSWORD), false);
    }
    await server.stop();
    const down = await one.run("fs", "ls", "main:/");
    notEqual(down.code, 0);
    match(down.stderr, /database ".*" at 127\.0\.0\.1:\d+: nothing listens there; see handlers\.fs\.postgres, or ask/);
    const unwatched = await one.run("fs", "watch", "main");
    deepEqual([unwatched.code, unwatched.stderr], [down.code, down.stderr]);
    match(
      (await one.run("doctor")).stdout,
      /^✗ postgres: .*nothing listens there.*\n {2}see handlers\.fs\.postgres of /m,
    );
    // Hashes need none.
    match(await well(one, "blob", "ls"), /complete/);
    await server.start();
    equal(await well(one, "fs", "ls", "main:/docs"), "a.txt");
    // Not without it: what is linked there would be taken for unused.
    await one.writeConfig({ ...await one.config(), handlers: { fs: {} } });
    match((await one.run("blob", "gc")).stderr, /lie in a database; say in handlers\.fs\.postgres which it is/);
  },
});

Deno.test({
  name: "handlers.fs.postgres: a password nowhere or twice, no TLS elsewhere, names that are none are refused in words",
  ...needs("postgresql"),
  async fn() {
    await using server = await startPostgres();
    await using home = await initHome();
    await using folder = await temporaryFolder();
    const file = await folder.write("password", "wrong-but-secret-9\n");
    const place = { host: "127.0.0.1", port: server.port, database: await server.database(), user: USER, tls: false };
    const wrong: readonly [Record<string, unknown>, RegExp][] = [
      [{ credential: "tree", credential_file: file }, /a name in the vault, or credential_file; not both/],
      [{ host: "db.example" }, /is not asked without TLS; leave tls true/],
      [{ host: "postgres://db" }, /a name, an address or the folder of a socket is needed/],
      [{ database: "x".repeat(64) }, /1 to 63 bytes/],
      [{ ca_file: "nowhere.pem" }, /ca_file: cannot read/],
      [{}, /it does not take the password|does not let this user in/],
      [{ credential_file: file }, /it does not take the password/],
      [{ credential: "none" }, /no credential is named "none"/],
    ];
    for (const [changes, said] of wrong) {
      await configured(home, { ...place, ...changes });
      const { code, stderr } = await home.run("fs", "ls", "main:/");
      notEqual(code, 0, stderr);
      match(stderr, said);
      equal(stderr.includes("secret-9"), false);
    }
    if (Deno.build.os !== "windows") {
      await Deno.chmod(file, 0o644);
      await configured(home, { ...place, credential_file: file });
      match((await home.run("fs", "ls", "main:/")).stderr, /chmod 600/);
    }
    await configured(home, { ...place, password: "x" });
    match((await home.run("doctor")).stdout, /^✗ config: .*handlers.fs.postgres/m);
  },
});
