/**
 * One task of the guests' benchmarks, in a process of its own: prints the rate as a line of JSON.
 *
 * ```text
 * guest_task.ts TASK SECONDS
 * ```
 *
 * @module
 */
import { Dispatcher, nodeRegistry, operation, provide } from "@alknet/core/operations";
import { grants, guestRegistrations, Isolate, ProcessGuest } from "@alknet/runtime";
import type { QuickJSContext, QuickJSHandle } from "quickjs-emscripten-core";
import Type from "typebox";
import { newEngine } from "../../runtime/engine.ts";

const [task, seconds] = Deno.args;
/** Calls of the host in one run of a guest. */
const CALLS = 1000;
const ASK =
  `(async () => { let sum = 0; for (let i = 0; i < ${CALLS}; i++) sum += await env.math.next(i); return sum })()`;
const OFFER = 'ops.register({ name: "twice", input: { type: "number" }, handler: (n) => 2 * n })';
const SUM = CALLS * (CALLS + 1) / 2;
const limits = { cpu: 60_000, wall: 600_000 };
const MIB = 16;

const next = operation({ name: "math/next", type: "query", input: Type.Number(), output: Type.Number() });
const registry = nodeRegistry([provide(next, (n) => n + 1)]);
const granted = grants(registry, new Dispatcher({ registry }), ["math/next"]);

type Guest = Isolate | ProcessGuest;

const TASKS: Readonly<Record<string, () => Promise<number>>> = {
  "make": () =>
    rate(1, async () => {
      using isolate = await Isolate.create();
      same(await isolate.evaluate("1 + 1"), 2);
    }),
  "make-raw": () =>
    rate(1, async () => {
      using context = await rawContext();
      using value = context.unwrapResult(context.evalCode("1 + 1"));
      same(context.getNumber(value), 2);
    }),
  "make-process": () =>
    rate(1, async () => {
      await using guest = await ProcessGuest.start();
      same(await guest.evaluate("1 + 1"), 2);
    }),
  "ask": async () => {
    using isolate = await Isolate.create({ ...granted, limits });
    return await asking(isolate);
  },
  "ask-process": async () => {
    await using guest = await ProcessGuest.start({ ...granted, limits });
    return await asking(guest);
  },
  "ask-raw": async () => {
    using context = await rawContext();
    const { runtime } = context;
    using door = context.newFunction("next", (input) => {
      const answer = context.newPromise();
      const value = JSON.parse(context.getString(input)) + 1;
      Promise.resolve(value).then((value) => {
        using text = context.newString(JSON.stringify(value));
        answer.resolve(text);
        runtime.executePendingJobs();
      });
      return answer.handle;
    });
    context.setProp(context.global, "next", door);
    const script = ASK.replace("env.math.next(i)", "next(JSON.stringify(i)).then(JSON.parse)");
    return await rate(CALLS, async () => {
      using promise = context.unwrapResult(context.evalCode(script));
      const settled = context.resolvePromise(promise);
      runtime.executePendingJobs();
      using value = context.unwrapResult(await settled);
      same(context.getNumber(value), SUM);
    });
  },
  "call": async () => {
    using isolate = await Isolate.create({ limits });
    return await calling(isolate);
  },
  "call-process": async () => {
    await using guest = await ProcessGuest.start({ limits });
    return await calling(guest);
  },
  "call-host": () => dispatched([provide(operation({ ...twice, name: "jobs/twice" }), (n) => 2 * n)]),
  "call-raw": async () => {
    using context = await rawContext();
    using called = context.unwrapResult(context.evalCode("(text) => JSON.stringify(2 * JSON.parse(text))"));
    return await rate(1, () => {
      using input = context.newString("21");
      using output: QuickJSHandle = context.unwrapResult(context.callFunction(called, context.undefined, input));
      same(JSON.parse(context.getString(output)), 42);
      return Promise.resolve();
    });
  },
  "bytes": async () => {
    using isolate = await Isolate.create({ limits: { ...limits, memory: 256 } });
    return await crossing(isolate);
  },
  "bytes-process": async () => {
    await using guest = await ProcessGuest.start({ limits: { ...limits, memory: 256 } });
    return await crossing(guest);
  },
};
const twice = { type: "query", input: Type.Number(), output: Type.Number() } as const;

console.log(JSON.stringify({ value: await TASKS[task]() }));

async function rawContext(): Promise<QuickJSContext> {
  const engine = await newEngine(32);
  return engine.newContext();
}

/** Calls that a guest makes, a second. */
function asking(guest: Guest): Promise<number> {
  return rate(CALLS, async () => same(await guest.evaluate(ASK), SUM));
}

/** Calls of an operation that a guest offers, through a registry, a second. */
async function calling(guest: Guest): Promise<number> {
  await guest.evaluate(OFFER);
  return await dispatched(guestRegistrations(guest, { namespace: "jobs", visibility: "external" }));
}

function dispatched(registrations: Parameters<typeof nodeRegistry>[0]): Promise<number> {
  const dispatcher = new Dispatcher({ registry: nodeRegistry(registrations) });
  return rate(1, async () => same(await dispatcher.call({ operation: "jobs/twice", input: 21 }), 42));
}

/** MiB a second that go to a guest and come back. */
async function crossing(guest: Guest): Promise<number> {
  await guest.evaluate('ops.register({ name: "echo", handler: (bytes) => bytes })');
  const bytes = new Uint8Array((MIB << 20) - 1024);
  return await rate(2 * MIB, async () => same((await guest.invoke("echo", bytes) as Uint8Array).length, bytes.length));
}

/** Rounds of work a second, each of `amount`. */
async function rate(amount: number, round: () => Promise<void>): Promise<number> {
  await round();
  const begun = performance.now();
  let rounds = 0;
  do {
    await round();
    rounds++;
  } while (performance.now() - begun < 1000 * Number(seconds));
  return amount * rounds / (performance.now() - begun) * 1000;
}

function same(found: unknown, wanted: number): void {
  if (found !== wanted) throw new Error(`${found} came, ${wanted} was wanted`);
}
