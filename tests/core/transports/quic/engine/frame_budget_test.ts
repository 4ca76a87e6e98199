import assert from "node:assert/strict";
import { FrameBudget } from "../../../../../core/transports/quic/engine/frame_budget.ts";
import { longPacketsEnd } from "../../../../../core/transports/quic/engine/packet_header.ts";

const TAG = new Uint8Array(16);
const CID = new Uint8Array(8).fill(0xcc);
const DATA = 1000;

/** A decrypted packet: first byte, connection id, packet number of two bytes, frames, what was the tag. */
function packet(...frames: number[][]): Uint8Array {
  return Uint8Array.of(0x41, ...CID, 0, 7, ...frames.flat(), ...TAG);
}

/** A varint of four bytes (RFC 9000 §16). */
function varint(value: number): number[] {
  return [0x80 | (value >>> 24), (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];
}

/** STREAM with offset and length (RFC 9000 §19.8). */
function stream(id: number, offset: number, length: number): number[] {
  return [0x0e, ...varint(id), ...varint(offset), ...varint(length), ...new Array(length).fill(1)];
}

const crypto = (length: number) => [0x06, ...varint(9), ...varint(length), ...new Array(length).fill(2)];
const newConnectionId = [0x18, 1, 1, 8, ...CID, ...TAG];
const pathChallenge = [0x1a, 1, 2, 3, 4, 5, 6, 7, 8];

/** Each frame of RFC 9000 §19 and RFC 9221, before one that is counted: all of them must be passed over exactly. */
const OTHERS: readonly { readonly name: string; readonly frame: number[] }[] = [
  { name: "PADDING", frame: [0, 0, 0] },
  { name: "PING", frame: [0x01] },
  { name: "ACK", frame: [0x02, ...varint(900), 5, 2, 3, 1, 1, 0x40, 1, 1] },
  { name: "ACK with ECN", frame: [0x03, ...varint(900), 5, 0, 3, 7, 8, 9] },
  { name: "RESET_STREAM", frame: [0x04, 4, ...varint(7), 0] },
  { name: "STOP_SENDING", frame: [0x05, 4, ...varint(7)] },
  { name: "CRYPTO", frame: crypto(3) },
  { name: "NEW_TOKEN", frame: [0x07, 2, 0x1a, 0x1a] },
  { name: "STREAM with length alone", frame: [0x0a, 4, 2, 0x1a, 0x1a] },
  { name: "STREAM with offset, length and end", frame: [0x0f, 4, 9, 2, 0x1a, 0x1a] },
  { name: "MAX_DATA", frame: [0x10, ...varint(1)] },
  { name: "MAX_STREAM_DATA", frame: [0x11, 4, ...varint(1)] },
  { name: "MAX_STREAMS bidirectional", frame: [0x12, 9] },
  { name: "MAX_STREAMS unidirectional", frame: [0x13, 9] },
  { name: "DATA_BLOCKED", frame: [0x14, 9] },
  { name: "STREAM_DATA_BLOCKED", frame: [0x15, 4, 9] },
  { name: "STREAMS_BLOCKED bidirectional", frame: [0x16, 9] },
  { name: "STREAMS_BLOCKED unidirectional", frame: [0x17, 9] },
  { name: "NEW_CONNECTION_ID", frame: newConnectionId },
  { name: "RETIRE_CONNECTION_ID", frame: [0x19, 3] },
  { name: "PATH_RESPONSE", frame: [0x1b, 1, 2, 3, 4, 5, 6, 7, 8] },
  { name: "HANDSHAKE_DONE", frame: [0x1e] },
  { name: "DATAGRAM with length", frame: [0x31, 2, 0x1a, 0x1a] },
];

for (const { name, frame } of OTHERS) {
  Deno.test(`FrameBudget: ${name} is passed over exactly (RFC 9000 §19)`, () => {
    const budget = new FrameBudget();
    const both = packet(frame, pathChallenge, pathChallenge);
    for (let i = 0; i < 200; i++) budget.count(both.slice());
    assert.equal(budget.abuse, "path-and-id-frames");
  });
}

Deno.test("FrameBudget: CRYPTO after the handshake beyond 64 KiB is abuse (CVE-2024-1765)", () => {
  const budget = new FrameBudget();
  for (let i = 0; i < 65; i++) budget.count(packet(crypto(DATA)));
  assert.equal(budget.abuse, undefined);
  budget.count(packet(crypto(DATA)));
  assert.equal(budget.abuse, "crypto-data");
});

Deno.test("FrameBudget: PATH_CHALLENGE and NEW_CONNECTION_ID beyond 256 are abuse (CVE-2023-6193, CVE-2024-1410)", () => {
  const budget = new FrameBudget();
  for (let i = 0; i < 128; i++) budget.count(packet(pathChallenge, newConnectionId));
  assert.equal(budget.abuse, undefined);
  budget.count(packet(pathChallenge));
  assert.equal(budget.abuse, "path-and-id-frames");
});

Deno.test("FrameBudget: pieces of one byte that do not continue a stream are abuse (RFC 9000 §2.2)", () => {
  const budget = new FrameBudget();
  let pieces = 0;
  while (!budget.abuse && pieces < 100_000) budget.count(packet(stream(0, 1 + 2 * pieces++, 1)));
  assert.equal(budget.abuse, "stream-pieces");
  assert.ok(pieces < 20_000, `${pieces}`);
});

Deno.test("FrameBudget: what was delivered, or is gone with its stream, counts no more", () => {
  const budget = new FrameBudget();
  for (let i = 0; i < 100_000; i++) {
    budget.count(packet(stream(4, i, 1)));
    if (i % 1000 === 999) budget.delivered(4, i + 1);
    assert.equal(budget.abuse, undefined);
  }
  for (let id = 0; id < 100_000; id += 4) {
    budget.count(packet(stream(id, 9, 1)));
    if (id % 8 === 0) budget.forget(id);
    if (id % 4000 === 0) budget.sweep((stream) => stream % 8 === 4);
  }
  assert.equal(budget.abuse, undefined);
});

Deno.test("FrameBudget: a window full of messages of 64 bytes that nobody reads is none", () => {
  const budget = new FrameBudget();
  for (let i = 0; i < 16 * 1024 * 1024 / 64; i++) budget.count(packet(stream(0, 64 * i, 64)));
  assert.equal(budget.abuse, undefined);
});

Deno.test("FrameBudget: a packet behind one with a long header counts (RFC 9000 §12.2)", () => {
  const budget = new FrameBudget();
  // Handshake packet: type 2, version 1, two ids, length 4 and as many bytes.
  const handshake = [0xe0, 0, 0, 0, 1, 8, ...CID, 8, ...CID, 4, 0, 0, 0, 0];
  for (let i = 0; i < 300; i++) {
    const datagram = Uint8Array.of(...handshake, ...packet(pathChallenge));
    budget.count(datagram.subarray(longPacketsEnd(datagram)));
  }
  assert.equal(budget.abuse, "path-and-id-frames");
});

Deno.test("FrameBudget: datagram messages are counted with their bytes (RFC 9221 §4)", () => {
  const budget = new FrameBudget();
  budget.count(packet([0x31, 2, 5, 5], [0x30, 5, 5, 5]));
  assert.deepEqual([budget.datagrams, budget.datagramBytes], [2, 5]);
});

Deno.test("FrameBudget: truncated and meaningless packets are passed over", () => {
  const whole = packet(...OTHERS.map(({ frame }) => frame), stream(0, 5, 9));
  for (let length = 0; length <= whole.byteLength; length++) new FrameBudget().count(whole.slice(0, length));
  for (let type = 0; type < 256; type++) new FrameBudget().count(packet([type, 0xff, 0xff, 0xff, 0xff]));
});
