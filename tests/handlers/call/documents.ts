/**
 * JSON documents and envelopes as nobody should send them: deep, huge, with lone surrogates, doubled keys, numbers without
 * a number, and names that prototypes have.
 *
 * @module
 */
import type { Random } from "../../support/random.ts";

/** Keys that have burnt programs before. */
const KEYS = [
  "a",
  "b",
  "x",
  "__proto__",
  "constructor",
  "toString",
  "prototype",
  "hasOwnProperty",
  "",
  "\\u0000",
  "é漢😀",
];
const NUMBERS = [
  "0",
  "-0",
  "1",
  "-1",
  "1.5",
  "1e400",
  "-1e400",
  "1e-400",
  "9007199254740993",
  "1".repeat(400),
  "0.1e1",
];
const STRINGS = [
  '""',
  '"text"',
  '"\\ud800"',
  '"\\udc00\\ud800"',
  '"\\u0000"',
  '"é漢😀"',
  '"alk_x"',
  '"/math/add"',
  '"\ufffd"',
];
/** Text that is no JSON, or only almost. */
const BROKEN = [
  "01",
  "1.",
  "NaN",
  "Infinity",
  "undefined",
  "'a'",
  '"\t"',
  '"\\x41"',
  "[1,]",
  '{"a":1,}',
  "{a:1}",
  "",
  "\ufeff1",
  "//",
];
const TYPES = [
  "call.requested",
  "call.requested",
  "call.requested",
  "call.responded",
  "call.completed",
  "call.aborted",
  "call.error",
  "call.future",
  "",
];
const FIELDS = [
  "operationId",
  "input",
  "auth_token",
  "forwarded_for",
  "timeout_ms",
  "output",
  "code",
  "message",
  "retryable",
];

/** A JSON document, or once in a while something that is almost one. */
export function jsonText(random: Random, depth = 0): string {
  if (random.chance(0.02)) return random.pick(BROKEN);
  const kind = random.below(depth > 4 ? 4 : 7);
  if (kind === 0) return random.pick(["null", "true", "false"]);
  if (kind === 1) return random.pick(NUMBERS);
  if (kind < 4) return random.pick(STRINGS);
  if (kind === 4 && random.chance(0.02)) return nested(random);
  const items = Array.from({ length: random.below(5) }, () => jsonText(random, depth + 1));
  if (kind < 6) return `[${items.join(",")}]`;
  return `{${items.map((item) => `"${random.pick(KEYS)}":${item}`).join(",")}}`;
}

/** An envelope, mostly whole. Its operation, if it has one, is one of those given. */
export function envelopeText(random: Random, operations: readonly string[]): string {
  if (random.chance(0.1)) return jsonText(random);
  const payload = random.chance(0.1) ? jsonText(random) : payloadText(random, operations);
  const members = [
    `"type":"${random.pick(TYPES)}"`,
    `"id":${random.chance(0.05) ? jsonText(random) : `"${random.below(50)}"`}`,
    `"payload":${payload}`,
  ];
  if (random.chance(0.05)) members.splice(random.below(3), 1);
  if (random.chance(0.1)) members.push(`"${random.pick(KEYS)}":${jsonText(random)}`);
  if (random.chance(0.05)) members.push(random.pick(members));
  return `{${members.join(",")}}`;
}

function payloadText(random: Random, operations: readonly string[]): string {
  const members = [`"operationId":"${random.pick(["/", "", "//"])}${random.pick(operations)}"`];
  while (random.chance(0.6)) members.push(`"${random.pick([...FIELDS, ...KEYS])}":${jsonText(random)}`);
  return `{${members.join(",")}}`;
}

/** Around the depth that is the limit, and far beyond it. */
function nested(random: Random): string {
  const depth = random.pick([200, 254, 255, 256, 257, 300, 20_000]);
  const [open, close] = random.pick([["[", "]"], ['{"a":', "}"]]);
  return open.repeat(depth) + "1" + (random.chance(0.1) ? "" : close.repeat(depth));
}
