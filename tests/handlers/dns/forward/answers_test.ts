/**
 * What upstreams are asked, and what is taken of their answers (rows 51 to 53, 55, 56 of dns.md §11).
 *
 * @module
 */
import { deepEqual, equal, notEqual, ok } from "node:assert/strict";
import type { Message } from "../../../../handlers/dns/mod.ts";
import { asks, bytesOf, forwarding, says, settled, SpokenUpstream, zoneName } from "./upstream.ts";

const NAME = "www.example.org";
const A = `${NAME}. 60 A 192.0.2.1`;
const SOA = "example.org. 3600 SOA ns.example.org. mail.example.org. 1 3600 600 86400 3600";

Deno.test("a thousand equal questions, in whatever letters, are one; it holds nothing of who asks (row 52)", async () => {
  const upstream = new SpokenUpstream((query) => [says(query, [A])]);
  using made = forwarding([upstream]);
  const options = [{ code: 8, data: Uint8Array.of(0, 1, 24, 0, 192, 0, 2) }, { code: 10, data: new Uint8Array(8) }];
  const edns = { udpSize: 4096, version: 0, dnssecOk: false, options };
  const answers = await Promise.all(Array.from({ length: 1000 }, (_, n) => {
    const name = [...NAME].map((letter, i) => n >> (i % 10) & 1 ? letter.toUpperCase() : letter).join("");
    return made.ask(asks(name, "A", { edns }));
  }));
  equal(upstream.asked.length, 1);
  ok(answers.every(({ rcode, answer }) => rcode === 0 && answer[0].toLowerCase() === `${NAME} 60 a 192.0.2.1`));
  deepEqual(answers[3].answer, ["WWw.examplE.org 60 A 192.0.2.1"]);
  const [{ query, bytes }] = upstream.asked;
  equal(bytes.byteLength % 128, 0);
  deepEqual(query.edns!.options.map(({ code }) => code), [12]);
  deepEqual([query.edns!.udpSize, query.flags.rd, query.flags.cd, query.edns!.dnssecOk], [1232, true, false, false]);
  ok(!String.fromCharCode(...bytes).includes("WWW"));
});

Deno.test("ids of questions cannot be foretold", async () => {
  const upstream = new SpokenUpstream((query) => [says(query, [])]);
  using made = forwarding([upstream]);
  for (let n = 0; n < 50; n++) await made.ask(asks(`n${n}.example.org`));
  const ids = upstream.asked.map(({ query }) => query.id);
  const steps = new Set(ids.slice(1).map((id, n) => id - ids[n]));
  ok(steps.size > 45, `${ids}`);
});

const lies: readonly (readonly [string, (query: Message) => Message | Uint8Array])[] = [
  ["another id", (query) => says(query, [A], { id: query.id ^ 1 })],
  ["another name", (query) => says(query, [A], { question: { ...query.question!, name: zoneName("a.example.org") } })],
  ["another type", (query) => says(query, [A], { question: { ...query.question!, type: 28 } })],
  ["no question", (query) => says(query, [A], { question: undefined })],
  ["a query", (query) => query],
  ["another opcode", (query) => says(query, [A], { opcode: 5 })],
  ["half an answer", (query) => says(query, [A], { flags: { ...query.flags, tc: true } })],
  ["a circle", (query) => says(query, [`${NAME}. 60 CNAME a.example.org.`, `a.example.org. 60 CNAME ${NAME}.`])],
  ["bytes that are no message", (query) => bytesOf(says(query, [A])).slice(0, -1)],
  ["a failure", (query) => says(query, [], { rcode: 2 })],
  ["a refusal", (query) => says(query, [], { rcode: 5 })],
];
for (const [title, lie] of lies) {
  Deno.test(`${title} is no answer: not used, not kept, and the next upstream is asked (row 51)`, async () => {
    const liar = new SpokenUpstream((query) => [lie(query)]);
    const honest = new SpokenUpstream((query) => [says(query, [A])]);
    {
      using made = forwarding([liar]);
      const asking = made.ask(asks(NAME));
      await liar.askedTimes(1);
      await settled();
      made.clock.pass(4000);
      const { rcode, answer, errors } = await asking;
      deepEqual([rcode, answer], [2, []]);
      notEqual(errors[0], 22);
    }
    using made = forwarding([liar, honest]);
    const asking = made.ask(asks(NAME));
    await liar.askedTimes(2);
    await settled();
    made.clock.pass(200);
    deepEqual((await asking).answer, [`${NAME} 60 A 192.0.2.1`]);
    liar.speaks = () => [];
    deepEqual((await made.ask(asks(NAME))).answer, [`${NAME} 60 A 192.0.2.1`]);
  });
}

