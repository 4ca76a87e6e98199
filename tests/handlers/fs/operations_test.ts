/**
 * The operations of fs over the dispatcher that every projection uses (fs.md §8, §9, §11 row 45).
 *
 * @module
 */
import type { Identity } from "@alknet/core/handler";
import { Dispatcher, type JsonObject, type JsonValue, nodeRegistry } from "@alknet/core/operations";
import { fsOperations, getBlob, memoryFs } from "@alknet/handlers/fs";
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { identityOf, serving } from "./transfer/serving.ts";
import { type TreeStore, treeStore } from "./tree/trees.ts";

interface Calling extends TreeStore {
  call(operation: string, input: JsonValue, identity?: Identity): Promise<JsonObject>;
  subscribe(operation: string, input: JsonValue, identity?: Identity): AsyncIterableIterator<JsonObject>;
}

async function calling(): Promise<Calling> {
  const store = await treeStore();
  const dispatcher = new Dispatcher({ registry: nodeRegistry(fsOperations(store.fs)) });
  return {
    ...store,
    call: async (operation, input, identity) => await dispatcher.call({ operation, input, identity }) as JsonObject,
    subscribe: (operation, input, identity) =>
      dispatcher.subscribe({ operation, input, identity }) as AsyncIterableIterator<JsonObject>,
  };
}

const branch = "main";
/** Each operation with a good input, the scope that is enough, and the one below it; `undefined`: anyone who is known. */
const CASES: Readonly<Record<string, { input: JsonObject; right: string; less?: string; bad?: JsonValue }>> = {
  "fs/stat": { input: { branch, path: "/d/f" }, right: "fs:read:main", bad: { branch, path: "" } },
  "fs/list": { input: { branch, path: "/d" }, right: "fs:read", bad: { branch, path: "/d", limit: 0 } },
  "fs/log": { input: { branch }, right: "fs:read", bad: { branch, after: "x" } },
  "fs/snapshots": { input: { branch }, right: "fs:read:main", bad: { branch: "no such name!" } },
  "fs/diff": { input: { from: "main@0", to: "main" }, right: "fs:read:main", bad: { from: "main" } },
  "fs/watch": { input: { branch, since: 0 }, right: "fs:read:main", bad: { branch, since: -1 } },
  "fs/link": {
    input: { branch, path: "/new", hash: "" },
    right: "fs:write:main",
    less: "fs:read:main",
    bad: { branch, path: "/n", hash: "x" },
  },
  "fs/mkdir": {
    input: { branch, path: "/m" },
    right: "fs:write",
    less: "fs:read",
    bad: { branch, path: "/m", mode: 0o10000 },
  },
  "fs/symlink": {
    input: { branch, path: "/s", target: "d" },
    right: "fs:write:main",
    less: "fs:read",
    bad: { branch, path: "/s", target: "" },
  },
  "fs/set": { input: { branch, path: "/d", mode: 0o700 }, right: "fs:write:main", less: "fs:read", bad: { branch } },
  "fs/move": {
    input: { branch, from: "/d", to: "/e" },
    right: "fs:write:main",
    less: "fs:read",
    bad: { branch, from: "/d" },
  },
  "fs/copy": {
    input: { branch, from: "/e", to: "/d" },
    right: "fs:write:main",
    less: "fs:read",
    bad: { branch, from: 1, to: "/" },
  },
  "fs/remove": {
    input: { branch, path: "/e", recursive: true },
    right: "fs:admin:main",
    less: "fs:read",
    bad: { branch, path: "/e", force: true },
  },
  "fs/restore": {
    input: { branch, path: "/d", version: "1" },
    right: "fs:write:main",
    less: "fs:read",
    bad: { branch, path: "/d" },
  },
  "fs/snapshot": {
    input: { branch, name: "first" },
    right: "fs:write:main",
    less: "fs:read",
    bad: { branch, name: "x" },
  },
  "fs/unsnapshot": { input: { branch, name: "first" }, right: "fs:write:main", less: "fs:read", bad: { branch } },
  "fs/merge": {
    input: { from: "other", into: branch },
    right: "fs:write",
    less: "fs:write:other",
    bad: { from: "other", into: branch, policy: "all" },
  },
  "fs/configure": {
    input: { branch, public: false },
    right: "fs:admin:main",
    less: "fs:write",
    bad: { branch, owner: "" },
  },
  "fs/drop": { input: { branch: "third" }, right: "fs:admin:third", less: "fs:write:third", bad: {} },
};

