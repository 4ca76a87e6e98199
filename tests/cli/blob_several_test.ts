/**
 * `alknet blob get` from several nodes at once (fs.md §4, §8; §11 row 16).
 *
 * @module
 */
import { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import { seeded } from "../support/random.ts";
import { temporaryFolder } from "../support/temp.ts";
import { sound } from "../handlers/fs/stores.ts";
import { initHome, type TestHome } from "./home.ts";

async function well(home: TestHome, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await home.run(...args);
  equal(code, 0, `${args[0]} ${args[1]}\n${stderr}`);
  return stdout.trimEnd();
}

Deno.test("alknet blob get --from, --from: both nodes serve it, over QUIC and TLS; one that is gone, and one that lacks it, are told of (row 16)", async () => {
  await using getter = await initHome();
  await using one = await initHome();
  await using other = await initHome();
  await using empty = await initHome();
  await using folder = await temporaryFolder();
  const bytes = seeded("several").bytes(12_000_000);
  const file = await folder.write("file", bytes);
  const tickets: string[] = [];
  let hash = "";
  for (const home of [one, other]) {
    await using _node = await home.serve();
    hash = JSON.parse(await well(home, "blob", "add", file, "--json")).hash;
    tickets.push(await well(home, "blob", "share", hash));
  }
  await using first = await one.serve();
  await using second = await other.serve();
  await using third = await empty.serve();
  const [a, b] = [`${one.nodeId}@${first.address}`, `${other.nodeId}@${second.address}`];
  const c = `${empty.nodeId}@${third.address}`;
  const get = (...args: string[]) => getter.run("blob", "get", hash, "--force", "-o", folder.join("out"), ...args);
  for (const transport of ["quic", "tls"]) {
    const { code, stderr } = await get("--from", a, "--from", b, "--transport", transport);
    equal(code, 0, stderr);
    deepEqual(await Deno.readFile(folder.join("out")), bytes);
    await sound(`${getter.path}/fs`);
    await Deno.remove(`${getter.path}/fs`, { recursive: true });
  }
  const sent = (log: string): number =>
    [...log.matchAll(/sent src=\S+ id=\S+ hash=\w+ bytes=(\d+)/g)].reduce((sum, [, bytes]) => sum + Number(bytes), 0);
  await second[Symbol.asyncDispose]();
  const { code, stderr } = await get("--from", c, "--from", b, "--from", a, "--timeout", "2s");
  equal(code, 0, stderr);
  deepEqual(await Deno.readFile(folder.join("out")), bytes);
  match(stderr, new RegExp(`^alknet: ${c}: blob ${hash.slice(0, 10)}: .*does not have it`, "m"));
  await Deno.remove(`${getter.path}/fs`, { recursive: true });
  const nobody = await get("--from", c, "--from", `${empty.nodeId}@127.0.0.1:1`, "--timeout", "2s");
  notEqual(nobody.code, 0);
  match(nobody.stderr, /nobody who was asked has it, or not for you/);
  await first[Symbol.asyncDispose]();
  const both = [sent(first.child.errors), sent(second.child.errors)];
  ok(both.every((bytes) => bytes > 2_000_000), `both have sent a part: ${both}`);
  ok(both[0] + both[1] < 3 * bytes.byteLength * 1.4, `${both}`);
});
