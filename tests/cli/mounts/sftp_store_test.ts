/**
 * A branch as the store of the server of files, request by request (fs.md §8, SFTP; §11 rows 40, 42 to 44).
 *
 * @module
 */
import type { Identity } from "@alknet/core/handler";
import type { FileStore } from "@alknet/handlers/sftp";
import assert from "node:assert/strict";
import { BranchesStore } from "../../../cli/mounts/branches.ts";
import { BranchStore } from "../../../cli/mounts/store.ts";
import { OpenFlag, PacketType } from "../../../handlers/sftp/codec/numbers.ts";
import { handleIn, namesIn, said, sftpClient, type TestSftpClient, withHandle } from "../../handlers/sftp/client.ts";
import { allOf, type TreeStore, treeStore, type TreeStoreOptions } from "../../handlers/fs/tree/trees.ts";

const LOCAL: Identity = { id: "local", scopes: [], resources: {} };
const WRITE = OpenFlag.WRITE | OpenFlag.CREATE | OpenFlag.TRUNCATE;

// Whatever the server of files asks for, a branch has (row 44).
const _fits: new (...args: ConstructorParameters<typeof BranchStore>) => FileStore = BranchStore;
const _fitToo: new (...args: ConstructorParameters<typeof BranchesStore>) => FileStore = BranchesStore;

/** A client of a branch. */
interface Served extends TreeStore {
  readonly client: TestSftpClient;
  readonly reasons: string[];
  readonly failures: unknown[];
}

async function served(
  { root = "main", identity = LOCAL, ...options }: TreeStoreOptions & { root?: string; identity?: Identity } = {},
): Promise<Served> {
  const store = await treeStore(options);
  const [reasons, failures]: [string[], unknown[]] = [[], []];
  const files = root === "" ? new BranchesStore(store.fs, identity) : new BranchStore(store.fs.files(root, identity));
  const client = await sftpClient({
    store: files,
    refused: (reason) => reasons.push(reason),
    failed: (error) => failures.push(error),
  });
  return {
    ...store,
    client,
    reasons,
    failures,
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await files[Symbol.asyncDispose]();
      assert.deepEqual(failures, []);
      await store[Symbol.asyncDispose]();
    },
  };
}

const on = (client: TestSftpClient, type: number, path: string) => client.says(type, (fields) => fields.name(path));
const made = (client: TestSftpClient, type: number, path: string) =>
  client.says(type, (fields) => fields.name(path).uint32(0));

async function put(client: TestSftpClient, path: string, content: string, flags = WRITE): Promise<string> {
  const handle = await client.open(path, flags);
  const bytes = new TextEncoder().encode(content);
  await client.says(PacketType.WRITE, (fields) => withHandle(fields, handle).uint64(0).bytes(bytes));
  return await client.says(PacketType.CLOSE, (fields) => withHandle(fields, handle));
}

async function got(client: TestSftpClient, path: string): Promise<string> {
  const handle = await client.open(path, OpenFlag.READ);
  const answer = await client.must(PacketType.READ, (fields) => withHandle(fields, handle).uint64(0).uint32(9999));
  await client.says(PacketType.CLOSE, (fields) => withHandle(fields, handle));
  return answer.type === PacketType.DATA ? new TextDecoder().decode(answer.fields.bytes()) : said(answer);
}

async function names(client: TestSftpClient, path: string): Promise<string[]> {
  const handle = await client.openDirectory(path);
  const all: string[] = [];
  for (;;) {
    const answer = await client.must(PacketType.READDIR, (fields) => withHandle(fields, handle));
    if (answer.type !== PacketType.NAME) break;
    all.push(...namesIn(answer).map(({ name }) => name));
  }
  await client.says(PacketType.CLOSE, (fields) => withHandle(fields, handle));
  return all;
}

