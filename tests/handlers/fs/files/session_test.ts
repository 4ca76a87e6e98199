/**
 * Write sessions: files of a branch, written as POSIX has it and committed when they are closed (fs.md §6; §11 row 40).
 *
 * @module
 */
import type { Identity } from "@alknet/core/handler";
import { type BranchFiles, openFs } from "@alknet/handlers/fs";
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { start } from "../../../support/process.ts";
import { seeded } from "../../../support/random.ts";
import { temporaryFolder } from "../../../support/temp.ts";
import { filesBelow, sound } from "../stores.ts";
import { allOf, type TreeStore, treeStore, type TreeStoreOptions } from "../tree/trees.ts";

const PROGRAM = new URL("./writing_program.ts", import.meta.url).pathname;
const LOCAL: Identity = { id: "local", scopes: [], resources: {} };
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

interface Opened extends TreeStore {
  readonly files: BranchFiles;
  /** What a version has at a path. */
  content(path: string, version?: string): Promise<Uint8Array>;
}

async function opened(options: TreeStoreOptions = {}): Promise<Opened> {
  const store = await treeStore({ blobs: 0, ...options });
  return {
    ...store,
    files: store.fs.files("main", LOCAL),
    async content(path, version = "main") {
      const entry = await (await store.tree.at(version)).stat(path);
      await using reader = await store.fs.blobs.open(entry!.hash!);
      return await reader.read(0, reader.size);
    },
  };
}

Deno.test("session: writes in disorder, overlapping, with holes, truncated and appended give what a file would have (row 40)", async () => {
  await using store = await opened();
  const { files } = store;
  const random = seeded("sessions");
  for (let round = 0; round < 12; round++) {
    // Some stay in memory, some do not; of some the blob is in a file.
    const most = [3000, 100_000, 600_000, 3 << 20][round % 4];
    const path = `/file ${round % 3}`;
    const [truncate, append] = [random.between(0, 3) === 0, random.between(0, 4) === 0];
    let model = truncate ? new Uint8Array() : await store.content(path).catch(() => new Uint8Array());
    const grown = (size: number): Uint8Array => {
      const next = new Uint8Array(size);
      next.set(model.subarray(0, size));
      return next;
    };
    await using file = await files.open(path, { read: true, write: true, create: true, truncate, append });
    const writes: Promise<void>[] = [];
    for (let n = random.between(1, 30); n > 0; n--) {
      const kind = random.between(0, 9);
      if (kind === 0) {
        model = grown(random.between(0, most));
        writes.push(file.truncate(model.byteLength));
      } else if (kind === 1) {
        const [at, length] = [random.between(0, most), random.between(0, 50_000)];
        const expected = model.slice(at, at + length);
        writes.push(file.read(at, length).then((bytes) => deepEqual(bytes, expected)));
      } else {
        const bytes = random.bytes(random.between(1, 40_000));
        const at = append ? model.byteLength : random.between(0, most);
        if (at + bytes.byteLength > model.byteLength) model = grown(at + bytes.byteLength);
        model.set(bytes, at);
        writes.push(file.write(append ? 0 : at, bytes));
      }
    }
    await Promise.all(writes);
    equal((await file.stat()).size, model.byteLength);
    await file.close();
    deepEqual(await store.content(path), model, `round ${round}`);
  }
});

Deno.test("session: a reader has the old version until it is closed, and for as long as it reads; abort leaves nothing (row 40)", async () => {
  await using store = await opened();
  const { files, fs } = store;
  {
    await using file = await files.open("/a", { write: true, create: true, exclusive: true, mode: 0o600 });
    await file.write(0, text("old content"));
    // Its own client sees the name, nobody else does.
    equal((await files.stat("/a")).size, 11);
    deepEqual(await Array.fromAsync(files.list("/"), ({ name }) => name), ["a"]);
    await rejects(files.open("/a", { write: true, create: true, exclusive: true }), { code: "PATH_EXISTS" });
    await rejects(fs.files("main", LOCAL).stat("/a"), { code: "PATH_NOT_FOUND" });
  }
  equal((await (await store.tree.at("main")).stat("/a"))?.mode, 0o600);
  await using reader = await fs.files("main", LOCAL).open("/a", { read: true });
  const writer = await files.open("/a", { write: true });
  await writer.write(0, text("NEW"));
  equal(new TextDecoder().decode(await reader.read(0, 99)), "old content");
  equal(new TextDecoder().decode(await store.content("/a")), "old content");
  await writer.close();
  await writer.close();
  equal(new TextDecoder().decode(await store.content("/a")), "NEW content");
  equal(new TextDecoder().decode(await reader.read(0, 99)), "old content");
  const { head } = await store.tree.branch("main");
  const forgotten = await files.open("/a", { write: true, truncate: true });
  await forgotten.write(0, text("never"));
  await forgotten.abort();
  const fresh = await files.open("/b", { write: true, create: true });
  await fresh.write(0, new Uint8Array(300_000));
  await fresh.abort();
  await rejects(files.stat("/b"), { code: "PATH_NOT_FOUND" });
  equal(new TextDecoder().decode(await store.content("/a")), "NEW content");
  equal((await store.tree.branch("main")).head, head, "nothing was committed");
  // Opened for writing and not written to: no commit either.
  await (await files.open("/a", { write: true })).close();
  equal((await store.tree.branch("main")).head, head);
  await rejects(reader.write(0, text("x")), { code: "NOT_FOR_WRITING" });
});

