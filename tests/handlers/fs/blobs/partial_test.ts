/**
 * Parts of blobs: what came and was verified stays, is gone on with, and is never taken for the whole (fs.md §5.2).
 *
 * @module
 */
import { type Fs, openFs } from "@alknet/handlers/fs";
import { decode, encode, hashGroup, hashOf, hashPair, MemoryOutboard } from "@alknet/handlers/fs/bao";
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { GroupSet } from "../../../../handlers/fs/blobs/partial/group_set.ts";
import { readBits, writeBits } from "../../../../handlers/fs/blobs/partial/bits.ts";
import { seeded } from "../../../support/random.ts";
import { temporaryFolder } from "../../../support/temp.ts";
import { diskStore, filesBelow, KINDS, readerOfBytes, sound } from "../stores.ts";
import { joined, pattern, slowEncoding } from "../twin.ts";

Deno.test(".bits: the example, both ways; each bit flipped and each cut is seen (fs.md §5.2)", () => {
  const hash = hashOf(pattern(100_000));
  const groups = new GroupSet();
  for (const group of [0, 2, 3, 6]) groups.add(group);
  const bytes = writeBits(hash, { size: 100_000, groups });
  equal(
    bytes.toHex(),
    "414c4b4249545331a086010000000000d93c23eedaf165a7e0be908ba86f1a7a520d568d2d13cde787c8580c5c72cc544dbd08516ebad81319",
  );
  deepEqual([...readBits(hash, bytes)!.groups.runs()], [[0, 1], [2, 4], [6, 7]]);
  for (let bit = 0; bit < bytes.byteLength * 8; bit++) {
    const flipped = bytes.slice();
    flipped[bit >> 3] ^= 1 << bit % 8;
    equal(readBits(hash, flipped), undefined, `bit ${bit}`);
  }
  for (let length = 0; length < bytes.byteLength; length++) {
    equal(readBits(hash, bytes.subarray(0, length)), undefined, `${length} bytes`);
  }
  equal(readBits(hashOf(pattern(1)), bytes), undefined);
});

Deno.test("GroupSet: like a list of booleans; through .bits and back", () => {
  const random = seeded("groups");
  for (let round = 0; round < 200; round++) {
    const size = random.between(1, 200 * 16384);
    const twin = Array<boolean>(Math.ceil(size / 16384)).fill(false);
    const set = new GroupSet();
    for (let i = random.below(30); i > 0; i--) {
      const from = random.below(twin.length);
      const to = Math.min(twin.length, from + random.between(0, 20));
      set.add(from, to);
      twin.fill(true, from, to);
      equal(set.count, twin.filter((one) => one).length);
    }
    const back = readBits(new Uint8Array(32), writeBits(new Uint8Array(32), { size, groups: set }))!;
    for (const one of [set, back.groups]) deepEqual(twin.map((_, i) => one.has(i)), twin);
    equal(back.size, size);
  }
});

const outboards = new WeakMap<Uint8Array, MemoryOutboard>();

/** Brings a store so many ranges of a blob, and nothing else. */
async function bring({ blobs }: Fs, bytes: Uint8Array, ranges: readonly bigint[]): Promise<number | undefined> {
  let outboard = outboards.get(bytes);
  if (!outboard) outboards.set(bytes, outboard = MemoryOutboard.of(bytes));
  const parts: Uint8Array[] = [];
  const source = { outboard, read: (at: number, length: number) => bytes.subarray(at, at + length) };
  for await (const part of encode(source, ranges)) parts.push(part.slice());
  await using held = await blobs.receive(outboard.root.toHex(), ranges, readerOfBytes(joined(parts)));
  return held?.size;
}

