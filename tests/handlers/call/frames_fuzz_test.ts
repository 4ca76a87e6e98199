/**
 * Frames against a slow twin: mutated ones, in any split, lead to the same envelopes and the same end.
 * `ALKNET_CALL_FUZZ` sets another number of them.
 *
 * @module
 */
import { deepEqual, ok } from "node:assert/strict";
import { AlknetError } from "@alknet/core/handler";
import { MAX_MEMBERS } from "@alknet/core/operations";
import { FrameDecoder } from "../../../handlers/call/frames/frames.ts";
import { Floors } from "../../support/plateau.ts";
import { type Random, seeded } from "../../support/random.ts";
import { envelopeText } from "./documents.ts";

const COUNT = Number(Deno.env.get("ALKNET_CALL_FUZZ") ?? 1_000_000);
/** Frames that one decoder gets. */
const FRAMES = 20;
/** Longest body that the decoders take, in bytes: a mutated length must be able to pass it and to stay below it. */
const MAX_BODY = 1 << 20;
/** Growth of what the heap holds, in bytes, that is a leak. */
const FLAT = 64 * 1024 * 1024;

const encoder = new TextEncoder();

interface Reading {
  readonly envelopes: readonly unknown[];
  /** The code of the error, or whether a frame was under way. */
  readonly end: string | boolean;
}

Deno.test(`FrameDecoder: ${COUNT} mutated frames in any split, as a plain twin reads them (call.md §2.1)`, () => {
  const random = seeded("frames");
  const heap = new Floors();
  let envelopes = 0;
  let errors = 0;
  for (let done = 0; done < COUNT; done += FRAMES) {
    const bytes = someFrames(random);
    const expected = twin(bytes);
    const found = decode(random, bytes);
    if (!alike(found, expected)) deepEqual(found, expected, `seed ${random.seed}, after ${done} frames`);
    envelopes += found.envelopes.length;
    if (typeof found.end === "string") errors++;
    heap.note(done / COUNT, Deno.memoryUsage().heapUsed);
  }
  ok(envelopes > COUNT / 20 && errors > COUNT / FRAMES / 4, `${envelopes} envelopes, ${errors} errors`);
  ok(heap.growth < FLAT, `the heap grew by ${heap.growth} bytes`);
  deepEqual(({} as Record<string, unknown>).polluted, undefined);
  deepEqual(Object.keys(Object.prototype), []);
});

/** Frames in a row, about every third of them mutated, in the header too. */
function someFrames(random: Random): Uint8Array {
  const frames = Array.from({ length: FRAMES }, () => {
    const body = encoder.encode(envelopeText(random, ["math/add", "clock/now"]));
    const frame = new Uint8Array(4 + body.byteLength);
    new DataView(frame.buffer).setUint32(0, body.byteLength);
    frame.set(body, 4);
    return random.chance(0.1) ? random.mutate(frame) : frame;
  });
  const bytes = new Uint8Array(frames.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const frame of frames) {
    bytes.set(frame, at);
    at += frame.byteLength;
  }
  return bytes;
}

function decode(random: Random, bytes: Uint8Array): Reading {
  const decoder = new FrameDecoder(() => ({ bytes: MAX_BODY, members: MAX_MEMBERS }));
  const envelopes: unknown[] = [];
  try {
    for (let at = 0; at < bytes.byteLength;) {
      const size = random.chance(0.2) ? random.between(1, 8) : random.between(1, bytes.byteLength);
      decoder.push(bytes.subarray(at, at + size));
      at += size;
      for (let frame = decoder.next(); frame; frame = decoder.next()) envelopes.push(frame.envelope);
    }
    return { envelopes, end: decoder.partial };
  } catch (error) {
    if (!(error instanceof AlknetError)) throw error;
    return { envelopes, end: error.code };
  }
}

/** The same, from the whole at once and without haste. */
function twin(bytes: Uint8Array): Reading {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const envelopes: unknown[] = [];
  for (let at = 0; at < bytes.byteLength;) {
    if (bytes.byteLength - at < 4) return { envelopes, end: true };
    const length = view.getUint32(at);
    if (length === 0 || length > MAX_BODY) return { envelopes, end: "INVALID_FRAME" };
    if (bytes.byteLength - at - 4 < length) return { envelopes, end: true };
    const envelope = envelopeOf(bytes.subarray(at + 4, at + 4 + length));
    if (envelope === undefined) return { envelopes, end: "NOT_AN_ENVELOPE" };
    envelopes.push(envelope);
    at += 4 + length;
  }
  return { envelopes, end: false };
}

function envelopeOf(body: Uint8Array): unknown {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body);
    const value = JSON.parse(text);
    if (typeof value !== "object" || value === null || Array.isArray(value) || depthOf(text) > 256) return undefined;
    if (typeof value.type !== "string" || typeof value.id !== "string") return undefined;
    return Object.hasOwn(value, "payload") ? value : undefined;
  } catch {
    return undefined;
  }
}

/** How deep valid JSON nests. Its text tells, not its value: of a doubled key the value has the last alone. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (const [bracket] of text.replace(/"(?:[^"\\]|\\.)*"/g, "").matchAll(/[[{}\]]/g)) {
    depth += bracket === "[" || bracket === "{" ? 1 : -1;
    deepest = Math.max(deepest, depth);
  }
  return deepest;
}

/** Cheaper than `deepEqual` a million times; what differs is then shown by that. */
function alike(a: Reading, b: Reading): boolean {
  return a.end === b.end && JSON.stringify(a.envelopes) === JSON.stringify(b.envelopes);
}
