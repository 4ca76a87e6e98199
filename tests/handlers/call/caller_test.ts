/**
 * Our own end as the caller, over memory, QUIC, TLS and WebSocket: subscriptions, time limits, both directions, batches and
 * full tables (call.md §12 to §16).
 *
 * @module
 */
import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { type CallError, Dispatcher, type JsonValue, nodeRegistry } from "@alknet/core/operations";
import type { CallSession } from "@alknet/handlers/call";
import { once } from "./fixtures.ts";
import { HeldClock } from "./links.ts";
import { type Reached, type ReachOptions, STREAM_WAYS, type Way, WAYS } from "./ways.ts";

const LOST = { code: "INTERNAL", message: "connection closed", retryable: false };

function test(
  title: string,
  body: (caller: CallSession, reached: Reached, way: Way) => Promise<void>,
  { ways = WAYS, offers, ...options }: ReachOptions & {
    readonly ways?: readonly Way[];
    readonly offers?: (caller: () => CallSession) => Dispatcher;
  } = {},
): void {
  for (const way of ways) {
    Deno.test(`CallSession over ${way.name}: ${title}`, async () => {
      await using reached = await way.reach(options);
      const caller: CallSession = reached.session({ dispatcher: offers?.(() => caller) });
      await body(caller, reached, way);
      await caller.close();
      deepEqual(caller.counts, { inbound: 0, outgoing: 0 });
    });
  }
}

/** The node's end of the connection. */
async function far({ operations }: Reached, caller: CallSession): Promise<CallSession> {
  await caller.call("clock/now");
  const [session] = operations.peers;
  return session;
}

test("leaving the loop aborts, once (call.md §26 row 77)", async (caller, reached) => {
  const { operations } = reached;
  const session = await far(reached, caller);
  const aborts = spyAborts(session);
  let values = 0;
  for await (const _ of caller.subscribe("log/forever")) if (++values === 3) break;
  equal(caller.counts.outgoing, 0);
  await operations.reached({ open: 0 });
  await caller.call("clock/now");
  deepEqual([aborts.length, session.counts], [1, { inbound: 0, outgoing: 0 }]);
});

test(
  "a connection that is lost ends loops, calls and what the node runs (call.md §26 row 79)",
  async (caller, reached) => {
    const { operations } = reached;
    const values = caller.subscribe("log/forever");
    await values.next();
    const call = rejects(caller.call("gate/wait", { gate: "never" }), LOST);
    await operations.reached({ open: 1, waiting: 1 });
    reached.lose();
    await call;
    await rejects(async () => {
      for await (const _ of values);
    }, LOST);
    await operations.reached({ open: 0, waiting: 0, aborted: 1 });
    await rejects(caller.call("clock/now"), LOST);
  },
);

test("what the node aborts ends with an error (call.md §26 row 80)", async (caller, reached) => {
  const session = await far(reached, caller);
  const ids = spyRequests(session);
  const values = caller.subscribe("log/forever");
  await values.next();
  session.abort(ids[0]);
  await rejects(async () => {
    for await (const _ of values);
  }, { code: "INTERNAL", message: "request cancelled" });
  const call = rejects(caller.call("gate/wait", { gate: "never" }), { message: "request cancelled" });
  await reached.operations.reached({ waiting: 1 });
  session.abort(ids[1]);
  await call;
  await reached.operations.reached({ open: 0, waiting: 0, aborted: 1 });
});

{
  const clock = new HeldClock();
  test("a subscription lasts longer than calls may (call.md §26 row 78)", async (caller, { operations }) => {
    const values = caller.subscribe("log/gates", { gates: ["first", "second"] });
    const first = values.next();
    await operations.reached({ waiting: 1 });
    clock.pass(300_000);
    operations.open("first");
    deepEqual(await first, { done: false, value: "first" });
    const late = rejects(caller.call("gate/wait", { gate: "never" }), { code: "TIMEOUT", retryable: true });
    await operations.reached({ waiting: 2 });
    clock.pass(30_000);
    await late;
    operations.open("second");
    deepEqual(await values.next(), { done: false, value: "second" });
    deepEqual(await values.next(), { done: true, value: undefined });
  }, { clock });
}

