/**
 * What is no SFTP, or nearly: every length field at its limits, and sessions of OpenSSH's kind, mutated (ssh.md row 10).
 *
 * After each, the server has ended or answers; nothing was thrown but what a malformed packet is, and nothing is left open.
 *
 * @module
 */
import assert from "node:assert/strict";
import { FieldWriter } from "../../../handlers/sftp/codec/fields.ts";
import { MalformedPacketError } from "../../../handlers/sftp/codec/malformed.ts";
import { OpenFlag, PacketType } from "../../../handlers/sftp/codec/numbers.ts";
import { openFolderStore } from "../../../handlers/sftp/folder_store.ts";
import { runProgram } from "../../support/process.ts";
import { needs } from "../../support/programs.ts";
import { seeded } from "../../support/random.ts";
import { temporaryFolder } from "../../support/temp.ts";
import { type Fields, sftpClient, withHandle } from "./client.ts";
import { joined, serveBytes } from "./serve_bytes.ts";
import { countedStore, descriptors } from "./stores.ts";

/** Sessions that are mutated. */
const SESSIONS = 8000;

const request = (id: number, type: number, fields: Fields): Uint8Array<ArrayBuffer> =>
  fields(new FieldWriter(type).uint32(id)).finish();
const extension = (id: number, name: string, fields: Fields): Uint8Array<ArrayBuffer> =>
  request(id, PacketType.EXTENDED, (writer) => fields(writer.name(name)));
const INIT = new FieldWriter(PacketType.INIT).uint32(3).finish();

/** A session with every request. Handles 1 to 3 are what its opens are given. */
const SESSION: readonly Uint8Array<ArrayBuffer>[] = [
  INIT,
  request(1, PacketType.OPEN, (to) => to.name("a").uint32(OpenFlag.READ | OpenFlag.WRITE | OpenFlag.CREATE).uint32(0)),
  request(2, PacketType.OPEN, (to) => to.name("b").uint32(OpenFlag.WRITE | OpenFlag.CREATE).uint32(4).uint32(0o644)),
  request(3, PacketType.OPENDIR, (to) => to.name("/")),
  request(4, PacketType.WRITE, (to) => withHandle(to, 1).uint64(0).bytes(new Uint8Array(300).fill(7))),
  request(5, PacketType.READ, (to) => withHandle(to, 1).uint64(0).uint32(32768)),
  request(6, PacketType.FSTAT, (to) => withHandle(to, 1)),
  request(7, PacketType.FSETSTAT, (to) => withHandle(to, 1).uint32(8).uint32(1).uint32(2)),
  request(8, PacketType.READDIR, (to) => withHandle(to, 3)),
  ...[PacketType.STAT, PacketType.LSTAT, PacketType.REALPATH, PacketType.READLINK].map((type) =>
    request(9, type, (to) => to.name("a"))
  ),
  request(10, PacketType.MKDIR, (to) => to.name("d").uint32(0)),
  request(11, PacketType.SETSTAT, (to) => to.name("d").uint32(4).uint32(0o700)),
  request(12, PacketType.RENAME, (to) => to.name("b").name("c")),
  request(13, PacketType.SYMLINK, (to) => to.name("a").name("l")),
  extension(14, "posix-rename@openssh.com", (to) => to.name("c").name("b")),
  extension(15, "hardlink@openssh.com", (to) => to.name("a").name("h")),
  extension(16, "fsync@openssh.com", (to) => withHandle(to, 1)),
  extension(17, "statvfs@openssh.com", (to) => to.name("/")),
  extension(18, "fstatvfs@openssh.com", (to) => withHandle(to, 1)),
  extension(19, "lsetstat@openssh.com", (to) => to.name("l").uint32(8).uint32(1).uint32(2)),
  extension(20, "limits@openssh.com", (to) => to),
  extension(21, "expand-path@openssh.com", (to) => to.name("~/a")),
  extension(22, "copy-data", (to) => withHandle(withHandle(to, 1).uint64(0).uint64(100), 2).uint64(0)),
  extension(23, "users-groups-by-id@openssh.com", (to) => to.bytes(new Uint8Array(4)).bytes(new Uint8Array(8))),
  extension(24, "home-directory", (to) => to.name("me")),
  request(25, PacketType.CLOSE, (to) => withHandle(to, 1)),
  request(26, PacketType.READ, (to) => withHandle(to, 1).uint64(0).uint32(10)),
  request(27, PacketType.WRITE, (to) => withHandle(to, 1).uint64(0).bytes(new Uint8Array(3))),
  request(28, PacketType.REMOVE, (to) => to.name("h")),
  request(29, PacketType.RMDIR, (to) => to.name("d")),
];

