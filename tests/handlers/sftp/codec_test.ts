/**
 * The codec of SFTP version 3, byte by byte (draft-ietf-secsh-filexfer-02; OpenSSH's `PROTOCOL` §4).
 *
 * @module
 */
import assert from "node:assert/strict";
import { MalformedPacketError } from "../../../handlers/sftp/codec/malformed.ts";
import { EXTENSIONS, MAX_PACKET, PacketType } from "../../../handlers/sftp/codec/numbers.ts";
import { PacketReader } from "../../../handlers/sftp/codec/packet_reader.ts";
import {
  attributesReply,
  DataReply,
  handleReply,
  limitsReply,
  nameReply,
  ownersReply,
  roomReply,
  statusReply,
  versionReply,
} from "../../../handlers/sftp/codec/replies.ts";
import { NO_HANDLE, parseInit, parseRequest } from "../../../handlers/sftp/codec/request.ts";
import { longName } from "../../../handlers/sftp/engine/long_name.ts";
import { seeded } from "../../support/random.ts";

const hex = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.fromHex(text.replaceAll(/\s/g, ""));
const shown = (bytes: Uint8Array): string => bytes.toHex();

Deno.test("PacketReader gives the same packets whatever pieces they come in, and views of what lies in one (§3)", () => {
  const random = seeded("PacketReader");
  const packets = Array.from({ length: 200 }, () => random.bytes(random.between(1, 5000)));
  const stream = Uint8Array.from(
    packets.flatMap((packet) => [0, 0, packet.length >> 8, packet.length & 255, ...packet]),
  );
  for (const most of [1, 3, 7, 1000, 100_000]) {
    const reader = new PacketReader();
    const read: string[] = [];
    for (let at = 0; at < stream.length;) {
      const length = random.between(1, most);
      for (const packet of reader.read(stream.slice(at, at + length))) read.push(shown(packet));
      at += length;
    }
    assert.deepEqual(read, packets.map(shown));
  }
  const whole = hex("00000002 0102");
  const [view] = new PacketReader().read(whole);
  assert.equal(view.buffer, whole.buffer);
});

Deno.test("PacketReader refuses packets of 0 bytes and of more than 257 KiB, and takes the longest", () => {
  for (const head of ["00000000", "00040401", "7fffffff", "80000000", "ffffffff"]) {
    assert.throws(() => [...new PacketReader().read(hex(head))], MalformedPacketError, head);
  }
  const longest = new Uint8Array(4 + MAX_PACKET);
  new DataView(longest.buffer).setUint32(0, MAX_PACKET);
  assert.equal([...new PacketReader().read(longest)][0].length, MAX_PACKET);
});

