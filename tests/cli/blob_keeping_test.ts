/**
 * `alknet blob ls`, `stat`, `tag`, `untag`, `gc`, with and without a running node (fs.md §8; §11 rows 24, 51, 62).
 *
 * @module
 */
import { deepEqual, equal, match } from "node:assert/strict";
import { temporaryFolder } from "../support/temp.ts";
import { filesBelow, sound } from "../handlers/fs/stores.ts";
import { initHome, type TestHome } from "./home.ts";

const HELLO = "ea8f163db38682925e4491c5e58d4bb3506ef8c14eb78a86e908c5624a67200f";

async function well(home: TestHome, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await home.run("blob", ...args);
  equal(code, 0, `blob ${args.join(" ")}\n${stderr}`);
  return stdout.trimEnd();
}

Deno.test("alknet blob tag, untag, ls, stat, gc: what has a name stays, the rest goes; beside a running node too (rows 51, 62)", async () => {
  await using home = await initHome();
  await using folder = await temporaryFolder();
  const large = await folder.write("large", new Uint8Array(3_000_000));
  const { hash: zeros } = JSON.parse(await well(home, "add", large, "--json"));
  await well(home, "add", await folder.write("hello.txt", "hello"), "--tag", "greeting");
  await using node = await home.serve();
  equal(await well(home, "stat", HELLO), `${HELLO}  5 B  complete  greeting\nhave  chunks 0 to the end`);
  equal(await well(home, "tag", HELLO, "more\u0007"), "");
  const lines = [
    `${HELLO}  5 B  complete  greeting, more\\u0007`,
    `${zeros}  2.9 MiB  complete  large@${zeros.slice(0, 10)}`,
  ].sort();
  equal(await well(home, "ls"), lines.join("\n"));
  equal(await well(home, "gc", "--full"), "0 blobs, 0 B");
  await well(home, "untag", `large@${zeros.slice(0, 10)}`);
  equal(await well(home, "gc", "--full", "--dry-run"), "1 blob, 2.9 MiB");
  equal(await well(home, "ls"), lines.map((line) => line.replace(/ {2}large@.*/, "")).join("\n"));
  // Dropped just now: not yet, unless all of them are looked at.
  equal(await well(home, "gc"), "0 blobs, 0 B");
  deepEqual(JSON.parse(await well(home, "gc", "--full", "--json")), { blobs: 1, bytes: 3_000_000 });
  const ls = (await well(home, "ls", "--json")).split("\n").map((line) => JSON.parse(line));
  const tags = ["greeting", "more\u0007"].map((name) => ({ name, format: "raw" }));
  deepEqual(ls, [{ hash: HELLO, size: 5, state: "complete", tags }]);
  deepEqual(await filesBelow(`${home.path}/fs/data`), []);
  for (
    const [args, what] of [[["untag", "no"], /no blob .* tagged "no"/], [["stat", zeros], /not in the store/]] as const
  ) {
    const { code, stderr } = await home.run("blob", ...args);
    equal(code, 1);
    match(stderr, what);
  }
  await node[Symbol.asyncDispose]();
  await sound(`${home.path}/fs`);
});

Deno.test("alknet blob verify: sound, or what is wrong and where; a changed file that is put back is there again", async () => {
  await using home = await initHome();
  await using folder = await temporaryFolder();
  const bytes = new Uint8Array(3_000_000).fill(1);
  const { hash } = JSON.parse(await well(home, "add", await folder.write("large", bytes), "--json"));
  const file = await folder.write("there", bytes.subarray(1));
  const { hash: referred } = JSON.parse(await well(home, "add", file, "--reference", "--json"));
  equal(await well(home, "verify"), "sound");
  await Deno.writeTextFile(file, "changed");
  const data = `${home.path}/fs/data/${hash.slice(0, 2)}/${hash}.data`;
  await Deno.writeFile(data, bytes.with(100_000, 2));
  const { code, stdout } = await home.run("blob", "verify");
  equal(code, 1);
  deepEqual(
    stdout.trim().split("\n").sort(),
    [`${hash}: data wrong at 98304`, `${referred}: the file that it refers to was changed, or is gone`].sort(),
  );
  await Deno.writeFile(data, bytes);
  await Deno.writeFile(file, bytes.subarray(1));
  match(await well(home, "ls"), new RegExp(`^${hash}.*$`));
  equal(await well(home, "verify", referred), "sound");
  equal((await well(home, "ls")).split("\n").length, 2);
  await Deno.remove(data);
  match((await home.run("blob", "verify", hash)).stdout, /a file of it is not there/);
  await Deno.writeFile(data, bytes);
});

Deno.test("alknet blob get: what it got goes at the next gc, unless it is tagged", async () => {
  await using provider = await initHome();
  await using getter = await initHome();
  await using folder = await temporaryFolder();
  await using _node = await provider.serve();
  await well(provider, "add", await folder.write("hello.txt", "hello"));
  const ticket = await well(provider, "share", HELLO);
  await well(getter, "get", ticket, "-o", folder.join("one"));
  equal(await well(getter, "gc", "--full"), "1 blob, 5 B");
  await well(getter, "get", ticket, "-o", folder.join("two"), "--tag", "mine");
  equal(await well(getter, "gc", "--full"), "0 blobs, 0 B");
  equal(await well(getter, "ls"), `${HELLO}  5 B  complete  mine`);
  equal(await Deno.readTextFile(folder.join("two")), "hello");
});

Deno.test("alknet blob add: over the quota of the configuration nothing is kept", async () => {
  await using home = await initHome();
  await using folder = await temporaryFolder();
  const config = await home.config() as { handlers: Record<string, unknown> };
  config.handlers.fs = { quotas: { local: { bytes: 100 } } };
  await home.writeConfig(config);
  await well(home, "add", await folder.write("one", new Uint8Array(60)));
  const { code, stderr } = await home.run("blob", "add", await folder.write("two", new Uint8Array(41)));
  equal(code, 1);
  match(stderr, /has 41 bytes; 40 may still be added; nothing was changed/);
  equal((await well(home, "ls")).split("\n").length, 1);
});
