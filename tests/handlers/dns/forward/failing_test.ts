/**
 * Upstreams that fail, stall, lie or go, and what is said meanwhile (rows 50, 52, 54, 57 of dns.md §11).
 *
 * @module
 */
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { logger } from "@alknet/core/handler";
import type { Message } from "../../../../handlers/dns/mod.ts";
import { keepLogs } from "../../../support/logs.ts";
import { untilLevel } from "../../../support/plateau.ts";
import { seeded } from "../../../support/random.ts";
import { asks, forwarding, says, settled, SpokenUpstream, zoneName } from "./upstream.ts";

const NAME = "www.example.org";
const SOA = "example.org. 3600 SOA ns.example.org. mail.example.org. 1 3600 600 86400 3600";
const DAY = 86_400_000;

/** What one says that has an address for every name. */
function answering(address = "192.0.2.1"): (query: Message) => Message[] {
  return (query) => {
    const answer = says(query, [`x. 60 A ${address}`]);
    return [{ ...answer, answer: answer.answer.map((each) => ({ ...each, name: query.question!.name })) }];
  };
}

Deno.test("nobody there: SERVFAIL, EDE 22, a moment later EDE 13; it is told once, and dialled ever more seldom (row 50)", async () => {
  await using logs = await keepLogs();
  const upstream = new SpokenUpstream(answering());
  upstream.isThere = false;
  using made = forwarding([upstream], {}, { log: logger("dns") });
  deepEqual((await made.ask(asks(NAME))).errors, [22]);
  deepEqual((await made.ask(asks(NAME))).errors, [13]);
  equal(upstream.dials, 1);
  for (let second = 0; second < 120; second++) {
    deepEqual((await made.ask(asks(`n${second}.example.org`))).errors, [22]);
    made.clock.pass(1000);
  }
  // After 0.5, 1, 2, 4, 8, 16, and then every 30 seconds.
  ok(upstream.dials <= 10, `${upstream.dials}`);
  equal(logs.lines.length, 1);
  ok(!logs.lines.join().includes("example.org"));
  upstream.isThere = true;
  made.clock.pass(30_000);
  deepEqual((await made.ask(asks(NAME))).answer, [`${NAME} 60 A 192.0.2.1`]);
  equal(logs.lines.length, 2);
});

Deno.test("an upstream that is not there costs nothing once it is known: the next one is asked at once", async () => {
  const [gone, there] = [new SpokenUpstream(answering()), new SpokenUpstream(answering())];
  gone.isThere = false;
  using made = forwarding([gone, there]);
  for (let n = 0; n < 20; n++) equal((await made.ask(asks(`n${n}.example.org`))).answer.length, 1);
  deepEqual([gone.dials, there.dials, there.asked.length], [1, 1, 20]);
});

Deno.test("an upstream that is slow: a second one is asked after 200 ms, and is the first from then on", async () => {
  const [slow, quick] = [new SpokenUpstream(() => []), new SpokenUpstream(answering())];
  using made = forwarding([slow, quick]);
  const asking = made.ask(asks(NAME));
  await slow.askedTimes(1);
  made.clock.pass(199);
  await settled();
  equal(quick.dials, 0);
  made.clock.pass(1);
  equal((await asking).answer.length, 1);
  for (let n = 0; n < 10; n++) equal((await made.ask(asks(`n${n}.example.org`))).answer.length, 1);
  deepEqual([slow.asked.length, quick.asked.length], [1, 11]);
});

Deno.test("silence for four seconds is SERVFAIL, EDE 23, and a new connection; late answers are nobody's", async () => {
  const upstream = new SpokenUpstream(() => []);
  using made = forwarding([upstream]);
  const asking = made.ask(asks(NAME));
  await upstream.askedTimes(1);
  made.clock.pass(3999);
  await settled();
  made.clock.pass(1);
  deepEqual((await asking).errors, [23]);
  await upstream.send(says(upstream.asked[0].query, [`${NAME}. 60 A 203.0.113.66`])).catch(() => {});
  upstream.speaks = answering();
  made.clock.pass(5000);
  deepEqual((await made.ask(asks(NAME))).answer, [`${NAME} 60 A 192.0.2.1`]);
  equal(upstream.dials, 2);
});