Deno.test("session: of two at once the last to close stands; one that is made alone is refused where another was (row 40)", async () => {
  await using store = await opened();
  const { fs } = store;
  const [one, other] = [fs.files("main", LOCAL), fs.files("main", LOCAL)];
  const first = await one.open("/a", { write: true, create: true });
  const second = await other.open("/a", { write: true, create: true });
  await first.write(0, text("first and longer"));
  await second.write(0, text("second"));
  await second.close();
  await first.close();
  equal(new TextDecoder().decode(await store.content("/a")), "first and longer");
  const alone = await one.open("/x", { write: true, create: true, exclusive: true });
  await (await other.open("/x", { write: true, create: true })).close();
  await rejects(alone.close(), { code: "PATH_EXISTS" });
  // Whoever says what was there is refused where it is another by then, and where it is their own goes on.
  const { hash } = await one.stat("/x");
  const careful = await one.open("/x", { write: true, ifHash: hash });
  await careful.write(0, text("1"));
  await careful.commit();
  await careful.write(0, text("2"));
  const meanwhile = await other.open("/x", { write: true });
  await meanwhile.write(0, text("theirs"));
  await meanwhile.close();
  await rejects(careful.close(), { code: "CHANGED_MEANWHILE" });
  equal(new TextDecoder().decode(await store.content("/x")), "theirs");
  // Two handles of one client are one file.
  const [near, far] = [
    await one.open("/a", { read: true, write: true }),
    await one.open("/a", { read: true, write: true }),
  ];
  await near.write(0, text("FIRST"));
  equal(new TextDecoder().decode(await far.read(0, 5)), "FIRST");
  await near.close();
  await far.close();
});

Deno.test("session: what is open follows its name, goes with it, and is committed as it stands when its client leaves", async () => {
  await using store = await opened();
  const { files, fs } = store;
  await files.mkdir("/d");
  const moved = await files.open("/d/new", { write: true, create: true });
  await moved.write(0, text("1"));
  await rejects(files.rmdir("/d"), { code: "FOLDER_NOT_EMPTY" });
  await files.rename("/d", "/e");
  await moved.write(1, text("2"));
  await moved.close();
  deepEqual([...(await allOf(store.tree, "main")).keys()], ["/e", "/e/new"]);
  equal(new TextDecoder().decode(await store.content("/e/new")), "12");
  const gone = await files.open("/e/new", { write: true });
  await gone.write(0, text("never"));
  await files.remove("/e/new");
  await gone.close();
  deepEqual([...(await allOf(store.tree, "main")).keys()], ["/e"]);
  const left = fs.files("main", LOCAL);
  const part = await left.open("/part", { write: true, create: true });
  await part.write(0, text("as it stands"));
  await left[Symbol.asyncDispose]();
  equal(new TextDecoder().decode(await store.content("/part")), "as it stands");
  await files.set("/part", { size: 2, mode: 0o640 });
  const entry = await files.stat("/part");
  deepEqual([entry.size, entry.mode], [2, 0o640]);
});

Deno.test("session: its own client sees what it writes at once, and does not wait for a close before it goes on", async () => {
  await using store = await opened();
  const { files, fs } = store;
  const large = new Uint8Array(2 << 20).fill(3);
  const first = await files.open("/a", { write: true, create: true });
  await first.write(0, text("old"));
  await first.close();
  const writer = await files.open("/a", { write: true, truncate: true });
  await writer.write(0, large);
  await using reader = await files.open("/a", { read: true });
  equal((await reader.read(0, 8)).join(), large.subarray(0, 8).join());
  equal((await files.stat("/a")).size, large.byteLength);
  deepEqual(await Array.fromAsync(files.list("/"), ({ size }) => size), [large.byteLength]);
  equal((await fs.files("main", LOCAL).stat("/a")).size, 3);
  await rejects(reader.write(0, text("x")), { code: "NOT_FOR_WRITING" });
  const all = [writer.close(), reader.close()];
  equal((await files.stat("/a")).size, large.byteLength);
  await Promise.all(all);
  // What is asked for while a close is under way comes after it.
  for (const work of ["rename over it", "rename it", "remove it", "open it"]) {
    const file = await files.open("/b", { write: true, create: true });
    await file.write(0, large);
    const closing = file.close();
    if (work === "rename over it") {
      await files.rename("/a", "/b", true);
      await closing;
      deepEqual([...(await allOf(store.tree, "main")).keys()], ["/b"]);
      await files.rename("/b", "/a");
    } else if (work === "rename it") {
      await files.rename("/b", "/c");
      await closing;
      deepEqual([...(await allOf(store.tree, "main")).keys()], ["/a", "/c"]);
      await files.remove("/c");
    } else if (work === "remove it") {
      await files.remove("/b");
      await closing;
      deepEqual([...(await allOf(store.tree, "main")).keys()], ["/a"]);
    } else {
      await using next = await files.open("/b", { read: true });
      equal(next.size, large.byteLength);
      await closing;
    }
  }
});

