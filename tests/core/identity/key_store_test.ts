import assert from "node:assert/strict";
import { AlknetError } from "../../../core/errors.ts";
import { fileKeyStore, loadOrCreateKey } from "../../../core/identity/key_store.ts";
import { NodeKey } from "../../../core/identity/node_key.ts";
import { createPrivateFile, replaceFile } from "../../../core/identity/private_file.ts";
import { temporaryFolder } from "../../support/temp.ts";

const posix = { ignore: Deno.build.os === "windows" };
const names = async (path: string) => (await Array.fromAsync(Deno.readDir(path))).map(({ name }) => name).sort();
const rejects = (promise: Promise<unknown>, code: string, ...parts: string[]) =>
  assert.rejects(promise, (error) => {
    assert.ok(error instanceof AlknetError, String(error));
    assert.equal(error.code, code);
    for (const part of parts) assert.ok(error.message.includes(part), `${error.message} lacks ${part}`);
    assert.ok(!error.message.includes("\n"));
    return true;
  });

Deno.test("fileKeyStore keeps a key that load gives back, and leaves nothing else behind", async () => {
  await using folder = await temporaryFolder();
  const store = fileKeyStore(folder.join("node.key"));
  using key = await store.create();
  using loaded = await store.load();
  assert.equal(loaded.id, key.id);
  assert.equal(store.location, folder.join("node.key"));
  assert.deepEqual(await names(folder.path), ["node.key"]);
});

Deno.test({
  name: "fileKeyStore writes with mode 0600, whatever the umask",
  ...posix,
  async fn() {
    await using folder = await temporaryFolder();
    const before = Deno.umask(0);
    try {
      (await fileKeyStore(folder.join("node.key")).create())[Symbol.dispose]();
    } finally {
      Deno.umask(before);
    }
    assert.equal((await Deno.stat(folder.join("node.key"))).mode! & 0o777, 0o600);
  },
});

Deno.test("fileKeyStore.create never replaces a key: KEY_FILE_EXISTS", async () => {
  await using folder = await temporaryFolder();
  const path = await folder.write("node.key", "something dear");
  await rejects(fileKeyStore(path).create(), "KEY_FILE_EXISTS", path);
  assert.equal(await Deno.readTextFile(path), "something dear");
  assert.deepEqual(await names(folder.path), ["node.key"]);
});

Deno.test("fileKeyStore.create into a folder that is not there: KEY_FILE_WRITE, naming the file", async () => {
  await using folder = await temporaryFolder();
  await rejects(
    fileKeyStore(folder.join("none", "node.key")).create(),
    "KEY_FILE_WRITE",
    folder.join("none", "node.key"),
  );
});

Deno.test("loadOrCreateKey: many at once agree on one key", async () => {
  await using folder = await temporaryFolder();
  const store = fileKeyStore(folder.join("node.key"));
  const keys = await Promise.all(Array.from({ length: 8 }, () => loadOrCreateKey(store)));
  assert.equal(new Set(keys.map((key) => key.id)).size, 1);
  assert.deepEqual(await names(folder.path), ["node.key"]);
});

Deno.test("loadOrCreateKey does not replace a key that cannot be read", async () => {
  await using folder = await temporaryFolder();
  const path = await folder.write("node.key", "no key");
  await rejects(loadOrCreateKey(fileKeyStore(path)), "KEY_FILE_INVALID", path);
  assert.equal(await Deno.readTextFile(path), "no key");
});

Deno.test("fileKeyStore.load tells missing, folder, no PEM and another algorithm apart (core.md §18 row 56)", async () => {
  await using folder = await temporaryFolder();
  const ec = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign"]) as CryptoKeyPair;
  const der = new Uint8Array(await crypto.subtle.exportKey("pkcs8", ec.privateKey)).toBase64();
  const missing = folder.join("missing");
  await rejects(fileKeyStore(missing).load(), "KEY_FILE_NOT_FOUND", missing);
  await rejects(fileKeyStore(folder.path).load(), "KEY_FILE_UNREADABLE", folder.path);
  for (
    const [content, found] of [
      ["", "no PEM"],
      ["\0\x01\x02", "no PEM"],
      [`-----BEGIN PRIVATE KEY-----\n${der}\n-----END PRIVATE KEY-----\n`, "a key for ec"],
      [NodeKey.generate().toPem().slice(0, 60), "cannot be decoded"],
    ]
  ) {
    const path = await folder.write("node.key", content);
    await rejects(fileKeyStore(path).load(), "KEY_FILE_INVALID", path, found);
  }
});

Deno.test({
  name: "fileKeyStore.load refuses a file that others may touch, with the command that mends it (core.md §18 row 56)",
  ...posix,
  async fn() {
    await using folder = await temporaryFolder();
    const path = folder.join("it's here.key");
    const store = fileKeyStore(path);
    (await store.create())[Symbol.dispose]();
    for (const mode of [0o644, 0o640, 0o604, 0o602, 0o660, 0o777]) {
      await Deno.chmod(path, mode);
      await rejects(store.load(), "KEY_FILE_PERMISSIONS", path, `0${mode.toString(8)}`, "chmod 600 '");
    }
    const { code } = await new Deno.Command("sh", { args: ["-c", await fix(store.load())] }).output();
    assert.equal(code, 0);
    (await store.load())[Symbol.dispose]();
    await Deno.chmod(path, 0o400);
    (await store.load())[Symbol.dispose]();
  },
});

/** The command that an error tells to run. */
async function fix(failing: Promise<unknown>): Promise<string> {
  const error = await failing.then(() => undefined, (error) => error as Error);
  return error?.message.split("run: ")[1] ?? "false";
}

Deno.test("createPrivateFile: a failure leaves neither the file nor a part of it", async () => {
  await using folder = await temporaryFolder();
  await Deno.mkdir(folder.join("taken"));
  await assert.rejects(createPrivateFile(folder.join("taken"), "x"), Deno.errors.AlreadyExists);
  assert.deepEqual(await names(folder.path), ["taken"]);
});

Deno.test({
  name: "replaceFile keeps permissions and symbolic links, and makes a private file where there was none",
  ...posix,
  async fn() {
    await using folder = await temporaryFolder();
    const path = await folder.write("real", "old", { mode: 0o640 });
    await Deno.chmod(path, 0o640);
    await Deno.symlink(path, folder.join("link"));
    await replaceFile(folder.join("link"), "new");
    assert.ok((await Deno.lstat(folder.join("link"))).isSymlink);
    assert.equal(await Deno.readTextFile(path), "new");
    assert.equal((await Deno.stat(path)).mode! & 0o777, 0o640);
    await replaceFile(folder.join("fresh"), "first");
    assert.equal((await Deno.stat(folder.join("fresh"))).mode! & 0o777, 0o600);
    assert.deepEqual(await names(folder.path), ["fresh", "link", "real"]);
  },
});
