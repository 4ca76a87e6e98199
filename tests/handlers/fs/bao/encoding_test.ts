/**
 * Outboards and encodings: those of bao-tree, those of the twin, and what is refused (fs.md §2).
 *
 * @module
 */
import {
  ALL,
  type ByteReader,
  type ChunkRanges,
  decode,
  encode,
  EncodingError,
  hashOf,
  MemoryOutboard,
  SIZE_PROOF,
} from "@alknet/handlers/fs/bao";
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import vectors from "../../../vectors/bao.json" with { type: "json" };
import { type Random, seeded } from "../../../support/random.ts";
import { joined, pattern, slowEncoding, slowHash, slowOutboard } from "../twin.ts";

Deno.test("encode, MemoryOutboard: 14 outboards and 126 encodings of bao-tree (row 3)", async () => {
  let encodings = 0;
  for (const { size, root, outboard, encodings: all } of vectors.vectors) {
    const bytes = pattern(size);
    const { root: ours, pairs } = MemoryOutboard.of(bytes);
    equal(ours.toHex(), root);
    deepEqual([pairs.byteLength, hashOf(pairs).toHex()], [outboard.length, outboard.hash]);
    for (const { ranges, length, hash } of all) {
      const encoded = await encoding(bytes, ranges.map(BigInt));
      deepEqual([encoded.byteLength, hashOf(encoded).toHex()], [length, hash], `${size} bytes, chunks ${ranges}`);
      encodings++;
    }
  }
  deepEqual([vectors.vectors.length, encodings], [14, 126]);
});

Deno.test("encode: the two examples of fs.md §2", async () => {
  const some = await encoding(pattern(17000), [3n, 7n, 17n, 18n]);
  equal(some.byteLength, 5168);
  equal(hashOf(some).toHex(), "cbbc0bc867c7a03281bad704608d42874f4fb2cd65d899e020efbfda8bfc34bb");
  const bytes = pattern(16385);
  equal(hashOf(bytes).toHex(), "1dabe216be2578830263b049de1639f39f05a4da616b9b78c7a5e4e41662fd1f");
  equal(
    (await encoding(bytes, SIZE_PROOF)).toHex(),
    "01400000000000005384f9b342c6cb86badedcbe662b0e980476a8db17db3cc1f13b19329749ab1f" +
      "7eec20c857faf93c8102396e3b2ea90bcdf693ebd5cbd77211e5f606d72bc1a545",
  );
});

Deno.test("encode and decode: random sizes and ranges are those of the twin, and come back (row 3)", async () => {
  const random = seeded("bao ranges");
  const blobs = [0, 1, 1024, 1500, 16384, 17000, 33_000, 70_001].map((size) => random.bytes(size));
  for (let i = 0; i < 400; i++) {
    const bytes = blobs[random.below(blobs.length)];
    const ranges = randomRanges(random, Math.ceil(bytes.byteLength / 1024) + 3);
    const encoded = await encoding(bytes, ranges);
    equal(encoded.toHex(), slowEncoding(bytes, ranges).toHex(), `${bytes.byteLength} bytes, chunks ${ranges}`);
    const leaves: [number, Uint8Array][] = [];
    const reader = readerOf(encoded);
    equal(
      await decode(slowHash(bytes), ranges, reader, { leaf: (at, part) => void leaves.push([at, part.slice()]) }),
      bytes.byteLength,
    );
    for (const [at, part] of leaves) deepEqual(part, bytes.subarray(at, at + part.byteLength));
    equal((await reader.read(1)).byteLength, 0, "nothing is left");
  }
});

Deno.test("decode: pairs of the outboard at their places", async () => {
  const bytes = pattern(300_000);
  const pairs = new Uint8Array(slowOutboard(bytes).byteLength);
  const parts: Uint8Array[] = [];
  await decode(hashOf(bytes), ALL, readerOf(await encoding(bytes, ALL)), {
    pair: (place, pair) => pairs.set(pair, place * 64),
    leaf: (_, part) => void parts.push(part.slice()),
  });
  deepEqual([pairs, joined(parts)], [slowOutboard(bytes), bytes]);
});

