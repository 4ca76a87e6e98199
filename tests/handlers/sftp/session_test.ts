/**
 * The SFTP server over a stream in memory: order, limits, back-pressure, and what is closed at the end.
 *
 * @module
 */
import assert from "node:assert/strict";
import { userInfo } from "node:os";
import { MAX_DATA, OpenFlag, PacketType } from "../../../handlers/sftp/codec/numbers.ts";
import { FieldWriter } from "../../../handlers/sftp/codec/fields.ts";
import { MAX_HANDLES } from "../../../handlers/sftp/engine/handles.ts";
import { serveSftp } from "../../../handlers/sftp/engine/serve.ts";
import type { FileStore } from "../../../handlers/sftp/file_store.ts";
import { openFolderStore } from "../../../handlers/sftp/folder_store.ts";
import { localOwnerNames } from "../../../handlers/sftp/owner_names.ts";
import { temporaryFolder } from "../../support/temp.ts";
import { needs } from "../../support/programs.ts";
import { handleIn, namesIn, said, sftpClient, type TestSftpClient, withHandle } from "./client.ts";
import { countedStore, descriptors } from "./stores.ts";

const MAKE = OpenFlag.READ | OpenFlag.WRITE | OpenFlag.CREATE;
const LINUX = needs("linux");

async function inFolder(work: (client: TestSftpClient, root: string) => Promise<void>): Promise<void> {
  await using folder = await temporaryFolder();
  await using store = await openFolderStore(folder.path);
  const before = descriptors();
  {
    await using client = await sftpClient({ store });
    await work(client, folder.path);
  }
  assert.equal(descriptors(), before);
}

const write = (client: TestSftpClient, handle: number, position: number, data: Uint8Array): Promise<string> =>
  client.says(PacketType.WRITE, (fields) => withHandle(fields, handle).uint64(position).bytes(data));
const read = (client: TestSftpClient, handle: number, position: number, length: number) =>
  client.must(PacketType.READ, (fields) => withHandle(fields, handle).uint64(position).uint32(length));
const close = (client: TestSftpClient, handle: number): Promise<string> =>
  client.says(PacketType.CLOSE, (fields) => withHandle(fields, handle));

Deno.test({
  name:
    "serveSftp(): overlapping writes, reads and a close of one handle, all in flight, act in order (filexfer-02 §6.1)",
  ...LINUX,
  async fn() {
    await inFolder(async (client) => {
      const handle = await client.open("a", MAKE);
      const answers: Promise<unknown>[] = [];
      const seen: Promise<number[]>[] = [];
      for (let round = 0; round < 300; round++) {
        answers.push(write(client, handle, 0, new Uint8Array(1000).fill(round)));
        seen.push(read(client, handle, 0, 1000).then(({ fields }) => [...new Set(fields.bytes())]));
      }
      const closing = close(client, handle);
      assert.deepEqual(new Set(await Promise.all(answers)), new Set(["OK"]));
      assert.deepEqual(await Promise.all(seen), Array.from({ length: 300 }, (_, round) => [round % 256]));
      assert.equal(await closing, "OK");
      assert.equal(await write(client, handle, 0, new Uint8Array(1)), "FAILURE no handle of an open file");
      assert.equal(await close(client, handle), "FAILURE no open handle");
    });
  },
});

Deno.test({
  name: "serveSftp(): changes of names that are in flight together act in order",
  ...LINUX,
  async fn() {
    await inFolder(async (client, root) => {
      const path = (type: number, name: string) => client.says(type, (fields) => fields.name(name));
      const made = Array.from({ length: 50 }, (_, n) => [
        client.says(PacketType.MKDIR, (fields) => fields.name("d").uint32(0)),
        client.says(PacketType.RENAME, (fields) => fields.name("d").name(`e${n}`)),
        path(PacketType.STAT, `e${n}`),
        path(PacketType.RMDIR, `e${n}`),
      ]).flat();
      const answers = await Promise.all(made);
      assert.deepEqual(answers, Array.from({ length: 50 }, () => ["OK", "OK", "ATTRS", "OK"]).flat());
      assert.deepEqual([...Deno.readDirSync(root)], []);
    });
  },
});

