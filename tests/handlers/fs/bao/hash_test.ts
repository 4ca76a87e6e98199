/**
 * BLAKE3: the published vectors, another implementation, and every way to cut what is hashed (fs.md §2).
 *
 * @module
 */
import { hashBlob, Hasher, hashGroup, hashOf, hashSubtree, MemoryOutboard } from "@alknet/handlers/fs/bao";
import { blake3 } from "@noble/hashes/blake3.js";
import { deepEqual, equal } from "node:assert/strict";
import vectors from "../../../vectors/blake3.json" with { type: "json" };
import { runProgram } from "../../../support/process.ts";
import { needs } from "../../../support/programs.ts";
import { seeded } from "../../../support/random.ts";
import { temporaryFolder } from "../../../support/temp.ts";
import { pattern, slowHash, slowNode, slowOutboard } from "../twin.ts";

Deno.test("hashOf: the 35 official inputs, and of the twin (fs.md §11 row 1)", () => {
  equal(vectors.vectors.length, 35);
  for (const { input_len: length, hash } of vectors.vectors) {
    equal(hashOf(pattern(length)).toHex(), hash.slice(0, 64), `${length} bytes`);
    equal(slowHash(pattern(length)).toHex(), hash.slice(0, 64), `${length} bytes, twin`);
  }
});

Deno.test("Hasher: random lengths, cuts and offsets give what another implementation gives (row 2)", () => {
  const random = seeded("blake3 cuts");
  const pool = random.bytes(300_008);
  for (let i = 0; i < 1500; i++) {
    const length = random.chance(0.9) ? random.below(5000) : random.below(300_000);
    const from = random.below(8);
    const bytes = pool.subarray(from, from + length);
    const hasher = new Hasher();
    for (let at = 0; at < length;) {
      const cut = random.chance(0.3) ? random.below(100) : random.below(70_000);
      hasher.update(bytes.subarray(at, at + cut));
      at += cut;
    }
    const expected = blake3(bytes).toHex();
    equal(hasher.finish().toHex(), expected, `${length} bytes from ${from}`);
    equal(hashOf(bytes).toHex(), expected);
  }
});

Deno.test("Hasher: every length around the borders of blocks, chunks and groups (row 2)", () => {
  for (const border of [0, 64, 1024, 2048, 3072, 16384, 32768, 49152]) {
    for (let length = Math.max(0, border - 2); length <= border + 2; length++) {
      equal(hashOf(pattern(length)).toHex(), slowHash(pattern(length)).toHex(), `${length} bytes`);
    }
  }
});

Deno.test("hashBlob: hash and outboard of what is read in parts are those of the whole (fs.md §2)", async () => {
  const random = seeded("blake3 outboards");
  for (const size of [0, 1, 16384, 16385, 100_000, 4 << 20, (4 << 20) + 1, (9 << 20) + 12345]) {
    const bytes = random.bytes(size);
    const whole = MemoryOutboard.of(bytes);
    const pairs = new Uint8Array(whole.pairs.byteLength);
    let most = 0;
    const hash = await hashBlob(size, (at, length) => {
      most = Math.max(most, length);
      return bytes.subarray(at, at + length);
    }, (place, some) => pairs.set(some, place * 64));
    deepEqual([hash, pairs], [whole.root, whole.pairs], `${size} bytes`);
    equal(most <= 4 << 20, true);
    if (size <= 100_000) equal(slowOutboard(bytes).toHex(), pairs.toHex());
  }
});

Deno.test("hashGroup and hashSubtree: chunk counters above 2^32 (BLAKE3 §2.4)", () => {
  const bytes = pattern(16384);
  const far = slowNode(bytes, 2 ** 32 + 16, false).toHex();
  equal(hashGroup(bytes, 2 ** 28 + 1, false).toHex(), far);
  equal(hashSubtree(bytes, 2 ** 28 + 1, false, new Uint8Array()).toHex(), far);
});

Deno.test({
  name: "hashOf: what b3sum prints (row 2)",
  ...needs("b3sum"),
  async fn() {
    await using folder = await temporaryFolder();
    const random = seeded("b3sum");
    for (const length of [0, 1, 1024, 16385, 1_000_000 + random.below(1000)]) {
      const bytes = random.bytes(length);
      const { stdout } = await runProgram("b3sum", ["--no-names", await folder.write("input", bytes)]);
      equal(stdout.trim(), hashOf(bytes).toHex());
    }
  },
});
