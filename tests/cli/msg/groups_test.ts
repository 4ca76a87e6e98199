/**
 * Groups by commands: three homes and a mailbox (msg.md §3.2; row 23).
 *
 * @module
 */
import assert from "node:assert/strict";
import { mailboxHome, personHome, well } from "./home.ts";

Deno.test("alknet msg group: made, written to by all, seen by whom; who is no contact is named (row 23)", async () => {
  await using post = await mailboxHome();
  await using node = await post.serve();
  const address = `${post.nodeId}@127.0.0.1:${node.port}`;
  const homes = await Promise.all(Array.from({ length: 3 }, () => personHome(address)));
  await using ann = homes[0];
  await using bob = homes[1];
  await using carol = homes[2];
  const tokens = await Promise.all(homes.map((home) => well(home, ["id"])));
  await well(ann, ["contact", "add", "bob", tokens[1]]);
  await Promise.all([
    well(ann, ["contact", "add", "carol", tokens[2]]),
    well(bob, ["contact", "add", "ann", tokens[0]]),
    well(carol, ["contact", "add", "ann", tokens[0]]),
  ]);
  assert.equal(await well(ann, ["group", "create", "team", "bob", "carol"]), "team  yours  bob, carol");
  assert.match(await well(ann, ["send", "team", "welcome"]), / stored$/);
  const texts = (lines: string): string[] => lines.split("\n").map((line) => line.slice(17));
  assert.deepEqual(texts(await well(bob, ["read"])), ["ann in team  welcome"]);
  const short = `${carol.nodeId.slice(0, 4)}…${carol.nodeId.slice(-4)}`;
  assert.equal(await well(bob, ["group", "list"]), `team  member  ann, ${short} (no contact)`);
  const sent = await bob.run("msg", "send", "team", "hello");
  assert.match(sent.stdout, / stored\n$/);
  assert.match(sent.stderr, /is no contact of yours and gets nothing/);
  const read = (await well(ann, ["read", "team", "--json"])).split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(read.map(({ contact, from, mine, content }) => [contact, from, mine, content.text]), [
    ["team", undefined, true, "welcome"],
    ["team", "bob", false, "hello"],
  ]);
  assert.equal(await well(ann, ["group", "remove", "team", "carol"]), "team  yours  bob");
  assert.deepEqual(texts(await well(carol, ["read"])), ["ann in team  welcome"]);
  assert.match(await well(bob, ["group", "leave", "team"]), /^team {2}left {2}ann/);
  const refusals = [
    [carol, ["send", "team", "x"], /not in team any more/],
    [bob, ["group", "add", "team", "ann"], /for ann to say/],
    [ann, ["group", "create", "more", "nobody"], /no contact nobody/],
  ] as const;
  await Promise.all(refusals.map(async ([home, args, said]) => {
    const { code, stderr } = await home.run("msg", ...args);
    assert.equal(code, 1);
    assert.match(stderr, said);
  }));
});
