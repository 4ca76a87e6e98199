/**
 * Guests in processes: the rows of runtime.md §13 that only a kill answers, and that others stay healthy meanwhile.
 *
 * @module
 */
import { ProcessGuest } from "@alknet/runtime";
import assert from "node:assert/strict";
import { childrenOf } from "../support/proc.ts";

for (
  const [row, script] of [
    ["5", "[].indexOf.call({ length: 2 ** 53 - 1 }, 1)"],
    ["6", "[].includes.call({ length: 2 ** 40 }, 1)"],
    ["8", "Array.prototype.reverse.call({ length: 2 ** 53 - 1 })"],
    ["9", "new Array(4294967295).indexOf(1)"],
  ]
) {
  Deno.test(`process guest: a native loop is killed while another guest answers (runtime.md §13 rows ${row}, 81)`, async () => {
    await using hostile = await ProcessGuest.start();
    await using other = await ProcessGuest.start();
    const killed = assert.rejects(hostile.evaluate(script), { code: "E_KILLED" });
    assert.equal(await other.evaluate("1 + 1"), 2);
    await killed;
    await assert.rejects(hostile.evaluate("1"), { code: "E_KILLED" });
    assert.equal(await other.evaluate("2 + 2"), 4);
  });
}

Deno.test("process guest: a deadline of the engine leaves it usable; calls, bytes, modules and subscriptions cross", async () => {
  const lines: string[] = [];
  await using guest = await ProcessGuest.start({
    operations: [{ name: "math/next", type: "query" }],
    host: { log: (_level, text) => void lines.push(text), call: (_name, input) => Promise.resolve(Number(input) + 1) },
  });
  await assert.rejects(guest.evaluate("while (true) {}"), { code: "E_DEADLINE" });
  await guest.addModule(
    "main.ts",
    `ops.register({ name: "echo", handler: (a: unknown) => a });
     ops.register({ name: "count", type: "subscription", async *handler(to: number) { for (let n = 0; n < to; n++) yield n; } });
     export default async () => { console.log("here"); return await env.math.next(1); };`,
  );
  assert.equal(await guest.runModule("main.ts"), 2);
  assert.deepEqual(lines, ["here"]);
  assert.deepEqual(guest.operations.map(({ name }) => name), ["echo", "count"]);
  const bytes = crypto.getRandomValues(new Uint8Array(65_536));
  assert.deepEqual(await guest.invoke("echo", bytes), bytes);
  assert.deepEqual(await Array.fromAsync(guest.subscribe("count", 3)), [0, 1, 2]);
  await assert.rejects(guest.evaluate("1;\nnull.a", { file: "a.js" }), {
    code: "E_GUEST",
    message: /^a\.js:2:\d+: TypeError/,
  });
});

Deno.test("process guest: what it sent before it was told to stop, and is heard of late, gives it no more time", async () => {
  await using guest = await ProcessGuest.start({ limits: { cpu: 5000 } });
  const abort = new AbortController();
  // Beats come and lie unread, until after the abort of what has begun meanwhile.
  const busy = (milliseconds: number) => {
    for (const end = Date.now() + milliseconds; Date.now() < end;);
  };
  busy(250);
  const killed = assert.rejects(guest.evaluate("for (;;);", { signal: abort.signal }), {
    code: "E_KILLED",
    message: /when it was told to/,
  });
  busy(250);
  abort.abort();
  await killed;
});

Deno.test({
  name: "process guest: its process has no permission and none of the environment (runtime.md §13 row 71)",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const before = new Set(childrenOf(Deno.pid));
    Deno.env.set("ALKNET_TEST_SECRET", "hidden");
    await using _guest = await ProcessGuest.start();
    Deno.env.delete("ALKNET_TEST_SECRET");
    const [pid] = childrenOf(Deno.pid).filter((pid) => !before.has(pid));
    const environment = Deno.readTextFileSync(`/proc/${pid}/environ`).split("\0").map((line) => line.split("=")[0]);
    const known = ["DENO_DIR", "HOME", "LOCALAPPDATA", "XDG_CACHE_HOME", ""];
    assert.deepEqual(environment.filter((name) => !known.includes(name)), []);
    const args = Deno.readTextFileSync(`/proc/${pid}/cmdline`).split("\0");
    assert.deepEqual(args.filter((arg) => arg.startsWith("--allow") || arg === "-A"), []);
    assert.ok(args.includes("--no-prompt"));
  },
});

Deno.test({
  name: "process guest: one that neither reads nor ends is killed (runtime.md §13 row 72)",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const before = new Set(childrenOf(Deno.pid));
    const guest = await ProcessGuest.start();
    const [pid] = childrenOf(Deno.pid).filter((pid) => !before.has(pid));
    Deno.kill(pid, "SIGSTOP");
    await assert.rejects(guest.evaluate("1"), { code: "E_KILLED" });
    await guest[Symbol.asyncDispose]();
    assert.ok(!childrenOf(Deno.pid).includes(pid));
  },
});
