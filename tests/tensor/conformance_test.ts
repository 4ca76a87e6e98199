/**
 * The conformance table of the format, rows 1 to 102 and 106 to 110 (tensor.md §13). A row stands here as its file and what
 * either mode says of it; those that need more than opening are tests of their own, below and in `contents_test.ts`.
 *
 * @module
 */
import { deepEqual, equal } from "node:assert/strict";
import { openSync, type TensorFile } from "@alknet/tensor";
import { described, entry, fileOf, hex, member, pad, raw, record, refuses, scalar } from "./bytes.ts";

type Verdict = string | ((file: TensorFile) => void);

/** Row, file, verdict of compat mode, verdict of strict mode where it is another. Codes in any of which it may end: `A|B`. */
type Row = readonly [row: number, name: string, file: () => Uint8Array<ArrayBuffer>, compat: Verdict, strict?: Verdict];

const NOTHING: Verdict = (file) => deepEqual(file.names(), []);
const names = (...wanted: string[]): Verdict => (file) => deepEqual(file.names(), wanted);
const shaped = (dtype: string, ...shape: number[]): Verdict => (file) => {
  const info = file.info(file.names()[0]);
  deepEqual([info.dtype, ...info.shape], [dtype, ...shape]);
};
const I32 = `{"test":{"dtype":"I32","shape":[2,2],"data_offsets":[0,16]}}`;
const U8 = member("a", "U8", [1], 0, 1);
const many = (count: number, shape: number[], size: number): string =>
  `{${Array.from({ length: count }, (_, i) => member(`t${i}`, "F32", shape, 0, size)).join(",")}}`;
/** A struct tensor `r` of one record whose schema is given. */
const withRecord = (schema: Record<string, unknown>, stride: number, data: Uint8Array | number = stride) =>
  described(
    { schema: { $defs: { R: schema } }, tensors: { r: { kind: "struct", type: "#/$defs/R", count: 1, stride } } },
    member("r", "U8", [1, stride], 0, stride),
    data,
  );
const withSchema = (schema: unknown): Uint8Array<ArrayBuffer> => described({ schema });
const deep = (levels: number): unknown => {
  let schema: unknown = scalar("Uint8");
  for (let i = 0; i < levels; i++) schema = { anyOf: [schema] };
  return schema;
};
const doubling = (): Uint8Array<ArrayBuffer> => {
  const $defs: Record<string, unknown> = { D0: record({ x: scalar("Uint8") }) };
  for (let i = 1; i <= 17; i++) {
    $defs[`D${i}`] = record({ l: { $ref: `#/$defs/D${i - 1}` }, r: { $ref: `#/$defs/D${i - 1}` } });
  }
  const tensors = { r: { kind: "struct", type: "#/$defs/D17", count: 1, stride: 2 ** 17 } };
  return described({ schema: { $defs }, tensors }, member("r", "U8", [1, 2 ** 17], 0, 2 ** 17), 2 ** 17);
};

