/**
 * Operations, registrations and the base layer: call.md §6, §8.2, §10, §26 rows 22, 44, 47, 48, 124, 126.
 *
 * @module
 */
import assert from "node:assert/strict";
import {
  capabilitiesOf,
  Dispatcher,
  type HandlerRegistration,
  nameFault,
  nodeRegistry,
  operation,
  PROTOCOL_CODES,
  provide,
  type Registry,
} from "@alknet/core/operations";
import Type from "typebox";
import { authority, identity, imported, once, reaching, stream } from "./fixtures.ts";

const DISCOVERY = ["services/list", "services/list-peers", "services/schema"];
const nothing = () => null;

Deno.test("operation(): the namespace is the first segment (call.md §26 row 22)", () => {
  const registry = nodeRegistry([once("docker/container/exec", nothing)]);
  const registration = registry.find("docker/container/exec")!;
  assert.equal(registration.spec.namespace, "docker");
  assert.deepEqual([...registry.list()].map(({ spec }) => spec.name), ["docker/container/exec", ...DISCOVERY]);
  assert.equal(nodeRegistry([once("single", nothing)]).find("single")?.spec.namespace, "single");
});

Deno.test("operation(): refuses what is no name (call.md §6)", () => {
  const wrong = ["", "/a/b", "a/b/", "a//b", "a/ b", "a/é", "a/..", "./a", "a\n", `a/${"b".repeat(256)}`];
  for (const name of wrong) {
    assert.equal(typeof nameFault(name), "string", name);
    assert.throws(() => once(name, nothing), TypeError, name);
  }
  for (const name of ["a", "a/b", "A-1/b_2/c.d", "..."]) assert.equal(nameFault(name), undefined, name);
});

Deno.test("operation(): refuses an error with a code of the protocol (call.md §26 row 44)", () => {
  for (const code of PROTOCOL_CODES) {
    const declare = () => once("a/b", nothing, { errors: { [code]: { description: "taken" } } });
    assert.throws(declare, (error: Error) => error instanceof TypeError && error.message.includes(code));
    // A bundle that comes from elsewhere is refused by the layer.
    const { spec, ...rest } = once("a/b", nothing);
    const foreign = { ...spec, error_schemas: [{ code, description: "", schema: {}, http_status: null }] };
    assert.throws(() => nodeRegistry([{ ...rest, spec: foreign }]), { code: "INVALID_OPERATION" });
  }
});

Deno.test("operation(): refuses a resource path that leads nowhere whatever the input (call.md §10.1)", () => {
  for (const resourceIdPath of ["id", "$", "$..id", ""]) {
    assert.throws(() => once("a/b", nothing, { access: { resourceIdPath } }), TypeError);
  }
  assert.equal(once("a/b", nothing, { access: { resourceIdPath: "$.id" } }).spec.resource_id_path, "$.id");
});

Deno.test("Registry: a handler that does not fit the type stops the start (call.md §26 row 47)", () => {
  const query = once("a/query", nothing);
  const subscription = stream("a/subscription", async function* () {});
  const crossed: HandlerRegistration[] = [
    { ...query, handler: subscription.handler },
    { ...subscription, handler: query.handler },
  ];
  for (const registration of crossed) assert.throws(() => nodeRegistry([registration]), { code: "INVALID_OPERATION" });
  // `provide` tells by the function, where a cast got past the compiler.
  assert.throws(() => once("a/query", (async function* () {}) as never), TypeError);
  assert.throws(() => stream("a/subscription", (async () => {}) as never), TypeError);
});

Deno.test("Registry: two operations of one name stop the start (call.md §26 row 48)", () => {
  assert.throws(() => nodeRegistry([once("a/b", nothing), once("a/b", nothing)]), { code: "DUPLICATE_OPERATION" });
  assert.throws(() => nodeRegistry([once("services/list", nothing)]), { code: "DUPLICATE_OPERATION" });
});

Deno.test("Registry: a leaf takes neither authority nor scope (call.md §26 row 124)", () => {
  for (const provenance of ["from_openapi", "from_mcp", "from_call", "from_jsonschema"] as const) {
    for (const more of [authority("leaf", "x"), reaching("a/c")]) {
      assert.throws(() => once("a/b", nothing, { provenance, ...more }), TypeError);
      const bundle = { ...once("a/b", nothing, { provenance }), ...more };
      assert.throws(() => nodeRegistry([bundle]), { code: "INVALID_OPERATION" });
    }
  }
  nodeRegistry([once("a/b", nothing, { ...authority("local", "x"), ...reaching("a/c") })]);
});

Deno.test("Registry: takes nothing that ends before the process does (call.md §18)", () => {
  const refused = [imported("a/b", nothing), once("a/b", nothing, { provenance: "session" })];
  for (const each of refused) assert.throws(() => nodeRegistry([each]), { code: "INVALID_OPERATION" });
});