/** Requests as OpenSSH's client sends them, each field on its own. */
const REQUESTS: readonly (readonly [bytes: string, request: object])[] = [
  [
    "03 00000001 00000002 2f61 0000001a 00000004 000081a4",
    {
      ...{ id: 1, kind: "open", path: "/a", attributes: { mode: 0o100644 } },
      flags: { read: false, write: true, append: false, create: true, truncate: true, exclusive: false },
    },
  ],
  ["04 00000002 00000004 00000007", { id: 2, kind: "close", handle: 7 }],
  [
    "05 ffffffff 00000004 00000007 0000000100000000 00008000",
    { id: 0xffffffff, kind: "read", handle: 7, position: 2 ** 32, length: 0x8000 },
  ],
  [
    "06 00000003 00000004 00000007 0000000000000010 00000003 616263",
    { id: 3, kind: "write", handle: 7, position: 16, data: hex("616263") },
  ],
  ["07 00000004 00000001 2e", { id: 4, kind: "lstat", path: "." }],
  ["08 00000004 00000003 000000", { id: 4, kind: "fstat", handle: NO_HANDLE }],
  [
    "09 00000005 00000001 61 8000000f 0000000000000009 00000001 00000002 000001ff 00000003 00000004" +
    "00000001 00000001 78 00000002 7979",
    {
      ...{ id: 5, kind: "setstat", path: "a" },
      attributes: { size: 9, owner: { uid: 1, gid: 2 }, mode: 0o777, times: { accessed: 3, modified: 4 } },
    },
  ],
  ["0a 00000006 00000004 00000001 00000000", { id: 6, kind: "fsetstat", handle: 1, attributes: {} }],
  ["0b 00000007 00000000", { id: 7, kind: "opendir", path: "" }],
  ["0c 00000008 00000004 00000001", { id: 8, kind: "readdir", handle: 1 }],
  ["0d 00000009 00000002 ff61", { id: 9, kind: "remove", path: "\udcffa" }],
  ["0e 0000000a 00000001 64 00000000", { id: 10, kind: "mkdir", path: "d", attributes: {} }],
  ["0f 0000000b 00000001 64", { id: 11, kind: "rmdir", path: "d" }],
  ["10 0000000c 00000001 2e", { id: 12, kind: "realpath", path: "." }],
  ["11 0000000d 00000001 2e", { id: 13, kind: "stat", path: "." }],
  ["12 0000000e 00000001 61 00000001 62", { id: 14, kind: "rename", from: "a", to: "b" }],
  ["13 0000000f 00000001 6c", { id: 15, kind: "readlink", path: "l" }],
  // OpenSSH's order: what the link leads to, then the link.
  ["14 00000010 00000001 74 00000001 6c", { id: 16, kind: "symlink", target: "t", path: "l" }],
  ["c8 00000011 00000012 6c696d697473406f70656e7373682e636f6d", { id: 17, kind: "limits" }],
  ["c8 00000012 00000003 782d79 01020304", { id: 18, kind: "unsupported" }],
  ["63 00000013 01", { id: 19, kind: "unsupported" }],
  ["03 00000014 00000001 61 00000040 00000000", { id: 20, kind: "unsupported" }],
];

Deno.test("parseRequest() reads every request as a whole (§6)", () => {
  for (const [bytes, request] of REQUESTS) assert.deepEqual({ ...parseRequest(hex(bytes)) }, request, bytes);
});

Deno.test("parseRequest() refuses every request that is cut anywhere, or has bytes after its end (§6)", () => {
  for (const [text, request] of REQUESTS) {
    if ((request as { kind: string }).kind === "unsupported") continue;
    const bytes = hex(text);
    for (let length = 1; length < bytes.length; length++) {
      assert.throws(() => parseRequest(bytes.slice(0, length)), (error) => {
        assert.ok(error instanceof MalformedPacketError);
        assert.equal(error.id, length < 5 ? undefined : (request as { id: number }).id);
        return true;
      }, `${text} of ${length} bytes`);
    }
    assert.throws(() => parseRequest(Uint8Array.of(...bytes, 0)), MalformedPacketError, text);
  }
});

Deno.test("parseRequest() refuses attributes with flags of other versions, and lists of half an id", () => {
  assert.throws(() => parseRequest(hex("0e 00000001 00000001 64 00000010")), /another version/);
  const name = "0000001e 75736572732d67726f7570732d62792d6964406f70656e7373682e636f6d";
  assert.throws(() => parseRequest(hex(`c8 00000001 ${name} 00000003 000000 00000000`)), /within one/);
});

Deno.test("parseInit() takes INIT of any version, with extensions, and nothing else (§4)", () => {
  assert.equal(parseInit(hex("01 00000003")), 3);
  assert.equal(parseInit(hex("01 00000006 00000001 61 00000001 62")), 6);
  for (const bytes of ["01", "01 000000", "01 00000003 00", "02 00000003", "03 00000003"]) {
    assert.throws(() => parseInit(hex(bytes)), MalformedPacketError, bytes);
  }
  assert.throws(() => parseRequest(hex("01 00000003")), MalformedPacketError);
});

