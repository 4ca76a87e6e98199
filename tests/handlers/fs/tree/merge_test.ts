/**
 * Merges (fs.md §6, Merge; §11 row 36): what two branches changed, under each policy, and there and back.
 *
 * @module
 */
import type { Conflict, Policy, TreeEdit } from "@alknet/handlers/fs";
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { seeded } from "../../../support/random.ts";
import { type Model, randomEdit, sorted } from "./model.ts";
import { onBoth, type TreeStore } from "./trees.ts";

type Change = (edit: TreeEdit, hashes: readonly string[]) => void;
type Listing = string;

/** A pair of changes to `/f` (blob 0), `/g` (blob 1), `/d/x` (blob 2), `/d/y` (blob 3), `/e` (an empty folder). */
interface Pair {
  readonly title: string;
  readonly from: Change;
  readonly into: Change;
  /** Conflicts, as `reason path`. */
  readonly conflicts?: readonly string[];
  /** What becomes of it, by policy, or of all of them: paths with the numbers of their blobs. */
  readonly becomes: Listing | Partial<Record<Policy, Listing>>;
}

const POLICIES = ["fail", "ours", "theirs", "both"] as const;
const BEFORE = "d d/x2 d/y3 e f0 g1";
const put = (path: string, blob: number): Change => (edit, hashes) => edit.putFile({ path, hash: hashes[blob] });
const remove = (path: string): Change => (edit) => edit.remove({ path, recursive: true });
const move = (from: string, to: string, replace = false): Change => (edit) => edit.move({ from, to, replace });
const mkdir = (path: string): Change => (edit) => edit.mkdir({ path });
const all = (...changes: Change[]): Change => (edit, hashes) => changes.forEach((change) => change(edit, hashes));
const none: Change = () => {};

