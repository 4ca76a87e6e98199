/**
 * Master files: what is read, what is refused and where (rows 40 and 42 of dns.md §11).
 *
 * @module
 */
import { deepEqual, equal, throws } from "node:assert/strict";
import { type MasterFileError, parseName, readMaster } from "../../../../handlers/dns/mod.ts";
import { seeded } from "../../../support/random.ts";
import { line } from "../zone.ts";

const SOA = "@ 60 SOA ns mail 1 2 3 4 5\n";

/** RFC 1035 §5.3, with what it includes written out. */
const RFC_1035 = `
@   IN  SOA     VENERA      Action\\.domains (
                                 20     ; SERIAL
                                 7200   ; REFRESH
                                 600    ; RETRY
                                 3600000; EXPIRE
                                 60)    ; MINIMUM

        NS      A.ISI.EDU.
        NS      VENERA
        NS      VAXA
        MX      10      VENERA
        MX      20      VAXA

A       A       26.3.0.103

VENERA  A       10.1.0.52
        A       128.9.0.32

VAXA    A       10.2.0.27
        A       128.9.0.33

MOE     MB      A.ISI.EDU.
LARRY   MB      A.ISI.EDU.
CURLEY  MB      A.ISI.EDU.
STOOGES MG      MOE
        MG      LARRY
        MG      CURLEY
`;

Deno.test("the file of RFC 1035 §5.3", () => {
  deepEqual(read(RFC_1035, "isi.edu"), [
    "isi.edu 60 SOA VENERA.isi.edu. Action\\.domains.isi.edu. 20 7200 600 3600000 60",
    "isi.edu 60 NS A.ISI.EDU.",
    "isi.edu 60 NS VENERA.isi.edu.",
    "isi.edu 60 NS VAXA.isi.edu.",
    "isi.edu 60 MX 10 VENERA.isi.edu.",
    "isi.edu 60 MX 20 VAXA.isi.edu.",
    "A.isi.edu 60 A 26.3.0.103",
    "VENERA.isi.edu 60 A 10.1.0.52",
    "VENERA.isi.edu 60 A 128.9.0.32",
    "VAXA.isi.edu 60 A 10.2.0.27",
    "VAXA.isi.edu 60 A 128.9.0.33",
    "MOE.isi.edu 60 MB A.ISI.EDU.",
    "LARRY.isi.edu 60 MB A.ISI.EDU.",
    "CURLEY.isi.edu 60 MB A.ISI.EDU.",
    "STOOGES.isi.edu 60 MG MOE.isi.edu.",
    "STOOGES.isi.edu 60 MG LARRY.isi.edu.",
    "STOOGES.isi.edu 60 MG CURLEY.isi.edu.",
  ]);
});

const READ: readonly (readonly [title: string, text: string, lines: readonly string[]])[] = [
  ["IN and TTL in either order, units", "a 1h30m IN A 192.0.2.1\nb in 2d a 192.0.2.2\nc CLASS1 1 TYPE1 192.0.2.3\n", [
    "a.home.example 5400 A 192.0.2.1",
    "b.home.example 172800 A 192.0.2.2",
    "c.home.example 1 A 192.0.2.3",
  ]],
  ["$TTL, and the SOA's minimum where there is none", `${SOA}a A 192.0.2.1\n$ttl 7\nb A 192.0.2.2\n`, [
    "home.example 60 SOA ns.home.example. mail.home.example. 1 2 3 4 5",
    "a.home.example 5 A 192.0.2.1",
    "b.home.example 7 A 192.0.2.2",
  ]],
  ["$ORIGIN, relative and absolute", "$ORIGIN sub\na 1 NS b\n$ORIGIN elsewhere.\na 1 NS @\n  1 NS b.\n", [
    "a.sub.home.example 1 NS b.sub.home.example.",
    "a.elsewhere 1 NS elsewhere.",
    "a.elsewhere 1 NS b.",
  ]],
  [
    "parentheses over lines, comments in them",
    "a 1 ( MX ; here\n 10 ; and here )\n\n  mail ) ; done\nb 1 A (192.0.2.1)\n",
    [
      "a.home.example 1 MX 10 mail.home.example.",
      "b.home.example 1 A 192.0.2.1",
    ],
  ],
  ["quotes, escapes, semicolons", 'a\\.b\\032c 1 TXT "a ; (b" c\\;d e\\"f \\; "\\065\\"\\\\"\n', [
    'a\\.b\\032c.home.example 1 TXT "a ; (b" "c;d" "e\\"f" ";" "A\\"\\\\"',
  ]],
  [
    "line ends of others, a byte order mark, a last line without an end",
    "\ufeffa 1 A 192.0.2.1\r\n\r\n\t1 A 192.0.2.2",
    [
      "a.home.example 1 A 192.0.2.1",
      "a.home.example 1 A 192.0.2.2",
    ],
  ],
  ["parameters of services over lines", 's 1 HTTPS 1 . (\n alpn="h2,h3" ; both\n port=8443)\n', [
    's.home.example 1 HTTPS 1 . alpn="h2,h3" port=8443',
  ]],
  ["what signs a zone is left out", "a 1 NSEC b A\na 1 NSEC3PARAM 1 0 0 -\na 1 A 192.0.2.1\n", [
    "a.home.example 1 A 192.0.2.1",
  ]],
  ["an owner that looks like a number, a class or a type", "5 1 A 192.0.2.1\nIN 1 A 192.0.2.2\nMX 1 A 192.0.2.3\n", [
    "5.home.example 1 A 192.0.2.1",
    "IN.home.example 1 A 192.0.2.2",
    "MX.home.example 1 A 192.0.2.3",
  ]],
  ["names of people", "bücher 1 A 192.0.2.1\n", ["xn--bcher-kva.home.example 1 A 192.0.2.1"]],
  ["nothing", "\n ; a comment\n\n", []],
];

