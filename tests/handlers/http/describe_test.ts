import assert from "node:assert/strict";
import { operation } from "@alknet/core/operations";
import Type from "typebox";
import { describe } from "../../../handlers/http/surface/descriptions.ts";

Deno.test("describe: an operation's own words, else those of its input, else its name (http.md §5.1)", () => {
  const input = Type.Object({}, { description: "of the input" });
  const common = { name: "a/b", type: "query", output: Type.Null() } as const;
  for (
    const [description, schema, text] of [
      ["its own", input, "its own"],
      [undefined, input, "of the input"],
      [undefined, Type.Object({}), "query operation `a/b` in namespace `a`"],
    ] as const
  ) assert.equal(describe(operation({ ...common, input: schema, description }).spec), text);
});
