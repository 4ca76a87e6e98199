/**
 * `alknet msg`: receipts, long texts and files, numbers that are compared, contacts and tokens that go again (msg.md §3.2, §6).
 *
 * @module
 */
import assert from "node:assert/strict";
import { smallDisk } from "../../support/small_disk.ts";
import { temporaryFolder } from "../../support/temp.ts";
import { safeName } from "../../../cli/msg/files.ts";
import { mailboxHome, personHome, well } from "./home.ts";

const by = ["--transport", "tls"];
const states = (lines: string): string[] =>
  lines.split("\n").map((line) => JSON.parse(line)).filter(({ mine }) => mine).map(({ state }) => state);

Deno.test("alknet msg: delivered and read as the contact says; files and long texts, saved once, under no name that is a path", async () => {
  await using post = await mailboxHome();
  await using node = await post.serve();
  const address = `${post.nodeId}@127.0.0.1:${node.port}`;
  await using ann = await personHome(address);
  await using bob = await personHome(address);
  await using folder = await temporaryFolder();
  await well(ann, ["contact", "add", "bob", await well(bob, ["id", ...by])]);
  await well(bob, ["contact", "add", "ann", await well(ann, ["id", ...by])]);
  await well(ann, ["send", "bob", "hello", ...by]);
  assert.match(await well(bob, ["read", ...by]), / ann {2}hello$/);
  assert.match(await well(ann, ["read", ...by]), / to bob \(delivered\) {2}hello$/);
  const config = await bob.config() as { handlers: { messenger: Record<string, unknown> } };
  config.handlers.messenger.read_receipts = true;
  await bob.writeConfig(config);
  // Long, from stdin; and a file.
  await well(ann, ["send", "bob", ...by], "long ".repeat(12_000));
  const path = folder.join("data.bin");
  const data = crypto.getRandomValues(new Uint8Array(60_000));
  await Deno.writeFile(path, data);
  await well(ann, ["send", "bob", "--file", path, ...by]);
  const lines = (await well(bob, ["read", "--unread", ...by])).split("\n");
  assert.equal(lines[0].length > 60_000, true);
  const id = lines[1].match(/ ann {2}\[file data\.bin, 60000 bytes, ([\w-]{22})\]$/)?.[1];
  assert.ok(id, lines[1]);
  await well(ann, ["sync", ...by]);
  assert.deepEqual(states(await well(ann, ["read", "--json", ...by])), ["delivered", "read", "read"]);
  const saved = folder.join("saved");
  await well(bob, ["save", "ann", id, "-o", saved]);
  assert.deepEqual(await Deno.readFile(saved), data);
  const again = await bob.run("msg", "save", "ann", id, "-o", saved);
  assert.deepEqual([again.code, /is there already/.test(again.stderr)], [1, true]);
  // Of what did not fit nothing stays that would look whole.
  await using disk = await smallDisk(folder, "16k");
  if (disk) {
    const full = await bob.run("msg", "save", "ann", id, "-o", `${disk.path}/saved`);
    assert.equal(full.code, 1, full.stderr);
    assert.match(full.stderr, /space/i);
    assert.deepEqual([...Deno.readDirSync(disk.path)], []);
  }
  assert.equal((await ann.run("msg", "send", "bob", "x", "--file", path)).code, 2);
  // Nobody is there to say that it has come.
  const late = await ann.run("msg", "send", "bob", "x", "--wait", "delivered", "--timeout", "1s", ...by);
  assert.deepEqual([late.code, / stored\n$/.test(late.stdout)], [1, true]);
});

Deno.test("alknet msg save: by its sender's name only where that is no path, not hidden, no option, and drives no terminal", () => {
  for (const name of ["a.bin", "two words", "ü.txt", "a..b"]) assert.equal(safeName(name), name);
  for (
    const name of [
      "../a",
      "/etc/passwd",
      "a/b",
      "..",
      ".bashrc",
      "-rf",
      "a\\b",
      "a\u001b[2Jb",
      "a\nb",
      "a\u0000",
      "\u009b2J",
    ]
  ) {
    assert.throws(() => safeName(name), { name: "UsageError" });
  }
});

Deno.test("alknet msg: verify prints the same number to both; remove forgets, and refuses a request; a token that is revoked is none", async () => {
  await using post = await mailboxHome();
  await using node = await post.serve();
  const address = `${post.nodeId}@127.0.0.1:${node.port}`;
  await using ann = await personHome(address);
  await using bob = await personHome(address);
  const token = await well(bob, ["id", "work", ...by]);
  await well(ann, ["contact", "add", "bob", token]);
  const early = await ann.run("msg", "contact", "verify", "bob");
  assert.deepEqual([early.code, /nothing to compare/.test(early.stderr)], [1, true]);
  await well(ann, ["send", "bob", "hello", ...by]);
  await well(bob, ["sync", ...by]);
  const short = `${ann.nodeId.slice(0, 4)}…${ann.nodeId.slice(-4)}`;
  const number = await well(ann, ["contact", "verify", "bob"]);
  assert.match(number, /^(\d{5} ){11}\d{5}$/);
  assert.equal(await well(bob, ["contact", "verify", short]), number);
  assert.match(await well(ann, ["contact", "list"]), / {2}accepted {2}unverified$/);
  assert.deepEqual(JSON.parse(await well(ann, ["contact", "verify", "bob", "--yes", "--json"])), {
    number,
    verified: true,
  });
  assert.match(await well(ann, ["contact", "list"]), / {2}accepted {2}verified$/);
  assert.equal(await well(bob, ["contact", "remove", short, ...by]), `removed ${short}`);
  assert.equal(await well(bob, ["contact", "list"]), "");
  assert.equal(await well(bob, ["read", ...by]), "");
  assert.equal(await well(bob, ["id", "work", "--revoke", ...by]), "revoked work");
  const gone = await bob.run("msg", "id", "work", "--revoke");
  assert.deepEqual([gone.code, /there is no token work/.test(gone.stderr)], [1, true]);
  const failed = await ann.run("msg", "send", "bob", "x", ...by);
  assert.deepEqual([failed.code, / failed\n$/.test(failed.stdout)], [1, true]);
});
