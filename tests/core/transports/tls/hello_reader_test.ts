import assert from "node:assert/strict";
import { HelloReader } from "../../../../core/transports/tls/hello_reader.ts";
import { seeded } from "../../../support/random.ts";

/** ClientHello for `h2` at `a.example`, cut to what the reader needs (RFC 8446 §4.1.2). */
const MESSAGE = Uint8Array.fromHex(
  "01" + "000046" + "0303" + "00".repeat(32) + "00" + // type, length, version, random, no session id
    "0002" + "1301" + "01" + "00" + // cipher suites, compression methods
    "001b" + // extensions
    "0000" + "000e" + "000c" + "00" + "0009" + "612e6578616d706c65" + // server name: a.example
    "0010" + "0005" + "0003" + "02" + "6832", // ALPN: h2
);

/** The message in records of this many bytes. */
function records(size: number): Uint8Array {
  const parts: number[] = [];
  for (let at = 0; at < MESSAGE.byteLength; at += size) {
    const fragment = MESSAGE.subarray(at, at + size);
    parts.push(22, 3, 1, fragment.byteLength >> 8, fragment.byteLength & 0xff, ...fragment);
  }
  return Uint8Array.from(parts);
}

for (const size of [1, 2, 3, 4, 5, 50, 73, 74, 1000]) {
  Deno.test(`HelloReader reads a hello in records of ${size} bytes, however they arrive (RFC 8446 §5.1)`, () => {
    const bytes = records(size);
    for (const step of [1, 2, 7, bytes.byteLength]) {
      const reader = new HelloReader(65_536);
      let read = 0;
      for (let at = 0; at < bytes.byteLength; at += step) {
        const state = reader.read(bytes.subarray(at, at + step));
        read = Math.min(at + step, bytes.byteLength);
        if (read < bytes.byteLength) {
          assert.equal(state.kind, "more");
        } else {
          assert.ok(state.kind === "hello");
          assert.deepEqual(state.hello, { alpns: ["h2"], serverName: "a.example" });
          assert.deepEqual(new Uint8Array(state.bytes), bytes);
        }
      }
    }
  });
}

Deno.test("HelloReader gives up at its limit and not before (core.md §13)", () => {
  // A hello of 990 bytes in records of 10: it would fit, its records do not.
  const record = Uint8Array.of(22, 3, 1, 0, 10, ...new Uint8Array(10));
  const reader = new HelloReader(1000);
  assert.equal(reader.read(Uint8Array.of(22, 3, 1, 0, 10, 1, 0, 0x03, 0xde, 0, 0, 0, 0, 0, 0)).kind, "more");
  for (let total = 30; total < 1000; total += 15) assert.equal(reader.read(record).kind, "more", `${total}`);
  assert.equal(reader.read(record).kind, "invalid");
  assert.equal(new HelloReader(100).read(Uint8Array.of(22, 3, 1, 0, 9, 1, 0, 0, 200)).kind, "invalid");
});

Deno.test("HelloReader survives anything, and never reads on past a decision (fuzz)", () => {
  const random = seeded("HelloReader");
  const valid = records(20);
  for (let i = 0; i < 5000; i++) {
    const bytes = Uint8Array.from(valid);
    for (let changes = random.between(1, 4); changes > 0; changes--) {
      bytes[random.below(bytes.length)] = random.below(256);
    }
    const reader = new HelloReader(4096);
    for (let at = 0; at < bytes.byteLength;) {
      const step = random.between(1, 40);
      if (reader.read(bytes.subarray(at, at + step)).kind !== "more") break;
      at += step;
    }
  }
});
