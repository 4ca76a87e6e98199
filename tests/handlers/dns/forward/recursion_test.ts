/**
 * Who may have names of others asked for, and what fronts make of answers that come later (rows 3, 39 of dns.md §11).
 *
 * @module
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { type Identity, memoryPair } from "@alknet/core/handler";
import {
  answerDoh,
  decodeMessage,
  dns,
  type DnsCaller,
  dnsEngine,
  type DnsLimits,
  dnsLimitsWith,
  dnsRates,
  encodeMessage,
  type Filter,
  type FrontParts,
  type Message,
} from "../../../../handlers/dns/mod.ts";
import { contextOf } from "../../context.ts";
import { answersOf, framed, line, storeWith } from "../zone.ts";
import { asks, forwarding, says, settled, SpokenUpstream } from "./upstream.ts";

const NAME = "www.example.org";
const STRANGER: DnsCaller = { front: "dot", address: "192.0.2.1" };
const FRIEND: DnsCaller = { front: "dot", address: "198.51.100.1" };

function answering(query: Message): Message[] {
  const answer = says(query, ["x. 60 A 192.0.2.77"]);
  return [{ ...answer, answer: answer.answer.map((each) => ({ ...each, name: query.question!.name })) }];
}

/** An engine with a zone of its own, that asks others for one caller. */
function serving(
  upstream: SpokenUpstream,
  { filter, ...changes }: Partial<DnsLimits> & { readonly filter?: Filter } = {},
): { readonly parts: FrontParts; readonly made: ReturnType<typeof forwarding> } & Disposable {
  const [store] = storeWith("home.example", [
    "www 60 A 192.0.2.7",
    `out 60 CNAME ${NAME}.`,
    "local 60 CNAME www",
    "self 60 CNAME localhost.",
  ]);
  const made = forwarding([upstream]);
  const limits = dnsLimitsWith(changes);
  const rates = dnsRates({ limits });
  const mayRecurse = ({ address, identity }: DnsCaller): boolean =>
    address === FRIEND.address || identity?.scopes.includes("dns:recurse") === true;
  const recursion = { forwarder: made.forward, mayRecurse, filter };
  const parts = { engine: dnsEngine({ zones: store.zones, rates, limits, recursion }), rates, limits };
  return { parts, made, [Symbol.dispose]: () => (made[Symbol.dispose](), store[Symbol.dispose]()) };
}

async function told({ engine }: FrontParts, query: Message, caller: DnsCaller): Promise<Message> {
  return decodeMessage(await engine.respond(query, caller));
}

function errorsOf({ edns }: Message): number[] {
  return (edns?.options ?? []).filter(({ code }) => code === 15).map(({ data }) => data[0] << 8 | data[1]);
}

Deno.test("names of others are for who may, cached ones too; RA says who that is (row 39)", async () => {
  const upstream = new SpokenUpstream(answering);
  using served = serving(upstream);
  const { parts } = served;
  const known: DnsCaller = { ...STRANGER, identity: { id: "a", scopes: ["dns:recurse"], resources: {} } as Identity };
  for (const [caller, code, ra] of [[STRANGER, 5, false], [FRIEND, 0, true], [known, 0, true]] as const) {
    for (let n = 0; n < 2; n++) {
      const answer = await told(parts, asks(NAME), caller);
      deepEqual([answer.rcode, answer.flags.ra, answer.flags.aa], [code, ra, false]);
      deepEqual(errorsOf(answer), code === 0 ? [] : [18]);
      const own = await told(parts, asks("www.home.example"), caller);
      deepEqual([own.rcode, own.flags.ra, own.flags.aa], [0, ra, true]);
    }
  }
  const late: DnsCaller = { ...STRANGER };
  deepEqual(errorsOf(await told(parts, asks(NAME), late)), [18]);
  const { flags } = asks(NAME);
  const undesired = await told(parts, asks(NAME, "A", { flags: { ...flags, rd: false } }), FRIEND);
  deepEqual([undesired.rcode, errorsOf(undesired)], [5, [20]]);
  equal(upstream.asked.length, 1);
  deepEqual((await told(parts, asks("x.onion"), FRIEND)).rcode, 3);
  equal(upstream.asked.length, 1);
});

