/**
 * What is read for a fetch depends on what is new, and not on what is stored: by counters (git.md §12; row 5).
 *
 * @module
 */
import { equal, ok } from "node:assert/strict";
import { GIT_LIMITS } from "../../../../handlers/git/limits.ts";
import { packCaches } from "../../../../handlers/git/pack/pack_file.ts";
import { ClosureReader } from "../../../../handlers/git/store/folder/closure/closure.ts";
import { FolderObjects } from "../../../../handlers/git/store/folder/objects.ts";
import { isClosureOf } from "../../../../handlers/git/walk/closure/closure_of.ts";
import { CommitReader } from "../../../../handlers/git/walk/commits.ts";
import { selectFetch } from "../../../../handlers/git/walk/fetch.ts";
import { Pace } from "../../../../handlers/git/walk/pace.ts";
import { needs } from "../../../support/programs.ts";
import { temporaryFolder } from "../../../support/temp.ts";
import { git } from "../repositories.ts";
import { maintained } from "./maintained.ts";
import { makeLarge } from "./repositories.ts";

const needed = needs("git", "linux");

/** Counts the objects that are read. */
class Counting extends FolderObjects {
  reads = 0;

  override read(...args: Parameters<FolderObjects["read"]>): ReturnType<FolderObjects["read"]> {
    this.reads++;
    return super.read(...args);
  }
}

Deno.test({
  name: "fetch: a commit that changes k files at depth d reads 8·(k·d + 10) objects at most, whatever is stored (§12)",
  ...needed,
  async fn() {
    await using folder = await temporaryFolder();
    const pace = new Pace(new AbortController().signal);
    const counts: number[] = [];
    for (const [name, folders, files, commits] of [["few", 3, 5, 5], ["many", 60, 100, 800]] as const) {
      const bare = folder.join(`${name}.git`);
      await makeLarge(bare, { folders, files, bytes: 20, commits });
      const [want, have] = [await git(bare, "rev-parse", "main"), await git(bare, "rev-parse", "main~1")];
      using store = new Counting(`${bare}/objects`, packCaches(GIT_LIMITS), GIT_LIMITS.deltaBytes);
      const reader = new CommitReader(store);
      const walk = { store, wants: [want], common: [have], tags: [], thin: true, reader, pace };
      const { selection } = await selectFetch(walk);
      // A commit, the root's tree, a folder's tree, a file.
      equal(selection.size, 4);
      ok(store.reads <= 8 * (1 * 2 + 10), `${store.reads} of ${folders * files} files`);
      counts.push(store.reads);
    }
    equal(counts[0], counts[1]);
  },
});

Deno.test({
  name: "closure: that wants are reached is proved without reading objects, however old they are (§4, §5.4)",
  ...needed,
  async fn() {
    await using folder = await temporaryFolder();
    const bare = folder.join("r.git");
    await makeLarge(bare, { folders: 20, files: 20, bytes: 20, commits: 500 });
    await maintained(bare);
    using store = new Counting(`${bare}/objects`, packCaches(GIT_LIMITS), GIT_LIMITS.deltaBytes);
    const closure = new ClosureReader(bare, store).read()!;
    const reader = new CommitReader(store);
    const pace = new Pace(new AbortController().signal);
    ok(await isClosureOf(closure, [await git(bare, "rev-parse", "main")], reader, pace));
    for (const name of ["main~500", "main~499:d3/f3", "main~250^{tree}"]) {
      ok(closure.holds(await git(bare, "rev-parse", name)), name);
    }
    equal(closure.holds("1".repeat(40)), false);
    equal(store.reads, 0);
    // Of what came since, that alone is read.
    await git(bare, "update-ref", "refs/heads/old", "main");
    const tree = await git(bare, "rev-parse", "main^{tree}");
    for (let i = 0; i < 3; i++) {
      await git(
        bare,
        "update-ref",
        "refs/heads/main",
        await git(bare, "commit-tree", "-m", `${i}`, "-p", "main", tree),
      );
    }
    await git(bare, "update-ref", "-d", "refs/heads/old");
    ok(await isClosureOf(closure, [await git(bare, "rev-parse", "main")], reader, pace));
    equal(store.reads, 3);
  },
});
