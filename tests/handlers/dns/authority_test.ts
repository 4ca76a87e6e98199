import { deepEqual, equal, ok } from "node:assert/strict";
import { decodeMessage, encodeMessage, type Message, Rcode } from "../../../handlers/dns/mod.ts";
import { parseName } from "../../../handlers/dns/codec/name.ts";
import { atOnce, line, partsOver, query, record, storeWith } from "./zone.ts";

const WHO = { front: "dot", address: "192.0.2.99" } as const;
const CHAIN = Array.from({ length: 12 }, (_, n) => `chain${n} 60 CNAME chain${n + 1}`);

/** RFC 4592 §2.2.1 in our words, a delegation, chains. */
const ZONE = [
  "ns 3600 A 192.0.2.53",
  "www 60 A 192.0.2.1",
  "www 60 AAAA 2001:db8::1",
  "mail 60 MX 10 www",
  "*.wild 60 TXT wildcard",
  "*.wild 60 MX 10 host1.wild",
  "sub.*.wild 60 TXT sub",
  "host1.wild 60 A 192.0.2.41",
  "_ssh._tcp.host1.wild 60 SRV 0 0 22 host1.wild",
  "subdel.wild 60 NS ns.elsewhere.example.",
  "deep.empty.between 60 A 192.0.2.2",
  "del 60 NS ns.del",
  "del 60 DS 1 15 2 00",
  "ns.del 60 A 192.0.2.77",
  "alias 60 CNAME www",
  "out 60 CNAME www.elsewhere.example.",
  "loop1 60 CNAME loop2",
  "loop2 60 CNAME loop1",
  ...CHAIN,
  "chain12 60 A 192.0.2.12",
];

const [store] = storeWith("home.example", ZONE);
const { engine } = partsOver(store);

function ask(name: string, type = "A", changes: Partial<Message> = {}): Message {
  return atOnce(engine.resolve(query(name, type, changes), WHO));
}

function seen({ rcode, flags, answer, authority, additional }: Message) {
  return {
    rcode,
    aa: flags.aa,
    answer: answer.map(line),
    authority: authority.map(line),
    additional: additional.map(line),
  };
}

const SOA = "home.example 300 SOA ns.home.example. hostmaster.home.example. ";
const empty = { answer: [], authority: [], additional: [] };

/** The SOA's serial depends on when. */
function withoutSerial(texts: readonly string[]): string[] {
  return texts.map((text) => text.startsWith(SOA) ? SOA.trimEnd() : text);
}

const CASES: readonly (readonly [string, string, Partial<ReturnType<typeof seen>>])[] = [
  ["www.home.example", "A", { answer: ["www.home.example 60 A 192.0.2.1"] }],
  ["mail.home.example", "MX", {
    answer: ["mail.home.example 60 MX 10 www.home.example."],
    additional: ["www.home.example 60 A 192.0.2.1", "www.home.example 60 AAAA 2001:db8::1"],
  }],
  ["www.home.example", "TXT", { authority: [SOA.trimEnd()] }],
  ["nope.home.example", "A", { rcode: Rcode.NXDOMAIN, authority: [SOA.trimEnd()] }],
  ["empty.between.home.example", "A", { authority: [SOA.trimEnd()] }],
  ["host3.wild.home.example", "MX", {
    answer: ["host3.wild.home.example 60 MX 10 host1.wild.home.example."],
    additional: ["host1.wild.home.example 60 A 192.0.2.41"],
  }],
  ["host3.wild.home.example", "A", { authority: [SOA.trimEnd()] }],
  ["foo.bar.wild.home.example", "TXT", { answer: ['foo.bar.wild.home.example 60 TXT "wildcard"'] }],
  ["host1.wild.home.example", "MX", { authority: [SOA.trimEnd()] }],
  ["sub.*.wild.home.example", "MX", { authority: [SOA.trimEnd()] }],
  ["_telnet._tcp.host1.wild.home.example", "SRV", { rcode: Rcode.NXDOMAIN, authority: [SOA.trimEnd()] }],
  ["ghost.*.wild.home.example", "MX", { rcode: Rcode.NXDOMAIN, authority: [SOA.trimEnd()] }],
  ["host.subdel.wild.home.example", "A", {
    aa: false,
    authority: ["subdel.wild.home.example 60 NS ns.elsewhere.example."],
  }],
  ["www.del.home.example", "A", {
    aa: false,
    authority: ["del.home.example 60 NS ns.del.home.example."],
    additional: ["ns.del.home.example 60 A 192.0.2.77"],
  }],
  ["del.home.example", "DS", { answer: ["del.home.example 60 DS 1 15 2 00"] }],
  ["alias.home.example", "A", {
    answer: ["alias.home.example 60 CNAME www.home.example.", "www.home.example 60 A 192.0.2.1"],
  }],
  ["alias.home.example", "CNAME", { answer: ["alias.home.example 60 CNAME www.home.example."] }],
  ["alias.home.example", "TXT", {
    answer: ["alias.home.example 60 CNAME www.home.example."],
    authority: [SOA.trimEnd()],
  }],
  ["out.home.example", "A", { answer: ["out.home.example 60 CNAME www.elsewhere.example."] }],
  ["loop1.home.example", "A", {
    answer: ["loop1.home.example 60 CNAME loop2.home.example.", "loop2.home.example 60 CNAME loop1.home.example."],
  }],
  ["www.home.example", "TYPE255", {
    answer: ['www.home.example 3600 HINFO "RFC8482" ""'],
  }],
  ["nope.home.example", "TYPE255", { rcode: Rcode.NXDOMAIN, authority: [SOA.trimEnd()] }],
  ["localhost", "A", { answer: ["localhost 3600 A 127.0.0.1"] }],
  ["x.localhost", "AAAA", { answer: ["x.localhost 3600 AAAA ::1"] }],
  ["printer.local", "A", {
    rcode: Rcode.NXDOMAIN,
    authority: ["local 10800 SOA localhost. nobody.invalid. 1 3600 1200 604800 10800"],
  }],
  ["1.0.168.192.in-addr.arpa", "PTR", {
    rcode: Rcode.NXDOMAIN,
    authority: ["168.192.in-addr.arpa 10800 SOA localhost. nobody.invalid. 1 3600 1200 604800 10800"],
  }],
  ["www.elsewhere.example", "A", { rcode: Rcode.REFUSED, aa: false }],
];

