/**
 * `alknet/msg`: what a mailbox keeps, gives and refuses (msg.md §4, §7; rows 27 to 30, 32 to 34, 37, 64).
 *
 * @module
 */
import assert from "node:assert/strict";
import { joined, systemBytes } from "@alknet/core/crypto";
import type { Connection } from "@alknet/core/handler";
import { type Arrival, openMailboxStore } from "@alknet/handlers/msg";
import { DatabaseSync } from "node:sqlite";
import { formatRequest, type Request } from "../../../../handlers/msg/mailbox/frames.ts";
import { temporaryFolder } from "../../../support/temp.ts";
import { envelope, newQueue, type OwnQueue, served } from "./serving.ts";

const stop = { signal: new AbortController().signal };

async function all(arrivals: AsyncIterable<Arrival>, ack = true): Promise<number[]> {
  const seen: number[] = [];
  for await (const { bytes, ack: take } of arrivals) {
    seen.push(bytes[0]);
    if (ack) await take();
  }
  return seen;
}

/** Sends frames, and gives what comes back until so many bytes are there or the stream ends. */
async function raw(connection: Connection, bytes: Uint8Array, wanted: number): Promise<string> {
  const { readable, writable } = await connection.open();
  const writer = writable.getWriter();
  writer.write(bytes).catch(() => {});
  const reader = readable.getReader();
  let got = new Uint8Array();
  while (got.byteLength < wanted) {
    const { value, done } = await reader.read().catch(() => ({ value: undefined, done: true }));
    if (done || !value) break;
    got = joined(got, value);
  }
  return got.toHex();
}

Deno.test("frames: ACK and its OK, an unknown queue, byte for byte (msg.md §4)", async () => {
  await using folder = await temporaryFolder();
  await using store = openMailboxStore(folder.join("mailbox.sqlite"));
  await using box = served({ store, open: true });
  const queue = newQueue();
  await using client = box.client();
  await client.create("m", queue, stop);
  const ack = joined(
    Uint8Array.fromHex("000000450500000002"),
    queue.read.id,
    queue.read.cap,
    Uint8Array.fromHex("0000000000000001"),
  );
  assert.deepEqual(formatRequest({ type: "ack", rid: queue.read.id, rcap: queue.read.cap, seq: 1n }, 2), ack);
  assert.equal(await raw(box.connect(), ack, 9), "000000058000000002");
  const unknown = formatRequest({ type: "take", sid: systemBytes(24), scap: systemBytes(32) }, 4);
  const answer = "0000000b8f00000004000200000000";
  assert.equal(await raw(box.connect(), unknown, 15), answer);
  // A wrong capability is told apart by nothing, and both are failed authentications.
  const wrong = formatRequest({ type: "take", sid: queue.sid, scap: systemBytes(32) }, 4);
  assert.equal(await raw(box.connect(), wrong, 15), answer);
  assert.equal(box.failures, 2);
  assert.match(await raw(box.connect(), formatRequest({ type: "info" }, 3), 30), /^[0-9a-f]{8}85000000037b22/);
});

Deno.test("NEW: denied to whoever is not named; to the node's own key, by scope, open; again, in conflict (row 27)", async () => {
  await using folder = await temporaryFolder();
  await using store = openMailboxStore(folder.join("mailbox.sqlite"), undefined);
  await using box = served({ store, own: "ed25519:aa" });
  const queue = newQueue();
  for (
    const coming of [{}, { fingerprint: "ed25519:bb" }, { identity: { id: "ann", scopes: ["mailbox"], resources: {} } }]
  ) {
    await using client = box.client(coming);
    await assert.rejects(client.create("m", queue, stop), { code: "MAILBOX_FORBIDDEN" });
  }
  for (
    const coming of [{ fingerprint: "ed25519:aa" }, {
      identity: { id: "ann", scopes: ["mailbox:create"], resources: {} },
    }]
  ) {
    await using client = box.client(coming);
    await client.create("m", queue, stop);
    await client.create("m", queue, stop);
    await assert.rejects(client.create("m", { ...queue, rcap: systemBytes(32) }, stop), { code: "MAILBOX_CONFLICT" });
    await assert.rejects(client.create("m", { ...newQueue(), sid: queue.sid }, stop), { code: "MAILBOX_CONFLICT" });
  }
});