Deno.test("one name that takes too long is no reason to leave an upstream that answers others", async () => {
  const answer = answering();
  const upstream = new SpokenUpstream((query) => query.question!.name.key === zoneName(NAME).key ? [] : answer(query));
  using made = forwarding([upstream]);
  const asking = made.ask(asks(NAME));
  await upstream.askedTimes(1);
  made.clock.pass(3000);
  equal((await made.ask(asks("other.example.org"))).answer.length, 1);
  made.clock.pass(1000);
  deepEqual((await asking).errors, [23]);
  equal((await made.ask(asks("third.example.org"))).answer.length, 1);
  equal(upstream.dials, 1);
});

Deno.test("a connection that ends under a question is made anew, and asked once more", async () => {
  const upstream = new SpokenUpstream(answering());
  using made = forwarding([upstream]);
  await made.ask(asks("a.example.org"));
  upstream.speaks = () => (upstream.hangUp(), upstream.speaks = answering(), []);
  deepEqual((await made.ask(asks(NAME))).answer, [`${NAME} 60 A 192.0.2.1`]);
  equal(upstream.dials, 2);
  upstream.speaks = () => (upstream.hangUp(), []);
  equal((await made.ask(asks("b.example.org"))).rcode, 2);
  equal(upstream.dials, 3);
});

Deno.test("an upstream that hangs up on every connection is left alone like one that is not there", async () => {
  const [rude, there] = [new SpokenUpstream(() => []), new SpokenUpstream(answering())];
  rude.speaks = () => (rude.hangUp(), []);
  using made = forwarding([rude, there]);
  for (let n = 0; n < 20; n++) equal((await made.ask(asks(`n${n}.example.org`))).answer.length, 1);
  deepEqual([rude.dials, there.asked.length], [2, 20]);
  using alone = forwarding([rude]);
  rude.dials = 0;
  const errors: number[] = [];
  for (let n = 0; n < 20; n++) errors.push(...(await alone.ask(asks(`n${n}.example.org`))).errors);
  deepEqual([rude.dials, errors], [8, [...Array(4).fill(23), ...Array(16).fill(22)]]);
});

Deno.test("a connection on which nobody asks for 30 s is closed", async () => {
  const upstream = new SpokenUpstream(answering());
  using made = forwarding([upstream]);
  await made.ask(asks("a.example.org"));
  made.clock.pass(29_999);
  await made.ask(asks("b.example.org"));
  made.clock.pass(29_999);
  await made.ask(asks("c.example.org"));
  equal(upstream.dials, 1);
  made.clock.pass(30_000);
  await made.ask(asks("d.example.org"));
  equal(upstream.dials, 2);
});

Deno.test("upstreams die: what was known is said with TTL 30 and EDE 3 or 19, for a day (row 54)", async () => {
  const upstream = new SpokenUpstream(answering());
  using made = forwarding([upstream]);
  await made.ask(asks(NAME));
  upstream.speaks = (query) => [says(query, [";", SOA], { rcode: 3 })];
  await made.ask(asks("none.example.org"));
  upstream.isThere = false;
  upstream.hangUp();
  made.clock.pass(60_000);
  const { answer, errors, rcode } = await made.ask(asks(NAME));
  deepEqual([answer, errors, rcode], [[`${NAME} 30 A 192.0.2.1`], [3], 0]);
  const { dials } = upstream;
  for (let n = 0; n < 29; n++) {
    made.clock.pass(1000);
    deepEqual((await made.ask(asks(NAME))).errors, [3]);
  }
  equal(upstream.dials, dials);
  made.clock.pass(1000);
  deepEqual((await made.ask(asks(NAME))).errors, [3]);
  equal(upstream.dials, dials + 1);
  made.clock.pass(900_000);
  const none = await made.ask(asks("none.example.org"));
  deepEqual([none.rcode, none.errors, none.authority.length], [3, [19], 1]);
  made.clock.pass(DAY);
  const late = await made.ask(asks(NAME));
  deepEqual([late.rcode, late.errors, late.answer], [2, [22], []]);
  upstream.isThere = true;
  upstream.speaks = answering("192.0.2.9");
  made.clock.pass(60_000);
  deepEqual((await made.ask(asks(NAME))).answer, [`${NAME} 60 A 192.0.2.9`]);
});