Deno.test("fs:BRANCH over SFTP: what is put, renamed, linked and removed is so in the branch, a commit each (row 42)", async () => {
  await using store = await served();
  const { client, tree } = store;
  assert.equal(await put(client, "/a", "hello"), "OK");
  assert.equal(await got(client, "a"), "hello");
  assert.equal(await made(client, PacketType.MKDIR, "/d"), "OK");
  assert.equal(
    await client.says(PacketType.RENAME, (fields) => fields.name("/a").name("/d/b")),
    "OK",
  );
  assert.equal(await put(client, "/c", "c"), "OK");
  assert.match(
    await client.says(PacketType.RENAME, (fields) => fields.name("/c").name("/d/b")),
    /^FAILURE file exists/,
  );
  assert.equal(said(await client.extended("posix-rename@openssh.com", (f) => f.name("/c").name("/d/b"))), "OK");
  assert.equal(await got(client, "/d/b"), "c");
  assert.equal(await client.says(PacketType.SYMLINK, (fields) => fields.name("/d/b").name("/l")), "OK");
  assert.equal(await got(client, "/l"), "c");
  assert.match(await on(client, PacketType.RMDIR, "/d"), /^FAILURE directory not empty/);
  assert.match(await on(client, PacketType.REMOVE, "/d"), /^FAILURE is a directory/);
  assert.match(await on(client, PacketType.REMOVE, "/x"), /^NO_SUCH_FILE/);
  const linked = await client.extended("hardlink@openssh.com", (f) => f.name("/d/b").name("/h"));
  assert.match(said(linked), /^OP_UNSUPPORTED/);
  // Read, changed and cut by what names it, and by a handle.
  const mode = (type: number, path: string) => client.says(type, (f) => f.name(path).uint32(4).uint32(0o100640));
  assert.equal(await mode(PacketType.SETSTAT, "/l"), "OK");
  assert.equal((await tree.at("main").then((view) => view.stat("/d/b")))?.mode, 0o640);
  assert.match(
    await client.says(PacketType.SETSTAT, (f) => f.name("/d/b").uint32(2).uint32(1).uint32(1)),
    /^PERMISSION_DENIED a branch keeps no owners/,
  );
  assert.equal(await client.says(PacketType.SETSTAT, (f) => f.name("/d/b").uint32(1).uint64(3)), "OK");
  assert.equal((await tree.at("main").then((view) => view.stat("/d/b")))?.size, 3);
  assert.equal(await on(client, PacketType.REMOVE, "/d/b"), "OK");
  assert.equal(await on(client, PacketType.RMDIR, "/d"), "OK");
  assert.deepEqual([...(await allOf(tree, "main")).keys()], ["/l"]);
});

type Ask = (client: TestSftpClient) => Promise<string>;

const opening = (path: string, flags: number): Ask => (client) =>
  client.says(PacketType.OPEN, (fields) => fields.name(path).uint32(flags).uint32(0));
const WAYS_OUT = [
  "/../x",
  "../x",
  "/d/../../x",
  "//.//..///x",
  "/up/../x",
  "/deep/../../..",
  "/out",
  "/chain",
  "/d/out",
];

/** Each is refused, with nothing changed. */
const ESCAPES: readonly (readonly [name: string, ask: Ask])[] = [
  ...WAYS_OUT.flatMap((path): [string, Ask][] => [
    [`read ${path}`, opening(path, OpenFlag.READ)],
    [`write ${path}`, opening(path, WRITE)],
    [`attributes of ${path}`, (client) => on(client, PacketType.STAT, path)],
    [`real path of ${path}`, (client) => on(client, PacketType.REALPATH, path)],
  ]),
  ["list /..", (client) => on(client, PacketType.OPENDIR, "/..")],
  ["mkdir /../x", (client) => made(client, PacketType.MKDIR, "/../x")],
  ["rmdir /d/../..", (client) => on(client, PacketType.RMDIR, "/d/../..")],
  ["remove /../f", (client) => on(client, PacketType.REMOVE, "/../f")],
  ["rename out", (client) => client.says(PacketType.RENAME, (f) => f.name("/f").name("/../x"))],
  ["rename in", (client) => client.says(PacketType.RENAME, (f) => f.name("/../x").name("/y"))],
  ["link beside the root", (client) => client.says(PacketType.SYMLINK, (f) => f.name("x").name("/../x"))],
  ["read a link beside the root", (client) => on(client, PacketType.READLINK, "/../l")],
  ["mode of ..", (client) => client.says(PacketType.SETSTAT, (f) => f.name("/..").uint32(4).uint32(0o777))],
  ["a loop", (client) => on(client, PacketType.STAT, "/loop")],
];

