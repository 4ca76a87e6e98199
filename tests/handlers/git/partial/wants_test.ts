/**
 * What may be wanted by its object id: what visible refs reach, and nothing else, whatever is asked around it
 * (git.md §4; rows 42, 43).
 *
 * @module
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import { needs } from "../../../support/programs.ts";
import { temporaryFolder } from "../../../support/temp.ts";
import { answers, fetched, gitNode, joined, READER, request, requestLine, textOf } from "../client.ts";
import { closure, objectsOf } from "../histories.ts";
import { commit, git, gitWith, makeRepository } from "../repositories.ts";

const needed = needs("git", "linux");

async function world(limits = {}) {
  const folder = await temporaryFolder();
  const bare = folder.join("r.git");
  const work = folder.join("work");
  await makeRepository(work, bare);
  // What a hidden ref reaches, and what a branch reached before it was forced elsewhere.
  await git(work, "checkout", "-q", "-b", "secret", "main");
  await commit(work, "secret/file", "secret\n", 1_700_000_200);
  await git(work, "push", "-q", bare, "secret:refs/hidden/secret", "secret:refs/heads/forced");
  await git(work, "checkout", "-q", "main");
  await git(bare, "update-ref", "refs/heads/forced", "main");
  await git(bare, "config", "transfer.hideRefs", "refs/hidden");
  const node = gitNode({ root: folder.path, limits });
  return { folder, bare, node, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

const UNKNOWN = "1".repeat(40);
const HIDDEN = ["", "^{tree}", ":secret", ":secret/file"].map((path) => `refs/hidden/secret${path}`);

Deno.test({
  name: "wants: an old commit, a tree, a blob, a tag in a tag, in every version, are sent with all below them (row 43)",
  ...needed,
  async fn() {
    await using at = await world();
    for (const name of ["v1~3", "main~2^{tree}", "main:a folder", "v1~5:a folder/träume 1.txt", "nested^{}", "v1"]) {
      const oid = await git(at.bare, "rev-parse", name);
      const expected = [...await closure(at.bare, [oid])].sort();
      const { pack } = await fetched(at.node, "r", `want ${oid}`, "done");
      deepEqual((await objectsOf(at.bare, pack)).sort(), expected, name);
      const v0 = joined([requestLine("/r", 0), request(`want ${oid} side-band-64k`, "0000", "done")]);
      const packets = await answers(at.node, v0, READER);
      const bytes = joined(
        packets.filter((one) => typeof one !== "string" && one[0] === 1)
          .map((one) => (one as Uint8Array).subarray(1)),
      );
      deepEqual((await objectsOf(at.bare, bytes)).sort(), expected, name);
    }
    // A tag of a tag, of which no ref is left but the outer one.
    const [inner, outer] = await Promise.all(["v1", "nested"].map((name) => git(at.bare, "rev-parse", name)));
    await git(at.bare, "update-ref", "-d", "refs/tags/v1");
    const { pack } = await fetched(at.node, "r", `want ${inner}`, "done");
    ok((await objectsOf(at.bare, pack)).includes(inner));
    await git(at.bare, "update-ref", "-d", "refs/tags/nested");
    for (const oid of [inner, outer]) {
      deepEqual((await fetched(at.node, "r", `want ${oid}`, "done")).lines, [`ERR upload-pack: not our ref ${oid}`]);
    }
  },
});

Deno.test({
  name: "wants: unknown, hidden and forced away are refused alike, and nothing of them is sent (row 42)",
  ...needed,
  async fn() {
    await using at = await world();
    const main = await git(at.bare, "rev-parse", "main");
    const hidden = await Promise.all(HIDDEN.map((name) => git(at.bare, "rev-parse", name)));
    for (const oid of [UNKNOWN, ...hidden]) {
      const ways = [
        [`want ${oid}`, "done"],
        [`want ${main}`, `want ${oid}`, "done"],
        [`want ${oid}`, "filter blob:none", "done"],
        [`want ${oid}`, "deepen 1", "done"],
        [`want ${oid}`, `have ${main}`],
      ];
      for (const args of ways) {
        const { lines, pack } = await fetched(at.node, "r", ...args);
        deepEqual([lines, pack.byteLength], [[`ERR upload-pack: not our ref ${oid}`], 0], args.join());
      }
      const v0 = joined([requestLine("/r", 0), request(`want ${oid}`, "0000", "done")]);
      equal(textOf(await answers(at.node, v0, READER)).at(-1), `ERR upload-pack: not our ref ${oid}`);
    }
    const { pack } = await fetched(at.node, "r", `want ${main}`, "done");
    const sent = new Set(await objectsOf(at.bare, pack));
    ok(hidden.every((oid) => !sent.has(oid)));
  },
});

Deno.test({
  name:
    "wants: who claims a shallow commit that it may not see gets none of its parents; nor does deepen-not name hidden refs (row 42)",
  ...needed,
  async fn() {
    await using at = await world();
    const main = await git(at.bare, "rev-parse", "main");
    // Children of what is hidden, which are hidden too: their parents are all that could be had of it.
    const parent = await git(at.bare, "rev-parse", "refs/hidden/secret");
    const tree = await git(at.bare, "rev-parse", "refs/hidden/secret^{tree}");
    const child = await gitWith(at.bare, "x", "commit-tree", "-p", parent, tree);
    await git(at.bare, "update-ref", "refs/hidden/child", child);
    const all = await closure(at.bare, [main]);
    for (const depth of ["deepen 2147483647", "deepen 5", "deepen-since 1", "deepen-not light"]) {
      for (const relative of [[], ["deepen-relative"]]) {
        const args = [`want ${main}`, `shallow ${child}`, depth, ...relative, "done"];
        const { lines, pack } = await fetched(at.node, "r", ...args);
        ok(!lines.some((line) => line.startsWith("unshallow")), args.join());
        ok((await objectsOf(at.bare, pack)).every((oid) => all.has(oid)), args.join());
      }
    }
    for (const name of ["refs/hidden/secret", "hidden/secret", "none", "../HEAD"]) {
      deepEqual((await fetched(at.node, "r", `want ${main}`, `deepen-not ${name}`, "done")).lines, [
        `ERR ambiguous deepen-not: ${name}`,
      ]);
    }
    const blob = await git(at.bare, "rev-parse", "main:main");
    deepEqual((await fetched(at.node, "r", `want ${main}`, `shallow ${blob}`, "done")).lines, [
      `ERR invalid shallow object ${blob}`,
    ]);
  },
});

Deno.test({
  name: "wants: beyond the limits of wants, shallows and what is looked at they are refused (§11)",
  ...needed,
  async fn() {
    await using at = await world({ wantWalk: 3, shallows: 2 });
    const [main, near, far] = await Promise.all(
      ["main", "side/日本~1", "v1~6"].map((name) => git(at.bare, "rev-parse", name)),
    );
    ok((await fetched(at.node, "r", `want ${near}`, "done")).pack.byteLength > 0);
    deepEqual((await fetched(at.node, "r", `want ${far}`, "done")).lines, [`ERR upload-pack: not our ref ${far}`]);
    const shallows = [1, 2, 3].map((n) => `shallow ${`${n}`.repeat(40)}`);
    deepEqual((await fetched(at.node, "r", `want ${main}`, ...shallows, "done")).lines, ["ERR too many shallows"]);
    ok((await fetched(at.node, "r", `want ${main}`, ...shallows.slice(1), "done")).pack.byteLength > 0);
    const v0 = joined([requestLine("/r", 0), request(`want ${main}`, ...shallows, "0000", "done")]);
    equal(textOf(await answers(at.node, v0, READER)).at(-1), "ERR too many shallows");
  },
});