Deno.test({
  name:
    "serveSftp(): reads and writes of 255 KiB come in one packet; longer reads are cut to that, at the end there is EOF",
  ...LINUX,
  async fn() {
    await inFolder(async (client) => {
      const handle = await client.open("a", MAKE);
      const data = Uint8Array.from({ length: MAX_DATA }, (_, at) => at % 251);
      assert.equal(await write(client, handle, 0, data), "OK");
      assert.deepEqual((await read(client, handle, 0, 2 ** 32 - 1)).fields.bytes(), data);
      assert.deepEqual((await read(client, handle, MAX_DATA - 3, 100)).fields.bytes(), data.slice(-3));
      assert.equal(said(await read(client, handle, MAX_DATA, 100)), "EOF end of file");
      assert.match(said(await read(client, handle, 2 ** 63, 100)), /^FAILURE .*2\^53/);
    });
  },
});

Deno.test({
  name: "serveSftp(): 100,000 names are listed, each once, in answers that any client takes (ssh.md, Layers 5)",
  ...LINUX,
  async fn() {
    const count = 100_000;
    const nameOf = (n: number) => `file ${n}`.padEnd(n % 200, "x");
    const entry = (n: number) => ({ name: nameOf(n), attributes: { size: n, mode: 0o100644, links: 1 } });
    let [next, most] = [0, 0];
    const store = {
      openDirectory: () =>
        Promise.resolve({
          next(atMost: number) {
            most = Math.max(most, atMost);
            const entries = Array.from({ length: Math.min(atMost, count - next) }, (_, at) => entry(next + at));
            next += entries.length;
            return Promise.resolve(entries);
          },
          close: () => Promise.resolve(),
        }),
    } as unknown as FileStore;
    await using client = await sftpClient({ store });
    const handle = await client.openDirectory("/");
    let listed = 0;
    for (;;) {
      const answer = await client.must(PacketType.READDIR, (fields) => withHandle(fields, handle));
      if (answer.type !== PacketType.NAME) {
        assert.match(said(answer), /^EOF/);
        break;
      }
      assert.ok(answer.fields.left < 34_000);
      for (const { name } of namesIn(answer)) assert.equal(name, nameOf(listed++));
    }
    assert.equal(listed, count);
    assert.ok(most < 1000, "no more is asked for than an answer or two hold");
  },
});

Deno.test({
  name: "serveSftp(): who reads no answers is not read from; once it reads, all are answered",
  async fn() {
    const { store, calls } = countedStore({ slow: true });
    await using client = await sftpClient({ store, reads: false });
    await client.raw(Uint8Array.of(0, 0, 0, 17, PacketType.OPEN, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0));
    // VERSION, and the handle.
    for (let answers = 0; answers < 2; answers++) await client.bytes();
    const requests = 2000;
    const sending = (async () => {
      for (let id = 2; id < 2 + requests; id++) {
        const packet = new DataView(new ArrayBuffer(29));
        packet.setUint32(0, 25);
        packet.setUint8(4, PacketType.READ);
        packet.setUint32(5, id);
        packet.setUint32(9, 4);
        packet.setUint32(13, 1);
        packet.setUint32(25, MAX_DATA);
        await client.raw(new Uint8Array(packet.buffer));
      }
    })();
    let [bytes, most] = [0, 0];
    // What is read ahead is what was taken and some 4 MiB, not all that was asked for.
    while (bytes < requests * MAX_DATA) {
      const chunk = await client.bytes();
      assert.ok(chunk);
      bytes += chunk.length;
      most = Math.max(most, calls.read * MAX_DATA - bytes);
    }
    await sending;
    assert.equal(calls.read, requests);
    assert.ok(most < 8 * 1024 * 1024, `${most} bytes were read ahead`);
  },
});

Deno.test({
  name:
    "serveSftp(): handles have a limit, and those of a client that vanishes in the middle are closed (ssh.md row 11)",
  async fn() {
    for (const leave of ["end", "vanish"] as const) {
      const { store, calls } = countedStore();
      const client = await sftpClient({ store });
      const opened = await Promise.all(
        Array.from(
          { length: MAX_HANDLES + 5 },
          () => client.says(PacketType.OPEN, (fields) => fields.name("f").uint32(MAKE).uint32(0)),
        ),
      );
      assert.equal(opened.filter((answer) => answer === "HANDLE").length, MAX_HANDLES);
      assert.match(opened.at(-1)!, /^FAILURE too many open handles/);
      // The beginning of a write that never comes to its end.
      await client.raw(Uint8Array.of(0, 1, 0, 0, PacketType.WRITE, 0, 0, 0, 9, 0, 0, 0, 4));
      await client[leave]();
      await client.served;
      assert.deepEqual([calls.open, calls.close], [MAX_HANDLES, MAX_HANDLES]);
      await client[Symbol.asyncDispose]();
    }
  },
});

