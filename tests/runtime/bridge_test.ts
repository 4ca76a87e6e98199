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