for (const [kind, make] of Object.entries(KINDS)) {
  Deno.test(`${kind} store: parts in any order, some twice, some that are no whole groups, become the blob`, async () => {
    const random = seeded(`${kind} order`);
    for (const size of [16385, 100_000, 3_000_000]) {
      await using store = await make();
      const bytes = random.bytes(size);
      const hash = hashOf(bytes).toHex();
      const groups = Math.ceil(size / 16384);
      const order = Array.from({ length: groups }, (_, i) => i).sort(() => random.chance(0.5) ? 1 : -1);
      const there = new Set<number>();
      for (const [i, group] of order.entries()) {
        const range = [BigInt(group * 16), BigInt(group * 16 + 16)];
        // A part of a group is verified and not kept.
        const last = BigInt(order.at(-1)! * 16);
        if (random.chance(0.2) && size > 20_000) await bring(store.fs, bytes, [last, last + 1n]);
        const whole = await bring(store.fs, bytes, range);
        there.add(group);
        equal(whole, i === groups - 1 ? size : undefined, `${size}: ${i + 1} of ${groups}`);
        if (i === Math.floor(groups / 2) && whole === undefined) await bring(store.fs, bytes, range);
      }
      equal((await store.fs.blobs.status(hash)).state, "complete");
      await using reader = await store.fs.blobs.open(hash);
      deepEqual(await reader.read(0, size), bytes);
    }
  });

  Deno.test(`${kind} store: a claim of another size costs what is not proven, and nothing once it is (row 6)`, async () => {
    await using store = await make();
    const bytes = pattern(100_000);
    const hash = hashOf(bytes).toHex();
    // The same tree on its left, claimed to be longer on its right.
    const longer = slowEncoding(bytes, [0n, 16n]);
    new DataView(longer.buffer).setBigUint64(0, 110_000n, true);
    await rejects(store.fs.blobs.receive(hash, [0n], readerOfBytes(longer)));
    await bring(store.fs, bytes, [0n, 16n]);
    deepEqual((await store.fs.blobs.status(hash)).size, 100_000);
    await bring(store.fs, bytes, [96n]);
    await rejects(store.fs.blobs.receive(hash, [0n, 16n], readerOfBytes(longer)), { code: "HASH_MISMATCH" });
    const { size, have } = await store.fs.blobs.status(hash);
    deepEqual([size, have.join()], [100_000, "0,16,96,98"]);
    equal(await bring(store.fs, bytes, [16n, 96n]), 100_000);
  });
}

Deno.test("disk store: what is there of a part outlives the process; damage to .bits costs only hashing (rows 17, 22)", async () => {
  await using temporary = await temporaryFolder();
  const folder = temporary.join("fs");
  const bytes = seeded("outlives").bytes(3_000_000);
  const hash = hashOf(bytes).toHex();
  const bits = `${folder}/partial/${hash}.bits`;
  const damages: (() => Promise<unknown>)[] = [
    () => Promise.resolve(),
    () => Deno.remove(bits),
    () => Deno.truncate(bits, 20),
    () => Deno.writeFile(bits, new Uint8Array(57)),
  ];
  for (const [i, damage] of damages.entries()) {
    {
      await using fs = await openFs({ folder });
      await bring(fs, bytes, [BigInt(i * 32), BigInt(i * 32 + 16)]);
    }
    await damage();
    await using fs = await openFs({ folder });
    // Something more, so that what is on the disk is looked at.
    await bring(fs, bytes, [2000n, 2016n]);
    const { have } = await fs.blobs.status(hash);
    deepEqual(have.slice(0, -2), Array.from({ length: i + 1 }, (_, j) => [BigInt(j * 32), BigInt(j * 32 + 16)]).flat());
  }
  {
    await using fs = await openFs({ folder });
    // A group whose bytes are damaged is not served, nor what comes after it; the rest is.
    const file = await Deno.open(`${folder}/partial/${hash}.data`, { write: true });
    await file.seek(32 * 1024 + 5, Deno.SeekMode.Start);
    await file.write(new Uint8Array([bytes[32 * 1024 + 5] ^ 1]));
    file.close();
    equal(await served(fs, hash, [0n, 16n]), 16384);
    equal(await served(fs, hash, [0n, 48n]), 16384);
    equal(await served(fs, hash, [16n, 32n]), 0);
  }
  await sound(folder);
});

/** Bytes of a part that a store gives out, each verified. */
async function served({ blobs }: Fs, hash: string, ranges: readonly bigint[]): Promise<number> {
  const parts: Uint8Array[] = [];
  for await (const part of blobs.encode(hash, ranges)) parts.push(part.slice());
  let sum = 0;
  const sink = { leaf: (_: number, bytes: Uint8Array) => void (sum += bytes.byteLength) };
  await decode(Uint8Array.fromHex(hash), ranges, readerOfBytes(joined(parts)), sink).catch((error) => {
    equal(error.code, "ENCODING_CUT");
  });
  return sum;
}

