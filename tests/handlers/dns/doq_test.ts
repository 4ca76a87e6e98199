import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { type BidiStream, type Connection, memoryPair, StreamClosedError } from "@alknet/core/handler";
import { decodeMessage, dns, type DnsLimits, encodeMessage, type Message } from "../../../handlers/dns/mod.ts";
import { contextOf } from "../context.ts";
import { framed, line, partsOver, query, storeWith } from "./zone.ts";

/** Codes of RFC 9250 §4.3. */
const INTERNAL = 1;
const PROTOCOL = 2;
const CANCELLED = 3;
const LOAD = 4;

/** Short times, so that nobody waits. */
const QUICK: Partial<DnsLimits> = { frame: 60, stalled: 60 };
/** A query of this protocol. */
const ASKED = query("www.home.example", "A", { id: 0 });

/** A connection of `doq` to a handler that has one zone. */
function served(changes: Partial<DnsLimits> = {}) {
  const [store] = storeWith("home.example", ["www 60 A 192.0.2.1"]);
  const parts = partsOver(store, changes);
  const [client, server] = memoryPair("doq");
  const drain = new AbortController();
  const handled = dns(parts).handle(server, contextOf(drain.signal)) as Promise<void>;
  return { store, client, server, handled, drain, parts };
}

/** A stream with what was sent on it, ended or not. */
async function sent(client: Connection, bytes: Uint8Array, end: boolean): Promise<BidiStream> {
  const stream = await client.open();
  const writer = stream.writable.getWriter();
  // A stream that is refused at once takes nothing; what became of it is read.
  await writer.write(bytes).catch(() => {});
  if (end) await writer.close().catch(() => {});
  else writer.releaseLock();
  return stream;
}

