/**
 * A map that remembers what was used lately, at a cost that does not grow with what it holds.
 *
 * @module
 */
import { equal, ok } from "node:assert/strict";
import { RecentMap } from "@alknet/core/handler";
import { seeded } from "../support/random.ts";

Deno.test("RecentMap: what was used among the last half of its bound is there, and never more than its bound", () => {
  const map = new RecentMap<number, string>({ most: 100 });
  for (let n = 0; n < 10_000; n++) {
    map.set(n, `${n}`);
    ok(map.size <= 100);
    equal(map.get(0), "0", "used again and again");
    for (let back = 0; back < Math.min(n, 40); back++) equal(map.get(n - back), `${n - back}`);
    equal(map.get(n - 200 === 0 ? 1 : n - 200), undefined);
  }
  equal(map.cost, map.size);
});

Deno.test("RecentMap: costs are summed up, whatever is set, replaced, deleted, found", () => {
  const random = seeded("recent map");
  const costOf = (key: number, value: { cost: number }) => key % 3 + value.cost;
  const map = new RecentMap<number, { cost: number }>({ most: 1000, costOf });
  const model = new Map<number, { cost: number }>();
  for (let step = 0; step < 5000; step++) {
    const key = random.below(80);
    const what = random.below(3);
    if (what === 0) {
      const value = { cost: random.below(30) + 1 };
      map.set(key, value);
      model.set(key, value);
    } else if (what === 1) {
      const there = map.delete(key);
      ok(!there || model.has(key));
      model.delete(key);
    } else {
      const found = map.get(key);
      if (found) equal(found, model.get(key));
    }
    ok(map.cost <= 1000 + 32, `${map.cost}`);
  }
  for (const [key, value] of model) {
    const { cost, size } = map;
    const there = map.delete(key);
    equal(cost - map.cost, there ? costOf(key, value) : 0);
    equal(size - map.size, there ? 1 : 0);
  }
  equal(map.cost, 0);
  equal(map.size, 0);
});