Deno.test("fs operations: each is answered to its right, and to nobody below it, as if the branch was not there (row 45)", async () => {
  await using it = await calling();
  const [hash] = it.hashes;
  await it.commit(branch, (edit) => edit.putFile({ path: "/d/f", hash, parents: true }));
  await it.tree.fork("other", branch, "local");
  await it.tree.fork("third", branch, "local");
  const run = async (name: string, input: JsonObject, who?: Identity): Promise<JsonValue> => {
    if (name !== "fs/watch") return await it.call(name, input, who);
    const stream = it.subscribe(name, input, who);
    const { value } = await stream.next();
    await stream.return?.();
    return value;
  };
  for (const [name, { input, right, less, bad }] of Object.entries(CASES)) {
    const full = name === "fs/link" ? { ...input, hash } : input;
    const known = Object.hasOwn(full, "branch") ? full.branch as string : (full.into ?? full.from) as string;
    for (const who of [undefined, identityOf("nobody"), identityOf("less", less ?? "fs:read:other", "blobs:read")]) {
      // The names of branches in it become that of one that is not there.
      const names = Object.hasOwn(full, "branch") ? ["branch"] : ["from", "to", "into"];
      const absent = Object.fromEntries(
        Object.entries(full).map(([key, value]) => [key, names.includes(key) ? "absent" : value]),
      );
      const said = (await run(name, full, who).catch((error) => error)) as Error & { code: string };
      const other = (await run(name, absent, who).catch((error) => error)) as Error & { code: string };
      equal(said.code, "BRANCH_NOT_FOUND", `${name} as ${who?.id}: ${JSON.stringify(said)}`);
      equal(other.code, "BRANCH_NOT_FOUND");
      const bare = /"(\w+)"/.exec(said.message)![1];
      ok([known.split("@")[0], "other"].includes(bare), said.message);
      equal(said.message.replace(bare, "absent"), other.message);
    }
    const who = identityOf("ada", right, "blobs:read");
    await rejects(run(name, bad as JsonObject, who), { code: "INVALID_INPUT" }, name);
    ok(await run(name, full, who), name);
  }
  equal((await it.call("fs/usage", null, identityOf("ada"))).owner, "ada");
  for (const name of ["fs/usage"]) await rejects(it.call(name, null), { code: "FORBIDDEN" });
});

Deno.test("fs operations: a branch is its owner's, a resource's, and anyone's once it is public; a blob of it is too", async () => {
  await using it = await calling();
  const { call, hashes: [a, b] } = it;
  const ada = identityOf("ada", "fs:write", "blobs:read");
  await it.commit(branch, (edit) => edit.putFile({ path: "/a", hash: a }));
  await rejects(call("fs/fork", { name: "mine", from: "main" }, identityOf("bob", "fs:read")), { code: "FORBIDDEN" });
  await call("fs/fork", { name: "mine", from: "main" }, ada);
  await it.commit("mine", (edit) => edit.putFile({ path: "/b", hash: b }));
  const owner = identityOf("ada");
  deepEqual(await call("fs/branches", null, owner), {
    branches: [{ name: "mine", head: 1, parent: "main", at: 1, owner: "ada", public: false }],
  });
  const reader: Identity = { id: "eve", scopes: [], resources: { "branch/mine": ["read"] } };
  equal((await call("fs/stat", { branch: "mine", path: "/b" }, reader)).hash, b);
  await rejects(call("fs/mkdir", { branch: "mine", path: "/x" }, reader), { code: "BRANCH_NOT_FOUND" });
  await rejects(call("fs/stat", { branch: "mine", path: "/b" }), { code: "BRANCH_NOT_FOUND" });
  await rejects(call("blobs/status", { hash: b }), { code: "BLOB_NOT_FOUND" });
  equal((await call("blobs/status", { hash: b }, reader)).state, "complete");
  // A fork shows what it has from the branch that it was forked from, and nothing else of that.
  equal((await call("blobs/status", { hash: a }, reader)).state, "complete");
  await call("fs/configure", { branch: "mine", public: true }, owner);
  equal((await call("fs/stat", { branch: "mine", path: "/b" })).hash, b);
  await it.commit(branch, (edit) => edit.putFile({ path: "/c", hash: it.hashes[2] }));
  await rejects(call("blobs/status", { hash: it.hashes[2] }), { code: "BLOB_NOT_FOUND" });
  // On the wire of blobs too, to nobody in particular.
  await using getter = memoryFs();
  await using connection = serving(it.fs);
  for (const hash of [a, b]) await (await getBlob(connection, hash, getter.blobs))[Symbol.asyncDispose]();
  await rejects(getBlob(connection, it.hashes[2], getter.blobs), { code: "BLOB_NOT_FOUND" });
  // To link a blob one must be allowed to read it.
  await rejects(call("fs/link", { branch: "mine", path: "/c", hash: it.hashes[2] }, owner), { code: "BLOB_NOT_FOUND" });
  // What is not there is told alike.
  const said = await call("fs/link", { branch: "mine", path: "/c", hash: it.hashes[2] }, owner).catch((e) => e.message);
  const absent = await call("fs/link", { branch: "mine", path: "/c", hash: "00".repeat(32) }, owner).catch((e) =>
    e.message
  );
  equal(absent.replace("0000000000", it.hashes[2].slice(0, 10)), said);
});

Deno.test("fs/watch ends for those whose right has ended, with the next change", async () => {
  await using it = await calling();
  await it.tree.configure(branch, { public: true });
  const changes = it.subscribe("fs/watch", { branch, since: 0 });
  const first = changes.next();
  await it.commit(branch, (edit) => edit.mkdir({ path: "/a" }));
  equal((await first).value.path, "/a");
  const second = changes.next();
  await it.tree.configure(branch, { public: false });
  await it.commit(branch, (edit) => edit.mkdir({ path: "/secret" }));
  await rejects(second, { code: "BRANCH_NOT_FOUND" });
});

