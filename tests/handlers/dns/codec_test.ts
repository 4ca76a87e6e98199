import { deepEqual, equal, ok, throws } from "node:assert/strict";
import {
  decodeMessage,
  DnsMalformedError,
  DnsSyntaxError,
  encodeMessage,
  formatName,
  formatRdata,
  type Message,
  parseDuration,
  parseName,
  parseRdata,
  parseType,
  wordsOf,
} from "../../../handlers/dns/mod.ts";
import { nameOfKey } from "../../../handlers/dns/codec/name.ts";
import { seeded } from "../../support/random.ts";
import { query, record } from "./zone.ts";

/** Bytes from hexadecimal digits with blanks. */
function hex(text: string): Uint8Array {
  return Uint8Array.fromHex(text.replace(/\s/g, ""));
}

/** The query of dns.md §2.1: padded to 128 bytes. */
const QUERY = hex(
  "1234 0100 0001 0000 0000 0001 03777777 076578616d706c65 036f7267 00 0001 0001 00 0029 04d0 00000000 0054 000c 0050" +
    "00".repeat(80),
);
/** The answer of dns.md §2.2, without its length. */
const ANSWER = hex(
  "0000 8500 0001 0001 0000 0000 03777777 076578616d706c65 036f7267 00 0001 0001 c00c 0001 0001 0000003c 0004 c0000201",
);

Deno.test("a query and an answer of the specification are read and written byte for byte", () => {
  equal(QUERY.byteLength, 128);
  const message = decodeMessage(QUERY);
  deepEqual([message.id, message.flags.rd, formatName(message.question!.name)], [0x1234, true, "www.example.org."]);
  deepEqual(message.edns!.options.map(({ code, data }) => [code, data.byteLength]), [[12, 80]]);
  const plain = { ...message, edns: { ...message.edns!, options: [] } };
  deepEqual(encodeMessage(plain, { padTo: 128 }), QUERY);
  const answer = decodeMessage(ANSWER);
  deepEqual(answer.answer.map(({ ttl, data }) => [ttl, ...data]), [[60, 192, 0, 2, 1]]);
  deepEqual(encodeMessage(answer), ANSWER);
});

const HEAD = "0001 0000 0001 0000 0000 0000";
const MALFORMED: readonly (readonly [string, string, number?])[] = [
  ["a pointer to itself", `${HEAD} c00c 0001 0001`],
  ["a pointer ahead", `${HEAD} c00e 0001 0001`],
  ["a pointer into the header", `${HEAD} c004 0001 0001`],
  ["pointers in a circle", "0001 8000 0001 0001 0000 0000 0161 c00c 0001 0001 c00c 0001 0001 00000000 0004 01020304"],
  ["a label of 64 bytes", `${HEAD} 40 ${"61".repeat(64)} 00 0001 0001`],
  ["a label of another type", `${HEAD} 80 61 00 0001 0001`],
  ["a name of 256 bytes", `${HEAD} ${`3f${"61".repeat(63)}`.repeat(3)} 3e ${"61".repeat(62)} 00 0001 0001`],
  ["65,535 questions", "0001 0000 ffff 0000 0000 0000 00 0001 0001"],
  ["65,535 records", "0001 0000 0001 0000 0000 ffff 00 0001 0001"],
  ["no question", "0001 0000 0000 0000 0000 0000"],
  ["two questions", "0001 0000 0002 0000 0000 0000 00 0001 0001 00 0001 0001"],
  ["an answer in a query", "0001 0000 0001 0001 0000 0000 00 0001 0001 00 0001 0001 00000000 0004 01020304"],
  ["bytes behind it", `${HEAD} 00 0001 0001 00`],
  ["a question that is cut off", `${HEAD} 00 0001 00`],
  ["two OPT", "0001 0000 0001 0000 0000 0002 00 0001 0001 00 0029 0200 00000000 0000 00 0029 0200 00000000 0000"],
  ["an OPT with an owner", "0001 0000 0001 0000 0000 0001 00 0001 0001 0161 00 0029 0200 00000000 0000"],
  ["EDNS of version 1", "0001 0000 0001 0000 0000 0001 00 0001 0001 00 0029 0200 00010000 0000", 16],
  ["an option that is cut off", "0001 0000 0001 0000 0000 0001 00 0001 0001 00 0029 0200 00000000 0003 000a 00"],
  ["a signed query", "0001 0000 0001 0000 0000 0001 00 0001 0001 00 00fa 00ff 00000000 0000", 9],
];

for (const [title, bytes, rcode = 1] of MALFORMED) {
  Deno.test(`${title}: refused with its id and code ${rcode}`, () => {
    throws(() => decodeMessage(hex(bytes)), (error) => {
      ok(error instanceof DnsMalformedError);
      deepEqual([error.code, error.rcode, error.head?.id], ["DNS_MALFORMED", rcode, 1]);
      return true;
    });
  });
}

Deno.test("a message below 12 bytes has nothing to answer to", () => {
  throws(() => decodeMessage(new Uint8Array(11)), (error) => error instanceof DnsMalformedError && !error.head);
});

