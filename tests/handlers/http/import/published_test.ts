/**
 * Documents that others publish: each operation of them that is imported sends what its document declares.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { JsonObject, JsonValue, OperationSpec } from "@alknet/core/operations";
import { fromOpenApi, type LeftOut, OutboundClient } from "@alknet/handlers/http";
import complex from "npm:@readme/oas-examples@8.2.2/3.0/json/complex-nesting.json" with { type: "json" };
import expanded from "npm:@readme/oas-examples@8.2.2/3.0/json/petstore-expanded.json" with { type: "json" };
import files from "npm:@readme/oas-examples@8.2.2/3.0/json/file-uploads.json" with { type: "json" };
import form from "npm:@readme/oas-examples@8.2.2/3.0/json/form-data.json" with { type: "json" };
import petstore30 from "npm:@readme/oas-examples@8.2.2/3.0/json/petstore.json" with { type: "json" };
import petstore31 from "npm:@readme/oas-examples@8.2.2/3.1/json/petstore.json" with { type: "json" };
import readme from "npm:@readme/oas-examples@8.2.2/3.1/json/readme.json" with { type: "json" };
import circular from "npm:@readme/oas-examples@8.2.2/3.0/json/schema-circular.json" with { type: "json" };
import encoding from "npm:@readme/oas-examples@8.2.2/3.1/json/schema-encoding-style.json" with { type: "json" };
import types from "npm:@readme/oas-examples@8.2.2/3.1/json/schema-types.json" with { type: "json" };
import styles from "npm:@readme/oas-examples@8.2.2/3.1/json/parameters-style.json" with { type: "json" };
import { compose, composing, Service } from "./service.ts";

/** Documents, and how many operations of each are to be left out. */
const PUBLISHED: Readonly<Record<string, [document: unknown, leftOut: number]>> = {
  "Petstore, OpenAPI 3.0": [petstore30, 1],
  "Petstore, OpenAPI 3.1": [petstore31, 1],
  "Petstore, expanded": [expanded, 0],
  "ReadMe API": [readme, 4],
  "file uploads": [files, 3],
  "form data": [form, 0],
  "complex nesting": [complex, 0],
  "circular schemas": [circular, 1],
  "schema types": [types, 0],
  "encoding styles": [encoding, 1],
  "parameter styles": [styles, 12],
};

/** A value for a schema, as far as the names and kinds of members ask for one. */
function sample(schema: JsonValue | undefined, defs: JsonObject, depth = 0): JsonValue {
  if (typeof schema !== "object" || schema === null || Array.isArray(schema)) return "x";
  const one = schema as JsonObject;
  if (typeof one.$ref === "string") return sample(defs[one.$ref.replace("#/$defs/", "")], defs, depth + 1);
  if (one.default !== undefined) return one.default;
  if (Array.isArray(one.enum)) return one.enum[0];
  if (one.const !== undefined) return one.const;
  for (const key of ["allOf", "anyOf", "oneOf"]) {
    if (Array.isArray(one[key])) return sample(one[key][0], defs, depth + 1);
  }
  const kind = Array.isArray(one.type) ? one.type[0] : one.type;
  if (kind === "integer" || kind === "number") return typeof one.minimum === "number" ? one.minimum : 1;
  if (kind === "boolean") return true;
  if (kind === "array") return depth > 3 ? [] : [sample(one.items as JsonValue, defs, depth + 1)];
  if (kind === "null") return null;
  if (kind !== "object" && one.properties === undefined) return "x".repeat(Number(one.minLength ?? 1));
  const required = Array.isArray(one.required) ? one.required as string[] : [];
  const properties = (one.properties ?? {}) as JsonObject;
  // Of a part that requires nothing, something: a path cannot hold what is empty.
  const names = required.length > 0 || depth === 0 || depth > 3 ? required : Object.keys(properties).slice(0, 2);
  return Object.fromEntries(names.map((name) => [name, sample(properties[name], defs, depth + 1)]));
}

/** The input that an operation requires, without what it only allows. */
function inputOf({ input_schema }: OperationSpec): JsonObject {
  const { $defs = {} } = input_schema as JsonObject;
  return sample(input_schema, $defs as JsonObject) as JsonObject;
}

for (const [title, [document, expected]] of Object.entries(PUBLISHED)) {
  Deno.test(`fromOpenApi: ${title}: every operation is asked for at its path, with its method and media type`, async () => {
    await using service = new Service(() => new Response(null, { status: 204 }));
    using client = new OutboundClient();
    const leftOut: LeftOut[] = [];
    const config = { namespace: "s", baseUrl: service.origin, client };
    const bundles = fromOpenApi(document as JsonValue, config, { onLeftOut: (one) => leftOut.push(one) });
    const { paths } = document as { paths: Record<string, Record<string, unknown>> };
    const methods = new Set(["get", "post", "put", "patch", "delete", "head", "options"]);
    const declared = Object.entries(paths).flatMap(([path, item]) =>
      Object.keys(item).filter((method) => methods.has(method)).map((method) => `${method.toUpperCase()} ${path}`)
    );
    for (const { method, path, reason } of leftOut) console.log(`left out ${method} ${path}: ${reason}`);
    console.log(`${bundles.length} of ${declared.length} operations`);
    assert.equal(bundles.length + leftOut.length, declared.length);
    assert.equal(leftOut.length, expected);
    const dispatcher = composing(bundles);
    let asked = 0;
    for (const { spec, checkInput } of bundles) {
      const input = inputOf(spec);
      // A sample that a schema's finer rules refuse says nothing about requests.
      if (checkInput(input) !== undefined || spec.op_type === "subscription") continue;
      await compose(dispatcher, spec.name, input);
      const { line, headers, body } = service.seen.at(-1)!;
      assert.equal(service.seen.length, ++asked, spec.name);
      const [method, target] = line.split(" ");
      const path = target.split("?")[0];
      const fits = declared.filter((one) => one.startsWith(`${method} `)).some((one) => {
        const pattern = RegExp.escape(one.slice(method.length + 1).split("?")[0]).replaceAll(
          /\\\{[^/]*?\\\}/g,
          "[^/]+",
        );
        return new RegExp(`^${pattern}$`).test(path);
      });
      assert.ok(fits, `${spec.name}: ${line}`);
      assert.equal(body !== "", input.body !== undefined, spec.name);
      if (body !== "") assert.ok(headers.get("content-type"), spec.name);
    }
    if (bundles.length > 0) assert.ok(asked > 0);
  });
}