for (const singleStream of [false, true]) {
  Deno.test(`SEND, GET, ACK over ${singleStream ? "one stream" : "several"}: in order, once, also after the store was closed (row 30)`, async () => {
    await using folder = await temporaryFolder();
    const file = folder.join("mailbox.sqlite");
    const queue = newQueue();
    {
      await using store = openMailboxStore(file);
      await using box = served({ store, open: true });
      await using client = box.client({ singleStream });
      await client.create("m", queue, stop);
      await Promise.all([1, 2, 3].map((byte) => client.send(queue.write, envelope(byte), stop)));
      await client.send(queue.write, envelope(2), stop);
      await client.send(queue.write, envelope(4, 16384), stop);
      assert.deepEqual(await all(client.receive([queue.read], stop), false), [1]);
      for await (const { bytes, ack } of client.receive([queue.read], stop)) {
        assert.equal(bytes[0], 1);
        await ack();
        await ack();
        break;
      }
    }
    assert.equal(Deno.statSync(file).mode! & 0o777, 0o600);
    await using store = openMailboxStore(file);
    await using box = served({ store });
    await using client = box.client({ singleStream });
    assert.deepEqual(await all(client.receive([queue.read], stop)), [2, 3, 4]);
    assert.deepEqual(await all(client.receive([queue.read], stop)), []);
    await client.drop(queue.read, stop);
    await assert.rejects(client.send(queue.write, envelope(1), stop), { code: "MAILBOX_NO_QUEUE" });
  });
}

Deno.test("PUT, TAKE: the key of the least id once, then none; 201 keys are QUOTA; no bundle, no keys (row 64)", async () => {
  await using folder = await temporaryFolder();
  await using store = openMailboxStore(folder.join("mailbox.sqlite"));
  await using box = served({ store, open: true });
  await using client = box.client();
  const queue = newQueue(1);
  await client.create("m", queue, stop);
  await assert.rejects(client.takeBundle(queue.write, stop), { code: "MAILBOX_NO_PREKEYS" });
  const key = (id: number) => ({ id, key: systemBytes(32) });
  const keys = [key(3), key(2)];
  assert.equal(await client.publish(queue.read, { bundle: envelope(9, 262), keys }, stop), 2);
  assert.equal(await client.publish(queue.read, { keys: [{ id: 2, key: systemBytes(32) }] }, stop), 2);
  assert.equal(await client.publish(queue.read, { keys: [] }, stop), 2);
  const body = await client.takeBundle(queue.write, stop);
  assert.deepEqual(body, joined(envelope(9, 262), Uint8Array.of(1, 0, 0, 0, 2), keys[1].key));
  assert.equal((await client.takeBundle(queue.write, stop)).subarray(262, 267).toHex(), "0100000003");
  assert.equal((await client.takeBundle(queue.write, stop)).subarray(262).toHex(), "00");
  const many = Array.from({ length: 200 }, (_, i) => key(i + 10));
  assert.equal(await client.publish(queue.read, { keys: many }, stop), 200);
  await assert.rejects(client.publish(queue.read, { keys: [key(999)] }, stop), { code: "MAILBOX_QUOTA" });
});

