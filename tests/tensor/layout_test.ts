/**
 * Layouts of records (the worked examples of tensor.md §6.2), and files declared, written and read by one layout.
 *
 * @module
 */
import { deepEqual, equal, rejects, throws } from "node:assert/strict";
import {
  type Blobs,
  blobs,
  choice,
  fieldsOf,
  fileLayout,
  type JsonObject,
  layoutOf,
  list,
  longText,
  octets,
  open,
  type Records,
  records,
  rows,
  scalar,
  Schema,
  struct,
  tensor,
  text,
  texts,
} from "@alknet/tensor";
import type { TSchema } from "typebox";
import { temporaryFolder } from "../support/temp.ts";
import "./mapping.ts";

const u8 = scalar("Uint8");
const u32 = scalar("Uint32");
const EXAMPLES: readonly [name: string, schema: TSchema | JsonObject, offsets: number[], size: number][] = [
  ["u8, u32, f32", struct({ a: u8, b: u32, c: scalar("Float32") }), [0, 4, 8], 12],
  ["u8, f64, u16", struct({ a: u8, b: scalar("Float64"), c: scalar("Uint16") }), [0, 8, 16], 24],
  ["nested", struct({ a: scalar("Uint16"), b: struct({ x: u8, y: u32 }), c: u8 }), [0, 4, 8, 12], 16],
  ["f32 with align 16, u8", struct({ a: scalar("Float32", { align: 16 }), b: u8 }), [0, 4], 16],
  ["Array(3) of {u32, u8}", struct({ a: list(struct({ x: u32, y: u8 }), 3) }), [0, 0, 4], 24],
  ["String maxLength 5, u32", struct({ a: text(5), b: u32 }), [0, 8], 12],
];

for (const [name, schema, offsets, size] of EXAMPLES) {
  Deno.test(`layoutOf: ${name} (tensor.md §6.2)`, () => {
    const node: JsonObject = JSON.parse(JSON.stringify(schema));
    const layout = layoutOf(new Schema(node), node);
    deepEqual(fieldsOf(layout).map(({ start }) => start), offsets);
    equal(layout.size, size);
  });
}

Deno.test("layoutOf: a union of u8 and f64 behind a byte begins at 8 (tensor.md §6.2)", () => {
  const discriminator = { kind: "byte", offset: 0, type: "Uint8" };
  const node: JsonObject = {
    "TypeDef:Union": { discriminator },
    anyOf: [{ "TypeDef:Uint8": true }, { "TypeDef:Float64": true }],
  };
  const layout = layoutOf(new Schema(node), node);
  equal(layout.kind === "Union" && layout.start, 8);
  equal(layout.size, 16);
});

const layout = fileLayout(struct({
  conv1: struct({ weight: tensor("f32", [2, 3]) }),
  people: records(struct({
    name: text(8),
    id: scalar("Int64"),
    colour: choice(["red", "green"]),
    point: tensor("f32", [2]),
    key: octets(2),
    story: longText("stories"),
    level: scalar("Uint8", { default: 3 }),
  })),
  lines: texts(),
  raw: blobs(),
  ragged: rows(u32),
}));
const DATA = {
  conv1: { weight: new Float32Array([1, 2, 3, 4, 5, 6]) },
  people: [
    {
      name: "Ännchen",
      id: -5n,
      colour: "green",
      point: new Float32Array([1, 2]),
      key: Uint8Array.of(1, 2),
      story: "long ".repeat(50),
    },
    { name: "", id: 7n, colour: "red", point: new Float32Array(2), key: Uint8Array.of(3, 4), story: "", level: 9 },
  ],
  lines: ["one", "", "drei 漢"],
  raw: [Uint8Array.of(1), new Uint8Array(0)],
  ragged: [[1, 2, 3], [], [4]],
};

for (const map of [true, false]) {
  Deno.test(`fileLayout: what was written is read, typed, map ${map}`, async () => {
    await using folder = await temporaryFolder();
    const path = folder.join("file");
    await layout.write(path, DATA, { verify: true });
    using file = await open(path, { map, mode: "strict" });
    const view = layout.view(file);
    const weight: Float32Array = view.conv1.weight;
    const people: Records<{ name: string; id: bigint; colour: "red" | "green"; level: number }> = view.people;
    const lines: Blobs<string> = view.lines;
    deepEqual([...weight], [1, 2, 3, 4, 5, 6]);
    deepEqual([...people], [{ ...DATA.people[0], level: 3 }, DATA.people[1]]);
    deepEqual(lines.all(), DATA.lines);
    deepEqual(view.raw.all(), DATA.raw);
    deepEqual(view.ragged.all(), DATA.ragged);
    deepEqual(file.column("people", "id"), BigInt64Array.of(-5n, 7n));
    deepEqual(file.column("people", "point"), Float32Array.of(1, 2, 0, 0));
    deepEqual(file.column("people", "name"), ["Ännchen", ""]);
    deepEqual(file.field("people", 1, "point"), new Float32Array(2));
    equal(file.blob("lines", 2), "drei 漢");
    throws(() => people.at(2), RangeError);
    throws(() => fileLayout(struct({ lines: tensor("u8", [1]) })).view(file), { code: "E_KIND" });
    throws(() => fileLayout(struct({ none: tensor("u8", [1]) })).view(file), { code: "E_MISSING" });
  });
}

Deno.test("fileLayout: values that do not fit are refused with their path, and nothing is written", async () => {
  await using folder = await temporaryFolder();
  const one = DATA.people[0];
  for (
    const wrong of [{ name: "too long a name" }, { name: "a\0b" }, { id: 2n ** 63n }, { colour: "blue" }, {
      level: 256,
    }, { key: new Uint8Array(3) }]
  ) {
    const field = new RegExp(`"people", field "0\\.${Object.keys(wrong)[0]}"`);
    await rejects(layout.write(folder.join("file"), { ...DATA, people: [{ ...one, ...wrong }] }), { message: field });
  }
  deepEqual([...Deno.readDirSync(folder.path)], []);
});