const PAIRS: readonly Pair[] = [
  { title: "changed, not", from: put("/f", 4), into: none, becomes: "d d/x2 d/y3 e f4 g1" },
  { title: "not, changed", from: none, into: put("/f", 4), becomes: "d d/x2 d/y3 e f4 g1" },
  { title: "other files", from: put("/f", 4), into: put("/g", 5), becomes: "d d/x2 d/y3 e f4 g5" },
  { title: "the same", from: put("/f", 4), into: put("/f", 4), becomes: "d d/x2 d/y3 e f4 g1" },
  { title: "added, not", from: put("/d/z", 4), into: none, becomes: "d d/x2 d/y3 d/z4 e f0 g1" },
  { title: "removed, not", from: remove("/f"), into: none, becomes: "d d/x2 d/y3 e g1" },
  { title: "removed both", from: remove("/f"), into: remove("/f"), becomes: "d d/x2 d/y3 e g1" },
  { title: "a folder removed, not", from: remove("/d"), into: none, becomes: "e f0 g1" },
  {
    title: "a folder added, not",
    from: all(mkdir("/n"), put("/n/a", 4)),
    into: none,
    becomes: "d d/x2 d/y3 e f0 g1 n n/a4",
  },
  {
    title: "a folder added both",
    from: all(mkdir("/n"), mkdir("/n/s"), put("/n/s/a", 4), put("/n/same", 5)),
    into: all(mkdir("/n"), mkdir("/n/s"), put("/n/s/b", 6), put("/n/same", 5)),
    becomes: "d d/x2 d/y3 e f0 g1 n n/s n/s/a4 n/s/b6 n/same5",
  },
  { title: "a folder moved, not", from: move("/d", "/m"), into: none, becomes: "e f0 g1 m m/x2 m/y3" },
  { title: "moved, changed in it", from: move("/d", "/m"), into: put("/d/x", 4), becomes: "e f0 g1 m m/x4 m/y3" },
  { title: "changed in it, moved", from: put("/d/x", 4), into: move("/d", "/m"), becomes: "e f0 g1 m m/x4 m/y3" },
  { title: "moved both alike", from: move("/d", "/m"), into: move("/d", "/m"), becomes: "e f0 g1 m m/x2 m/y3" },
  {
    title: "moved into a new one",
    from: all(mkdir("/n"), move("/d", "/n/d")),
    into: none,
    becomes: "e f0 g1 n n/d n/d/x2 n/d/y3",
  },
  {
    title: "two folders swapped",
    from: all(move("/d", "/t"), move("/e", "/d"), move("/t", "/e")),
    into: put("/d/x", 4),
    becomes: "d e e/x4 e/y3 f0 g1",
  },
  {
    title: "a file by a folder",
    from: all(remove("/f"), mkdir("/f"), put("/f/a", 4)),
    into: none,
    becomes: "d d/x2 d/y3 e f f/a4 g1",
  },
  { title: "a folder by a file", from: all(remove("/d"), put("/d", 4)), into: none, becomes: "d4 e f0 g1" },
  { title: "a moved folder over an empty one", from: move("/d", "/e", true), into: none, becomes: "e e/x2 e/y3 f0 g1" },
  {
    title: "out of a removed folder",
    from: all(mkdir("/d/k"), put("/d/k/a", 4), move("/d/k", "/k"), remove("/d")),
    into: none,
    becomes: "e f0 g1 k k/a4",
  },
  {
    title: "changed both",
    from: put("/f", 4),
    into: put("/f", 5),
    conflicts: ["changed /f"],
    becomes: { ours: "d d/x2 d/y3 e f5 g1", theirs: "d d/x2 d/y3 e f4 g1", both: "d d/x2 d/y3 e f5 f~work4 g1" },
  },
  {
    title: "added both, others",
    from: put("/h", 4),
    into: all(put("/h", 5), put("/h~work", 6)),
    conflicts: ["changed /h"],
    becomes: {
      ours: "d d/x2 d/y3 e f0 g1 h5 h~work6",
      theirs: "d d/x2 d/y3 e f0 g1 h4 h~work6",
      both: "d d/x2 d/y3 e f0 g1 h5 h~work6 h~work~24",
    },
  },
  {
    title: "changed, removed",
    from: put("/f", 4),
    into: remove("/f"),
    conflicts: ["removed /f"],
    becomes: { ours: "d d/x2 d/y3 e g1", theirs: "d d/x2 d/y3 e f4 g1", both: "d d/x2 d/y3 e f~work4 g1" },
  },
  {
    title: "removed, changed",
    from: remove("/f"),
    into: put("/f", 4),
    conflicts: ["removed /f"],
    becomes: { ours: "d d/x2 d/y3 e f4 g1", theirs: "d d/x2 d/y3 e g1", both: "d d/x2 d/y3 e f4 g1" },
  },
  {
    title: "a folder removed, changed below",
    from: remove("/d"),
    into: put("/d/x", 4),
    conflicts: ["removed /d"],
    becomes: { ours: "d d/x4 d/y3 e f0 g1", theirs: "e f0 g1", both: "d d/x4 d/y3 e f0 g1" },
  },
  {
    title: "changed below, a folder removed",
    from: put("/d/x", 4),
    into: remove("/d"),
    conflicts: ["removed /d/x"],
    becomes: { ours: "e f0 g1", theirs: "d d/x4 e f0 g1", both: "d d/x4 e f0 g1" },
  },
  {
    title: "a file, a folder",
    from: put("/n", 4),
    into: all(mkdir("/n"), put("/n/a", 5)),
    conflicts: ["kind /n"],
    becomes: {
      ours: "d d/x2 d/y3 e f0 g1 n n/a5",
      theirs: "d d/x2 d/y3 e f0 g1 n4",
      both: "d d/x2 d/y3 e f0 g1 n n/a5 n~work4",
    },
  },
  {
    title: "a folder, a file",
    from: all(mkdir("/n"), put("/n/a", 5)),
    into: put("/n", 4),
    conflicts: ["kind /n"],
    becomes: {
      ours: "d d/x2 d/y3 e f0 g1 n4",
      theirs: "d d/x2 d/y3 e f0 g1 n n/a5",
      both: "d d/x2 d/y3 e f0 g1 n4 n~work n~work/a5",
    },
  },
  {
    title: "moved apart",
    from: move("/d", "/m"),
    into: move("/d", "/n"),
    conflicts: ["moved /m"],
    becomes: { ours: "e f0 g1 n n/x2 n/y3", theirs: "e f0 g1 n n/x2 n/y3", both: "e f0 g1 n n/x2 n/y3" },
  },
  {
    title: "moved into each other",
    from: move("/d", "/e/d"),
    into: move("/e", "/d/e"),
    conflicts: ["cycle /e/d"],
    becomes: { ours: "d d/e d/x2 d/y3 f0 g1", theirs: "d d/e d/x2 d/y3 f0 g1", both: "d d/e d/x2 d/y3 f0 g1" },
  },
  {
    title: "a folder moved, removed",
    from: move("/d", "/m"),
    into: remove("/d"),
    conflicts: ["removed /m"],
    becomes: { ours: "e f0 g1", theirs: "e f0 g1 m m/x2 m/y3", both: "e f0 g1 m~work m~work/x2 m~work/y3" },
  },
  {
    title: "a folder removed, moved",
    from: remove("/d"),
    into: move("/d", "/m"),
    conflicts: ["removed /d"],
    becomes: { ours: "e f0 g1 m m/x2 m/y3", theirs: "e f0 g1 m m/x2 m/y3", both: "e f0 g1 m m/x2 m/y3" },
  },
];

