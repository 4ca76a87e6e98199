/**
 * Types written of what a node offers compile, say what the schemas say, and hold nothing that the node could inject.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type JsonObject, type JsonValue, operationTypes, type PublishedSpec } from "@alknet/core/operations";
import Type, { type TSchema } from "typebox";
import { runProgram } from "../../support/process.ts";
import { ROOT } from "../../support/python.ts";
import { schemaAnswer } from "./fixtures.ts";

/** A schema as JSON, as it comes over the wire. */
const json = (schema: TSchema): JsonValue => JSON.parse(JSON.stringify(schema));

function spec(name: string, stated: JsonObject): PublishedSpec {
  return schemaAnswer(name, stated) as unknown as PublishedSpec;
}

/** The type that is written for a schema, on one line. */
function written(schema: JsonValue): string {
  const text = operationTypes([spec("a/b", { input_schema: schema })]);
  return /readonly input: ([\s\S]*?);\n {4}readonly output/.exec(text)![1].replace(/\s+/g, " ");
}

const WRITTEN: readonly [schema: JsonValue, type: string][] = [
  [{}, "unknown"],
  [true, "unknown"],
  [false, "never"],
  [json(Type.String()), "string"],
  [json(Type.Integer()), "number"],
  [{ type: ["string", "null"] }, "string | null"],
  [json(Type.Union([Type.Literal("a"), Type.Literal(1), Type.Null()])), '"a" | 1 | null'],
  [json(Type.Enum(["a", "b"])), '"a" | "b"'],
  [json(Type.Array(Type.Union([Type.String(), Type.Number()]))), "readonly (string | number)[]"],
  [json(Type.Array(Type.Array(Type.String()))), "readonly (readonly string[])[]"],
  [json(Type.Tuple([Type.String(), Type.Number()])), "readonly [string, number]"],
  [{ type: "array", prefixItems: [{ type: "string" }], items: false }, "readonly [string?]"],
  [
    json(Type.Object({ a: Type.String(), "b-c": Type.Optional(Type.Number()) })),
    '{ readonly a: string; readonly "b-c"?: number; }',
  ],
  [json(Type.Record(Type.String(), Type.Number())), "Readonly<Record<string, unknown>>"],
  [{ type: "object", additionalProperties: { type: "number" } }, "Readonly<Record<string, number>>"],
  [{ allOf: [{ $ref: "#/$defs/none" }, { type: "string" }] }, "string"],
  [{ enum: [{ a: 1 }] }, "unknown"],
];

Deno.test("operationTypes(): the type of each kind of schema", () => {
  for (const [schema, type] of WRITTEN) assert.equal(written(schema), type, JSON.stringify(schema));
});

Deno.test("operationTypes(): compile for a client, recursive and hostile schemas included", async () => {
  const hostile = '*/ export const x = 1; /* "];\n\u2028`${x}`';
  const folder = await Deno.makeTempDir({ dir: ROOT + "tests", prefix: ".types-" });
  try {
    const node = { $ref: "#/$defs/node" };
    const tree = {
      $defs: {
        node: { type: "object", properties: { value: { type: "integer" }, children: { type: "array", items: node } } },
      },
      anyOf: [node, { $ref: "#" }],
    };
    const text = operationTypes([
      spec("files/read", {
        input_schema: json(Type.Object({ path: Type.String({ description: hostile }) })),
        output_schema: json(Type.Array(Type.String())),
      }),
      spec("tree/walk", { op_type: "subscription", input_schema: tree, output_schema: tree }),
      spec("odd/circle", { op_type: "mutation", input_schema: { $ref: "#" }, output_schema: { const: hostile } }),
      spec("odd/names", { input_schema: { type: "object", properties: { [hostile]: true }, required: [hostile] } }),
    ], { source: hostile });
    await Deno.writeTextFile(`${folder}/remote.d.ts`, text);
    await Deno.writeTextFile(
      `${folder}/use.ts`,
      `import { type CallClient } from "@alknet/handlers/call";
import type { RemoteOperations } from "./remote.d.ts";
export async function use(client: CallClient<RemoteOperations>): Promise<void> {
  const lines: readonly string[] = await client.call("files/read", { path: "x" });
  for await (const node of client.subscribe("tree/walk", {})) console.log(node, lines);
  // @ts-expect-error The path is text.
  await client.call("files/read", { path: 5 });
  // @ts-expect-error There is no such operation.
  await client.call("files/none", {});
  // @ts-expect-error A subscription is not called.
  await client.call("tree/walk", {});
}
`,
    );
    const { code, stderr } = await runProgram(Deno.execPath(), ["check", `${folder}/use.ts`], { cwd: ROOT });
    assert.equal(code, 0, stderr);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("operationTypes(): the name of the type is a name", () => {
  for (const typeName of ["", "1a", "a b", "a;b"]) assert.throws(() => operationTypes([], { typeName }), TypeError);
  assert.match(operationTypes([], { typeName: "Remote" }), /export type Remote = {/);
});