Deno.test("records that belong to no part of the answer are not used, and answer no other question (row 51)", async () => {
  const extra = ["victim.example. 60 A 203.0.113.66", "www.victim.example. 60 CNAME evil.example."];
  const upstream = new SpokenUpstream((query) =>
    query.question!.name.key === zoneName(NAME).key
      ? [
        says(query, [
          ...extra,
          "b.example.org. 60 A 192.0.2.2",
          `${NAME}. 60 CNAME b.example.org.`,
          ";",
          "example. 60 NS e.",
        ]),
      ]
      : [says(query, [";", SOA])]
  );
  using made = forwarding([upstream]);
  const { answer, authority } = await made.ask(asks(NAME));
  deepEqual(answer, [`${NAME} 60 CNAME b.example.org.`, "b.example.org 60 A 192.0.2.2"]);
  deepEqual(authority, []);
  for (const name of ["victim.example", "www.victim.example", "b.example.org"]) {
    deepEqual((await made.ask(asks(name))).answer, []);
  }
  equal(upstream.asked.length, 4);
  // A SOA of a zone in which the name is not says nothing of it: the answer is not kept.
  upstream.speaks = (query) => [says(query, [";", SOA], { rcode: 3 })];
  for (const more of [5, 6]) {
    const { rcode, authority } = await made.ask(asks("www.example.net"));
    deepEqual([rcode, authority, upstream.asked.length], [3, [], more]);
  }
});

Deno.test("a chain may be in any order, and made by a DNAME", async () => {
  const lines = [
    "www.example.net. 60 A 192.0.2.3",
    "b.example.org. 60 CNAME www.sub.example.org.",
    "sub.example.org. 60 DNAME example.net.",
    `${NAME}. 60 CNAME b.example.org.`,
    "www.sub.example.org. 60 CNAME www.example.net.",
    "other.example.org. 60 DNAME example.net.",
  ];
  const upstream = new SpokenUpstream((query) => [says(query, lines)]);
  using made = forwarding([upstream]);
  deepEqual((await made.ask(asks(NAME))).answer, [
    `${NAME} 60 CNAME b.example.org.`,
    "b.example.org 60 CNAME www.sub.example.org.",
    "sub.example.org 60 DNAME example.net.",
    "www.sub.example.org 60 CNAME www.example.net.",
    "www.example.net 60 A 192.0.2.3",
  ]);
  deepEqual((await made.ask(asks(NAME, "CNAME"))).answer, [`${NAME} 60 CNAME b.example.org.`]);
});

Deno.test("TTLs are five seconds to a day, and count down; what is not there is kept for 15 minutes (row 53)", async () => {
  const answers: Record<string, readonly string[]> = {
    zero: ["zero.example.org. 0 A 192.0.2.1"],
    huge: ["huge.example.org. 2147483647 A 192.0.2.1"],
    two: ["two.example.org. 300 A 192.0.2.1", "two.example.org. 300 A 192.0.2.2"],
    none: [";", SOA],
    bare: [],
  };
  const upstream = new SpokenUpstream((
    query,
  ) => [says(query, answers[new TextDecoder().decode(query.question!.name.wire.slice(1, 5)).replace(/\W.*/s, "")])]);
  using made = forwarding([upstream]);
  const lines = async (name: string) => (await made.ask(asks(`${name}.example.org`))).answer;
  deepEqual(await lines("zero"), ["zero.example.org 5 A 192.0.2.1"]);
  deepEqual(await lines("huge"), ["huge.example.org 86400 A 192.0.2.1"]);
  await lines("two");
  made.clock.pass(4900);
  deepEqual(await lines("zero"), ["zero.example.org 1 A 192.0.2.1"]);
  made.clock.pass(95_100);
  deepEqual(await lines("two"), ["two.example.org 200 A 192.0.2.1", "two.example.org 200 A 192.0.2.2"]);
  deepEqual(await lines("huge"), ["huge.example.org 86300 A 192.0.2.1"]);
  const { rcode, authority } = await made.ask(asks("none.example.org"));
  deepEqual([rcode, authority], [0, ["example.org 900 SOA ns.example.org. mail.example.org. 1 3600 600 86400 3600"]]);
  const before = upstream.asked.length;
  made.clock.pass(800_000);
  await made.ask(asks("none.example.org"));
  equal(upstream.asked.length, before);
  made.clock.pass(101_000);
  await made.ask(asks("none.example.org"));
  equal(upstream.asked.length, before + 1);
  for (const more of [2, 3]) {
    await made.ask(asks("bare.example.org"));
    equal(upstream.asked.length, before + more);
  }
});

