/**
 * Frames there and back, and what is none (msg.md §4; row 34).
 *
 * @module
 */
import assert from "node:assert/strict";
import { joined } from "@alknet/core/crypto";
import {
  formatError,
  formatItem,
  formatRequest,
  type Frame,
  framesOf,
  readError,
  readItem,
  readRequest,
  type Request,
} from "../../../../handlers/msg/mailbox/frames.ts";
import { seeded } from "../../../support/random.ts";

const random = seeded("msg frames there and back");
const [rid, sid, rcap, scap] = [24, 24, 32, 32].map((length) => random.bytes(length));
const key = (id: number) => ({ id, key: random.bytes(32) });
const REQUESTS: readonly Request[] = [
  { type: "new", rid, sid, rcap, scap, kind: 1 },
  { type: "send", sid, scap, envelope: random.bytes(16384) },
  { type: "sub", rid, rcap, window: 64 },
  { type: "get", rid, rcap, flags: 3 },
  { type: "ack", rid, rcap, seq: 2n ** 63n },
  { type: "drop", rid, rcap },
  { type: "put", rid, rcap, bundle: random.bytes(262), keys: [key(1), key(2 ** 32 - 1)] },
  { type: "put", rid, rcap, bundle: undefined, keys: [] },
  { type: "take", sid, scap },
  { type: "info" },
];

async function frames(...chunks: Uint8Array[]): Promise<Frame[]> {
  return await Array.fromAsync(framesOf(ReadableStream.from(chunks)));
}

Deno.test("requests: each there and back, whole, in pieces of any size, and all in one", async () => {
  const all = joined(...REQUESTS.map((request, i) => formatRequest(request, i)));
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < all.byteLength;) pieces.push(all.subarray(at, at += random.between(1, 700)));
  for (const read of [await frames(all), await frames(...pieces)]) {
    assert.deepEqual(read.map(({ id }) => id), REQUESTS.map((_, i) => i));
    assert.deepEqual(read.map(readRequest), REQUESTS);
  }
});

Deno.test("requests: every cut of a body is BAD_FRAME, or a shorter envelope; anything behind too", async () => {
  for (const request of REQUESTS) {
    const [frame] = await frames(formatRequest(request, 1));
    for (let length = 0; length < frame.body.byteLength; length++) {
      const cut = { ...frame, body: frame.body.subarray(0, length) };
      if (request.type === "send" && length >= 56) {
        assert.deepEqual(readRequest(cut), { ...request, envelope: request.envelope.subarray(0, length - 56) });
      } else assert.throws(() => readRequest(cut), { code: "BAD_FRAME" });
    }
    if (request.type === "send") continue;
    const longer = { ...frame, body: joined(frame.body, Uint8Array.of(0)) };
    assert.throws(() => readRequest(longer), { code: "BAD_FRAME" });
  }
  for (const type of [0, 3, 10, 0x80, 255]) {
    assert.throws(() => readRequest({ type, id: 1, body: new Uint8Array() }), { code: "BAD_FRAME" });
  }
  await assert.rejects(frames(formatRequest(REQUESTS[3], 1).subarray(0, 30)), { code: "BAD_FRAME" });
  assert.throws(() => formatRequest({ type: "send", sid, scap, envelope: new Uint8Array(20_480) }, 1), RangeError);
});

Deno.test("answers: an item there and back, padded too, every cut of it is BAD_FRAME; an error", async () => {
  const item = { seq: 7n, kind: 0 as const, body: random.bytes(2048) };
  for (const isPadded of [false, true]) {
    const [frame] = await frames(formatItem(9, rid, item, isPadded));
    assert.equal(frame.body.byteLength, isPadded ? 3200 : 2083);
    assert.deepEqual(readItem(frame), { rid, ...item });
    for (let length = 0; length < 2083; length++) {
      assert.throws(() => readItem({ ...frame, body: frame.body.subarray(0, length) }), { code: "BAD_FRAME" });
    }
  }
  const [error] = await frames(formatError(3, 4, 1500));
  assert.deepEqual(readError(error), { code: 4, retryAfter: 1500 });
  assert.throws(() => readError({ ...error, body: error.body.subarray(1) }), { code: "BAD_FRAME" });
});
