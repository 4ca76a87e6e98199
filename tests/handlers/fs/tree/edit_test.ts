/**
 * Edits of branches and their versions (fs.md §6, §11 rows 30, 32, 34, 39, 41).
 *
 * @module
 */
import type { TreeEdit } from "@alknet/handlers/fs";
import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { onBoth, type TreeStore, treeStore } from "./trees.ts";

const HELD = "ea8f163db38682925e4491c5e58d4bb3506ef8c14eb78a86e908c5624a67200f";

/** Rows of some tables. */
async function rows(store: TreeStore, ...tables: readonly string[]): Promise<number[]> {
  return await Promise.all(tables.map((table) => store.number(`SELECT count(*) AS n FROM ${table}`)));
}

onBoth(
  "tree: files, folders and links; each version stays what it was; an edit that changes nothing is no commit",
  async (treeStore) => {
    await using store = await treeStore();
    const { tree, hashes: [a, b], commit } = store;
    equal(await commit("main", (edit) => edit.putFile({ path: "/docs/a.txt", hash: a, parents: true })), 1);
    equal(await commit("main", (edit) => edit.putFile({ path: "/docs/a.txt", hash: a })), 1);
    equal(await commit("main", (edit) => edit.putFile({ path: "/docs/a.txt", hash: b, size: 2, mtime: 5 })), 2);
    await commit("main", (edit) => {
      edit.symlink({ path: "/link", target: "docs/a.txt" });
      edit.set({ path: "/docs", mode: 0o700 });
      edit.mkdir({ path: "/x/y/z", parents: true });
      edit.mkdir({ path: "/x/y/z", parents: true });
    });
    await commit("main", (edit) => edit.move({ from: "/docs", to: "/x/y/docs" }));
    const view = await tree.at("main");
    deepEqual(await view.stat("/x/y/docs/a.txt"), {
      name: "a.txt",
      kind: "file",
      seq: 2,
      mode: 0o644,
      mtime: 5,
      hash: b,
      size: 2,
    });
    equal((await view.stat("/x/y/docs"))!.mode, 0o700);
    equal(await view.stat("/docs/a.txt"), undefined);
    equal((await view.stat("/link"))!.target, "docs/a.txt");
    equal((await view.stat("/"))!.kind, "folder");
    deepEqual(await store.all("main@1"), new Map([["/docs", "folder"], ["/docs/a.txt", a]]));
    deepEqual(await store.all("main@2"), new Map([["/docs", "folder"], ["/docs/a.txt", b]]));
    equal((await store.all("main@3")).get("/docs/a.txt"), b);
    deepEqual((await tree.log("main")).map(({ seq, n, op, path, origin }) => [seq, n, op, path, origin]), [
      [4, 0, "move", "/x/y/docs", "/docs"],
      [3, 0, "symlink", "/link", undefined],
      [3, 1, "set", "/docs", undefined],
      [3, 2, "mkdir", "/x", undefined],
      [3, 3, "mkdir", "/x/y", undefined],
      [3, 4, "mkdir", "/x/y/z", undefined],
      [2, 0, "put", "/docs/a.txt", undefined],
      [1, 0, "mkdir", "/docs", undefined],
      [1, 1, "put", "/docs/a.txt", undefined],
    ]);
    deepEqual((await tree.log("main", { limit: 1, before: 4 })).map(({ seq }) => seq), [3, 3, 3, 3, 3]);
    deepEqual((await tree.log("main", { path: "/link" })).map(({ seq }) => seq), [3]);
  },
);