Deno.test(`fs:BRANCH over SFTP: ${ESCAPES.length} ways out of the branch are refused, and nothing is changed (row 43)`, async (t) => {
  await using store = await served();
  const { client, tree, hashes, reasons } = store;
  await store.commit("main", (edit) => {
    edit.mkdir({ path: "/d" });
    edit.putFile({ path: "/f", hash: hashes[0] });
    for (const [path, target] of [["/out", "../x"], ["/chain", "out"], ["/d/out", "../../x"], ["/loop", "loop"]]) {
      edit.symlink({ path, target });
    }
    edit.symlink({ path: "/up", target: "." });
    edit.symlink({ path: "/deep", target: "d" });
  });
  const { head } = await tree.branch("main");
  for (const [name, ask] of ESCAPES) {
    await t.step(name, async () => assert.match(await ask(client), /^PERMISSION_DENIED/));
  }
  assert.equal((await tree.branch("main")).head, head);
  assert.ok(reasons.length > 0 && reasons.every((reason) => !reason.includes("/")), reasons.join());
  for (const name of ["a\0b", "x".repeat(256), "\udcff"]) {
    assert.match(await made(client, PacketType.MKDIR, `/${name}`), /^FAILURE a branch cannot have this name/);
  }
  assert.match(await on(client, PacketType.RMDIR, "/"), /^FAILURE a branch cannot/);
});

Deno.test("fs:BRANCH over SFTP: a folder of 2,500 names is listed whole while it changes, each once", async () => {
  await using store = await served({ blobs: 1 });
  const { client, hashes } = store;
  const all = Array.from({ length: 2500 }, (_, n) => `name ${n}`).sort();
  await store.commit("main", (edit) => {
    for (const name of all) edit.putFile({ path: `/${name}`, hash: hashes[0] });
  });
  const handle = await client.openDirectory("/");
  const seen: string[] = [];
  for (let round = 0;; round++) {
    const answer = await client.must(PacketType.READDIR, (fields) => withHandle(fields, handle));
    if (answer.type !== PacketType.NAME) break;
    seen.push(...namesIn(answer).map(({ name }) => name));
    await store.commit("main", (edit) => {
      edit.move({ from: `/${all[round]}`, to: `/zz ${round}` });
      edit.remove({ path: `/${all[2499 - round]}` });
    });
  }
  assert.deepEqual(seen.sort(), [".", "..", ...all].sort());
});

Deno.test("fs:BRANCH over SFTP: the room is the quota; what is over it is told when the file is closed, and changes nothing", async () => {
  await using store = await served({ blobs: 0, quotas: { local: { bytes: 8192, files: 3 } } });
  const { client, tree } = store;
  assert.equal(await put(client, "/a", "x".repeat(4096)), "OK");
  const answer = await client.extended("statvfs@openssh.com", (fields) => fields.name("/"));
  const [, fragment, blocks, free, , files, freeFiles] = Array.from(
    { length: 7 },
    () => Number(answer.fields.uint64()),
  );
  assert.deepEqual([fragment * blocks, fragment * free, files, freeFiles], [8192, 4096, 3, 2]);
  const two = [await client.open("/b", WRITE), await client.open("/c", WRITE)];
  const bytes = new Uint8Array(3000);
  for (const handle of two) {
    await client.says(PacketType.WRITE, (fields) => withHandle(fields, handle).uint64(0).bytes(bytes));
  }
  const closed = await Promise.all(two.map((at) => client.says(PacketType.CLOSE, (f) => withHandle(f, at))));
  assert.deepEqual(closed.map((one) => one.replace(/^(\w+).*/, "$1")).sort(), ["FAILURE", "OK"], closed.join());
  assert.match(closed.join(), /disk quota exceeded/);
  assert.equal((await allOf(tree, "main")).size, 2);
});

