/**
 * receive-pack while stock git throws away what nobody needs (git-gc, git-prune).
 *
 * @module
 */
import { deepEqual, equal } from "node:assert/strict";
import { needs } from "../../../support/programs.ts";
import { joined, requestLine } from "../client.ts";
import { packOf } from "../packs.ts";
import { git } from "../repositories.ts";
import { CREATE, ENTRIES, HEAD, world, WRITER } from "./pushes.ts";

const needed = needs("git", "linux");

Deno.test({
  name: "receive-pack: git gc --prune=now beside a push that is being received leaves it what it has (row 62)",
  ...needed,
  async fn() {
    await using at = await world();
    const pack = packOf(ENTRIES);
    const half = pack.byteLength >> 1;
    await using connection = at.node.connect(WRITER);
    const first = joined([requestLine("/r", 0, "git-receive-pack"), CREATE, pack.subarray(0, half)]);
    const stream = await connection.open(first);
    const incoming = () => [...Deno.readDirSync(`${at.bare}/objects`)].filter(({ name }) => /incoming/.test(name));
    while (incoming().length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await git(at.bare, "gc", "-q", "--prune=now");
    await git(at.bare, "prune", "--expire=now");
    equal(incoming().length, 1);
    const writer = stream.writable.getWriter();
    await writer.write(pack.subarray(half));
    await writer.close();
    const answer = await new Response(stream.readable).text();
    equal(answer.includes("unpack ok"), true, answer);
    equal(await git(at.bare, "rev-parse", "refs/heads/main"), HEAD);
    await git(at.bare, "fsck", "--strict");
    deepEqual(incoming(), []);
  },
});
