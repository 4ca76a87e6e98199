/**
 * What is said of a value that does not fit its schema: call.md §10.1, §26 row 36 (E10).
 *
 * @module
 */
import assert from "node:assert/strict";
import { type JsonObject, type JsonValue, schemaCheck, schemaFault } from "@alknet/core/operations";
import Type from "typebox";

const SCHEMA = Type.Object({
  path: Type.String({ maxLength: 5 }),
  n: Type.Optional(Type.Integer({ minimum: 1 })),
  tags: Type.Optional(Type.Array(Type.Union([Type.Literal("a"), Type.Literal("b")]), { maxItems: 2 })),
  kind: Type.Optional(Type.Union([Type.Object({ a: Type.Number() }), Type.Object({ b: Type.String() })])),
  level: Type.Optional(Type.Enum(["low", "high"])),
  "a/b~c": Type.Optional(Type.Boolean()),
}, { additionalProperties: false }) as unknown as JsonValue;

const SAID: readonly [value: unknown, said: string | undefined][] = [
  [{ path: "x", n: 3, tags: ["a"], kind: { b: "y" }, level: "low" }, undefined],
  [{ path: 42 }, "/path must be string, but is a number"],
  [{ path: null }, "/path must be string, but is null"],
  [null, "input must be object, but is null"],
  [[], "input must be object, but is an array"],
  [{}, 'input must have "path"'],
  [{ path: "longer" }, "/path must not have more than 5 characters, but has 6"],
  [{ path: "x", n: 0 }, "/n must be >= 1, but is 0"],
  [{ path: "x", n: 1.5 }, "/n must be integer, but is the number 1.5"],
  [{ path: "x", tags: ["a", "c"] }, '/tags/1 must be one of "a", "b", but is "c"'],
  [{ path: "x", tags: ["a", "a", "a"] }, "/tags must not have more than 2 items, but has 3"],
  [{ path: "x", kind: { b: 1 } }, "/kind/b must be string, but is a number"],
  [{ path: "x", kind: 1 }, "/kind must fit one of the alternatives, but is a number"],
  [{ path: "x", level: "mid" }, '/level must be one of "low", "high", but is "mid"'],
  [{ path: "x", "a/b~c": 1 }, "/a~1b~0c must be boolean, but is a number"],
  [{ path: "x", pth: 1 }, '/pth must not be there, but "path", "n", "tags", "kind", "level", "a/b~c" may'],
];

for (const origin of ["own", "foreign"] as const) {
  Deno.test(`schemaCheck(): names path, wish and find, ${origin} schema (call.md §26 row 36)`, () => {
    const check = schemaCheck(SCHEMA, origin);
    for (const [value, said] of SAID) assert.equal(check(value), said, JSON.stringify(value));
  });
}

Deno.test("schemaCheck(): repeats little of what came", () => {
  const check = schemaCheck({ enum: ["a"] });
  assert.ok(check("x".repeat(1000))!.length < 120);
  assert.ok(schemaCheck({ additionalProperties: false, properties: {} })({ ["y".repeat(1000)]: 1 })!.length < 200);
});

Deno.test("schemaCheck(): a schema that cannot be used lets nothing pass and throws nothing", () => {
  const unusable: JsonValue[] = [{ $ref: "#" }, { type: "string", pattern: "(" }];
  for (const schema of unusable) {
    for (const origin of ["own", "foreign"] as const) {
      assert.match(schemaCheck(schema, origin)("x")!, /schema is not usable/);
    }
  }
});

Deno.test("schemaCheck(): {} and true take anything, false nothing", () => {
  for (const schema of [{}, true]) assert.equal(schemaCheck(schema)({ any: [1, null] }), undefined);
  assert.notEqual(schemaCheck(false)(null), undefined);
});

Deno.test("schemaCheck(): text of a schema never becomes code", () => {
  const evil = '"]);globalThis.hacked=1;(["';
  const schemas: JsonValue[] = [
    { type: "object", properties: { [evil]: { type: "string" } }, required: [evil] },
    { const: "`${globalThis.hacked=1}" },
    { type: "string", minLength: "0);globalThis.hacked=1;(0" },
    { type: "string", pattern: "/;globalThis.hacked=1;/" },
  ];
  for (const schema of schemas) {
    for (const origin of ["own", "foreign"] as const) {
      for (const value of [{}, { [evil]: 1 }, "a"]) schemaCheck(schema, origin)(value);
    }
  }
  assert.equal((globalThis as { hacked?: number }).hacked, undefined);
});