Deno.test("fs:BRANCH over SFTP: who may only read changes nothing; who may not read sees nothing; a version is as it was", async () => {
  const asked = async (root: string, identity: Identity): Promise<readonly string[]> => {
    await using store = await served({ root, identity });
    await store.commit("main", (edit) => edit.putFile({ path: "/f", hash: store.hashes[0] }));
    const { client } = store;
    return [
      said(await client.must(PacketType.OPEN, (f) => f.name("/f").uint32(OpenFlag.READ).uint32(0))),
      said(await client.must(PacketType.OPEN, (f) => f.name("/x").uint32(WRITE).uint32(0))),
      await on(client, PacketType.REMOVE, "/f"),
      await on(client, PacketType.STAT, "/"),
    ].map((one) => one.replace(/ .*/, ""));
  };
  const bob = (...scopes: string[]): Identity => ({ id: "bob", scopes, resources: {} });
  assert.deepEqual(await asked("main", bob("fs:read:main")), [
    "HANDLE",
    "PERMISSION_DENIED",
    "PERMISSION_DENIED",
    "ATTRS",
  ]);
  for (const root of ["main", "nothing"]) {
    assert.deepEqual(await asked(root, bob("fs:read:other")), Array(4).fill("NO_SUCH_FILE"), root);
  }
  assert.deepEqual(await asked("main@0", LOCAL), ["NO_SUCH_FILE", "PERMISSION_DENIED", "NO_SUCH_FILE", "ATTRS"]);
});

Deno.test("fs: over SFTP: branches that one may read are folders; nothing moves between them, and the root stays", async () => {
  const identity = { id: "bob", scopes: ["fs:write:main", "fs:read:work"], resources: {} };
  await using store = await served({ root: "", identity });
  const { client, tree } = store;
  for (const name of ["work", "secret", "open"]) await tree.fork(name, "main", "local");
  await tree.configure("open", { public: true });
  assert.deepEqual(await names(client, "/"), [".", "..", "main", "open", "work"]);
  assert.equal(await put(client, "/main/a", "a"), "OK");
  assert.equal(await got(client, "/work/../main/./a"), "a");
  assert.equal(await got(client, "/main/a"), "a");
  const real = await client.must(PacketType.REALPATH, (fields) => fields.name("/main/x/../a"));
  // `x` is not there, and so leads nowhere.
  assert.match(said(real), /^NO_SUCH_FILE/);
  const found = await client.must(PacketType.REALPATH, (fields) => fields.name("/work/../main//a"));
  assert.deepEqual(namesIn(found).map(({ name }) => name), ["/main/a"]);
  assert.match(await on(client, PacketType.STAT, "/secret"), /^NO_SUCH_FILE/);
  assert.match(await on(client, PacketType.STAT, "/none"), /^NO_SUCH_FILE/);
  assert.match(await on(client, PacketType.STAT, "/.."), /^PERMISSION_DENIED/);
  for (const path of ["/work/../..", "/main/a/../../..", "/../main"]) {
    assert.match(await on(client, PacketType.STAT, path), /^PERMISSION_DENIED/, path);
  }
  assert.match(await made(client, PacketType.MKDIR, "/new"), /^NO_SUCH_FILE|^PERMISSION_DENIED/);
  assert.match(await on(client, PacketType.RMDIR, "/main"), /^PERMISSION_DENIED/);
  assert.match(await made(client, PacketType.MKDIR, "/work/d"), /^PERMISSION_DENIED/);
  assert.match(
    await client.says(PacketType.RENAME, (fields) => fields.name("/main/a").name("/work/a")),
    /^FAILURE the two are in different branches/,
  );
  assert.match(await client.says(PacketType.OPEN, (f) => f.name("/x").uint32(WRITE).uint32(0)), /^FAILURE|^NO_SUCH/);
  handleIn(await client.must(PacketType.OPENDIR, (fields) => fields.name("/main/")));
});

Deno.test("fs:BRANCH over SFTP: what a client has written when it vanishes is committed as it stands (row 42)", async () => {
  await using store = await served();
  const { client, tree } = store;
  const handle = await client.open("/part", WRITE);
  const bytes = new Uint8Array(1000).fill(7);
  await client.says(PacketType.WRITE, (fields) => withHandle(fields, handle).uint64(0).bytes(bytes));
  client.vanish();
  await client.served;
  assert.equal((await tree.at("main").then((view) => view.stat("/part")))?.size, 1000);
});
