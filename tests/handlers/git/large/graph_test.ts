/**
 * Commit-graphs: git's are read, one file or a chain, ours are git's bytes, and a walk over one reads no commit
 * (git.md §5.5; rows 47, 50).
 *
 * @module
 */
import { deepEqual, equal, notEqual, ok, throws } from "node:assert/strict";
import { needs } from "../../../support/programs.ts";
import { type TemporaryFolder, temporaryFolder } from "../../../support/temp.ts";
import { CommitGraph } from "../../../../handlers/git/graph/commit_graph.ts";
import { GraphFile } from "../../../../handlers/git/graph/graph_file.ts";
import { GraphFolder } from "../../../../handlers/git/graph/graph_folder.ts";
import { GIT_LIMITS } from "../../../../handlers/git/limits.ts";
import { ByteCache } from "../../../../handlers/git/pack/byte_cache.ts";
import { packCaches, type StoredObject } from "../../../../handlers/git/pack/pack_file.ts";
import { FolderObjects } from "../../../../handlers/git/store/folder/objects.ts";
import type { Maybe } from "../../../../handlers/git/store/types.ts";
import { CommitReader, commitsBetween } from "../../../../handlers/git/walk/commits.ts";
import { Pace } from "../../../../handlers/git/walk/pace.ts";
import { git, GIT_ENV, gitWith } from "../repositories.ts";
import { runProgram } from "../../../support/process.ts";
import { maintained } from "./maintained.ts";

const needed = needs("git", "linux");
const FILE = "objects/info/commit-graph";

/** A commit of the empty tree at a date. */
async function commitAt(bare: string, seconds: number, ...parents: string[]): Promise<string> {
  const tree = await gitWith(bare, "", "hash-object", "-w", "-t", "tree", "--stdin");
  const env = { ...GIT_ENV, GIT_COMMITTER_DATE: `@${seconds} +0000` };
  const args = ["commit-tree", "-m", `${seconds} ${parents.length}`, ...parents.flatMap((oid) => ["-p", oid]), tree];
  const { code, stdout, stderr } = await runProgram("git", args, { cwd: bare, env });
  equal(code, 0, stderr);
  return stdout.trim();
}

/** Roots, a merge of five, clocks that run backwards by more than 68 years, tags of commits, of tags and of trees. */
async function world(folder: TemporaryFolder): Promise<string> {
  const bare = folder.join("r.git");
  await git(".", "init", "-q", "--bare", "--initial-branch=main", bare);
  const roots: string[] = [];
  for (let i = 0; i < 5; i++) roots.push(await commitAt(bare, 1_700_000_000 + i));
  const merge = await commitAt(bare, 1_700_000_100, ...roots);
  const future = await commitAt(bare, 6_000_000_000, merge);
  const past = await commitAt(bare, 1_000, future);
  const two = await commitAt(bare, 1_700_000_200, past, roots[0]);
  await git(bare, "update-ref", "refs/heads/main", two);
  await git(bare, "update-ref", "refs/heads/other", await commitAt(bare, 1_700_000_300, roots[3]));
  await git(bare, "tag", "-a", "-m", "one", "v1", await commitAt(bare, 1_700_000_400, merge));
  await git(bare, "tag", "-a", "-m", "two", "v2", "v1");
  await git(bare, "tag", "-a", "-m", "tree", "v3", "main^{tree}");
  return bare;
}

/** What git says of all commits: each with its tree, its parents and its date. */
async function saidByGit(bare: string): Promise<Map<string, unknown>> {
  const text = await git(bare, "-c", "core.commitGraph=false", "log", "--all", "--format=%H %T %ct %P");
  return new Map(
    text.split("\n").map((line) => {
      const [oid, tree, date, ...parents] = line.split(" ").filter((word) => word !== "");
      return [oid, { tree, parents, date: Number(date) }];
    }),
  );
}

function readGraph(bare: string): CommitGraph | undefined {
  return new GraphFolder(`${bare}/objects`, new ByteCache(1_000_000)).read();
}

Deno.test({
  name: "commit-graph: ours is git's, byte for byte, and git's own check holds (rows 47, 50)",
  ...needed,
  async fn() {
    await using folder = await temporaryFolder();
    const bare = await world(folder);
    equal(await maintained(bare, { full: true }), "repacked");
    const ours = await Deno.readFile(`${bare}/${FILE}`);
    await git(bare, "commit-graph", "verify");
    await Deno.remove(`${bare}/${FILE}`);
    await git(bare, "commit-graph", "write", "--reachable");
    deepEqual(ours, new Uint8Array(await Deno.readFile(`${bare}/${FILE}`)));
    const said = await saidByGit(bare);
    const graph = readGraph(bare)!;
    equal(graph.count, said.size);
    for (const [oid, links] of said) deepEqual(graph.links(oid), links);
    equal(graph.links("f".repeat(40)), undefined);
    equal(graph.links("0".repeat(40)), undefined);
  },
});