/** Values that row 81 asks for. */
const MANY = 1_000_000;

test(
  "a loop that pauses holds the handler back and loses nothing (call.md §26 row 81)",
  async (caller, { operations }) => {
    const values = caller.subscribe("count/up", { to: MANY });
    await values.next();
    await atRest(() => operations.counted);
    ok(operations.counted < MANY / 5, `${operations.counted} values were made for a reader that does not read`);
    let next = 1;
    for await (const value of values) if (value !== next++) throw new Error(`${value} came where ${next - 1} should`);
    equal(next, MANY);
  },
  { ways: STREAM_WAYS.filter(({ single }) => !single) },
);

for (const way of STREAM_WAYS.filter(({ single }) => single)) {
  Deno.test(`alknet/call over ${way.name}: a peer that reads nothing holds the handler back (call.md §26 row 81)`, async () => {
    await using reached = await way.reach();
    const { operations } = reached;
    const wire = await reached.wire();
    await wire.ask("s", "/count/up", { to: MANY });
    await atRest(() => operations.counted);
    ok(operations.counted > 0 && operations.counted < MANY / 5, `${operations.counted} values were made`);
    for (let n = 0; n < MANY; n++) {
      const answer = await wire.next();
      if (answer?.payload.output !== n) throw new Error(`${JSON.stringify(answer)} came where ${n} should`);
    }
    equal((await wire.next())?.type, "call.completed");
  });
}

test(
  "a loop that pauses on a shared stream fails where it would hold others back (call.md §14)",
  async (caller, reached) => {
    const values = caller.subscribe("count/up", { to: MANY });
    deepEqual(await values.next(), { done: false, value: 0 });
    while (caller.counts.outgoing > 0) equal(await caller.call("math/add", { a: 1, b: 1 }), 2);
    let next = 1;
    await rejects(async () => {
      for await (const value of values) equal(value, next++);
    }, { code: "INTERNAL", message: "subscription buffer overflow" });
    ok(next > 32, `${next} values`);
    await reached.operations.reached({ open: 0 });
  },
  { ways: WAYS.filter(({ single }) => single) },
);

const ANSWERS = (caller: () => CallSession): Dispatcher =>
  new Dispatcher({
    registry: nodeRegistry([
      once("worker/status", async (input) => {
        if (!Array.isArray(input)) return input;
        const [depth] = input;
        return depth === 0 ? "bottom" : await caller().call("worker/ask", { input: [depth - 1] });
      }),
    ]),
  });

test("calls in both directions at once (call.md §26 rows 101, 102)", async (caller) => {
  const sums = Array.from({ length: 400 }, (_, n) => {
    return n % 2 === 0 ? caller.call("math/add", { a: n, b: 0 }) : caller.call("worker/ask", { input: n });
  });
  deepEqual(await Promise.all(sums), sums.map((_, n) => n));
}, { offers: ANSWERS });

test("handlers that call back before they answer do not block each other (call.md §26 row 104)", async (caller) => {
  const deep = Array.from({ length: 10 }, () => caller.call("worker/ask", { input: [20] }));
  deepEqual(await Promise.all(deep), deep.map(() => "bottom"));
}, { offers: ANSWERS });

test(
  "a peer that grants few streams is waited for, or streams are shared (call.md §26 row 105)",
  async (caller, reached) => {
    const { operations } = reached;
    const silent = Array.from({ length: 20 }, () => caller.subscribe("log/silent"));
    const waiting = silent.map((values) => rejects(values.next(), LOST));
    await operations.reached({ open: silent.length });
    const lines = await Promise.all(Array.from({ length: 50 }, async () => {
      const values: JsonValue[] = [];
      for await (const value of caller.subscribe("log/follow", { lines: 5 })) values.push(value);
      return values.length;
    }));
    deepEqual(lines, lines.map(() => 5));
    const calls = Array.from({ length: 200 }, (_, n) => caller.call("math/add", { a: n, b: 1 }, { ownStream: true }));
    deepEqual(await Promise.all(calls), calls.map((_, n) => n + 1));
    reached.lose();
    await Promise.all(waiting);
  },
  { ways: STREAM_WAYS.filter(({ name }) => name === "QUIC"), streams: 4 },
);