Deno.test("schemaFault(): tells a schema from what is none", () => {
  for (const schema of [true, false, {}, SCHEMA, { $defs: { a: {} }, $ref: "#/$defs/a" }]) {
    assert.equal(schemaFault(schema), undefined);
  }
  for (const schema of [null, 5, "x", [], { $ref: "#" }, { pattern: "(", type: "string" }]) {
    assert.equal(typeof schemaFault(schema), "string", JSON.stringify(schema));
  }
});

/** References that double at each of so many steps. */
function doubling(steps: number, reference = (n: number) => `#/$defs/a${n}`): JsonObject {
  const $defs: Record<string, JsonValue> = { [`a${steps}`]: { $anchor: `a${steps}` } };
  for (let n = 0; n < steps; n++) {
    const next = { $ref: reference(n + 1) };
    $defs[`a${n}`] = { $anchor: `a${n}`, allOf: [next, next] };
  }
  return { $defs, $ref: reference(0) };
}

const LEAF = { type: "object", properties: { a: { type: "string" }, next: { $ref: "#" } } };

Deno.test("schemaFault(): what expands without end is refused, and not tried (call.md §21)", () => {
  const bombs: JsonValue[] = [
    doubling(60),
    doubling(60, (n) => `#a${n}`),
    { properties: { deep: doubling(60), $defs: {} } },
    { ...doubling(60), $ref: undefined!, properties: { x: { $ref: "#/$defs/a0" } } },
  ];
  for (const bomb of bombs) {
    assert.match(String(schemaFault(JSON.parse(JSON.stringify(bomb)))), /is not usable/);
    assert.match(String(schemaCheck(JSON.parse(JSON.stringify(bomb)), "foreign")({})), /not usable/);
  }
  for (const elsewhere of ["https://example.org/x.json", "#/$defs/none", "other.json"]) {
    assert.match(String(schemaFault({ $ref: elsewhere })), /is not usable: a reference leads/);
  }
  assert.equal(schemaFault(LEAF), undefined);
  assert.equal(schemaCheck(LEAF, "foreign")({ next: { next: { a: "x" } } }), undefined);
  assert.match(String(schemaCheck(LEAF, "foreign")({ next: { next: { a: 5 } } })), /^\/next\/next\/a must be string/);
  assert.equal(schemaFault(doubling(8)), undefined);
  // What is wide, or leads to many others, is no bomb: each part of a value meets few of them.
  const $defs = Object.fromEntries(Array.from({ length: 40 }, (_, n) => {
    const next = { anyOf: [{ type: "string" }, { $ref: `#/$defs/d${n + 1}` }] };
    return [`d${n}`, { properties: Object.fromEntries([..."abcdefgh"].map((name) => [name, next])) }];
  }));
  assert.equal(schemaFault({ $defs: { ...$defs, d40: {} }, $ref: "#/$defs/d0" }), undefined);
  const both = (n: number) => ({ properties: { a: { $ref: `#/$defs/d${n + 1}` } } });
  const deep = Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`d${n}`, { allOf: [both(n), both(n)] }]));
  assert.match(String(schemaFault({ $defs: { ...deep, d40: {} }, $ref: "#/$defs/d0" })), /expand too far/);
});

Deno.test("schemaCheck(): a stranger's pattern is not run, and what it named is open (call.md §17)", () => {
  const endless = { type: "string", pattern: "^(a+)+$" };
  const evil = `${"a".repeat(200)}!`;
  const schema = {
    type: "object",
    properties: { pattern: endless, list: { items: endless } },
    patternProperties: { "^(x+)+$": { type: "number" } },
    additionalProperties: false,
    allOf: [{ properties: { pattern: { type: "string" } } }],
  };
  const check = schemaCheck(schema, "foreign");
  assert.equal(check({ pattern: evil, list: [evil], [`${"x".repeat(200)}!`]: 1 }), undefined);
  assert.match(String(check({ pattern: 5 })), /^\/pattern must be string/, "a member named pattern is a member");
  assert.match(String(schemaCheck({ type: "string", pattern: "^a$" })("b")), /pattern/, "our own are run");
});
