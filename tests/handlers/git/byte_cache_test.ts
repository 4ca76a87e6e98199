/**
 * The cache of packs and trees (git.md §5.1, §11).
 *
 * @module
 */
import { equal, ok } from "node:assert/strict";
import { ByteCache } from "../../../handlers/git/pack/byte_cache.ts";

Deno.test("ByteCache: holds no more than it may, what is in use stays, what is too large is not kept", () => {
  const cache = new ByteCache<number>(1000);
  cache.set("used", -1, 10);
  cache.set("large", -2, 251);
  equal(cache.get("large"), undefined);
  for (let i = 0; i < 500; i++) {
    cache.set(`${i}`, i, 10);
    equal(cache.get("used"), -1);
    equal(cache.get(`${i}`), i);
  }
  const held = Array.from({ length: 500 }, (_, i) => i).filter((i) => cache.get(`${i}`) === i);
  ok(held.length <= 100 && held.length >= 49, `${held.length} of 10 bytes each`);
  equal(cache.get("0"), undefined);
});

Deno.test("ByteCache: a value that comes again counts once, with its new size", () => {
  const cache = new ByteCache<number>(1000);
  cache.set("kept", 0, 100);
  for (let i = 0; i < 100; i++) cache.set("same", i, 100);
  equal(cache.get("same"), 99);
  equal(cache.get("kept"), 0);
  cache.set("same", 100, 250);
  equal(cache.get("kept"), 0);
  equal(cache.get("same"), 100);
});
