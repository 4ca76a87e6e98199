/**
 * Messages made at random, through our codec and others' and back (row 31 of dns.md §11).
 *
 * @module
 */
import { deepEqual, equal } from "node:assert/strict";
import { Buffer } from "node:buffer";
import dnsPacket from "npm:dns-packet@5.6.1";
import {
  decodeMessage,
  encodeMessage,
  formatName,
  formatRdata,
  type Message,
  parseName,
  parseRdata,
  parseType,
  type Records,
  type ResourceRecord,
  wordsOf,
} from "../../../handlers/dns/mod.ts";
import { runProgram } from "../../support/process.ts";
import { needs } from "../../support/programs.ts";
import { PYTHON, ROOT } from "../../support/python.ts";
import { type Random, seeded } from "../../support/random.ts";

/** Fewer than by hand, where it is 100,000: the peers take their time. */
const CASES = Number(Deno.env.get("ALKNET_FUZZ_CASES") ?? 10_000);
const LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789-_";

Deno.test("generated messages come back the same by ourselves and by dns-packet", () => {
  const random = seeded("generated messages");
  for (let n = 0; n < CASES; n++) {
    const message = messageOf(random, 16);
    const bytes = encodeMessage(message);
    deepEqual(shown(decodeMessage(bytes)), shown(message));
    const theirs = dnsPacket.encode(dnsPacket.decode(Buffer.from(bytes)));
    deepEqual(shown(decodeMessage(new Uint8Array(theirs))), shown(message));
  }
});

Deno.test({
  name: "generated messages come back the same by dnspython",
  ...needs("python"),
  async fn() {
    const random = seeded("generated messages");
    const messages = Array.from({ length: CASES }, () => messageOf(random, 24));
    const stdin = messages.map((message) => encodeMessage(message).toHex()).join("\n");
    const { code, stdout, stderr } = await runProgram(PYTHON, [`${ROOT}tests/peers/dns_codec.py`], {
      stdin: new TextEncoder().encode(stdin),
    });
    equal(code, 0, stderr);
    const theirs = stdout.trim().split("\n");
    equal(theirs.length, messages.length);
    messages.forEach((message, n) => {
      // It shuffles the records of a set.
      deepEqual(shown(decodeMessage(Uint8Array.fromHex(theirs[n])), true), shown(message, true));
    });
  },
});

/** A message; response codes from 16 on only where EDNS carries them. */
function messageOf(random: Random, rcodes: number): Message {
  const response = random.chance(0.7);
  const edns = random.chance(0.6)
    ? {
      udpSize: random.between(512, 65_535),
      version: 0,
      dnssecOk: random.chance(0.5),
      options: Array.from(
        { length: random.below(3) },
        () => ({ code: random.between(65_001, 65_534), data: random.bytes(random.below(30)) }),
      ),
    }
    : undefined;
  const flag = () => random.chance(0.5);
  const used = new Set<string>();
  const section = (most: number) => response ? recordsOf(random, random.below(most), used) : [];
  return {
    id: random.below(65_536),
    response,
    opcode: 0,
    rcode: random.below(edns ? rcodes : 16),
    // What is cut off is not whole: that is another test's.
    flags: { aa: flag(), tc: false, rd: flag(), ra: flag(), ad: flag(), cd: flag() },
    question: { name: parseName(nameOf(random)), type: random.pick([1, 2, 6, 15, 16, 28, 65]), class: 1 },
    answer: section(4),
    authority: section(3),
    additional: section(3),
    edns,
  };
}

/** Sets of records, none of a name and type that there are already: peers put those together. */
function recordsOf(random: Random, sets: number, used: Set<string>): Records {
  const records: ResourceRecord[] = [];
  for (let n = 0; n < sets; n++) {
    const type = random.pick(["A", "AAAA", "NS", "CNAME", "PTR", "MX", "TXT", "SRV", "SOA", "TYPE65280"]);
    const name = parseName(nameOf(random));
    if (used.has(name.key)) continue;
    used.add(name.key);
    const alone = type === "CNAME" || type === "SOA";
    const ttl = random.below(2 ** 31);
    const seen = new Set<string>();
    for (let more = alone ? 1 : random.between(1, 3); more > 0; more--) {
      const text = dataOf(random, type);
      if (seen.has(text)) continue;
      seen.add(text);
      const number = parseType(type);
      records.push({ name, type: number, class: 1, ttl, data: parseRdata(number, wordsOf(text), parseName(".")) });
    }
  }
  return records;
}

function dataOf(random: Random, type: string): string {
  const number = () => random.below(65_536);
  const name = () => nameOf(random);
  switch (type) {
    case "A":
      return random.bytes(4).join(".");
    case "AAAA":
      return Array.from({ length: 8 }, () => number().toString(16)).join(":");
    case "MX":
      return `${number()} ${name()}`;
    case "TXT":
      return Array.from({ length: random.between(1, 3) }, () => `"${labelOf(random)}"`).join(" ");
    case "SRV":
      return `${number()} ${number()} ${number()} ${name()}`;
    case "SOA":
      return `${name()} ${name()} ${Array.from({ length: 5 }, () => random.uint32() % 2 ** 31).join(" ")}`;
    case "TYPE65280":
      return `\\# 5 ${random.bytes(5).toHex()}`;
    default:
      return name();
  }
}

/** Names that often end alike, so that there is something to compress. */
function nameOf(random: Random): string {
  const labels = Array.from({ length: random.below(3) }, () => labelOf(random));
  return `${[...labels, random.pick(["home", labelOf(random)]), "example"].join(".")}.`;
}

function labelOf(random: Random): string {
  return Array.from({ length: random.between(1, 12) }, () => random.pick([...LETTERS])).join("");
}

/** What is to be the same. */
function shown({ question, answer, authority, additional, ...rest }: Message, sorted = false): unknown {
  const records = (list: Records) => {
    const lines = list.map(({ name, type, class: kind, ttl, data }) =>
      `${formatName(name)} ${ttl} ${kind} ${type} ${formatRdata(type, data)}`
    );
    return sorted ? lines.sort() : lines;
  };
  const { name, type, class: kind } = question!;
  const edns = rest.edns && {
    ...rest.edns,
    options: rest.edns.options.map(({ code, data }) => [code, data.toHex()]),
  };
  const asked = [name.key, type, kind];
  return {
    ...rest,
    edns,
    asked,
    answer: records(answer),
    authority: records(authority),
    additional: records(additional),
  };
}
