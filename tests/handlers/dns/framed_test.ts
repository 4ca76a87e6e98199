import { deepEqual, equal, ok } from "node:assert/strict";
import { memoryPair } from "@alknet/core/handler";
import { decodeMessage, type DnsLimits, encodeMessage } from "../../../handlers/dns/mod.ts";
import { dns } from "../../../handlers/dns/mod.ts";
import { Random } from "../../support/random.ts";
import { contextOf } from "../context.ts";
import { answersOf, framed, line, partsOver, query, storeWith } from "./zone.ts";

/** Short times, so that nobody waits. */
const QUICK: Partial<DnsLimits> = { idle: 60, frame: 60, stalled: 60 };

/** A connection of `dot` to a handler that has one zone. */
async function served(changes: Partial<DnsLimits> = {}) {
  const [store] = storeWith("home.example", [
    "www 60 A 192.0.2.1",
    ...Array.from({ length: 90 }, (_, n) => `big 60 TXT ${"a".repeat(200)}${n}`),
  ]);
  const parts = partsOver(store, changes);
  const [client, server] = memoryPair("dot", { singleStream: true });
  const drain = new AbortController();
  const handled = dns(parts).handle(server, contextOf(drain.signal));
  const { readable, writable } = await client.open();
  return { client, handled, drain, engine: parts.engine, writer: writable.getWriter(), reader: readable.getReader() };
}

Deno.test("a hundred queries in a row, cut anywhere, are each answered once; then a clean end", async () => {
  const { writer, reader, handled } = await served();
  const random = new Random(1);
  const bytes = framed(...Array.from({ length: 100 }, (_, id) => query("www.home.example", "A", { id })));
  const answers = answersOf(reader);
  for (let at = 0; at < bytes.byteLength;) {
    const length = 1 + random.below(70);
    await writer.write(bytes.subarray(at, at + length));
    at += length;
  }
  await writer.close();
  const found = await answers;
  deepEqual(found.map(({ id }) => id), Array.from({ length: 100 }, (_, id) => id));
  ok(found.every(({ answer }) => line(answer[0]) === "www.home.example 60 A 192.0.2.1"));
  await handled;
});

for (
  const [title, bytes] of [
    ["a length of 0", Uint8Array.of(0, 0)],
    ["a length of 11", Uint8Array.of(0, 11, ...new Uint8Array(11))],
    ["a length of 4,097", Uint8Array.of(16, 1)],
    ["three answers", framed(...Array.from({ length: 3 }, () => query("www.home.example", "A", { response: true })))],
  ] as const
) {
  Deno.test(`${title}: what came before is answered, and the connection is closed`, async () => {
    const { writer, reader, client, handled } = await served();
    await writer.write(Uint8Array.of(...framed(query("www.home.example")), ...bytes));
    const first = await reader.read();
    equal(decodeMessage(first.value!.subarray(2)).answer.length, 1);
    equal((await client.closed).by, "peer");
    await handled;
    await writer.abort().catch(() => {});
  });
}

Deno.test("an end within a frame closes the connection", async () => {
  const { writer, client, handled } = await served();
  await writer.write(framed(query("www.home.example")).subarray(0, 9));
  await writer.close();
  equal((await client.closed).by, "peer");
  await handled;
});

for (
  const [title, begin] of [
    ["silence", new Uint8Array(0)],
    ["half a frame", framed(query("www.home.example")).subarray(0, 9)],
  ] as const
) {
  Deno.test(`${title} closes the connection after its time`, async () => {
    const { writer, client, handled } = await served(QUICK);
    if (begin.byteLength > 0) await writer.write(begin);
    equal((await client.closed).by, "peer");
    await handled;
    await writer.abort().catch(() => {});
  });
}

Deno.test("answers that nobody takes close the connection after their time", async () => {
  const { writer, client, handled } = await served({ ...QUICK, idle: 10_000 });
  const many = framed(...Array.from({ length: 200 }, (_, id) => query("big.home.example", "TXT", { id })));
  writer.write(many).catch(() => {});
  equal((await client.closed).by, "peer");
  await handled;
});

Deno.test("what cannot be read is answered with its id, and the connection goes on", async () => {
  const { writer, reader, handled } = await served();
  const wrong = encodeMessage(query("www.home.example", "A", { id: 7 })).slice(0, -1);
  const keepalive = { udpSize: 1232, version: 0, dnssecOk: false, options: [{ code: 11, data: new Uint8Array(1) }] };
  await writer.write(
    framed(wrong, query("www.home.example", "A", { id: 8, edns: keepalive }), query("www.home.example")),
  );
  await writer.close();
  deepEqual((await answersOf(reader)).map(({ id, rcode }) => [id, rcode]), [[7, 1], [8, 1], [0x1234, 0]]);
  await handled;
});

Deno.test("who asks for how long a connection is kept is told, cold and from the cache, with and without padding", async () => {
  const { writer, reader, handled } = await served();
  const edns = { udpSize: 1232, version: 0, dnssecOk: false };
  const keepalive = { code: 11, data: new Uint8Array(0) };
  const asked = (...options: { code: number; data: Uint8Array }[]) =>
    query("www.home.example", "A", { edns: { ...edns, options } });
  await writer.write(framed(
    asked(keepalive),
    asked(keepalive),
    asked(keepalive, { code: 12, data: new Uint8Array(0) }),
    asked({ code: 11, data: new Uint8Array(2) }),
    asked(),
    query("www.home.example"),
  ));
  await writer.close();
  const found = await answersOf(reader);
  const told = { code: 11, data: Uint8Array.of(0, 100) };
  deepEqual(found.map(({ edns }) => edns?.options.filter(({ code }) => code === 11)), [
    [told],
    [told],
    [told],
    [],
    [],
    undefined,
  ]);
  ok(found.every(({ answer }) => answer.length === 1));
  equal(encodeMessage(found[2]).byteLength, 468);
  await handled;
});

Deno.test("over its rate a caller waits, and nothing is lost", async () => {
  const { writer, reader, handled } = await served({ queryRate: { perSecond: 100, burst: 10 } });
  await writer.write(framed(...Array.from({ length: 30 }, (_, id) => query("www.home.example", "A", { id }))));
  await writer.close();
  equal((await answersOf(reader)).length, 30);
  await handled;
});

Deno.test("a drain answers what was read, and ends", async () => {
  const { writer, reader, handled, drain } = await served();
  await writer.write(framed(query("www.home.example")));
  equal((await reader.read()).done, false);
  drain.abort();
  equal((await reader.read()).done, true);
  await writer.close().catch(() => {});
  await handled;
});
