import { deepEqual } from "node:assert/strict";
import { operation } from "@alknet/core/operations";
import Type from "typebox";
import { queryInput } from "../../../handlers/http/surface/direct_input.ts";

Deno.test("queryInput: a number that is not told from its neighbours stays a text, which the schema refuses", () => {
  const input = Type.Object({ id: Type.Integer(), much: Type.Optional(Type.Number()) });
  const { spec } = operation({ name: "vm/kill", type: "query", input, output: Type.Null() });
  const read = (query: string) => (queryInput(query, spec) as { value: unknown }).value;
  deepEqual(read("id=9007199254740991"), { id: 9007199254740991 });
  deepEqual(read("id=9007199254740993"), { id: "9007199254740993" });
  deepEqual(read("id=1&much=1e300"), { id: 1, much: 1e300 });
  deepEqual(read("id=1&much=0.5"), { id: 1, much: 0.5 });
});
