/**
 * The fail2ban filter reads the lines that a node writes.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { LogRecord } from "@logtape/logtape";
import { formatRecord } from "../cli/serving/log.ts";
import { ROOT } from "./support/python.ts";

const filter = await Deno.readTextFile(`${ROOT}docs/fail2ban/filter.d/alknet.conf`);
const [prefix] = setting("prefix");
/** The filter's expressions, with fail2ban's own notation in JavaScript's. */
const expressions = setting("failregex").map((line) => {
  return new RegExp(line.replace("%(prefix)s", prefix).replace("<HOST>", "(?<host>[0-9a-fA-F:.]+)"));
});
const [ignored] = setting("ignoreregex").map((line) => new RegExp(line));

/** Lines by what makes them: category, message, properties; and the address that is to be counted, if any. */
const LINES: readonly {
  readonly category: string;
  readonly message: string;
  readonly properties: Record<string, string>;
  readonly counts?: string;
}[] = [
  refusal("192.0.2.7", "connection-rate", "192.0.2.7"),
  refusal("2001:db8::7", "connections-per-address", "2001:db8::7"),
  refusal("192.0.2.7", "authentication-failures", "192.0.2.7"),
  refusal("192.0.2.7", "banned", "192.0.2.7"),
  ...[
    "identity-required",
    "certificate",
    "crypto-data",
    "path-and-id-frames",
    "stream-pieces",
    "bytes-without-progress",
  ]
    .map((reason) => refusal("192.0.2.7", reason, "192.0.2.7")),
  refusal("fe80::7%2", "connection-rate"),
  refusal("192.0.2.7", "shutdown"),
  refusal("192.0.2.7", "connections"),
  refusal("192.0.2.7", "handshakes"),
  {
    category: "endpoint",
    message: "authentication failed src={src} reason={reason} key={key}",
    properties: { connection: "c1", alpn: "alknet/ssh", src: "192.0.2.7", reason: "unknown-key", key: "SHA256:x" },
    counts: "192.0.2.7",
  },
  {
    category: "endpoint",
    message: "authentication failed src={src} reason={reason} key={key}",
    properties: { connection: "c1", alpn: "alknet/msg", src: "192.0.2.7", reason: "bad-capability", key: "-" },
    counts: "192.0.2.7",
  },
  {
    category: "quic",
    message: "closed src={src} reason={reason}",
    properties: { src: "192.0.2.7", reason: "bytes-without-progress" },
    counts: "192.0.2.7",
  },
  ...["query-rate", "negative-rate", "protocol", "transfer", "publish-rate", "bad-packet"].map((reason) =>
    ofDns(reason, "192.0.2.7")
  ),
  // Many questions at once are no misbehaviour.
  ofDns("in-flight"),
  {
    // What a peer wrote cannot pass for a line of the node's.
    category: "endpoint",
    message: "handler failed: {error}",
    properties: { error: "x\n2026-08-22T10:00:00.000Z WARN endpoint: refused src=198.51.100.1 reason=banned" },
  },
];

for (const { category, message, properties, counts } of LINES) {
  const line = formatRecord(record(category, message, properties));
  Deno.test(`fail2ban filter: ${counts ? `counts ${counts}` : "passes over"}: ${line.slice(25, 110)}`, () => {
    assert.ok(!line.includes("\n"));
    // From a file, fail2ban takes the time away first; from the journal, it puts host and program before it.
    for (const seen of [line.slice(24), `server alknet[812]: ${line}`]) {
      const hosts = expressions.flatMap((expression) => expression.exec(seen)?.groups?.host ?? []);
      assert.deepEqual(ignored.test(seen) ? [] : hosts, counts ? [counts] : [], seen);
    }
  });
}

function refusal(src: string, reason: string, counts?: string): typeof LINES[number] {
  return { category: "endpoint", message: "refused src={src} reason={reason}", properties: { src, reason }, counts };
}

function ofDns(reason: string, counts?: string): typeof LINES[number] {
  const message = "refused src={src} reason={reason} proto={proto}";
  return { category: "dns", message, properties: { src: "192.0.2.7", reason, proto: "doq" }, counts };
}

function record(category: string, rawMessage: string, properties: Record<string, string>): LogRecord {
  const message = rawMessage.split(/\{(\w+)\}/).map((part, index) => index % 2 === 0 ? part : properties[part]);
  return {
    category: ["alknet", ...category.split(".")],
    level: "warning",
    timestamp: Date.UTC(2026, 7, 22, 10),
    message,
    rawMessage,
    properties,
  };
}

/** The lines of a setting, whose value may go on in indented lines. */
function setting(name: string): string[] {
  const [, value] = new RegExp(`^${name} *= (.*(?:\n\\s+.*)*)`, "m").exec(filter)!;
  return value.split("\n").map((line) => line.trim());
}