Deno.test({
  name: "serveSftp(): a drain waits for what is open, and ends the session then",
  async fn() {
    const { store, calls } = countedStore();
    const drain = new AbortController();
    await using client = await sftpClient({ store, signal: drain.signal });
    const handle = await client.open("f", MAKE);
    drain.abort();
    assert.equal(await write(client, handle, 0, Uint8Array.of(1)), "OK");
    assert.equal(await close(client, handle), "OK");
    await client.served;
    assert.deepEqual([calls.open, calls.close], [1, 1]);
  },
});

Deno.test({
  name: "serveSftp(): extensions of OpenSSH, each on real files (PROTOCOL §4)",
  ...LINUX,
  async fn() {
    await inFolder(async (client, root) => {
      Deno.writeTextFileSync(`${root}/a`, "content");
      Deno.writeTextFileSync(`${root}/b`, "other");
      const two = (name: string, from: string, to: string) =>
        client.extended(name, (fields) => fields.name(from).name(to)).then(said);
      assert.match(await client.says(PacketType.RENAME, (fields) => fields.name("a").name("b")), /^FAILURE .*exists/);
      assert.equal(await two("posix-rename@openssh.com", "a", "b"), "OK");
      assert.equal(await two("hardlink@openssh.com", "b", "c"), "OK");
      assert.equal(Deno.readTextFileSync(`${root}/c`), "content");
      // OpenSSH's order: the target first.
      assert.equal(await client.says(PacketType.SYMLINK, (fields) => fields.name("c").name("link")), "OK");
      assert.equal(Deno.readLinkSync(`${root}/link`), "c");
      const link = await client.must(PacketType.READLINK, (fields) => fields.name("/link"));
      assert.equal(namesIn(link)[0].name, "c");
      const times = (fields: Parameters<Parameters<typeof client.ask>[1]>[0]) => fields.uint32(8).uint32(5).uint32(6);
      const lset = await client.extended("lsetstat@openssh.com", (fields) => times(fields.name("link")));
      assert.equal(said(lset), "OK");
      assert.equal(Deno.lstatSync(`${root}/link`).mtime!.getTime(), 6000);
      assert.notEqual(Deno.statSync(`${root}/c`).mtime!.getTime(), 6000);
      const handle = await client.open("b", OpenFlag.READ | OpenFlag.WRITE);
      for (const name of ["fsync@openssh.com"]) {
        assert.equal(said(await client.extended(name, (fields) => withHandle(fields, handle))), "OK");
      }
      const room = await client.extended("statvfs@openssh.com", (fields) => fields.name("/"));
      const sameRoom = await client.extended("fstatvfs@openssh.com", (fields) => withHandle(fields, handle));
      for (const { type, fields } of [room, sameRoom]) {
        assert.deepEqual([type, fields.left], [PacketType.EXTENDED_REPLY, 88]);
        assert.ok(fields.uint64() >= 512);
      }
      const { fields: limits } = await client.extended("limits@openssh.com");
      assert.deepEqual([limits.uint64(), limits.uint64(), limits.uint64(), limits.uint64()], [
        ...[257 * 1024, MAX_DATA, MAX_DATA],
        MAX_HANDLES,
      ]);
      for (
        const [path, expected] of [["~", "/"], ["~/b", "/b"], ["b/../b", undefined], ["~root", undefined]] as const
      ) {
        const answer = await client.extended("expand-path@openssh.com", (fields) => fields.name(path));
        if (expected === undefined) assert.match(said(answer), /^NO_SUCH_FILE/);
        else assert.equal(namesIn(answer)[0].name, expected);
      }
      const home = await client.extended("home-directory", (fields) => fields.name("root"));
      assert.equal(namesIn(home)[0].name, "/");
      const copy = handleIn(
        await client.must(PacketType.OPEN, (fields) => fields.name("copy").uint32(MAKE).uint32(0)),
      );
      const copied = (from: number, to: number, [position, length, target]: number[]) =>
        client.extended(
          "copy-data",
          (fields) => withHandle(withHandle(fields, from).uint64(position).uint64(length), to).uint64(target),
        ).then(said);
      assert.equal(await copied(handle, copy, [3, 0, 1]), "OK");
      assert.equal(Deno.readTextFileSync(`${root}/copy`), "\0tent");
      assert.match(await copied(copy, copy, [0, 0, 2]), /^FAILURE .*overlap/);
      assert.match(await copied(copy, copy, [0, 3, 2]), /^FAILURE .*overlap/);
      assert.equal(await copied(copy, copy, [1, 2, 5]), "OK");
      assert.equal(Deno.readTextFileSync(`${root}/copy`), "\0tentte");
      assert.match(said(await client.extended("check-file", (fields) => fields.name("x"))), /^OP_UNSUPPORTED/);
    });
  },
});

