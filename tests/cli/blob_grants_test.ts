/**
 * Grants of blobs that are redeemed, made by operations, and taken away (fs.md §8, §9; §11 row 46).
 *
 * @module
 */
import { parseTicket } from "@alknet/handlers/fs/bao";
import { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import { runAlknet } from "../support/process.ts";
import { temporaryFolder } from "../support/temp.ts";
import { initHome, type TestHome } from "./home.ts";

const HELLO = "ea8f163db38682925e4491c5e58d4bb3506ef8c14eb78a86e908c5624a67200f";

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

Deno.test("alknet blob share --to secret: whoever redeems it first gets the blob, again too; another does not; nothing of it is logged", async () => {
  await using home = await initHome();
  await using one = await initHome();
  await using other = await initHome();
  await using folder = await temporaryFolder();
  await using node = await home.serve("--verbose");
  await well(home, "blob", "add", await folder.write("hello", "hello"));
  const { ticket, id, expires } = JSON.parse(
    await well(home, "blob", "share", HELLO, "--to", "secret", "--for", "1h", "--json"),
  );
  const secret = parseTicket(ticket).secret!;
  deepEqual([secret.byteLength, parseTicket(ticket).expires], [32, expires]);
  match((await runAlknet(["blob", "ticket", ticket])).stdout, /^secret {3}there is one$/m);
  // The hash alone is no right.
  const address = `${home.nodeId}@${node.address}`;
  match(await refused(one, "blob", "get", HELLO, "--from", address, "-o", folder.join("x")), /no right|nobody|not/i);
  for (let round = 0; round < 2; round++) {
    await well(one, "blob", "get", ticket, "-o", folder.join(`one ${round}`));
    equal(await Deno.readTextFile(folder.join(`one ${round}`)), "hello");
    await well(one, "blob", "gc", "--full");
  }
  match(await refused(other, "blob", "get", ticket, "-o", folder.join("other")), /is another's, or there is none/);
  const stderr = await refused(other, "blob", "get", HELLO, "--from", address, "-o", folder.join("other"));
  equal(stderr.includes(secret.toHex()) || stderr.includes(ticket), false);
  await node[Symbol.asyncDispose]();
  equal(id.length, 64);
  const log = node.child.errors;
  ok(log.length > 0, "the node has logged something");
  for (const text of [secret.toHex(), secret.toBase64(), ticket]) equal(log.includes(text), false);
});

Deno.test("blobs/grant, redeem, revoke over calls: by who may read, to a key, taken away by its owner or an admin (row 46)", async () => {
  await using home = await initHome();
  await using one = await initHome();
  await using folder = await temporaryFolder();
  await well(home, "blob", "add", await folder.write("hello", "hello"));
  const token = async (scope: string) => await well(home, "token", "create", "--scope", scope);
  const [reader, admin, nobody] = [await token("blobs:read"), await token("blobs:admin"), await token("other")];
  const key = `ed25519:${JSON.parse(await well(one, "id", "--json")).fingerprint.replace(/^ed25519:/, "")}`;
  await using node = await home.serve();
  const address = `${home.nodeId}@${node.address}`;
  const call = (who: string, operation: string, input: unknown): string[] => [
    ...["call", address, operation, JSON.stringify(input), "--json", "--token", who],
  ];
  const answer = async (...args: Parameters<typeof call>) => JSON.parse(await well(one, ...call(...args)));
  const grant = { hash: HELLO, action: "read", subject: `key:${key}`, ttl: 3600 };
  match(await refused(one, ...call(nobody, "blobs/grant", grant)), /BLOB_NOT_FOUND|not for you/);
  match(await refused(one, ...call(reader, "blobs/grant", { ...grant, action: "push" })), /not for you to push/);
  match(await refused(one, ...call(reader, "blobs/grant", { ...grant, subject: "somebody" })), /subject/);
  const made = await answer(reader, "blobs/grant", grant);
  const { id, ticket } = made.output ?? made;
  const got = await well(one, "blob", "get", ticket, "-o", folder.join("got"));
  match(got, new RegExp(`^${HELLO}`));
  equal(parseTicket(ticket).addresses[0], node.address);
  match(await refused(one, ...call(nobody, "blobs/revoke", { id })), /GRANT_EXPIRED|is another's/);
  await well(one, ...call(admin, "blobs/revoke", { id }));
  await well(one, "blob", "gc", "--full");
  match(await refused(one, "blob", "get", ticket, "-o", folder.join("again")), /no right|nobody|not/i);
  match(await refused(one, ...call(admin, "blobs/revoke", { id })), /GRANT_EXPIRED|is another's/);
});