for (const [title, text, lines] of READ) {
  Deno.test(`read: ${title}`, () => {
    deepEqual(read(text), lines);
    const random = seeded(title);
    for (let n = 0; n < 20; n++) {
      const at = random.below(text.length + 1);
      deepEqual(read([text.slice(0, at), text.slice(at)]), lines, `cut at ${at}`);
    }
  });
}

const REFUSED: readonly (readonly [title: string, text: string, at: string, reason: RegExp])[] = [
  ["$INCLUDE", "\n$INCLUDE /etc/passwd\n", "2:1", /\$INCLUDE is not read/],
  ["$GENERATE", "$GENERATE 1-9 a$ A 192.0.2.$\n", "1:1", /\$GENERATE is not read/],
  ["a directive that there is not", "$NONSENSE 1\n", "1:1", /no directive/],
  ["an open quote", 'a 1 A 192.0.2.1\nb 1 TXT "open\n', "2:9", /quote/],
  ["a quote within a word", 'b 1 TXT a"b\n', "1:9", /quote/],
  ["an open parenthesis", "a 1 A 192.0.2.1\nb 1 MX (10\n mail\n", "2:8", /not closed/],
  ["a parenthesis too many", "a 1 A 192.0.2.1 )\n", "1:17", /no parenthesis is open/],
  ["another class", "a 1 CH TXT a\n", "1:5", /class CH/],
  ["a type that there is not", "a 1 NONSENSE a\n", "1:5", /no type of record/],
  ["no type", "a 1 IN\n", "1:5", /no type stands here/],
  ["data that is none", "a 1\n", "1:3", /no type stands here/],
  ["an address that is none", "  \na 1 ( A\n 192.0.2 )\n", "2:7", /no IPv4 address/],
  ["no TTL", "a A 192.0.2.1\n", "1:3", /no TTL/],
  ["no owner", "  1 A 192.0.2.1\n", "1:3", /no owner/],
  ["a bad name", "a..b 1 A 192.0.2.1\n", "1:1", /empty label/],
  ["a bad time", "$TTL soon\n", "1:6", /is no time/],
  ["a directive without its word", "$ORIGIN\n", "1:1", /one word/],
  ["an entry that does not end", `a 1 TXT (\n${'"a"\n'.repeat(90_000)})`, "87380:1", /256 Ki/],
  ["a line that does not end", `a 1 TXT ${"a ".repeat(140_000)}`, "1:1", /256 Ki/],
];

for (const [title, text, at, reason] of REFUSED) {
  Deno.test(`refused: ${title}, with its place`, () => {
    throws(() => read(text), (error: MasterFileError) => {
      equal(error.code, "DNS_SYNTAX");
      equal(error.message.slice(0, at.length + 2), `${at}: `);
      return reason.test(error.message) && `${error.line}:${error.column}` === at;
    });
  });
}

Deno.test("without an origin names are whole", () => {
  equal([...readMaster(["a.example. 1 NS b.\n"])].length, 1);
  for (const text of ["a 1 NS b.\n", "@ 1 NS b.\n", "a. 1 NS b\n", "a. 1 NS @\n", "$ORIGIN sub\n"]) {
    throws(() => [...readMaster([text])], /no \$ORIGIN before it/, text);
  }
});

Deno.test("mutated files: read or refused, never anything else", () => {
  const random = seeded("mutated master files");
  const sample = RFC_1035 + READ.map(([, text]) => text).join("");
  let whole = 0;
  for (let n = 0; n < 5000; n++) {
    let text = sample.slice(random.below(sample.length)).slice(0, 200);
    for (let flips = random.below(4); flips > 0; flips--) {
      const at = random.below(text.length + 1);
      text = text.slice(0, at) + random.pick(['"', "(", ")", ";", "\\", "\n", " ", "$", "\0", "é", "0"]) +
        text.slice(at + 1);
    }
    try {
      read(`$TTL 1\n. ${text}`);
      whole++;
    } catch (error) {
      equal((error as MasterFileError).name, "MasterFileError", String((error as Error).stack));
    }
  }
  equal(whole > 50, true, `${whole} were read`);
});

function read(text: string | readonly string[], origin = "home.example"): string[] {
  const pieces = typeof text === "string" ? [text] : text;
  return [...readMaster(pieces, parseName(`${origin}.`))].map(({ record }) => line(record));
}
