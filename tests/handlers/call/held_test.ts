/**
 * What a session holds for its peer: answers that are not read, frames that do not come whole, lanes that are gone
 * (call.md §2.1, §7, §12, §16).
 *
 * @module
 */
import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { type BidiStream, type Connection, memoryPair } from "@alknet/core/handler";
import { Dispatcher, type HandlerRegistration, nodeRegistry } from "@alknet/core/operations";
import { call, CallConnection, type CallConnectionOptions } from "@alknet/handlers/call";
import { CallCode } from "../../../handlers/call/codes.ts";
import { encodeFrame, FrameDecoder } from "../../../handlers/call/frames/frames.ts";
import { HIGH_UNREAD, MAX_PARTIAL, MAX_UNREAD } from "../../../handlers/call/limits.ts";
import { contextOf } from "../context.ts";
import { once, stream } from "./fixtures.ts";
import { HeldClock, linked } from "./links.ts";
import { StreamWire } from "./ways.ts";

const MIB = 1024 * 1024;

/** A session in memory, and the raw connection of its caller. */
function served(registrations: readonly HandlerRegistration[], options: CallConnectionOptions = {}) {
  const [near, far] = memoryPair("alknet/call");
  const dispatcher = new Dispatcher({ registry: nodeRegistry(registrations) });
  const session = new CallConnection(far, { dispatcher, ...options });
  return {
    near,
    session,
    async [Symbol.asyncDispose]() {
      near.close();
      await session.closed;
    },
  };
}

Deno.test("CallConnection: an answered id is free at once, whatever waits to be read (call.md §7, §26 row 28)", async () => {
  await using ends = served([once("big/text", () => "x".repeat(1000)), once("echo/back", (input) => input)]);
  const wire = new StreamWire(await ends.near.open());
  for (let n = 0; n < 2000; n++) await wire.ask(`r${n}`, "/big/text");
  equal((await wire.next())?.id, "r0");
  deepEqual(ends.session.counts, { inbound: 0, outgoing: 0 }, "what was answered is in no table");
  await wire.ask("r0", "/echo/back", "again");
  for (let n = 1; n < 2000; n++) equal((await wire.next())?.id, `r${n}`);
  deepEqual((await wire.next())?.payload, { output: "again" });
});

Deno.test("CallConnection: who asks and does not read is refused, then answered no more, then cut off (call.md §12)", async () => {
  const text = "x".repeat(8 * MIB);
  const gate = Promise.withResolvers<void>();
  let waiting = 0;
  const all = Promise.withResolvers<void>();
  const HELD = 24;
  await using ends = served([
    once("big/text", () => text),
    once("big/later", async () => {
      if (++waiting === HELD) all.resolve();
      await gate.promise;
      return text;
    }),
  ]);
  const [wire, other] = [new StreamWire(await ends.near.open()), new StreamWire(await ends.near.open())];
  for (let n = 0; n < HELD; n++) await wire.ask(`l${n}`, "/big/later");
  await all.promise;
  const fit = Math.ceil(HIGH_UNREAD / text.length);
  for (let n = 0; n < fit; n++) await other.ask(`t${n}`, "/big/text");
  // The bytes of one lane count for the others.
  const fresh = new StreamWire(await ends.near.open());
  const refused = await fresh.call("refused", "/big/text");
  deepEqual([refused?.payload.message, refused?.payload.retryable], ["too many requests in flight", true]);
  gate.resolve();
  const answers = [];
  for (let n = 0; n < fit; n++) answers.push(await other.next());
  ok(answers.every((answer) => (answer?.payload.output as string).length === text.length));
  const dropped = [];
  for (let n = 0; n < HELD; n++) {
    const answer = await wire.next();
    if (answer?.type === "call.error") dropped.push(answer.payload.message);
  }
  ok(dropped.length >= HELD - MAX_UNREAD / text.length && dropped.length < HELD, `${dropped.length} were dropped`);
  match(dropped[0] as string, /too much waits to be read/);
  // Whoever read everything is served again.
  equal((await fresh.call("again", "/big/text"))?.type, "call.responded");
});