for (const [name, type, expected] of CASES) {
  Deno.test(`${name} ${type}: ${expected.answer?.join(", ") ?? expected.authority?.join(", ") ?? "refused"}`, () => {
    const found = seen(ask(name, type));
    deepEqual({ ...found, authority: withoutSerial(found.authority) }, { rcode: 0, aa: true, ...empty, ...expected });
  });
}

Deno.test("a chain of aliases is followed for eight links and no further", () => {
  const { answer } = ask("chain0.home.example");
  equal(answer.length, 9);
  ok(answer.every(({ type }) => type === 5));
  deepEqual(ask("chain5.home.example").answer.map(line).at(-1), "chain12.home.example 60 A 192.0.2.12");
});

Deno.test("a query keeps its id, RD, CD and letters, cold and from the cache; padding comes on top", () => {
  const { engine, limits } = partsOver(store);
  for (const round of ["cold", "cached", "cached"]) {
    const name = { cold: "WwW.Home.eXample", cached: "www.HOME.example" }[round]!;
    const flags = { aa: false, tc: false, rd: round === "cached", ra: false, ad: false, cd: round === "cold" };
    const edns = { udpSize: 1232, version: 0, dnssecOk: false, options: [] };
    const bytes = atOnce(engine.respond(query(name, "A", { id: round.length, flags, edns }), WHO, { padTo: 468 }));
    equal(bytes.byteLength, 468);
    const answer = decodeMessage(bytes);
    deepEqual([answer.id, answer.flags.rd, answer.flags.cd], [round.length, flags.rd, flags.cd]);
    deepEqual(answer.question!.name.wire, parseName(`${name}.`).wire);
    deepEqual(answer.answer[0].name.wire, parseName(`${name}.`).wire);
    const plain = atOnce(engine.respond(query(name, "A", { id: round.length, flags, edns }), WHO));
    deepEqual(plain, encodeMessage(atOnce(engine.resolve(query(name, "A", { id: round.length, flags, edns }), WHO))));
  }
  equal(engine.stats().answerCache.entries, 1);
  ok(engine.stats().answerCache.hits >= 4);
  ok(limits.answerCache > 0);
});

Deno.test("a change of a zone is in the next answer, cached or not", () => {
  const [store, zone] = storeWith("a.example", ["www 60 A 192.0.2.1"]);
  const { engine } = partsOver(store);
  const now = () => decodeMessage(atOnce(engine.respond(query("www.a.example"), WHO))).answer.map(line);
  now();
  deepEqual(now(), ["www.a.example 60 A 192.0.2.1"]);
  store.zones.apply(zone, { add: [record("www 60 A 192.0.2.2", "a.example")] });
  deepEqual(now(), ["www.a.example 60 A 192.0.2.1", "www.a.example 60 A 192.0.2.2"]);
  store.zones.remove(zone);
  equal(decodeMessage(atOnce(engine.respond(query("www.a.example"), WHO))).rcode, Rcode.REFUSED);
});

Deno.test("other opcodes, classes and types of questions are refused", () => {
  equal(ask("www.home.example", "A", { opcode: 5 }).rcode, Rcode.NOTIMP);
  for (const type of ["TYPE0", "OPT".replace("OPT", "TYPE41"), "TYPE252", "TYPE251"]) {
    equal(ask("www.home.example", type).rcode, Rcode.REFUSED);
  }
  const question = { name: parseName("www.home.example."), type: 1, class: 3 };
  equal(ask("www.home.example", "A", { question }).rcode, Rcode.REFUSED);
});

Deno.test("who asks for too many names that are not there is refused for a while, and others are not", () => {
  const { engine } = partsOver(store, { negativeRate: { perSecond: 1, burst: 3 } });
  const codes = (address: string) =>
    Array.from({ length: 5 }, (_, n) => atOnce(engine.resolve(query(`x${n}.home.example`), { ...WHO, address })).rcode);
  deepEqual(codes("192.0.2.1"), [3, 3, 3, 5, 5]);
  deepEqual(codes("192.0.2.2"), [3, 3, 3, 5, 5]);
  equal(atOnce(engine.resolve(query("www.home.example"), { ...WHO, address: "192.0.2.1" })).rcode, 0);
});