Deno.test("upstreams are slow: after 1.8 s what was known is said, and the answer is kept when it comes", async () => {
  const upstream = new SpokenUpstream(answering());
  using made = forwarding([upstream]);
  await made.ask(asks(NAME));
  made.clock.pass(60_000);
  upstream.speaks = () => [];
  const asking = made.ask(asks(NAME));
  await upstream.askedTimes(2);
  made.clock.pass(1799);
  await settled();
  made.clock.pass(1);
  deepEqual((await asking).errors, [3]);
  await upstream.send(answering("192.0.2.2")(upstream.asked[1].query)[0]);
  await settled();
  deepEqual((await made.ask(asks(NAME))).answer, [`${NAME} 60 A 192.0.2.2`]);
  equal(upstream.asked.length, 2);
});

Deno.test("an answer is asked for once more in the last tenth of its time, and nobody waits for that", async () => {
  const upstream = new SpokenUpstream(answering());
  using made = forwarding([upstream]);
  await made.ask(asks(NAME));
  made.clock.pass(53_000);
  await made.ask(asks(NAME));
  equal(upstream.asked.length, 1);
  made.clock.pass(2000);
  upstream.speaks = () => [];
  for (let n = 0; n < 10; n++) deepEqual((await made.ask(asks(NAME))).answer, [`${NAME} 5 A 192.0.2.1`]);
  await upstream.askedTimes(2);
  await upstream.send(answering("192.0.2.2")(upstream.asked[1].query)[0]);
  await settled();
  deepEqual((await made.ask(asks(NAME))).answer, [`${NAME} 60 A 192.0.2.2`]);
  equal(upstream.asked.length, 2);
});

Deno.test("whoever leaves cancels its own wait alone (row 52)", async () => {
  const upstream = new SpokenUpstream(() => []);
  using made = forwarding([upstream]);
  const leaving = new AbortController();
  const left = Promise.resolve(made.forward.resolve(asks(NAME), leaving.signal));
  const stays = made.ask(asks(NAME));
  await upstream.askedTimes(1);
  leaving.abort(new Error("gone"));
  await rejects(left, /gone/);
  await upstream.send(answering()(upstream.asked[0].query)[0]);
  equal((await stays).answer.length, 1);
  equal(upstream.asked.length, 1);
});

Deno.test("no more questions wait than may: 200 are on the way, others for room, and the rest are SERVFAIL", async () => {
  const upstream = new SpokenUpstream(() => []);
  using made = forwarding([upstream], { upstreamInFlight: 300 });
  const asking = Array.from({ length: 400 }, (_, n) => made.ask(asks(`n${n}.example.org`)));
  await upstream.askedTimes(200);
  await settled();
  deepEqual([upstream.asked.length, upstream.dials], [200, 2]);
  const refused = await Promise.all(asking.slice(300));
  ok(refused.every(({ rcode, errors }) => rcode === 2 && errors[0] === 23));
  made.clock.pass(4000);
  ok((await Promise.all(asking)).every(({ rcode }) => rcode === 2));
});

Deno.test("a hundred thousand random names: the cache stays within its bytes, and has what is asked for often (row 57)", async () => {
  const random = seeded("names of others");
  const upstream = new SpokenUpstream((query) =>
    query.question!.name.key === zoneName(NAME).key
      ? answering()({ ...query })
      : [says(query, [";", SOA], { rcode: 3 })]
  );
  const limit = 1024 * 1024;
  using made = forwarding([upstream], { cache: limit });
  await made.ask(asks(NAME));
  const flood = async () => {
    for (let n = 0; n < 10_000; n += 100) {
      await Promise.all(
        Array.from({ length: 100 }, () => made.ask(asks(`${random.uint32().toString(36)}.example.org`))),
      );
      await made.ask(asks(NAME));
      ok(made.forward.stats().cache.bytes <= limit);
    }
    upstream.asked.length = 0;
  };
  const { level, values } = await untilLevel(() => made.forward.stats().cache.entries, flood, { rounds: 10 });
  ok(level, `${values}`);
  equal(made.forward.stats().cache.hits, (values.length - 1) * 100);
  equal(made.forward.flush(zoneName(NAME)), 1);
  ok(made.forward.flush() > 400);
  deepEqual([made.forward.stats().cache.entries, made.forward.stats().cache.bytes], [0, 0]);
});
