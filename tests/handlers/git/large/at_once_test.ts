/**
 * Pushes, fetches, packing anew by the node and by another process, and stock git, all at once (git.md §5.5; rows 45, 62).
 *
 * @module
 */
import { deepEqual, equal } from "node:assert/strict";
import { needs } from "../../../support/programs.ts";
import { runProgram } from "../../../support/process.ts";
import { temporaryFolder } from "../../../support/temp.ts";
import { fetched, gitNode } from "../client.ts";
import { closure, objectsOf } from "../histories.ts";
import { contentsOf, git, gitWith, lines, makeRepository } from "../repositories.ts";
import { CAPABILITIES, commands, push, ZERO } from "../push/pushes.ts";
import { maintained } from "./maintained.ts";

const needed = needs("git", "linux");
const PROGRAM = new URL("maintain_program.ts", import.meta.url).pathname;
const ROUNDS = 12;

Deno.test({
  name: "pushes, fetches and packing anew at once, by two processes, one of them killed: nothing is lost (rows 45, 62)",
  ...needed,
  async fn() {
    await using folder = await temporaryFolder();
    const [work, bare] = [folder.join("work"), folder.join("r.git")];
    await makeRepository(work, bare);
    await using node = gitNode({ root: folder.path, maintenance: true });
    const held = new Set<string>();
    for (let round = 0; round < ROUNDS; round++) {
      // A commit on what was last pushed, which lies in a pack that may be going away.
      const blob = await gitWith(work, lines(round) + round, "hash-object", "-w", "--stdin");
      const tree = await gitWith(work, `100644 blob ${blob}\tf${round}\n`, "mktree");
      const tip = await git(work, "commit-tree", "-m", `${round}`, "-p", round === 0 ? "main" : `b${round - 1}`, tree);
      await git(work, "update-ref", `refs/heads/b${round}`, tip);
      const sent = await new Deno.Command("sh", {
        args: ["-c", `printf '%s\\n^%s\\n' ${tip} ${tip}^ | git pack-objects --revs --thin --stdout -q`],
        cwd: work,
      }).output();
      const tips = (await git(bare, "for-each-ref", "--format=%(objectname)", "refs/heads", "refs/tags")).split("\n");
      const expected = [...await closure(bare, tips)].sort();
      const fetching = async () => {
        const { pack } = await fetched(
          node,
          "r",
          ...[...new Set(tips)].map((oid) => `want ${oid}`),
          "ofs-delta",
          "done",
        );
        deepEqual((await objectsOf(work, pack)).sort(), expected, `round ${round}`);
      };
      const step = ["new pack", "new idx", "closure", "old idx", "-"][round % 5];
      const [{ report }] = await Promise.all([
        push(node, commands(CAPABILITIES, `${ZERO} ${tip} refs/heads/b${round}`), sent.stdout),
        fetching(),
        maintained(bare, { full: round % 3 === 0 }),
        runProgram(Deno.execPath(), ["run", "-A", "-q", "--no-check", "--cached-only", PROGRAM, step, "1", bare]),
        round % 4 === 3 ? runProgram("git", ["-C", bare, "gc", "-q"]) : undefined,
      ]);
      deepEqual(report.slice(0, 2), ["unpack ok", `ok refs/heads/b${round}`], `round ${round}: ${report.join(", ")}`);
      held.add(tip);
    }
    const { objects } = await contentsOf(bare);
    for (const oid of held) equal(objects.includes(oid), true);
    await git(bare, "fsck", "--strict", "--full");
    await maintained(bare, { full: true });
    deepEqual((await contentsOf(bare)).objects, objects);
  },
});
