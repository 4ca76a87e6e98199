/**
 * A process that is lost to its guest: it says what it likes, and reaches no more than the guest was granted.
 *
 * @module
 */
import { Dispatcher, nodeRegistry, operation, provide } from "@alknet/core/operations";
import { grants, type IsolateOptions, ProcessGuest } from "@alknet/runtime";
import assert from "node:assert/strict";
import Type from "typebox";
import { spawnGuest } from "../../../runtime/pool/spawned.ts";
import { temporaryFolder } from "../../support/temp.ts";

/** Frames by hand, and what answers the host: `work` is called with each message of it. */
const CHILD = `
const encoder = new TextEncoder();
function frame(head, length) {
  const text = encoder.encode(JSON.stringify(head));
  const bytes = new Uint8Array(8 + text.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, length ?? 4 + text.length);
  view.setUint32(4, text.length);
  bytes.set(text, 8);
  return bytes;
}
const writer = Deno.stdout.writable.getWriter();
const raw = (bytes) => writer.write(bytes);
const send = (head) => raw(frame(head));
const answers = [];
async function* frames() {
  let held = new Uint8Array();
  for await (const chunk of Deno.stdin.readable) {
    const whole = new Uint8Array(held.length + chunk.length);
    whole.set(held);
    whole.set(chunk, held.length);
    held = whole;
    while (held.length >= 4) {
      const length = new DataView(held.buffer, held.byteOffset).getUint32(0);
      if (held.length < 4 + length) break;
      const head = new DataView(held.buffer, held.byteOffset).getUint32(4);
      yield JSON.parse(new TextDecoder().decode(held.subarray(8, 8 + head)));
      held = held.slice(4 + length);
    }
  }
}
const done = (id, value) => send({ t: "done", id, text: JSON.stringify(value), operations: [] });
for await (const head of frames()) {
  if (globalThis.stalled) await new Promise(() => {});
  if (head.t === "boot") send({ t: "ready" });
  else if (head.t === "answer") answered(head);
  else if (head.t === "work") work(head);
}
`;

/** A guest whose process runs a script. */
async function lost(script: string, stack: AsyncDisposableStack, options: IsolateOptions = {}): Promise<ProcessGuest> {
  const folder = stack.use(await temporaryFolder());
  const path = await folder.write("child.js", script + CHILD, { mode: 0o644 });
  return stack.use(await ProcessGuest.start(options, spawnGuest(path)));
}

const NONE = "function answered() {}\n";

/** What a process does when it is asked to work, each a reason to kill it. */
const WRONG: Readonly<Record<string, string>> = {
  "a length that no message has": "raw(new Uint8Array([255, 255, 255, 255, 0]))",
  "a head that is no JSON": "raw(new Uint8Array([0, 0, 0, 6, 0, 0, 0, 2, 33, 33]))",
  "a part longer than the whole": "raw(new Uint8Array([0, 0, 0, 6, 0, 0, 0, 200, 123, 125]))",
  "a message of no known kind": "send({ t: 'constructor', id: head.id })",
  "a reply to nothing": "done(head.id + 1, 1)",
  "a reply twice": "done(head.id, 1); done(head.id, 1)",
  "a call twice": "send({ t: 'ask', id: 1, kind: 'call', name: 'test/wait', text: 'null' }); " +
    "send({ t: 'ask', id: 1, kind: 'call', name: 'test/wait', text: 'null' })",
  "more calls than it may have":
    "for (let id = 1; id < 300; id++) send({ t: 'ask', id, kind: 'call', name: 'test/wait', text: 'null' })",
  "a value that cannot be": 'send({ t: \'done\', id: head.id, text: \'{"$":"b","v":7}\', operations: [] })',
  "an operation outside its namespace":
    "send({ t: 'done', id: head.id, text: '1', operations: [{ name: '../node/info', type: 'query' }] })",
  "half a message, then silence": "raw(frame({ t: 'done', id: head.id, text: '1' }).subarray(0, 9))",
  "its end": "Deno.exit(0)",
};

for (const [what, script] of Object.entries(WRONG)) {
  Deno.test(`process guest: ${what} is the end of it, and of no other (runtime.md row 70)`, async () => {
    await using stack = new AsyncDisposableStack();
    const options = {
      operations: [{ name: "test/wait", type: "query" as const }],
      host: { call: () => new Promise<never>(() => {}) },
    };
    const other = stack.use(await ProcessGuest.start());
    const guest = await lost(`${NONE}function work(head) { ${script} }\n`, stack, options);
    // A reply that is right may come before the one that is not.
    await guest.evaluate("1").catch(() => {});
    await assert.rejects(guest.evaluate("1"), { code: "E_KILLED" });
    assert.equal(await other.evaluate("1 + 1"), 2);
  });
}

/** Asks the host, and hands what it answers to `evaluate`. */
const ASKS = `
const waiting = new Map();
let last = 0;
function answered({ id, ok, text, code, message }) { waiting.get(id)?.(ok ? { value: JSON.parse(text) } : { code, message }); }
const ask = (kind, name, input) => new Promise((resolve) => {
  waiting.set(++last, resolve);
  send({ t: "ask", id: last, kind, name, text: JSON.stringify(input) });
});
async function work({ id, text }) { done(id, await (new Function("ask", "send", "return (async () => (" + text + "))()"))(ask, send)); }
`;

