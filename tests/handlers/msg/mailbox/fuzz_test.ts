/**
 * Frames that nobody made, and such as were made and altered, in both directions: an answer, a refusal or a close, never
 * anything else (msg.md row 34).
 *
 * @module
 */
import assert from "node:assert/strict";
import { joined } from "@alknet/core/crypto";
import { setImmediate } from "node:timers";
import { AlknetError, memoryPair } from "@alknet/core/handler";
import { type Arrival, MAILBOX_LIMITS, mailboxClient, memoryMailboxStore } from "@alknet/handlers/msg";
import {
  formatEmpty,
  formatError,
  formatFrame,
  formatItem,
  formatRequest,
  framesOf,
  readError,
  readItem,
  readRequest,
  type Request,
} from "../../../../handlers/msg/mailbox/frames.ts";
import { type Random, seeded } from "../../../support/random.ts";
import { envelope, newQueue, served } from "./serving.ts";

/** Bodies that are read; of connections a hundredth. */
const CASES = Number(Deno.env.get("ALKNET_FUZZ_CASES") ?? 100_000);
const CONNECTIONS = Math.ceil(CASES / 100);
const stop = { signal: new AbortController().signal };
const queue = newQueue();
const empty = newQueue();
const { rid, sid, read: { cap: rcap }, write: { cap: scap } } = queue;

function requests(random: Random): Request[] {
  return [
    { type: "new", ...newQueue() },
    { type: "send", sid, scap, envelope: envelope(random.below(256)) },
    { type: "sub", rid, rcap, window: random.between(1, 64) },
    { type: "get", rid, rcap, flags: random.below(4) },
    { type: "get", rid: empty.rid, rcap: empty.read.cap, flags: random.below(2) },
    { type: "ack", rid, rcap, seq: BigInt(random.below(200)) },
    { type: "put", rid, rcap, bundle: envelope(1, 262), keys: [{ id: 1 + random.below(300), key: random.bytes(32) }] },
    { type: "take", sid, scap },
    { type: "info" },
  ];
}

Deno.test("fuzz: bodies of requests and answers: read as what they were written as, or BAD_FRAME (row 34)", () => {
  const random = seeded("msg bodies");
  const item = { seq: 7n, kind: 0 as const, body: envelope(1) };
  const samples = [
    ...requests(random).map((request) => formatRequest(request, 1)),
    formatItem(1, rid, item, false),
    formatItem(1, rid, item, true),
    formatError(1, 4, 1500),
  ];
  const isBad = (error: unknown): boolean => error instanceof AlknetError && error.code === "BAD_FRAME";
  let read = 0;
  for (let n = 0; n < CASES; n++) {
    const bytes = random.chance(0.1)
      ? random.bytes(random.below(200))
      : random.mutate(random.pick(samples)).subarray(4);
    const frame = { type: bytes[0] ?? 0, id: 1, body: bytes.subarray(5) };
    for (const reader of [readItem, readError]) {
      try {
        reader(frame);
      } catch (error) {
        assert.ok(isBad(error), `${error} for ${bytes.toHex()}`);
      }
    }
    try {
      const request = readRequest(frame);
      read++;
      if (frame.body.byteLength < 20_000) {
        assert.deepEqual(formatRequest(request, 1).subarray(9), Uint8Array.from(frame.body));
      }
    } catch (error) {
      assert.ok(isBad(error), `${error} for ${bytes.toHex()}`);
    }
  }
  assert.ok(read > CASES / 20, `${read}`);
});