Deno.test("limits: item 129, 33 of a token's queue, bytes, queues, class; what is old goes (rows 32, 35)", async () => {
  await using folder = await temporaryFolder();
  const limits = {
    queueItems: 3,
    contactItems: 2,
    bytes: 8192,
    queues: 3,
    sendRate: 1000,
    contactRate: 1000,
    frames: 10_000,
  };
  const { MAILBOX_LIMITS } = await import("@alknet/handlers/msg");
  await using store = openMailboxStore(folder.join("mailbox.sqlite"), { ...MAILBOX_LIMITS, ...limits });
  let day = 20_000;
  let now = 0;
  const clock = { now: () => now, wall: () => day * 86_400_000 };
  await using box = served({ store, open: true, limits, clock });
  await using client = box.client();
  const [queue, contact, big] = [newQueue(), newQueue(1), newQueue()];
  for (const one of [queue, contact, big]) await client.create("m", one, stop);
  await assert.rejects(client.create("m", newQueue(), stop), { code: "MAILBOX_FULL" });
  const sends = (to: OwnQueue, byte: number, size?: number) => client.send(to.write, envelope(byte, size), stop);
  for (const byte of [1, 2, 3]) await sends(queue, byte);
  await assert.rejects(sends(queue, 4), { code: "MAILBOX_QUOTA" });
  await sends(queue, 3);
  for (const byte of [1, 2]) await sends(contact, byte);
  await assert.rejects(sends(contact, 3), { code: "MAILBOX_QUOTA" });
  await assert.rejects(sends(big, 1, 8192), { code: "MAILBOX_FULL" });
  await assert.rejects(sends(big, 1, 1000), { code: "MAILBOX_CLASS" });
  for await (const { ack } of client.receive([queue.read], stop)) {
    await ack();
    break;
  }
  await sends(queue, 4);
  // Thirty days on all is there, a day later the items are gone; unread for 90 days, the queue.
  const later = async (days: number) => {
    day = 20_000 + days;
    now += 3_600_000;
    await using next = box.client();
    return await all(next.receive([queue.read], stop), false);
  };
  assert.deepEqual(await later(30), [2]);
  assert.deepEqual(await later(31), []);
  assert.deepEqual(await later(121), []);
  await assert.rejects(later(212), { code: "MAILBOX_NO_QUEUE" });
});

Deno.test("rates: SEND, TAKE, frames of an address, NEW: at the rate and burst, above is RATE, later OK (row 33)", async () => {
  await using folder = await temporaryFolder();
  await using store = openMailboxStore(folder.join("mailbox.sqlite"));
  let now = 0;
  const clock = { now: () => now, wall: () => 20_000 * 86_400_000 };
  await using box = served({ store, open: true, limits: { sendRate: 2, takeRate: 1, newRate: 1, frames: 50 }, clock });
  await using client = box.client();
  const [queue, other] = [newQueue(), newQueue()];
  await client.create("m", queue, stop);
  await client.create("m", other, stop);
  await assert.rejects(client.create("m", newQueue(), stop), { code: "MAILBOX_RATE" });
  for (const byte of [1, 2, 3, 4]) await client.send(queue.write, envelope(byte), stop);
  await assert.rejects(client.send(queue.write, envelope(5), stop), /RATE|asked too often; again in 30 s/);
  await client.send(other.write, envelope(5), stop);
  await client.publish(queue.read, { bundle: envelope(1, 262), keys: [] }, stop);
  for (const _ of [1, 2]) await client.takeBundle(queue.write, stop);
  await assert.rejects(client.takeBundle(queue.write, stop), { code: "MAILBOX_RATE" });
  now += 30_000;
  await client.send(queue.write, envelope(5), stop);
  await assert.rejects(client.takeBundle(queue.write, stop), { code: "MAILBOX_RATE" });
  const outcomes = await Promise.allSettled(
    Array.from({ length: 120 }, (_, i) => i).map(async (i) => {
      // No more at once than a connection may.
      await using one = box.client();
      await one.publish(queue.read, { keys: [] }, stop);
      return i;
    }),
  );
  const refused = outcomes.filter(({ status }) => status === "rejected");
  assert.ok(refused.length > 0 && refused.length < 120, `${refused.length}`);
});