Deno.test("names: any bytes, the longest, letters kept, compared without them, sorted as RFC 4034 §6.1 has it", () => {
  equal(formatName(parseName("a\\.b\\\\c\\000\\255.Example.")), "a\\.b\\\\c\\000\\255.Example.");
  equal(parseName("WWW.Example.").key, parseName("www.example.").key);
  const longest = `${`${"a".repeat(63)}.`.repeat(3)}${"a".repeat(61)}.`;
  equal(parseName(longest).wire.byteLength, 255);
  throws(() => parseName(`a${longest}`), DnsSyntaxError);
  for (const text of ["", "a..b", ".a", "a\\", "a\\256", `${"a".repeat(64)}.`]) {
    throws(() => parseName(text), DnsSyntaxError);
  }
  equal(formatName(parseName("bücher.example.")), "xn--bcher-kva.example.");
  const sorted = ["example.", "a.example.", "yljkjljk.a.example.", "Z.a.example.", "zABC.a.EXAMPLE.", "z.example."];
  sorted.push("\\001.z.example.", "*.z.example.", "\\200.z.example.");
  const keys = sorted.map((text) => parseName(text).key);
  deepEqual(keys.toSorted(), keys);
  for (const key of keys) equal(nameOfKey(key).key, key);
});

Deno.test("what does not fit goes from the end: additional, authority, sets of the answer, of which TC tells", () => {
  const origin = "home.example";
  const message: Message = {
    ...query("www.home.example"),
    response: true,
    answer: ["www 60 A 192.0.2.1", "www 60 A 192.0.2.2", "mx 60 MX 10 www"].map((text) => record(text, origin)),
    authority: [record("@ 60 NS ns", origin)],
    additional: [record("ns 60 A 192.0.2.9", origin)],
  };
  const whole = encodeMessage(message);
  const counts = (size: number) => {
    const bytes = encodeMessage(message, { maxSize: size });
    ok(bytes.byteLength <= size, `${bytes.byteLength} of ${size}`);
    const { answer, authority, additional, flags } = decodeMessage(bytes);
    return [answer.length, authority.length, additional.length, flags.tc];
  };
  deepEqual(counts(whole.byteLength), [3, 1, 1, false]);
  deepEqual(counts(whole.byteLength - 1), [3, 1, 0, false]);
  deepEqual(counts(whole.byteLength - 17), [3, 0, 0, false]);
  deepEqual(counts(80), [2, 0, 0, true]);
  deepEqual(counts(60), [0, 0, 0, true]);
});

const TEXTS: readonly (readonly [string, string, string])[] = [
  ["A", "192.0.2.1", "c0000201"],
  ["AAAA", "2001:db8::1", "20010db8000000000000000000000001"],
  ["NS", "ns.home.example.", "026e7304686f6d65076578616d706c6500"],
  ["MX", "10 .", "000a00"],
  ["SRV", "1 2 443 .", "0001000201bb00"],
  ["TXT", '"a\\"b\\\\c\\009" ""', "066122625c630900"],
  ["SOA", ". . 1 2 3 4 5", "0000 00000001 00000002 00000003 00000004 00000005"],
  ["TYPE65280", "\\# 3 010203", "010203"],
  ["TYPE65281", "\\# 0", ""],
];

for (const [type, text, bytes] of TEXTS) {
  Deno.test(`${type} ${text} is read and written`, () => {
    const number = parseType(type);
    const data = parseRdata(number, wordsOf(text), parseName("."));
    deepEqual(data, hex(bytes));
    equal(formatRdata(number, data), text);
  });
}

Deno.test("data that is none of its type is refused with words", () => {
  const wrong: readonly (readonly [string, string])[] = [
    ["A", "192.0.2"],
    ["A", "::1"],
    ["AAAA", "fe80::1%eth0"],
    ["MX", "mail"],
    ["MX", "65536 mail"],
    ["SRV", "1 2 mail"],
    ["TXT", `"${"a".repeat(256)}"`],
    ["SOA", ". . x 1 1 1 1"],
    ["A", "\\# 3 010203"],
    ["A", "\\# 4 0102"],
    ["CAA", "\\# 0"],
    ["TYPE65280", "010203"],
    ["TXT", '"a'],
  ];
  for (const [type, text] of wrong) {
    throws(() => parseRdata(parseType(type), wordsOf(text), parseName(".")), DnsSyntaxError, `${type} ${text}`);
  }
  throws(() => parseType("TYPE65536"), DnsSyntaxError);
  deepEqual(["0", "300", "1h30m", "2d"].map(parseDuration), [0, 300, 5400, 172_800]);
  for (const text of ["", "-1", "1x", "68y", "2147483648"]) throws(() => parseDuration(text), DnsSyntaxError);
});

Deno.test("mutated messages: read or refused, never anything else", () => {
  const random = seeded("mutated messages");
  const cases = Number(Deno.env.get("ALKNET_FUZZ_CASES") ?? 100_000);
  const samples = [
    QUERY,
    ANSWER,
    encodeMessage({
      ...query("a.b.home.example"),
      authority: [record("@ 1 SOA ns m 1 2 3 4 5", "home.example")],
      response: true,
    }),
  ];
  let read = 0;
  for (let n = 0; n < cases; n++) {
    const bytes = samples[n % samples.length].slice(0, random.below(8) === 0 ? random.below(140) : undefined);
    for (let flips = 1 + random.below(4); flips > 0 && bytes.byteLength > 0; flips--) {
      bytes[random.below(bytes.byteLength)] = random.pick([0, 1, 0x3f, 0x40, 0x80, 0xc0, 0xff, random.below(256)]);
    }
    try {
      const message = decodeMessage(bytes);
      decodeMessage(encodeMessage({ ...message, response: true }));
      read++;
    } catch (error) {
      ok(error instanceof DnsMalformedError, String(error));
    }
  }
  ok(read > cases / 100, `${read} were read`);
});
