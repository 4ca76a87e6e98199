/**
 * Files on disk: mapped and read by position, closed, cut short, written in one pass.
 *
 * @module
 */
import { deepEqual, equal, match, ok, rejects, throws } from "node:assert/strict";
import { decodeBf16, encodeBf16, open, openSync, type TensorError, write } from "@alknet/tensor";
import { temporaryFolder } from "../support/temp.ts";
import "./mapping.ts";

const FLOATS = Float32Array.from({ length: 24 }, (_, i) => i);
const TENSORS = { x: { dtype: "F32", shape: [2, 3, 4], data: FLOATS } } as const;

for (const map of [true, false]) {
  Deno.test(`open, map ${map}: the same data, slices as NumPy takes them, streams`, async () => {
    await using folder = await temporaryFolder();
    const path = folder.join("file");
    await write(path, TENSORS, { verify: true });
    using file = await open(path, { map });
    const mapped = file.access === "map";
    deepEqual(file.tensor("x"), { name: "x", dtype: "F32", shape: [2, 3, 4], data: FLOATS, copied: !mapped });
    deepEqual(slice(file.slice("x", 1)), [[3, 4], [12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23]]);
    deepEqual(slice(file.slice("x", [], 1, [1, 3])), [[2, 2], [5, 6, 17, 18]]);
    deepEqual(slice(file.slice("x", [0, 1], [null, null, 2], -1)), [[1, 2], [3, 11]]);
    deepEqual(slice(file.slice("x", [0, 0])), [[0, 3, 4], []]);
    deepEqual(new Float32Array(await new Response(file.stream("x")).arrayBuffer()), FLOATS);
    throws(() => file.slice("x", 2), RangeError);
    throws(() => file.array("y"), { code: "E_NAME" });
  });

  Deno.test(`open, map ${map}: closing warns of a file that was written to, not of one that lost its name`, async () => {
    await using folder = await temporaryFolder();
    const path = folder.join("file");
    await write(path, TENSORS);
    await Deno.utime(path, 1, 1);
    const warnings: string[] = [];
    const options = { map, warn: (message: string) => warnings.push(message) };
    const replaced = await open(path, options);
    await write(path, TENSORS);
    replaced.close();
    deepEqual(warnings, []);
    await Deno.utime(path, 1, 1);
    const file = await open(path, options);
    using writer = await Deno.open(path, { write: true });
    await writer.seek(-1, Deno.SeekMode.End);
    await writer.write(Uint8Array.of(1));
    file.close();
    equal(warnings.length, 1);
    match(warnings[0], /was written to while it was open/);
  });

  Deno.test(`open, map ${map}: a file cut short while it is open is E_TRUNCATED, and closing warns (tensor.md row 102)`, async () => {
    await using folder = await temporaryFolder();
    const path = folder.join("file");
    await write(path, TENSORS);
    const warnings: string[] = [];
    const file = await open(path, { map, warn: (message) => warnings.push(message) });
    await Deno.truncate(path, file.size - 4);
    for (const use of [() => file.array("x"), () => file.bytes("x", [0, 4]), () => file.slice("x", 0)]) {
      throws(use, { code: "E_TRUNCATED" });
    }
    file.close();
    file.close();
    equal(warnings.length, 1);
    match(warnings[0], /bytes when it was opened/);
    throws(() => file.array("x"), { code: "E_CLOSED" });
  });
}

Deno.test({
  name: "slice: a few runs are read and map nothing; many, or those of a file that is mapped, come from its pages",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using folder = await temporaryFolder();
    const path = folder.join("file");
    const data = Float32Array.from({ length: 60 }, (_, i) => i);
    await write(path, { x: { dtype: "F32", shape: [20, 3], data } });
    const isMapped = (): boolean => Deno.readTextFileSync("/proc/self/maps").includes(path);
    using file = await open(path);
    const column = Array.from({ length: 20 }, (_, i) => 3 * i + 1);
    deepEqual(slice(file.slice("x", [2, 4])), [[2, 3], [6, 7, 8, 9, 10, 11]]);
    deepEqual(slice(file.slice("x", [0, 16], 1)), [[16], column.slice(0, 16)]);
    deepEqual(slice(file.slice("x", [3, 3])), [[0, 3], []]);
    equal(isMapped(), false);
    deepEqual(slice(file.slice("x", [], 1)), [[20], column]);
    equal(isMapped(), true);
    deepEqual(slice(file.slice("x", [0, 2], 2)), [[2], [2, 5]]);
    // What is handed out is the caller's.
    const mine = file.slice("x", 0).data as Float32Array;
    mine.fill(9);
    deepEqual(slice(file.slice("x", 0)), [[3], [0, 1, 2]]);
  },
});