Deno.test({
  name: "serveSftp(): every 32 bits of every request at 0, 1, past the end and the most (ssh.md row 10)",
  async fn() {
    const { store, calls } = countedStore();
    const head = SESSION.slice(0, 4);
    for (const packet of SESSION.slice(1)) {
      for (let at = 0; at + 4 <= packet.length; at++) {
        for (const value of [0, 1, packet.length, 0x7fffffff, 0x80000000, 0xffffffff]) {
          const changed = packet.slice();
          new DataView(changed.buffer).setUint32(at, value);
          await serveBytes(store, joined([...head, changed, SESSION[6]]));
        }
        // One that is long says little after its first fields.
        if (at > 60) break;
      }
    }
    assert.equal(calls.close, calls.open);
  },
});

Deno.test({
  name:
    "serveSftp(): types that are none are unsupported, and the session goes on; a first packet that is no INIT ends it",
  async fn() {
    const { store } = countedStore();
    await using client = await sftpClient({ store });
    const known = new Set<number>(Object.values(PacketType));
    for (let type = 0; type < 256; type++) {
      const isRequest = type >= PacketType.OPEN && type <= PacketType.SYMLINK || type === PacketType.EXTENDED;
      if (isRequest || type === PacketType.INIT) continue;
      assert.match(await client.says(type, (to) => to.uint32(type)), /^OP_UNSUPPORTED/, `${type} ${known.has(type)}`);
    }
    for (const type of [PacketType.OPEN, PacketType.VERSION, 0, 255]) {
      await using early = await sftpClient({ store, begins: false });
      assert.equal(await early.says(type, (to) => to.name("a")), "END");
      await assert.rejects(early.served, MalformedPacketError);
    }
    await using old = await sftpClient({ store, begins: false });
    await old.begin(2);
    assert.equal(await old.says(PacketType.STAT, (to) => to.name("/")), "END");
  },
});

Deno.test({
  name: "serveSftp(): requests on handles that were closed, never were, or are of the other kind, are refused",
  async fn() {
    const { store, calls } = countedStore();
    await using client = await sftpClient({ store });
    const file = await client.open("f", OpenFlag.READ | OpenFlag.WRITE);
    const directory = await client.openDirectory("d");
    const gone = await client.open("g", OpenFlag.READ | OpenFlag.WRITE);
    await client.must(PacketType.CLOSE, (to) => withHandle(to, gone));
    const asks: readonly (readonly [type: number, more: Fields])[] = [
      [PacketType.READ, (to) => to.uint64(0).uint32(9)],
      [PacketType.WRITE, (to) => to.uint64(0).name("x")],
      [PacketType.FSTAT, (to) => to],
      [PacketType.FSETSTAT, (to) => to.uint32(0)],
    ];
    const wrong = [gone, directory, 0, 4711, 0xffffffff];
    for (const [type, more] of asks) {
      for (const handle of wrong) {
        assert.match(await client.says(type, (to) => more(withHandle(to, handle))), /^FAILURE no handle/);
      }
      for (const name of ["", "abc", "abcde", "x".repeat(300)]) {
        assert.match(await client.says(type, (to) => more(to.name(name))), /^FAILURE no handle/);
      }
    }
    for (const handle of [gone, file]) {
      assert.match(await client.says(PacketType.READDIR, (to) => withHandle(to, handle)), /^FAILURE no handle/);
    }
    assert.match(await client.says(PacketType.CLOSE, (to) => withHandle(to, gone)), /^FAILURE/);
    assert.deepEqual([calls.read, calls.write], [0, 0]);
  },
});

Deno.test({
  name: `serveSftp(): ${SESSIONS} mutated sessions on a real folder leave nothing open, and nothing beside the root`,
  ...needs("linux"),
  async fn() {
    const random = seeded("mutated SFTP sessions");
    await using around = await temporaryFolder();
    const root = around.join("root");
    await Deno.mkdir(root);
    await using store = await openFolderStore(root);
    const before = descriptors();
    let answered = 0;
    for (let session = 0; session < SESSIONS; session++) {
      const packets = SESSION.map((packet) => random.chance(0.15) ? random.mutate(packet) : packet);
      if (random.chance(0.2)) packets.splice(random.between(1, packets.length - 1), 1);
      const bytes = joined(packets);
      answered += await serveBytes(store, random.chance(0.2) ? bytes.slice(0, random.below(bytes.length)) : bytes);
    }
    assert.equal(descriptors(), before);
    assert.ok(answered > SESSIONS, "sessions are answered as far as they go");
    assert.deepEqual([...Deno.readDirSync(around.path)].map(({ name }) => name), ["root"]);
    // Modes that came of it may keep even their owner out.
    assert.equal((await runProgram("chmod", ["-R", "u+rwX", root])).code, 0);
  },
});
