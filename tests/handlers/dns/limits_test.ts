/**
 * Rates, and what the log says of them (dns.md §9, rows 57 and 72).
 *
 * @module
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { logger, memoryPair } from "@alknet/core/handler";
import { decodeMessage, dns, dnsEngine, dnsLimitsWith, dnsRates } from "../../../handlers/dns/mod.ts";
import { keepLogs } from "../../support/logs.ts";
import { seeded } from "../../support/random.ts";
import { contextOf } from "../context.ts";
import { answersOf, atOnce, framed, query, storeWith } from "./zone.ts";

const STRANGER = { front: "doq", address: "192.0.2.1" } as const;
const SAME_NETWORK = [{ front: "dot", address: "2001:db8::1" }, { front: "dot", address: "2001:db8::2" }] as const;

Deno.test("a query rate is an address group's, ten times that an identity's, and comes back with time", () => {
  let now = 0;
  const limits = dnsLimitsWith({ queryRate: { perSecond: 10, burst: 20 } });
  const rates = dnsRates({ limits, now: () => now });
  const granted = (...callers: Parameters<typeof rates.query>[0][]) =>
    Array.from({ length: 1000 }, (_, n) => rates.query(callers[n % callers.length])).filter(Boolean).length;
  equal(granted(STRANGER), 20);
  equal(granted(...SAME_NETWORK), 20);
  equal(granted({ ...STRANGER, identity: { id: "a", scopes: [], resources: {} } }), 200);
  equal(granted({ ...STRANGER, address: "192.0.2.2" }), 20);
  now += 1000;
  equal(granted(STRANGER), 10);
  now += 3_600_000;
  equal(granted(STRANGER), 20);
});

Deno.test("a spray of addresses is forgotten, oldest first; who asked lately is not", () => {
  const limits = dnsLimitsWith({ queryRate: { perSecond: 1, burst: 1 }, rateEntries: 100 });
  const rates = dnsRates({ limits, now: () => 0 });
  rates.query(STRANGER);
  for (let n = 0; n < 10_000; n++) {
    rates.query({ front: "dot", address: `10.0.${n >>> 8}.${n & 0xff}` });
    equal(rates.query(STRANGER), false);
  }
});

Deno.test("a refusal is one line an address group, reason and minute", async () => {
  await using logs = await keepLogs();
  let now = 0;
  const limits = dnsLimitsWith({ queryRate: { perSecond: 1, burst: 1 } });
  const rates = dnsRates({ limits, now: () => now, log: logger("dns") });
  for (let n = 0; n < 100; n++) for (const caller of [STRANGER, ...SAME_NETWORK]) rates.query(caller);
  rates.refuse(STRANGER, "protocol");
  equal(logs.lines.length, 3);
  equal(rates.refused.get("query-rate"), 298);
  now = 59_000;
  for (let n = 0; n < 100; n++) rates.query(STRANGER);
  equal(logs.lines.length, 3);
  now = 60_000;
  for (let n = 0; n < 100; n++) rates.query(STRANGER);
  equal(logs.lines.length, 4);
  deepEqual(JSON.parse(logs.lines[1])[1], { src: "192.0.2.1", reason: "query-rate", proto: "doq" });
});

Deno.test("a hundred thousand random names of a zone: limited, and what others ask stays in the cache", () => {
  const random = seeded("random names");
  const [store] = storeWith("home.example", ["www 60 A 192.0.2.1"]);
  const limits = dnsLimitsWith();
  let now = 0;
  const rates = dnsRates({ limits, now: () => now });
  const engine = dnsEngine({ zones: store.zones, rates, limits });
  const friend = { front: "dot", address: "192.0.2.2" } as const;
  const codes = new Map<number, number>();
  atOnce(engine.respond(query("www.home.example"), friend));
  const names = 100_000;
  for (let n = 0; n < names; n++) {
    now = n / 10;
    const { rcode } = decodeMessage(
      atOnce(engine.respond(query(`${random.uint32().toString(36)}.home.example`), STRANGER)),
    );
    codes.set(rcode, (codes.get(rcode) ?? 0) + 1);
    if (n % 1000 === 0) {
      const answer = decodeMessage(atOnce(engine.respond(query("www.home.example"), friend)));
      deepEqual([answer.rcode, answer.answer.length], [0, 1]);
    }
  }
  // Ten seconds at 10,000 a second: a burst of fifty, what five milliseconds bring, and refusals.
  equal(codes.get(3)! + codes.get(5)!, names);
  ok(codes.get(3)! < 60, `${codes.get(3)} were told`);
  deepEqual([engine.stats().answerCache.entries, engine.stats().answerCache.hits], [1, 100]);
});

Deno.test("what misbehaves in every way leaves a word and an address in the log, and no name", async () => {
  await using logs = await keepLogs();
  const [store] = storeWith("home.example", ["www 60 A 192.0.2.1"]);
  const limits = dnsLimitsWith({
    queryRate: { perSecond: 1, burst: 40 },
    negativeRate: { perSecond: 1, burst: 1 },
    ...{ inFlight: 4, frame: 60, idle: 60 },
  });
  const rates = dnsRates({ limits, log: logger("dns") });
  const parts = { engine: dnsEngine({ zones: store.zones, rates, limits }), rates, limits };
  const secret = (n: number, changes = {}) => query(`secret${n}.home.example`, "A", { id: 0, ...changes });
  const wrong = [
    framed(...Array.from({ length: 5 }, (_, n) => secret(n))),
    framed(secret(1, { id: 7 })),
    framed(secret(1)).subarray(0, 20),
    Uint8Array.of(0, 5, 1),
    Uint8Array.of(16, 1),
    framed(secret(1, { response: true }), secret(1, { response: true }), secret(1, { response: true })),
    framed(secret(1)).subarray(0, -1),
  ];
  const connect = (alpn: string) => {
    const [client, server] = memoryPair(alpn, { singleStream: alpn === "dot" });
    const handled = dns(parts).handle(server, contextOf(new AbortController().signal));
    return { client, handled };
  };
  for (const alpn of ["dot", "doq", "alknet/dns"]) {
    for (const bytes of wrong) {
      const { client, handled } = connect(alpn);
      const { readable, writable } = await client.open();
      const writer = writable.getWriter();
      await writer.write(bytes);
      await writer.close().catch(() => {});
      await answersOf(readable.getReader()).catch(() => {});
      client.close();
      await handled;
    }
  }
  const { client, handled } = connect("doq");
  for (let n = 0; n < 100; n++) {
    const stream = await client.open().catch(() => undefined);
    if (!stream) break;
    const writer = stream.writable.getWriter();
    await writer.write(framed(secret(n))).then(() => writer.close()).catch(() => {});
    await answersOf(stream.readable.getReader()).catch(() => {});
  }
  equal((await client.closed).code, 4);
  await handled;
  const text = logs.lines.join("\n");
  ok(!text.includes("secret") && !text.includes("home.example"), text);
  const warnings = logs.lines.map((line) => JSON.parse(line)).filter(([message]) => message[0] === "refused src=");
  const reasons = new Set(warnings.map(([, { reason }]) => reason));
  ok(["protocol", "negative-rate", "query-rate"].every((reason) => reasons.has(reason)), [...reasons].join());
  for (const [, { src }] of warnings) match(src, /^127\.0\.0\.1$/);
});
