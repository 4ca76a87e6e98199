import { deepEqual, doesNotMatch, equal, match, ok } from "node:assert/strict";
import { encode, openSync } from "@alknet/tensor";
import { blobFile, structFile } from "./samples.ts";
import { fileOf, hex, pad, raw, record, refuses, scalar } from "./bytes.ts";

const I32 = `{"test":{"dtype":"I32","shape":[2,2],"data_offsets":[0,16]}}`;

/** An index of U32 rows. */
const index = (...rows: number[]): Uint8Array<ArrayBuffer> => new Uint8Array(new Uint32Array(rows).buffer);

Deno.test("blobs: rows that leave the data, or wrap (tensor.md rows 94 and 95)", () => {
  for (const packed of [true, false]) {
    const beyond = blobFile(index(0, 4, 4, 5), raw("aaaabbbb"), { packed });
    refuses(() => openSync(beyond).blobs("b").at(1), "E_KIND|E_ACCESS");
    refuses(() => openSync(beyond, { mode: "strict" }), "E_KIND|E_ACCESS");
    const wraps = blobFile(
      new Uint8Array(new BigUint64Array([2n ** 64n - 1n, 2n]).buffer),
      raw("aaaabbbb"),
      { packed },
      "U64",
    );
    refuses(() => openSync(wraps).blobs("b").at(0), "E_KIND|E_ACCESS");
  }
});

Deno.test("blobs: a packed one has neither gaps nor overlaps, and its rows ascend (tensor.md row 96)", () => {
  for (const rows of [index(0, 3, 4, 4), index(0, 5, 4, 4), index(4, 4, 0, 4), index(0, 4, 4, 3)]) {
    const file = blobFile(rows, raw("aaaabbbb"), { packed: true });
    refuses(() => openSync(file).blobs("b").all(), "E_KIND");
    refuses(() => openSync(file, { mode: "strict" }), "E_KIND");
  }
  deepEqual(openSync(blobFile(index(0, 4, 4, 4), raw("aaaabbbb")), { mode: "strict" }).blobs("b").all(), [
    "aaaa",
    "bbbb",
  ]);
});

Deno.test("blobs: a million rows on one MiB open, and all of them together are refused (tensor.md row 97)", () => {
  const size = 1 << 20;
  const rows = new Uint32Array(2_000_000).fill(size);
  for (let i = 0; i < rows.length; i += 2) rows[i] = 0;
  const file = openSync(
    blobFile(new Uint8Array(rows.buffer), new Uint8Array(size), { packed: false, encoding: "bytes" }),
  );
  const blobs = file.blobs<Uint8Array>("b");
  equal(blobs.at(999_999).length, size);
  refuses(() => blobs.all(), "E_AMPLIFY");
});

Deno.test("blobs: an item that is not UTF-8 leaves the others readable (tensor.md row 98)", () => {
  const blobs = openSync(blobFile(index(0, 2, 2, 2, 4, 2), pad(raw("ab"), hex("c328"), raw("cd")))).blobs("b");
  refuses(() => blobs.at(1), "E_ACCESS");
  deepEqual([blobs.at(0), blobs.at(2)], ["ab", "cd"]);
});

Deno.test("records: an enum beyond its list, a boolean of 7, an unknown variant: E_ACCESS with the path (tensor.md rows 99, 100)", () => {
  const schema = record({
    colour: { "TypeDef:Enum": true, enum: ["red", "green"] },
    on: scalar("Boolean"),
    u: {
      "TypeDef:Union": { discriminator: { kind: "byte", offset: 0, type: "Uint8" } },
      anyOf: [scalar("Uint8"), scalar("Int8")],
    },
  });
  const bad = openSync(structFile(schema, 8, hex("02000000 07 05 00 00")));
  for (const path of ["colour", "on", "u"]) {
    refuses(() => bad.field("r", 0, path), "E_ACCESS", new RegExp(`"?${path}`));
    refuses(() => bad.column("r", path), "E_ACCESS", new RegExp(path));
  }
  const good = openSync(structFile(schema, 8, hex("01000000 01 01 ff 00")), { mode: "strict" });
  deepEqual(good.record("r", 0), { colour: "green", on: true, u: { variant: 1, value: -1 } });
  refuses(() => openSync(structFile(schema, 8, hex("01000000 01 01 ff 09")), { mode: "strict" }), "E_STRICT");
});

Deno.test("digest: a mismatch closes one entry, the others stay readable (tensor.md row 101)", () => {
  const tensors = {
    good: { dtype: "U8", shape: [3], data: raw("abc") },
    bad: { dtype: "U8", shape: [3], data: raw("abc") },
  } as const;
  const sha256 = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  const digest = { good: sha256, bad: `blake3:${"0".repeat(64)}` };
  const file = openSync(encode(tensors, { document: { digest } }), { mode: "strict" });
  equal(file.bytes("good").length, 3);
  refuses(() => file.bytes("bad"), "E_DIGEST", /tensor "bad"/);
});

Deno.test("write: writing what was read gives the same bytes (tensor.md row 106)", () => {
  const bytes = encode({
    "b": { dtype: "F32", shape: [2], data: new Float32Array([1, 2]) },
    "a": { dtype: "U8", shape: [3], data: raw("abc") },
    "c": { dtype: "F64", shape: [], data: new Float64Array([7]) },
  }, { metadata: { z: "1", a: 'q"\n' }, align: 64 });
  const file = openSync(bytes, { mode: "strict" });
  const again = Object.fromEntries(
    file.names().map((name) => {
      const { dtype, shape, data } = file.tensor(name);
      return [name, { dtype, shape, data }];
    }),
  );
  deepEqual(encode(again, { metadata: file.metadata, align: 64 }), bytes);
});

Deno.test("write: names in the order of their code points (tensor.md row 107)", () => {
  const one = { dtype: "U8", shape: [1], data: new Uint8Array(1) } as const;
  deepEqual(openSync(encode({ "\u{10000}": one, "\ufffd": one })).names(), ["\ufffd", "\u{10000}"]);
});

Deno.test("write: the format's own names and metadata that is no text are refused (tensor.md rows 108 and 109)", () => {
  const one = { dtype: "U8", shape: [1], data: new Uint8Array(1) } as const;
  for (const name of ["__metadata__", "__metatensor__", "__pad__.0", "", "a\0"]) {
    refuses(() => encode({ [name]: one }), "E_NAME");
  }
  refuses(() => encode({}, { metadata: { a: 1 as unknown as string } }), "E_METADATA");
});

Deno.test("errors name the tensor, the field and the offsets", () => {
  const error = refuses(() => openSync(fileOf(I32.replace("16]", "4]"), 4)), "E_SIZE_MISMATCH");
  deepEqual([error.tensor, error.field, error.offsets], ["test", "data_offsets", [0, 4]]);
  match(error.message, /^tensor "test", field "data_offsets", bytes 0 to 4: /);
  const long = refuses(() => openSync(fileOf(`{"${"n".repeat(60_000)}":1}`)), "E_ENTRY");
  ok(long.message.length < 300);
  doesNotMatch(long.message, /n{100}/);
});