Deno.test("replies: the bytes of each (§7)", () => {
  const attributes = {
    size: 2 ** 40 + 1,
    owner: { uid: 1, gid: 2 },
    mode: 0o100644,
    times: { accessed: -5, modified: 2 ** 33 },
  };
  const wire = "0000000f 0000010000000001 00000001 00000002 000081a4 00000000 ffffffff";
  const data = new DataReply(100);
  data.room.set(hex("616263"));
  const table: readonly (readonly [reply: Uint8Array, bytes: string])[] = [
    [statusReply(1, 4, "ü"), "00000013 65 00000001 00000004 00000002 c3bc 00000000"],
    [handleReply(2, 258), "0000000d 66 00000002 00000004 00000102"],
    [data.finish(3, 3), "0000000c 67 00000003 00000003 616263"],
    [attributesReply(4, attributes), `00000025 69 00000004 ${wire}`],
    [attributesReply(4, {}), "00000009 69 00000004 00000000"],
    [
      nameReply(5, [{ name: "\udcffa", longName: "l", attributes: {} }, { name: "b", longName: "", attributes }]),
      `00000041 68 00000005 00000002 00000002 ff61 00000001 6c 00000000 00000001 62 00000000 ${wire}`,
    ],
    [
      limitsReply(6, { packet: 1, read: 2, write: 3, handles: 4 }),
      "00000025 c9 00000006 0000000000000001 0000000000000002 0000000000000003 0000000000000004",
    ],
    [
      ownersReply(7, ["a", ""], ["bc"]),
      "0000001c c9 00000007 00000009 00000001 61 00000000 00000006 00000002 6263",
    ],
    [versionReply([["x", "1"]]), "0000000f 02 00000003 00000001 78 00000001 31"],
  ];
  for (const [reply, bytes] of table) {
    const expected = hex(bytes);
    new DataView(expected.buffer).setUint32(0, expected.length - 4);
    assert.equal(shown(reply), shown(expected));
  }
  const room = {
    ...{ blockSize: 1, fragmentSize: 2, blocks: 3n, freeBlocks: 4n, availableBlocks: 5n, files: 6n, freeFiles: 7n },
    ...{ availableFiles: 8n, id: 2n ** 64n - 1n, readOnly: true, noSetuid: true, longestName: 255 },
  };
  const view = new DataView(roomReply(8, room).slice(9).buffer);
  const fields = Array.from({ length: 11 }, (_, at) => view.getBigUint64(at * 8));
  assert.deepEqual(fields, [1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n, 2n ** 64n - 1n, 3n, 255n]);
});

Deno.test("EXTENSIONS: each is known to parseRequest()", () => {
  for (const [name] of EXTENSIONS) {
    const bytes = [...new TextEncoder().encode(name)];
    // Cut after its name, it is malformed where it has fields, and never unknown.
    const packet = Uint8Array.of(PacketType.EXTENDED, 0, 0, 0, 1, 0, 0, 0, bytes.length, ...bytes);
    if (name.startsWith("limits")) assert.equal(parseRequest(packet).kind, "limits");
    else assert.throws(() => parseRequest(packet), MalformedPacketError, name);
  }
});

Deno.test("longName(): as ls -l prints it; what is older than half a year has its year (§7)", () => {
  const now = new Date(2026, 5, 15, 12).getTime();
  const at = (...date: [number, number, number, number, number]): number => new Date(...date).getTime() / 1000;
  const of = (mode: number, modified: number): string =>
    longName("a b", { mode, links: 2, owner: { uid: 1000, gid: 0 }, size: 12, times: { accessed: 0, modified } }, now);
  assert.equal(of(0o100644, at(2026, 4, 9, 8, 7)), "-rw-r--r--    2 1000     0              12 May  9 08:07 a b");
  assert.equal(of(0o040755, at(2024, 10, 28, 3, 4)), "drwxr-xr-x    2 1000     0              12 Nov 28  2024 a b");
  assert.match(of(0o106755, at(2026, 4, 9, 8, 7)), /^-rwsr-sr-x /);
  assert.match(of(0o041666, at(2026, 4, 9, 8, 7)), /^drw-rw-rwT /);
  assert.match(of(0o120777, at(2026, 4, 9, 8, 7)), /^lrwxrwxrwx /);
  assert.match(longName("x", {}, now), /^\?---------/);
});