Deno.test({
  name: "serveSftp(): users-groups-by-id names those alone whose files were shown",
  ...LINUX,
  async fn() {
    await using folder = await temporaryFolder();
    await using store = await openFolderStore(folder.path);
    const uid = Deno.uid()!;
    const ownerNames = () => Promise.resolve({ users: new Map([[uid, "me"], [4711, "other"]]), groups: new Map() });
    await using client = await sftpClient({ store, ownerNames });
    const names = async () => {
      const ids = new Uint8Array(8);
      new DataView(ids.buffer).setUint32(0, uid);
      new DataView(ids.buffer).setUint32(4, 4711);
      const { fields } = await client.extended(
        "users-groups-by-id@openssh.com",
        (writer) => writer.bytes(ids).bytes(new Uint8Array(0)),
      );
      return new TextDecoder().decode(fields.bytes());
    };
    assert.equal(await names(), "\0\0\0\0\0\0\0\0");
    await client.must(PacketType.STAT, (fields) => fields.name("."));
    assert.equal(await names(), "\0\0\0\x02me\0\0\0\0");
  },
});

Deno.test({
  name: "serveSftp() for reading only: nothing is changed by any request, and each reason is told of once",
  ...LINUX,
  async fn() {
    await using folder = await temporaryFolder();
    await folder.write("a", "a");
    // The store would let it happen.
    await using store = await openFolderStore(folder.path);
    const reasons: string[] = [];
    await using client = await sftpClient({ store, readOnly: true, refused: (reason) => reasons.push(reason) });
    const handle = await client.open("a", OpenFlag.READ);
    const answers = [
      client.says(PacketType.OPEN, (fields) => fields.name("b").uint32(MAKE).uint32(0)),
      client.says(PacketType.OPEN, (fields) => fields.name("a").uint32(OpenFlag.READ | OpenFlag.TRUNCATE).uint32(0)),
      write(client, handle, 0, Uint8Array.of(1)),
      client.says(PacketType.FSETSTAT, (fields) => withHandle(fields, handle).uint32(4).uint32(0o777)),
      client.says(PacketType.SETSTAT, (fields) => fields.name("a").uint32(4).uint32(0o777)),
      client.says(PacketType.MKDIR, (fields) => fields.name("d").uint32(0)),
      client.says(PacketType.REMOVE, (fields) => fields.name("a")),
      client.says(PacketType.RMDIR, (fields) => fields.name("d")),
      client.says(PacketType.RENAME, (fields) => fields.name("a").name("b")),
      client.says(PacketType.SYMLINK, (fields) => fields.name("a").name("b")),
      client.extended("hardlink@openssh.com", (fields) => fields.name("a").name("b")).then(said),
      client.extended("posix-rename@openssh.com", (fields) => fields.name("a").name("b")).then(said),
      client.extended("lsetstat@openssh.com", (fields) => fields.name("a").uint32(4).uint32(0o777)).then(said),
    ];
    const all = await Promise.all(answers);
    assert.deepEqual(new Set(all), new Set(["PERMISSION_DENIED this folder is served for reading only"]));
    assert.deepEqual([...Deno.readDirSync(folder.path)].map(({ name }) => name), ["a"]);
    assert.deepEqual(reasons, ["this folder is served for reading only"]);
  },
});

Deno.test({
  name: "localOwnerNames() knows who runs the node, and no number twice",
  ...LINUX,
  async fn() {
    const { users, groups } = await localOwnerNames();
    assert.equal(users.get(0), "root");
    assert.equal(users.get(userInfo().uid), userInfo().username);
    assert.ok(groups.has(0));
  },
});

Deno.test("serveSftp(): who takes no answers any more, and still sends, is not served on; what is open is closed", async () => {
  const { store, calls } = countedStore();
  let sent = 0;
  const readable = new ReadableStream<Uint8Array>({
    pull(controller) {
      const packets = [
        new FieldWriter(PacketType.INIT).uint32(3),
        new FieldWriter(PacketType.OPEN).uint32(1).name("f").uint32(MAKE).uint32(0),
      ];
      if (sent < packets.length) controller.enqueue(packets[sent++].finish());
    },
  });
  const writable = new WritableStream<Uint8Array>({
    write() {
      if (calls.open > 0) throw new Error("refused");
    },
  });
  await serveSftp({ readable, writable }, { store });
  assert.deepEqual([calls.open, calls.close], [1, 1]);
});
