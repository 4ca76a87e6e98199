/**
 * Connectivity: what a push costs follows what it brings, and histories in which clocks were wrong (git.md §7, §12).
 *
 * @module
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import { git as gitOf, type ObjectReader, type Oid } from "../../../handlers/git/mod.ts";
import { CommitReader } from "../../../handlers/git/walk/commits.ts";
import { isAncestor, unconnected } from "../../../handlers/git/walk/connectivity.ts";
import { Pace } from "../../../handlers/git/walk/pace.ts";
import { needs } from "../../support/programs.ts";
import { temporaryFolder } from "../../support/temp.ts";
import { git, gitWith } from "./repositories.ts";

const needed = needs("git", "linux");
const pace = new Pace(new AbortController().signal);

/** Reads that are counted. */
function counted(objects: ObjectReader): { objects: ObjectReader; reads: () => number } {
  let reads = 0;
  const count = <T>(value: T): T => {
    reads++;
    return value;
  };
  return {
    objects: {
      info: (oid) => count(objects.info(oid)),
      read: (oid, limit) => count(objects.read(oid, limit)),
      stream: (oid) => count(objects.stream(oid)),
      has: (oid) => count(objects.has(oid)),
    },
    reads: () => reads,
  };
}

/** Commits, each of which changes a file four folders deep, among many. */
function history(commits: number): string {
  const lines: string[] = [];
  for (let i = 0; i < commits; i++) {
    lines.push(`commit refs/heads/main\ncommitter A <a@example.org> ${1_700_000_000 + i} +0000\ndata 1\nx`);
    for (let k = 0; k < (i === 0 ? 200 : 1); k++) {
      const content = `${i} ${k}`;
      lines.push(`M 100644 inline a${k % 10}/b/c/f${k}\ndata ${content.length}\n${content}`);
    }
  }
  return `${lines.join("\n")}\n`;
}

Deno.test({
  name: "unconnected(): one new commit costs what it changes, however long the history (§12)",
  ...needed,
  async fn() {
    await using folder = await temporaryFolder();
    const costs: number[] = [];
    for (const commits of [20, 600]) {
      const bare = folder.join(`r${commits}.git`);
      await git(".", "init", "-q", "--bare", bare);
      await gitWith(bare, history(commits), "fast-import", "--quiet");
      const tip = await git(bare, "rev-parse", "main");
      await git(bare, "update-ref", "refs/heads/main", "main~1");
      const news = new Set(
        (await git(bare, "rev-list", "--objects", tip, "^main")).split("\n").map((line) => line.slice(0, 40)),
      );
      const { repositories } = gitOf({ root: folder.path });
      using repository = (await repositories.open(`r${commits}`))!;
      const { objects, reads } = counted(repository.objects);
      const refs = await repository.refs.snapshot([]);
      const walk = { objects, holds: (oid: Oid) => news.has(oid), refs, pace };
      deepEqual(await unconnected([tip], walk), new Set());
      costs.push(reads());
      ok(reads() <= 8 * (1 * 4 + 10), `${reads()} reads`);
      // A file or a tree that is nowhere is missed.
      const blob = [...news].at(-1)!;
      const lacking: ObjectReader = { ...objects, has: async (oid) => oid !== blob && await objects.has(oid) };
      deepEqual(await unconnected([tip], { ...walk, objects: lacking }), new Set([tip]));
    }
    equal(costs[0], costs[1]);
  },
});

Deno.test({
  name: "isAncestor(), unconnected(): clocks that were wrong, merges, roots, tags of trees (§7)",
  ...needed,
  async fn() {
    await using folder = await temporaryFolder();
    const bare = folder.join("r.git");
    await git(".", "init", "-q", "--bare", bare);
    const tree = await gitWith(bare, "", "mktree");
    const make = async (seconds: number, ...parents: string[]) => {
      const who = `A <a@example.org> ${seconds} +0000`;
      const from = parents.map((parent) => `parent ${parent}\n`).join("");
      const text = `tree ${tree}\n${from}author ${who}\ncommitter ${who}\n\nx\n`;
      return await gitWith(bare, text, "hash-object", "-t", "commit", "-w", "--stdin");
    };
    const root = await make(900);
    const other = await make(100);
    const left = await make(50, root);
    const right = await make(1000, root, other);
    const merge = await make(10, left, right);
    const top = await make(5000, merge);
    const commits = [root, other, left, right, merge, top];
    const { repositories } = gitOf({ root: folder.path });
    using repository = (await repositories.open("r"))!;
    const reader = new CommitReader(repository.objects);
    for (const old of commits) {
      for (const oid of commits) {
        const judged = (await git(bare, "rev-list", oid)).split("\n").includes(old);
        equal(await isAncestor(old, oid, reader, pace), judged, `${old} of ${oid}`);
      }
    }
    await git(bare, "update-ref", "refs/heads/left", left);
    await git(bare, "update-ref", "refs/tags/tree", tree);
    const refs = await repository.refs.snapshot([]);
    const walk = { objects: repository.objects, refs, pace };
    const missing = "1".repeat(40);
    const cut = await make(7, missing);
    for (const holds of [(oid: Oid) => commits.includes(oid), () => false]) {
      deepEqual(await unconnected(commits, { ...walk, holds }), new Set());
      deepEqual(await unconnected([top, cut, missing], { ...walk, holds }), new Set([cut, missing]));
    }
  },
});
