/**
 * SUB: what comes while somebody listens, the window, who takes over, who is slow (msg.md §4; row 31).
 *
 * @module
 */
import assert from "node:assert/strict";
import { memoryPair } from "@alknet/core/handler";
import { mailbox, MAILBOX_LIMITS, mailboxClient, memoryMailboxStore } from "@alknet/handlers/msg";
import type { Request } from "../../../../handlers/msg/mailbox/frames.ts";
import { asking } from "./asking.ts";
import { envelope, newQueue, type OwnQueue, served } from "./serving.ts";

const stop = { signal: new AbortController().signal };
const limits = { ...MAILBOX_LIMITS, frames: 100_000, sendRate: 100_000 };
const DAY = 86_400_000;

const sub = ({ read }: OwnQueue, window: number): Request => ({ type: "sub", rid: read.id, rcap: read.cap, window });
const ack = ({ read }: OwnQueue, seq: number): Request => ({
  type: "ack",
  rid: read.id,
  rcap: read.cap,
  seq: BigInt(seq),
});

for (const window of [1, 8]) {
  Deno.test(`SUB, window ${window}: so many unacknowledged, one more for each that is; what comes later too (row 31)`, async () => {
    await using store = memoryMailboxStore(limits);
    await using box = served({ store, open: true, limits });
    await using client = box.client();
    const queue = newQueue();
    await client.create("m", queue, stop);
    for (let n = 1; n <= 10; n++) await client.send(queue.write, envelope(n), stop);
    const reader = await asking(box.connect());
    reader.ask(sub(queue, window), 7);
    const first = Array.from({ length: window }, (_, i) => `81 7 ${i + 1}`);
    assert.deepEqual(await reader.said(1 + window), ["80 7", ...first]);
    // Had more been given, it would come before the answer.
    reader.ask({ type: "info" }, 8);
    assert.deepEqual(await reader.said(1), ["85 8"]);
    // One that was acknowledged twice, and one that was not given, make no room.
    reader.ask(ack(queue, 1), 9);
    assert.deepEqual((await reader.said(2)).sort(), ["80 9", `81 7 ${window + 1}`]);
    reader.ask(ack(queue, 1), 9);
    reader.ask(ack(queue, 99), 10);
    assert.deepEqual((await reader.said(2)).sort(), ["80 10", "80 9"]);
    for (let n = 2; n <= 10; n++) {
      reader.ask(ack(queue, n), 100 + n);
      await reader.said(n + window <= 10 ? 2 : 1);
    }
    const listening = reader.next();
    await client.send(queue.write, envelope(11), stop);
    assert.equal((await listening)!.body[35], 11);
  });
}

for (const singleStream of [false, true]) {
  Deno.test(`SUB over ${singleStream ? "one stream" : "several"}: what was not acknowledged comes again; a second reader takes over, the first is told END (row 31)`, async () => {
    await using store = memoryMailboxStore(limits);
    await using box = served({ store, open: true, limits });
    await using client = box.client();
    const queue = newQueue();
    await client.create("m", queue, stop);
    for (const n of [1, 2, 3]) await client.send(queue.write, envelope(n), stop);
    const lost = box.connect({ singleStream });
    const before = await asking(lost);
    before.ask(sub(queue, 8), 1);
    assert.deepEqual(await before.said(4), ["80 1", "81 1 1", "81 1 2", "81 1 3"]);
    before.ask(ack(queue, 2), 2);
    assert.deepEqual(await before.said(1), ["80 2"]);
    lost.close();
    const first = await asking(box.connect({ singleStream }));
    first.ask(sub(queue, 8), 1);
    assert.deepEqual(await first.said(3), ["80 1", "81 1 1", "81 1 3"]);
    const second = await asking(box.connect({ singleStream }));
    second.ask(sub(queue, 1), 5);
    assert.deepEqual(await second.said(2), ["80 5", "81 5 1"]);
    assert.deepEqual(await first.said(1), ["84 1"]);
    // Its id is free again; and it takes back what it lost.
    first.ask(sub(queue, 64), 1);
    assert.deepEqual(await first.said(3), ["80 1", "81 1 1", "81 1 3"]);
    assert.deepEqual(await second.said(1), ["84 5"]);
    first.ask({ type: "drop", rid: queue.rid, rcap: queue.read.cap }, 6);
    assert.deepEqual(await first.said(2), ["84 1", "80 6"]);
    first.ask(sub(queue, 64), 1);
    assert.deepEqual(await first.said(1), ["8f 1"]);
  });
}

