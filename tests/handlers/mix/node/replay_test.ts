/**
 * Tags that a node remembers (msg.md §5.2, §7; rows 42, 44).
 *
 * @module
 */
import assert from "node:assert/strict";
import { inspect } from "node:util";
import { systemBytes, x25519Public } from "../../../../core/crypto/mod.ts";
import { MOST_TAGS } from "../../../../handlers/mix/limits.ts";
import { MemoryMixKey } from "../../../../handlers/mix/node/mix_keys.ts";
import { TagTable } from "../../../../handlers/mix/node/replay.ts";
import { makePacket } from "../../../../handlers/mix/packet/packet.ts";
import { unwrap } from "../../../../handlers/mix/packet/unwrap.ts";
import { seeded } from "../../../support/random.ts";
import { nodeOf, through, times } from "../paths.ts";

Deno.test("tags: exact beside a set, while the table doubles; those that differ in one word, and the one of zeros", () => {
  const seed = seeded("mix tags");
  const table = new TagTable(20_000);
  const known = new Set<string>();
  for (let round = 0; round < 40_000; round++) {
    // Of few values a word, so that tags come again, and share words.
    const words = Uint32Array.from(
      { length: 4 },
      () => seed.chance(0.5) ? seed.below(12) : 2 ** 32 - 1 - seed.below(3),
    );
    const tag = new Uint8Array(words.buffer);
    const name = tag.toHex();
    assert.equal(table.add(tag), known.has(name) ? "known" : "new");
    known.add(name);
    assert.equal(table.size, known.size);
  }
  assert.ok(known.size > 5000);
  assert.equal(table.add(times(0, 16)), known.has("00".repeat(16)) ? "known" : "new");
  assert.equal(table.add(times(0, 16)), "known");
  for (const length of [0, 15, 17]) assert.throws(() => table.add(new Uint8Array(length)), RangeError);
  for (const most of [0, -1, 0.5, NaN]) assert.throws(() => new TagTable(most), RangeError);
});

Deno.test("tags: a full table takes no new one, and still knows those that it has (row 44)", () => {
  const table = new TagTable(3000);
  const tags = Array.from({ length: 3001 }, () => systemBytes(16));
  for (const tag of tags.slice(0, 3000)) assert.equal(table.add(tag), "new");
  assert.equal(table.add(tags[3000]), "full");
  assert.equal(table.add(tags[3000]), "full", "it was not remembered");
  for (const tag of tags.slice(0, 3000)) assert.equal(table.add(tag), "known");
  assert.equal(table.size, 3000);
});

Deno.test("tags: 2^21 of a key by default, and no more (row 44)", () => {
  const table = new TagTable();
  const tag = new Uint8Array(16);
  const numbers = new Uint32Array(tag.buffer);
  const add = (number: number) => {
    numbers[2] = number;
    return table.add(tag);
  };
  let taken = 0;
  // The one of zeros too, which lies beside the table.
  while (add(taken) === "new") taken++;
  assert.equal(taken, MOST_TAGS);
  assert.equal(add(taken), "full");
  assert.equal(add(taken - 1), "known");
});

Deno.test("key: a packet is passed once, of several that come at a time too; none by a full table, another epoch, a wiped key", async () => {
  const secret = systemBytes(32);
  const node = nodeOf(secret, times(1), 300);
  const other = nodeOf(systemBytes(32), times(2), 300);
  const packet = () => makePacket(through([node, other], times(3), 300), systemBytes(2692), { random: systemBytes });
  const kinds = async (key: MemoryMixKey, ...packets: { bytes: Uint8Array }[]) => {
    const outs = await Promise.all(packets.map((one) => unwrap(one, { keys: key, now: 0 })));
    return outs.map((out) => out.kind === "refused" ? out.why : out.kind);
  };
  const [a, b, c] = [packet(), packet(), packet()];
  const kept = a.bytes.slice();
  assert.deepEqual(await kinds(node.key, a, a, b), ["forward", "replay", "forward"]);
  assert.deepEqual(a.bytes, kept, "a packet is left as it is");
  const small = new MemoryMixKey(300, secret, { tags: 2 });
  assert.deepEqual(await kinds(small, a, b, c, a), ["forward", "forward", "replay", "replay"]);
  assert.deepEqual(await kinds(new MemoryMixKey(301, secret), a), ["epoch"]);
  // 300 and 44 are one modulo 256: a store of keys holds no two that are.
  assert.deepEqual(await kinds(new MemoryMixKey(44, secret), a), ["forward"]);
  assert.deepEqual(small.publicKey, x25519Public(secret));
  for (const text of [inspect(small), Deno.inspect(small), JSON.stringify(small)]) {
    assert.match(text, /\[redacted\]"?$/);
  }
  small[Symbol.dispose]();
  assert.deepEqual(await kinds(small, packet()), ["epoch"]);
  assert.equal(await small.fresh(systemBytes(16)), false);
  assert.throws(() => new MemoryMixKey(1, systemBytes(31)), RangeError);
});

Deno.test("a packet whose tag could not be remembered is not passed on: what the key throws comes out", async () => {
  const node = nodeOf(systemBytes(32), times(1));
  const { bytes } = makePacket(through([node], times(3)), systemBytes(2692), { random: systemBytes });
  const failing = {
    epoch: 0,
    agree: (alpha: Uint8Array) => node.key.agree(alpha),
    fresh: () => Promise.reject(new Error("disk full")),
  };
  await assert.rejects(unwrap({ bytes }, { keys: { live: () => failing }, now: 0 }), /disk full/);
  const broken = {
    ...failing,
    agree: () => {
      throw new TypeError("a fault of its own");
    },
  };
  await assert.rejects(unwrap({ bytes }, { keys: { live: () => broken }, now: 0 }), TypeError);
});
