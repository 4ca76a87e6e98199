/**
 * Text of records, held against dnspython (rows 28 and 29 of dns.md §11).
 *
 * @module
 */
import { deepEqual, equal, ok, throws } from "node:assert/strict";
import {
  DnsSyntaxError,
  formatRdata,
  formatType,
  parseName,
  parseRdata,
  parseType,
  wordsOf,
} from "../../../../handlers/dns/mod.ts";
import { runProgram } from "../../../support/process.ts";
import { needs } from "../../../support/programs.ts";
import { PYTHON, ROOT } from "../../../support/python.ts";

const ORIGIN = parseName(".");
const DIGEST = "2bb183af5f22588179a53b0a98631fad1a292118";

const UNKNOWN_TO_DNSPYTHON = ["MB", "MG", "MR", "MINFO"];
/** Each as it is written here. */
const TEXTS: readonly (readonly [type: string, text: string])[] = [
  ["A", "192.0.2.1"],
  ["AAAA", "2001:db8::1"],
  ["NS", "ns.home.example."],
  ["CNAME", "a\\.b.home.example."],
  ["PTR", "\\000\\255.example."],
  ["MB", "a.example."],
  ["MG", "a.example."],
  ["MR", "a.example."],
  ["MINFO", "a.example. b.example."],
  ["MX", "10 ."],
  ["SRV", "1 2 443 www.example."],
  ["SOA", "ns.example. mail.example. 4294967295 1 2 3 4"],
  ["TXT", '"a\\"b\\\\c\\009" "" "; ( )"'],
  ["SPF", '"v=spf1 -all"'],
  ["HINFO", '"RFC8482" ""'],
  ["RP", "a.example. ."],
  ["AFSDB", "1 a.example."],
  ["KX", "10 a.example."],
  ["DNAME", "a.example."],
  ["NAPTR", '100 50 "s" "z3950+I2L+I2C" "" _z3950._tcp.gatech.edu.'],
  ["CAA", '0 issue "ca.example; account=230123"'],
  ["CAA", '128 tbs "Unknown"'],
  ["SSHFP", `2 1 ${DIGEST}`],
  ["TLSA", `3 1 1 ${DIGEST}${DIGEST.slice(16)}`],
  ["SMIMEA", `3 0 1 ${DIGEST}${DIGEST.slice(16)}`],
  ["DS", `60485 5 1 ${DIGEST}`],
  ["CDS", "0 0 0 00"],
  ["DNSKEY", "256 3 15 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4="],
  ["CDNSKEY", "0 3 0 AA=="],
  ["OPENPGPKEY", "mQENBFVHm5sBCADTSwtdfsDvyk65Ohs="],
  ["RRSIG", "A 5 3 86400 20030322173103 20030220173103 2642 example.com. oJB1W6WNGv+ldvQ3WDG0MQkg5IEhjRip8WTr"],
  ["NSEC", "host.example.com. A MX RRSIG NSEC TYPE1234"],
  ["NSEC", "host.example.com."],
  ["NSEC3", "1 1 12 aabbccdd 2vptu5timamqttgl4luu9kg21e0aor3s A RRSIG"],
  ["NSEC3PARAM", "1 0 12 -"],
  ["URI", '10 1 "ftp://ftp1.example.com/public"'],
  ["HTTPS", "0 foo.example."],
  ["SVCB", '1 dns.home.example. alpn="dot,doq,h2" port=4433 dohpath="/dns-query{?dns}"'],
  ["HTTPS", '1 . mandatory=alpn,ipv4hint alpn="h2" no-default-alpn ipv4hint=192.0.2.1,192.0.2.2 ipv6hint=2001:db8::1'],
  ["HTTPS", '1 . ech="AAT+DQAA"'],
  ["TYPE731", "\\# 6 abcdef012345"],
  ["TYPE65281", "\\# 0"],
];

const FOO = "03666f6f076578616d706c6503636f6d00";
const FOO_ORG = "03666f6f076578616d706c65036f726700";
/** RFC 9460 appendix D.1 and D.2, then RFC 3597 §5. */
const VECTORS: readonly (readonly [type: string, text: string, wire: string])[] = [
  ["HTTPS", "0 foo.example.com.", `0000${FOO}`],
  ["SVCB", "1 .", "000100"],
  ["SVCB", "16 foo.example.com. port=53", `0010${FOO}000300020035`],
  ["SVCB", "1 foo.example.com. key667=hello", `0001${FOO}029b000568656c6c6f`],
  ["SVCB", '1 foo.example.com. key667="hello\\210qux"', `0001${FOO}029b000968656c6c6fd2717578`],
  [
    "SVCB",
    '1 foo.example.com. ipv6hint="2001:db8::1,2001:db8::53:1"',
    `0001${FOO}0006002020010db800000000000000000000000120010db8000000000000000000530001`,
  ],
  [
    "SVCB",
    '1 example.com. ipv6hint="2001:db8:122:344::192.0.2.33"',
    "0001076578616d706c6503636f6d000006001020010db8012203440000 0000c0000221".replace(" ", ""),
  ],
  [
    "SVCB",
    "16 foo.example.org. alpn=h2,h3-19 mandatory=ipv4hint,alpn ipv4hint=192.0.2.1",
    `0010${FOO_ORG}000000040001000400010009026832056833 2d3139 00040004c0000201`.replaceAll(" ", ""),
  ],
  ["SVCB", '16 foo.example.org. alpn="f\\\\\\\\oo\\\\,bar,h2"', `0010${FOO_ORG}0001000c08665c6f6f2c626172026832`],
  ["SVCB", "16 foo.example.org. alpn=f\\\\\\092oo\\092,bar,h2", `0010${FOO_ORG}0001000c08665c6f6f2c626172026832`],
  ["A", "\\# 4 0A000001", "0a000001"],
  ["TYPE731", "\\# 6 abcd ef 01 23 45", "abcdef012345"],
  ["TYPE1", "192.0.2.1", "c0000201"],
];