Deno.test("SUB: one who does not read waits alone: senders are answered, other readers get theirs, later all of it comes", async () => {
  await using store = memoryMailboxStore(limits);
  await using box = served({ store, open: true, limits });
  await using client = box.client();
  const [slow, other] = [newQueue(), newQueue()];
  for (const queue of [slow, other]) await client.create("m", queue, stop);
  const [sleeper, reader] = [await asking(box.connect()), await asking(box.connect())];
  sleeper.ask(sub(slow, 64), 1);
  reader.ask(sub(other, 64), 1);
  assert.deepEqual(await reader.said(1), ["80 1"]);
  for (let n = 0; n < 128; n++) {
    await client.send(slow.write, envelope(n, 16384), stop);
    await client.send(other.write, envelope(n), stop);
    assert.deepEqual(await reader.said(1), [`81 1 ${n}`]);
    reader.ask(ack(other, n + 1), 2);
    assert.deepEqual(await reader.said(1), ["80 2"]);
  }
  await assert.rejects(client.send(slow.write, envelope(128), stop), { code: "MAILBOX_QUOTA" });
  assert.deepEqual(await sleeper.said(65), ["80 1", ...Array.from({ length: 64 }, (_, n) => `81 1 ${n}`)]);
  for (let n = 0; n < 64; n++) {
    sleeper.ask(ack(slow, n + 1), 2);
    assert.deepEqual((await sleeper.said(2)).sort(), ["80 2", `81 1 ${n + 64}`]);
  }
});

Deno.test("SUB: who listens may be silent; when nothing is left to listen to, that ends the connection", async () => {
  await using store = memoryMailboxStore(limits);
  await using box = served({ store, open: true, limits: { ...limits, idle: 50 } });
  const queue = newQueue();
  {
    await using client = box.client();
    await client.create("m", queue, stop);
  }
  const listens = box.connect();
  const reader = await asking(listens);
  reader.ask(sub(queue, 1), 1);
  assert.deepEqual(await reader.said(1), ["80 1"]);
  const silent = box.connect();
  // The mailbox's own timers keep no program running.
  const awake = setInterval(() => {}, 10_000);
  using _ = { [Symbol.dispose]: () => clearInterval(awake) };
  assert.equal((await silent.closed).code, 3);
  reader.ask({ type: "info" }, 2);
  assert.deepEqual(await reader.said(1), ["85 2"]);
  await using client = box.client();
  await client.drop(queue.read, stop);
  assert.deepEqual(await reader.said(1), ["84 1"]);
  assert.equal((await listens.closed).code, 3);
});

Deno.test("SUB: more queues than a connection may listen to are QUOTA; the id of one that runs closes; no window, none", async () => {
  await using store = memoryMailboxStore(limits);
  await using box = served({ store, open: true, limits: { ...limits, subscriptions: 2 } });
  await using client = box.client();
  const queues = [newQueue(), newQueue(), newQueue()];
  for (const queue of queues) await client.create("m", queue, stop);
  const connection = box.connect();
  const reader = await asking(connection);
  for (const [i, queue] of queues.entries()) reader.ask(sub(queue, 1), i);
  assert.deepEqual((await reader.said(3)).sort(), ["80 0", "80 1", "8f 2"]);
  await client.drop(queues[0].read, stop);
  assert.deepEqual(await reader.said(1), ["84 0"]);
  reader.ask(sub(queues[2], 0), 3);
  reader.ask(sub(queues[2], 65), 4);
  assert.deepEqual((await reader.said(2)).sort(), ["8f 3", "8f 4"]);
  reader.ask(sub(queues[2], 64), 5);
  assert.deepEqual(await reader.said(1), ["80 5"]);
  reader.ask({ type: "info" }, 5);
  assert.deepEqual(await reader.said(1), ["8f 0"]);
  assert.equal((await connection.closed).code, 1);
});

