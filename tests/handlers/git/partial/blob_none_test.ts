/**
 * Clones without blobs of a repository whose closure is recorded: what git selects, found without a look into trees
 * (git.md §4, §5.4; row 41).
 *
 * @module
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import { needs } from "../../../support/programs.ts";
import { seeded } from "../../../support/random.ts";
import { temporaryFolder } from "../../../support/temp.ts";
import { GIT_LIMITS } from "../../../../handlers/git/limits.ts";
import { packCaches } from "../../../../handlers/git/pack/pack_file.ts";
import { FolderRepositories } from "../../../../handlers/git/store/folder/repositories.ts";
import { selectBesideBlobs } from "../../../../handlers/git/walk/closure/beside_blobs.ts";
import { CommitReader } from "../../../../handlers/git/walk/commits.ts";
import { Pace } from "../../../../handlers/git/walk/pace.ts";
import { fetched, gitNode } from "../client.ts";
import { closure, history, objectsOf } from "../histories.ts";
import { commit, git, gitWith, lines, makeRepository } from "../repositories.ts";
import { maintained } from "../large/maintained.ts";

const needed = needs("git", "linux");

async function tipsOf(bare: string): Promise<string[]> {
  return [
    ...new Set((await git(bare, "for-each-ref", "--format=%(objectname)", "refs/heads", "refs/tags")).split("\n")),
  ];
}

Deno.test({
  name: "blob:none: with a closure a clone has what git selects, wanted blobs included, and what came since (row 41)",
  ...needed,
  async fn() {
    await using folder = await temporaryFolder();
    const [work, bare] = [folder.join("work"), folder.join("r.git")];
    await makeRepository(work, bare);
    await git(bare, "config", "receive.unpackLimit", "1");
    await gitWith(bare, history(seeded("blob:none"), 60), "fast-import", "--quiet", "--force");
    // Tags of a blob and of a tree, and one of the former.
    const blob = await gitWith(bare, "tagged\n", "hash-object", "-w", "--stdin");
    const lone = await gitWith(bare, "lone\n", "hash-object", "-w", "--stdin");
    await git(bare, "-c", "user.name=A", "-c", "user.email=a@example.org", "tag", "-m", "x", "blobtag", blob);
    await git(bare, "-c", "user.name=A", "-c", "user.email=a@example.org", "tag", "-m", "x", "tagtag", "blobtag");
    await git(bare, "tag", "blobref", lone);
    await git(bare, "tag", "treeref", "main^{tree}");
    equal(await maintained(bare, { full: true }), "repacked");
    await using node = gitNode({ root: folder.path });
    const clone = async (...args: string[]): Promise<string[]> => {
      const wants = (await tipsOf(bare)).map((oid) => `want ${oid}`);
      const { pack } = await fetched(node, "r", ...wants, "filter blob:none", ...args, "done");
      return (await objectsOf(bare, pack)).sort();
    };
    const same = async (what: string): Promise<void> => {
      const tips = await tipsOf(bare);
      // What is named, or what a tag that is named is of, goes along whatever it is.
      const named = [...await closure(bare, tips, "--filter=blob:none")].sort();
      ok(named.includes(blob) && named.includes(lone));
      for (const args of [[], ["ofs-delta"], ["ofs-delta", "include-tag"]]) {
        deepEqual(await clone(...args), named, what);
      }
      const record = await Deno.readTextFile(`${bare}/alknet/closure`);
      await Deno.remove(`${bare}/alknet/closure`);
      deepEqual(await clone("ofs-delta"), named, `${what}, walked`);
      await Deno.writeTextFile(`${bare}/alknet/closure`, record);
    };
    await same("packed anew");
    for (let i = 0; i < 3; i++) {
      await commit(work, "f", lines(0) + lines(i), 1_700_005_000 + i);
      await git(work, "push", "-q", bare, "main:pushed");
    }
    await same("with pushes beyond the closure");
    equal(await maintained(bare), "closure");
    await same("with thin pushes in it");
    const loose = await gitWith(bare, "x\n", "commit-tree", "main^{tree}", "-p", "main");
    await git(bare, "update-ref", "refs/heads/loose", loose);
    await same("with a loose commit beyond it");

    const folders = { root: "/nowhere", elsewhere: { r: bare } };
    const repositories = new FolderRepositories(folders, packCaches(GIT_LIMITS), GIT_LIMITS.deltaBytes);
    using open = (await repositories.openFolder("r"))!;
    const { objects } = open;
    const kinds: string[] = [];
    const read: typeof objects.read = async (oid, limit) => {
      const object = await objects.read(oid, limit);
      kinds.push(object!.kind);
      return object;
    };
    const store = new Proxy(objects, {
      get: (_, name) =>
        name === "read"
          ? read
          : ((value) => typeof value === "function" ? value.bind(objects) : value)(Reflect.get(objects, name, objects)),
    });
    const wants = await tipsOf(bare);
    const selection = await selectBesideBlobs({
      store,
      wants,
      common: [],
      tags: [],
      thin: false,
      filter: { treeDepth: Infinity, blobBytes: 0 },
      closure: open.closure.read()!,
      reader: new CommitReader(store),
      pace: new Pace(new AbortController().signal),
    });
    equal(selection.size, (await clone("ofs-delta")).length);
    ok(!kinds.includes("tree"), "a tree was read");
  },
});
