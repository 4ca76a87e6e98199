/**
 * Packs of pushes are merged: few are left, what is large is left alone, nothing is lost, and clones are copied as before
 * (git.md §5.4, §5.5; row 51).
 *
 * @module
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import { needs } from "../../../support/programs.ts";
import { runProgram } from "../../../support/process.ts";
import { type TemporaryFolder, temporaryFolder } from "../../../support/temp.ts";
import { mergedFrom } from "../../../../handlers/git/maintenance/merge.ts";
import { fetched, gitNode } from "../client.ts";
import { closure, objectsOf } from "../histories.ts";
import { commit, contentsOf, git, gitWith, lines, makeRepository } from "../repositories.ts";
import { maintained, packFiles } from "./maintained.ts";

const needed = needs("git", "linux");
const PROGRAM = new URL("maintain_program.ts", import.meta.url).pathname;

Deno.test("mergedFrom: from the last one on, until what comes before is twice as large", () => {
  const from = (...sizes: number[]) => mergedFrom(sizes.map((end) => ({ end })));
  equal(from(100), 0);
  equal(from(200, 100), 0 + 1);
  equal(from(199, 100), 0);
  equal(from(1000, 200, 100, 1, 1), 3);
  equal(from(1000, 20, 15, 10, 10), 1);
  equal(from(10, 20, 40, 80), 0);
});

/** A repository whose large pack is recorded as its closure, and that takes pushes as packs. */
async function world(folder: TemporaryFolder): Promise<{ work: string; bare: string; large: string }> {
  const [work, bare] = [folder.join("work"), folder.join("r.git")];
  await makeRepository(work, bare);
  await Deno.writeFile(`${work}/noise`, crypto.getRandomValues(new Uint8Array(60_000)));
  await commit(work, "f", lines(0), 1_700_005_000);
  await git(work, "push", "-q", bare, "main");
  await git(bare, "config", "receive.unpackLimit", "1");
  equal(await maintained(bare, { full: true }), "repacked");
  const [large] = packFiles(bare, ".pack");
  return { work, bare, large };
}

/** Pushes so many commits, each by itself: a file grows, so that deltas have bases in earlier packs. */
async function push({ work, bare }: { work: string; bare: string }, from: number, count: number): Promise<void> {
  for (let i = from; i < from + count; i++) {
    await commit(work, "f", lines(0) + lines(i), 1_700_005_000 + i);
    await git(work, "push", "-q", bare, "main");
  }
}

/** Whether a clone has exactly what refs reach, each object once. */
async function clonesWhole(folder: TemporaryFolder, bare: string): Promise<void> {
  const heads = [...new Set((await git(bare, "for-each-ref", "--format=%(objectname)")).split("\n"))];
  await using node = gitNode({ root: folder.path });
  const { pack } = await fetched(node, "r", ...heads.map((oid) => `want ${oid}`), "ofs-delta", "done");
  const sent = await objectsOf(bare, pack);
  deepEqual(sent.sort(), [...await closure(bare, heads)].sort());
}

Deno.test({
  name: "maintenance: of many pushes few packs are left, and what was there before is not copied again (row 51)",
  ...needed,
  async fn() {
    await using folder = await temporaryFolder();
    const at = await world(folder);
    const outcomes: string[] = [];
    for (let i = 1; i <= 75; i++) {
      await push(at, i, 1);
      outcomes.push(await maintained(at.bare));
      for (const [, name] of (await Deno.readTextFile(`${at.bare}/alknet/closure`)).matchAll(/^pack (\S+)/gm)) {
        ok(packFiles(at.bare, ".pack").includes(`pack-${name}.pack`), `${outcomes.at(-1)} left a pack that is gone`);
      }
      ok(packFiles(at.bare, ".pack").length <= 24);
    }
    equal(outcomes.filter((one) => one === "repacked").length, 0, outcomes.join());
    const merges = outcomes.filter((one) => one === "merged").length;
    ok(merges >= 3 && merges <= 4, outcomes.join());
    ok(packFiles(at.bare, ".pack").includes(at.large), "the large one stays as it is");
    await git(at.bare, "fsck", "--strict", "--full");
    for (const name of packFiles(at.bare, ".pack")) await git(at.bare, "verify-pack", `objects/pack/${name}`);
    await git(at.bare, "commit-graph", "verify");
    deepEqual((await contentsOf(at.bare)).objects, (await contentsOf(at.work)).objects);
    await clonesWhole(folder, at.bare);
    // What is merged is a closure still: the next push is recorded without a walk of everything.
    await push(at, 100, 1);
    equal(await maintained(at.bare), "closure");
    await clonesWhole(folder, at.bare);
    // A push that takes away a part of a pack voids it: all is packed anew then.
    await git(at.work, "push", "-q", "--force", at.bare, "main~40:main");
    for (let i = 0; packFiles(at.bare, ".pack").length <= 24; i++) {
      await gitWith(at.bare, `${i}\n`, "hash-object", "-w", "--stdin");
      const tree = (await gitWith(
        at.bare,
        `100644 blob ${await gitWith(at.bare, `${i}\n`, "hash-object", "--stdin")}\tx\n`,
        "mktree",
      )).trim();
      const oid = await gitWith(at.bare, "x\n", "commit-tree", tree, "-p", "main");
      await git(at.bare, "update-ref", `refs/heads/b${i}`, oid);
      await git(at.bare, "repack", "-q", "-d");
    }
    const before = (await contentsOf(at.bare)).objects;
    equal(await maintained(at.bare), "repacked");
    deepEqual((await contentsOf(at.bare)).objects, before);
    await clonesWhole(folder, at.bare);
  },
});

const STEPS: readonly (readonly [step: string, nth: number])[] = [
  ["gc.pid", 1],
  ["packed", 1],
  ["new pack", 1],
  ["new idx", 1],
  ["closure", 1],
  ["old idx", 1],
  ["old pack", 3],
  ["removed", 1],
];

Deno.test({
  name: "a merge that is killed at any step leaves every object, and the next run clears up (row 51)",
  ...needed,
  async fn() {
    await using made = await temporaryFolder();
    const { work, bare: model } = await world(made);
    await push({ work, bare: model }, 1, 25);
    const contents = await contentsOf(model);
    for (const [step, nth] of STEPS) {
      const what = `${step} ${nth}`;
      await using folder = await temporaryFolder();
      const bare = folder.join("r.git");
      equal((await runProgram("cp", ["-a", model, bare])).code, 0);
      const args = ["run", "-A", "-q", "--no-check", "--cached-only", PROGRAM, step, `${nth}`, bare, "due"];
      const { code } = await runProgram(Deno.execPath(), args);
      ok(code !== 0, what);
      await git(bare, "fsck", "--strict", "--full");
      deepEqual(await contentsOf(bare), contents, what);
      await clonesWhole(folder, bare);
      const outcome = await maintained(bare);
      ok(outcome !== "locked" && outcome !== "postponed", `${what}: ${outcome}`);
      ok(packFiles(bare, ".pack").length <= 24, what);
      deepEqual(await contentsOf(bare), contents, what);
      await git(bare, "fsck", "--strict", "--full");
      await clonesWhole(folder, bare);
      deepEqual([...Deno.readDirSync(`${bare}/alknet/tmp`)], [], what);
    }
  },
});
