import { deepEqual, equal, ok } from "node:assert/strict";
import { type BidiStream, memoryPair, StreamClosedError } from "@alknet/core/handler";
import { dns, type DnsLimits } from "../../../handlers/dns/mod.ts";
import { contextOf } from "../context.ts";
import { answersOf, framed, partsOver, query, storeWith } from "./zone.ts";

/** A connection of `alknet/dns` to a handler that has one zone. */
function served(changes: Partial<DnsLimits> = {}) {
  const [store] = storeWith("home.example", ["www 60 A 192.0.2.1"]);
  const parts = partsOver(store, changes);
  const [client, server] = memoryPair("alknet/dns");
  const drain = new AbortController();
  return { client, drain, parts, handled: dns(parts).handle(server, contextOf(drain.signal)) };
}

/** What a stream was cut with. */
async function cutOf({ readable }: BidiStream): Promise<number | undefined> {
  const error = await answersOf(readable.getReader()).catch((error) => error);
  ok(error instanceof StreamClosedError, String(error));
  return error.errorCode;
}

Deno.test("alknet/dns: streams of many queries each, one beside another", async () => {
  const { client, handled } = served();
  const counts = await Promise.all(Array.from({ length: 20 }, async (_, n) => {
    const { readable, writable } = await client.open();
    const writer = writable.getWriter();
    await writer.write(framed(...Array.from({ length: n + 1 }, (_, id) => query("www.home.example", "A", { id }))));
    await writer.close();
    return (await answersOf(readable.getReader())).filter(({ answer }) => answer.length === 1).length;
  }));
  deepEqual(counts, Array.from({ length: 20 }, (_, n) => n + 1));
  client.close();
  await handled;
});

Deno.test("alknet/dns: what would close a connection of DNS over TLS cuts its stream alone", async () => {
  const { client, handled, parts } = served({ frame: 60, idle: 60 });
  const cases: readonly (readonly [Uint8Array, number])[] = [
    [Uint8Array.of(0, 0), 2],
    [Uint8Array.of(16, 1), 2],
    [framed(query("www.home.example")).subarray(0, 9), 2],
    [new Uint8Array(0), 0],
  ];
  for (const [bytes, code] of cases) {
    const stream = await client.open();
    if (bytes.byteLength > 0) await stream.writable.getWriter().write(bytes);
    equal(await cutOf(stream), code);
  }
  const { readable, writable } = await client.open();
  const writer = writable.getWriter();
  await writer.write(framed(query("www.home.example")));
  await writer.close();
  equal((await answersOf(readable.getReader())).length, 1);
  equal(parts.rates.refused.get("protocol"), 2);
  client.close();
  await handled;
});

Deno.test("alknet/dns: one stream too many is refused, and one that is cancelled makes room", async () => {
  const { client, handled } = served({ inFlight: 2 });
  const held = [await client.open(), await client.open()];
  equal(await cutOf(await client.open()), 4);
  held[0].reset(3);
  equal(await cutOf(held[0]), 3);
  const { readable, writable } = await client.open();
  const writer = writable.getWriter();
  await writer.write(framed(query("www.home.example")));
  await writer.close();
  equal((await answersOf(readable.getReader())).length, 1);
  client.close();
  await handled;
});

Deno.test("alknet/dns: a drain answers what was read on every stream, and ends", async () => {
  const { client, handled, drain } = served();
  const open = await Promise.all([client.open(), client.open()]);
  const readers = open.map(({ readable }) => readable.getReader());
  for (const { writable } of open) await writable.getWriter().write(framed(query("www.home.example")));
  for (const reader of readers) equal((await reader.read()).done, false);
  drain.abort();
  for (const reader of readers) equal((await reader.read()).done, true);
  await handled;
});
