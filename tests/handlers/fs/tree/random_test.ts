/**
 * Random edits, forks and moves against a map (fs.md §11 rows 33, 35): each version stays what it was, and a diff says exactly
 * how two differ.
 *
 * @module
 */
import type { Difference, PathTree } from "@alknet/handlers/fs";
import { deepEqual, equal, ok } from "node:assert/strict";
import { isWithin } from "../../../../handlers/fs/tree/names.ts";
import { seeded } from "../../../support/random.ts";
import { copyOf, type Model, randomEdit, sorted } from "./model.ts";
import { onBoth } from "./trees.ts";

interface ModelBranch {
  readonly name: string;
  now: Model;
  readonly versions: Map<number, Model>;
}

/** What a version becomes by its differences to another. */
function applied(model: Model, differences: readonly Difference[], to: Model): Model {
  const next = copyOf(model);
  const moved: [string, string][] = [];
  for (const { change, from } of differences) {
    if (change !== "moved") continue;
    // The longest first: a folder in another that moves as well is taken out of it.
    moved.push(...[...next].filter(([at]) => isWithin(at, from!)).map(([at]): [string, string] => [from!, at]));
  }
  // What moved is looked up where it comes to; the walk below says whether that is right.
  for (const [, at] of moved) next.delete(at);
  for (const { change, path } of differences) {
    if (change === "removed") { for (const at of [...next.keys()]) if (isWithin(at, path)) next.delete(at); }
  }
  for (const { change, path, after } of differences) {
    if (change === "removed") continue;
    if (change === "moved") { for (const [at, what] of to) if (isWithin(at, path)) next.set(at, what); }
    else next.set(path, after!.hash ?? "folder");
  }
  return next;
}

async function diff(tree: PathTree, from: string, to: string): Promise<Difference[]> {
  return await Array.fromAsync(tree.diff(from, to));
}

onBoth(
  "tree: random edits, forks and drops over many branches against a map, at each version (row 33)",
  async (treeStore, scale) => {
    await using store = await treeStore();
    const { tree, hashes } = store;
    const random = seeded("tree");
    const branches: ModelBranch[] = [{ name: "main", now: new Map(), versions: new Map([[0, new Map()]]) }];
    let forks = 0;
    for (let i = 0; i < 3000 * scale; i++) {
      const branch = random.pick(branches);
      const next = copyOf(branch.now);
      const seq = await store.commit(branch.name, (edit) => {
        for (let n = random.between(1, 4); n > 0; n--) {
          randomEdit(random, next, edit, { hashes, versions: branch.versions });
        }
      });
      branch.now = next;
      branch.versions.set(seq, copyOf(next));
      if (random.chance(0.03)) {
        const [at, model] = random.pick([...branch.versions]);
        const name = `fork${forks++}`;
        await tree.fork(name, `${branch.name}@${at}`, "tester");
        branches.push({ name, now: copyOf(model), versions: new Map([[0, copyOf(model)]]) });
      }
      if (branches.length > 6) {
        const [gone] = branches.splice(random.between(1, branches.length - 1), 1);
        await tree.drop(gone.name);
      }
      if (random.chance(0.01)) await tree.upkeep();
    }
    await tree.upkeep();
    for (const { name, now, versions } of branches) {
      deepEqual(sorted(await store.all(name)), sorted(now), name);
      for (const [seq, model] of versions) {
        deepEqual(sorted(await store.all(`${name}@${seq}`)), sorted(model), `${name}@${seq}`);
      }
    }
    // Differences of any two versions, of one branch or of two, either way.
    for (let i = 0; i < 300 * scale; i++) {
      const [one, other] = [random.pick(branches), random.pick(branches)];
      const [[a, before], [b, after]] = [random.pick([...one.versions]), random.pick([...other.versions])];
      const differences = await diff(tree, `${one.name}@${a}`, `${other.name}@${b}`);
      deepEqual(sorted(applied(before, differences, after)), sorted(after), `${one.name}@${a} to ${other.name}@${b}`);
      for (const { change, path, from = path, before: old, after: fresh } of differences) {
        if (change === "changed") ok(old!.hash !== fresh!.hash, path);
        if (change === "changed" || change === "removed") equal(before.get(from), old!.hash ?? "folder");
        if (change !== "removed") equal(after.get(path), fresh!.hash ?? "folder");
      }
    }
  },
);
