/**
 * Memory of a mailbox with many queues, and of those that are listened to: bytes that each added, as JSON.
 *
 * ```text
 * deno run -A tests/bench/msg_memory.ts make FILE 100000 10000
 * deno run -A --v8-flags=--expose-gc tests/bench/msg_memory.ts measure FILE 100000 10000
 * ```
 *
 * @module
 */
import { memoryPair } from "@alknet/core/handler";
import { mailbox, MAILBOX_LIMITS, openMailboxStore } from "@alknet/handlers/msg";
import { sha256, systemBytes as random } from "@alknet/core/crypto";
import { formatRequest, framesOf } from "../../handlers/msg/mailbox/frames.ts";
import { contextOf } from "../handlers/context.ts";

const A_CONNECTION = 1000;
/** One capability for all: what is measured does not depend on it. */
const CAP = new Uint8Array(32);

const today = Math.floor(Date.now() / 86_400_000);
const [what, file] = Deno.args;
const [queues, subscriptions] = Deno.args.slice(2).map(Number);
const limits = { ...MAILBOX_LIMITS, frames: 1e9 };

if (what === "make") {
  await using store = openMailboxStore(file, limits);
  for (let made = 0; made < queues; made += 1000) {
    await Promise.all(Array.from({ length: 1000 }, (_, i) => {
      const rid = ridOf(made + i);
      return store.create({ rid, sid: random(24), rcap: sha256(CAP), scap: random(32), kind: 0, used: today });
    }));
  }
  Deno.exit(0);
}

const empty = used();
await using store = openMailboxStore(file, limits);
for (let n = 0; n < queues; n++) store.find("rid", ridOf(n));
const withQueues = used();
const stop = new AbortController();
const handler = mailbox({ store, limits });
const connections = [];
for (let n = 0; n < subscriptions; n += A_CONNECTION) {
  const [near, far] = memoryPair("alknet/msg");
  Promise.resolve(handler.handle(far, contextOf(stop.signal))).catch(() => {});
  connections.push(near);
  const { readable, writable } = await near.open();
  const writer = writable.getWriter();
  const frames = framesOf(readable);
  for (let i = 0; i < A_CONNECTION; i++) {
    const rid = ridOf(n + i);
    await writer.write(formatRequest({ type: "sub", rid, rcap: CAP, window: 8 }, i));
    const { value } = await frames.next();
    if (value?.type !== 0x80) throw new Error(`SUB ${n + i} was answered with ${value?.type.toString(16)}`);
  }
}
const listened = used();
console.log(
  JSON.stringify({ queues: withQueues.resident - empty.resident, subscriptions: listened.ours - withQueues.ours }),
);
for (const connection of connections) connection.close();
stop.abort();

function ridOf(n: number): Uint8Array {
  const rid = new Uint8Array(24);
  new DataView(rid.buffer).setUint32(0, n);
  return rid;
}

/** Bytes in use once all that is garbage is gone: SQLite's are in the resident ones alone. */
function used(): { readonly ours: number; readonly resident: number } {
  for (let i = 0; i < 4; i++) (globalThis as unknown as { gc(): void }).gc();
  const { heapUsed, external, rss } = Deno.memoryUsage();
  return { ours: heapUsed + external, resident: rss };
}