onBoth("tree: a commit is made whole or not at all, with the code of its fault (row 41)", async (treeStore) => {
  await using store = await treeStore();
  const { hashes: [a, b], commit } = store;
  await commit("main", (edit) => {
    edit.putFile({ path: "/d/f", hash: a, parents: true });
    edit.mkdir({ path: "/e" });
    edit.putFile({ path: "/g", hash: b });
    edit.symlink({ path: "/l", target: "d" });
  });
  const before = await store.all("main");
  const refused: [string, (edit: TreeEdit) => void][] = [
    ["PATH_NOT_FOUND", (edit) => edit.putFile({ path: "/no/f", hash: a })],
    ["NOT_A_FOLDER", (edit) => edit.putFile({ path: "/g/f", hash: a, parents: true })],
    ["NOT_A_FOLDER", (edit) => edit.putFile({ path: "/l/f", hash: a })],
    ["IS_A_FOLDER", (edit) => edit.putFile({ path: "/d", hash: a })],
    ["PATH_EXISTS", (edit) => edit.putFile({ path: "/g", hash: a, ifAbsent: true })],
    ["CHANGED_MEANWHILE", (edit) => edit.putFile({ path: "/g", hash: a, ifHash: a })],
    ["CHANGED_MEANWHILE", (edit) => edit.putFile({ path: "/g", hash: a, ifHash: null })],
    ["CHANGED_MEANWHILE", (edit) => edit.putFile({ path: "/new", hash: a, ifHash: a })],
    ["CHANGED_MEANWHILE", (edit) => edit.putFile({ path: "/l", hash: a, ifHash: null })],
    ["BLOB_NOT_FOUND", (edit) => edit.putFile({ path: "/g", hash: HELD })],
    ["INVALID_INPUT", (edit) => edit.putFile({ path: "/g", hash: a, size: 9 })],
    ["INVALID_NAME", (edit) => edit.putFile({ path: "/", hash: a })],
    ["INVALID_NAME", (edit) => edit.putFile({ path: "g", hash: a })],
    ["INVALID_INPUT", (edit) => edit.set({ path: "/g", mode: 0o10000 })],
    ["PATH_NOT_FOUND", (edit) => edit.set({ path: "/no" })],
    ["PATH_EXISTS", (edit) => edit.mkdir({ path: "/e" })],
    ["PATH_EXISTS", (edit) => edit.mkdir({ path: "/g", parents: true })],
    ["PATH_EXISTS", (edit) => edit.symlink({ path: "/e", target: "x" })],
    ["INVALID_NAME", (edit) => edit.symlink({ path: "/new", target: "" })],
    ["PATH_NOT_FOUND", (edit) => edit.remove({ path: "/no" })],
    ["FOLDER_NOT_EMPTY", (edit) => edit.remove({ path: "/d" })],
    ["INVALID_NAME", (edit) => edit.remove({ path: "/", recursive: true })],
    ["PATH_NOT_FOUND", (edit) => edit.move({ from: "/no", to: "/x" })],
    ["PATH_EXISTS", (edit) => edit.move({ from: "/d", to: "/e" })],
    ["NOT_A_FOLDER", (edit) => edit.move({ from: "/d", to: "/g", replace: true })],
    ["IS_A_FOLDER", (edit) => edit.move({ from: "/g", to: "/e", replace: true })],
    ["FOLDER_NOT_EMPTY", (edit) => edit.move({ from: "/e", to: "/d", replace: true })],
    ["INVALID_NAME", (edit) => edit.move({ from: "/d", to: "/d/x" })],
    ["INVALID_NAME", (edit) => edit.copy({ from: "/d", to: "/d/x" })],
    ["PATH_NOT_FOUND", (edit) => edit.restore({ path: "/no", version: "1" })],
    ["BRANCH_NOT_FOUND", (edit) => edit.restore({ path: "/d", version: "none" })],
    ["BRANCH_NOT_FOUND", (edit) => edit.copy({ from: "/d", to: "/new", version: "7" })],
  ];
  for (const [code, work] of refused) {
    const whole = (edit: TreeEdit): void => {
      edit.putFile({ path: "/first", hash: a });
      work(edit);
    };
    await rejects(commit("main", whole), { code }, `${work}`);
  }
  await rejects(commit("main@1", (edit) => edit.mkdir({ path: "/x" })), { code: "BRANCH_FROZEN" });
  await rejects(commit("none", (edit) => edit.mkdir({ path: "/x" })), { code: "BRANCH_NOT_FOUND" });
  deepEqual(await store.all("main"), before);
  equal((await store.tree.branch("main")).head, 1);
  const many = (edit: TreeEdit): void => {
    for (let i = 0; i <= 10_000; i++) edit.mkdir({ path: `/m${i}` });
  };
  await rejects(commit("main", many), { code: "INVALID_INPUT", message: /at most 10000 changes/ });
  // As rename(2): over a file, and over a folder that is empty.
  await commit("main", (edit) => {
    edit.move({ from: "/d", to: "/e", replace: true });
    edit.move({ from: "/g", to: "/l", replace: true });
    edit.putFile({ path: "/e/f", hash: b, ifHash: a });
  });
  deepEqual(await store.all("main"), new Map([["/e", "folder"], ["/e/f", b], ["/l", b]]));
});

