import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
import { parseAddress, parseListenAddress, parseTarget } from "../../core/handler/address.ts";
import { addressGroup, addressGroups, canonicalIp, formatIp, parseIp } from "../../core/ip.ts";
import { resolveHost } from "../../core/endpoint/happy_eyeballs.ts";

Deno.test("parseIp: every form of RFC 4291 §2.2, and nothing else", () => {
  const cases: [text: string, hex: string, zone?: string][] = [
    ["192.0.2.1", "c0000201"],
    ["::", "0".repeat(32)],
    ["::1", `${"0".repeat(31)}1`],
    ["1::", `0001${"0".repeat(28)}`],
    ["2001:db8:1:2:3:4:5:6", "20010db8000100020003000400050006"],
    ["2001:DB8::9", "20010db8000000000000000000000009"],
    ["1:2:3:4:5:6:7::", "00010002000300040005000600070000"],
    ["::ffff:192.0.2.1", "00000000000000000000ffffc0000201"],
    ["1:2:3:4:5:6:192.0.2.1", "000100020003000400050006c0000201"],
    ["fe80::1%eth0", "fe800000000000000000000000000001", "eth0"],
  ];
  for (const [text, hex, zone] of cases) {
    const ip = parseIp(text)!;
    assert.deepEqual([ip.bytes.toHex(), ip.zone], [hex, zone], text);
    assert.deepEqual(parseIp(formatIp(ip)), ip, text);
  }
  for (
    const text of ["", "localhost", "1.2.3", "01.2.3.4", "::1::", "12345::", "1:2:3", "[::1]", "2001:db8::/64", "::1%"]
  ) {
    assert.equal(parseIp(text), undefined, text);
  }
});

Deno.test("canonicalIp: the one form of RFC 5952 §4, with a zone where there is one", () => {
  const cases: [text: string, canonical: string][] = [
    ["192.0.2.1", "192.0.2.1"],
    ["0:0:0:0:0:0:0:1", "::1"],
    ["0:0:0:0:0:0:0:0", "::"],
    ["FD77:0::1", "fd77::1"],
    ["2001:0db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["1:0:0:2:0:0:0:3", "1:0:0:2::3"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["::FFFF:c000:201", "192.0.2.1"],
    ["64:ff9b::192.0.2.1", "64:ff9b::c000:201"],
    ["FE80::1%2", "fe80::1%2"],
    ["fe80::1%02", "fe80::1%2"],
    ["fe80::1%0", "fe80::1"],
    ["fe80::1%no-such-link", "fe80::1%no-such-link"],
    // The system has no zone for these.
    ["::1%lo", "::1"],
    ["fd77::1%3", "fd77::1"],
    ["example.com", "example.com"],
  ];
  for (const [text, canonical] of cases) {
    assert.equal(canonicalIp(text), canonical);
    assert.equal(canonicalIp(canonical), canonical);
  }
});

Deno.test("canonicalIp: the name of an interface becomes its index (RFC 4007 §11.2)", () => {
  for (const [name, addresses = []] of Object.entries(networkInterfaces())) {
    for (const address of addresses) {
      if (address.family !== "IPv6" || address.scopeid === 0) continue;
      assert.equal(canonicalIp(`${address.address}%${name}`), canonicalIp(`${address.address}%${address.scopeid}`));
    }
  }
});

Deno.test("addresses that are dialled and bound, and those of a name, are canonical", async () => {
  assert.equal(parseAddress("[0:0::1]:4433").host, "::1");
  assert.equal(parseAddress("[::ffff:7f00:1]:4433").host, "127.0.0.1");
  assert.equal(parseListenAddress("[0:0:0:0:0:0:0:0]:0").hostname, "::");
  assert.deepEqual(await resolveHost("FD77::01"), ["fd77::1"]);
  for (const text of ["[1:2]:4433", "[12345::]:4433", "[a.b]:4433"]) {
    assert.throws(() => parseAddress(text), { code: "INVALID_ADDRESS" }, text);
  }
});

Deno.test("addressGroup: the unit that one host controls", () => {
  const cases: [address: string, group: string][] = [
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["::FFFF:192.0.2.1", "192.0.2.1"],
    ["::ffff:c000:201", "192.0.2.1"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:0DB8:0001:0002::9", "2001:db8:1:2::/64"],
    ["2001:db8::1", "2001:db8:0:0::/64"],
    ["2001:db8::", "2001:db8:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    ["::", "0:0:0:0::/64"],
    // Behind a translator is all of IPv4 (RFC 6052 §2.1).
    ["64:ff9b::192.0.2.1", "192.0.2.1"],
    ["64:ff9b::cb00:7109", "203.0.113.9"],
    ["64:ff9b:0:0:1::1", "64:ff9b:0:0::/64"],
    // The link-local prefix is on every link (RFC 4291 §2.5.6).
    ["fe80::1%2", "fe80::1%2"],
    ["fe80::beef%3", "fe80::beef%3"],
    ["febf::1%2", "febf::1%2"],
    ["fec0::1", "fec0:0:0:0::/64"],
    // What is a unit already.
    ["2001:db8:1:2::/64", "2001:db8:1:2::/64"],
  ];
  for (const [address, group] of cases) {
    assert.equal(addressGroup(address), group);
    assert.equal(addressGroup(group), group);
  }
});

Deno.test("addressGroups: what one site may have around an IPv6 address, and nothing around others", () => {
  assert.deepEqual(addressGroups("2001:db8:1:2345::9"), [
    "2001:db8:1:2345::/64",
    "2001:db8:1:2300::/56",
    "2001:db8:1::/48",
  ]);
  assert.deepEqual(addressGroups("2001:db8::1"), ["2001:db8:0:0::/64", "2001:db8:0:0::/56", "2001:db8:0::/48"]);
  for (const alone of ["192.0.2.1", "fe80::1%2", "2001:db8:1:2300::/56", "a unit"]) {
    assert.deepEqual(addressGroups(alone), [alone]);
  }
  assert.deepEqual(addressGroups("64:ff9b::c000:201"), ["192.0.2.1"]);
});

Deno.test("parseTarget: an address, or the id of a node alone", () => {
  const nodeId = "47pjoycnsrfmxikm95jh13y88e8qnhzu5kungjpxyepgt7a8krpy";
  for (const text of [nodeId, `pk:${nodeId}`]) assert.deepEqual(parseTarget(text), { kind: "node", nodeId });
  for (const text of ["localhost:4433", `${nodeId}@[::1]:1`, `${nodeId}:1`]) {
    assert.deepEqual(parseTarget(text), { kind: "address", address: parseAddress(text) });
  }
  for (const text of [nodeId.toUpperCase(), `${nodeId.slice(0, -1)}b`, "pk:", `pk:${nodeId}x`, "pk:localhost:1"]) {
    assert.throws(() => parseTarget(text), { code: "INVALID_NODE_ID" }, text);
  }
  for (const text of ["", "localhost", nodeId.slice(1)]) {
    assert.throws(() => parseTarget(text), { code: "INVALID_ADDRESS" }, text);
  }
});
