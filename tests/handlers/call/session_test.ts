/**
 * Sessions from the calling end: subscriptions, time limits, aborts and lost connections (call.md §13 to §16).
 *
 * @module
 */
import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { memoryPair } from "@alknet/core/handler";
import {
  call,
  CallConnection,
  type CallConnectionOptions,
  CallError,
  type Clock,
  Dispatcher,
  type DispatcherOptions,
  type HandlerRegistration,
  Registry,
} from "@alknet/handlers/call";
import { contextOf } from "../context.ts";
import { once, reaching, stream } from "./fixtures.ts";
import { WAYS, Wire } from "./ways.ts";

/** A clock that moves when told. */
class HeldClock implements Clock {
  #now = 0;
  readonly #timers = new Set<{ readonly due: number; readonly callback: () => void }>();

  now(): number {
    return this.#now;
  }

  after(milliseconds: number, callback: () => void): () => void {
    const timer = { due: this.#now + milliseconds, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  pass(milliseconds: number): void {
    const end = this.#now + milliseconds;
    for (;;) {
      const [next] = [...this.#timers].filter(({ due }) => due <= end).sort((a, b) => a.due - b.due);
      if (!next) break;
      this.#timers.delete(next);
      this.#now = next.due;
      next.callback();
    }
    this.#now = end;
  }
}

function linked(
  registrations: readonly HandlerRegistration[],
  options: Partial<DispatcherOptions> & CallConnectionOptions & { readonly singleStream?: boolean } = {},
): { near: CallConnection; far: CallConnection } & AsyncDisposable {
  const { singleStream, clock, ...rest } = options;
  const [dialled, accepted] = memoryPair("alknet/call", { singleStream });
  const dispatcher = new Dispatcher({ registry: new Registry(registrations), clock, ...rest });
  const far = new CallConnection(accepted, { dispatcher, ...rest });
  const near = new CallConnection(dialled, { clock });
  return {
    near,
    far,
    async [Symbol.asyncDispose]() {
      await near.close();
      await far.closed;
      deepEqual([near.counts, far.counts], [{ inbound: 0, outgoing: 0 }, { inbound: 0, outgoing: 0 }]);
    },
  };
}

/** A handler that waits until it is aborted, and says when it began and ended. */
function waiting(name: string) {
  const began = Promise.withResolvers<string>();
  const aborted = Promise.withResolvers<void>();
  const registration = once(name, async (_input, { signal, requestId }) => {
    began.resolve(requestId);
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    aborted.resolve();
    return null;
  });
  return { registration, began: began.promise, aborted: aborted.promise };
}

Deno.test("call(): writes the name with one slash (call.md §26 row 21)", async () => {
  const [near, far] = memoryPair("alknet/call");
  const caller = new CallConnection(near);
  for (const name of ["clock/now", "/clock/now"]) caller.call(name).catch(() => {});
  for await (const stream of far) {
    const wire = new Wire(stream);
    for (let n = 0; n < 2; n++) deepEqual((await wire.next())?.payload, { operationId: "/clock/now" });
    break;
  }
  await caller.close();
});

Deno.test("call(): an answer on another stream resolves it (call.md §26 row 25)", async () => {
  const [near, far] = memoryPair("alknet/call");
  const caller = new CallConnection(near);
  const answer = caller.call("clock/now");
  for await (const stream of far) {
    const asked = await new Wire(stream).next();
    await new Wire(await far.open()).send("call.responded", asked!.id, { output: 25 });
    break;
  }
  equal(await answer, 25);
  await caller.close();
});

Deno.test("call(): a code that is not declared is INTERNAL and not retryable (call.md §26 row 43)", async () => {
  const [near, far] = memoryPair("alknet/call");
  const caller = new CallConnection(near);
  const answer = caller.call("a/b", null, { errors: ["KNOWN"] });
  for await (const stream of far) {
    const wire = new Wire(stream);
    const asked = await wire.next();
    await wire.send("call.error", asked!.id, { code: "WEIRD", message: "odd", retryable: true });
    break;
  }
  await rejects(answer, { code: "INTERNAL", retryable: false });
  await caller.close();
});

for (const singleStream of [false, true]) {
  const over = singleStream ? "one stream" : "many streams";

  Deno.test(`subscribe() over ${over}: leaving the loop aborts (call.md §26 row 77)`, async () => {
    const returned = Promise.withResolvers<void>();
    await using ends = linked([
      stream("log/follow", async function* (_input, { signal }) {
        try {
          for (let n = 0; !signal.aborted; n++) yield n;
        } finally {
          returned.resolve();
        }
      }),
    ], { singleStream });
    for await (const n of ends.near.subscribe("log/follow")) if (n === 3) break;
    equal(ends.near.counts.outgoing, 0);
    await returned.promise;
  });

  Deno.test(`subscribe() over ${over}: an abort by the callee is an error (call.md §26 row 80)`, async () => {
    await using ends = linked([
      stream("log/follow", async function* (_input, { signal, requestId }) {
        yield requestId;
        await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
      }),
    ], { singleStream });
    const values = ends.near.subscribe("log/follow");
    ends.far.abort((await values.next()).value as string);
    await rejects(values.next(), { code: "INTERNAL", message: "request cancelled" });
  });

  Deno.test(`CallConnection over ${over}: the loss of the connection fails what waits (call.md §26 row 79)`, async () => {
    const { registration, began, aborted } = waiting("gate/wait");
    await using ends = linked([registration, stream("log/silent", async function* () {})], { singleStream });
    const answer = ends.near.call("gate/wait");
    await began;
    const failed = rejects(answer, { code: "INTERNAL", message: "connection closed", retryable: false });
    await ends.far.close();
    await Promise.all([failed, aborted]);
    await rejects(ends.near.call("gate/wait"), { code: "INTERNAL", message: "connection closed" });
  });
}

Deno.test("subscribe(): a reader that pauses holds the handler back and loses nothing (call.md §26 row 81)", async () => {
  const COUNT = 1_000_000;
  let made = 0;
  await using ends = linked([
    stream("count/up", async function* () {
      while (made < COUNT) yield made++;
    }),
  ]);
  const values = ends.near.subscribe("count/up");
  await values.next();
  for (let seen = -1; seen !== made;) {
    seen = made;
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
  }
  ok(made < COUNT / 10, `${made} values were made for a reader that does not read`);
  let next = 1;
  for await (const value of values) if (value !== next++) throw new Error(`${value} came where ${next - 1} should`);
  equal(next, COUNT);
});

Deno.test("Dispatcher: a query has 30 s, and its children what is left of them (call.md §26 rows 78, 84, 86)", async () => {
  const clock = new HeldClock();
  let left: number | undefined;
  const child = waiting("child/wait");
  const root = once("root/run", async (_input, context) => {
    clock.pass(20_000);
    left = context.timeLeft;
    return await context.invoke("child/wait", null);
  }, reaching("child/wait"));
  const forever = stream("log/long", async function* () {
    clock.pass(60_000);
    yield await Promise.resolve("still there");
  });
  const dispatcher = new Dispatcher({ registry: new Registry([root, child.registration, forever]), clock });
  const answer = dispatcher.call({ operation: "root/run" });
  await child.began;
  equal(left, 10_000);
  clock.pass(9_999);
  const failed = rejects(answer, { code: "TIMEOUT", retryable: true, message: "request timed out" });
  clock.pass(1);
  await Promise.all([failed, child.aborted]);
  deepEqual(await dispatcher.subscribe({ operation: "log/long" }).next(), { done: false, value: "still there" });
});

Deno.test("call(): its own limit aborts at the callee (call.md §26 row 85)", async () => {
  const clock = new HeldClock();
  const { registration, began, aborted } = waiting("gate/wait");
  const [near, far] = memoryPair("alknet/call");
  const served = new CallConnection(far, { dispatcher: new Dispatcher({ registry: new Registry([registration]) }) });
  const caller = new CallConnection(near, { clock });
  const failed = rejects(caller.call("gate/wait"), { code: "TIMEOUT" });
  await began;
  clock.pass(30_000);
  await Promise.all([failed, aborted]);
  await caller.close();
  await served.closed;
});

interface Tree {
  readonly row: string;
  readonly policy: "abort-dependents" | "continue-running" | undefined;
  readonly aborted: readonly string[];
}

const TREES: readonly Tree[] = [
  { row: "90", policy: undefined, aborted: ["child", "grandchild", "root"] },
  { row: "92 and 95", policy: "continue-running", aborted: ["root"] },
];

for (const { row, policy, aborted } of TREES) {
  Deno.test(`abort: a tree under ${policy ?? "the default policy"} (call.md §26 rows ${row}, 94)`, async () => {
    const cut: string[] = [];
    const go = Promise.withResolvers<void>();
    const deepest = Promise.withResolvers<void>();
    const refused = Promise.withResolvers<unknown>();
    const over = Promise.withResolvers<void>();
    const noting = (name: string, signal: AbortSignal) => signal.addEventListener("abort", () => cut.push(name));
    const dispatcher = new Dispatcher({
      registry: new Registry([
        once("t/root", async (_input, context) => {
          noting("root", context.signal);
          await context.invoke("t/child", null, { policy });
          return null;
        }, reaching("t/child")),
        once("t/child", async (_input, context) => {
          noting("child", context.signal);
          await context.invoke("t/grandchild", null).catch(() => {});
          context.invoke("t/grandchild", null).catch(refused.resolve);
          return null;
        }, reaching("t/grandchild")),
        once("t/grandchild", async (_input, { signal, abortPolicy }) => {
          noting("grandchild", signal);
          equal(abortPolicy, policy ?? "abort-dependents");
          deepest.resolve();
          await go.promise;
          over.resolve();
          return null;
        }),
      ]),
    });
    const stop = new AbortController();
    const answer = dispatcher.call({ operation: "t/root" }, stop.signal);
    const failed = rejects(answer, { code: "INTERNAL", message: "request cancelled" });
    await deepest.promise;
    stop.abort();
    await failed;
    deepEqual(cut.sort(), aborted);
    go.resolve();
    await over.promise;
    const error = await refused.promise;
    ok(error instanceof CallError && error.message === "request cancelled");
  });
}

Deno.test("abort: what was composed and not yet started never starts (call.md §26 row 93)", async () => {
  const stop = new AbortController();
  let started = false;
  const rejected = Promise.withResolvers<unknown>();
  const dispatcher = new Dispatcher({
    registry: new Registry([
      once("t/root", async (_input, context) => {
        const child = context.invoke("t/child", null, { policy: "continue-running" });
        stop.abort();
        await child.catch(rejected.resolve);
        return null;
      }, reaching("t/child")),
      once("t/child", () => {
        started = true;
        return null;
      }),
    ]),
  });
  await rejects(dispatcher.call({ operation: "t/root" }, stop.signal), { message: "request cancelled" });
  ok(await rejected.promise instanceof CallError);
  equal(started, false);
});

Deno.test("CallConnection: a full table refuses and reads on (call.md §26 row 107)", async () => {
  const { registration, began } = waiting("gate/wait");
  const echo = once("echo/back", (input) => input);
  await using ends = linked([registration, echo], { maxRequests: 1 });
  const stop = new AbortController();
  const held = rejects(ends.near.call("gate/wait", null, { signal: stop.signal }));
  await began;
  await rejects(ends.near.call("echo/back"), {
    code: "INTERNAL",
    message: "too many requests in flight",
    retryable: true,
  });
  stop.abort();
  await held;
  equal(await ends.near.call("echo/back", 1), 1);
});

Deno.test("call(): finishes what runs while the endpoint drains, and takes nothing new (call.md §12)", async () => {
  const release = Promise.withResolvers<void>();
  const began = Promise.withResolvers<void>();
  const registry = new Registry([
    once("slow/one", async () => {
      began.resolve();
      await release.promise;
      return "done";
    }),
  ]);
  const [near, far] = memoryPair("alknet/call");
  const stop = new AbortController();
  const served = Promise.resolve(call(new Dispatcher({ registry })).handle(far, contextOf(stop.signal)));
  const caller = new CallConnection(near);
  const answer = caller.call("slow/one");
  await began.promise;
  stop.abort("shutdown");
  await rejects(caller.call("slow/one"), { message: /shutting down/, retryable: true });
  release.resolve();
  equal(await answer, "done");
  await served;
  await caller.close();
});

for (const way of WAYS) {
  Deno.test(`CallConnection over ${way.name}: streams of its own or shared give the same (call.md §26 rows 96, 103, 106)`, async () => {
    await using reached = await way.reach();
    const caller = new CallConnection(reached.connection);
    const sums = await Promise.all(
      Array.from({ length: 300 }, (_, n) => caller.call("math/add", { a: n, b: 1 }, { ownStream: n % 2 === 0 })),
    );
    deepEqual(sums, Array.from({ length: 300 }, (_, n) => n + 1));
    const lines = await Promise.all(Array.from({ length: 100 }, async () => {
      let count = 0;
      for await (const _ of caller.subscribe("log/follow", { lines: 20 })) count++;
      return count;
    }));
    deepEqual(lines, lines.map(() => 20));
    await rejects(caller.call("math/add", { a: 1 }), (error: CallError) => {
      match(error.message, /b/);
      return error.code === "INVALID_INPUT";
    });
    await caller.close();
  });
}
