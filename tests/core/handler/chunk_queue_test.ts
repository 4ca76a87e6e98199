import assert from "node:assert/strict";
import { ChunkQueue } from "../../../core/handler/chunk_queue.ts";

Deno.test("a queue gives back the bytes it was given, however they were cut and are taken", () => {
  let seed = 7;
  const random = (below: number): number => (seed = (seed * 48271) % 2147483647) % below;
  const queue = new ChunkQueue();
  let pushed = 0;
  let taken = 0;
  for (let round = 0; round < 20_000; round++) {
    if (random(3) > 0) {
      const size = [random(4), random(300), 4095 + random(3), random(9000)][random(4)];
      const bytes = Uint8Array.from({ length: size }, () => pushed++ & 0xff);
      queue.push(bytes, random(2) === 0);
    } else if (random(2) === 0) {
      for (const byte of queue.shift() ?? []) assert.equal(byte, taken++ & 0xff);
    } else if (random(4) < 2) {
      const most = random(20_000);
      const first = queue.peek()?.byteLength ?? 0;
      const bytes = queue.take(most);
      assert.ok((bytes?.byteLength ?? 0) <= Math.max(most, first));
      for (const byte of bytes ?? []) assert.equal(byte, taken++ & 0xff);
    } else {
      const count = Math.min(random(200), queue.peek()?.byteLength ?? 0);
      for (const byte of queue.peek()?.subarray(0, count) ?? []) assert.equal(byte, taken++ & 0xff);
      queue.skip(count);
    }
    assert.equal(queue.byteLength, pushed - taken);
    assert.equal(queue.isEmpty, pushed === taken);
  }
  assert.equal(queue.clear(), pushed - taken);
  assert.equal(queue.shift(), undefined);
});

Deno.test("pieces of a byte share arrays: a hundred thousand of them are some twenty-five", () => {
  const queue = new ChunkQueue();
  for (let i = 0; i < 100_000; i++) queue.push(Uint8Array.of(i));
  assert.equal(queue.byteLength, 100_000);
  assert.ok(queue.pieces <= 26, `${queue.pieces} arrays`);
});

Deno.test("pieces that are small and large in turn cost two arrays for each large one", () => {
  const queue = new ChunkQueue();
  for (let i = 0; i < 1000; i++) {
    queue.push(Uint8Array.of(1));
    queue.push(new Uint8Array(4096));
  }
  assert.ok(queue.pieces <= 2000, `${queue.pieces} arrays`);
});

Deno.test("a large piece that is the queue's to keep is not copied, and what was taken is not written into", () => {
  const queue = new ChunkQueue();
  const large = new Uint8Array(5000);
  queue.push(large, true);
  assert.equal(queue.take(10_000), large);
  queue.push(large, true);
  assert.equal(queue.peek(), large);
  queue.push(Uint8Array.of(1));
  queue.push(Uint8Array.of(2));
  queue.shift();
  const small = queue.shift()!;
  queue.push(Uint8Array.of(3));
  assert.deepEqual([...small], [1, 2]);
  assert.deepEqual([...queue.shift()!], [3]);
});

Deno.test("what waits is taken together as far as it fits, and a piece that does not fit alone is taken whole", () => {
  const queue = new ChunkQueue();
  for (let i = 0; i < 4; i++) queue.push(new Uint8Array(5000).fill(i));
  assert.deepEqual([...new Set(queue.take(15_000))], [0, 1, 2]);
  assert.equal(queue.take(100)!.byteLength, 5000);
  assert.equal(queue.take(100), undefined);
});