/** The one answer on a stream, which ends behind it. */
async function answerOn({ readable }: BidiStream): Promise<Message> {
  const bytes = new Uint8Array(await new Response(readable as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer());
  equal(bytes[0] << 8 | bytes[1], bytes.byteLength - 2);
  return decodeMessage(bytes.subarray(2));
}

async function ask(client: Connection, message: Message = ASKED): Promise<Message> {
  return await answerOn(await sent(client, framed(message), true));
}

/** With which code our reading of a stream ended. */
async function resetOf({ readable }: BidiStream): Promise<number | undefined> {
  const error = await new Response(readable as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer().catch((error) =>
    error
  );
  ok(error instanceof StreamClosedError, String(error));
  return error.errorCode;
}

Deno.test("a query a stream: answered as a whole one is there, with the bytes of the specification", async () => {
  const { client, handled } = served();
  const stream = await sent(client, framed(ASKED).subarray(0, 20), false);
  const writer = stream.writable.getWriter();
  await writer.write(framed(ASKED).subarray(20));
  const bytes = (await stream.readable.getReader().read()).value!;
  deepEqual([...bytes.subarray(0, 6)], [0, bytes.byteLength - 2, 0, 0, 0x84, 0]);
  equal(line(decodeMessage(bytes.subarray(2)).answer[0]), "www.home.example 60 A 192.0.2.1");
  await writer.close();
  client.close();
  await handled;
});

Deno.test("a hundred streams at once are each answered, and end", async () => {
  const { client, handled } = served();
  const answers = await Promise.all(Array.from({ length: 100 }, () => ask(client)));
  ok(answers.every(({ id, answer }) => id === 0 && answer.length === 1));
  client.close();
  await handled;
});

const keepalive = { udpSize: 1232, version: 0, dnssecOk: false, options: [{ code: 11, data: new Uint8Array(0) }] };
const WRONG: readonly (readonly [string, Uint8Array])[] = [
  ["an id", framed(query("www.home.example", "A", { id: 7 }))],
  ["a second message", framed(ASKED, ASKED)],
  ["a byte behind the message", Uint8Array.of(...framed(ASKED), 0)],
  ["an end within the message", framed(ASKED).subarray(0, 20)],
  ["an end within the length", Uint8Array.of(0)],
  ["no length", new Uint8Array(0)],
  ["a length below 12", Uint8Array.of(0, 11, ...new Uint8Array(11))],
  ["the keepalive of DNS over TCP", framed({ ...ASKED, edns: keepalive })],
  ["an answer", framed({ ...ASKED, response: true })],
];

for (const [title, bytes] of WRONG) {
  Deno.test(`${title} on a stream: the connection is closed with a protocol error, and counted`, async () => {
    const { client, handled, parts } = served();
    await ask(client);
    await sent(client, bytes, true);
    const { by, code } = await client.closed;
    deepEqual([by, code], ["peer", PROTOCOL]);
    await handled;
    equal(parts.rates.refused.get("protocol"), 1);
  });
}

Deno.test("a byte behind the message that comes after the answer closes the connection too", async () => {
  const { client, handled } = served();
  const stream = await sent(client, framed(ASKED), false);
  await answerOn(stream);
  await stream.writable.getWriter().write(Uint8Array.of(0));
  equal((await client.closed).code, PROTOCOL);
  await handled;
});

Deno.test("a stream of one direction closes the connection", async () => {
  const { client, handled } = served();
  await (await client.openSend()).writable.getWriter().write(framed(ASKED)).catch(() => {});
  equal((await client.closed).code, PROTOCOL);
  await handled;
});

Deno.test("what can be read up to its question is answered FORMERR", async () => {
  const { client, handled } = served();
  const answer = await answerOn(await sent(client, framed(encodeMessage(ASKED).subarray(0, -1)), true));
  deepEqual([answer.id, answer.rcode], [0, 1]);
  client.close();
  await handled;
});

Deno.test("who cancels, by a reset or a stop, frees the stream at once; others live", async () => {
  const { client, handled } = served({ inFlight: 2 });
  // More than may be open at once, one after another: none is left behind.
  for (let n = 0; n < 20; n++) {
    const stream = await sent(client, framed(ASKED).subarray(0, 20), false);
    if (n % 2 === 0) stream.reset(CANCELLED);
    else stream.stop(CANCELLED);
    if (n % 2 === 0) equal(await resetOf(stream), CANCELLED);
    else await rejects(stream.writable.getWriter().closed, { errorCode: CANCELLED });
    equal((await ask(client)).answer.length, 1);
  }
  client.close();
  await handled;
});

Deno.test("a message that is not whole in time, and one without an end: the stream is cut, and the connection lives", async () => {
  const { client, handled } = served(QUICK);
  equal(await resetOf(await sent(client, framed(ASKED).subarray(0, 20), false)), PROTOCOL);
  const endless = await sent(client, framed(ASKED), false);
  equal((await answerOn(endless)).answer.length, 1);
  await rejects(endless.writable.getWriter().closed, { errorCode: PROTOCOL });
  equal((await ask(client)).answer.length, 1);
  client.close();
  await handled;
});

Deno.test("a length above 4,096 and one stream too many are refused for load; the eighth ends the connection", async () => {
  const { client, handled, parts } = served({ inFlight: 3 });
  equal(await resetOf(await sent(client, Uint8Array.of(16, 1), false)), LOAD);
  const held = [];
  for (let n = 0; n < 3; n++) held.push(await sent(client, framed(ASKED).subarray(0, 20), false));
  for (let n = 0; n < 6; n++) equal(await resetOf(await sent(client, framed(ASKED), true)), LOAD);
  // Those that were there go on.
  const writer = held[0].writable.getWriter();
  await writer.write(framed(ASKED).subarray(20));
  await writer.close();
  equal((await answerOn(held[0])).answer.length, 1);
  held[0] = await sent(client, framed(ASKED).subarray(0, 20), false);
  await sent(client, framed(ASKED), true).catch(() => {});
  equal((await client.closed).code, LOAD);
  await handled;
  equal(parts.rates.refused.get("in-flight"), 7);
});

Deno.test("a query above the rate is refused for load", async () => {
  const { client, handled, parts } = served({ queryRate: { perSecond: 1, burst: 3 } });
  for (let n = 0; n < 3; n++) equal((await ask(client)).answer.length, 1);
  equal(await resetOf(await sent(client, framed(ASKED), true)), LOAD);
  equal(parts.rates.refused.get("query-rate"), 1);
  client.close();
  await handled;
});

Deno.test("transfers are refused, and why is told", async () => {
  const { client, handled } = served();
  const edns = { ...keepalive, options: [] };
  for (const type of ["TYPE251", "TYPE252"]) {
    const { rcode, edns: told } = await ask(client, query("home.example", type, { id: 0, edns }));
    deepEqual([rcode, told!.options[0].code, told!.options[0].data[1]], [5, 15, 21]);
  }
  client.close();
  await handled;
});

Deno.test("our own failure resets the stream as such, and the next is served", async () => {
  const { client, handled, store } = served();
  equal((await ask(client)).answer.length, 1);
  store[Symbol.dispose]();
  const other = query("other.home.example", "A", { id: 0 });
  equal(await resetOf(await sent(client, framed(other), true)), INTERNAL);
  equal((await ask(client, query("localhost", "A", { id: 0 }))).answer.length, 1);
  client.close();
  await handled;
});

Deno.test("a drain: what runs is answered, what is new is refused without an error, and the handler returns", async () => {
  const { client, handled, drain } = served();
  const running = await sent(client, framed(ASKED).subarray(0, 20), false);
  // Somebody who was answered and leaves the stream open keeps nobody.
  equal((await answerOn(await sent(client, framed(ASKED), false))).answer.length, 1);
  drain.abort();
  equal(await resetOf(await sent(client, framed(ASKED), true)), 0);
  const writer = running.writable.getWriter();
  await writer.write(framed(ASKED).subarray(20));
  await writer.close();
  equal((await answerOn(running)).answer.length, 1);
  await handled;
});

Deno.test("a drain with nothing running returns", async () => {
  const { handled, drain } = served();
  drain.abort();
  await handled;
});
