/**
 * Thin packs for clients: deltas of what they have (git.md §5.3; rows 5, 9, 25).
 *
 * @module
 */
import { deepEqual, equal, notEqual, ok } from "node:assert/strict";
import { runProgram } from "../../../support/process.ts";
import { needs } from "../../../support/programs.ts";
import { seeded } from "../../../support/random.ts";
import { temporaryFolder } from "../../../support/temp.ts";
import { fetched, type GitNode, gitNode } from "../client.ts";
import { closure, history, objectsOf } from "../histories.ts";
import { commit, git, GIT_ENV, gitWith, lines } from "../repositories.ts";

const needed = needs("git", "linux");

/** Whether stock git takes a pack in a repository, which completes it from what is there. */
async function taken(folder: string, pack: Uint8Array<ArrayBuffer>): Promise<boolean> {
  const { code } = await runProgram("git", ["index-pack", "--strict", "--fix-thin", "--stdin"], {
    cwd: folder,
    env: GIT_ENV,
    stdin: pack,
  });
  return code === 0;
}

async function packOf(node: GitNode, want: string, have: string, ...more: string[]) {
  return (await fetched(node, "r", `want ${want}`, `have ${have}`, "ofs-delta", ...more, "done")).pack;
}

Deno.test({
  name: "thin-pack: a changed file goes as a delta of what the client has, without its base; else whole (§5.3)",
  ...needed,
  async fn() {
    await using folder = await temporaryFolder();
    const [work, bare] = [folder.join("work"), folder.join("r.git")];
    await git(".", "init", "-q", "--bare", "--initial-branch=main", bare);
    await git(bare, "config", "receive.unpackLimit", "1");
    await git(".", "init", "-q", "--initial-branch=main", work);
    await using node = gitNode({ root: folder.path });
    const tips: string[] = [];
    // What cannot be packed tighter, so that a delta is worth much.
    const random = seeded("git thin files");
    const content = Array.from({ length: 400 }, () => random.bytes(20).toHex());
    for (let i = 0; i < 5; i++) {
      content[i] = `changed by ${i}`;
      await commit(work, "a/b/f", content.join("\n"), 1_700_000_000 + i);
      // Each push is a pack of its own, whose deltas are of what was there before.
      await git(work, "push", "-q", bare, "main");
      tips.push(await git(work, "rev-parse", "main"));
    }
    for (const [i, want] of tips.entries()) {
      for (const have of tips.slice(0, i)) {
        const client = folder.join(`${want}-${have}.git`);
        await git(".", "init", "-q", "--bare", client);
        await git(client, "fetch", "-q", bare, `${have}:refs/heads/have`);
        const [thin, whole] = [await packOf(node, want, have, "thin-pack"), await packOf(node, want, have)];
        ok(thin.byteLength < whole.byteLength / 4, `${thin.byteLength} of ${whole.byteLength} bytes`);
        // By itself it lacks the base, and without what the client has nobody can complete it.
        const empty = folder.join(`empty-${want}-${have}.git`);
        await git(".", "init", "-q", "--bare", empty);
        equal(await taken(empty, thin), false);
        ok(await taken(client, thin));
        await git(client, "update-ref", "refs/heads/want", want);
        await git(client, "fsck", "--strict");
        deepEqual(await closure(client, [want]), await closure(bare, [want]));
        notEqual((await objectsOf(bare, whole)).length, 0);
        // Who leaves things out may lack the base too.
        const filtered = await packOf(node, want, have, "thin-pack", "filter blob:limit=1m");
        deepEqual((await objectsOf(bare, filtered)).length, (await objectsOf(bare, whole)).length);
      }
    }
  },
});

Deno.test({
  name: "thin-pack: random histories: every pack is completed from the haves alone (§5.3; row 6)",
  ...needed,
  async fn() {
    const random = seeded("git thin packs");
    await using folder = await temporaryFolder();
    const bare = folder.join("r.git");
    await git(folder.path, "init", "-q", "--bare", bare);
    // Contents that deltas are worth it for.
    const text = history(random, 40).replaceAll(/data 1\n([0-2])/g, (_, n) => `data ${lines(+n).length}\n${lines(+n)}`);
    await gitWith(bare, text, "fast-import", "--quiet");
    await git(bare, "repack", "-a", "-d", "-f", "-q", "--depth=30", "--window=30");
    await using node = gitNode({ root: folder.path });
    const commits = (await git(bare, "for-each-ref", "--format=%(objectname)")).split("\n");
    for (let round = 0; round < 25; round++) {
      const [want, have] = [commits[random.below(commits.length)], commits[random.below(commits.length)]];
      const client = folder.join(`${round}.git`);
      await git(".", "init", "-q", "--bare", client);
      await git(client, "fetch", "-q", bare, `${have}:refs/heads/have`);
      const packs = [await packOf(node, want, have, "thin-pack"), await packOf(node, want, have)];
      ok(packs[0].byteLength <= packs[1].byteLength);
      ok(await taken(client, packs[0]), `${want} ${have}`);
      deepEqual(await closure(client, [want]), await closure(bare, [want]), `${want} ${have}`);
    }
  },
});