Deno.test("fuzz: connections with altered frames between good ones: answers or a close, and the mailbox serves on (row 34)", async () => {
  const random = seeded("msg connections");
  const limits = { frames: 1e9, newRate: 1e9, sendRate: 1e9, takeRate: 1e9, queueItems: 1e6 };
  await using store = memoryMailboxStore({ ...MAILBOX_LIMITS, ...limits });
  await using box = served({ store, open: true, limits });
  await using client = box.client();
  await client.create("m", queue, stop);
  await client.create("m", empty, stop);
  const types = new Set<number>();
  for (let n = 0; n < CONNECTIONS; n++) {
    const parts = Array.from({ length: random.between(1, 8) }, (_, i) => {
      if (random.chance(0.05)) return random.bytes(random.between(1, 200));
      const bytes = formatRequest(random.pick(requests(random)), random.chance(0.95) ? i : random.below(4));
      return random.chance(0.5) ? bytes : random.mutate(bytes);
    });
    const all = joined(...parts);
    const connection = box.connect({ singleStream: random.chance(0.5) });
    const { readable, writable } = await connection.open();
    const writer = writable.getWriter();
    const cut = random.below(all.byteLength + 1);
    writer.write(all.slice(0, cut)).catch(() => {});
    writer.write(all.slice(cut)).then(() => writer.close()).catch(() => {});
    // What the mailbox says is frames, whatever it was told.
    for await (const { type } of framesOf(untilClosed(readable))) types.add(type);
    connection.close();
  }
  for (const type of [0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x8f]) assert.ok(types.has(type), type.toString(16));
  const other = newQueue();
  await client.create("m", other, stop);
  await client.send(other.write, envelope(200), stop);
  assert.equal(store.waiting(other.rid), 1);
});

Deno.test("fuzz: a mailbox that answers what it likes: each request ends, with what it asked for or an AlknetError", async () => {
  const random = seeded("msg answers");
  const outcomes = new Set<string>();
  for (let n = 0; n < CONNECTIONS; n++) {
    const answers = (id: number): Uint8Array[] => [
      formatFrame({ type: 0x80, id, body: random.pick([new Uint8Array(), Uint8Array.of(0, 5)]) }),
      formatItem(id, rid, { seq: BigInt(random.below(4)), kind: 0, body: envelope(1) }, random.chance(0.2)),
      formatEmpty(id, random.chance(0.2)),
      formatFrame({ type: 0x83, id, body: random.bytes(random.below(300)) }),
      formatFrame({ type: 0x84, id, body: new Uint8Array() }),
      formatError(id, random.below(12), random.below(5000)),
    ];
    const [near, far] = memoryPair("alknet/msg");
    const lying = (async () => {
      for await (const { readable, writable } of far) {
        const writer = writable.getWriter();
        const frames = framesOf(untilClosed(readable));
        // Where nothing is asked any more, whoever waits learns that there is no more to come.
        for (let left = random.between(1, 12); left > 0; left--) {
          const asked = await Promise.race([frames.next(), turns(30)]);
          if (!asked?.value) break;
          for (let count = random.between(1, 4); count > 0; count--) {
            const bytes = random.pick(answers(random.chance(0.9) ? asked.value.id : random.below(9)));
            writer.write(random.chance(0.8) ? bytes : random.mutate(bytes)).catch(() => {});
          }
        }
        await writer.close().catch(() => {});
      }
    })();
    await using client = mailboxClient({ dial: () => Promise.resolve(near) });
    const works: (() => Promise<unknown>)[] = [
      () => client.send(queue.write, envelope(1), stop),
      () => client.takeBundle(queue.write, stop),
      () => client.create("m", queue, stop),
      () => client.publish(queue.read, { keys: [] }, stop),
      () => all(client.receive([queue.read], stop)),
      () => all(client.listen!(queue.read, stop)),
    ];
    try {
      await random.pick(works)();
      outcomes.add("done");
    } catch (error) {
      assert.ok(error instanceof AlknetError, `${error}`);
      outcomes.add(error.code);
    }
    near.close();
    await lying.catch(() => {});
  }
  for (const outcome of ["done", "MAILBOX_ANSWER", "MAILBOX_AWAY", "MAILBOX_QUOTA"]) {
    assert.ok(outcomes.has(outcome), `${outcome} in ${[...outcomes]}`);
  }
});

async function all(arrivals: AsyncIterable<Arrival>): Promise<void> {
  for await (const { ack } of arrivals) await ack();
}

/** Some turns of the event loop. */
async function turns(count: number): Promise<undefined> {
  for (; count > 0; count--) await new Promise((resolve) => setImmediate(resolve));
}

/** A stream that was reset is one that ended. */
async function* chunks(readable: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = readable.getReader();
  for (;;) {
    const { value } = await reader.read().catch(() => ({ value: undefined }));
    if (!value) return;
    yield value;
  }
}

function untilClosed(readable: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  return ReadableStream.from(chunks(readable));
}