Deno.test("fs operations: pages, details and codes", async () => {
  await using it = await calling();
  const admin = identityOf("root", "admin");
  const call = (name: string, input: JsonValue) => it.call(name, input, admin);
  for (let i = 0; i < 5; i++) await call("fs/link", { branch, path: `/f${i}`, hash: it.hashes[i] });
  const first = await call("fs/list", { branch, path: "/", limit: 3 });
  deepEqual((first.entries as JsonObject[]).map(({ name }) => name), ["f0", "f1", "f2"]);
  const second = await call("fs/list", { branch, path: "/", limit: 3, after: first.next });
  deepEqual([(second.entries as JsonObject[]).length, second.next], [2, undefined]);
  const log = await call("fs/log", { branch, limit: 2 });
  deepEqual([(log.changes as JsonObject[]).map(({ seq }) => seq), log.next], [[5, 4], "4"]);
  deepEqual(((await call("fs/log", { branch, after: "2" })).changes as JsonObject[]).map(({ seq }) => seq), [1]);
  const diff = await call("fs/diff", { from: "main@0", to: "main", limit: 2 });
  deepEqual([(diff.differences as JsonObject[]).map(({ path }) => path), diff.next], [["/f0", "/f1"], "/f1"]);
  equal(
    ((await call("fs/diff", { from: "main@0", to: "main", after: diff.next })).differences as JsonObject[]).length,
    3,
  );
  await rejects(call("fs/link", { branch, path: "/f0", hash: it.hashes[1], ifHash: null }), {
    code: "CHANGED_MEANWHILE",
  });
  await rejects(call("fs/mkdir", { branch, path: "/a/../b" }), { code: "INVALID_NAME" });
  await rejects(call("fs/merge", { from: "main", into: "main" }), { code: "INVALID_INPUT" });
  await rejects(call("fs/stat", { branch, path: "/", version: "9" }), { code: "BRANCH_NOT_FOUND" });
});

Deno.test("blobs operations: status, list, tags, verify, collect, each to its scope", async () => {
  await using it = await calling();
  const { call, hashes: [a] } = it;
  const writer = identityOf("ada", "blobs:write");
  const admin = identityOf("root", "blobs:admin");
  deepEqual(await call("blobs/tag", { name: "mine", hash: a, format: "raw", expires: 4e9 }, writer), {
    name: "mine",
    hash: a,
    format: "raw",
    owner: "ada",
    expires: 4e9,
  });
  await rejects(call("blobs/tag", { name: "x", hash: "00".repeat(32), format: "raw" }, writer), {
    code: "BLOB_NOT_FOUND",
  });
  equal(((await call("blobs/tags", {}, writer)).tags as JsonObject[]).length, 9);
  equal(((await call("blobs/tags", { after: "blob 7" }, writer)).tags as JsonObject[]).length, 1);
  equal((await call("blobs/untag", { name: "mine" }, writer)).hash, a);
  await rejects(call("blobs/untag", { name: "mine" }, writer), { code: "TAG_NOT_FOUND" });
  equal(((await call("blobs/list", { limit: 3 }, admin)).blobs as JsonObject[]).length, 3);
  deepEqual(await call("blobs/status", { hash: a }, admin), { hash: a, state: "complete", size: 1, have: ["0"] });
  deepEqual(await call("blobs/status", { hash: "00".repeat(32) }, admin), {
    hash: "00".repeat(32),
    state: "absent",
    have: [],
  });
  const steps = await Array.fromAsync(it.subscribe("blobs/verify", {}, admin));
  equal(steps.filter(({ done, size }) => done === size).length, 8);
  deepEqual(await call("blobs/collect", { full: true }, admin), { blobs: 0, bytes: 0 });
  for (const [name, input] of [["blobs/list", {}], ["blobs/collect", {}]] as const) {
    await rejects(call(name, input, writer), { code: "FORBIDDEN" });
    await rejects(call(name, input), { code: "FORBIDDEN" });
  }
  for (const name of ["blobs/tags", "blobs/tag", "blobs/untag"]) {
    await rejects(call(name, { name: "x", hash: a, format: "raw" }, identityOf("eve", "blobs:read")), {
      code: "FORBIDDEN",
    });
  }
  await rejects(call("blobs/status", { hash: a }, identityOf("eve")), { code: "BLOB_NOT_FOUND" });
});

Deno.test("operations of fs, while another process has the store: TREE_UNAVAILABLE, to be tried again; not where it lies", async () => {
  await using store = await calling();
  const identity = identityOf("ada", "fs:write");
  const input = { branch, path: "/m" };
  {
    using other = new DatabaseSync(join(store.folder, "store.db"));
    other.exec("BEGIN IMMEDIATE");
    const said = { code: "TREE_UNAVAILABLE", message: "branches are not to be had now", retryable: true };
    await rejects(store.call("fs/mkdir", input, identity), said);
    other.exec("ROLLBACK");
  }
  await store.call("fs/mkdir", input, identity);
});
