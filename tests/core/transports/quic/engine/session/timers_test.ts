import assert from "node:assert/strict";
import { Timers } from "../../../../../../core/transports/quic/engine/session/timers.ts";
import { seeded } from "../../../../../support/random.ts";

interface Item {
  readonly name: number;
  deadline: number;
}

Deno.test("Timers call who a sorted list calls, whatever moves, comes and goes", () => {
  const random = seeded("Timers");
  const timers = new Timers<Item>();
  const items = Array.from({ length: 200 }, (_, name): Item => ({ name, deadline: Infinity }));
  const waiting = new Set<Item>();
  let now = 0;
  for (let step = 0; step < 20_000; step++) {
    const item = random.pick(items);
    if (random.chance(0.05)) {
      item.deadline = Infinity;
      timers.delete(item);
      waiting.delete(item);
    } else {
      item.deadline = random.chance(0.1) ? Infinity : now + random.below(1000);
      timers.update(item);
      waiting.add(item);
    }
    if (!random.chance(0.2)) continue;
    now += random.below(100);
    const due: Item[] = [];
    const expected = [...waiting].filter(({ deadline }) => deadline <= now);
    const first = Math.min(...[...waiting].map(({ deadline }) => deadline));
    assert.ok(timers.next <= first, `looks at ${timers.next}, too late for ${first}`);
    timers.expire(now, (item) => due.push(item));
    assert.deepEqual(names(due), names(expected));
    for (const { deadline } of due) assert.ok(deadline <= now);
    for (const item of due) waiting.delete(item);
  }
  for (const item of items) timers.delete(item);
  timers.expire(Infinity, () => assert.fail("nothing waits"));
  assert.equal(timers.next, Infinity);
});

Deno.test("Timers keep about one entry for an item whose deadline moves back all the time", () => {
  const timers = new Timers<Item>();
  const item = { name: 0, deadline: 0 };
  let looks = 0;
  for (let now = 0; now < 100_000; now++) {
    item.deadline = now + 1000;
    timers.update(item);
    if (timers.next > now) continue;
    looks++;
    timers.expire(now, () => assert.fail("never due"));
  }
  assert.ok(looks <= 101, `${looks} looks`);
});

function names(items: readonly Item[]): number[] {
  return items.map(({ name }) => name).sort((a, b) => a - b);
}
