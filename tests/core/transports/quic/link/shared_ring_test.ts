/**
 * Memory shared by a node and its engine: what is put in comes out, and nothing is overwritten that is still read.
 *
 * @module
 */
import assert from "node:assert/strict";
import {
  RING_SIZE,
  ringsOf,
  SHARED_SIZE,
  type SharedRings,
} from "../../../../../core/transports/quic/link/shared_ring.ts";
import { seeded } from "../../../../support/random.ts";

Deno.test("RingWriter and RingReader: payloads come out as they went in, in both directions, many times around", () => {
  const random = seeded("shared ring");
  const { node, engine } = both();
  for (const [from, to] of [[node, engine], [engine, node]] as const) {
    const waiting: { position: number; bytes: Uint8Array }[] = [];
    let put = 0;
    let refused = 0;
    while (put < 40 * RING_SIZE) {
      const bytes = random.bytes(random.pick([1, 4096, 65_536, 262_144, 1024 * 1024 - random.below(9)]));
      const position = from.out.put(bytes);
      if (position >= 0) {
        waiting.push({ position, bytes });
        put += bytes.byteLength;
      } else {
        refused++;
        assert.ok(waiting.length > 0, "an empty ring takes any payload");
      }
      while (waiting.length > 0 && (position < 0 || random.chance(0.4))) {
        const { position: at, bytes: expected } = waiting.shift()!;
        assert.deepEqual(to.in.view(at, expected.byteLength), expected);
        to.in.release(at, expected.byteLength);
        if (position < 0 && random.chance(0.5)) break;
      }
    }
    assert.ok(refused > 0, "the ring was never full");
  }
});

Deno.test("RingWriter: positions go on past 2^32", () => {
  const { node, engine } = both();
  const bytes = new Uint8Array(1024 * 1024);
  for (let i = 0; i < 4100; i++) {
    bytes[0] = i;
    const position = node.out.put(bytes);
    assert.ok(position >= 0 && position < 2 ** 32);
    assert.equal(engine.in.view(position, bytes.byteLength)[0], i & 0xff);
    engine.in.release(position, bytes.byteLength);
  }
});

Deno.test("RingWriter: a payload longer than what is free is refused, and one that fits is taken", () => {
  const { node, engine } = both();
  const half = RING_SIZE / 2;
  assert.equal(node.out.put(new Uint8Array(half)), 0);
  assert.equal(node.out.put(new Uint8Array(half + 1)), -1);
  assert.equal(node.out.put(new Uint8Array(half)), half);
  assert.equal(node.out.put(new Uint8Array(1)), -1);
  engine.in.release(0, half);
  assert.equal(node.out.put(new Uint8Array(half + 1)), -1);
  assert.ok(node.out.put(new Uint8Array(half)) >= 0);
});

Deno.test("RingReader: a position that leads out of the memory is refused", () => {
  const { engine } = both();
  assert.throws(() => engine.in.view(RING_SIZE - 1, 2), RangeError);
  assert.throws(() => engine.in.view(0, RING_SIZE + 1), RangeError);
});

function both(): { node: SharedRings; engine: SharedRings } {
  const memory = new Uint8Array(SHARED_SIZE);
  return { node: ringsOf(memory, "node"), engine: ringsOf(memory, "engine") };
}
