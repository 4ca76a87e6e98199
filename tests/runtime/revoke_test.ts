/**
 * Grants that are taken back from a guest that runs (runtime.md §8.1): in the host's thread and in a process.
 *
 * @module
 */
import { type GuestHost, Isolate, type IsolateOptions, ProcessGuest } from "@alknet/runtime";
import { deepEqual, equal, rejects } from "node:assert/strict";
import { needs } from "../support/programs.ts";
import { temporaryFolder } from "../support/temp.ts";

type Guest = Pick<Isolate, "evaluate" | "revoke"> & { readonly dispose: () => unknown };

const TIERS: readonly (readonly [name: string, start: (options: IsolateOptions) => Promise<Guest>])[] = [
  ["isolate", async (options) => {
    const guest = await Isolate.create(options);
    return Object.assign(guest, { dispose: () => guest[Symbol.dispose]() });
  }],
  ["process", async (options) => {
    const guest = await ProcessGuest.start(options);
    return Object.assign(guest, { dispose: () => guest[Symbol.asyncDispose]() });
  }],
];

/** A host that answers `math/next`, `math/later` when it is told to, and never `math/wait`; what became of it. */
function host() {
  const begun = Promise.withResolvers<void>();
  const later = Promise.withResolvers<number>();
  const seen = { aborted: 0, ended: 0, calls: 0 };
  const waits = (signal: AbortSignal) => {
    begun.resolve();
    return new Promise<never>(() => signal.addEventListener("abort", () => seen.aborted++));
  };
  const answers: GuestHost = {
    call(name, input, signal) {
      seen.calls++;
      if (name === "math/later") return later.promise;
      return name === "math/wait" ? waits(signal) : Promise.resolve(Number(input) + 1);
    },
    open: () => Promise.resolve(7),
    next: (_at, signal) => waits(signal),
    end: () => Promise.resolve(void seen.ended++),
  };
  return { answers, seen, begun: begun.promise, later };
}

const OPERATIONS: IsolateOptions["operations"] = [
  { name: "math/next", type: "query" },
  { name: "math/wait", type: "query" },
  { name: "math/later", type: "query" },
  { name: "math/all", type: "subscription" },
];
const CODE = ".catch((error) => `${error.code}: ${error.message}`)";

for (const [tier, start] of TIERS) {
  Deno.test(`${tier}: an operation that is taken back ends where it runs, and is not there later; others are`, async () => {
    const { answers, seen, begun, later } = host();
    const guest = await start({ operations: OPERATIONS, host: answers });
    try {
      const other = guest.evaluate(`env.math.later(1)`);
      const waiting = guest.evaluate(`env.math.wait(1)${CODE}`);
      await begun;
      guest.revoke("math/wait");
      equal(await waiting, "NOT_FOUND: operation math/wait is not granted");
      later.resolve(7);
      equal(await other, 7);
      equal(await guest.evaluate(`env.math.wait(1)${CODE}`), "NOT_FOUND: operation math/wait is not granted");
      deepEqual(seen, { aborted: 1, ended: 0, calls: 2 });
      equal(await guest.evaluate("env.math.next(1)"), 2);
    } finally {
      await guest.dispose();
    }
  });

  Deno.test(`${tier}: a subscription that is taken back ends for the guest and for the host`, async () => {
    const { answers, seen, begun } = host();
    const guest = await start({ operations: OPERATIONS, host: answers });
    try {
      const waiting = guest.evaluate(`(async () => { for await (const _ of env.math.all(1)); })()${CODE}`);
      await begun;
      guest.revoke("math/all");
      equal(await waiting, "NOT_FOUND: operation math/all is not granted");
      equal(seen.aborted, 1);
      equal(seen.ended > 0, true);
    } finally {
      await guest.dispose();
    }
  });

  Deno.test(`${tier}: a subscription that nobody reads ends for the host too`, async () => {
    const { answers, seen } = host();
    const ended = Promise.withResolvers<void>();
    const one: GuestHost = {
      ...answers,
      next: () => Promise.resolve({ done: false, value: 1 }),
      end: () => Promise.resolve(ended.resolve()),
    };
    const guest = await start({ operations: OPERATIONS, host: one });
    try {
      const source =
        "globalThis.values = env.math.all(1)[Symbol.asyncIterator](); values.next().then(({ value }) => value)";
      equal(await guest.evaluate(source), 1);
      guest.revoke("math/all");
      await ended.promise;
      equal(seen.aborted, 0);
    } finally {
      await guest.dispose();
    }
  });

  Deno.test({
    name: `${tier}: fetch and fs are taken back one by one`,
    ...needs("linux"),
    async fn() {
      await using folder = await temporaryFolder();
      await Deno.writeTextFile(folder.join("a"), "text");
      const waits = Promise.withResolvers<void>();
      await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
        waits.resolve();
        if (new URL(request.url).pathname === "/now") return new Response("now");
        return new Promise((resolve) => request.signal.addEventListener("abort", () => resolve(new Response())));
      });
      const origin = `http://127.0.0.1:${server.addr.port}`;
      const guest = await start({
        allowFetch: { origins: [origin] },
        allowFs: { mounts: [{ guest: "/data", folder: folder.path, ops: "read" }] },
      });
      try {
        const waiting = guest.evaluate(`fetch("${origin}/wait")${CODE}`);
        await waits.promise;
        guest.revoke("fetch");
        equal(await waiting, "NOT_FOUND: fetch is not granted");
        equal(await guest.evaluate(`fetch("${origin}/now")${CODE}`), "NOT_FOUND: fetch is not granted");
        equal(await guest.evaluate(`fs.readTextFile("/data/a")`), "text");
        guest.revoke("fs");
        await rejects(guest.evaluate(`fs.readTextFile("/data/a")`), { message: /NOT_FOUND|not granted/ });
      } finally {
        await guest.dispose();
      }
    },
  });
}