onBoth(
  "tree: names are kept byte for byte and come in the order of their bytes; others are refused (row 30)",
  async (treeStore) => {
    await using store = await treeStore();
    const { tree, commit } = store;
    const names = [
      "\n",
      "a b",
      "a".repeat(255),
      "é".normalize("NFC"),
      "é".normalize("NFD"),
      "\ufffd",
      "\u{10000}",
      "~",
    ];
    await commit("main", (edit) => names.forEach((name) => edit.mkdir({ path: `/${name}` })));
    const listed = (await (await tree.at("main")).list("/")).map(({ name }) => name);
    const bytes = (text: string): string => new TextEncoder().encode(text).toHex();
    deepEqual(listed, [...names].sort((a, b) => (bytes(a) < bytes(b) ? -1 : 1)));
    ok(listed.indexOf("\ufffd") < listed.indexOf("\u{10000}"));
    for (const name of names) equal((await (await tree.at("main")).stat(`/${name}`))!.name, name);
    for (const bad of ["a".repeat(256), "é".repeat(128), ".", "..", "a\0", "\ud800", "", "a//b"]) {
      await rejects(commit("main", (edit) => edit.mkdir({ path: `/x/${bad}`, parents: true })), {
        code: "INVALID_NAME",
      });
    }
    const deep = (parts: number): string => "/d".repeat(parts);
    await commit("main", (edit) => edit.mkdir({ path: deep(128), parents: true }));
    await rejects(commit("main", (edit) => edit.mkdir({ path: deep(129) })), { code: "INVALID_NAME" });
    await rejects(commit("main", (edit) => edit.mkdir({ path: `/${"x".repeat(200)}`.repeat(21), parents: true })), {
      code: "INVALID_NAME",
    });
  },
);

onBoth(
  "tree: a folder is moved, removed and brought back by one row, whatever it holds (row 34)",
  async (treeStore) => {
    await using store = await treeStore();
    const { tree, commit, hashes: [a] } = store;
    const count = 5000;
    await commit("main", (edit) => {
      edit.mkdir({ path: "/big" });
      for (let i = 0; i < count; i++) edit.putFile({ path: `/big/${i}`, hash: a });
    });
    equal((await tree.usage("local")).files, count);
    const [before] = await rows(store, "entries");
    await commit("main", (edit) => edit.move({ from: "/big", to: "/large" }));
    deepEqual(await rows(store, "entries", "past"), [before, 1]);
    await commit("main", (edit) => edit.remove({ path: "/large", recursive: true }));
    equal((await store.all("main")).size, 0);
    equal((await store.all("main@2")).size, count + 1);
    await tree.upkeep();
    deepEqual(await rows(store, "entries", "past", "doomed"), [0, before + 1, 0]);
    equal((await tree.usage("local")).files, 0);
    equal((await store.all("main@2")).size, count + 1);
    await commit("main", (edit) => edit.restore({ path: "/large", version: "2" }));
    equal((await store.all("main")).size, count + 1);
    equal((await tree.usage("local")).files, count);
  },
);

Deno.test("tree: a commit writes 100,000 names, and more for the node's own commands alone", async () => {
  await using store = await treeStore();
  const { tree, commit, hashes: [a] } = store;
  await commit("main", (edit) => {
    for (let i = 0; i < 5000; i++) edit.putFile({ path: `/part/${i}`, hash: a, parents: true });
    edit.mkdir({ path: "/all" });
  });
  for (let part = 0; part < 20; part++) {
    await commit("main", (edit) => edit.copy({ from: "/part", to: `/all/${part}` }));
  }
  // 20 folders of 5000 files, and themselves.
  await rejects(commit("main", (edit) => edit.copy({ from: "/all", to: "/again" })), { code: "INVALID_INPUT" });
  await tree.commit("main", "local", (edit) => edit.copy({ from: "/all", to: "/again" }));
  equal((await tree.usage("local")).files, 205_000);
});

