/**
 * A folder of the disk as a store: files, directories, links and attributes, and that clients cannot leave it.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type FileStore, type OpenFlags, StoreError } from "../../../handlers/sftp/file_store.ts";
import { openFolderStore } from "../../../handlers/sftp/folder_store.ts";

const NOTHING: OpenFlags = {
  read: false,
  write: false,
  append: false,
  create: false,
  truncate: false,
  exclusive: false,
};
const MAKE: OpenFlags = { ...NOTHING, read: true, write: true, create: true };
const READ: OpenFlags = { ...NOTHING, read: true };
const linux = { ignore: Deno.build.os !== "linux" };

Deno.test("openFolderStore() reads and writes at positions, beyond 4 GiB too (ssh.md, Layers 5)", linux, async () => {
  await inFolder(async (store) => {
    const file = await store.open("/a", MAKE, { mode: 0o640 });
    const far = 5 * 2 ** 30;
    await file.write(bytes("hello"), 0);
    await file.write(bytes("far"), far);
    const into = new Uint8Array(300);
    assert.equal(await file.read(into, far - 2), 5);
    assert.deepEqual(into.slice(0, 5), Uint8Array.of(0, 0, ...bytes("far")));
    assert.equal(await file.read(into, far + 3), 0);
    assert.equal((await file.attributes()).size, far + 3);
    await refused(file.read(into, 2 ** 53), "FAILURE", /2\^53/);
    await file.setAttributes({ size: 4, mode: 0o600, times: { accessed: 1, modified: 2 } });
    await file.sync();
    const { size, mode, times } = await file.attributes();
    assert.deepEqual([size, mode! & 0o7777, times!.modified], [4, 0o600, 2]);
    await file.close();
    await refused(file.read(into, 0), "FAILURE", /closed/);
  });
});

Deno.test("openFolderStore() appends in the order of the writes", linux, async () => {
  await inFolder(async (store) => {
    const file = await store.open("/log", { ...MAKE, append: true }, {});
    await Promise.all(Array.from({ length: 200 }, (_, n) => file.write(bytes(`${n}\n`), 0)));
    const into = new Uint8Array(4096);
    const text = new TextDecoder().decode(into.subarray(0, await file.read(into, 0)));
    assert.equal(text, Array.from({ length: 200 }, (_, n) => `${n}\n`).join(""));
    await file.close();
  });
});

Deno.test("openFolderStore() makes, names, links, lists and removes", linux, async () => {
  await inFolder(async (store, root) => {
    await store.makeDirectory("/d", {});
    await (await store.open("/d/f", MAKE, {})).close();
    await store.symbolicLink("d/f", "/l");
    assert.equal(await store.readLink("/l"), "d/f");
    assert.equal(await store.realPath("/./d/../l"), "/d/f");
    assert.equal(await store.realPath("/d/new"), "/d/new");
    assert.equal(await store.realPath("/"), "/");
    await store.hardLink("/d/f", "/g");
    assert.equal((await store.attributes("/g", true)).links, 2);
    await refused(store.rename("/g", "/l", false), "FAILURE", /exists/);
    await store.rename("/g", "/l", true);
    await refused(store.removeDirectory("/d"), "FAILURE", /not empty/);
    await store.remove("/d/f");
    await store.removeDirectory("/d");
    // A name that is not UTF-8 comes back as it was.
    await store.makeDirectory("/\udcff\udcfe", {});
    const directory = await store.openDirectory("/");
    const names = (await directory.next(100)).map(({ name }) => name).sort();
    assert.deepEqual(names, [".", "..", "l", "\udcff\udcfe"]);
    assert.deepEqual(await directory.next(100), []);
    await directory.close();
    await store.removeDirectory("/\udcff\udcfe");
    assert.ok((await store.room("/")).blocks > 0n);
    assert.deepEqual([...Deno.readDirSync(root)].map(({ name }) => name), ["l"]);
  });
});

Deno.test("openFolderStore() refuses every way out, and leaves no descriptor open (ssh.md row 9)", linux, async () => {
  await inFolder(async (store, root) => {
    Deno.symlinkSync("/etc", `${root}/absolute`);
    Deno.symlinkSync("../..", `${root}/up`);
    Deno.symlinkSync("../outside", `${root}/dangling`);
    Deno.symlinkSync("/proc/self/root", `${root}/magic`);
    const before = descriptors();
    const ways = ["/../outside", "/absolute/passwd", "/up/outside", "/dangling", "/magic/etc/passwd", "/a\0b"];
    for (const way of ways) {
      const denied = (made: Promise<unknown>): Promise<void> => refused(made, "PERMISSION_DENIED", /./);
      await denied(store.open(way, READ, {}));
      await denied(store.open(way, MAKE, {}));
      await denied(store.openDirectory(way));
      await denied(store.attributes(way, true));
      await denied(store.setAttributes(way, { mode: 0o777, size: 0 }, true));
      await denied(store.realPath(way));
      await denied(store.room(way));
      const inner = way === "/dangling" ? "/dangling/x" : way;
      await denied(store.makeDirectory(inner, {}));
      await denied(store.remove(inner));
      await denied(store.removeDirectory(inner));
      await denied(store.rename(inner, "/x", true));
      await denied(store.hardLink(inner, "/x"));
      await denied(store.symbolicLink("x", inner));
      await denied(store.readLink(inner));
    }
    assert.equal(descriptors(), before);
  });
});

Deno.test("openFolderStore() opens no FIFO and waits for none (ssh.md row 9)", linux, async () => {
  await inFolder(async (store, root) => {
    const made = await new Deno.Command("mkfifo", { args: [`${root}/fifo`] }).output();
    assert.ok(made.success);
    await refused(store.open("/fifo", READ, {}), "PERMISSION_DENIED", /regular/);
    await refused(store.open("/fifo", MAKE, {}), "PERMISSION_DENIED", /regular/);
  });
});

Deno.test("openFolderStore() for reading only changes nothing", linux, async () => {
  await inFolder(async (_, root) => {
    await using store = await openFolderStore(root, { readOnly: true });
    Deno.writeTextFileSync(`${root}/a`, "a");
    const file = await store.open("/a", READ, {});
    await refused(file.setAttributes({ mode: 0o777 }), "PERMISSION_DENIED", /reading only/);
    await file.close();
    for (
      const change of [
        store.open("/a", MAKE, {}),
        store.open("/a", { ...READ, truncate: true }, {}),
        store.setAttributes("/a", { size: 0 }, true),
        store.remove("/a"),
        store.makeDirectory("/d", {}),
        store.removeDirectory("/d"),
        store.rename("/a", "/b", true),
        store.hardLink("/a", "/b"),
        store.symbolicLink("a", "/b"),
      ]
    ) await refused(change, "PERMISSION_DENIED", /reading only/);
    assert.deepEqual([...Deno.readDirSync(root)].map(({ name }) => name), ["a"]);
  });
});

async function inFolder(work: (store: FileStore, root: string) => Promise<void>): Promise<void> {
  const around = await Deno.makeTempDir();
  try {
    Deno.writeTextFileSync(`${around}/outside`, "canary");
    Deno.mkdirSync(`${around}/root`);
    await using store = await openFolderStore(`${around}/root`);
    await work(store, `${around}/root`);
    assert.equal(Deno.readTextFileSync(`${around}/outside`), "canary");
    assert.deepEqual([...Deno.readDirSync(around)].map(({ name }) => name).sort(), ["outside", "root"]);
  } finally {
    await Deno.remove(around, { recursive: true });
  }
}

async function refused(made: Promise<unknown>, code: string, message: RegExp): Promise<void> {
  await assert.rejects(made, (error) => {
    assert.ok(error instanceof StoreError, String(error));
    assert.deepEqual([error.code, message.test(error.message)], [code, true], error.message);
    return true;
  });
}

function bytes(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

function descriptors(): number {
  return [...Deno.readDirSync("/proc/self/fd")].length;
}
