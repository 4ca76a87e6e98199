/**
 * Edits between schemas and their classes (tensor.md §11.2).
 *
 * @module
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import { choice, diff, type EditClass, type JsonObject, list, scalar, struct, tensor, text } from "@alknet/tensor";
import type { TSchema } from "typebox";

const u8 = scalar("Uint8");
const i8 = scalar("Int8");
const one = (field: TSchema): TSchema => struct({ f: field });
const CASES: readonly [name: string, before: TSchema, after: TSchema, expected: EditClass][] = [
  ["nothing", struct({ a: u8 }), struct({ a: u8 }), "none"],
  ["a field with a default", struct({ a: u8 }), struct({ a: u8, b: scalar("Int8", { default: 1 }) }), "additive"],
  ["a required field without default", struct({ a: u8 }), struct({ a: u8, b: i8 }), "breaking"],
  ["a field removed", struct({ a: u8, b: i8 }), struct({ a: u8 }), "subtractive"],
  ["a rename with alias", struct({ a: u8 }), struct({ b: scalar("Uint8", { aliases: ["a"] }) }), "additive"],
  ["another order", struct({ a: u8, b: i8 }), struct({ b: i8, a: u8 }), "layout"],
  ["another alignment", one(scalar("Float32")), one(scalar("Float32", { align: 16 })), "layout"],
  ["Int8 to Int64", one(i8), one(scalar("Int64")), "widening"],
  ["Uint8 to Int16", one(u8), one(scalar("Int16")), "widening"],
  ["Float16 to Float64", one(scalar("Float16")), one(scalar("Float64")), "widening"],
  ["BFloat16 to Float32", one(scalar("BFloat16")), one(scalar("Float32")), "widening"],
  ["Boolean to Uint32", one(scalar("Boolean")), one(scalar("Uint32")), "widening"],
  ["Int16 to Int8", one(scalar("Int16")), one(i8), "lossy"],
  ["Int8 to Uint8", one(i8), one(u8), "lossy"],
  ["Int32 to Float32", one(scalar("Int32")), one(scalar("Float32")), "lossy"],
  ["a tensor f16 to f32", one(tensor("f16", [2])), one(tensor("f32", [2])), "widening"],
  ["a tensor reshaped without leave", one(tensor("f16", [2, 3])), one(tensor("f16", [6])), "breaking"],
  ["an enum that grows", one(choice(["a"])), one(choice(["a", "b"])), "additive"],
  ["an enum reordered", one(choice(["a", "b"])), one(choice(["b", "a"])), "breaking"],
  ["a kind changed", one(text(4)), one(u8), "breaking"],
  ["more room", one(text(4)), one(text(5)), "widening"],
  ["less room", one(text(5)), one(text(4)), "lossy"],
  ["the items of an array widened", one(list(u8, 3)), one(list(scalar("Uint16"), 3)), "widening"],
];

for (const [name, before, after, expected] of CASES) {
  Deno.test(`diff: ${name} is ${expected} (tensor.md §11.2)`, () => {
    const [old, now]: JsonObject[] = [before, after].map((schema) => JSON.parse(JSON.stringify(schema)));
    const { class: found, edits } = diff(old, now);
    equal(found, expected, JSON.stringify(edits));
    equal(edits.length, expected === "none" ? 0 : 1, JSON.stringify(edits));
    deepEqual(diff(old, old), { class: "none", edits: [] });
    ok(edits.every(({ path }) => !path.startsWith(".")));
  });
}