Deno.test("CallConnection: who asks on beyond all that waits to be read loses the connection (call.md §12)", async () => {
  const text = "x".repeat(60 * MIB);
  const gate = Promise.withResolvers<void>();
  let waiting = 0;
  const all = Promise.withResolvers<void>();
  await using ends = served([once("big/later", async () => {
    if (++waiting === 3) all.resolve();
    await gate.promise;
    return text;
  })]);
  const wire = new StreamWire(await ends.near.open());
  for (let n = 0; n < 3; n++) await wire.ask(`l${n}`, "/big/later");
  await all.promise;
  gate.resolve();
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
  await wire.ask("more", "/big/later");
  equal((await ends.near.closed).code, CallCode.UNREAD);
});

Deno.test("CallConnection: frames that do not come whole share one limit (call.md §2.1)", async () => {
  await using ends = served([once("echo/back", (input) => input)]);
  const chunk = new Uint8Array(4 * MIB);
  const header = new Uint8Array([4, 0, 0, 0]);
  let given = 0;
  let cut = false;
  const other = new StreamWire(await ends.near.open());
  while (!cut && given < 2 * MAX_PARTIAL) {
    const wire = new StreamWire(await ends.near.open());
    await wire.bytes(header);
    for (let n = 0; n < 12 && !cut; n++) {
      await wire.bytes(chunk).then(() => given += chunk.byteLength, () => cut = true);
    }
  }
  ok(cut && given >= MAX_PARTIAL - chunk.byteLength && given < MAX_PARTIAL + 4 * chunk.byteLength, `${given} bytes`);
  equal((await other.call("a", "/echo/back", 1))?.payload.output, 1, "the other streams go on");
});

Deno.test("FrameDecoder: a body that comes byte by byte costs little more than its bytes (call.md §2.1)", () => {
  const size = 2 * MIB;
  const frame = encodeFrame(JSON.stringify({ type: "t", id: "i", payload: "x".repeat(size) }));
  const decoder = new FrameDecoder();
  const before = Deno.memoryUsage();
  // All that is pushed before the last byte; whole chunks between, as other senders on the way may gather some.
  for (let at = 0; at < frame.byteLength - 1;) {
    const length = at % 3000 === 0 ? Math.min(600, frame.byteLength - 1 - at) : 1;
    decoder.push(frame.slice(at, at + length));
    equal(decoder.next(), undefined);
    at += length;
  }
  equal(decoder.held, frame.byteLength - 5);
  const { heapUsed, external } = Deno.memoryUsage();
  const more = heapUsed - before.heapUsed + external - before.external;
  ok(more < 100 * MIB, `${Math.round(more / MIB)} MiB for a body of ${size / MIB}`);
  decoder.push(frame.slice(-1));
  equal((decoder.next()?.envelope.payload as string).length, size);
});

Deno.test("call(): a drain tells subscriptions that never gave a value, and answers are written before its end (call.md §12)", async () => {
  const began = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  let asked = 0;
  const all = Promise.withResolvers<void>();
  const COUNT = 40;
  const registry = nodeRegistry([
    // deno-lint-ignore require-yield -- that is its point.
    stream("log/silent", async function* (_input, { signal }) {
      began.resolve();
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
      ended.resolve();
    }),
    once("big/text", async () => {
      if (++asked === COUNT) all.resolve();
      await go.promise;
      return "x".repeat(64 * 1024);
    }),
  ]);
  const [near, far] = memoryPair("alknet/call");
  const stop = new AbortController();
  const handled = Promise.resolve(call(new Dispatcher({ registry })).handle(far, contextOf(stop.signal)));
  // As an endpoint does: once the handler has returned, what was written is delivered, and nothing else.
  const over = handled.then(() => far[Symbol.asyncDispose]());
  const [silent, wire] = [new StreamWire(await near.open()), new StreamWire(await near.open())];
  await silent.ask("s", "/log/silent");
  for (let n = 0; n < COUNT; n++) await wire.ask(`b${n}`, "/big/text");
  await Promise.all([began.promise, all.promise]);
  stop.abort("shutdown");
  go.resolve();
  equal((await silent.next())?.type, "call.aborted");
  await ended.promise;
  for (let n = 0; n < COUNT; n++) equal((await wire.next())?.id, `b${n}`);
  await over;
});