const ROWS: readonly Row[] = [
  [1, "an empty header", () => hex("02 00 00 00 00 00 00 00 7b 7d"), NOTHING],
  [2, "one tensor", () => fileOf(I32, 16), shaped("I32", 2, 2)],
  [3, "a scalar", () => fileOf(entry("I32", "[]", "[0,4]"), 4), shaped("I32")],
  [4, "a zero extent", () => fileOf(entry("I32", "[2,0]", "[0,0]")), shaped("I32", 2, 0)],
  [5, "white space after", () => fileOf("{}\r \t\n"), NOTHING, "E_STRICT"],
  [6, "white space around", () => fileOf("\t\n{}\r "), NOTHING, "E_STRICT"],
  [7, "sixty spaces", () => fileOf(I32 + " ".repeat(60), 16), names("test")],
  [8, "no byte", () => new Uint8Array(0), "E_TRUNCATED"],
  [9, "seven bytes", () => new Uint8Array(7), "E_TRUNCATED"],
  [10, "a length and nothing after it", () => hex("3c 00 00 00 00 00 00 00"), "E_HEADER_LENGTH"],
  [11, "a header shorter than it claims", () => pad(hex("e8 03 00 00 00 00 00 00"), raw(I32)), "E_HEADER_LENGTH"],
  [12, "a huge length", () => hex("3c 00 00 00 00 ff ff ff"), "E_HEADER_TOO_LARGE"],
  [13, "a length of 2^63", () => hex("00 00 00 00 00 00 00 80"), "E_HEADER_TOO_LARGE"],
  [14, "a length of 2^53+1", () => hex("01 00 00 00 00 00 20 00"), "E_HEADER_TOO_LARGE"],
  [17, "a length of 0", () => new Uint8Array(8), "E_HEADER_LENGTH"],
  [18, "one byte ff", () => fileOf(hex("ff")), "E_HEADER_LENGTH|E_UTF8"],
  [19, "one brace", () => fileOf("{"), "E_HEADER_LENGTH|E_JSON"],
  [20, "an overlong NUL", () => fileOf(pad(raw('{"'), hex("c0 80"), raw('":1}'))), "E_UTF8"],
  [21, "a raw surrogate", () => fileOf(pad(raw('{"'), hex("ed a0 80"), raw('":1}'))), "E_UTF8"],
  [22, "a byte order mark", () => fileOf(pad(hex("ef bb bf"), raw("{}"))), "E_UTF8"],
  [23, "a lone surrogate escape", () => fileOf('{"\\ud800":{}}'), "E_JSON"],
  [24, "an array", () => fileOf("[]"), "E_JSON"],
  [25, "two objects", () => fileOf("{}{}"), "E_JSON"],
  [26, "a trailing comma", () => fileOf(`{${U8},}`, 1), "E_JSON"],
  [26, "a comment", () => fileOf(`{/**/${U8}}`, 1), "E_JSON"],
  [26, "single quotes", () => fileOf(`{${U8.replaceAll('"', "'")}}`, 1), "E_JSON"],
  [27, "a control byte", () => fileOf('{"\u0001":1}'), "E_JSON"],
  [28, "depth 100 000", () => fileOf(`{"__metadata__":{"a":${"[".repeat(100_000)}`), "E_METADATA|E_LIMIT"],
  [29, "a name twice", () => fileOf(`{${U8},${U8}}`, 1), "E_DUPLICATE_KEY"],
  [30, "a name twice, at other offsets", () => fileOf(`{${U8},${member("a", "U8", [1], 1, 2)}}`, 2), "E_DUPLICATE_KEY"],
  [31, "a name twice, once escaped", () => fileOf(`{${U8},${U8.replace('"a"', '"\\u0061"')}}`, 1), "E_DUPLICATE_KEY"],
  [
    32,
    "dtype twice",
    () => fileOf('{"a":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}}', 1),
    "E_DUPLICATE_KEY",
  ],
  [33, "metadata twice", () => fileOf('{"__metadata__":{},"__metadata__":{}}'), "E_DUPLICATE_KEY"],
  [34, "a number in the metadata", () => fileOf('{"__metadata__":{"a":1}}'), "E_METADATA"],
  [34, "an object in the metadata", () => fileOf('{"__metadata__":{"a":{}}}'), "E_METADATA"],
  [34, "null in the metadata", () => fileOf('{"__metadata__":{"a":null}}'), "E_METADATA"],
  [35, "null for the metadata", () => fileOf('{"__metadata__":null}'), NOTHING, "E_METADATA"],
  [36, "__proto__", () => fileOf(`{${member("__proto__", "U8", [1], 0, 1)}}`, 1), (file) => {
    deepEqual(file.names(), ["__proto__"]);
    equal(file.array("__proto__").length, 1);
    equal("dtype" in {}, false);
  }],
  [
    37,
    "constructor and its like",
    () =>
      fileOf(
        `{${["constructor", "prototype", "toString"].map((n, i) => member(n, "U8", [1], i, i + 1)).join(",")}}`,
        3,
      ),
    (file) => deepEqual(["constructor", "prototype", "toString"].map((name) => file.bytes(name).length), [1, 1, 1]),
  ],
  [
    38,
    "__proto__ in the metadata",
    () => fileOf('{"__metadata__":{"__proto__":"x"}}'),
    (file) => equal(file.metadata.get("__proto__"), "x"),
  ],
  [
    39,
    "__proto__ in the document",
    () => described('{"version":1,"endian":"little","__proto__":{"polluted":1}}'),
    () => equal("polluted" in {}, false),
    "E_STRICT",
  ],
  [40, "an entry that is an array", () => fileOf('{"a":["F32",[1],[0,4]]}', 4), "E_ENTRY"],
  [41, "no shape", () => fileOf('{"a":{"dtype":"U8","data_offsets":[0,1]}}', 1), "E_ENTRY"],
  [42, "one offset", () => fileOf(entry("U8", "[1]", "[0]"), 1), "E_ENTRY"],
  [42, "three offsets", () => fileOf(entry("U8", "[1]", "[0,1,1]"), 1), "E_ENTRY"],
  [43, "shape null", () => fileOf(entry("U8", "null", "[0,1]"), 1), "E_ENTRY"],
  [43, "shape a string", () => fileOf(entry("U8", '"[1]"', "[0,1]"), 1), "E_ENTRY"],
  [43, "shape an object", () => fileOf(entry("U8", "{}", "[0,1]"), 1), "E_ENTRY"],
  [
    44,
    "an extra member",
    () => fileOf('{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"stride":[1]}}', 1),
    names("a"),
    "E_STRICT",
  ],
  ...["f32", "F128", "float32", "OBJECT"].map((
    dtype,
  ): Row => [45, dtype, () => fileOf(entry(dtype, "[1]", "[0,4]"), 4), "E_DTYPE"]),
  [46, "1.0", () => fileOf(entry("U8", "[1.0]", "[0,1]"), 1), "E_NUMBER"],
  [47, "1e0", () => fileOf(entry("U8", "[1e0]", "[0,1]"), 1), "E_NUMBER"],
  [48, "-1", () => fileOf(entry("F32", "[-1]", "[-4,0]")), "E_NUMBER"],
  [49, "-0", () => fileOf(entry("U8", "[-0]", "[0,0]")), "E_NUMBER"],
  [50, "01", () => fileOf(entry("U8", "[01]", "[0,1]"), 1), "E_JSON"],
  ...["NaN", "Infinity", '"NaN"', "null", "true"].map((
    value,
    i,
  ): Row => [51, value, () => fileOf(entry("U8", `[${value}]`, "[0,1]"), 1), i < 2 ? "E_JSON" : "E_ENTRY"]),
  [52, "2^53 beside 0", () => fileOf(entry("U8", "[9007199254740992,0]", "[0,0]")), "E_UNSAFE_INT"],
  [53, "2^53+1", () => fileOf(entry("U8", "[9007199254740993]", "[0,0]")), "E_UNSAFE_INT"],
  [54, "2^64-2", () => fileOf(entry("U8", "[2,18446744073709551614]", "[0,0]")), "E_UNSAFE_INT"],
  [55, "2^63-1", () => fileOf(entry("U8", "[2,9223372036854775807]", "[0,0]")), "E_UNSAFE_INT"],
  [56, "a product that wraps", () => fileOf(entry("F32", "[4294967296,4294967296]", "[0,0]")), "E_OVERFLOW"],
  [
    57,
    "0 before large extents",
    () => fileOf(entry("U8", "[0,9007199254740991,9007199254740991]", "[0,0]")),
    names("a"),
  ],
  [
    58,
    "0 after large extents",
    () => fileOf(entry("U8", "[9007199254740991,9007199254740991,0]", "[0,0]")),
    "E_OVERFLOW",
  ],
  [59, "three half bytes", () => fileOf(entry("F4", "[3]", "[0,2]"), 2), "E_SUBBYTE"],
  [60, "four half bytes", () => fileOf(entry("F4", "[4]", "[0,2]"), 2), shaped("F4", 4)],
  [61, "four six bits", () => fileOf(entry("F6_E2M3", "[4]", "[0,3]"), 3), shaped("F6_E2M3", 4)],
  [62, "rank 65", () => fileOf(entry("U8", `[${Array(65).fill(1)}]`, "[0,1]"), 1), "E_RANK"],
  [63, "offsets backwards", () => fileOf(entry("U8", "[4]", "[4,0]"), 4), "E_OFFSET_ORDER"],
  [64, "an end beyond the data", () => fileOf(entry("U8", "[5]", "[0,5]"), 4), "E_OUT_OF_BOUNDS"],
  [
    65,
    "an end of 2^53-1",
    () => fileOf(entry("U8", "[9007199254740991]", "[0,9007199254740991]"), 4),
    "E_OUT_OF_BOUNDS",
  ],
  [66, "too small a range", () => fileOf(I32.replace("16]", "4]"), 4), "E_SIZE_MISMATCH"],
  [67, "ten on one range", () => fileOf(many(10, [2, 2], 16), 16), "E_OVERLAP"],
  [68, "100 000 on one range", () => fileOf(many(100_000, [200, 200], 160_000), 160_000), "E_OVERLAP"],
  [
    69,
    "a partial overlap",
    () => fileOf(`{${member("a", "U8", [8], 0, 8)},${member("b", "U8", [8], 4, 12)}}`, 12),
    "E_OVERLAP",
  ],
  [70, "a hole", () => fileOf(`{${member("a", "U8", [4], 0, 4)},${member("b", "U8", [4], 8, 12)}}`, 12), "E_HOLE"],
  [71, "a hole at the start", () => fileOf(`{${member("a", "U8", [4], 4, 8)}}`, 8), "E_HOLE"],
  [72, "34 bytes more", () => fileOf(I32, 50), "E_TRAILING"],
  [73, "two bytes less", () => fileOf(I32, 14), "E_OUT_OF_BOUNDS"],
  [74, "a ZIP archive behind", () => pad(fileOf(I32, 16), hex("504b0506"), new Uint8Array(18)), "E_TRAILING"],
  [
    75,
    "zero-size entries",
    () =>
      fileOf(`{${member("a", "U8", [0], 0, 0)},${member("b", "U8", [4], 0, 4)},${member("c", "U8", [0], 4, 4)}}`, 4),
    names("a", "b", "c"),
  ],
  [
    76,
    "a zero-size entry inside another",
    () => fileOf(`{${member("a", "U8", [8], 0, 8)},${member("b", "U8", [0], 5, 5)}}`, 8),
    "E_OVERLAP",
  ],
  [
    77,
    "reverse order",
    () => fileOf(`{${member("b", "U8", [4], 4, 8)},${member("a", "U8", [4], 0, 4)}}`, 8),
    names("a", "b"),
    "E_STRICT",
  ],
  [
    78,
    "an odd start",
    () => fileOf(`{${member("a", "U8", [1], 0, 1)},${member("b", "F32", [1], 1, 5)}}`, hex("07 0000803f")),
    (file) => {
      deepEqual([...file.array("b")], [1]);
      equal(file.tensor("b").copied, true);
    },
    "E_STRICT",
  ],
  [
    79,
    "padding that is not zeros",
    () => fileOf(`{${member("a", "U8", [1], 0, 1)},${member("__pad__.0", "U8", [1], 1, 2)}}`, hex("01 01")),
    names("a"),
    "E_STRICT",
  ],
  [
    80,
    "numbers that are none",
    () => fileOf(entry("F32", "[4]", "[0,16]"), hex("0100c07f 0000807f 000080ff 01000000")),
    (file) => equal(file.bytes("a").toHex(), "0100c07f0000807f000080ff01000000"),
  ],
  [
    81,
    "a BOOL of 2",
    () => fileOf(entry("BOOL", "[1]", "[0,1]"), hex("02")),
    (file) => equal(file.array("a")[0] !== 0, true),
    (file) => refuses(() => file.array("a"), "E_ACCESS"),
  ],
  [82, "a big-endian document", () => described('{"version":1,"endian":"big"}'), "E_DOC_ENDIAN"],
  [83, "version 2", () => described('{"version":2,"endian":"little"}'), "E_DOC_VERSION"],
  [
    84,
    "two documents",
    () => fileOf('{"__metadata__":{"metatensor":"{}"},"__metatensor__":{"version":1,"endian":"little"}}'),
    "E_DOC_TWICE",
  ],
  [85, "a document that is not JSON", () => described("nonsense"), "E_DOC_JSON"],
  [
    86,
    "a stride that is not the schema's",
    () => withRecord(record({ a: scalar("Uint32"), b: scalar("Float64") }), 10),
    "E_LAYOUT",
  ],
  [
    87,
    "integer-like property names",
    () => withRecord(record({ b: scalar("Uint8"), 1: scalar("Uint8") }), 2),
    "E_SCHEMA",
  ],
  [
    88,
    "a cycle of references",
    () => withSchema({ $defs: { A: { $ref: "#/$defs/B" }, B: { $ref: "#/$defs/A" } } }),
    "E_SCHEMA_CYCLE",
  ],
  [
    88,
    "a struct that holds itself",
    () => withSchema({ $defs: { A: record({ b: { $ref: "B" } }), B: record({ a: { $ref: "A" } }) } }),
    "E_SCHEMA_CYCLE",
  ],
  [89, "a reference to http", () => withSchema({ $defs: { A: { $ref: "http://127.0.0.1/x" } } }), "E_SCHEMA"],
  [89, "a reference to a file", () => withSchema({ $defs: { A: { $ref: "file:///etc/passwd" } } }), "E_SCHEMA"],
  ...[3, 0, 2 ** 31].map((
    align,
  ): Row => [90, `align ${align}`, () => withSchema({ $defs: { A: { "TypeDef:Uint8": true, align } } }), "E_SCHEMA"]),
  [91, "nesting of 65", () => withSchema(deep(65)), "E_LIMIT"],
  [91, "2^17 nodes by references", doubling, "E_LIMIT"],
  [92, "a catastrophic pattern", () => withSchema({ $defs: { A: { type: "string", pattern: "(a+)+$" } } }), NOTHING],
  [
    93,
    "an inline length-prefixed String",
    () => withRecord(record({ s: { type: "string", "TypeDef:String": true } }), 8),
    "E_LAYOUT",
  ],
];

