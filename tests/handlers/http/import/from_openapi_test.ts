import assert from "node:assert/strict";
import { type HandlerRegistration, ImportError, type JsonValue, schemaCheck } from "@alknet/core/operations";
import { fromOpenApi, type HttpServiceConfig } from "@alknet/handlers/http";
import { stringify } from "yaml";
import { find, ok, PETS } from "./pets.ts";

const SHOP: HttpServiceConfig = { namespace: "shop", baseUrl: "https://api.shop.example/v2" };

/** What a bundle says, without its functions. */
function shown(bundles: readonly HandlerRegistration[]): unknown {
  return bundles.map(({ spec, provenance }) => ({ spec, provenance }));
}

Deno.test("fromOpenApi reads JSON, YAML and values alike (http.md §15 row 74)", () => {
  const value = shown(fromOpenApi(PETS as unknown as JsonValue, SHOP));
  assert.deepEqual(shown(fromOpenApi(JSON.stringify(PETS), SHOP)), value);
  assert.deepEqual(shown(fromOpenApi(stringify(PETS), SHOP)), value);
});

Deno.test("fromOpenApi refuses what is no document: SCHEMA_PARSE (http.md §15 row 75)", () => {
  const parameter = (schema: object) => ({
    ...PETS,
    paths: { "/": { get: { parameters: [{ name: "x", in: "query", schema }], responses: {} } } },
  });
  const circle = { "/": { $ref: "#/paths/~1" } };
  const cases: [string, unknown, RegExp][] = [
    ["no paths", { openapi: "3.1.0", info: {} }, /paths/],
    ["no info", { openapi: "3.1.0", paths: {} }, /info/],
    ["no object", [], /object/],
    ["Swagger 2", { swagger: "2.0", info: {}, paths: {} }, /3\.0 or 3\.1/],
    ["no JSON", '{"openapi":', /JSON/],
    ["no YAML", "a: b: c: [", /YAML/],
    ["a reference to nothing", parameter({ $ref: "#/components/schemas/None" }), /None/],
    ["a reference elsewhere", parameter({ $ref: "https://evil.example/x" }), /another document/],
    ["a reference to a file", parameter({ $ref: "../x.json#/a" }), /another document/],
    ["a circle of path items", { ...PETS, paths: circle }, /circle/],
    ["a prototype", parameter({ $ref: "#/__proto__/x" }), /__proto__/],
  ];
  for (const [what, source, message] of cases) {
    assert.throws(
      () => fromOpenApi(source as JsonValue, SHOP),
      (error) => error instanceof ImportError && error.code === "SCHEMA_PARSE" && message.test(error.message),
      what,
    );
  }
  assert.throws(() => fromOpenApi(JSON.stringify(PETS), { ...SHOP, baseUrl: "/v2" }), { code: "SCHEMA_PARSE" });
});

Deno.test("fromOpenApi keeps a schema that refers to itself usable (http.md §15 row 76)", () => {
  const { spec } = find(fromOpenApi(JSON.stringify(PETS), SHOP), "shop/showPet");
  const check = schemaCheck(spec.output_schema, "foreign");
  assert.equal(check({ name: "a", children: [{ name: "b", children: [] }] }), undefined);
  assert.match(check({ name: "a", children: [{ name: "b", children: [{}] }] }) ?? "", /children/);
  const input = find(fromOpenApi(JSON.stringify(PETS), SHOP), "shop/post_pets").checkInput;
  assert.equal(input({ body: { name: "x" } }), undefined);
  assert.notEqual(input({ body: { children: [{}] } }), undefined);
});

Deno.test("fromOpenApi names operations, and refuses a name twice (http.md §15 row 77)", () => {
  const names = fromOpenApi(JSON.stringify(PETS), SHOP).map(({ spec }) => spec.name);
  assert.deepEqual(names, ["shop/showPet", "shop/put_pets", "shop/get_root", "shop/events", "shop/post_pets"]);
  const twice = structuredClone(PETS) as { paths: Record<string, Record<string, unknown>> };
  twice.paths["/other"] = { get: { operationId: "showPet", responses: {} } };
  assert.throws(() => fromOpenApi(JSON.stringify(twice), SHOP), {
    code: "SCHEMA_PARSE",
    message: /GET \/pets\/\{id\}.*GET \/other/,
  });
  const odd = { ...PETS, paths: { "/": { get: { operationId: "a/b c", responses: {} } } } };
  assert.equal(fromOpenApi(JSON.stringify(odd), SHOP)[0].spec.name, "shop/a_b_c");
});

Deno.test("fromOpenApi maps types, errors and access (http.md §15 rows 78, 79, 80)", () => {
  const bundles = fromOpenApi(JSON.stringify(PETS), SHOP);
  const types = Object.fromEntries(bundles.map(({ spec }) => [spec.name, spec.op_type]));
  assert.deepEqual(types, {
    "shop/showPet": "query",
    "shop/put_pets": "mutation",
    "shop/get_root": "query",
    "shop/events": "subscription",
    "shop/post_pets": "mutation",
  });
  const errors = find(bundles, "shop/showPet").spec.error_schemas;
  assert.deepEqual(errors.map(({ code, http_status }) => [code, http_status]), [["HTTP_404", 404], ["HTTP_500", 500]]);
  for (const { spec, provenance, authority, scope, capabilities } of bundles) {
    assert.deepEqual([spec.visibility, provenance, authority, scope], [
      "internal",
      "from_openapi",
      undefined,
      undefined,
    ]);
    assert.deepEqual(spec.access_control, { required_scopes: [] });
    assert.equal(capabilities.get("shop"), undefined);
  }
});

Deno.test("fromOpenApi turns what OpenAPI 3.0 says otherwise into JSON Schema (http.md §11.2)", () => {
  const schema = {
    type: "integer",
    nullable: true,
    minimum: 1,
    exclusiveMinimum: true,
    maximum: 9,
    exclusiveMaximum: false,
  };
  const old = { ...PETS, openapi: "3.0.3", paths: { "/": { get: { responses: { 200: ok(schema) } } } } };
  const check = schemaCheck(fromOpenApi(JSON.stringify(old), SHOP)[0].spec.output_schema, "foreign");
  assert.deepEqual([null, 2, 9, 1, 10].map((value) => check(value) === undefined), [true, true, true, false, false]);
});
