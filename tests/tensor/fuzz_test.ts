/**
 * Mutated headers and files: a clear error or a valid file, nothing read out of bounds.
 * `ALKNET_FUZZ_CASES` asks for more of them.
 *
 * @module
 */
import { ok } from "node:assert/strict";
import { encode, openSync, TensorError } from "@alknet/tensor";
import { type Random, seeded } from "../support/random.ts";
import { blobFile, structFile } from "./samples.ts";
import { fileOf, member } from "./bytes.ts";

const CASES = Number(Deno.env.get("ALKNET_FUZZ_CASES") ?? 100_000);
const RECORD = {
  type: "object",
  "TypeDef:Struct": true,
  properties: {
    x: { "TypeDef:Float32": true },
    e: { "TypeDef:Enum": true, enum: ["a", "b"] },
    s: { "TypeDef:String": { maxLength: 4 } },
    v: { "TypeDef:Array": true, minItems: 2, maxItems: 2, items: { "TypeDef:Uint16": true } },
  },
};
const SEEDS = [
  encode({
    a: { dtype: "F32", shape: [2, 2], data: new Float32Array(4) },
    b: { dtype: "U8", shape: [3], data: new Uint8Array(3) },
  }),
  blobFile(new Uint8Array(new Uint32Array([0, 2, 2, 3]).buffer), new TextEncoder().encode("hello")),
  structFile(RECORD, 16, new Uint8Array(16)),
];
/** Pieces from which headers are put together. */
const WORDS = [
  '"a"',
  '"b"',
  ":",
  ",",
  "{",
  "}",
  "[",
  "]",
  '"dtype"',
  '"shape"',
  '"data_offsets"',
  '"F32"',
  '"U8"',
  '"F4"',
  "0",
  "1",
  "4",
  "-1",
  "1e3",
  "9007199254740993",
  "null",
  "true",
  '"__metadata__"',
  '"__proto__"',
  '"\\ud800"',
  " ",
];

Deno.test(`open: ${CASES} mutated files, each refused with a TensorError or wholly readable (fuzzing a)`, () => {
  const random = seeded("tensor files");
  run(random, () => random.mutate(random.pick(SEEDS)));
});

Deno.test(`open: ${CASES} headers of shuffled words (fuzzing b)`, () => {
  const random = seeded("tensor headers");
  run(random, () => {
    const valid = `{${member("a", "F32", [1], 0, 4)},${member("b", "U8", [random.below(5)], 4, 4 + random.below(5))}}`;
    const words = valid.match(/"[^"]*"|[\d]+|./g)!;
    for (let change = random.between(1, 3); change > 0; change--) {
      words.splice(random.below(words.length), random.below(3), ...random.chance(0.7) ? [random.pick(WORDS)] : []);
    }
    return fileOf(words.join(""), random.below(10));
  });
});

function run(random: Random, make: () => Uint8Array<ArrayBuffer>): void {
  let opened = 0;
  for (let i = 0; i < CASES; i++) {
    const bytes = make();
    try {
      opened += useAll(bytes, random.chance(0.3) ? "strict" : "compat");
    } catch (error) {
      if (error instanceof TensorError) continue;
      throw new Error(`case ${i}: ${bytes.toHex()}`, { cause: error });
    }
  }
  ok(opened > 0);
}

/** Opens a file and reads everything in it; what is read lies within the file. */
function useAll(bytes: Uint8Array<ArrayBuffer>, mode: "compat" | "strict"): number {
  using file = openSync(bytes, { mode });
  for (const { name } of file.header.ordered) {
    const data = file.bytes(name);
    ok(data.byteOffset >= bytes.byteOffset && data.byteOffset + data.length <= bytes.byteOffset + bytes.length);
    file.tensor(name);
  }
  for (const { kind, name } of file.document?.tensors.values() ?? []) {
    if (kind === "blob") file.blobs(name).all();
    else for (const _ of file.records(name));
  }
  return 1;
}
