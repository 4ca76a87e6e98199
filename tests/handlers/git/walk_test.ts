/**
 * Histories of every shape: what is sent and what the client has is all that it wants (git.md §4; row 6).
 *
 * @module
 */
import { deepEqual, ok } from "node:assert/strict";
import { needs } from "../../support/programs.ts";
import { seeded } from "../../support/random.ts";
import { temporaryFolder } from "../../support/temp.ts";
import { fetched, gitNode } from "./client.ts";
import { closure, history, objectsOf } from "./histories.ts";
import { git, gitWith } from "./repositories.ts";

const needed = needs("git", "linux");
const COMMITS = 60;
const FETCHES = 25;

Deno.test({
  name: "fetch: random histories with merges, roots, wrong clocks and changes taken back (row 6)",
  ...needed,
  async fn() {
    const random = seeded("git histories");
    await using folder = await temporaryFolder();
    const bare = folder.join("r.git");
    await git(folder.path, "init", "-q", "--bare", bare);
    await gitWith(bare, history(random, COMMITS), "fast-import", "--quiet");
    if (random.below(2) === 0) await git(bare, "repack", "-a", "-d", "-q");
    await using node = gitNode({ root: folder.path });
    const commits = (await git(bare, "for-each-ref", "--format=%(objectname)")).split("\n");
    const one = () => commits[random.below(commits.length)];
    for (let round = 0; round < FETCHES; round++) {
      const some = (most: number) => Array.from({ length: random.between(0, most) }, () => one());
      const [wants, haves] = [[one(), ...some(2)], round === 0 ? [] : some(4)];
      const args = [...wants.map((oid) => `want ${oid}`), ...haves.map((oid) => `have ${oid}`), "ofs-delta", "done"];
      const { pack } = await fetched(node, "r", ...args);
      const held = haves.length > 0 ? await closure(bare, haves) : new Set<string>();
      const wanted = await closure(bare, wants);
      const sent = new Set(await objectsOf(bare, pack));
      const lacking = [...wanted].filter((oid) => !held.has(oid) && !sent.has(oid));
      deepEqual(lacking, [], `round ${round}: wants ${wants}, haves ${haves}`);
      ok([...sent].every((oid) => oid === undefined || wanted.has(oid)), "nothing that was not wanted");
    }
  },
});

Deno.test({
  name: "fetch: a change that was taken back, in a younger commit that is met first (§4)",
  ...needed,
  async fn() {
    await using folder = await temporaryFolder();
    const bare = folder.join("r.git");
    await git(folder.path, "init", "-q", "--bare", bare);
    const step = (mark: number, change: string) =>
      `commit refs/heads/main\nmark :${mark}\ncommitter A <a@example.org> ${
        1_700_000_000 + mark
      } +0000\ndata 1\nx\n${change}\n`;
    const stream = step(1, "M 100644 inline d/f\ndata 1\nf") + step(2, "M 100644 inline d/g\ndata 1\ng") +
      step(3, "D d/g");
    await gitWith(bare, stream, "fast-import", "--quiet");
    await using node = gitNode({ root: folder.path });
    const head = await git(bare, "rev-parse", "main");
    const { pack } = await fetched(node, "r", `want ${head}`, "done");
    deepEqual(new Set(await objectsOf(bare, pack)), new Set([...await closure(bare, [head])]));
  },
});
