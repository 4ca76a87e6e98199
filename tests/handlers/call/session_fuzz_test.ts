/**
 * A whole session under mutated frames: an error or a closed stream, never a crash, nothing left behind.
 * `ALKNET_CALL_FUZZ` sets another number, of which each test takes its share.
 *
 * @module
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import { AlknetError, type BidiStream, memoryPair } from "@alknet/core/handler";
import { CallError, Dispatcher, type JsonValue, nodeRegistry } from "@alknet/core/operations";
import { CallConnection } from "@alknet/handlers/call";
import { FrameDecoder } from "../../../handlers/call/frames/frames.ts";
import { CaseOperations } from "../../interop/call_node.ts";
import { Floors } from "../../support/plateau.ts";
import { type Random, seeded } from "../../support/random.ts";
import { envelopeText, jsonText } from "./documents.ts";

const COUNT = Number(Deno.env.get("ALKNET_CALL_FUZZ") ?? 1_000_000);
/** A tenth of the frames goes through sessions, whose every frame costs several promises. */
const FRAMES = Math.ceil(COUNT / 10);
/** Frames that one stream gets, if it lives that long. */
const FRAMES_OF_STREAM = 50;
/** Streams that one connection gets. */
const STREAMS = 20;
/** Growth of what the heap holds, in bytes, that is a leak. */
const FLAT = 64 * 1024 * 1024;
/** What a callee may send (call.md §4). */
const ANSWERS = ["call.responded", "call.completed", "call.error", "call.aborted"];
/** Operations that end by themselves, and those that are aborted by their connection's end. */
const OPERATIONS = [
  "clock/now",
  "math/add",
  "echo/input",
  "compose/sum",
  "fail/throw",
  "fail/undeclared",
  "files/read",
  "notes/create",
  "log/follow",
  "log/silent",
  "gate/wait",
  "services/list",
  "services/schema",
  "services/list-peers",
  "no/such",
  "__proto__",
  "constructor",
];

/** Longest body that the sessions take, in bytes. */
const MAX_BODY = 128 * 1024;
/** Ends whatever frame a mutated length began, and then the stream: a length of 0 is none. */
const ZEROS = new Uint8Array(MAX_BODY + 8);
/** Its answer is awaited before a stream is given up; a mutated length before it may have swallowed it. */
const LAST = `{"type":"call.requested","id":"last","payload":{"operationId":"/math/add","input":{"a":1,"b":1}}}`;

const encoder = new TextEncoder();

for (const singleStream of [false, true]) {
  const carrier = singleStream ? "one stream for both" : "many streams";
  Deno.test(`CallConnection over ${carrier}: ${FRAMES} mutated frames harm nothing (call.md §2.1, §3, §5)`, async () => {
    const random = seeded(`session over ${carrier}`);
    const operations = new CaseOperations();
    const dispatcher = new Dispatcher({ registry: nodeRegistry(operations.registrations()) });
    const heap = new Floors();
    let answers = 0;
    for (let done = 0; done < FRAMES;) {
      const [near, far] = memoryPair("alknet/call", { singleStream });
      const served = new CallConnection(far, {
        dispatcher,
        identityProvider: operations.provider(""),
        maxBody: MAX_BODY,
      });
      for (let stream = 0; stream < (singleStream ? 1 : STREAMS); stream++, done += FRAMES_OF_STREAM) {
        answers += await abuse(random, await near.open());
      }
      near.close();
      await served.closed;
      deepEqual(served.counts, { inbound: 0, outgoing: 0 }, `seed ${random.seed}`);
      heap.note(done / FRAMES, Deno.memoryUsage().heapUsed);
    }
    ok(answers > FRAMES / 20, `${answers} answers`);
    equal(operations.counters.open, 0);
    ok(heap.growth < FLAT, `the heap grew by ${heap.growth} bytes`);
    deepEqual(Object.keys(Object.prototype), []);
    await answersStill(dispatcher);
  });
}

