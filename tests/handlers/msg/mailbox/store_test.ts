/**
 * What keeps a mailbox, in memory and in SQLite: one suite; one commit for what comes together; a sweep that lets others
 * through (msg.md §4; rows 26, 30, 32, 35).
 *
 * @module
 */
import assert from "node:assert/strict";
import { sha256, systemBytes } from "@alknet/core/crypto";
import {
  MAILBOX_LIMITS,
  type MailboxLimits,
  type MailboxStore,
  memoryMailboxStore,
  openMailboxStore,
} from "@alknet/handlers/msg";
import { needs } from "../../../support/programs.ts";
import { temporaryFolder } from "../../../support/temp.ts";
import { envelope, newQueue, type OwnQueue } from "./serving.ts";

const STORES: Readonly<Record<string, (file: string, limits: MailboxLimits) => MailboxStore>> = {
  memory: (_, limits) => memoryMailboxStore(limits),
  SQLite: openMailboxStore,
};

const rowOf = ({ rid, sid, rcap, scap, kind }: OwnQueue, used: number) => ({ rid, sid, rcap, scap, kind, used });
const itemOf = (body: Uint8Array, day = 1) => ({ kind: 0 as const, digest: sha256(body).subarray(0, 16), day, body });
/** A body that is like no other. */
const numbered = (n: number, size = 1024): Uint8Array => {
  const bytes = new Uint8Array(size);
  new DataView(bytes.buffer).setUint32(0, n);
  return bytes;
};
const numbers = (store: MailboxStore, { rid }: OwnQueue): number[] =>
  store.after(rid, 0n, 1000).map(({ body }) => body[0]);

for (const [name, open] of Object.entries(STORES)) {
  Deno.test(`${name} store: queues, items, keys, and what lies in it all the while (row 26)`, async () => {
    await using folder = await temporaryFolder();
    const limits = { ...MAILBOX_LIMITS, queueItems: 4, contactItems: 2, queues: 2, bytes: 8192 };
    await using store = open(folder.join("mailbox.sqlite"), limits);
    const [queue, contact, third] = [newQueue(), newQueue(1), newQueue()];
    assert.deepEqual(await Promise.all([store.create(rowOf(queue, 1)), store.create(rowOf(contact, 1))]), [
      "created",
      "created",
    ]);
    assert.equal(await store.create(rowOf(queue, 2)), "same");
    assert.equal(await store.create({ ...rowOf(queue, 1), scap: systemBytes(32) }), "conflict");
    assert.equal(await store.create({ ...rowOf(third, 1), sid: queue.sid }), "conflict");
    assert.equal(await store.create(rowOf(third, 1)), "full");
    assert.deepEqual(Object.values(store.find("sid", contact.sid)!).at(-1), 1);
    assert.equal(store.find("rid", contact.sid), undefined);
    // All at once: each is judged after those before it.
    const outcomes = await Promise.all([
      ...[1, 2, 2, 3, 4, 5].map((n) => store.append(queue.rid, itemOf(envelope(n)))),
      ...[1, 2, 3].map((n) => store.append(contact.rid, itemOf(envelope(n)))),
      store.append(third.rid, itemOf(envelope(1))),
    ]);
    assert.deepEqual(outcomes, [
      ...["stored", "stored", "same", "stored", "stored", "quota"],
      ...["stored", "stored", "quota"],
      "gone",
    ]);
    assert.deepEqual({ ...store.held }, { queues: 2, items: 6, bytes: 6 * 1024 });
    await Promise.all([store.ack(queue.rid, 2n), store.ack(queue.rid, 2n), store.ack(contact.rid, 3n)]);
    assert.deepEqual(numbers(store, queue), [1, 3, 4]);
    assert.deepEqual(store.after(queue.rid, 1n, 1).map(({ seq }) => seq), [3n]);
    assert.deepEqual([store.waiting(queue.rid), store.waiting(third.rid)], [3, 0]);
    assert.equal(await store.append(queue.rid, itemOf(envelope(6, 4096))), "full");
    assert.equal(await store.append(queue.rid, itemOf(envelope(6, 2048))), "stored");
    // A number is never given twice.
    assert.deepEqual(store.after(queue.rid, 4n, 9).map(({ seq }) => seq), [5n]);
    const keys = [9, 4].map((id) => ({ id, key: systemBytes(32) }));
    assert.equal(await store.takePrekeys(queue.rid), undefined);
    assert.equal(await store.putPrekeys(queue.rid, { bundle: envelope(1, 262), keys }), 2);
    assert.equal(
      await store.putPrekeys(queue.rid, { keys: Array.from({ length: 199 }, (_, i) => ({ ...keys[0], id: 10 + i })) }),
      "quota",
    );
    const taken = await Promise.all([1, 2, 3].map(() => store.takePrekeys(queue.rid)));
    assert.deepEqual(taken.map((body) => body!.subarray(262, 267).toHex()), ["0100000004", "0100000009", "00"]);
    await store.drop(queue.rid);
    await store.drop(queue.rid);
    assert.deepEqual({ ...store.held }, { queues: 1, items: 2, bytes: 2048 });
    await store.sweep(200);
    assert.deepEqual({ ...store.held }, { queues: 0, items: 0, bytes: 0 });
  });

  Deno.test(`${name} store, sweep: what is old goes some at a time, and others are served between (row 32)`, async () => {
    await using folder = await temporaryFolder();
    const limits = { ...MAILBOX_LIMITS, queueItems: 2000 };
    await using store = open(folder.join("mailbox.sqlite"), limits);
    const [queue, read] = [newQueue(), newQueue()];
    for (const one of [queue, read]) await store.create(rowOf(one, 100));
    const old = Array.from({ length: 1000 }, (_, n) => itemOf(numbered(n), 69));
    assert.ok((await Promise.all(old.map((item) => store.append(queue.rid, item)))).every((one) => one === "stored"));
    await store.append(queue.rid, itemOf(envelope(1, 2048), 70));
    const left: number[] = [];
    let isOver = false;
    const sweeping = store.sweep(100).then(() => isOver = true);
    for (let n = 0; !isOver; n++) {
      assert.equal(await store.append(read.rid, itemOf(numbered(n), 100)), "stored");
      left.push(store.waiting(queue.rid));
    }
    await sweeping;
    assert.ok(new Set(left).size > 3, `${left}`);
    assert.deepEqual(numbers(store, queue), [1]);
    // Whatever was swept is counted out.
    assert.equal(store.held.items, store.waiting(queue.rid) + store.waiting(read.rid));
  });
}

