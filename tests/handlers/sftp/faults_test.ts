/**
 * Disks that are full or for reading only, files that go away, and clients that do (ssh.md rows 11 and 13).
 *
 * @module
 */
import assert from "node:assert/strict";
import { OpenFlag, PacketType } from "../../../handlers/sftp/codec/numbers.ts";
import { type FileStore, StoreError } from "../../../handlers/sftp/file_store.ts";
import { openFolderStore } from "../../../handlers/sftp/folder_store.ts";
import { needs } from "../../support/programs.ts";
import { type TemporaryFolder, temporaryFolder } from "../../support/temp.ts";
import { until } from "../ssh/node_process.ts";
import { sftpClient, type TestSftpClient, withHandle } from "./client.ts";
import { sftpNode } from "./node.ts";
import { countedStore, descriptors } from "./stores.ts";

/** Kilobits a second: 1 GiB takes two minutes, unless its client is killed. */
const SLOWLY = "80000";
const MAKE = OpenFlag.WRITE | OpenFlag.CREATE;
const write = (client: TestSftpClient, handle: number, position: number, length: number): Promise<string> =>
  client.says(PacketType.WRITE, (to) => withHandle(to, handle).uint64(position).bytes(new Uint8Array(length)));

/** A file system in memory, so small that it is soon full. Nothing where none may be mounted. */
async function smallDisk(folder: TemporaryFolder): Promise<AsyncDisposable & { readonly path: string } | undefined> {
  const path = folder.join("disk");
  await Deno.mkdir(path);
  const run = (program: string, ...args: string[]) =>
    new Deno.Command(program, { args, stdout: "null", stderr: "null" }).output();
  const mounted = await run("mount", "-t", "tmpfs", "-o", "size=256k", "none", path).catch(() => undefined);
  if (!mounted?.success) return;
  return { path, [Symbol.asyncDispose]: async () => void await run("umount", path) };
}

Deno.test({
  name: "serveSftp(): a full disk, and one for reading only, are the right status with a message (ssh.md row 13)",
  ...needs("linux", "root"),
  async fn(t) {
    await using folder = await temporaryFolder();
    await using disk = await smallDisk(folder);
    await t.step({
      name: "a file system of 256 KiB",
      ignore: disk === undefined,
      async fn() {
        await using store = await openFolderStore(disk!.path);
        await using client = await sftpClient({ store });
        const handle = await client.open("a", MAKE);
        assert.equal(await write(client, handle, 0, 100_000), "OK");
        assert.equal(await write(client, handle, 100_000, 250_000), "FAILURE no space left on device");
        const mount = ["-o", "remount,ro", disk!.path];
        assert.equal(await client.says(PacketType.CLOSE, (to) => withHandle(to, handle)), "OK");
        assert.ok((await new Deno.Command("mount", { args: mount }).output()).success);
        const made = client.says(PacketType.MKDIR, (to) => to.name("d").uint32(0));
        assert.equal(await made, "PERMISSION_DENIED read-only file system");
      },
    });
  },
});

Deno.test({
  name: "serveSftp(): what a store says of quotas, or cannot say, reaches the client as a status (ssh.md row 13)",
  async fn() {
    const failed: unknown[] = [];
    const { store } = countedStore();
    const refusing = {
      ...store,
      makeDirectory: () => Promise.reject(new StoreError("FAILURE", "disk quota exceeded")),
      remove: () => Promise.reject(new StoreError("UNSUPPORTED", "this file system cannot do it")),
      removeDirectory: () => Promise.reject(new Error("/secret/path broke")),
      attributes() {
        throw new TypeError("at once");
      },
    } as unknown as FileStore;
    await using client = await sftpClient({ store: refusing, failed: (error) => failed.push(error) });
    const path = (type: number) => client.says(type, (to) => to.name("a"));
    assert.equal(await client.says(PacketType.MKDIR, (to) => to.name("a").uint32(0)), "FAILURE disk quota exceeded");
    assert.equal(await path(PacketType.REMOVE), "OP_UNSUPPORTED this file system cannot do it");
    assert.equal(await path(PacketType.RMDIR), "FAILURE the server failed");
    assert.equal(await path(PacketType.STAT), "FAILURE the server failed");
    assert.equal(failed.length, 2);
    assert.equal(await path(PacketType.REALPATH), "NAME");
  },
});