const numbers = provide(
  operation({ name: "math/count", type: "subscription", input: Type.Unknown(), output: Type.Integer() }),
  async function* () {
    for (let n = 0;; n++) yield n;
  },
);
const secret = provide(
  operation({ name: "math/secret", type: "query", input: Type.Unknown(), output: Type.Integer() }),
  () => 7,
);

Deno.test("process guest: no door is open that was not granted, whatever the process says (runtime.md rows 47, 49, 57, 82)", async () => {
  await using stack = new AsyncDisposableStack();
  const registry = nodeRegistry([numbers, secret]);
  const guest = await lost(ASKS, stack, grants(registry, new Dispatcher({ registry }), ["math/count"]));
  const doors = ["fetch", "fs/readFile", "guest/start", "gpu/compile", "constructor", "__proto__", ""];
  for (const door of doors) {
    const said = await guest.evaluate(`ask("reach", ${JSON.stringify(door)}, { path: "/etc/passwd" })`);
    assert.equal((said as { code: string }).code, "NOT_FOUND", door);
  }
  const outcome = async (name: string) =>
    JSON.stringify(await guest.evaluate(`ask("call", "${name}", 1)`)).replace(name, "");
  const missing = await outcome("math/missing");
  assert.match(missing, /NOT_FOUND/);
  // One that is there and was not granted is told from one that is not by nothing.
  for (const name of ["math/secret", "services/list", "Math/secret", "/math/secret"]) {
    assert.equal(await outcome(name), missing, name);
  }
});

Deno.test("process guest: numbers of another guest's calls and subscriptions lead nowhere (runtime.md rows 68, 69)", async () => {
  await using stack = new AsyncDisposableStack();
  const registry = nodeRegistry([numbers, secret]);
  const granted = () => grants(registry, new Dispatcher({ registry }), ["math/count"]);
  const release = Promise.withResolvers<number>();
  const asked = Promise.withResolvers<void>();
  const other = stack.use(
    await ProcessGuest.start({
      limits: { cpu: 10_000, wall: 30_000 },
      operations: [...granted().operations, { name: "test/wait", type: "query" }],
      host: { ...granted().host, call: () => (asked.resolve(), release.promise) },
    }),
  );
  await other.evaluate("const numbers = env.math.count(1); numbers.next().then(({ value }) => value)");
  const waits = other.evaluate("env.test.wait(1)");
  await asked.promise;
  const guest = await lost(ASKS, stack, granted());
  const tried = `(async () => {
    const steps = [];
    for (let at = 0; at < 20; at++) steps.push((await ask("next", "", at)).value.done, (await ask("end", "", at)).code);
    for (let id = 0; id < 100; id++) send({ t: "forget", id });
    return steps.every((one) => one === true || one === undefined);
  })()`;
  assert.equal(await guest.evaluate(tried), true);
  await assert.rejects(guest.evaluate("send({ t: 'done', id: 1, text: '1', operations: [] })"), { code: "E_KILLED" });
  release.resolve(5);
  assert.equal(await waits, 5);
  assert.equal(await other.evaluate("numbers.next().then(({ value }) => value)"), 1);
});

for (
  const [what, size, ask] of [
    ["does not read what it asks for", 4 << 20, "'null'"],
    ["sends more than the host should hold", 0, "JSON.stringify('x'.repeat(4 << 20))"],
  ] as const
) {
  Deno.test(`process guest: one that ${what} is killed (runtime.md rows 66, 70)`, async () => {
    await using stack = new AsyncDisposableStack();
    const bytes = new Uint8Array(size);
    const script = `${NONE}function work() {
      for (let id = 1; id <= 60; id++) send({ t: "ask", id, kind: "call", name: "test/bytes", text: ${ask} });
      globalThis.stalled = ${size > 0};
    }\n`;
    const guest = await lost(script, stack, {
      limits: { memory: 18, cpu: 60_000 },
      operations: [{ name: "test/bytes", type: "query" }],
      host: { call: () => size > 0 ? Promise.resolve(bytes) : new Promise<never>(() => {}) },
    });
    const why = size > 0 ? /did not read/ : /what it should not/;
    await assert.rejects(guest.evaluate("1"), { code: "E_KILLED", message: why });
  });
}

Deno.test("process guest: its console ends where it may say no more (runtime.md row 64)", async () => {
  await using stack = new AsyncDisposableStack();
  let said = 0;
  const options = {
    limits: { output: 1000 },
    host: { log: (_level: string, text: string) => void (said += text.length) },
  };
  const script =
    `${NONE}function work({ id }) { for (let at = 0; at < 1000; at++) send({ t: "log", level: "info", text: "x".repeat(100) }); done(id, 1) }\n`;
  const guest = await lost(script, stack, options);
  assert.equal(await guest.evaluate("1"), 1);
  assert.ok(said >= 1000 && said < 1100, String(said));
});
