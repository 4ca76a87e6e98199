/**
 * Frames and envelopes (call.md §2, §3).
 *
 * @module
 */
import { deepEqual, equal, throws } from "node:assert/strict";
import { encodeFrame, FrameDecoder } from "../../../handlers/call/frames/frames.ts";
import { MAX_BODY } from "../../../handlers/call/limits.ts";

const E1 = `{"type":"call.aborted","id":"a1","payload":{}}`;

Deno.test("encodeFrame(): E1 is 4 bytes of length and 46 of body (call.md §26 row 1)", () => {
  const frame = encodeFrame(E1);
  deepEqual([...frame.subarray(0, 4)], [0x00, 0x00, 0x00, 0x2e]);
  equal(frame.byteLength, 50);
  deepEqual(decoded(frame), [JSON.parse(E1)]);
});

Deno.test("encodeFrame(): the length counts bytes of UTF-8 (call.md §26 row 2)", () => {
  const frame = encodeFrame(envelope("é漢😀"));
  equal(new DataView(frame.buffer, frame.byteOffset).getUint32(0), frame.byteLength - 4);
  equal(frame.byteLength - 4, envelope("").length + 2 + 3 + 4);
  deepEqual(decoded(frame)[0].payload, "é漢😀");
});

Deno.test("FrameDecoder: a frame split anywhere is one envelope (call.md §26 row 3)", () => {
  const frame = encodeFrame(envelope("é漢😀 \ufffd"));
  for (let at = 0; at <= frame.byteLength; at++) {
    deepEqual(decoded(frame.slice(0, at), frame.slice(at)), decoded(frame), `split at ${at}`);
  }
  deepEqual(decoded(...[...frame].map((byte) => new Uint8Array([byte]))), decoded(frame));
});

Deno.test("FrameDecoder: 100 frames in one chunk come in order (call.md §26 row 4)", () => {
  const frames = Array.from({ length: 100 }, (_, n) => encodeFrame(envelope(String(n))));
  const chunk = new Uint8Array(frames.flatMap((frame) => [...frame]));
  deepEqual(decoded(chunk).map(({ payload }) => payload), frames.map((_, n) => String(n)));
});

Deno.test("FrameDecoder: a body of 67,108,864 bytes is taken (call.md §26 row 7)", () => {
  const text = envelope("x".repeat(MAX_BODY - envelope("").length));
  equal(text.length, MAX_BODY);
  const frame = encodeFrame(text);
  equal(
    (decoded(frame.subarray(0, 1_000_000), frame.subarray(1_000_000))[0].payload as string).length,
    MAX_BODY - envelope("").length,
  );
});

Deno.test("encodeFrame(): a body of 67,108,865 bytes is refused (call.md §26 row 8)", () => {
  throws(() => encodeFrame("x".repeat(MAX_BODY + 1)), { code: "MESSAGE_TOO_LARGE" });
});

for (const [length, row] of [[0, 5], [MAX_BODY + 1, 6]]) {
  Deno.test(`FrameDecoder: a length of ${length} is no frame, before any body (call.md §26 row ${row})`, () => {
    const header = new Uint8Array(4);
    new DataView(header.buffer).setUint32(0, length);
    throws(() => decoded(header), { code: "INVALID_FRAME" });
  });
}

const NO_ENVELOPES: readonly (readonly [title: string, body: string | readonly number[], row: string])[] = [
  ["no UTF-8", [0x22, 0xff, 0x22], "11"],
  ["UTF-8 of a surrogate", [0x22, 0xed, 0xa0, 0x80, 0x22], "11"],
  ["no JSON", "{", "11"],
  ["a byte order mark", "\ufeff" + E1, "11"],
  ["an array", "[]", "12"],
  ["null", "null", "12"],
  ["no type", `{"id":"a","payload":{}}`, "12"],
  ["no id", `{"type":"a","payload":{}}`, "12"],
  ["no payload", `{"type":"a","id":"a"}`, "12"],
  ["an id that is a number", `{"type":"a","id":1,"payload":{}}`, "12"],
  ["100,000 levels", envelope("").replace('""', "[".repeat(100_000) + "]".repeat(100_000)), "17b"],
  ["257 levels", `{"type":"a","id":"a","payload":${"[".repeat(256)}${"]".repeat(256)}}`, "17b"],
];

for (const [title, body, row] of NO_ENVELOPES) {
  Deno.test(`FrameDecoder: ${title} is no envelope (call.md §26 row ${row})`, () => {
    const bytes = typeof body === "string" ? new TextEncoder().encode(body) : new Uint8Array(body);
    const frame = new Uint8Array(4 + bytes.byteLength);
    new DataView(frame.buffer).setUint32(0, bytes.byteLength);
    frame.set(bytes, 4);
    throws(() => decoded(frame), { code: "NOT_AN_ENVELOPE" });
  });
}

Deno.test("FrameDecoder: 256 levels are taken, and brackets in strings are no levels (call.md §2.1)", () => {
  const deep = `{"type":"a","id":"a","payload":${"[".repeat(255)}${"]".repeat(255)}}`;
  equal(decoded(encodeFrame(deep)).length, 1);
  equal(decoded(encodeFrame(envelope('["\\['.repeat(500)))).length, 1);
});

Deno.test("FrameDecoder: __proto__ and constructor are plain data (call.md §26 row 17)", () => {
  const [{ payload }] = decoded(
    encodeFrame(
      `{"type":"a","id":"a","payload":{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}}`,
    ),
  );
  equal(Object.getPrototypeOf(payload), Object.prototype);
  equal(({} as Record<string, unknown>).polluted, undefined);
});

function envelope(payload: string): string {
  return JSON.stringify({ type: "call.future", id: "a", payload });
}

function decoded(...chunks: readonly Uint8Array[]): { readonly payload: unknown }[] {
  const decoder = new FrameDecoder();
  const envelopes = [];
  for (const chunk of chunks) {
    decoder.push(chunk);
    for (let frame = decoder.next(); frame; frame = decoder.next()) envelopes.push(frame.envelope);
  }
  return envelopes;
}