Deno.test(`Dispatcher.call(): ${FRAMES} hostile inputs to every schema (call.md §8, §11)`, async () => {
  const random = seeded("inputs");
  const operations = new CaseOperations();
  const dispatcher = new Dispatcher({ registry: nodeRegistry(operations.registrations()) });
  const identity = { id: "fuzz", scopes: ["admin", "files:read", "notes:write", "a"], resources: {} };
  const names = OPERATIONS.filter((name) => !/wait|silent|follow/.test(name));
  const codes = new Map<string, number>();
  for (let done = 0; done < FRAMES; done++) {
    const operation = random.pick(names);
    const input = parsed(jsonText(random));
    let code = "none";
    try {
      await dispatcher.call({ operation, input, identity });
    } catch (error) {
      ok(error instanceof CallError, `seed ${random.seed}: ${operation} threw ${error}`);
      code = error.code;
      ok(error.message.length < 2000, `seed ${random.seed}: a message of ${error.message.length} characters`);
      ok(!error.message.includes("hunter2"));
    }
    codes.set(code, (codes.get(code) ?? 0) + 1);
  }
  for (const code of ["none", "NOT_FOUND", "INVALID_INPUT", "INTERNAL", "FILE_NOT_FOUND"]) {
    ok(codes.has(code) || code === "FILE_NOT_FOUND", `${code} never came: ${[...codes]}`);
  }
});

/** Sends frames, some mutated, in any split. Every answer has to be well-formed. Counts them. */
async function abuse(random: Random, stream: BidiStream): Promise<number> {
  const answers = readAnswers(random, stream);
  const writer = stream.writable.getWriter();
  try {
    for (let sent = 0; sent < FRAMES_OF_STREAM; sent++) await write(random, writer, frameOf(random));
    await writer.write(framed(LAST));
    await writer.write(ZEROS);
  } catch (error) {
    // The other end closed the stream over what came before.
    if (!(error instanceof AlknetError)) throw error;
  }
  const count = await answers;
  // What runs until it is aborted would hold the stream open.
  stream.reset(0);
  return count;
}

async function write(
  random: Random,
  writer: WritableStreamDefaultWriter<Uint8Array>,
  frame: Uint8Array,
): Promise<void> {
  if (random.chance(0.8)) return await writer.write(frame);
  const cut = random.below(frame.byteLength);
  await writer.write(frame.slice(0, cut));
  await writer.write(frame.slice(cut));
}

/** Mostly envelopes: what is none ends the stream, and nothing after it is looked at. */
function frameOf(random: Random): Uint8Array {
  let text = envelopeText(random, OPERATIONS);
  while (!isEnvelope(text) && !random.chance(0.01)) text = envelopeText(random, OPERATIONS);
  return random.chance(0.01) ? random.mutate(framed(text)) : framed(text);
}

function framed(text: string): Uint8Array {
  const body = encoder.encode(text);
  const frame = new Uint8Array(4 + body.byteLength);
  new DataView(frame.buffer).setUint32(0, body.byteLength);
  frame.set(body, 4);
  return frame;
}

function isEnvelope(text: string): boolean {
  const decoder = new FrameDecoder();
  decoder.push(framed(text));
  try {
    return decoder.next() !== undefined;
  } catch {
    return false;
  }
}

async function readAnswers(random: Random, { readable }: BidiStream): Promise<number> {
  const decoder = new FrameDecoder();
  let answers = 0;
  try {
    for await (const chunk of readable) {
      decoder.push(chunk);
      for (let frame = decoder.next(); frame; frame = decoder.next()) {
        const { type, id } = frame.envelope;
        ok(ANSWERS.includes(type) && id !== "", `seed ${random.seed}: ${JSON.stringify(frame.envelope)}`);
        answers++;
        if (id === "last") return answers;
      }
    }
  } catch (error) {
    if (!(error instanceof AlknetError) || error.code !== "STREAM_CLOSED" && error.code !== "CONNECTION_CLOSED") {
      throw error;
    }
  }
  return answers;
}

async function answersStill(dispatcher: Dispatcher): Promise<void> {
  const [near, far] = memoryPair("alknet/call");
  const served = new CallConnection(far, { dispatcher });
  const client = new CallConnection(near);
  equal(await client.call("math/add", { a: 2, b: 3 }), 5);
  await client.close();
  await served.closed;
}

function parsed(text: string): JsonValue {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
