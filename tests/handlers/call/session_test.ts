/**
 * Sessions from the calling end: subscriptions, time limits, aborts and lost connections (call.md §13 to §16).
 *
 * @module
 */
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { memoryPair } from "@alknet/core/handler";
import { CallError, Dispatcher, nodeRegistry } from "@alknet/core/operations";
import { call, CallConnection } from "@alknet/handlers/call";
import { contextOf } from "../context.ts";
import { once, reaching, stream } from "./fixtures.ts";
import { HeldClock, waiting } from "./links.ts";
import { StreamWire } from "./ways.ts";

Deno.test("call(): writes the name with one slash (call.md §26 row 21)", async () => {
  const [near, far] = memoryPair("alknet/call");
  const caller = new CallConnection(near);
  for (const name of ["clock/now", "/clock/now"]) caller.call(name).catch(() => {});
  for await (const stream of far) {
    const wire = new StreamWire(stream);
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
    const asked = await new StreamWire(stream).next();
    await new StreamWire(await far.open()).send("call.responded", asked!.id, { output: 25 });
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
    const wire = new StreamWire(stream);
    const asked = await wire.next();
    await wire.send("call.error", asked!.id, { code: "WEIRD", message: "odd", retryable: true });
    break;
  }
  await rejects(answer, { code: "INTERNAL", retryable: false });
  await caller.close();
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
  const dispatcher = new Dispatcher({ registry: nodeRegistry([root, child.registration, forever]), clock });
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
  const served = new CallConnection(far, { dispatcher: new Dispatcher({ registry: nodeRegistry([registration]) }) });
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
      registry: nodeRegistry([
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
    registry: nodeRegistry([
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

Deno.test("call(): finishes what runs while the endpoint drains, and takes nothing new (call.md §12)", async () => {
  const release = Promise.withResolvers<void>();
  const began = Promise.withResolvers<void>();
  const registry = nodeRegistry([
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