Deno.test("session: times and modes of a handle are committed with it; fsync commits, and writing goes on", async () => {
  await using store = await opened();
  const { files } = store;
  const file = await files.open("/a", { write: true, create: true });
  await file.write(0, new Uint8Array(300_000).fill(1));
  await file.commit();
  equal((await store.content("/a")).byteLength, 300_000);
  await file.write(299_999, new Uint8Array(2).fill(2));
  await file.set({ mtime: 1_000_000_000_000, mode: 0o755 });
  await file.close();
  const { mtime, mode, size } = await files.stat("/a");
  deepEqual([mtime, mode, size], [1_000_000_000_000, 0o755, 300_001]);
  deepEqual([...(await store.content("/a")).subarray(299_998)], [1, 2, 2]);
});

Deno.test("session: limits: how many, how large, how long without a request", async () => {
  await using temporary = await temporaryFolder();
  const folder = temporary.join("fs");
  const quotas = { local: { bytes: 1_000_000 } };
  {
    await using fs = await openFs({ folder, durability: "normal", quotas, limits: { sessions: 2 } });
    const files = fs.files("main", LOCAL);
    const one = await files.open("/a", { write: true, create: true });
    const two = await files.open("/b", { write: true, create: true });
    await rejects(files.open("/c", { write: true, create: true }), { code: "QUOTA_EXCEEDED" });
    await two.abort();
    await rejects(one.write(1_000_000, text("x")), { code: "QUOTA_EXCEEDED" });
    await rejects(one.truncate(2 ** 50), { code: "QUOTA_EXCEEDED" });
    await (await files.open("/c", { write: true, create: true })).abort();
    await one.abort();
  }
  {
    await using fs = await openFs({ folder, durability: "normal", limits: { sessionIdle: 20 } });
    const files = fs.files("main", LOCAL);
    const one = await files.open("/a", { write: true, create: true });
    await one.write(0, text("idle"));
    // Nothing more is asked of it, and it is committed.
    const { signal } = new AbortController();
    for await (const { path, size } of fs.tree.watch("main", { since: 0, signal })) {
      equal(path, "/a");
      if (size === 4) break;
    }
    await one.write(4, text(" no more"));
    await one.close();
    equal((await files.stat("/a")).size, 12);
  }
  {
    await using fs = await openFs({ folder, durability: "normal", quotas });
    const files = fs.files("main", LOCAL);
    // What the quota does not take is told when it is closed, and changes nothing.
    const [half, rest] = [
      await files.open("/half", { write: true, create: true }),
      await files.open("/rest", { write: true, create: true }),
    ];
    await half.write(0, new Uint8Array(600_000));
    await rest.write(0, new Uint8Array(600_000).fill(1));
    await half.close();
    await rejects(rest.close(), { code: "QUOTA_EXCEEDED" });
    deepEqual([...(await allOf(fs.tree, "main")).keys()], ["/a", "/half"]);
  }
  await sound(folder);
});

Deno.test("session: rights are looked at by each request; a version does not change (row 41)", async () => {
  await using store = await opened();
  const { fs, files } = store;
  await (await files.open("/a", { write: true, create: true })).close();
  const reader = fs.files("main", { id: "bob", scopes: ["fs:read:main"], resources: {} });
  const stranger = fs.files("main", { id: "eve", scopes: [], resources: {} });
  await rejects(stranger.stat("/a"), { code: "BRANCH_NOT_FOUND" });
  await rejects(fs.files("nothing", LOCAL).stat("/a"), { code: "BRANCH_NOT_FOUND" });
  await (await reader.open("/a", { read: true })).close();
  for (
    const work of [
      () => reader.open("/a", { write: true }),
      () => reader.mkdir("/d"),
      () => reader.remove("/a"),
      () => reader.rename("/a", "/b"),
      () => reader.symlink("/l", "a"),
      () => reader.set("/a", { mode: 0o600 }),
    ]
  ) await rejects(work, { code: "READ_ONLY" });
  const version = fs.files("main@1", LOCAL);
  equal((await version.stat("/a")).kind, "file");
  await rejects(version.open("/a", { write: true }), { code: "BRANCH_FROZEN" });
  await rejects(version.mkdir("/d"), { code: "BRANCH_FROZEN" });
  await store.tree.configure("main", { public: true });
  await (await stranger.open("/a", { read: true })).close();
  await rejects(stranger.mkdir("/d"), { code: "READ_ONLY" });
});