Deno.test({
  name: "commit-graph: a chain of git's is read, and gives way to our one file (rows 47, 50)",
  ...needed,
  async fn() {
    await using folder = await temporaryFolder();
    const bare = await world(folder);
    await git(bare, "commit-graph", "write", "--reachable", "--split=no-merge");
    for (let i = 0; i < 2; i++) {
      const [main, other] = await Promise.all(["main", "other"].map((name) => git(bare, "rev-parse", name)));
      await git(bare, "update-ref", "refs/heads/main", await commitAt(bare, 1_700_001_000 + i, main, other, main));
      await git(bare, "commit-graph", "write", "--reachable", "--split=no-merge");
    }
    const chain = `${bare}/objects/info/commit-graphs`;
    equal((await Deno.readTextFile(`${chain}/commit-graph-chain`)).trim().split("\n").length, 3);
    const said = await saidByGit(bare);
    const graph = readGraph(bare)!;
    equal(graph.count, said.size);
    for (const [oid, links] of said) deepEqual(graph.links(oid), links);
    // A chain in another order belongs to nobody.
    const names = await Deno.readTextFile(`${chain}/commit-graph-chain`);
    await Deno.writeTextFile(`${chain}/commit-graph-chain`, names.trim().split("\n").reverse().join("\n"));
    equal(readGraph(bare), undefined);
    await Deno.writeTextFile(`${chain}/commit-graph-chain`, names);
    equal(await maintained(bare, { full: true }), "repacked");
    equal([...Deno.readDirSync(`${bare}/objects/info`)].some(({ name }) => name === "commit-graphs"), false);
    await git(bare, "commit-graph", "verify");
    equal(readGraph(bare)!.count, said.size);
  },
});

Deno.test({
  name:
    "commit-graph: a repository has one after its first maintenance, and a new one when a quarter is not in it (§5.5)",
  ...needed,
  async fn() {
    await using folder = await temporaryFolder();
    const bare = await world(folder);
    await maintained(bare);
    const first = readGraph(bare)!;
    let outcomes = "";
    for (let i = 0; i < 4; i++) {
      const main = await git(bare, "rev-parse", "main");
      await git(bare, "update-ref", "refs/heads/main", await commitAt(bare, 1_700_002_000 + i, main));
      await git(bare, "repack", "-q", "-d");
      equal(await maintained(bare), "closure");
      outcomes += readGraph(bare)!.count > first.count ? "+" : "-";
    }
    equal(first.count, 11);
    equal(outcomes, "--++");
    equal(await maintained(bare), "nothing");
    // One that does not hold is as none: it is read over, and written anew.
    await Deno.chmod(`${bare}/${FILE}`, 0o600);
    await Deno.writeTextFile(`${bare}/${FILE}`, "nothing");
    equal(readGraph(bare), undefined);
    equal(await maintained(bare), "graph");
    await git(bare, "commit-graph", "verify");
  },
});

class Counting extends FolderObjects {
  reads = 0;
  override read(oid: string, limit?: number): Maybe<StoredObject> {
    this.reads++;
    return super.read(oid, limit);
  }
}

Deno.test({
  name: "commit-graph: a walk reads none of the commits that are in it, and those beyond it (§5.5)",
  ...needed,
  async fn() {
    await using folder = await temporaryFolder();
    const bare = await world(folder);
    await maintained(bare, { full: true });
    const main = await git(bare, "rev-parse", "main");
    const after = await commitAt(bare, 1_700_002_000, main);
    using store = new Counting(`${bare}/objects`, packCaches(GIT_LIMITS), GIT_LIMITS.deltaBytes);
    const pace = new Pace(new AbortController().signal);
    const walked = async (graph?: CommitGraph) => {
      store.reads = 0;
      const met = await commitsBetween(
        [after],
        [await git(bare, "rev-parse", "other")],
        new CommitReader(store, graph),
        pace,
      );
      return { met, reads: store.reads };
    };
    const [by, without] = [await walked(readGraph(bare)), await walked()];
    deepEqual(by.met, without.met);
    equal(by.reads, 1);
    ok(without.reads >= by.met.length);
  },
});

Deno.test({
  name: "commit-graph: each flipped byte, each end, and what lies in it makes it none; nothing else is read (row 50)",
  ...needed,
  async fn() {
    await using folder = await temporaryFolder();
    const bare = await world(folder);
    await git(bare, "commit-graph", "write", "--reachable");
    const whole = new Uint8Array(await Deno.readFile(`${bare}/${FILE}`));
    notEqual(new GraphFile(whole).count, 0);
    for (let at = 0; at < whole.length; at++) {
      const bytes = whole.slice();
      bytes[at] ^= 1 + at % 255;
      throws(() => new GraphFile(bytes), { code: "GIT_CORRUPT" });
      throws(() => new GraphFile(whole.subarray(0, at)), { code: "GIT_CORRUPT" });
    }
    // With a sum that fits, what is wrong in it is an error, never a read beyond it.
    let [refused, read] = [0, 0];
    for (let at = 8; at < whole.length - 20; at++) {
      const bytes = whole.slice(0, -20);
      bytes[at] ^= 0x81;
      const sum = new Uint8Array(await crypto.subtle.digest("SHA-1", bytes));
      try {
        const graph = new CommitGraph([new GraphFile(Uint8Array.from([...bytes, ...sum]))]);
        for (let i = 0; i < 256; i++) graph.links(i.toString(16).padStart(2, "0").repeat(20));
        for (const oid of (await saidByGitOnce(bare)).keys()) graph.links(oid);
        read++;
      } catch (error) {
        equal((error as { code?: string }).code, "GIT_CORRUPT", `${at}: ${error}`);
        refused++;
      }
    }
    ok(refused > 0 && read > 0);
  },
});

const saids = new Map<string, Promise<Map<string, unknown>>>();
function saidByGitOnce(bare: string): Promise<Map<string, unknown>> {
  const said = saids.get(bare) ?? saidByGit(bare);
  saids.set(bare, said);
  return said;
}
