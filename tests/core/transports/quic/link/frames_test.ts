import assert from "node:assert/strict";
import {
  type Frame,
  FrameReader,
  FrameWriter,
  HEADER_SIZE,
  jsonOf,
  Kind,
  MAX_PAYLOAD,
} from "../../../../../core/transports/quic/link/frames.ts";
import { MIN_SHARED, RING_SIZE, ringsOf, SHARED_SIZE } from "../../../../../core/transports/quic/link/shared_ring.ts";
import { Random, seeded } from "../../../../support/random.ts";

Deno.test("FrameWriter writes the layout that is documented", () => {
  const writer = new FrameWriter();
  writer.write(Kind.DATA, 0x01020304, 5, 9, Uint8Array.of(0xaa, 0xbb), true);
  const { bytes, start, length } = writer.pending();
  assert.equal(
    bytes.slice(start, start + length).toHex(),
    "02000000" + // length of the payload
      "25" + "01" + "0000" + // kind, flag, not in shared memory
      "04030201" + "00000000" + // connection, position
      "0000000000001440" + // stream 5, float64
      "0000000000002240" + // value 9, float64
      "aabb",
  );
});

Deno.test("FrameReader gives the frames that a plain reader finds, however the bytes are split", () => {
  const random = seeded("frames");
  for (let round = 0; round < 20; round++) {
    const writer = new FrameWriter();
    for (let i = random.between(1, 60); i > 0; i--) writeRandom(random, writer);
    const { bytes, start, length } = writer.pending();
    const stream = bytes.slice(start, start + length);
    assert.deepEqual(readInPieces(random, stream), slowRead(stream));
  }
});

Deno.test("FrameWriter keeps frames whole whether they are taken or sent in parts", () => {
  const random = seeded("frame writer");
  const writer = new FrameWriter();
  const twin = new FrameWriter();
  const out: Uint8Array[] = [];
  const expected: Uint8Array[] = [];
  for (let i = 0; i < 500; i++) {
    const seed = random.uint32();
    writeRandom(new Random(seed), writer);
    writeRandom(new Random(seed), twin);
    expected.push(twin.take());
    if (random.chance(0.3)) out.push(writer.take());
    else if (random.chance(0.5)) {
      const { bytes, start, length } = writer.pending();
      const count = random.below(length + 1);
      out.push(bytes.slice(start, start + count));
      writer.sent(count);
    }
  }
  out.push(writer.take());
  assert.equal(writer.length, 0);
  assert.deepEqual(slowRead(joined(out)), slowRead(joined(expected)));
});

Deno.test("FrameWriter puts long payloads into shared memory while there is room, and FrameReader finds them", () => {
  const random = seeded("shared frames");
  const memory = new Uint8Array(SHARED_SIZE);
  const writer = new FrameWriter();
  const reader = new FrameReader();
  writer.ring = ringsOf(memory, "engine").out;
  reader.ring = ringsOf(memory, "node").in;
  const twin = new FrameWriter();
  for (let round = 0; round < 50; round++) {
    const seed = random.uint32();
    const both = new Random(seed);
    for (let i = 0; i < 20; i++) writeRandom(both, writer);
    const again = new Random(seed);
    for (let i = 0; i < 20; i++) writeRandom(again, twin);
    const short = writer.take();
    const whole = twin.take();
    assert.ok(short.byteLength < whole.byteLength || whole.byteLength < 20 * MIN_SHARED);
    assert.deepEqual(readInPieces(random, short, reader), slowRead(whole));
  }
});

Deno.test("FrameReader refuses a payload in shared memory where there is none, or outside of it", () => {
  const memory = new Uint8Array(SHARED_SIZE);
  const writer = new FrameWriter();
  writer.ring = ringsOf(memory, "engine").out;
  writer.write(Kind.DATA, 1, 0, 0, new Uint8Array(MIN_SHARED));
  const bytes = writer.take();
  assert.throws(() => readInPieces(seeded("no ring"), bytes), RangeError);
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(12, RING_SIZE - 1, true);
  const reader = new FrameReader();
  reader.ring = ringsOf(memory, "node").in;
  assert.throws(() => readInPieces(seeded("outside"), bytes, reader), RangeError);
});