test("streams of its own or shared give the same (call.md §26 rows 96, 103)", async (caller) => {
  for (const own of [() => true, () => false, (n: number) => n % 2 === 0]) {
    const calls = Array.from({ length: 300 }, (_, n) => {
      return caller.call("math/add", { a: n, b: 1 }, { ownStream: own(n) });
    });
    deepEqual(await Promise.all(calls), calls.map((_, n) => n + 1));
    const lines = await Promise.all(Array.from({ length: 100 }, async (_, n) => {
      let count = 0;
      for await (const _ of caller.subscribe("log/follow", { lines: 20 }, { ownStream: own(n) })) count++;
      return count;
    }));
    deepEqual(lines, lines.map(() => 20));
  }
  await rejects(caller.call("math/add", { a: 1 }), (error: CallError) => {
    match(error.message, /b/);
    return error.code === "INVALID_INPUT";
  });
});

for (const way of WAYS) {
  Deno.test(`alknet/call over ${way.name}: a batch is answered in any order, each once (call.md §26 row 106)`, async () => {
    await using reached = await way.reach();
    const wire = await reached.wire();
    await wire.ask("b1", "/gate/wait", { gate: "106" });
    await wire.ask("b2", "/math/add", { a: 2, b: 3 });
    await wire.ask("b3", "/math/add", { a: 1, b: 1 });
    const [first, second] = [await wire.next(), await wire.next()];
    deepEqual([first, second].map((answer) => [answer?.id, answer?.payload.output]), [["b2", 5], ["b3", 2]]);
    await wire.ask("open", "/gate/open", { gate: "106" });
    deepEqual([(await wire.next())?.id, (await wire.next())?.id].sort(), ["b1", "open"]);
    equal((await wire.call("last", "/clock/now"))?.id, "last");
  });

  Deno.test(`alknet/call over ${way.name}: a full table refuses and reads on (call.md §26 row 107)`, async () => {
    await using reached = await way.reach({ maxRequests: 4 });
    const caller = reached.session({ dispatcher: ANSWERS(() => caller) });
    const stop = new AbortController();
    const { signal } = stop;
    const held = [
      ...Array.from({ length: 3 }, () => rejects(caller.call("gate/wait", { gate: "never" }, { signal }))),
      caller.call("worker/ask-later", { gate: "107" }),
    ];
    await reached.operations.reached({ waiting: 4 });
    await rejects(caller.call("clock/now"), {
      code: "INTERNAL",
      message: "too many requests in flight",
      retryable: true,
    });
    // The node's own call is answered though its table is full, and an abort makes room.
    reached.operations.open("107");
    equal(await held[3], null);
    stop.abort();
    await Promise.all(held);
    await reached.operations.reached({ aborted: 3 });
    equal(await caller.call("math/add", { a: 1, b: 1 }), 2);
    await caller.close();
  });
}

/** Ids of the aborts that come to a session. */
function spyAborts(session: CallSession): string[] {
  return spy(session, "call.aborted");
}

/** Ids of the requests that come to a session. */
function spyRequests(session: CallSession): string[] {
  return spy(session, "call.requested");
}

function spy(session: CallSession, type: string): string[] {
  const ids: string[] = [];
  const received = session.received.bind(session);
  session.received = (lane, envelope, bytes) => {
    if (envelope.type === type) ids.push(envelope.id);
    return received(lane, envelope, bytes);
  };
  return ids;
}

/** Waits until a count does not change any more. */
async function atRest(count: () => number): Promise<void> {
  for (let seen = -1; seen !== count();) {
    seen = count();
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
