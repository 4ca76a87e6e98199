/**
 * What filters leave out, said byte by byte and judged by git's own (git.md §4; row 41).
 *
 * @module
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { needs } from "../../../support/programs.ts";
import { seeded } from "../../../support/random.ts";
import { temporaryFolder } from "../../../support/temp.ts";
import { answers, fetched, gitNode, joined, READER, request, requestLine, textOf } from "../client.ts";
import { closure, history, objectsOf } from "../histories.ts";
import { git, gitWith, makeRepository } from "../repositories.ts";

const needed = needs("git", "linux");
const FILTERS = [
  "blob:none",
  "blob:limit=0",
  "blob:limit=2",
  "blob:limit=5",
  "blob:limit=1k",
  "tree:0",
  "tree:1",
  "tree:2",
  "tree:3",
  "object:type=commit",
  "object:type=tree",
  "object:type=blob",
  "object:type=tag",
  "combine:blob:none+tree:3",
  "combine:tree:3+object:type=tree",
  "combine:blob:limit=1k+tree:3",
];

Deno.test({
  name:
    "filters: a clone has exactly what git rev-list --filter lists, with tags, large files and nested folders (row 41)",
  ...needed,
  async fn() {
    await using folder = await temporaryFolder();
    const bare = folder.join("r.git");
    await makeRepository(folder.join("work"), bare);
    await using node = gitNode({ root: folder.path });
    for (const name of ["main", "v1", "nested", "of-tree", "of-blob"]) {
      const oid = await git(bare, "rev-parse", name);
      for (const filter of FILTERS) {
        const { pack } = await fetched(node, "r", `want ${oid}`, `filter ${filter}`, "ofs-delta", "done");
        const sent = await objectsOf(bare, pack);
        const expected = await closure(bare, [name], `--filter=${filter}`);
        deepEqual(sent.sort(), [...expected].sort(), `${name} ${filter}`);
      }
    }
  },
});

/** What git leaves of a commit: of filters combined, what each of them leaves. Where a tree comes back git leaves less. */
async function left(bare: string, oid: string, filter: string): Promise<Set<string>> {
  const all = filter.replace(/^combine:/, "").split("+").map((one) => closure(bare, [oid], `--filter=${one}`));
  return (await Promise.all(all)).reduce((before, one) => before.intersection(one));
}

Deno.test({
  name: "filters: random histories, where a tree comes back on another level; with haves nothing is lacking (row 41)",
  ...needed,
  async fn() {
    const random = seeded("git filters");
    await using folder = await temporaryFolder();
    const bare = folder.join("r.git");
    await git(folder.path, "init", "-q", "--bare", bare);
    await gitWith(bare, history(random, 40), "fast-import", "--quiet");
    // New trees on several levels each, the lower ones before the higher ones and the other way round.
    const within = (oid: string, name: string) => gitWith(bare, `040000 tree ${oid}\t${name}\n`, "mktree");
    const twice = async (name: string) => {
      const tree = await within(await within(await git(bare, "rev-parse", "c40^{tree}"), `in ${name}`), name);
      return [tree, await within(tree, "lower")];
    };
    const [[one, lowerOne], [other, lowerOther]] = [await twice("one"), await twice("other")];
    const entries = [["a", lowerOne], ["b", one], ["c", other], ["d", lowerOther]];
    const outer = await gitWith(bare, entries.map(([name, oid]) => `040000 tree ${oid}\t${name}\n`).join(""), "mktree");
    await git(bare, "update-ref", "refs/heads/c41", await git(bare, "commit-tree", "-m", "x", "-p", "c40", outer));
    await using node = gitNode({ root: folder.path });
    const commits = (await git(bare, "for-each-ref", "--format=%(objectname)")).split("\n");
    const last = await git(bare, "rev-parse", "c41");
    for (let round = 0; round < 30; round++) {
      const want = round < FILTERS.length ? last : commits[random.below(commits.length)];
      const filter = FILTERS[round % FILTERS.length];
      const alone = await fetched(node, "r", `want ${want}`, `filter ${filter}`, "done");
      const all = await left(bare, want, filter);
      deepEqual((await objectsOf(bare, alone.pack)).sort(), [...all].sort(), `${want} ${filter}`);
      const have = commits[random.below(commits.length)];
      const more = await fetched(node, "r", `want ${want}`, `have ${have}`, `filter ${filter}`, "thin-pack", "done");
      const sent = new Set(await objectsOf(bare, more.pack));
      const held = await closure(bare, [have]);
      deepEqual([...all].filter((oid) => !held.has(oid) && !sent.has(oid)), [], `${want} ${have} ${filter}`);
      ok([...sent].every((oid) => all.has(oid)), `${want} ${have} ${filter}`);
    }
  },
});

Deno.test({
  name:
    "filters: what is wanted itself is sent, whatever the filter; of a tree that is wanted, what the filter leaves (row 41)",
  ...needed,
  async fn() {
    await using folder = await temporaryFolder();
    const bare = folder.join("r.git");
    await makeRepository(folder.join("work"), bare);
    await using node = gitNode({ root: folder.path });
    const names = ["main:loose/file", "main~1:main", "v1^{tree}", "main:a folder"];
    const oids = await Promise.all(names.map((name) => git(bare, "rev-parse", name)));
    const trees = await closure(bare, oids.slice(2), "--filter=blob:none");
    const args = [...oids.map((oid) => `want ${oid}`), "filter blob:none", "done"];
    const sent = await objectsOf(bare, (await fetched(node, "r", ...args)).pack);
    deepEqual(sent.sort(), [...new Set([...oids, ...trees])].sort());
    const zero = await fetched(node, "r", `want ${oids[2]}`, "filter tree:0", "done");
    deepEqual(await objectsOf(bare, zero.pack), [oids[2]]);
  },
});

Deno.test({
  name: "filters: refused and not shown where uploadpack.allowFilter is off; others than git's are refused (row 41)",
  ...needed,
  async fn() {
    await using folder = await temporaryFolder();
    const bare = folder.join("r.git");
    await makeRepository(folder.join("work"), bare);
    await using node = gitNode({ root: folder.path });
    const main = await git(bare, "rev-parse", "main");
    const shown = async (version: number) =>
      textOf(await answers(node, joined([requestLine("/r", version), request("0000")]), READER)).join(" ");
    for (const version of [0, 1, 2]) match(await shown(version), / filter /);
    const wrong = await fetched(node, "r", `want ${main}`, "filter sparse:oid=main:f", "done");
    deepEqual(wrong.lines, ["ERR filter not supported"]);
    await git(bare, "config", "uploadpack.allowFilter", "false");
    for (const version of [0, 1, 2]) equal(/filter/.test(await shown(version)), false);
    const off = await fetched(node, "r", `want ${main}`, "filter blob:none", "done");
    deepEqual(off.lines, ["ERR filter not supported"]);
    const v0 = joined([requestLine("/r", 0), request(`want ${main}`, "filter blob:none", "0000", "done")]);
    equal(textOf(await answers(node, v0, READER)).at(-1), "ERR filter not supported");
  },
});