Deno.test("decode: each flipped bit is refused before its bytes are given out (row 4)", async () => {
  const bytes = pattern(40_000);
  const hash = hashOf(bytes);
  const encoded = await encoding(bytes, ALL);
  for (let bit = 0; bit < encoded.byteLength * 8; bit += bit < 3000 ? 1 : 97) {
    const flipped = encoded.slice();
    flipped[bit >> 3] ^= 1 << bit % 8;
    await refused(hash, ALL, flipped, bytes, /^(?:HASH_MISMATCH|ENCODING_CUT)$/);
  }
});

Deno.test("decode: an encoding cut at any byte names the node that is missing (row 5)", async () => {
  const bytes = pattern(20_000);
  const hash = hashOf(bytes);
  const encoded = await encoding(bytes, ALL);
  for (let length = 0; length < encoded.byteLength; length += length < 200 || length > 16_400 ? 1 : 53) {
    const { node } = await refused(hash, ALL, encoded.subarray(0, length), bytes, /^ENCODING_CUT$/);
    const missing = length < 8
      ? undefined
      : length < 72
      ? { start: 0, count: 20 }
      : length < 72 + 16384
      ? { start: 0, count: 16 }
      : { start: 16, count: 4 };
    deepEqual(node && { start: node.start, count: node.count }, missing, `${length} bytes`);
  }
});

Deno.test("decode: claimed sizes are refused and nothing is allocated by them (row 6)", async () => {
  const bytes = pattern(40_000);
  const hash = hashOf(bytes);
  const encoded = await encoding(bytes, ALL);
  const n = 40_000n;
  for (const claim of [0n, n - 1n, n + 1n, 2n * n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 64n - 1n]) {
    const lie = encoded.slice();
    new DataView(lie.buffer).setBigUint64(0, claim, true);
    let most = 0;
    const reader = readerOf(lie);
    const bounded: ByteReader = {
      read(length) {
        most = Math.max(most, length);
        return reader.read(length);
      },
    };
    await rejects(
      decode(hash, ALL, bounded, { leaf: (at, part) => deepEqual(part, bytes.subarray(at, at + part.byteLength)) }),
      { name: "EncodingError" },
      `${claim} bytes`,
    );
    ok(most <= 16384, "at most a group waits for a verdict");
  }
});

Deno.test("encode: stored bytes or pairs that are wrong are not given out: BLOB_CORRUPT (fs.md §3, Serving)", async () => {
  const bytes = pattern(100_000);
  const outboard = MemoryOutboard.of(bytes);
  const damaged = bytes.slice();
  damaged[70_000] ^= 1;
  await rejects(encodingOf(damaged, outboard, ALL), { code: "BLOB_CORRUPT" });
  const wrong = new MemoryOutboard(outboard.size, outboard.root, outboard.pairs.slice());
  wrong.pairs[100] ^= 1;
  await rejects(encodingOf(bytes, wrong, ALL), { code: "BLOB_CORRUPT" });
  // What does not lie below the damage is served.
  equal((await encodingOf(damaged, outboard, [0n, 16n])).toHex(), slowEncoding(bytes, [0n, 16n]).toHex());
});

function encoding(bytes: Uint8Array, ranges: ChunkRanges): Promise<Uint8Array> {
  return encodingOf(bytes, MemoryOutboard.of(bytes), ranges);
}

async function encodingOf(bytes: Uint8Array, outboard: MemoryOutboard, ranges: ChunkRanges): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  const read = (at: number, length: number): Uint8Array => bytes.subarray(at, at + length);
  for await (const part of encode({ outboard, read }, ranges)) parts.push(part.slice());
  return joined(parts);
}

async function refused(
  hash: Uint8Array,
  ranges: ChunkRanges,
  encoded: Uint8Array,
  bytes: Uint8Array,
  code: RegExp,
): Promise<EncodingError> {
  try {
    await decode(hash, ranges, readerOf(encoded), {
      leaf: (at, part) => deepEqual(part, bytes.subarray(at, at + part.byteLength)),
    });
  } catch (error) {
    ok(error instanceof EncodingError, String(error));
    ok(code.test(error.code), error.message);
    return error;
  }
  throw new Error("it was taken");
}

function readerOf(bytes: Uint8Array): ByteReader {
  let at = 0;
  return {
    read(length) {
      const part = bytes.subarray(at, at + length);
      at += part.byteLength;
      return part;
    },
  };
}

function randomRanges(random: Random, below: number): bigint[] {
  const boundaries = new Set<number>();
  for (let i = random.below(6); i > 0; i--) boundaries.add(random.below(below));
  return [...boundaries].sort((a, b) => a - b).map(BigInt);
}