Deno.test("capabilitiesOf(): no inspection reveals a secret (call.md §26 row 126)", async () => {
  const secret = "hunter2-secret";
  const capabilities = capabilitiesOf({ weather: secret });
  let seen = "";
  const peek = once("a/peek", (_input, context) => {
    assert.equal(context.capabilities.get("weather"), secret);
    seen = JSON.stringify(context) + Deno.inspect(context, { depth: 9, showHidden: true }) +
      JSON.stringify(Object.entries(context.capabilities));
    return null;
  }, { capabilities });
  await new Dispatcher({ registry: nodeRegistry([peek]) }).call({ operation: "a/peek" });
  const printed = seen + JSON.stringify(capabilities) + Deno.inspect(capabilities, { showHidden: true });
  assert.ok(!printed.includes(secret));
  assert.ok(Object.isFrozen(capabilities));
});

Deno.test("capabilitiesOf(): later changes to what it was made of change nothing (call.md §10.5)", () => {
  const given: Record<string, string> = { weather: "one" };
  const capabilities = capabilitiesOf(given);
  given.weather = "two";
  assert.equal(capabilities.get("weather"), "one");
  assert.equal(capabilities.get("toString"), undefined);
});

Deno.test("Registry.suggestion(): names the nearest operations that the caller may call, and no others", () => {
  const registry = nodeRegistry([
    once("files/read", nothing),
    once("files/reap", nothing, { access: { scopes: ["admin"] } }),
    once("files/real", nothing, { visibility: "internal" }),
    once("clock/now", nothing),
  ]);
  const cases: readonly [wrong: string, who: Parameters<Registry["suggestion"]>[1], said: string | undefined][] = [
    ["files/raed", undefined, "did you mean files/read?"],
    ["file/read", undefined, "did you mean files/read?"],
    ["files/rea", undefined, "did you mean files/read?"],
    ["files/rea", identity("root", ["admin"]), "did you mean files/read or files/reap?"],
    ["files/real", undefined, "did you mean files/read?"],
    ["clok/now", undefined, "did you mean clock/now?"],
    ["clock/later", undefined, undefined],
    ["", undefined, undefined],
    ["f".repeat(100_000), undefined, undefined],
  ];
  for (const [wrong, who, said] of cases) assert.equal(registry.suggestion(wrong, who), said, wrong.slice(0, 20));
});

Deno.test("Registry.suggestion(): finds a slip anywhere in a name among 10,000", () => {
  const names = Array.from({ length: 10_000 }, (_, n) => `group${n % 100}/operation${n}`);
  const registry = nodeRegistry(names.map((name) => once(name, nothing)));
  for (const right of ["group7/operation4207", "group99/operation99", "group0/operation0"]) {
    for (let at = 0; at < right.length; at++) {
      const wrong = `${right.slice(0, at)}~${right.slice(at + 1)}`;
      assert.ok(registry.suggestion(wrong, undefined)?.startsWith("did you mean "), wrong);
    }
    assert.ok(registry.suggestion(right.replace("operation", "opreation"), undefined)?.includes(right));
  }
});

Deno.test("provide(): types flow from the declaration to handler and caller", () => {
  const add = operation({
    name: "math/add",
    type: "query",
    input: Type.Object({ a: Type.Number() }),
    output: Type.Number(),
  });
  provide(add, ({ a }) => a + 1);
  // @ts-expect-error The input has no such member.
  provide(add, ({ b }) => b);
  // @ts-expect-error The output is a number.
  provide(add, () => "text");
  const count = operation({ name: "math/count", type: "subscription", input: Type.Number(), output: Type.Number() });
  provide(count, async function* (to) {
    yield to;
  });
  // @ts-expect-error A subscription needs a handler that streams.
  assert.throws(() => provide(count, async () => {}));
});

Deno.test("Registry.permitted(): asks once of each requirement, however many operations share it (call.md §20.1)", () => {
  let asked = 0;
  const someone = {
    id: "someone",
    resources: {},
    get scopes() {
      asked++;
      return ["even"];
    },
  };
  const registrations = Array.from({ length: 1000 }, (_, n) => {
    return once(`group/operation${n}`, nothing, { access: { scopes: [n % 2 ? "odd" : "even"] } });
  });
  const permitted = [...nodeRegistry(registrations).permitted(someone)].map(({ spec }) => spec.name);
  assert.equal(permitted.length, 500 + DISCOVERY.length);
  assert.deepEqual(permitted, permitted.toSorted());
  assert.ok(!permitted.includes("group/operation1"));
  assert.ok(asked < 10, `the identity was asked ${asked} times`);
});