Deno.test("BranchFiles: links lead within the branch, absolute ones from its root; nothing leads out of it (row 43)", async () => {
  await using store = await opened();
  const { files } = store;
  await files.mkdir("/d");
  await files.mkdir("/d/e");
  const file = await files.open("/d/e/f", { write: true, create: true });
  await file.write(0, text("f"));
  await file.close();
  for (
    const [path, target] of [
      ["/abs", "/d/e"],
      ["/d/up", ".."],
      ["/d/rel", "e/f"],
      ["/chain", "abs/../rel"],
      ["/loop", "loop"],
      ["/out", "../x"],
      ["/d/out", "../../x"],
      ["/dangling", "nothing"],
      ["/d/slash", "e/"],
    ]
  ) await files.symlink(path, target);
  for (
    const [path, real] of [
      ["/abs/f", "/d/e/f"],
      ["/d/up/d/rel", "/d/e/f"],
      ["/chain", "/d/e/f"],
      ["/d/./e//f", "/d/e/f"],
      ["/abs/", "/d/e"],
      ["/abs/..", "/d"],
      ["/d/slash", "/d/e"],
      ["/dangling", "/nothing"],
      ["/new", "/new"],
      ["/", "/"],
      ["/.", "/"],
    ]
  ) equal(await files.realpath(path), real, path);
  for (const path of ["/..", "/../x", "/d/../..", "/out", "/d/out", "/d/up/..", "/abs/../../.."]) {
    await rejects(files.realpath(path), { code: "OUTSIDE_BRANCH" }, path);
    await rejects(files.open(path, { write: true, create: true }), { code: "OUTSIDE_BRANCH" }, path);
  }
  await rejects(files.stat("/loop"), { code: "TOO_MANY_LINKS" });
  equal((await files.stat("/loop", false)).kind, "link");
  await rejects(files.stat("/d/e/f/"), { code: "NOT_A_FOLDER" });
  await rejects(files.stat("/no/where"), { code: "PATH_NOT_FOUND" });
  // Through a link that leads nowhere a file is made, but not where it must be new.
  await rejects(files.open("/dangling", { write: true, create: true, exclusive: true }), { code: "PATH_EXISTS" });
  await (await files.open("/dangling", { write: true, create: true })).close();
  equal((await files.stat("/nothing", false)).kind, "file");
  // A link itself is renamed and removed, not what it leads to.
  await files.rename("/abs", "/moved");
  await files.remove("/moved");
  equal((await files.stat("/d/e/f")).size, 1);
});

Deno.test("session: a store that is closed commits what is open, as it stands, and takes no more", async () => {
  await using temporary = await temporaryFolder();
  const folder = temporary.join("fs");
  const fs = await openFs({ folder, durability: "normal" });
  const files = fs.files("main", LOCAL);
  const open = await Promise.all(["/a", "/b"].map((path) => files.open(path, { write: true, create: true })));
  for (const file of open) await file.write(0, new Uint8Array(300_000).fill(1));
  await fs[Symbol.asyncDispose]();
  await rejects(files.open("/c", { write: true, create: true }));
  await Promise.allSettled(open.map((file) => file.close()));
  await sound(folder);
  await using again = await openFs({ folder });
  for (const path of ["/a", "/b"]) equal((await again.files("main", LOCAL).stat(path)).size, 300_000);
});

Deno.test("session: kill -9 in the middle of one: the version before it is there, and no file is left (rows 21, 40)", async () => {
  await using temporary = await temporaryFolder();
  const folder = temporary.join("fs");
  {
    await using child = start(Deno.execPath(), ["run", "-A", "--no-check", PROGRAM, folder], { signal: "SIGKILL" });
    await child.line("written");
    ok((await filesBelow(`${folder}/tmp`)).length > 1, "the session has a file");
  }
  {
    await using fs = await openFs({ folder });
    deepEqual([...(await allOf(fs.tree, "main")).keys()], ["/kept"]);
    await using file = await fs.files("main", LOCAL).open("/kept", { read: true });
    equal(new TextDecoder().decode(await file.read(0, 99)), "first");
  }
  await sound(folder);
});
