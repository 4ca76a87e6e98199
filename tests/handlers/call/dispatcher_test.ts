/**
 * What a dispatcher does with answers, aborts and time, and that nothing a handler does reaches others: call.md §10.1,
 * §12, §13, §15.
 *
 * @module
 */
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import {
  CallError,
  type CallSink,
  Dispatcher,
  type DispatcherOptions,
  type JsonValue,
  nodeRegistry,
  SYSTEM_CLOCK,
} from "@alknet/core/operations";
import type { CallSession } from "@alknet/handlers/call";
import Type from "typebox";
import { keepLogs } from "../../support/logs.ts";
import { identity, once, reaching, stream } from "./fixtures.ts";
import { HeldClock, linked, waiting } from "./links.ts";

const numbers = { output: Type.Number() };
const WRONG = [
  once("give/wrong", () => "text", numbers),
  stream("give/values", async function* () {
    yield 1;
    yield "text";
    yield 2;
  }, numbers),
];

interface Looked {
  readonly outputs: NonNullable<DispatcherOptions["outputs"]> | undefined;
  /** What the query answers, and what the subscription gives before its end or error. */
  readonly answer: JsonValue;
  readonly values: readonly JsonValue[];
  readonly isLogged: boolean;
}

const LOOKED: readonly Looked[] = [
  { outputs: undefined, answer: "text", values: [1, "text", 2], isLogged: false },
  { outputs: "trust", answer: "text", values: [1, "text", 2], isLogged: false },
  { outputs: "log", answer: "text", values: [1, "text", 2], isLogged: true },
  { outputs: "refuse", answer: "INTERNAL", values: [1, "INTERNAL"], isLogged: true },
];

for (const { outputs, answer, values, isLogged } of LOOKED) {
  Deno.test(`Dispatcher: outputs ${outputs ?? "by default"}: what breaks the output schema (call.md §10.1)`, async () => {
    await using logs = await keepLogs();
    const dispatcher = new Dispatcher({ registry: nodeRegistry(WRONG), outputs });
    equal(await dispatcher.call({ operation: "give/wrong" }).catch(codeOf), answer);
    const seen: JsonValue[] = [];
    try {
      for await (const value of dispatcher.subscribe({ operation: "give/values" })) seen.push(value);
    } catch (error) {
      seen.push(codeOf(error));
    }
    deepEqual(seen, values);
    for (const name of ["give/wrong", "give/values"]) {
      equal(logs.lines.some((line) => line.includes("schema forbids") && line.includes(name)), isLogged, name);
    }
  });
}

Deno.test("invoke(): one of two children is aborted, the other and the root go on (call.md §26 row 91)", async () => {
  const stop = new AbortController();
  const first = waiting("t/first");
  const go = Promise.withResolvers<void>();
  const root = once("t/root", async (_input, context) => {
    const cut = context.invoke("t/first", null, { signal: stop.signal }).catch(({ message }) => message);
    const kept = context.invoke("t/second", null, { signal: new AbortController().signal });
    const late = await cut;
    const refused = await context.invoke("t/second", null, { signal: stop.signal }).catch(({ message }) => message);
    go.resolve();
    return [late, refused, await kept, context.signal.aborted];
  }, reaching("t/first", "t/second"));
  const second = once("t/second", async (_input, { signal }) => {
    await go.promise;
    return signal.aborted ? "cut" : "whole";
  });
  const dispatcher = new Dispatcher({ registry: nodeRegistry([root, first.registration, second]) });
  const answer = dispatcher.call({ operation: "t/root" });
  await first.began;
  stop.abort();
  await first.aborted;
  deepEqual(await answer, ["request cancelled", "request cancelled", "whole", false]);
});

Deno.test("Dispatcher: what a root composed ends with its time, though the root has answered (call.md §13)", async () => {
  const clock = new HeldClock();
  const child = waiting("t/child");
  const root = once("t/root", (_input, context) => {
    context.invoke("t/child", null).catch(() => {});
    clock.pass(10_000);
    return "at once";
  }, reaching("t/child"));
  const dispatcher = new Dispatcher({ registry: nodeRegistry([root, child.registration]), clock });
  equal(await dispatcher.call({ operation: "t/root" }), "at once");
  await child.began;
  // The time runs from the receipt, not from when the handler first gave way.
  clock.pass(20_000);
  await child.aborted;
});

Deno.test("Dispatcher: a provider of ownership that fails lets nobody pass, and throws nothing (call.md §11)", async () => {
  await using logs = await keepLogs();
  const broken = () => {
    throw new Error("no database");
  };
  const ownership = { owns: broken, ownsAny: broken, ownedResources: () => [] };
  const read = once("vm/read", () => "read", { access: { resourceType: "vm" } });
  const dispatcher = new Dispatcher({ registry: nodeRegistry([read]), ownership });
  const failed = Promise.withResolvers<CallError>();
  const sink: CallSink = { responded: () => {}, completed: () => {}, failed: failed.resolve };
  dispatcher.dispatch({ operation: "vm/read", identity: identity("a") }, sink);
  deepEqual([(await failed.promise).code, (await failed.promise).message], ["INTERNAL", "handler failed"]);
  ok(logs.lines.some((line) => line.includes("no database")));
});

for (const [what, back] of [["throws", thrown], ["gives no promise", () => ({})]] as const) {
  Deno.test(`CallConnection: an iterator whose return() ${what} keeps no other request alive (call.md §12)`, async () => {
    const other = waiting("gate/wait");
    const odd = stream("odd/stream", () => {
      const iterator = { next: () => new Promise(() => {}), return: back };
      return { [Symbol.asyncIterator]: () => iterator } as unknown as AsyncIterable<JsonValue>;
    });
    await using ends = linked([odd, other.registration], { singleStream: true });
    const values = rejects(ends.near.subscribe("odd/stream").next());
    const call = rejects(ends.near.call("gate/wait"));
    await other.began;
    await ends.near.close();
    await Promise.all([values, call, other.aborted, ends.far.closed]);
  });
}

Deno.test("CallConnection: a handler that aborts its own request before it gives way is aborted (call.md §15)", async () => {
  const served: { far?: CallSession } = {};
  const aborted = Promise.withResolvers<void>();
  const own = once("own/abort", async (_input, { requestId, signal }) => {
    signal.addEventListener("abort", () => aborted.resolve());
    served.far!.abort(requestId);
    await aborted.promise;
    return null;
  });
  // A clock that stands still: no time limit helps.
  await using ends = linked([own], { clock: new HeldClock() });
  served.far = ends.far;
  await rejects(ends.near.call("own/abort"), { code: "INTERNAL", message: "request cancelled" });
  await aborted.promise;
});

Deno.test("SYSTEM_CLOCK: a time longer than timers take is not taken for none", async () => {
  let passed = false;
  const stop = SYSTEM_CLOCK.after(2 ** 40, () => passed = true);
  for (let turn = 0; turn < 3; turn++) await new Promise<void>((resolve) => void SYSTEM_CLOCK.after(2, resolve));
  stop();
  equal(passed, false);
});

function codeOf(error: unknown): string {
  if (error instanceof CallError) return error.code;
  throw error;
}

function thrown(): never {
  throw new Error("cannot be left");
}
