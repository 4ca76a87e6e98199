/**
 * Beside the Python package safetensors: its files here, ours there, and what either refuses (tensor.md row 110, fuzzing c).
 *
 * @module
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import { createHash } from "node:crypto";
import { encode, open, openSync, TensorError, type TensorFile, write } from "@alknet/tensor";
import { needs } from "../support/programs.ts";
import { startPeer } from "../support/python.ts";
import { seeded } from "../support/random.ts";
import { temporaryFolder } from "../support/temp.ts";
import "./mapping.ts";
import { fileOf, member } from "./bytes.ts";
import { blobFile, structFile } from "./samples.ts";

/** Files that both judge. */
const CASES = 3000;
/** What this reader refuses and the package takes, by the format's rows 29 to 33, 40, 52 to 55, and how numbers are spelled. */
const OURS_ALONE = /^E_(?:DUPLICATE_KEY|ENTRY|UNSAFE_INT|NUMBER|METADATA|DOC_\w+|LIMIT|KIND|SCHEMA|LAYOUT)$/;

Deno.test({
  name: "open: what Python safetensors writes, byte for byte; its own bytes when written again",
  ...needs("python"),
  async fn() {
    await using peer = startPeer("safetensors_peer.py");
    await using folder = await temporaryFolder();
    const path = folder.join("theirs.safetensors");
    await peer.ask({ do: "make", path });
    const theirs = await peer.ask<{ tensors: Record<string, unknown> }>({ do: "read", path });
    for (const map of [true, false]) {
      using file = await open(path, { map });
      deepEqual(summary(file), theirs.tensors);
      equal(file.metadata.get("ü"), '漢\n"');
      const tensors = Object.fromEntries(
        file.names().map((name) => [name, { ...file.info(name), data: file.bytes(name) }]),
      );
      const again = folder.join("ours.safetensors");
      await write(again, tensors, { metadata: file.metadata });
      deepEqual(await peer.ask({ do: "read", path: again }), theirs);
      // One key of metadata has one order.
      const one = encode(tensors);
      equal(one.length % 8, openSync(one).header.dataLength % 8);
    }
  },
});

Deno.test({
  name: "write: flat, struct and blob in portable form open in Python safetensors (tensor.md row 110)",
  ...needs("python"),
  async fn() {
    await using peer = startPeer("safetensors_peer.py");
    await using folder = await temporaryFolder();
    const record = { type: "object", "TypeDef:Struct": true, properties: { x: { "TypeDef:Float32": true } } };
    const files = {
      struct: structFile(record, 4, new Uint8Array(4)),
      blob: blobFile(new Uint8Array(new Uint32Array([0, 2]).buffer), new TextEncoder().encode("hi")),
      flat: encode({ a: { dtype: "F32", shape: [2], data: new Float32Array(2) } }, { align: 256, document: {} }),
    };
    for (const [name, bytes] of Object.entries(files)) {
      const path = await folder.write(name, bytes);
      const seen = await peer.ask<{ tensors: Record<string, [string, number[]]> }>({ do: "read", path });
      using file = await open(path);
      deepEqual(Object.keys(seen.tensors).sort(), [...file.header.entries.keys()].sort());
    }
  },
});

Deno.test({
  name:
    `open: ${CASES} mutated files judged as Python safetensors judges them, but for what the format refuses beyond (fuzzing c)`,
  ...needs("python"),
  async fn() {
    const random = seeded("safetensors");
    const seed = fileOf(
      `{"__metadata__":{"k":"v"},${member("a", "F32", [2, 2], 0, 16)},${member("b", "U8", [3], 16, 19)}}`,
      19,
    );
    const files = Array.from({ length: CASES }, () => random.mutate(seed));
    await using peer = startPeer("safetensors_peer.py");
    const { verdicts } = await peer.ask<{ verdicts: (unknown[] | null)[] }>({
      do: "judge",
      files: files.map((f) => f.toHex()),
    });
    let accepted = 0;
    for (const [i, bytes] of files.entries()) {
      const ours = attempt(bytes);
      const shown = `case ${i}: ${bytes.toHex()}`;
      if (ours instanceof TensorError) {
        ok(verdicts[i] === null || OURS_ALONE.test(ours.code), `${shown}: refused by us alone, ${ours.message}`);
        continue;
      }
      accepted++;
      const seen = ours.names().map((name) => {
        const { dtype, shape } = ours.info(name);
        return [name, dtype, shape, ours.bytes(name).toHex()] as [string, string, number[], string];
      });
      ok(verdicts[i] !== null, `${shown}: taken by us alone`);
      deepEqual(
        new Map(seen.map(([n, ...rest]) => [n, rest])),
        new Map(verdicts[i].map((v) => {
          const [n, ...rest] = v as [string, ...unknown[]];
          return [n, rest];
        })),
        shown,
      );
    }
    ok(accepted > 0);
  },
});

function attempt(bytes: Uint8Array<ArrayBuffer>): TensorFile | TensorError {
  try {
    return openSync(bytes);
  } catch (error) {
    if (error instanceof TensorError) return error;
    throw error;
  }
}

function summary(file: TensorFile): Record<string, unknown> {
  return Object.fromEntries(
    file.names().map((name) => {
      const { dtype, shape } = file.info(name);
      return [name, [dtype, shape, createHash("sha256").update(file.bytes(name)).digest("hex")]];
    }),
  );
}