Deno.test("names of others have a rate of their own, a caller", async () => {
  const upstream = new SpokenUpstream(answering);
  using served = serving(upstream, { recursionRate: { perSecond: 1, burst: 10 } });
  const codes: number[] = [];
  for (let n = 0; n < 20; n++) codes.push((await told(served.parts, asks(`n${n}.example.org`), FRIEND)).rcode);
  deepEqual(codes, [...Array(10).fill(0), ...Array(10).fill(5)]);
  equal(upstream.asked.length, 10);
  equal(served.parts.rates.refused.get("recursion-rate"), 10);
});

Deno.test("a filter is asked before anybody else", async () => {
  const upstream = new SpokenUpstream(answering);
  const filter: Filter = ({ name }) => name.wire[1] === 0x61 ? "nxdomain" : name.wire[1] === 0x62 ? "refuse" : "pass";
  using served = serving(upstream, { filter });
  const codes = await Promise.all(["a.example", "b.example", "c.example"].map(async (name) => {
    const answer = await told(served.parts, asks(name), FRIEND);
    return [answer.rcode, errorsOf(answer)];
  }));
  deepEqual(codes, [[3, [15]], [5, [15]], [0, []]]);
  equal(upstream.asked.length, 1);
});

Deno.test("a chain out of our zones goes on for who may; others get it so far (row 34)", async () => {
  const upstream = new SpokenUpstream(answering);
  using served = serving(upstream);
  const lines = async (name: string, caller: DnsCaller) =>
    (await told(served.parts, asks(name), caller)).answer.map(line);
  const alias = `out.home.example 60 CNAME ${NAME}.`;
  deepEqual(await lines("out.home.example", STRANGER), [alias]);
  deepEqual(await lines("out.home.example", FRIEND), [alias, `${NAME} 60 A 192.0.2.77`]);
  deepEqual(await lines("out.home.example", STRANGER), [alias]);
  deepEqual((await lines("self.home.example", FRIEND))[1], "localhost 3600 A 127.0.0.1");
  equal((await lines("local.home.example", FRIEND)).length, 2);
  equal(upstream.asked.length, 1);
  upstream.speaks = (query) => [says(query, [], { rcode: 2 })];
  served.made.forward.flush();
  const failed = await told(served.parts, asks("out.home.example"), FRIEND);
  deepEqual([failed.rcode, failed.answer.map(line)], [2, [alias]]);
});

/** A connection to the handler. */
function connected(parts: FrontParts, alpn: "dot" | "doq") {
  const [client, server] = memoryPair(alpn, { singleStream: alpn === "dot" });
  const friendly = Object.create(server, {
    remoteAddress: { value: { hostname: FRIEND.address, port: 1 } },
    alpn: { value: alpn },
    receiveStreams: { get: () => server.receiveStreams },
    identity: { value: undefined },
    close: { value: server.close.bind(server) },
    [Symbol.asyncIterator]: { value: () => server[Symbol.asyncIterator]() },
  });
  const drain = new AbortController();
  const handled = Promise.resolve(dns(parts).handle(friendly, contextOf(drain.signal)));
  // A client that leaves ends it with an error, which is the endpoint's business.
  return { client, drain, handled: handled.catch(() => {}) };
}

Deno.test("dot: what others are asked does not hold up what is known; then a clean end when all is answered (row 3)", async () => {
  const upstream = new SpokenUpstream((query) => query.question!.name.wire[1] === 0x73 ? [] : answering(query));
  using served = serving(upstream);
  const { client, handled } = connected(served.parts, "dot");
  const { readable, writable } = await client.open();
  const writer = writable.getWriter();
  const slow = asks("slow.example.org", "A", { id: 1 });
  await writer.write(framed(slow, asks("www.home.example", "A", { id: 2 }), asks(NAME, "A", { id: 3 })));
  await writer.close();
  const reader = readable.getReader();
  const answers = answersOf(reader);
  await upstream.askedTimes(2);
  await settled();
  const asked = upstream.asked.find(({ query }) => query.question!.name.wire[1] === 0x73)!;
  await upstream.send(answering(asked.query)[0]);
  deepEqual((await answers).map(({ id, rcode }) => [id, rcode]), [[2, 0], [3, 0], [1, 0]]);
  await handled;
});