async function listing({ all, hashes }: TreeStore, version: string): Promise<Listing> {
  return [...await all(version)].map(([path, what]) => path.slice(1) + (what === "folder" ? "" : hashes.indexOf(what)))
    .sort().join(" ");
}

function said(conflicts: readonly Conflict[]): string[] {
  return conflicts.map(({ reason, path }) => `${reason} ${path}`);
}

for (const policy of POLICIES) {
  onBoth(
    `tree: ${PAIRS.length} pairs of changes merged with the policy ${policy}; then there and back without a conflict (row 36)`,
    async (treeStore, scale) => {
      await using store = await treeStore();
      const { tree, commit, hashes } = store;
      // Where each statement has a way to go, each pair with one policy.
      const pairs = scale === 1 ? PAIRS : PAIRS.filter((_, n) => n % POLICIES.length === POLICIES.indexOf(policy));
      const made = all(put("/f", 0), put("/g", 1), mkdir("/d"), put("/d/x", 2), put("/d/y", 3), mkdir("/e"));
      await commit("main", (edit) => made(edit, hashes));
      equal(await listing(store, "main"), BEFORE);
      for (const { title, from, into, conflicts = [], becomes } of pairs) {
        for (const name of ["work", "trunk"]) await tree.fork(name, "main", "tester");
        await commit("work", (edit) => from(edit, hashes));
        await commit("trunk", (edit) => into(edit, hashes));
        const before = await listing(store, "trunk");
        const dry = await tree.merge("work", "trunk", { actor: "tester", policy, dryRun: true });
        equal(await listing(store, "trunk"), before, title);
        const result = await tree.merge("work", "trunk", { actor: "tester", policy });
        deepEqual(said(result.conflicts), conflicts, title);
        deepEqual(said(dry.conflicts), conflicts);
        const isRefused = policy === "fail" && conflicts.length > 0;
        const expected = isRefused ? before : typeof becomes === "string" ? becomes : becomes[policy]!;
        equal(await listing(store, "trunk"), expected.split(" ").sort().join(" "), `${title}, ${policy}`);
        if (isRefused) deepEqual([result.applied, result.seq], [0, undefined]);
        else {
          equal(dry.applied, result.applied, title);
          // There and back, twice.
          for (const [one, other] of [["trunk", "work"], ["work", "trunk"], ["trunk", "work"], ["work", "trunk"]]) {
            const again = await tree.merge(one, other, { actor: "tester" });
            deepEqual(said(again.conflicts), [], `${title}: ${one} into ${other}`);
          }
          equal(await listing(store, "work"), await listing(store, "trunk"), `${title}: both alike`);
          equal(await listing(store, "trunk"), expected.split(" ").sort().join(" "), `${title}: as it was`);
        }
        for (const name of ["work", "trunk"]) await tree.drop(name);
        await tree.upkeep();
      }
      equal(await listing(store, "main"), BEFORE);
    },
  );
}