Deno.test("sweep: a queue that is listened to stays, however long; what was given and is too old makes room (row 32)", async () => {
  let day = 20_000;
  const clock = { now: () => day * DAY, wall: () => day * DAY };
  await using store = memoryMailboxStore(limits);
  await using box = served({ store, open: true, limits: { ...limits, idle: 10 * DAY }, clock });
  await using client = box.client();
  const [queue, forgotten] = [newQueue(), newQueue()];
  for (const one of [queue, forgotten]) {
    await client.create("m", one, stop);
    for (const n of [1, 2]) await client.send(one.write, envelope(n), stop);
  }
  const reader = await asking(box.connect());
  reader.ask(sub(queue, 2), 1);
  assert.deepEqual(await reader.said(3), ["80 1", "81 1 1", "81 1 2"]);
  for (day = 20_020; day <= 20_200; day += 30) {
    await client.send(queue.write, envelope(day % 256), stop);
    // The first connection of an hour sweeps.
    await using next = box.client();
    await next.publish(queue.read, { keys: [] }, stop);
  }
  assert.deepEqual(
    await reader.said(6),
    [20_020, 20_050, 20_080, 20_110, 20_140, 20_170].map((one) => `81 1 ${one % 256}`),
  );
  await assert.rejects(client.send(forgotten.write, envelope(3), stop), { code: "MAILBOX_NO_QUEUE" });
});

Deno.test("listen: a mailbox that says nothing any more, and does not end the connection, is away; one that is quiet is not", async () => {
  await using store = memoryMailboxStore(limits);
  await using box = served({ store, open: true, limits });
  const queue = newQueue();
  let asked = 0;
  const dial = () => {
    // Between the two: what passes the mailbox's answers on, until it is mute.
    const [near, far] = memoryPair("alknet/msg");
    (async () => {
      for await (const { readable, writable } of far) {
        const { readable: answers, writable: requests } = await box.connect().open();
        readable.pipeThrough(
          new TransformStream({
            transform(chunk, controller) {
              // INFO is what it is asked when it is quiet; of the third it says nothing.
              if (chunk[4] !== 9 || ++asked < 3) controller.enqueue(chunk);
            },
          }),
        ).pipeTo(requests).catch(() => {});
        answers.pipeTo(writable).catch(() => {});
      }
    })().catch(() => {});
    return Promise.resolve(near);
  };
  await using client = mailboxClient({ dial, patience: 100 });
  await client.create("m", queue, stop);
  const coming = client.listen!(queue.read, stop)[Symbol.asyncIterator]();
  await assert.rejects(coming.next(), { code: "MAILBOX_AWAY" });
  // One that answers late is taken for mute too.
  assert.ok(asked >= 1 && asked <= 3, `${asked}`);
});

Deno.test("mailbox.watch: to whoever has the capability, as many at once as may, until the queue is no more", async () => {
  await using store = memoryMailboxStore(limits);
  const box = mailbox({ store });
  const { rid, sid, rcap, scap, kind, read } = newQueue();
  const today = Math.floor(Date.now() / DAY);
  await store.create({ rid, sid, rcap, scap, kind, used: today });
  const ending = new AbortController();
  const watch = (capability = read.cap, id = rid) => box.watch(id, capability, ending.signal)[Symbol.asyncIterator]();
  for (const wrong of [watch(new Uint8Array(32)), watch(read.cap, sid), watch(rcap)]) {
    await assert.rejects(wrong.next(), { code: "NO_QUEUE" });
  }
  const watching = Array.from({ length: 1024 }, () => watch());
  for (const one of watching) assert.equal((await one.next()).value, 0);
  await assert.rejects(watch().next(), { code: "TOO_BUSY" });
  await watching.pop()!.return!();
  assert.equal((await watch().next()).value, 0);
  ending.abort();
  for (const one of watching) assert.equal((await one.next()).done, true);
});
