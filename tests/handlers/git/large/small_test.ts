/**
 * What is small is inflated and summed up without the system's libraries, and with their result (RFC 1951, FIPS 180-4).
 *
 * @module
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import { createHash } from "node:crypto";
import { constants, deflateSync, inflateSync } from "node:zlib";
import { inflateSmall } from "../../../../handlers/git/pack/small/inflate_small.ts";
import { sha1Small, SMALL_SHA1 } from "../../../../handlers/git/pack/small/sha1_small.ts";
import { seeded } from "../../../support/random.ts";

/** What zlib makes of the start of some bytes, and how much of them it takes; nothing where it refuses. */
function byZlib(bytes: Uint8Array): { bytes: Uint8Array; length: number } | undefined {
  try {
    const { buffer, engine } = inflateSync(bytes, { info: true }) as unknown as {
      buffer: Uint8Array;
      engine: { bytesWritten: number };
    };
    return { bytes: new Uint8Array(buffer), length: engine.bytesWritten };
  } catch {
    return undefined;
  }
}

Deno.test("inflateSmall(): streams of every level and strategy, with what follows them; what it takes zlib takes too", () => {
  const random = seeded("git small inflate");
  let taken = 0;
  for (let round = 0; round < 20_000; round++) {
    const size = random.below(random.below(4) === 0 ? 1100 : 80);
    const letters = random.between(1, 256);
    const data = Uint8Array.from({ length: size }, () => random.below(letters));
    // Repetitions near and far.
    if (size > 10 && random.below(2) === 0) data.copyWithin(random.below(size), random.below(size >> 1), size);
    const strategy = [constants.Z_FIXED, constants.Z_DEFAULT_STRATEGY, constants.Z_HUFFMAN_ONLY, constants.Z_RLE][
      random.below(4)
    ];
    const deflated = deflateSync(data, { level: random.below(10), strategy });
    const stream = new Uint8Array([
      ...deflated,
      ...Uint8Array.from({ length: random.below(40) }, () => random.below(256)),
    ]);
    const found = inflateSmall(stream, size);
    if (found) {
      taken++;
      deepEqual(found.bytes, data);
      equal(found.length, deflated.byteLength);
    } else {
      const isFixed = strategy === constants.Z_FIXED && size <= 1024 && (stream[2] & 6) === 2;
      ok(!isFixed, `fixed codes are taken: ${stream.toHex()}`);
    }
    equal(inflateSmall(stream, size + 1), undefined);
    if (size > 0) equal(inflateSmall(stream, size - 1), undefined);
    equal(inflateSmall(deflated.subarray(0, deflated.byteLength - 1 - random.below(4)), size), undefined);
  }
  ok(taken > 5000, `${taken}`);
});

Deno.test("inflateSmall(): of streams that were changed it takes none that zlib reads in another way", () => {
  const random = seeded("git small inflate, changed");
  for (let round = 0; round < 100_000; round++) {
    const data = Uint8Array.from({ length: random.below(60) }, () => 97 + random.below(3));
    const stream = new Uint8Array(deflateSync(data, { strategy: constants.Z_FIXED }));
    for (let change = random.between(1, 2); change > 0; change--) {
      stream[random.below(stream.byteLength)] ^= 1 << random.below(8);
    }
    const size = random.below(3) === 0 ? random.below(80) : data.byteLength;
    const found = inflateSmall(stream, size);
    if (found) deepEqual(found, byZlib(stream));
  }
});

Deno.test("sha1Small(): every length that it takes, and one more is refused", () => {
  const random = seeded("git small sha1");
  for (let size = 0; size <= SMALL_SHA1 - 9; size++) {
    const bytes = Uint8Array.from({ length: size }, () => random.below(256));
    const head = `blob ${size}\0`;
    equal(sha1Small(head, bytes).toHex(), createHash("sha1").update(head).update(bytes).digest("hex"));
  }
  let refused = 0;
  try {
    sha1Small("", new Uint8Array(SMALL_SHA1 + 1));
  } catch (error) {
    ok(error instanceof RangeError);
    refused++;
  }
  equal(refused, 1);
});
