/**
 * Access control and resource ids: call.md §11, §26 rows 58 to 68.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Identity } from "@alknet/core/handler";
import {
  type AccessControl,
  denial,
  Dispatcher,
  type JsonValue,
  nodeRegistry,
  operation,
  type OwnershipProvider,
  ownershipStore,
  provide,
  resourceIdOf,
} from "@alknet/core/operations";
import Type, { type TSchema } from "typebox";
import { identity, once } from "./fixtures.ts";

const someone = (...scopes: string[]): Identity => identity("someone", scopes);
const holding = (resources: Identity["resources"]): Identity => identity("someone", [], resources);
const needs = (access: Partial<AccessControl>): AccessControl => ({ required_scopes: [], ...access });

/** What is asked for, by whom, and the denial; nothing is allowed. */
type Case = readonly [access: AccessControl, identity: Identity | undefined, denial: string | undefined];
const container = needs({ resource_type: "container", resource_action: "start" });
const both = needs({ required_scopes: ["x"], required_scopes_any: ["a", "b"] });

const CASES: Readonly<Record<string, readonly Case[]>> = {
  "anyone passes where nothing is required (call.md §11.2)": [
    [needs({}), undefined, undefined],
    [needs({}), someone(), undefined],
  ],
  "nobody passes without an identity (call.md §26 row 50)": [
    [needs({ required_scopes: ["a"] }), undefined, "authentication required"],
    [needs({ required_scopes_any: [] }), undefined, "authentication required"],
    [needs({ resource_type: "vm" }), undefined, "authentication required"],
    [needs({ resource_action: "start" }), undefined, "authentication required"],
  ],
  "all required scopes are needed (call.md §26 row 58)": [
    [needs({ required_scopes: ["a", "b"] }), someone("a"), "missing required scope: b"],
    [needs({ required_scopes: ["a", "b"] }), someone("a", "b"), undefined],
    [needs({ required_scopes: ["a", "b"] }), someone("a", "b", "c"), undefined],
  ],
  "one of the alternative scopes is needed (call.md §26 row 59)": [
    [needs({ required_scopes_any: ["a", "b"] }), someone("b"), undefined],
    [needs({ required_scopes_any: ["a", "b"] }), someone("c"), "missing required scope (any of: a, b)"],
  ],
  "both lists are joined by AND (call.md §26 row 60)": [
    [both, someone("x"), "missing required scope (any of: a, b)"],
    [both, someone("a"), "missing required scope: x"],
    [both, someone("x", "b"), undefined],
  ],
  "an empty list of alternatives denies everyone (call.md §26 row 61)": [
    [needs({ required_scopes_any: [] }), someone("a", "*"), "missing required scope (any of: )"],
  ],
  "scopes have no wildcards (call.md §26 row 62)": [
    [needs({ required_scopes: ["a:read"] }), someone("a:*"), "missing required scope: a:read"],
    [needs({ required_scopes: ["a:read"] }), someone("a", "A:READ"), "missing required scope: a:read"],
  ],
  "type and action: the action must be held on the type (call.md §26 row 63)": [
    [container, holding({ container: ["start"] }), undefined],
    [container, holding({ container: ["stop"] }), "missing resource: container/start"],
    [container, holding({}), "missing resource: container/start"],
    [container, holding({ vm: ["start"] }), "missing resource: container/start"],
  ],
  "type alone: any action on it will do (call.md §26 row 64)": [
    [needs({ resource_type: "container" }), holding({ container: ["x"] }), undefined],
    [needs({ resource_type: "container" }), holding({ container: [] }), "missing resource: container"],
    [needs({ resource_type: "hasOwnProperty" }), holding({}), "missing resource: hasOwnProperty"],
  ],
  "action alone: any type will do (call.md §26 row 65)": [
    [needs({ resource_action: "start" }), holding({ vm: ["start"] }), undefined],
    [needs({ resource_action: "start" }), holding({ vm: ["stop"] }), "missing resource action: start"],
  ],
};

for (const [title, cases] of Object.entries(CASES)) {
  Deno.test(`denial(): ${title}`, () => {
    for (const [access, who, expected] of cases) assert.equal(denial(access, who), expected);
  });
}

Deno.test("denial(): with a provider the owner passes, and a static resource does not help (call.md §26 row 66)", () => {
  const owned = ownershipStore();
  owned.record(identity("owner"), "container", "c1");
  assert.equal(denial(container, identity("owner"), "c1", owned), undefined);
  const other = identity("other", [], { container: ["start"] });
  assert.equal(denial(container, other, "c1", owned), "not owner of resource: container/c1");
  assert.equal(denial(container, identity("owner"), "c2", owned), "not owner of resource: container/c2");
});

Deno.test("denial(): without an id, whoever owns one of the type passes (call.md §26 row 67)", () => {
  const owned = ownershipStore();
  owned.record(identity("owner"), "container", "c1");
  assert.equal(denial(container, identity("owner"), undefined, owned), undefined);
  assert.equal(denial(container, identity("other"), undefined, owned), "no owned resources of type: container");
});

Deno.test("denial(): where an id is declared and there is none, ownership grants nothing (call.md §26 row 67b)", () => {
  const owned = ownershipStore();
  owned.record(identity("owner"), "container", "c1");
  assert.equal(denial(container, identity("owner"), null, owned), "missing resource: container/start");
  assert.equal(denial(container, identity("admin", [], { container: ["start"] }), null, owned), undefined);
});

