/**
 * Pushes that are told: who is too slow is let go after what waits, and nobody else (row 55).
 *
 * @module
 */
import { equal, ok, rejects } from "node:assert/strict";
import { type PushEvent, PushEvents } from "../../../../handlers/git/serve/push/events.ts";

const IDENTITY = { id: "ada", scopes: [], resources: {} };

function eventOf(number: number): PushEvent {
  const updates = Array.from({ length: 1000 }, (_, i) => ({
    name: `refs/heads/${number}/${i}`,
    old: null,
    new: "0".repeat(40),
    forced: false,
  }));
  return { repo: "r", identity: IDENTITY, options: [], updates, at: new Date(0) };
}

Deno.test("push events: one who takes none is let go at a bound of what waits, others get all, in order", async () => {
  const events = new PushEvents();
  events.publish(eventOf(0));
  equal(events.followed, false);
  const [left, slow, quick] = [1, 2, 3].map(() => new AbortController());
  const late = events.follow(slow.signal, () => new Error("too slow"));
  const taking = events.follow(quick.signal, () => new Error("too slow"));
  const gone = events.follow(left.signal, () => new Error("too slow"));
  left.abort();
  equal((await gone.next()).done, true);
  for (let i = 1; i <= 200; i++) {
    events.publish(eventOf(i));
    equal((await taking.next()).value!.updates[0].name, `refs/heads/${i}/0`);
  }
  let taken = 0;
  await rejects(async () => {
    for await (const { updates } of late) equal(updates[0].name, `refs/heads/${++taken}/0`);
  }, /too slow/);
  ok(taken > 10 && taken < 200, `${taken}`);
  quick.abort();
  equal((await taking.next()).done, true);
  equal(events.followed, false);
});