onBoth(
  "tree: what is changed on both sides goes on being merged, either way; the log says from where",
  async (treeStore) => {
    await using store = await treeStore();
    const { tree, commit, hashes } = store;
    await tree.fork("work", "main", "tester");
    for (let round = 0; round < 3; round++) {
      await commit("work", (edit) => {
        edit.putFile({ path: `/w/${round}`, hash: hashes[round], parents: true });
        edit.putFile({ path: "/w/last", hash: hashes[round] });
      });
      await commit("main", (edit) => edit.putFile({ path: `/m/${round}`, hash: hashes[round], parents: true }));
      equal((await tree.merge("work", "main", { actor: "ada" })).conflicts.length, 0);
      // A folder that came by a merge is moved where it came from, and moves on.
      if (round === 1) await commit("work", (edit) => edit.move({ from: "/w", to: "/v" }));
      if (round === 1) await tree.merge("work", "main", { actor: "ada" });
      if (round === 1) await commit("work", (edit) => edit.move({ from: "/v", to: "/w" }));
    }
    equal(await listing(store, "main"), "m m/00 m/11 m/22 w w/00 w/11 w/22 w/last2");
    const { seq, applied } = await tree.merge("main", "work", { actor: "ada" });
    equal(await listing(store, "work"), await listing(store, "main"));
    deepEqual((await tree.log("work", { limit: 1 })).map((one) => [one.seq, one.op, one.origin, one.actor, one.path]), [
      [seq, "merge", "main", "ada", "/m"],
      [seq, "merge", "main", "ada", "/m/0"],
      [seq, "merge", "main", "ada", "/m/1"],
      [seq, "merge", "main", "ada", "/m/2"],
    ]);
    equal(applied, 4);
    deepEqual(await tree.merge("main", "work", { actor: "ada" }), { applied: 0, conflicts: [] });
    await rejects(tree.merge("main", "main", { actor: "ada" }), { code: "INVALID_INPUT" });
    await rejects(tree.merge("none", "main", { actor: "ada" }), { code: "BRANCH_NOT_FOUND" });
  },
);

onBoth("tree: attributes are merged by the side that changed them", async (treeStore) => {
  await using store = await treeStore();
  const { tree, commit, hashes } = store;
  await commit("main", (edit) => {
    for (const path of ["/a", "/b", "/c"]) edit.putFile({ path, hash: hashes[0], mode: 0o644, mtime: 1 });
  });
  await tree.fork("work", "main", "tester");
  await commit("work", (edit) => {
    edit.set({ path: "/a", mode: 0o600 });
    edit.set({ path: "/b", mode: 0o600 });
    edit.putFile({ path: "/c", hash: hashes[1], mtime: 5 });
  });
  await commit("main", (edit) => {
    edit.putFile({ path: "/a", hash: hashes[2], mtime: 9 });
    edit.set({ path: "/b", mode: 0o755 });
    edit.set({ path: "/c", mode: 0o755 });
  });
  equal((await tree.merge("work", "main", { actor: "ada" })).conflicts.length, 0);
  const view = await tree.at("main");
  const found = await Promise.all(["/a", "/b", "/c"].map((path) => view.stat(path)));
  deepEqual(found.map((one) => [hashes.indexOf(one!.hash!), one!.mode, one!.mtime]), [[2, 0o600, 9], [0, 0o755, 1], [
    1,
    0o755,
    5,
  ]]);
});