Deno.test("a number is an id: who owns another resource of the type is refused (call.md §10.1)", async () => {
  const owned = ownershipStore();
  owned.record(identity("olga"), "vm", "7");
  const kill = operation({
    name: "vm/kill",
    type: "mutation",
    input: Type.Object({ id: Type.Integer() }),
    output: Type.String(),
    access: { resourceType: "vm", resourceAction: "kill", resourceIdPath: "$.id" },
  });
  const dispatcher = new Dispatcher({ registry: nodeRegistry([provide(kill, () => "dead")]), ownership: owned });
  const asOlga = (id: JsonValue) =>
    dispatcher.call({ operation: "vm/kill", input: { id }, identity: identity("olga") });
  assert.equal(await asOlga(7), "dead");
  await assert.rejects(asOlga(42), { code: "FORBIDDEN" });
  await assert.rejects(asOlga({ is: 7 }), { code: "FORBIDDEN" });
});

Deno.test("operation(): a resource path that the input does not have is refused (call.md §10.1)", () => {
  const declared = (input: TSchema, resourceIdPath: string) => () =>
    operation({
      name: "vm/kill",
      type: "mutation",
      input,
      output: Type.Null(),
      access: { resourceType: "vm", resourceIdPath },
    });
  const input = Type.Object({ target: Type.Object({ id: Type.String() }) });
  const either = Type.Union([Type.Object({ name: Type.String() }), input]);
  for (const path of ["$.id", "$.target.name", "$.target.id.more"]) {
    assert.throws(declared(input, path), TypeError, path);
  }
  assert.throws(declared(Type.String(), "$.id"), TypeError);
  for (const [schema, path] of [[input, "$.target.id"], [either, "$/target/id"], [Type.Unknown(), "$.id"]] as const) {
    declared(schema, path)();
  }
});

Deno.test("what may be called is one answer for every list and suggestion, ownership included (call.md §20)", async () => {
  const owned = ownershipStore();
  owned.record(identity("olga"), "vm", "vm-1");
  const stop = once("vm/stop", () => "stopped", {
    access: { resourceType: "vm", resourceAction: "stop", resourceIdPath: "$.id" },
  });
  const dispatcher = new Dispatcher({ registry: nodeRegistry([stop]), ownership: owned });
  const listed = (who: Identity) => [...dispatcher.permitted(who)].map(({ spec }) => spec.name).includes("vm/stop");
  const otto = identity("otto", [], { vm: ["stop"] });
  assert.deepEqual([listed(identity("olga")), listed(otto)], [true, false]);
  const wrong = (who: Identity) =>
    dispatcher.call({ operation: "vm/stopp", identity: who }).catch(({ message }) => message);
  assert.match(await wrong(identity("olga")), /vm\/stop/);
  assert.doesNotMatch(await wrong(otto), /did you mean/i);
});

Deno.test("denial(): ownership does not stand for a scope (call.md §11.2)", () => {
  const owned = ownershipStore();
  owned.record(identity("owner"), "vm", "v1");
  const access = needs({ required_scopes: ["a"], resource_type: "vm" });
  assert.equal(denial(access, identity("owner"), "v1", owned), "missing required scope: a");
});

Deno.test("denial(): a provider is asked with an empty action where none is declared (call.md §11.2)", () => {
  const asked: unknown[] = [];
  const provider: OwnershipProvider = {
    owns: (who, ...rest) => asked.push(who.id, ...rest) > 0,
    ownsAny: () => false,
    ownedResources: () => [],
  };
  denial(needs({ resource_type: "vm" }), identity("a"), "v", provider);
  assert.deepEqual(asked, ["a", "vm", "v", ""]);
});

Deno.test("ownershipStore(): the creator owns until the resource is gone (call.md §11.4)", () => {
  const store = ownershipStore();
  store.record(identity("a"), "vm", "1");
  store.record(identity("b"), "vm", "1");
  store.record(identity("a"), "vm", "2");
  assert.ok(store.owns(identity("a"), "vm", "1", "any"));
  assert.ok(!store.owns(identity("b"), "vm", "1", "any"), "nothing is taken over");
  assert.deepEqual(store.ownedResources(identity("a"), "vm"), ["1", "2"]);
  store.revoke("vm", "1");
  store.revoke("vm", "none");
  store.revoke("disk", "1");
  assert.deepEqual(store.ownedResources(identity("a"), "vm"), ["2"]);
  store.revoke("vm", "2");
  assert.ok(!store.ownsAny(identity("a"), "vm"));
});

Deno.test("resourceIdOf(): a path leads to a string, to a number, or to no id (call.md §26 row 68)", () => {
  const spec = once("a/b", () => null).spec;
  const input = { a: { b: "id", n: 5, list: ["x"] }, "a.b": "dotted" };
  const cases: readonly [path: string | undefined, id: string | null | undefined][] = [
    ["$.a.b", "id"],
    ["$/a/b", "id"],
    ["a.b", null],
    ["$.a.n", "5"],
    ["$.a", null],
    ["$.a.none", null],
    ["$.a.list.0", null],
    ["$.a.constructor.name", null],
    ["$.__proto__.x", null],
    ["$", null],
    ["$.", null],
    ["$..a", null],
    ["$a.b", null],
    ["", null],
    [undefined, undefined],
  ];
  for (const [path, id] of cases) {
    assert.equal(resourceIdOf({ ...spec, resource_id_path: path }, input), id, String(path));
  }
  assert.equal(resourceIdOf({ ...spec, resource_id_path: "$.a" }, null), null);
});
