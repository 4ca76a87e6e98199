/**
 * The bridge: a guest's operations in a registry, and a node's operations in a guest.
 *
 * @module
 */
import { Dispatcher, nodeRegistry, operation, provide } from "@alknet/core/operations";
import { grants, guestRegistrations, Isolate, ProcessGuest } from "@alknet/runtime";
import assert from "node:assert/strict";
import Type from "typebox";

const SOURCE = `
  ops.register({
    name: "twice", input: { type: "integer" }, output: { type: "integer" },
    handler: async (n) => await env.math.add({ a: n, b: n }),
  });
  ops.register({ name: "count", type: "subscription", async *handler(to) { for await (const n of env.math.count(to)) yield n * 2; } });
  ops.register({ name: "spin", handler() { for (;;); } });
  ops.register({ name: "denied", handler: () => env.math.secret(1).catch(({ code }) => code) });
`;

const node = [
  provide(
    operation({
      name: "math/add",
      type: "query",
      input: Type.Object({ a: Type.Number(), b: Type.Number() }),
      output: Type.Number(),
    }),
    ({ a, b }) => a + b,
  ),
  provide(
    operation({ name: "math/count", type: "subscription", input: Type.Integer(), output: Type.Integer() }),
    async function* (to) {
      for (let n = 1; n <= to; n++) yield n;
    },
  ),
  provide(
    operation({
      name: "math/secret",
      type: "query",
      input: Type.Unknown(),
      output: Type.Unknown(),
      access: { scopes: ["secret"] },
    }),
    () => 1,
  ),
];

for (const tier of ["isolate", "process guest"] as const) {
  Deno.test(`${tier}: operations go both ways, failures as the registry's codes (runtime.md §8, §13 row 48)`, async () => {
    const registry = nodeRegistry(node);
    const options = grants(registry, new Dispatcher({ registry }), ["math/add", "math/count", "math/secret"]);
    await using stack = new AsyncDisposableStack();
    const guest = tier === "isolate"
      ? stack.use(await Isolate.create(options))
      : stack.use(await ProcessGuest.start(options));
    await guest.evaluate(SOURCE);
    const offered = nodeRegistry(guestRegistrations(guest, { namespace: "jobs", visibility: "external" }));
    const dispatcher = new Dispatcher({ registry: offered });
    assert.equal(await dispatcher.call({ operation: "jobs/twice", input: 21 }), 42);
    assert.deepEqual(await Array.fromAsync(dispatcher.subscribe({ operation: "jobs/count", input: 3 })), [2, 4, 6]);
    assert.equal(await dispatcher.call({ operation: "jobs/denied" }), "FORBIDDEN");
    await assert.rejects(dispatcher.call({ operation: "jobs/twice", input: "a" }), { code: "INVALID_INPUT" });
    await assert.rejects(dispatcher.call({ operation: "jobs/spin" }), { code: "TIMEOUT" });
    assert.equal(await dispatcher.call({ operation: "jobs/twice", input: 1 }), 2, "after the one that spun");
  });
}

Deno.test("grants: a name that the registry does not have is named (runtime.md §8.2)", () => {
  const registry = nodeRegistry(node);
  assert.throws(() => grants(registry, new Dispatcher({ registry }), ["math/other"]), /math\/other/);
});

Deno.test("an offered operation answers badly: the caller learns a code (runtime.md §13 row 52)", async () => {
  using guest = await Isolate.create({ limits: { wall: 100 } });
  await guest.evaluate(`
    ops.register({ name: "wrong", output: { type: "integer" }, handler: () => "text" });
    ops.register({ name: "large", handler: () => "x".repeat(17 << 20) });
    ops.register({ name: "never", handler: () => new Promise(() => {}) });
    ops.register({ name: "throws", handler() { throw Object.assign(new Error("inside"), { code: "FORBIDDEN" }) } });
    ops.register({ name: "hungry", handler() { const kept = []; for (;;) kept.push(new ArrayBuffer(1 << 20)) } });
  `);
  const offered = nodeRegistry(guestRegistrations(guest, { namespace: "jobs", visibility: "external" }));
  const dispatcher = new Dispatcher({ registry: offered });
  const cases = { wrong: "INTERNAL", large: "RESOURCE_EXHAUSTED", never: "TIMEOUT", throws: "INTERNAL" };
  for (const [name, code] of Object.entries(cases)) {
    const error = await dispatcher.call({ operation: `jobs/${name}` }).catch((error) => error);
    assert.deepEqual([name, error.code], [name, code]);
    assert.doesNotMatch(error.message, /inside/);
  }
  const error = await dispatcher.call({ operation: "jobs/hungry" }).catch((error) => error);
  assert.ok(["RESOURCE_EXHAUSTED", "INTERNAL"].includes(error.code), error.code);
});

Deno.test("schemas that would cost the host, or fetch, are refused with the guest (runtime.md §13 row 53)", async () => {
  const bad = {
    remote: { $ref: "https://example.com/schema" },
    cyclic: { $ref: "#" },
    deep: JSON.parse('{"items":'.repeat(200) + "{}" + "}".repeat(200)),
    doubling: {
      $ref: "#/$defs/a20",
      $defs: Object.fromEntries(
        Array.from({ length: 21 }, (_, n) => [
          `a${n}`,
          n === 0 ? {} : { allOf: [{ $ref: `#/$defs/a${n - 1}` }, { $ref: `#/$defs/a${n - 1}` }] },
        ]),
      ),
    },
  };
  for (const [name, input] of Object.entries(bad)) {
    using guest = await Isolate.create();
    const registered = guest.evaluate(`ops.register({ name: "a", input: ${JSON.stringify(input)}, handler: () => 1 })`);
    await assert.rejects(
      registered.then(() => nodeRegistry(guestRegistrations(guest, { namespace: "jobs" }))),
      (error: Error) => /jobs\/a|cannot cross|deeper/.test(error.message),
      name,
    );
  }
  using guest = await Isolate.create();
  const pattern = { type: "string", pattern: "^(a+)+$" };
  await guest.evaluate(`ops.register({ name: "a", input: ${JSON.stringify(pattern)}, handler: (s) => s.length })`);
  const registry = nodeRegistry(guestRegistrations(guest, { namespace: "jobs", visibility: "external" }));
  // A pattern that never comes to an end is not tried.
  assert.equal(await new Dispatcher({ registry }).call({ operation: "jobs/a", input: "a".repeat(40) + "!" }), 41);
});

Deno.test("what a guest sends is data: identity, deadline and internal calls cannot be forged (runtime.md §13 row 50)", async () => {
  const seen: unknown[] = [];
  const tell = operation({ name: "math/tell", type: "query", input: Type.Unknown(), output: Type.Null() });
  const registry = nodeRegistry([
    ...node,
    provide(tell, (input, { identity }) => {
      seen.push(input, identity?.id);
      return null;
    }),
  ]);
  const forged = { internal: true, identity: { id: "admin" }, parent: "p", timeoutMs: 1e9, $: "x", __proto__x: 1 };
  const given = grants(registry, new Dispatcher({ registry }), ["math/tell", "math/secret"], {
    id: "guest:a",
    scopes: [],
    resources: {},
  });
  using guest = await Isolate.create(given);
  await guest.evaluate(`env.math.tell(${JSON.stringify(forged)})`);
  assert.deepEqual(JSON.parse(JSON.stringify(seen)), [forged, "guest:a"]);
  const code = `env.math.secret({ identity: { id: "admin", scopes: ["secret"] } }).catch(({ code }) => code)`;
  assert.equal(await guest.evaluate(code), "FORBIDDEN");
});