Deno.test("FrameReader refuses a payload longer than any that is sent", () => {
  const header = new Uint8Array(HEADER_SIZE);
  new DataView(header.buffer).setUint32(0, MAX_PAYLOAD + 1, true);
  assert.throws(() => readInPieces(seeded("too long"), header), RangeError);
});

Deno.test("jsonOf reads what writeJson writes", () => {
  const writer = new FrameWriter();
  writer.writeJson(Kind.ENDED, 7, { by: "peer", code: 2 ** 40, reason: "ä" });
  const [frame] = slowRead(writer.take());
  assert.deepEqual(jsonOf(frame.payload), { by: "peer", code: 2 ** 40, reason: "ä" });
});

function writeRandom(random: Random, writer: FrameWriter): void {
  const length = random.pick([0, 1, 31, 32, 33, 1000, 65_536, 262_144, random.chance(0.05) ? MAX_PAYLOAD : 2]);
  const stream = random.pick([0, -1, 2 ** 31, 2 ** 52 + 1]);
  writer.write(
    random.between(1, 255),
    random.uint32(),
    stream,
    random.uint32(),
    random.bytes(length),
    random.chance(0.5),
  );
}

function readInPieces(random: Random, stream: Uint8Array, reader: FrameReader = new FrameReader()): Frame[] {
  const frames: Frame[] = [];
  for (let at = 0; at < stream.byteLength;) {
    const { bytes, start, length } = reader.room();
    assert.ok(length > 0);
    const wanted = random.pick([1, 7, 31, 32, 100, 65_536, 1_000_000]);
    const part = stream.subarray(at, at + Math.min(length, wanted));
    bytes.set(part, start);
    at += part.byteLength;
    reader.advance(part.byteLength, (frame) => frames.push({ ...frame, payload: frame.payload.slice() }));
  }
  return frames;
}

/** The slow twin: reads a whole stream by the layout's text. */
function slowRead(stream: Uint8Array): Frame[] {
  const frames: Frame[] = [];
  for (let at = 0; at < stream.byteLength;) {
    const view = new DataView(stream.buffer, stream.byteOffset + at);
    const length = view.getUint32(0, true);
    frames.push({
      kind: view.getUint8(4),
      flag: view.getUint8(5) === 1,
      connection: view.getUint32(8, true),
      stream: view.getFloat64(16, true),
      value: view.getFloat64(24, true),
      payload: stream.slice(at + 32, at + 32 + length),
    });
    at += 32 + length;
  }
  return frames;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.byteLength;
  }
  return all;
}

Deno.test("FrameWriter.giveBack(): memory that has left is used again, and what was taken stays as it is until then", () => {
  const writer = new FrameWriter();
  const text = (n: number) => new TextEncoder().encode(`frame ${n}`);
  writer.write(Kind.DATA, 1, 0, 0, text(1));
  const first = writer.take();
  const copy = first.slice();
  writer.write(Kind.DATA, 1, 0, 0, text(2));
  assert.deepEqual(first, copy, "written into while it is being sent");
  writer.giveBack(first);
  const second = writer.take();
  assert.notEqual(second.buffer, first.buffer);
  writer.write(Kind.DATA, 1, 0, 0, text(3));
  assert.equal(writer.take().buffer, first.buffer, "no new memory");
  writer.write(Kind.DATA, 1, 0, 0, new Uint8Array(1024 * 1024));
  const large = writer.take();
  writer.giveBack(large);
  writer.write(Kind.DATA, 1, 0, 0, text(4));
  assert.notEqual(writer.take().buffer, large.buffer, "large memory is let go");
});