onBoth("tree: what was forked goes its own way, 100 forks deep (row 32)", async (treeStore) => {
  await using store = await treeStore();
  const { tree, commit, hashes: [a, b, c] } = store;
  await commit("main", (edit) => {
    edit.putFile({ path: "/a/x", hash: a, parents: true });
    edit.putFile({ path: "/a/y", hash: b });
  });
  // The example of fs.md §6.
  await tree.fork("work", "main", "tester");
  await commit("work", (edit) => edit.remove({ path: "/a/x" }));
  await commit("work", (edit) => edit.move({ from: "/a", to: "/b" }));
  await commit("main", (edit) => edit.putFile({ path: "/a/z", hash: c }));
  deepEqual(await store.all("work"), new Map([["/b", "folder"], ["/b/y", b]]));
  deepEqual(await store.all("main"), new Map([["/a", "folder"], ["/a/x", a], ["/a/y", b], ["/a/z", c]]));
  deepEqual(await store.all("work@1"), new Map([["/a", "folder"], ["/a/y", b]]));
  deepEqual(await store.all("work@0"), new Map([["/a", "folder"], ["/a/x", a], ["/a/y", b]]));
  let last = "work";
  const expected = await store.all(last);
  for (let i = 0; i < 100; i++) {
    await tree.fork(`fork${i}`, last, "tester");
    last = `fork${i}`;
    await commit(last, (edit) => edit.putFile({ path: `/b/${i}`, hash: c }));
    expected.set(`/b/${i}`, c);
  }
  deepEqual([...await store.all(last)].sort(), [...expected].sort());
  equal(await store.number("SELECT max(depth) AS depth FROM branches"), 31);
  // Dropped, it stays for those that were forked from it.
  await tree.drop("work");
  deepEqual([...await store.all(last)].sort(), [...expected].sort());
  await rejects(tree.at("work"), { code: "BRANCH_NOT_FOUND" });
  equal((await tree.branch("fork0")).parent, undefined);
  for (let i = 0; i < 100; i++) await tree.drop(`fork${i}`);
  await tree.upkeep();
  deepEqual(await rows(store, "branches"), [1]);
  equal((await tree.usage("tester")).files, 0);
  await rejects(tree.drop("main"), { code: "INVALID_INPUT" });
});

onBoth(
  "tree: a folder is listed in pages while names come and go: none twice, none that stayed is lost (row 39)",
  async (treeStore) => {
    await using store = await treeStore();
    const { tree, commit, hashes: [a] } = store;
    const name = (i: number): string => `n${String(i).padStart(6, "0")}`;
    for (let at = 0; at < 20_000; at += 5000) {
      await commit("main", (edit) => {
        for (let i = at; i < at + 5000; i++) edit.putFile({ path: `/f/${name(i * 2)}`, hash: a, parents: true });
      });
    }
    const seen: string[] = [];
    for (let after: string | undefined = "", i = 0; after !== undefined; i++) {
      const page = await (await tree.at("main")).list("/f", { after, limit: 997 });
      seen.push(...page.map(({ name }) => name));
      after = page.length < 997 ? undefined : page.at(-1)!.name;
      // One that was seen goes, one before and one after where it is come.
      await commit("main", (edit) => {
        if (page.length > 0) edit.remove({ path: `/f/${page[0].name}` });
        edit.putFile({ path: `/f/${name(i * 2 + 1)}`, hash: a });
        if (i < 10) edit.putFile({ path: `/f/${name(39_999 - 2 * i)}`, hash: a });
      });
    }
    equal(new Set(seen).size, seen.length);
    const all = new Set(seen);
    for (let i = 0; i < 20_000; i++) ok(all.has(name(i * 2)), name(i * 2));
    deepEqual(seen, [...seen].sort());
    match(seen.at(-1)!, /^n03999\d$/);
  },
);