Deno.test({
  name: "serveSftp(): a file that is removed while it is open can be read and closed, as POSIX has it (ssh.md row 13)",
  ...needs("linux"),
  async fn() {
    await using folder = await temporaryFolder();
    await folder.write("a", "content");
    await using store = await openFolderStore(folder.path);
    const before = descriptors();
    {
      await using client = await sftpClient({ store });
      const handle = await client.open("a", OpenFlag.READ);
      assert.equal(await client.says(PacketType.REMOVE, (to) => to.name("a")), "OK");
      const read = await client.must(PacketType.READ, (to) => withHandle(to, handle).uint64(0).uint32(100));
      assert.equal(new TextDecoder().decode(read.fields.bytes()), "content");
      assert.match(await client.says(PacketType.STAT, (to) => to.name("a")), /^NO_SUCH_FILE/);
      assert.match(await client.says(PacketType.OPEN, (to) => to.name("a").uint32(1).uint32(0)), /^NO_SUCH_FILE/);
      assert.match(await client.says(PacketType.OPENDIR, (to) => to.name("a/b")), /^NO_SUCH_FILE/);
    }
    assert.equal(descriptors(), before);
  },
});

/** How many descriptors of this process lead to a path. */
function openAt(path: string): number {
  return [...Deno.readDirSync("/proc/self/fd")].filter(({ name }) => {
    try {
      return Deno.readLinkSync(`/proc/self/fd/${name}`) === path;
    } catch {
      return false;
    }
  }).length;
}

for (const way of ["inside ssh over tls", "bare over quic", "bare over tls"] as const) {
  Deno.test({
    name: `sftp ${way}: a client killed in the middle of a put leaves what has come, and nothing open (ssh.md row 11)`,
    ...needs("linux", "ssh", "ssh-keygen"),
    async fn() {
      await using node = await sftpNode(way);
      const size = 2 ** 30;
      await Deno.writeFile(`${node.folder}/large`, new Uint8Array(0));
      await Deno.truncate(`${node.folder}/large`, size);
      const file = `${node.root}/part`;
      await using sftp = node.start(["-l", SLOWLY]);
      await sftp.write("put large part\n");
      await until(async () => ((await Deno.stat(file).catch(() => undefined))?.size ?? 0) > 0, "the beginning");
      assert.deepEqual([openAt(file), openAt(node.root)], [1, 1]);
      sftp.kill("SIGKILL");
      await sftp.status;
      await until(() => openAt(file) === 0 && openAt(node.root) === 0, "the end");
      const { size: come } = await Deno.stat(file);
      assert.ok(come > 0 && come < size, `${come}`);
      // The node serves on.
      await node.done("ls -l");
    },
  });

  Deno.test({
    name: `sftp ${way}: of a client killed in the middle of a get, whose answers nobody takes, nothing is left open`,
    ...needs("linux", "ssh", "ssh-keygen"),
    async fn() {
      await using node = await sftpNode(way);
      const file = `${node.root}/large`;
      await Deno.writeFile(file, new Uint8Array(0));
      await Deno.truncate(file, 2 ** 30);
      await using sftp = node.start(["-l", SLOWLY]);
      await sftp.write("get large part\n");
      const come = async () => (await Deno.stat(`${node.folder}/part`).catch(() => undefined))?.size ?? 0;
      await until(async () => await come() > 0, "the beginning");
      assert.deepEqual([openAt(file), openAt(node.root)], [1, 1]);
      sftp.kill("SIGKILL");
      await sftp.status;
      await until(() => openAt(file) === 0 && openAt(node.root) === 0, "the end");
      await node.done("ls -l");
    },
  });
}
