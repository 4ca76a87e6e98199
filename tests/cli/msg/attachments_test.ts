/**
 * Large files by commands: the sender's node has them, and the reader gets them from there (msg.md §3.2; row 24).
 *
 * @module
 */
import assert from "node:assert/strict";
import { temporaryFolder } from "../../support/temp.ts";
import { mailboxHome, personHome, well } from "./home.ts";

Deno.test("alknet msg send --file: a large one is got from its sender's node, once that is there, and is whole (row 24)", async () => {
  await using post = await mailboxHome();
  await using node = await post.serve();
  const address = `${post.nodeId}@127.0.0.1:${node.port}`;
  await using folder = await temporaryFolder();
  const [ann, bob] = await Promise.all([personHome(address), personHome(address)]);
  await using _ann = ann;
  await using _bob = bob;
  const data = new Uint8Array(1_000_000);
  for (let at = 0; at < data.byteLength; at += 50_000) crypto.getRandomValues(data.subarray(at, at + 50_000));
  const path = folder.join("big.bin");
  await Deno.writeFile(path, data);
  const [token, ofBob] = await Promise.all([well(ann, ["id"]), well(bob, ["id"])]);
  await Promise.all([
    well(ann, ["contact", "add", "bob", ofBob]),
    well(bob, ["contact", "add", "ann", token]),
  ]);
  const serving = await ann.serve();
  let id: string;
  try {
    assert.match(await well(ann, ["send", "bob", "--file", path]), / stored$/);
    const line = await well(bob, ["read"]);
    id = line.match(/ ann {2}\[file big\.bin, 1000000 bytes, ([\w-]{22})\]$/)![1];
  } finally {
    await serving[Symbol.asyncDispose]();
  }
  const saved = folder.join("saved");
  const away = await bob.run("msg", "save", "ann", id, "-o", saved, "--transport", "tls");
  assert.equal(away.code, 1, away.stderr);
  await assert.rejects(Deno.stat(saved), Deno.errors.NotFound);
  const again = await ann.serve("--listen", `127.0.0.1:${serving.port}`);
  try {
    await well(bob, ["save", "ann", id, "-o", saved]);
  } finally {
    await again[Symbol.asyncDispose]();
  }
  assert.deepEqual((await Deno.readFile(saved)).toHex(), data.toHex());
});