for (const [row, name, file, compat, strict = compat] of ROWS) {
  Deno.test(`open: ${name} (tensor.md row ${row})`, () => {
    judge(file(), "compat", compat);
    judge(file(), "strict", strict);
  });
}

Deno.test("open: entries of many members, one after another, are no duplicates of each other", () => {
  const odd = Array.from({ length: 20 }, (_, i) => `"odd${i}":${i}`).join(",");
  const many = (name: string, start: number): string =>
    member(name, "U8", [1], start, start + 1).slice(0, -1) + `,${odd}}`;
  using file = openSync(fileOf(`{${many("a", 0)},${many("b", 1)},${member("c", "U8", [1], 2, 3)}}`, 3));
  deepEqual(file.names(), ["a", "b", "c"]);
  refuses(() => openSync(fileOf(`{${many("a", 0).slice(0, -1)},"odd19":0}}`, 1)), "E_DUPLICATE_KEY", /odd19/);
});

Deno.test("open: a header of 100 000 001 bytes is refused, one of 100 000 000 is read (tensor.md rows 15 and 16)", () => {
  const file = new Uint8Array(8 + 100_000_001).fill(0x20);
  file.set(raw("{}"), 8);
  const view = new DataView(file.buffer);
  view.setBigUint64(0, 100_000_001n, true);
  judge(file, "compat", "E_HEADER_TOO_LARGE");
  view.setBigUint64(0, 100_000_000n, true);
  judge(file.subarray(0, -1), "compat", NOTHING);
});

function judge(bytes: Uint8Array<ArrayBuffer>, mode: "compat" | "strict", verdict: Verdict): void {
  if (typeof verdict === "string") {
    refuses(() => openSync(bytes, { mode }), verdict);
    return;
  }
  using file = openSync(bytes, { mode });
  verdict(file);
}
