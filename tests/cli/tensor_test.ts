/**
 * `alknet tensor`: files of NumPy and safetensors in, tables and bytes out.
 *
 * @module
 */
import { deepEqual, equal, match } from "node:assert/strict";
import { encode, openSync } from "@alknet/tensor";
import { needs } from "../support/programs.ts";
import { runAlknet, runProgram } from "../support/process.ts";
import { PYTHON } from "../support/python.ts";
import { temporaryFolder } from "../support/temp.ts";
import { blobFile } from "../tensor/samples.ts";

const NUMPY = `
import numpy, sys
numpy.save(sys.argv[1] + "/a.npy", numpy.asfortranarray(numpy.arange(6, dtype=">f4").reshape(2, 3)))
numpy.savez_compressed(sys.argv[1] + "/b.npz", x=numpy.arange(4, dtype="i8"), y=numpy.zeros((2, 0), dtype="f2"))
`;

Deno.test({
  name: "alknet tensor convert: what NumPy saved, column by column, big-endian and deflated, as tensors",
  ...needs("python"),
  async fn() {
    await using folder = await temporaryFolder();
    equal((await runProgram(PYTHON, ["-c", NUMPY, folder.path])).code, 0);
    for (const [from, to] of [["a.npy", "a"], ["b.npz", "b"]]) {
      const { code, stdout, stderr } = await runAlknet([
        "tensor",
        "convert",
        folder.join(from),
        folder.join(to),
        "--align",
        "64",
      ]);
      deepEqual([code, stdout], [0, ""], stderr);
    }
    using a = openSync(folder.join("a"), { map: false, mode: "strict" });
    deepEqual([a.info("a").shape, [...a.array("a")]], [[2, 3], [0, 1, 2, 3, 4, 5]]);
    using b = openSync(folder.join("b"), { map: false, mode: "strict" });
    deepEqual([[...b.array("x")], b.info("y").shape], [[0n, 1n, 2n, 3n], [2, 0]]);
  },
});

Deno.test("alknet tensor inspect, extract, head and verify (tensor.md §10)", async () => {
  await using folder = await temporaryFolder();
  const data = new Float32Array([1, NaN, 3, 4]);
  const flat = await folder.write("flat", encode({ "w\u001b": { dtype: "F32", shape: [2, 2], data } }));
  const table = await runAlknet(["tensor", "inspect", flat, "--stats"]);
  match(table.stdout, /^w\\u001b +flat +F32 +\[2,2\] +16 +0 +1 +4 +2\.66667 +1$/m, table.stderr);
  match(table.stdout, /^1 tensor, 16 bytes of data, \d+ of header, safetensors\n$/m);
  const json = await runAlknet(["tensor", "inspect", flat, "--json"]);
  deepEqual(JSON.parse(json.stdout.split("\n")[0]).shape, [2, 2]);

  const part = folder.join("part");
  equal((await runAlknet(["tensor", "extract", flat, "w\u001b", "--slice", ":,0", "-o", part])).code, 0);
  deepEqual([...openSync(part, { map: false }).array("w\u001b")], [1, 3]);
  equal((await runAlknet(["tensor", "extract", flat, "w\u001b", "--slice", "x"])).code, 2);
  equal((await runAlknet(["tensor", "extract", flat, "none"])).code, 1);

  const rows = new Uint8Array(new Uint32Array([0, 2, 2, 2]).buffer);
  const blob = await folder.write("blob", blobFile(rows, Uint8Array.of(0x68, 0x69, 0xc3, 0x28)));
  const verdict = await runAlknet(["tensor", "verify", blob]);
  equal(verdict.code, 1);
  match(verdict.stderr, /^alknet: E_ACCESS: tensor "b", field "1": the text is not UTF-8\n$/);
  const none = await runAlknet(["tensor", "head", flat]);
  equal(none.stdout, "");
  match(none.stderr, /has no records and no blobs/);
  const first = await runAlknet(["tensor", "head", blob, "-n", "1"]);
  deepEqual(JSON.parse(first.stdout), { tensor: "b", index: 0, value: "hi" });
  equal((await runAlknet(["tensor", "verify", flat])).code, 0);
  equal((await runAlknet(["tensor", "diff", flat, flat])).code, 0);
  const differs = await runAlknet(["tensor", "diff", flat, part]);
  deepEqual(
    [differs.code, differs.stdout],
    [1, 'changed: "w\\u001b", flat F32 [2,2] → flat F32 [2]\n'],
    differs.stderr,
  );
});
