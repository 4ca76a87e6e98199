/**
 * A pool of processes: one for each guest, and none for two.
 *
 * @module
 */
import { GuestPool, ProcessGuest } from "@alknet/runtime";
import assert from "node:assert/strict";
import { childrenOf } from "../support/proc.ts";

const linux = { ignore: Deno.build.os !== "linux" };

Deno.test({
  name: "guest pool: each guest has a process of its own, which ends with it; those that wait end with the pool",
  ...linux,
  async fn() {
    const before = new Set(childrenOf(Deno.pid));
    const own = () => childrenOf(Deno.pid).filter((pid) => !before.has(pid));
    const seen: number[] = [];
    {
      await using pool = new GuestPool(2);
      for (let times = 0; times < 4; times++) {
        const spawned = await pool.take();
        seen.push(spawned.process.pid);
        await using guest = await ProcessGuest.start({}, Promise.resolve(spawned));
        assert.equal(await guest.evaluate("typeof left"), "undefined");
        await guest.evaluate("globalThis.left = 1");
      }
      assert.equal(new Set(seen).size, 4);
      assert.deepEqual(own().filter((pid) => seen.includes(pid)), []);
      while (own().length < 2) await new Promise((resolve) => setTimeout(resolve, 10));
      assert.equal(own().length, 2);
    }
    assert.deepEqual(own(), []);
  },
});

Deno.test({
  name: "guest pool: a process that ended while it waited is passed over",
  ...linux,
  async fn() {
    await using pool = new GuestPool(1);
    const first = await pool.take();
    // The one that waits now is ended from outside, and is known to have ended when the process is gone.
    const before = new Set([first.process.pid]);
    let waiting: number[] = [];
    while (waiting.length === 0) {
      waiting = childrenOf(Deno.pid).filter((pid) => !before.has(pid));
      await new Promise((resolve) => setTimeout(resolve));
    }
    for (const pid of waiting) Deno.kill(pid, "SIGKILL");
    while (childrenOf(Deno.pid).some((pid) => waiting.includes(pid))) {
      await new Promise((resolve) => setTimeout(resolve));
    }
    await using one = await ProcessGuest.start({}, Promise.resolve(first));
    await using two = await ProcessGuest.start({}, pool.take());
    assert.deepEqual([await one.evaluate("1"), await two.evaluate("2")], [1, 2]);
  },
});

Deno.test("guest pool: a guest that cannot be given its grants leaves no process; a size that is none is refused", async () => {
  await using pool = new GuestPool(1);
  const refused = ProcessGuest.start({ allowFetch: { origins: ["nonsense"] } }, pool.take());
  await assert.rejects(refused, { code: "E_REFUSED" });
  await assert.rejects(ProcessGuest.start({ limits: { memory: 1 } }, pool.take()), RangeError);
  for (const size of [0, 1.5, 65, NaN]) assert.throws(() => new GuestPool(size), RangeError);
});