/** Commits that a write-ahead log has: frames that say how large the database is after them (https://sqlite.org/fileformat.html §4.1). */
async function commitsOf(file: string): Promise<number> {
  const bytes = await Deno.readFile(`${file}-wal`);
  const view = new DataView(bytes.buffer);
  const page = view.getUint32(8);
  let commits = 0;
  for (let at = 32; at + 24 + page <= bytes.byteLength; at += 24 + page) {
    const isOfThisRun = view.getUint32(at + 8) === view.getUint32(16) && view.getUint32(at + 12) === view.getUint32(20);
    if (isOfThisRun && view.getUint32(at + 4) > 0) commits++;
  }
  return commits;
}

Deno.test("SQLite store: 64 that send at once, and 64 that acknowledge, are one commit each, and answered behind it (row 30)", async () => {
  await using folder = await temporaryFolder();
  const file = folder.join("mailbox.sqlite");
  await using store = openMailboxStore(file);
  const queues = Array.from({ length: 64 }, () => newQueue());
  await Promise.all(queues.map((queue) => store.create(rowOf(queue, 1))));
  const before = await commitsOf(file);
  let answered = 0;
  const sending = queues.map(async ({ rid }) => {
    await store.append(rid, itemOf(envelope(1)));
    answered++;
  });
  assert.equal(answered, 0);
  await sending[0];
  assert.equal(await commitsOf(file), before + 1);
  await Promise.all(sending);
  assert.equal(await commitsOf(file), before + 1);
  await Promise.all(queues.map(({ rid }) => store.ack(rid, 1n)));
  assert.equal(await commitsOf(file), before + 2);
  // More than one commit holds.
  await Promise.all(
    Array.from({ length: 300 }, (_, n) => store.append(queues[n % 64].rid, itemOf(numbered(n)))),
  );
  assert.equal(await commitsOf(file), before + 4);
});

Deno.test({
  name:
    "SQLite store: a full disk is FULL for those who send; what was stored is read, and with some room it goes on (row 35)",
  ...needs("linux", "root"),
  async fn(t) {
    await using folder = await temporaryFolder();
    const path = folder.join("disk");
    await Deno.mkdir(path);
    const run = (program: string, ...args: string[]) =>
      new Deno.Command(program, { args, stdout: "null", stderr: "null" }).output();
    const mounted = await run("mount", "-t", "tmpfs", "-o", "size=4m", "none", path).catch(() => undefined);
    await t.step({
      name: "a file system of 4 MiB",
      ignore: !mounted?.success,
      async fn() {
        await using _ = { [Symbol.asyncDispose]: async () => void await run("umount", path) };
        await fill(`${path}/mailbox.sqlite`, () => run("mount", "-o", "remount,size=8m", path));
      },
    });
  },
});

async function fill(file: string, grow: () => Promise<unknown>): Promise<void> {
  const limits = { ...MAILBOX_LIMITS, queueItems: 10_000 };
  const queue = newQueue();
  const there = (store: MailboxStore): number[] =>
    store.after(queue.rid, 0n, 10_000).map(({ body }) => new DataView(body.buffer, body.byteOffset).getUint32(0));
  const stored: number[] = [];
  {
    await using store = openMailboxStore(file, limits);
    await store.create(rowOf(queue, 1));
    let outcome = "stored";
    for (let n = 0; outcome === "stored"; n++) {
      outcome = await store.append(queue.rid, itemOf(numbered(n, 16384)));
      if (outcome === "stored") stored.push(n);
    }
    assert.equal(outcome, "full");
    assert.ok(stored.length > 20, `${stored.length}`);
    assert.equal(await store.append(queue.rid, itemOf(numbered(5000, 16384))), "full");
    assert.equal(await store.create(rowOf(newQueue(), 1)), "full");
    assert.deepEqual(there(store), stored);
    assert.equal(store.held.items, stored.length);
  }
  await using store = openMailboxStore(file, limits);
  assert.deepEqual(there(store), stored);
  // Even what is taken away takes room first. Nothing was changed, and with some room it goes on.
  await assert.rejects(store.ack(queue.rid, 1n), { code: "DISK_FULL" });
  assert.deepEqual(there(store), stored);
  await grow();
  for (let n = 0; n < 20; n++) await store.ack(queue.rid, BigInt(n + 1));
  assert.equal(await store.append(queue.rid, itemOf(numbered(5000, 16384))), "stored");
  assert.deepEqual(there(store), [...stored.slice(20), 5000]);
}
