/**
 * What a node says of itself in a packet (row 77 of dns.md §11).
 *
 * @module
 */
import { deepEqual, equal, throws } from "node:assert/strict";
import { createHash } from "node:crypto";
import { formatType } from "../../../../handlers/dns/codec/mnemonics.ts";
import { formatName } from "../../../../handlers/dns/codec/name.ts";
import { formatRdata } from "../../../../handlers/dns/codec/rdata_text.ts";
import { isNearby, nodeRecord, nodeRecords, SignedPacket } from "../../../../handlers/dns/mod.ts";
import { KEY, packet, TIME } from "../pkarr/packets.ts";

const EXAMPLE = {
  addresses: ["192.0.2.7:4433", "[2001:db8::7]:4433"],
  alpns: ["alknet/ssh", "alknet/call", "h2"],
  expires: 1_764_374_400,
};
const SECONDS = Number(TIME / 1_000_000n);

function read(text: string) {
  return nodeRecord(packet(text));
}

Deno.test("the example is written to the byte, and read (row 77)", () => {
  const signed = SignedPacket.sign(KEY, nodeRecords(KEY.id, EXAMPLE), TIME + 1n);
  const payload = signed.toRelayPayload();
  equal(payload.byteLength - 72, 226);
  equal(createHash("sha256").update(payload).digest("hex").slice(0, 32), "184078421304668d5a7ac8954dcfc081");
  deepEqual(nodeRecord(signed), EXAMPLE);
});

Deno.test("what is malformed counts as absent, what is unknown is ignored, several strings are joined (row 77)", () => {
  const addr = '_alknet 300 TXT "addr=192.0.2.7:1"';
  const good = { addresses: ["192.0.2.7:1"], alpns: [], expires: SECONDS + 86_400 };
  const cases: readonly (readonly [string, string, ReturnType<typeof read>])[] = [
    ["plain", `_alknet 300 TXT v=1\n${addr}`, good],
    ["v missing", addr, undefined],
    ["v twice", `_alknet 300 TXT v=1\n_alknet 200 TXT v=1 ""\n${addr}`, undefined],
    ["v another", `_alknet 300 TXT v=2\n${addr}`, undefined],
    ["unknown keys", `_alknet 300 TXT v=1\n_alknet 300 TXT new=1\n_alknet 300 TXT word\n${addr}`, good],
    ["two strings", '_alknet 300 TXT v=1\n_alknet 300 TXT "addr=192.0.2" ".7:1"', good],
    ["another type", `_alknet 300 TXT v=1\n_alknet 300 A 192.0.2.1\n${addr}`, good],
    ["another name", `_alknet 300 TXT v=1\nx._alknet 300 TXT "addr=192.0.2.8:1"\n${addr}`, good],
    ["not ASCII", `_alknet 300 TXT v=1\n_alknet 300 TXT "addr=\\228.example:1"\n${addr}`, good],
    ["exp", `_alknet 300 TXT v=1\n${addr}\n_alknet 300 TXT exp=7`, { ...good, expires: 7 }],
    ["exp malformed", `_alknet 300 TXT v=1\n${addr}\n_alknet 300 TXT exp=-7`, good],
    ["exp twice", `_alknet 300 TXT v=1\n${addr}\n_alknet 300 TXT exp=7\n_alknet 300 TXT exp=8`, good],
    ["alpn", `_alknet 300 TXT v=1\n${addr}\n_alknet 300 TXT alpn=a,b=c`, { ...good, alpns: ["a", "b=c"] }],
    ["alpn malformed", `_alknet 300 TXT v=1\n${addr}\n_alknet 300 TXT alpn=a,,b`, good],
    ["alpn twice", `_alknet 300 TXT v=1\n${addr}\n_alknet 300 TXT alpn=a\n_alknet 300 TXT alpn=b`, good],
    ["nothing", "x 300 TXT x", undefined],
  ];
  for (const [what, text, wanted] of cases) deepEqual(read(text), wanted, what);
  const addresses = ["x.example:443", "[2001:db8::1]:9", "192.0.2.1:65536", "192.0.2.1", "2001:db8::1:9", ":1", "a b:1"]
    .concat(`${KEY.id}@192.0.2.1:1`, "192.0.2.1:0", "x.example:443");
  const lines = addresses.map((text) => `_alknet 300 TXT "addr=${text}"`);
  deepEqual(read(["_alknet 300 TXT v=1", ...lines].join("\n"))?.addresses, ["x.example:443", "[2001:db8::1]:9"]);
});

Deno.test("for browsers: one port, the addresses that have it, and no names", () => {
  const addresses = ["x.example:9", "192.0.2.7:443", "192.0.2.8:80", "[2001:db8::7]:443"];
  const told = nodeRecords(KEY.id, { ...EXAMPLE, addresses, https: true });
  const apex = told.filter(({ name }) => formatName(name) === `${KEY.id}.`);
  deepEqual(apex.map(({ type, data }) => `${formatType(type)} ${formatRdata(type, data)}`), [
    'HTTPS 1 . alpn="h2,http/1.1" port=443',
    "A 192.0.2.7",
    "AAAA 2001:db8::7",
  ]);
  equal(nodeRecords(KEY.id, { ...EXAMPLE, addresses: ["x.example:9"], https: true }).length, 4);
});

Deno.test("8 addresses at most; those for iroh are read too", () => {
  const many = Array.from({ length: 20 }, (_, n) => `192.0.2.${n}:1`);
  const signed = SignedPacket.sign(KEY, nodeRecords(KEY.id, { ...EXAMPLE, addresses: many, alpns: [] }), TIME);
  deepEqual(nodeRecord(signed)?.addresses, many.slice(0, 8));
  const iroh = '_iroh 30 TXT "relay=https://relay.example/"\n_iroh 30 TXT "addr=192.0.2.9:2"';
  deepEqual(read(iroh)?.addresses, ["192.0.2.9:2"]);
  deepEqual(read(`_alknet 30 TXT v=1\n_alknet 30 TXT addr=192.0.2.7:1\n${iroh}`)?.addresses, [
    "192.0.2.7:1",
    "192.0.2.9:2",
  ]);
});

Deno.test("addresses that mean something only nearby", () => {
  const nearby = ["127.0.0.1:1", "10.1.2.3:1", "192.168.0.1:1", "169.254.1.1:1", "100.64.0.1:1", "224.0.0.1:1"]
    .concat("255.255.255.255:1", "0.0.0.0:1", "[::1]:1", "[fe80::1]:1", "[fc00::1]:1", "[ff02::1]:1", "[::]:1")
    .concat("[::ffff:10.0.0.1]:1", "localhost:1", "x.localhost:1");
  for (const address of nearby) equal(isNearby(address), true, address);
  for (const address of ["192.0.2.1:1", "[2001:db8::1]:1", "x.example:1", "9.9.9.9:1"]) {
    equal(isNearby(address), false, address);
  }
  for (const text of ["x", `${KEY.id}@192.0.2.1:1`]) throws(() => isNearby(text), { code: "INVALID_ADDRESS" });
});