Deno.test("dot: 64 that wait are what one connection has; the rest is read when there is room", async () => {
  const upstream = new SpokenUpstream(() => []);
  using served = serving(upstream);
  const { client, handled } = connected(served.parts, "dot");
  const { readable, writable } = await client.open();
  const writer = writable.getWriter();
  await writer.write(framed(...Array.from({ length: 80 }, (_, id) => asks(`n${id}.example.org`, "A", { id }))));
  const answers = answersOf(readable.getReader());
  await upstream.askedTimes(64);
  await settled();
  equal(upstream.asked.length, 64);
  upstream.speaks = answering;
  for (const { query } of upstream.asked.slice()) await upstream.send(answering(query)[0]);
  await writer.close();
  const ids = (await answers).map(({ id }) => id);
  deepEqual(ids.toSorted((a, b) => a - b), Array.from({ length: 80 }, (_, id) => id));
  await handled;
});

Deno.test("dot: a drain answers what others are still asked; an idle time does not end who waits", async () => {
  const upstream = new SpokenUpstream(() => []);
  using served = serving(upstream, { idle: 40 });
  const { client, drain, handled } = connected(served.parts, "dot");
  const { readable, writable } = await client.open();
  await writable.getWriter().write(framed(asks(NAME)));
  const answers = answersOf(readable.getReader());
  await upstream.askedTimes(1);
  await new Promise((resolve) => setTimeout(resolve, 120));
  drain.abort();
  await settled();
  await upstream.send(answering(upstream.asked[0].query)[0]);
  equal((await answers).length, 1);
  client.close();
  await handled;
});

for (const alpn of ["dot", "doq"] as const) {
  Deno.test(`${alpn}: whoever leaves while others are asked costs no more, and the answer is kept`, async () => {
    const upstream = new SpokenUpstream(() => []);
    using served = serving(upstream);
    const { client, handled } = connected(served.parts, alpn);
    const { readable, writable } = await client.open();
    const writer = writable.getWriter();
    await writer.write(framed(asks(NAME, "A", { id: 0 })));
    await upstream.askedTimes(1);
    writer.abort().catch(() => {});
    readable.cancel().catch(() => {});
    await settled();
    client.close();
    await handled;
    await upstream.send(answering(upstream.asked[0].query)[0]);
    await settled();
    equal((await told(served.parts, asks(NAME), FRIEND)).answer.length, 1);
    equal(upstream.asked.length, 1);
  });
}

Deno.test("DoH: what others said is for this client's cache alone, and in JSON too", async () => {
  const upstream = new SpokenUpstream(answering);
  using served = serving(upstream);
  const headers = { "content-type": "application/dns-message" };
  const post = (name: string): Request =>
    new Request("https://x/dns-query", { method: "POST", headers, body: encodeMessage(asks(name)) });
  const caller = { ...FRIEND, front: "doh" } as const;
  const answer = await answerDoh(post(NAME), caller, served.parts);
  equal(answer!.headers.get("cache-control"), "private, max-age=60");
  equal(decodeMessage(new Uint8Array(await answer!.arrayBuffer())).answer.length, 1);
  const own = await answerDoh(post("www.home.example"), caller, served.parts);
  equal(own!.headers.get("cache-control"), "max-age=60");
  const json = await answerDoh(
    new Request(`https://x/dns-query?name=${NAME}`, { headers: { accept: "application/dns-json" } }),
    caller,
    served.parts,
  );
  match(await json!.text(), /"RA":true.*192\.0\.2\.77/);
  ok(served.parts.engine.stats().cache!.hits > 0);
});