Deno.test("open: views of a mapped file are empty once it is closed, and writing into one changes no file", async () => {
  await using folder = await temporaryFolder();
  const path = folder.join("file");
  await write(path, TENSORS);
  const before = await Deno.readFile(path);
  const file = await open(path);
  const view = file.array("x") as Float32Array<ArrayBuffer>;
  const data = new DataView(view.buffer, view.byteOffset, view.byteLength);
  view[0] = 7;
  equal(data.getFloat32(0, true), 7);
  file.close();
  throws(() => data.getFloat32(0, true), TypeError);
  throws(() => view.at(0), TypeError);
  throws(() => view.set([1]), TypeError);
  deepEqual([view.length, view[0]], [0, undefined]);
  deepEqual(await Deno.readFile(path), before);
});

Deno.test("open: costs the header, however large the file claims to be", async () => {
  await using folder = await temporaryFolder();
  const path = folder.join("file");
  const extent = 8 * 2 ** 30;
  await write(path, { x: { dtype: "U8", shape: [8], data: new Uint8Array(8) } });
  const text = `{"x":{"dtype":"U8","shape":[${extent}],"data_offsets":[0,${extent}]}}`;
  await Deno.writeFile(path, Uint8Array.of(text.length, 0, 0, 0, 0, 0, 0, 0, ...new TextEncoder().encode(text)));
  await Deno.truncate(path, 8 + text.length + extent);
  const before = Deno.memoryUsage().rss;
  using file = await open(path, { map: false });
  equal(file.bytes("x", [extent - 4, extent]).length, 4);
  throws(() => file.bytes("x"), { code: "E_LIMIT" });
  ok(Deno.memoryUsage().rss - before < 64 * 2 ** 20);
});

Deno.test("write: data of another length, or a source that fails, leaves neither a file nor a part of one", async () => {
  await using folder = await temporaryFolder();
  const path = folder.join("file");
  await write(path, TENSORS);
  const before = await Deno.readFile(path);
  const short = { x: { dtype: "F32", shape: [2], data: new Float32Array(1) } } as const;
  await rejects(write(path, short), { code: "E_SIZE_MISMATCH" });
  const failing = async function* () {
    yield new Uint8Array(4);
    await Promise.reject(new Error("the source failed"));
  };
  await rejects(write(path, { x: { dtype: "F32", shape: [2], data: failing } }), /the source failed/);
  await rejects(write(path, TENSORS, { signal: AbortSignal.abort() }), { name: "AbortError" });
  deepEqual(await Deno.readFile(path), before);
  deepEqual([...Deno.readDirSync(folder.path)].map(({ name }) => name), ["file"]);
});

Deno.test("write: alignment by padding entries, which names() hides (tensor.md §6.3)", async () => {
  await using folder = await temporaryFolder();
  const one = (length: number) => ({ dtype: "U8", shape: [length], data: new Uint8Array(length).fill(1) } as const);
  await write(folder.join("file"), { a: one(3), b: one(5) }, { align: 256, verify: true, document: {} });
  using file = openSync(folder.join("file"), { mode: "strict" });
  deepEqual(file.names(), ["a", "b"]);
  deepEqual(file.info("b").range, [256, 261]);
  equal(file.header.dataStart % 256, 0);
});

Deno.test("encodeBf16: rounds to nearest even, keeps NaN and infinities", () => {
  const values = [1, -2, 0, Infinity, -Infinity, NaN, 1 + 2 ** -8, 1 + 3 * 2 ** -8, 3.4e38];
  deepEqual([...decodeBf16(encodeBf16(values))], [1, -2, 0, Infinity, -Infinity, NaN, 1, 1 + 2 ** -6, Infinity]);
});

Deno.test("limits: none below the default is passed over", () => {
  const file = new Uint8Array(10);
  file.set([2, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x7d]);
  throws(
    () => openSync(file, { limits: { headerBytes: 1 } }),
    (error: TensorError) => error.code === "E_HEADER_TOO_LARGE",
  );
});

function slice({ shape, data }: { shape: readonly number[]; data: ArrayLike<number | bigint> }): unknown[] {
  return [[...shape], Array.from(data)];
}
