/**
 * `blobs/fetch` of a node whose configuration names others (fs.md §8; §11 row 45).
 *
 * @module
 */
import { equal, match, notEqual } from "node:assert/strict";
import { temporaryFolder } from "../support/temp.ts";
import { initHome, type TestHome } from "./home.ts";

async function well(home: TestHome, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await home.run(...args);
  equal(code, 0, `${args.join(" ")}\n${stderr}`);
  return stdout.trimEnd();
}

Deno.test("handlers.fs.providers: a node gets a blob from one of them for an admin; from nobody else, and from none that is away", async () => {
  await using provider = await initHome();
  await using node = await initHome();
  await using caller = await initHome();
  await using folder = await temporaryFolder();
  const file = await folder.write("file", "hello from afar");
  const { hash } = JSON.parse(await well(provider, "blob", "add", file, "--json"));
  await well(provider, "authorize", node.nodeId, "--name", "node", "--scope", "blobs:read");
  await well(node, "authorize", caller.nodeId, "--name", "ada", "--scope", "blobs:admin");
  const far = await provider.serve();
  const address = `${provider.nodeId}@${far.address}`;
  const handlers = { call: {}, fs: { providers: [address] } };
  await node.writeConfig({ ...await node.config(), handlers });
  await using near = await node.serve();
  const fetch = (from: string, what: string) =>
    caller.run(
      "call",
      `${node.nodeId}@${near.address}`,
      "blobs/fetch",
      JSON.stringify({ hash: what, format: "raw", providers: [from], tag: "far" }),
    );
  const other = await fetch(far.address, hash);
  notEqual(other.code, 0);
  match(other.stderr, /is none that this node asks; its operator names them in handlers\.fs\.providers/);
  const got = await fetch(address, hash);
  equal(got.code, 0, got.stderr);
  equal(JSON.parse(got.stdout).size, 15);
  match(await well(node, "blob", "ls"), /complete {2}far$/);
  await far[Symbol.asyncDispose]();
  const away = await fetch(address, "0".repeat(64));
  notEqual(away.code, 0);
  match(away.stderr, /none of them could be reached/);
  await node.writeConfig({ ...await node.config(), handlers: { fs: { providers: ["nowhere"] } } });
  match((await node.run("blob", "ls")).stderr, /handlers\.fs\.providers: .*\[NODEID@\]HOST:PORT is needed/);
});
