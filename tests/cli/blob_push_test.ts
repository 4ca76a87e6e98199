/**
 * `alknet blob push`, and tickets that let others push (fs.md §8, §9; §11 rows 13, 46).
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

async function refused(home: TestHome, ...args: string[]): Promise<string> {
  const { code, stderr } = await home.run(...args);
  notEqual(code, 0);
  return stderr;
}

Deno.test("alknet blob push: a file and a folder, over QUIC and TLS, to who lets us; a tag keeps it there; nobody else may (row 13)", async () => {
  await using taker = await initHome();
  await using pusher = await initHome();
  await using stranger = await initHome();
  await using folder = await temporaryFolder();
  await well(taker, "authorize", pusher.nodeId, "--name", "friend", "--scope", "blobs:write");
  await using node = await taker.serve();
  const address = `${taker.nodeId}@${node.address}`;
  const bytes = seeded("push").bytes(5_000_000);
  const file = await folder.write("big", bytes);
  for (const transport of ["quic", "tls"]) {
    const one = await folder.write(transport, seeded(transport).bytes(700_000));
    const { hash } = JSON.parse(await well(pusher, "blob", "add", one, "--json"));
    const pushed = JSON.parse(await well(pusher, "blob", "push", hash, address, "--transport", transport, "--json"));
    deepEqual(pushed, { hash, size: 700_000 });
    match(await well(taker, "blob", "stat", hash), /complete/);
  }
  const { hash } = JSON.parse(await well(pusher, "blob", "add", file, "--json"));
  match(await well(pusher, "blob", "push", hash, address, "--tag", "kept"), new RegExp(`^${hash}  4.8 MiB$`));
  await Deno.mkdir(folder.join("photos"));
  await Deno.writeFile(folder.join("photos/a"), bytes.subarray(0, 300_000));
  await Deno.writeTextFile(folder.join("photos/b"), "hello");
  const many = JSON.parse(await well(pusher, "blob", "add", folder.join("photos"), "--json")).hash;
  await well(pusher, "blob", "push", many, address, "--tag", "album");
  await well(taker, "blob", "gc", "--full");
  await well(taker, "blob", "get", hash, "-o", folder.join("out"));
  deepEqual(await Deno.readFile(folder.join("out")), bytes);
  await well(taker, "blob", "get", many, "-o", folder.join("album"));
  equal(await Deno.readTextFile(folder.join("album/b")), "hello");
  match(await refused(pusher, "blob", "push", "00".repeat(32), address), /add it first/);
  await well(stranger, "blob", "add", await folder.write("theirs", "theirs"));
  const [theirs] = (await well(stranger, "blob", "ls")).split(" ");
  match(await refused(stranger, "blob", "push", theirs, address), /does not take it from you/);
  match(await refused(taker, "blob", "stat", theirs), /not in the store/);
  match(await node.child.errorLine(/took src=127\.0\.0\.1/), /hash=[0-9a-f]{10} bytes=/);
  await node[Symbol.asyncDispose]();
  await sound(`${taker.path}/fs`);
});

Deno.test("blobs/grant to push: a ticket whose secret lets one key push one blob, of so many bytes; nothing of it is logged (row 46)", async () => {
  await using taker = await initHome();
  await using pusher = await initHome();
  await using other = await initHome();
  await using folder = await temporaryFolder();
  const token = async (scope: string) => await well(taker, "token", "create", "--scope", scope);
  const [writer, reader] = [await token("blobs:write"), await token("blobs:read")];
  await using node = await taker.serve("--verbose");
  const address = `${taker.nodeId}@${node.address}`;
  const file = await folder.write("gift", "a gift");
  const { hash } = JSON.parse(await well(pusher, "blob", "add", file, "--json"));
  await well(other, "blob", "add", file);
  const grant = (who: string, input: Record<string, unknown>): string[] => {
    const all = { hash, action: "push", subject: "secret", ttl: 3600, ...input };
    return ["call", address, "blobs/grant", JSON.stringify(all), "--json", "--token", who];
  };
  match(await refused(pusher, ...grant(reader, {})), /BLOB_NOT_FOUND|not for you/);
  match(await refused(pusher, ...grant(writer, { bytes: -1 })), /bytes/);
  const answer = async (input: Record<string, unknown>) => {
    const said = JSON.parse(await well(pusher, ...grant(writer, input)));
    return (said.output ?? said) as { ticket: string };
  };
  match(await refused(pusher, "blob", "push", hash, (await answer({ bytes: 5 })).ticket), /takes no more/);
  const { ticket } = await answer({ bytes: 6 });
  await well(pusher, "blob", "push", hash, ticket);
  await well(pusher, "blob", "push", hash, ticket);
  match(await refused(other, "blob", "push", hash, ticket), /is another's, or there is none/);
  match(await refused(other, "blob", "push", hash, address), /does not take it from you/);
  // To push is not to read.
  match(await refused(pusher, "call", address, "blobs/status", JSON.stringify({ hash })), /not for you/);
  match(await well(taker, "blob", "stat", hash), /complete/);
  await node[Symbol.asyncDispose]();
  const log = node.child.errors;
  ok(log.length > 0);
  equal(log.includes(ticket), false);
});
