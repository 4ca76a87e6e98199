/**
 * Signed packets: published vectors, the npm package and the crate `pkarr`, and what is none (rows 58 to 60 of dns.md §11).
 *
 * @module
 */
import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { ed25519Verify } from "@alknet/core/crypto";
import { NodeKey } from "@alknet/core/identity";
import { Buffer } from "node:buffer";
import { encodeMessage, type Message, PkarrInvalidError, SignedPacket } from "../../../../handlers/dns/mod.ts";
import { runProgram } from "../../../support/process.ts";
import { needs } from "../../../support/programs.ts";
import { NODE_PEERS, ROOT } from "../../../support/python.ts";
import { PKARR_PEER } from "../../../support/rust.ts";
import vectors from "../../../vectors/z-base-32.json" with { type: "json" };
import { line, query } from "../zone.ts";
import { KEY, now, packet, signedBytes, TIME } from "./packets.ts";

const TEXT = `
_alknet 300 TXT "v=1"
_alknet 300 TXT "addr=192.0.2.7:4433"
_iroh 300 TXT "addr=192.0.2.7:4433"`;

function fault(read: () => unknown): string {
  let found = "none";
  throws(read, (error) => {
    found = error instanceof PkarrInvalidError ? error.fault : String(error);
    return error instanceof PkarrInvalidError && error.code === "PKARR_INVALID";
  });
  return found;
}

function payloadOf(signed: string): [Uint8Array, Uint8Array] {
  const bytes = Uint8Array.fromHex(signed);
  return [bytes.subarray(0, 32), bytes.subarray(32)];
}

Deno.test("a packet is written and signed to the byte (row 58)", () => {
  const message = "000080000000000300000000075f616c6b6e657434" +
    "3437706a6f79636e7372666d78696b6d39356a6831337938386538716e687a75356b756e676a707879657067743761386b72707900" +
    "001000010000012c000403763d31c00c001000010000012c001413616464723d3139322e302e322e373a34343333" +
    "055f69726f68c014001000010000012c001413616464723d3139322e302e322e373a34343333";
  const signature = "1a6e90548ff81578ee2b7baf66859edf4f98ec889ef8317d2505079c37dd4ea5" +
    "a7b59f7689fb021b2f4908724fd915407ae9fad3aa15e02162a9855bde0b5e05";
  const signed = packet(TEXT);
  equal(signed.toRelayPayload().toHex(), `${signature}0006449c4f858000${message}`);
  const read = SignedPacket.fromRelayPayload(KEY.publicKey, signed.toRelayPayload(), { now });
  deepEqual([read.nodeId, read.timestamp], [KEY.id, TIME]);
  deepEqual(read.records.map(line), [
    `_alknet.${KEY.id} 300 TXT "v=1"`,
    `_alknet.${KEY.id} 300 TXT "addr=192.0.2.7:4433"`,
    `_iroh.${KEY.id} 300 TXT "addr=192.0.2.7:4433"`,
  ]);
});

Deno.test("packets of iroh and of pkarr are read, and signed again to the byte (row 59)", () => {
  let compressedAsOurs = 0;
  for (const one of vectors.signed_packets) {
    const { name, secret, dns_packet: message, relay_payload: payload } = one;
    const [key, timestamp] = [NodeKey.fromSeed(Uint8Array.fromHex(secret)), BigInt(one.timestamp_us)];
    const read = SignedPacket.fromRelayPayload(Uint8Array.fromHex(one.public), Uint8Array.fromHex(payload));
    equal(read.timestamp, timestamp, name);
    deepEqual(read.records.map((record) => line(record).split(" ")[0]), one.records.map((record) => record.name), name);
    equal(read.toRelayPayload().toHex(), payload, name);
    equal(signedBytes(key, Uint8Array.fromHex(message), timestamp).toHex(), payload, name);
    const again = SignedPacket.sign(key, read.records, timestamp);
    if (again.toRelayPayload().toHex() === payload) compressedAsOurs++;
    deepEqual(again.records, read.records);
  }
  // Some of those that made them compress less.
  deepEqual([vectors.signed_packets.length, compressedAsOurs], [5, 3]);
  const unsalted = vectors.bep44.filter(({ salt, signature }) => salt === "" && signature);
  ok(unsalted.length > 0);
  for (const { name, signed, public: key, signature } of unsalted) {
    ok(ed25519Verify(Uint8Array.fromHex(key!), Buffer.from(signed!), Uint8Array.fromHex(signature!)), name);
  }
});

