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
  type OwnershipProvider,
  ownershipStore,
  resourceIdOf,
} from "@alknet/core/operations";
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

Deno.test("resourceIdOf(): a path leads to a string or to no id (call.md §26 row 68)", () => {
  const spec = once("a/b", () => null).spec;
  const input = { a: { b: "id", n: 5, list: ["x"] }, "a.b": "dotted" };
  const cases: readonly [path: string | undefined, id: string | undefined][] = [
    ["$.a.b", "id"],
    ["$/a/b", "id"],
    ["a.b", undefined],
    ["$.a.n", undefined],
    ["$.a", undefined],
    ["$.a.none", undefined],
    ["$.a.list.0", undefined],
    ["$.a.constructor.name", undefined],
    ["$.__proto__.x", undefined],
    ["$", undefined],
    ["$.", undefined],
    ["$..a", undefined],
    ["$a.b", undefined],
    ["", undefined],
    [undefined, undefined],
  ];
  for (const [path, id] of cases) {
    assert.equal(resourceIdOf({ ...spec, resource_id_path: path }, input), id, String(path));
  }
  assert.equal(resourceIdOf({ ...spec, resource_id_path: "$.a" }, null), undefined);
});
