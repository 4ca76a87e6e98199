/**
 * `alknet fs add` and `cp` to a branch of another node: each file is pushed and linked (fs.md §8, Commands).
 *
 * @module
 */
import { deepEqual, equal, match, notEqual } from "node:assert/strict";
import { seeded } from "../support/random.ts";
import { temporaryFolder } from "../support/temp.ts";
import { sound } from "../handlers/fs/stores.ts";
import { initHome, type TestHome } from "./home.ts";

async function well(home: TestHome, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await home.run(...args);
  equal(code, 0, `${args.join(" ")}\n${stderr}`);
  return stdout.trimEnd();
}

Deno.test("alknet fs add, cp to another node: files, folders, over QUIC and TLS; without a right, and onto what is there, refused", async () => {
  await using owner = await initHome();
  await using friend = await initHome();
  await using stranger = await initHome();
  await using folder = await temporaryFolder();
  await well(owner, "authorize", friend.nodeId, "--name", "friend", "--scope", "fs:write:main");
  await using node = await owner.serve();
  const branch = `${owner.nodeId}@${node.address}/main`;
  const bytes = seeded("copied").bytes(1_500_000);
  await Deno.mkdir(folder.join("photos/deep"), { recursive: true });
  await Deno.writeFile(folder.join("photos/a"), bytes);
  await Deno.writeTextFile(folder.join("photos/deep/b c"), "hello");
  await Deno.writeTextFile(folder.join("one"), "one");
  for (const transport of ["quic", "tls"]) {
    const to = `${branch}:/${transport}`;
    await well(friend, "fs", "add", "-r", folder.join("photos"), to, "--transport", transport);
    await well(owner, "fs", "get", "-r", `main:/${transport}`, folder.join(transport));
    deepEqual(await Deno.readFile(folder.join(`${transport}/a`)), bytes);
    equal(await Deno.readTextFile(folder.join(`${transport}/deep/b c`)), "hello");
  }
  const added = JSON.parse(await well(friend, "fs", "add", folder.join("one"), `${branch}:/`, "--json"));
  equal(added.path, "/one");
  notEqual(added.seq, undefined);
  const { code, stderr } = await friend.run("fs", "add", folder.join("one"), `${branch}:/`);
  notEqual(code, 0);
  match(stderr, /PATH_EXISTS|is there already/);
  await well(friend, "fs", "add", "--force", folder.join("photos/a"), `${branch}:/one`);
  await well(friend, "fs", "add", folder.join("one"), "main:/mine");
  await well(friend, "fs", "cp", "main:/mine", `${branch}:/theirs`);
  equal(await well(owner, "fs", "cat", "main:/theirs"), "one");
  const no = await stranger.run("fs", "add", folder.join("one"), `${branch}:/x`);
  notEqual(no.code, 0);
  match(no.stderr, /BRANCH_NOT_FOUND|no branch/);
  await node[Symbol.asyncDispose]();
  await sound(`${owner.path}/fs`);
});
