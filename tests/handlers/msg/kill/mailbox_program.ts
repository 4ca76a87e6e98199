/**
 * A mailbox that takes in and gives away until it is killed in the middle, and says what it has done.
 *
 * Arguments: its file, the first number, how many send at once.
 *
 * @module
 */
import { sha256 } from "@alknet/core/crypto";
import { openMailboxStore } from "@alknet/handlers/msg";

const [file, first, together] = Deno.args;
const senders = Number(together);
const rid = new Uint8Array(24).fill(1);
const { MAILBOX_LIMITS } = await import("@alknet/handlers/msg");
const store = openMailboxStore(file, { ...MAILBOX_LIMITS, queueItems: 10_000 });
const [sid, rcap, scap] = [new Uint8Array(24).fill(2), new Uint8Array(32), new Uint8Array(32)];
await store.create({ rid, sid, rcap, scap, kind: 0, used: 1 });

/** Says it at once: what is in a buffer when a process dies was never said. */
function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

const body = (n: number): Uint8Array => {
  const bytes = new Uint8Array(1024);
  new DataView(bytes.buffer).setUint32(0, n);
  return bytes;
};

for (let n = Number(first), rounds = 0;; n += senders, rounds++) {
  const storing = Array.from({ length: senders }, (_, i) => n + i).map(async (one) => {
    const outcome = await store.append(rid, {
      kind: 0,
      digest: sha256(body(one)).subarray(0, 16),
      day: 1,
      body: body(one),
    });
    if (outcome === "stored") say(`stored ${one}`);
  });
  // The last ones are on their way: one commit was said of all of them, or of none.
  if (rounds >= 10) {
    await Promise.race(storing);
    Deno.kill(Deno.pid, "SIGKILL");
  }
  await Promise.all(storing);
  const [oldest] = store.after(rid, 0n, 1);
  await store.ack(rid, oldest.seq);
  say(`gone ${new DataView(oldest.body.buffer, oldest.body.byteOffset).getUint32(0)}`);
}
