/**
 * Several devices of one person by commands: two homes of ann, one of bob (msg.md §3.2; row 23).
 *
 * @module
 */
import assert from "node:assert/strict";
import { mailboxHome, personHome, well } from "./home.ts";

Deno.test("alknet msg device: a second home asks and is taken; bob writes to both, and both write as ann (row 23)", async () => {
  await using post = await mailboxHome();
  await using node = await post.serve();
  const address = `${post.nodeId}@127.0.0.1:${node.port}`;
  const homes = await Promise.all(Array.from({ length: 3 }, () => personHome(address)));
  await using ann = homes[0];
  await using laptop = homes[1];
  await using bob = homes[2];
  const short = `${laptop.nodeId.slice(0, 4)}…${laptop.nodeId.slice(-4)}`;
  const [token, ofBob] = await Promise.all([well(ann, ["id"]), well(bob, ["id"])]);
  const [asked] = await Promise.all([
    well(laptop, ["device", "join", "home", "-"], token),
    well(ann, ["contact", "add", "bob", ofBob]),
    well(bob, ["contact", "add", "ann", token]),
  ]);
  assert.match(asked, /^asked home, /);
  await well(ann, ["sync"]);
  assert.match(await well(ann, ["contact", "list"]), / {2}request {2}unverified {2}asks to be a device of yours$/m);
  assert.equal(await well(ann, ["device", "add", "laptop", short]), `added laptop, ${short}`);
  // It learns of bob, and tells him.
  await well(laptop, ["sync"]);
  const lists = await Promise.all([ann, laptop].map((home) => well(home, ["device", "list"])));
  assert.equal(lists[0], `laptop  ${short}`);
  assert.match(lists[1], /^home {2}\S+ {2}first$/);
  await well(bob, ["sync"]);
  assert.match(await well(laptop, ["send", "bob", "from laptop"]), / stored$/);
  assert.match(await well(ann, ["send", "bob", "from home"]), / stored$/);
  const texts = (lines: string): string[] => lines.split("\n").map((line) => line.slice(17).replace(/ \(\w+\)/, ""));
  assert.deepEqual(texts(await well(bob, ["read"])), ["ann  from laptop", "ann  from home"]);
  assert.match(await well(bob, ["send", "ann", "to both"]), / stored$/);
  const both = await Promise.all([ann, laptop].map((home) => well(home, ["read"])));
  for (const lines of both) {
    assert.deepEqual(texts(lines).sort(), ["bob  to both", "to bob  from home", "to bob  from laptop"]);
  }
  assert.equal(await well(ann, ["device", "remove", "laptop"]), "removed laptop");
});