/** RFC 9460 appendix D.3, and what else is none. */
const WRONG: readonly (readonly [type: string, text: string])[] = [
  ["SVCB", "1 foo.example.com. key123=abc key123=def"],
  ...["mandatory", "alpn", "port", "ipv4hint", "ipv6hint"].map((key) => ["SVCB", `1 foo.example.com. ${key}`] as const),
  ["SVCB", "1 foo.example.com. no-default-alpn=abc"],
  ["SVCB", "1 foo.example.com. mandatory=key123"],
  ["SVCB", "1 foo.example.com. mandatory=mandatory"],
  ["SVCB", "1 foo.example.com. mandatory=key123,key123 key123=abc"],
  ["SVCB", "1 . no-default-alpn"],
  ["SVCB", "1 . dohpath=/dns-query"],
  ["SVCB", "1 . key65535=a"],
  ["SVCB", "1 . key00=a"],
  ["SVCB", "0 a. port=1"],
  ["SVCB", "1 . port=65536"],
  ["SVCB", "1 . ipv4hint=::1"],
  ["SVCB", "1 . key3=abc"],
  ["SVCB", '1 . alpn="h2,,h3"'],
  ["SVCB", "\\# 11 0001000003000200350001"],
  ["SVCB", "\\# 15 000100000300020035000100020168"],
  ["CAA", '0 is-sue "ca.example"'],
  ["DS", "60485 5 1"],
  ["DS", "60485 5 1 abc"],
  ["DNSKEY", "256 3 8 AwEAA"],
  ["NSEC", "host. NONSENSE"],
  ["RRSIG", "A 5 3 86400 20031322173103x 20030220173103 2642 example.com. AAAA"],
  ["NSEC3", "1 1 12 - 2vptu5timamqttgl4luu9kg21e0aor3w A"],
  ["TLSA", "3 1 256 00"],
];

Deno.test("text of each type is written as it was read", () => {
  for (const [type, text] of TEXTS) equal(formatRdata(parseType(type), read(type, text)), text, type);
});

Deno.test("vectors of RFC 9460 appendix D and RFC 3597 §5", () => {
  for (const [type, text, wire] of VECTORS) equal(read(type, text).toHex(), wire, `${type} ${text}`);
});

Deno.test("what is no text of its type is refused with words", () => {
  for (const [type, text] of WRONG) throws(() => read(type, text), DnsSyntaxError, `${type} ${text}`);
});

Deno.test("data that no form has a text for is shown in hexadecimal digits, of which the type wants none back", () => {
  const odd: readonly (readonly [string, string])[] = [
    ["SVCB", "0001000003000200350001"],
    ["NSEC", "00000100"],
    ["CAA", "00"],
    ["NSEC3PARAM", "01000001020a"],
    ["HINFO", "05"],
    ["A", "00"],
  ];
  for (const [type, hex] of odd) {
    const data = Uint8Array.fromHex(hex);
    const text = formatRdata(parseType(type), data);
    equal(text, `\\# ${data.byteLength} ${hex}`, type);
    throws(() => read(type, text), DnsSyntaxError);
  }
});

Deno.test({
  name: "dnspython reads the same out of each text, and we the same out of its",
  ...needs("python"),
  async fn() {
    const cases = [...TEXTS, ...VECTORS.map(([type, text]) => [type, text] as const)]
      .filter(([type]) => !UNKNOWN_TO_DNSPYTHON.includes(type));
    const stdin = new TextEncoder().encode(cases.map((one) => JSON.stringify(one)).join("\n"));
    const { code, stdout, stderr } = await runProgram(PYTHON, [`${ROOT}tests/peers/dns_text.py`], { stdin });
    equal(code, 0, stderr);
    const theirs: { wire: string; text: string; error?: string }[] = stdout.trim().split("\n").map((line) =>
      JSON.parse(line)
    );
    equal(theirs.length, cases.length);
    cases.forEach(([type, text], n) => {
      const { wire, text: again, error } = theirs[n];
      equal(error, undefined, `${type} ${text}: ${error}`);
      equal(read(type, text).toHex(), wire, `${type} ${text}`);
      equal(read(type, again).toHex(), wire, `${type} ${again}`);
    });
  },
});

Deno.test("types have their names, others a number", () => {
  ok(TEXTS.every(([type]) => formatType(parseType(type)) === type));
  deepEqual([parseType("type1"), parseType("svcb"), formatType(64), formatType(731)], [1, 64, "SVCB", "TYPE731"]);
});

function read(type: string, text: string): Uint8Array {
  return parseRdata(parseType(type), wordsOf(text), ORIGIN);
}
