import assert from "node:assert/strict";
import {
  AF_INET,
  AF_INET6,
  decodeName,
  encodeName,
  NAME_STRIDE,
  RemoteTable,
} from "../../../../../../core/transports/quic/engine/udp/socket_name.ts";

// Hex of struct sockaddr_in (16 bytes) and sockaddr_in6 (28 bytes), and how RFC 5952 §4 writes the address.
const NAMES: readonly [family: number, hostname: string, port: number, hex: string, shown?: string][] = [
  [AF_INET, "127.0.0.1", 443, "0200" + "01bb" + "7f000001" + "00".repeat(8)],
  [AF_INET, "255.255.255.255", 65535, "0200" + "ffff" + "ffffffff" + "00".repeat(8)],
  [AF_INET6, "127.0.0.1", 443, "0a00" + "01bb" + "00000000" + "00".repeat(10) + "ffff" + "7f000001" + "00000000"],
  [AF_INET6, "::ffff:1.2.3.4", 1, "0a00000100000000" + "00".repeat(10) + "ffff0102030400000000", "1.2.3.4"],
  [AF_INET6, "::", 0, "0a00000000000000" + "00".repeat(20)],
  [AF_INET6, "::1", 80, "0a00005000000000" + "00".repeat(15) + "0100000000"],
  [
    AF_INET6,
    "2001:DB8:0:0:1:0:0:1",
    80,
    "0a00005000000000" + "20010db8000000000001000000000001" + "00000000",
    "2001:db8::1:0:0:1",
  ],
  [AF_INET6, "1:2:3:4:5:6:7:8", 80, "0a00005000000000" + "00010002000300040005000600070008" + "00000000"],
  [AF_INET6, "1:0:3:4:5:6:7:8", 80, "0a00005000000000" + "00010000000300040005000600070008" + "00000000"],
  [AF_INET6, "1::", 80, "0a00005000000000" + "00010000000000000000000000000000" + "00000000"],
  [
    AF_INET6,
    "64:ff9b::192.0.2.33",
    80,
    "0a00005000000000" + "0064ff9b0000000000000000c0000221" + "00000000",
    "64:ff9b::c000:221",
  ],
  [AF_INET6, "fe80::1%3", 80, "0a00005000000000" + "fe800000000000000000000000000001" + "03000000"],
];

for (const [family, hostname, port, hex, shown] of NAMES) {
  Deno.test(`encodeName() and decodeName() ${hostname} in family ${family} (RFC 4291 §2.2, RFC 5952 §4)`, () => {
    const name = new Uint8Array(28).fill(0xee);
    const length = encodeName(family, { hostname, port }, name);
    assert.equal(name.subarray(0, length).toHex(), hex);
    assert.deepEqual(decodeName(name.subarray(0, length)), { hostname: shown ?? hostname, port });
  });
}

Deno.test("encodeName() refuses what is no address of the family", () => {
  const name = new Uint8Array(28);
  for (
    const [family, hostname, port] of [
      [AF_INET, "::1", 1],
      [AF_INET, "example.org", 1],
      [AF_INET6, "", 1],
      [AF_INET6, "fe80::1%no-such-zone", 1],
      [AF_INET, "127.0.0.1", 65536],
      [AF_INET, "127.0.0.1", -1],
      [AF_INET, "127.0.0.1", 1.5],
    ] as const
  ) assert.throws(() => encodeName(family, { hostname, port }, name), TypeError, hostname);
});

for (const family of [AF_INET, AF_INET6]) {
  Deno.test(`RemoteTable of family ${family} keeps one object a remote, forgets unused ones, and keeps used ones`, () => {
    const table = new RemoteTable(family);
    const words = new Uint32Array(NAME_STRIDE / 4);
    const see = (port: number, host = 1) => {
      encodeName(family, { hostname: `10.0.${host >> 8}.${host & 255}`, port }, new Uint8Array(words.buffer));
      return table.fromName(words, 0);
    };
    const used = see(1);
    const unused = see(2);
    assert.deepEqual(used, { hostname: "10.0.0.1", port: 1 });
    assert.equal(see(2), unused);
    assert.equal(see(1), used);
    assert.notEqual(see(1, 2), used);
    assert.equal(table.fromAddress(used).address, used);
    assert.equal(table.fromAddress({ ...used }).address, used);
    // A flood longer than the table is large.
    for (let port = 3; port < 20_003; port++) {
      see(port);
      if (port % 4000 === 0) see(1);
    }
    assert.equal(see(1), used);
    assert.notEqual(see(2), unused);
    // What it forgot can still be answered.
    assert.deepEqual(table.fromAddress(unused).address, unused);
  });
}