onBoth(
  "tree: random merges: with `theirs` and `ours` nothing is left to merge after it, and a tree stays a tree",
  async (treeStore, scale) => {
    await using store = await treeStore();
    const { tree, commit, hashes } = store;
    const random = seeded("merges");
    const models: Record<string, Model> = { main: new Map() };
    const edits = async (branch: string, count: number): Promise<void> => {
      await commit(branch, (edit) => {
        for (let n = 0; n < count; n++) randomEdit(random, models[branch], edit, { hashes, versions: new Map() });
      });
    };
    await edits("main", 30);
    await tree.fork("work", "main", "tester");
    models.work = new Map(models.main);
    for (let i = 0; i < 150 * scale; i++) {
      await edits("main", random.between(0, 6));
      await edits("work", random.between(0, 6));
      const [from, into] = random.chance(0.5) ? ["main", "work"] : ["work", "main"];
      const policy = random.pick(["ours", "theirs", "both", "fail"] as const);
      const { conflicts } = await tree.merge(from, into, { actor: "tester", policy });
      models[into] = await store.all(into);
      for (const path of models[into].keys()) {
        const parent = path.slice(0, path.lastIndexOf("/"));
        ok(parent === "" || models[into].get(parent) === "folder", path);
      }
      if (policy === "fail" && conflicts.length > 0) continue;
      const again = await tree.merge(from, into, { actor: "tester", policy: "fail" });
      deepEqual([again.applied, again.conflicts], [0, []]);
      if (random.chance(0.2)) await tree.upkeep();
    }
    await tree.upkeep();
    for (const name of ["main", "work"]) deepEqual(sorted(await store.all(name)), sorted(models[name]));
  },
);

/** Edits below a folder. */
function below(folder: string, edit: TreeEdit): TreeEdit {
  const at = <O extends { readonly path: string }>(o: O): O => ({ ...o, path: folder + o.path });
  const both = <O extends { readonly from: string; readonly to: string }>(o: O): O => ({
    ...o,
    from: folder + o.from,
    to: folder + o.to,
  });
  return {
    putFile: (o) => edit.putFile(at(o)),
    mkdir: (o) => edit.mkdir(at(o)),
    symlink: (o) => edit.symlink(at(o)),
    set: (o) => edit.set(at(o)),
    remove: (o) => edit.remove(at(o)),
    move: (o) => edit.move(both(o)),
    copy: (o) => edit.copy(both(o)),
    restore: (o) => edit.restore(at(o)),
  };
}

onBoth(
  "tree: random edits of two branches in folders of their own come together without a conflict, and are all there",
  async (treeStore, scale) => {
    await using store = await treeStore();
    const { tree, commit, hashes } = store;
    const random = seeded("apart");
    const models: Record<string, Model> = { main: new Map(), work: new Map() };
    await commit("main", (edit) => {
      for (const name of Object.keys(models)) {
        edit.mkdir({ path: `/${name}` });
        for (let n = 0; n < 40; n++) {
          randomEdit(random, models[name], below(`/${name}`, edit), { hashes, versions: new Map() });
        }
      }
    });
    await tree.fork("work", "main", "tester");
    for (let round = 0; round < 60 * scale; round++) {
      for (const name of Object.keys(models)) {
        await commit(name, (edit) => {
          for (let n = random.between(0, 8); n > 0; n--) {
            randomEdit(random, models[name], below(`/${name}`, edit), { hashes, versions: new Map() });
          }
        });
      }
      const expected: Model = new Map();
      for (const [name, model] of Object.entries(models)) {
        expected.set(`/${name}`, "folder");
        for (const [path, what] of model) expected.set(`/${name}${path}`, what);
      }
      const order = random.chance(0.5) ? ["main", "work"] : ["work", "main"];
      const there = await tree.merge(order[0], order[1], { actor: "tester" });
      deepEqual(said(there.conflicts), []);
      deepEqual(sorted(await store.all(order[1])), sorted(expected), `round ${round}: ${order.join(" into ")}`);
      if (random.chance(0.3)) await tree.upkeep();
      // Or the other one is behind for some rounds.
      if (random.chance(0.5)) continue;
      deepEqual(said((await tree.merge(order[1], order[0], { actor: "tester" })).conflicts), []);
      deepEqual(sorted(await store.all(order[0])), sorted(expected), `round ${round}: and back`);
    }
  },
);