const PRIVATE = ["0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "169.254.1.1", "172.31.0.1", "192.168.0.1"];
const PRIVATE_V6 = [
  "::",
  "::1",
  "fc00::1",
  "fd12::1",
  "fe80::1",
  "fec0::1",
  "::ffff:10.0.0.1",
  "64:ff9b::7f00:1",
  "::7f00:1",
];
const PUBLIC = ["192.0.2.1", "172.32.0.1", "100.128.0.1", "11.0.0.1"];

Deno.test("private addresses from outside are taken out, in hints too, but for zones that are private (row 55)", async () => {
  let lines: string[] = [];
  const upstream = new SpokenUpstream((query) => [says(query, lines)]);
  using made = forwarding([upstream], {}, { privateZones: [zoneName("home.example")] });
  let n = 0;
  const ask = async (type: string, data: string, zone = "example.org") => {
    const name = `n${n++}.${zone}`;
    lines = [`${name}. 60 ${type} ${data}`];
    return await made.ask(asks(name, type));
  };
  for (const address of PRIVATE) {
    deepEqual(await ask("A", address), { answer: [], authority: [], rcode: 0, errors: [17], ad: false }, address);
    equal((await ask("A", address, "home.example")).answer.length, 1, address);
  }
  for (const address of PRIVATE_V6) deepEqual((await ask("AAAA", address)).errors, [17], address);
  for (const address of PUBLIC) equal((await ask("A", address)).answer.length, 1, address);
  equal((await ask("AAAA", "2001:db8::1")).answer.length, 1);
  deepEqual((await ask("HTTPS", "1 . alpn=h2 ipv4hint=192.0.2.1,10.0.0.1")).errors, [17]);
  deepEqual((await ask("SVCB", "1 a.example. alpn=h2 ipv6hint=::1")).errors, [17]);
  equal((await ask("HTTPS", "1 . alpn=h2 ipv4hint=192.0.2.1")).answer.length, 1);
  // A name outside that points into a private zone is outside.
  lines = ["x.example.org. 60 CNAME nas.home.example.", "nas.home.example. 60 A 192.168.0.9"];
  deepEqual((await made.ask(asks("x.example.org"))).answer, ["x.example.org 60 CNAME nas.home.example."]);
  lines = ["y.example.org. 60 A 192.0.2.1", "y.example.org. 60 A 192.168.0.9"];
  const { answer, errors } = await made.ask(asks("y.example.org"));
  deepEqual([answer, errors], [["y.example.org 60 A 192.0.2.1"], [17]]);
});

Deno.test("DO and CD go along and are questions of their own; AD is for who asks, of who is believed (row 56)", async () => {
  const signature = `${NAME}. 60 TYPE46 \\# 20 0001080200000e10000000000000000000010000`;
  const speaks = (query: Message) => [
    says(query, [A, signature, ";", SOA, `a.example.org. 60 TYPE47 \\# 4 00000140`], {
      flags: { ...query.flags, ra: true, ad: true },
    }),
  ];
  const dnssec = { udpSize: 1232, version: 0, dnssecOk: true, options: [] };
  const flags = asks(NAME).flags;
  for (const trustAd of [true, false]) {
    const upstream = new SpokenUpstream(speaks, { trustAd });
    using made = forwarding([upstream]);
    const plain = await made.ask(asks(NAME));
    deepEqual([plain.answer.length, plain.authority.length, plain.ad], [1, 0, false]);
    const signed = await made.ask(asks(NAME, "A", { edns: dnssec }));
    deepEqual([signed.answer.length, signed.authority.length, signed.ad], [2, 1, trustAd]);
    equal((await made.ask(asks(NAME, "A", { flags: { ...flags, ad: true } }))).ad, trustAd);
    equal((await made.ask(asks(NAME, "A", { flags: { ...flags, ad: true }, edns: undefined }))).ad, trustAd);
    await made.ask(asks(NAME, "A", { flags: { ...flags, cd: true } }));
    deepEqual(
      upstream.asked.map(({ query }) => [query.edns!.dnssecOk, query.flags.cd]),
      [[false, false], [true, false], [false, true]],
    );
  }
});