Deno.test("rates: a thousand TAKEs by one who has a token take 12 keys, and nobody else waits for it (row 33)", async () => {
  await using folder = await temporaryFolder();
  await using store = openMailboxStore(folder.join("mailbox.sqlite"));
  let now = 0;
  const clock = { now: () => now, wall: () => 20_000 * 86_400_000 };
  await using box = served({ store, open: true, limits: { frames: 10_000 }, clock });
  await using client = box.client();
  const [drained, other] = [newQueue(1), newQueue(1)];
  for (const queue of [drained, other]) {
    await client.create("m", queue, stop);
    const keys = Array.from({ length: 100 }, (_, i) => ({ id: i + 1, key: systemBytes(32) }));
    await client.publish(queue.read, { bundle: envelope(1, 262), keys }, stop);
  }
  await using thief = box.client();
  let taken = 0;
  for (let n = 0; n < 1000; n++) {
    const outcome = await thief.takeBundle(drained.write, stop).catch(({ code }) => code as string);
    if (typeof outcome === "string") assert.equal(outcome, "MAILBOX_RATE");
    else taken++;
  }
  assert.equal(taken, 12);
  assert.equal(await client.publish(drained.read, { keys: [] }, stop), 88);
  await client.send(drained.write, envelope(1), stop);
  await client.takeBundle(other.write, stop);
  now += 3_600_000 / 6;
  await thief.takeBundle(drained.write, stop);
  await assert.rejects(thief.takeBundle(drained.write, stop), { code: "MAILBOX_RATE" });
});