Deno.test("what is no packet of its key is refused by its fault (row 60)", () => {
  const faults = vectors.signed_packets_invalid.map(({ signed_packet, reason }) => {
    const [key, payload] = payloadOf(signed_packet);
    if (key.byteLength < 32) return [reason, "size"];
    return [reason, fault(() => SignedPacket.fromRelayPayload(key, payload))];
  });
  for (const [reason, found] of faults) {
    ok(["size", "signature", "message"].includes(found), `${reason}: ${found}`);
  }
  const good = packet(TEXT).toRelayPayload();
  const read = (payload: Uint8Array) => SignedPacket.fromRelayPayload(KEY.publicKey, payload, { now });
  for (let bit = 0; bit < 8 * good.byteLength; bit += 5) {
    const flipped = good.slice();
    flipped[bit >> 3] ^= 1 << (bit & 7);
    equal(fault(() => read(flipped)), "signature", `bit ${bit}`);
  }
  equal(fault(() => SignedPacket.fromRelayPayload(NodeKey.generate().publicKey, good, { now })), "signature");
  const ahead = TIME + 86_400_000_000n;
  equal(read(packet(TEXT, ahead).toRelayPayload()).timestamp, ahead);
  equal(fault(() => read(packet(TEXT, ahead + 1n).toRelayPayload())), "timestamp");
  equal(fault(() => read(signedBytes(KEY, good.subarray(72), (1n << 64n) - 1n))), "timestamp");
});

Deno.test("a message that is no list of answers is refused, however well it is signed (row 60)", () => {
  const answer = packet(TEXT).records;
  const good: Message = { ...query("x"), id: 0, response: true, question: undefined, answer };
  const cases: readonly (readonly [string, Message | Uint8Array, string])[] = [
    ["good", good, "none"],
    ["an id", { ...good, id: 7 }, "message"],
    ["a question", { ...good, question: query(KEY.id).question }, "message"],
    ["a query", { ...query(KEY.id), id: 0 }, "message"],
    ["authority", { ...good, answer: [], authority: answer }, "message"],
    ["additional", { ...good, answer: [], additional: answer }, "message"],
    ["a code", { ...good, rcode: 3 }, "message"],
    ["EDNS", { ...good, edns: { udpSize: 1232, version: 0, dnssecOk: false, options: [] } }, "message"],
    ["bytes behind", Uint8Array.of(...encodeMessage(good), 0), "message"],
    ["cut off", encodeMessage(good).slice(0, -1), "message"],
    ["11 bytes", encodeMessage(good).slice(0, 11), "size"],
    ["1001 bytes", new Uint8Array(1001), "size"],
    ["a foreign name", { ...good, answer: packet(TEXT, TIME, NodeKey.generate()).records }, "names"],
    ["a name that only ends alike", {
      ...good,
      answer: [{ ...answer[0], name: query(`x${KEY.id}`).question!.name }],
    }, "names"],
  ];
  for (const [what, message, wanted] of cases) {
    const bytes = message instanceof Uint8Array ? message : encodeMessage(message);
    const read = () => SignedPacket.fromRelayPayload(KEY.publicKey, signedBytes(KEY, bytes), { now });
    if (wanted === "none") read();
    else equal(fault(read), wanted, what);
  }
});