Deno.test("disk store: three groups of what claims to be 1 TiB take a few blocks of the disk (row 29)", async () => {
  await using store = await diskStore();
  // A tree whose left edge is real, under a root that is made to fit.
  const bytes = pattern(3 * 16384);
  const { hash, encoding } = tallTree(bytes, 2 ** 40);
  await rejects(store.fs.blobs.receive(hash, [0n, 48n], readerOfBytes(encoding.subarray(0, encoding.byteLength - 1))));
  const { size, have } = await store.fs.blobs.status(hash);
  deepEqual([size, have.join()], [2 ** 40, "0,32"]);
  equal(await store.fs.blobs.receive(hash, [0n, 48n], readerOfBytes(encoding)), undefined);
  equal((await store.fs.blobs.status(hash)).have.join(), "0,48");
  let blocks = 0;
  for (const name of await filesBelow(`${store.folder}/partial`)) {
    blocks += (await Deno.stat(`${store.folder}/partial/${name}`)).blocks ?? 0;
  }
  ok(blocks * 512 < 16 << 20, `${blocks} blocks`);
});

/** The encoding of the first three groups of a blob of 2^n bytes, the rest of which is known by its hashes alone. */
function tallTree(bytes: Uint8Array, size: number): { hash: string; encoding: Uint8Array } {
  const part = (from: number): Uint8Array => bytes.subarray(from * 16384, (from + 1) * 16384);
  const unknown = new Uint8Array(32).fill(7);
  const leafs = [0, 1, 2].map((i) => ({ cv: hashGroup(part(i), i, false), bytes: part(i) }));
  const pairOf = (left: Uint8Array, right: Uint8Array): Uint8Array => joined([left, right]);
  const [first, second] = [pairOf(leafs[0].cv, leafs[1].cv), pairOf(leafs[2].cv, unknown)];
  const levels = Math.log2(size / 16384);
  // The two lowest pairs, and then the left edge upwards.
  let below: Uint8Array = pairOf(hashPair(first, false), hashPair(second, false));
  const edge = [below];
  for (let level = 2; level < levels; level++) edge.push(below = pairOf(hashPair(below, false), unknown));
  const head = new Uint8Array(8);
  new DataView(head.buffer).setBigUint64(0, BigInt(size), true);
  const encoding = joined([head, ...edge.reverse(), first, leafs[0].bytes, leafs[1].bytes, second, leafs[2].bytes]);
  return { hash: hashPair(below, true).toHex(), encoding };
}

Deno.test("disk store: two streams of one process share a part; another process waits for it, and finds it whole", async () => {
  await using store = await diskStore();
  await using second = await openFs({ folder: store.folder });
  const bytes = seeded("share").bytes(400_000);
  const hash = hashOf(bytes).toHex();
  const gate = Promise.withResolvers<void>();
  const encoded = slowEncoding(bytes, [0n]);
  const plain = readerOfBytes(encoded);
  let read = 0;
  const slow = {
    read: async (length: number) => {
      if ((read += length) > 200_000) await gate.promise;
      return plain.read(length);
    },
  };
  const receiving = store.fs.blobs.receive(hash, [0n], slow);
  await bring(store.fs, bytes, [0n, 16n]);
  const waiting = second.blobs.receive(hash, [0n], readerOfBytes(encoded));
  gate.resolve();
  equal((await receiving)?.size, 400_000);
  equal((await waiting)?.size, 400_000);
  await using reader = await second.blobs.open(hash);
  deepEqual(await reader.read(0, 400_000), bytes);
});

Deno.test("disk store: a blob that is added while a part of it is there takes its place", async () => {
  await using store = await diskStore();
  const bytes = seeded("added").bytes(400_000);
  await bring(store.fs, bytes, [0n, 32n]);
  await using held = await store.fs.blobs.add(new Blob([bytes]).stream());
  equal((await store.fs.blobs.status(held.hash)).state, "complete");
  deepEqual(await filesBelow(`${store.folder}/partial`), []);
});