Deno.test("a queue that is not there and a wrong capability cost the same look-ups, and say the same (row 28)", async () => {
  await using store = openMailboxStore(":memory:");
  let looked = 0;
  const counted = new Proxy(store, {
    get(target, name) {
      if (name === "find") looked++;
      const value = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  await using box = served({ store: counted, open: true });
  const queue = newQueue();
  await using client = box.client();
  await client.create("m", queue, stop);
  const [rid, sid, cap] = [systemBytes(24), systemBytes(24), systemBytes(32)];
  const reading = (rid: Uint8Array): Request[] => [
    { type: "sub", rid, rcap: cap, window: 1 },
    { type: "get", rid, rcap: cap, flags: 1 },
    { type: "ack", rid, rcap: cap, seq: 1n },
    { type: "drop", rid, rcap: cap },
    { type: "put", rid, rcap: cap, keys: [] },
  ];
  const sending = (sid: Uint8Array): Request[] => [
    { type: "send", sid, scap: cap, envelope: envelope(1) },
    { type: "take", sid, scap: cap },
  ];
  // The id of the other side names nothing.
  const unknown = [...reading(rid), ...sending(sid), ...reading(queue.sid), ...sending(queue.rid)];
  for (const request of [...unknown, ...reading(queue.rid), ...sending(queue.sid)]) {
    const [before, failures] = [looked, box.failures];
    assert.equal(
      await raw(box.connect(), formatRequest(request, 4), 15),
      "0000000b8f00000004000200000000",
      request.type,
    );
    assert.deepEqual([looked, box.failures], [before + 1, failures + 1], request.type);
  }
});

Deno.test("frames: wrong lengths close with 1, a running id too, 65 requests at once with 2; types are refused (row 34)", async () => {
  await using folder = await temporaryFolder();
  await using store = openMailboxStore(folder.join("mailbox.sqlite"));
  await using box = served({ store, open: true, limits: { frames: 100_000, sendRate: 100_000 } });
  const queue = newQueue();
  await using client = box.client();
  await client.create("m", queue, stop);
  for (const hex of ["00000004", "ffffffff", "00005001"]) {
    const connection = box.connect();
    await raw(connection, Uint8Array.fromHex(hex + "00".repeat(8)), 1000);
    assert.equal((await connection.closed).code, 1, hex);
  }
  const send = (id: number): Uint8Array => {
    const request: Request = { type: "send", sid: queue.sid, scap: queue.write.cap, envelope: envelope(id) };
    return formatRequest(request, id);
  };
  const twice = box.connect();
  await raw(twice, joined(send(1), send(1)), 1000);
  assert.equal((await twice.closed).code, 1);
  const many = box.connect();
  await raw(many, joined(...Array.from({ length: 65 }, (_, i) => send(i))), 100_000);
  assert.equal((await many.closed).code, 2);
  const few = box.connect();
  const answers = await raw(few, joined(...Array.from({ length: 64 }, (_, i) => send(i))), 64 * 9);
  assert.equal(answers.length, 64 * 9 * 2);
  // What is of no type that is served is told so; the connection goes on.
  assert.equal(await raw(few, Uint8Array.fromHex("000000057f00000007"), 15), "0000000b8f00000007000100000000");
  // A frame in pieces of one byte is one.
  const slow = box.connect();
  const { readable, writable } = await slow.open();
  const writer = writable.getWriter();
  for (const byte of send(9)) writer.write(Uint8Array.of(byte)).catch(() => {});
  const { value } = await readable.getReader().read();
  assert.equal(value!.toHex(), "000000058000000009");
  slow.close();
  few.close();
});

Deno.test("GET, padded: full and empty are 3209 bytes, what is larger waits (row 37)", async () => {
  await using folder = await temporaryFolder();
  await using store = openMailboxStore(folder.join("mailbox.sqlite"));
  await using box = served({ store, open: true });
  await using client = box.client();
  const queue = newQueue();
  await client.create("m", queue, stop);
  const get = formatRequest({ type: "get", rid: queue.rid, rcap: queue.read.cap, flags: 1 }, 1);
  const asked = async () => {
    const connection = box.connect();
    const answer = await raw(connection, get, 3209);
    connection.close();
    return answer;
  };
  assert.match(await asked(), /^00000c8582000000010{6400}$/);
  await client.send(queue.write, envelope(7, 4096), stop);
  assert.match(await asked(), /^00000c85820{7}1/);
  await client.send(queue.write, envelope(8, 2048), stop);
  const full = await asked();
  assert.equal(full.length, 3209 * 2);
  assert.match(full, /^00000c858100000001/);
});

Deno.test("what a mailbox keeps: ids, hashes, envelopes, keys and days; no identity, address or time of day (row 29)", async () => {
  await using folder = await temporaryFolder();
  const file = folder.join("mailbox.sqlite");
  const queue = newQueue(1);
  {
    await using store = openMailboxStore(file);
    await using box = served({ store });
    const identity = { id: "identity-of-ann", scopes: ["mailbox:create"], resources: {} };
    await using client = box.client({ fingerprint: "ed25519:fingerprint-of-ann", identity });
    await client.create("m", queue, stop);
    await client.send(queue.write, envelope(1), stop);
    await client.publish(queue.read, { bundle: envelope(2, 262), keys: [{ id: 1, key: systemBytes(32) }] }, stop);
    for await (const _ of client.receive([queue.read], stop)) break;
  }
  using database = new DatabaseSync(file) as DatabaseSync & Disposable;
  const tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all();
  assert.deepEqual(tables.map(({ name }) => name).sort(), ["item", "prekey", "queue"]);
  for (const { name } of tables) {
    for (const value of database.prepare(`SELECT * FROM ${name}`).all().flatMap((row) => Object.values(row))) {
      // Days since 1970 are five digits; seconds are more.
      assert.ok(value instanceof Uint8Array || typeof value === "number" && value < 100_000, `${name} has ${value}`);
    }
  }
  const bytes = new TextDecoder("latin1").decode(await Deno.readFile(file));
  for (const secret of ["of-ann", "127.0.0.1", "::1"]) assert.ok(!bytes.includes(secret), secret);
  // Neither capability is there, only their hashes.
  const latin1 = (secret: Uint8Array) => new TextDecoder("latin1").decode(secret);
  assert.ok(bytes.includes(latin1(queue.scap)));
  for (const secret of [queue.read.cap, queue.write.cap]) assert.ok(!bytes.includes(latin1(secret)));
});