Deno.test("signing refuses foreign names, times before 1970 and more than 1000 bytes", () => {
  equal(fault(() => SignedPacket.sign(KEY, packet(TEXT, TIME, NodeKey.generate()).records, TIME)), "names");
  equal(fault(() => SignedPacket.sign(KEY, [], -1n)), "timestamp");
  const long = (last: number) =>
    `x 300 TXT ${"abc".split("").map((one) => one.repeat(255)).join(" ")} ${"d".repeat(last)}`;
  const fits = 1000 - (packet(long(1)).toRelayPayload().byteLength - 73);
  const full = packet(long(fits));
  equal(full.toRelayPayload().byteLength, 1072);
  throws(() => packet(long(fits + 1)), { code: "PKARR_TOO_LARGE" });
});

Deno.test("the larger timestamp is newer, and of equal ones the larger message", () => {
  const [a, b] = ["a", "b"].map((text) => packet(`x 300 TXT ${text}`));
  ok(b.isNewerThan(a) && !a.isNewerThan(b) && !a.isNewerThan(a));
  ok(packet("x 300 TXT a", TIME + 1n).isNewerThan(b));
});

Deno.test({
  name: "the npm package pkarr reads our packets, and we read its (row 59)",
  ...needs("pkarr"),
  async fn() {
    const seed = "07".repeat(32);
    const key = NodeKey.fromSeed(Uint8Array.fromHex(seed));
    const text = `
@ 60 A 192.0.2.7
_alknet 300 TXT "v=1"
www 30 CNAME @
www.deep 30 AAAA 2001:db8::7`;
    const ours = packet(text, TIME, key).toRelayPayload().toHex();
    const script = `${ROOT}tests/peers/pkarr.mjs`;
    const { code, stdout, stderr } = await runProgram("node", [script, "read", seed, ours], { cwd: NODE_PEERS });
    equal(code, 0, stderr);
    const { read, made } = JSON.parse(stdout);
    deepEqual(read, {
      timestamp: Number(TIME),
      answers: [
        [key.id, "A", 60, "192.0.2.7"],
        [`_alknet.${key.id}`, "TXT", 300, "v=1"],
        [`www.${key.id}`, "CNAME", 30, key.id],
        [`www.deep.${key.id}`, "AAAA", 30, "2001:db8::7"],
      ],
    });
    const theirs = SignedPacket.fromRelayPayload(key.publicKey, Uint8Array.fromHex(made), { now });
    deepEqual(theirs.records.map(line), packet(text, TIME, key).records.map(line));
    deepEqual(theirs.timestamp, TIME);
  },
});

Deno.test({
  name: "the crate pkarr reads our packets, and signs them again to the byte (row 59)",
  ...needs("pkarr-peer"),
  async fn() {
    const seed = "07".repeat(32);
    const key = NodeKey.fromSeed(Uint8Array.fromHex(seed));
    const texts = [
      TEXT,
      '@ 60 A 192.0.2.7\nwww.deep 30 AAAA 2001:db8::7\n_iroh 30 TXT "relay=https://relay.example/"',
      '@ 60 HTTPS 1 . alpn="h2,http/1.1" port=4433\n_srv 60 SRV 1 2 3 host.example.\nx 60 MX 10 mail.example.',
      "",
    ];
    for (const [n, text] of texts.entries()) {
      const ours = packet(text, TIME, key);
      const payload = ours.toRelayPayload().toHex();
      const { code, stdout, stderr } = await runProgram(PKARR_PEER, [seed, payload]);
      equal(code, 0, stderr);
      const lines = stdout.trim().split("\n");
      deepEqual(lines.slice(0, -1), [
        `timestamp ${TIME}`,
        ...ours.records.map((record) => `record ${line(record).split(" ").slice(0, 3).join(" ")}`),
      ]);
      const made = Uint8Array.fromHex(lines.at(-1)!.slice("made ".length));
      const theirs = SignedPacket.fromRelayPayload(key.publicKey, made, { now });
      deepEqual([theirs.timestamp, theirs.records], [TIME, ours.records]);
      if (n < 2) equal(made.toHex(), payload);
    }
  },
});