/** The connection of a caller whose streams after the first are granted when the test says so. */
function granting(connection: Connection): { readonly slow: Connection; grant(): Promise<BidiStream> } {
  const waiting: ((stream: BidiStream) => void)[] = [];
  let opened = 0;
  const slow = new Proxy(connection, {
    get(target, name) {
      if (name === "open") {
        return () => opened++ === 0 ? target.open() : new Promise((resolve) => waiting.push(resolve));
      }
      const value = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  return {
    slow,
    async grant() {
      const stream = await connection.open();
      waiting.shift()!(stream);
      return stream;
    },
  };
}

Deno.test("call(): a stream that was granted late and is gone by then carries no request (call.md §16)", async () => {
  const [near, far] = memoryPair("alknet/call");
  const clock = new HeldClock();
  const { slow, grant } = granting(near);
  const caller = new CallConnection(slow, { clock });
  const streams = far[Symbol.asyncIterator]();
  const accepted = async () => new StreamWire((await streams.next()).value!);
  const answering = async (wire: StreamWire, output: string) => {
    const asked = await wire.next();
    await wire.send("call.responded", asked!.id, { output });
  };
  const first = caller.call("a/b", null, { ownStream: true });
  const shared = await accepted();
  await new Promise((resolve) => setTimeout(resolve, 0));
  clock.pass(250);
  await answering(shared, "shared");
  equal(await first, "shared");
  await grant();
  const late = await accepted();
  late.stream.reset(0);
  late.stream.stop(0);
  await new Promise((resolve) => setTimeout(resolve, 0));
  const second = caller.call("a/b", null, { ownStream: true });
  await new Promise((resolve) => setTimeout(resolve, 0));
  await grant();
  await answering(await accepted(), "another");
  equal(await second, "another");
  near.close();
  await caller.closed;
});

Deno.test("call(): the end of the one stream that the dialling side has is the end of the connection (call.md §16)", async () => {
  const [near, far] = memoryPair("alknet/call", { singleStream: true });
  const caller = new CallConnection(near);
  const answer = rejects(caller.call("a/b"), { code: "INTERNAL", message: "connection closed" });
  for await (const stream of far) {
    const wire = new StreamWire(stream);
    await wire.next();
    await wire.writer.close();
    await answer;
    equal(await wire.next(), undefined);
  }
  await caller.closed;
});

Deno.test("call(): whoever is turned away reads what the peer said (call.md §9, core.md §13)", async () => {
  const ends: [code: number, reason: string, message: string][] = [
    [258, "limit", "connection closed by the peer with code 258: limit"],
    [
      0,
      "too many failed authentications",
      "connection closed by the peer with code 0: too many failed authentications",
    ],
    [0, "", "connection closed"],
  ];
  for (const [code, reason, message] of ends) {
    const [near, far] = memoryPair("alknet/call");
    const caller = new CallConnection(near);
    const answer = rejects(caller.call("a/b"), { code: "INTERNAL", message });
    for await (const stream of far) {
      await new StreamWire(stream).next();
      break;
    }
    far.close(code, reason);
    await answer;
    await rejects(caller.call("a/b"), { code: "INTERNAL", message }, "asked afterwards");
    await caller.closed;
  }
});

Deno.test("call(): the end of one stream of many fails what was asked on it alone (call.md §16)", async () => {
  const [near, far] = memoryPair("alknet/call");
  const caller = new CallConnection(near);
  const answer = rejects(caller.call("a/b"), { code: "INTERNAL", message: "stream closed" });
  const streams = far[Symbol.asyncIterator]();
  const wire = new StreamWire((await streams.next()).value!);
  await wire.next();
  await wire.writer.close();
  await answer;
  const again = caller.call("a/b", null, { ownStream: true });
  for (;;) {
    const other = new StreamWire((await streams.next()).value!);
    const asked = await Promise.race([other.next(), again.then(() => undefined)]);
    if (!asked) continue;
    await other.send("call.responded", asked.id, { output: 1 });
    break;
  }
  equal(await again, 1);
  await caller.close();
});

Deno.test("CallConnection: what came before a loss and is read after it, is not served (call.md §16)", async () => {
  const [near, far] = memoryPair("alknet/call");
  let served = 0;
  const dispatcher = new Dispatcher({ registry: nodeRegistry([once("count/me", () => new Promise(() => served++))]) });
  const session = new CallConnection(far, { dispatcher });
  const values = session.subscribe("log/follow");
  const first = values.next();
  const streams = near[Symbol.asyncIterator]();
  // One stream is for calls, the other for the subscription: one of them brings it.
  const wires = [new StreamWire((await streams.next()).value!), new StreamWire((await streams.next()).value!)];
  const { wire, id } = await Promise.race(wires.map(async (wire) => ({ wire, id: (await wire.next())!.id })));
  const value = JSON.stringify({ type: "call.responded", id, payload: { output: 1 } });
  const request = JSON.stringify({ type: "call.requested", id: "late", payload: { operationId: "/count/me" } });
  const frames = [...Array.from({ length: 300 }, () => encodeFrame(value)), encodeFrame(request)];
  await wire.bytes(new Uint8Array(await new Blob(frames as Uint8Array<ArrayBuffer>[]).arrayBuffer()));
  await first;
  // Its loop takes no more, so that the stream is not read on before the connection is gone.
  await new Promise((resolve) => setTimeout(resolve, 0));
  near.close();
  await session.closed;
  await new Promise((resolve) => setTimeout(resolve, 0));
  deepEqual([served, session.counts], [0, { inbound: 0, outgoing: 0 }]);
});

Deno.test("CallConnection: 100,000 calls leave nothing behind (call.md §12)", async () => {
  await using ends = linked([once("echo/back", (input) => input)]);
  const round = () => Promise.all(Array.from({ length: 1000 }, (_, n) => ends.near.call("echo/back", n)));
  for (let n = 0; n < 20; n++) await round();
  const before = Deno.memoryUsage().heapUsed;
  for (let n = 0; n < 100; n++) await round();
  const grown = Deno.memoryUsage().heapUsed - before;
  ok(grown < 48 * MIB, `${Math.round(grown / MIB)} MiB for 100,000 calls`);
});

Deno.test("CallConnection: of tokens that came in one write no more are looked up than may be tried (call.md §9)", async () => {
  const MAY_TRY = 5;
  let looked = 0;
  let failures = 0;
  let runs = 0;
  const [near, far] = memoryPair("alknet/call");
  const dispatcher = new Dispatcher({ registry: nodeRegistry([once("open/ask", () => runs++)]) });
  const session = new CallConnection(far, {
    dispatcher,
    identityProvider: { resolveFingerprint: () => undefined, resolveToken: () => void looked++ },
    authenticationFailed: () => ++failures > MAY_TRY,
    authenticationRefused: () => failures > MAY_TRY,
  });
  const guesses = Array.from({ length: 500 }, (_, n) => {
    const payload = { operationId: "/open/ask", input: null, auth_token: `alk_guess${n}` };
    return new TextEncoder().encode(JSON.stringify({ type: "call.requested", id: `${n}`, payload }));
  });
  const frames = guesses.map((body) => encodeFrame(new TextDecoder().decode(body)));
  const all = new Uint8Array(frames.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const frame of frames) {
    all.set(frame, at);
    at += frame.byteLength;
  }
  const writer = (await near.open()).writable.getWriter();
  writer.closed.catch(() => {});
  await writer.write(all).catch(() => {});
  await session.closed;
  equal(looked, MAY_TRY + 1);
  ok(runs <= MAY_TRY + 1, `${runs} requests were served`);
  near.close();
});
