/**
 * Collection: what nothing refers to goes, and nothing else does (fs.md §5.4).
 *
 * @module
 */
import { type BlobStore, type Fs, openFs } from "@alknet/handlers/fs";
import { hashOf } from "@alknet/handlers/fs/bao";
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { ALIVE } from "../../../../handlers/fs/blobs/disk/collecting/collector.ts";
import { lockIfFree } from "../../../../handlers/fs/blobs/disk/holder.ts";
import { temporaryFolder } from "../../../support/temp.ts";
import { diskStore, filesBelow, KINDS, readerOfBytes, sound } from "../stores.ts";
import { joined, pattern, slowEncoding } from "../twin.ts";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** Adds a blob that nothing holds any more. */
async function added({ blobs }: Fs, bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  await using held = await blobs.add(new Blob([bytes]).stream());
  return held.hash;
}

async function states(blobs: BlobStore, ...hashes: readonly string[]): Promise<string> {
  const all = await Promise.all(hashes.map((hash) => blobs.status(hash)));
  return all.map(({ state }) => state).join(" ");
}

for (const [kind, make] of Object.entries(KINDS)) {
  Deno.test(`${kind} store: what is tagged or held stays, the rest goes; a dry run says it first (fs.md §5.4)`, async () => {
    await using store = await make();
    const { blobs } = store.fs;
    const [tagged, held, dropped, ended] = [
      await added(store.fs, pattern(20)),
      await added(store.fs, pattern(100_000)),
      await added(store.fs, pattern(5 << 20)),
      await added(store.fs, pattern(30)),
    ];
    await blobs.setTag("a", { hash: tagged, format: "raw" });
    await blobs.setTag("b", { hash: dropped, format: "raw" });
    await blobs.setTag("c", { hash: ended, format: "raw" }, { expires: new Date(Date.now() - 1000) });
    {
      await using _held = await blobs.hold(held);
      const gone = { blobs: 1, bytes: 30 };
      deepEqual(await blobs.collect({ full: true, dryRun: true }), gone);
      equal(await states(blobs, tagged, held, dropped, ended), "complete complete complete complete");
      deepEqual(await blobs.collect({ full: true }), gone);
      equal(await states(blobs, tagged, held, dropped, ended), "complete complete complete absent");
      equal(await blobs.dropTag("b"), true);
      equal(await blobs.dropTag("b"), false);
      deepEqual(await blobs.collect({ full: true }), { blobs: 1, bytes: 5 << 20 });
      equal(await states(blobs, tagged, held, dropped), "complete complete absent");
    }
    deepEqual(await blobs.collect({ full: true }), { blobs: 1, bytes: 100_000 });
    const names = [];
    for await (const { name, hash } of blobs.tags()) names.push(`${name} ${hash}`);
    deepEqual(names, [`a ${tagged}`]);
    const listed = [];
    for await (const { hash } of blobs.list()) listed.push(hash);
    deepEqual(listed, [tagged]);
    // What went can come again.
    equal(await added(store.fs, pattern(5 << 20)), dropped);
    equal(await states(blobs, dropped), "complete");
  });

  Deno.test(`${kind} store: a sequence keeps what it lists while it is tagged as one (row 25)`, async () => {
    await using store = await make();
    const { blobs } = store.fs;
    const children = [await added(store.fs, pattern(10)), await added(store.fs, pattern(40_000))];
    const root = await added(
      store.fs,
      joined(children.map((hash) => Uint8Array.fromHex(hash))) as Uint8Array<ArrayBuffer>,
    );
    await blobs.setTag("sequence", { hash: root, format: "hashSeq" });
    await blobs.setTag("raw", { hash: root, format: "raw" });
    await blobs.collect({ full: true });
    equal(await states(blobs, root, ...children), "complete complete complete");
    await blobs.dropTag("raw");
    await blobs.collect({ full: true });
    equal(await states(blobs, root, ...children), "complete complete complete");
    await blobs.setTag("raw", { hash: root, format: "raw" });
    await blobs.dropTag("sequence");
    await blobs.collect({ full: true });
    equal(await states(blobs, root, ...children), "complete absent absent");
    await rejects(blobs.setTag("no", { hash: await added(store.fs, pattern(33)), format: "hashSeq" }), {
      code: "BLOB_CORRUPT",
    });
  });
}

Deno.test("disk store: a pass takes what was dropped five minutes ago; a dropped tag begins them anew", async () => {
  await using temporary = await temporaryFolder();
  let now = Date.UTC(2030, 0, 1);
  const fs = await openFs({ folder: temporary.join("fs"), now: () => now });
  {
    await using store = fs;
    const { blobs } = store;
    const hash = await added(store, pattern(100_000));
    await blobs.setTag("a", { hash, format: "raw" });
    now += 10 * MINUTE;
    deepEqual(await blobs.collect(), { blobs: 0, bytes: 0 });
    await blobs.dropTag("a");
    now += 4 * MINUTE;
    deepEqual(await blobs.collect(), { blobs: 0, bytes: 0 });
    now += 2 * MINUTE;
    deepEqual(await blobs.collect(), { blobs: 1, bytes: 100_000 });
    deepEqual(await filesBelow(temporary.join("fs/data")), []);
  }
  await sound(temporary.join("fs"));
});

Deno.test("disk store: a part of a blob stays for a week after its last byte, and then goes (row 61)", async () => {
  await using temporary = await temporaryFolder();
  const folder = temporary.join("fs");
  let now = Date.UTC(2030, 0, 1);
  const bytes = pattern(100_000);
  const hash = hashOf(bytes).toHex();
  const receive = ({ blobs }: Fs, ranges: bigint[]) =>
    blobs.receive(hash, ranges, readerOfBytes(slowEncoding(bytes, ranges)));
  {
    await using fs = await openFs({ folder, now: () => now });
    await receive(fs, [0n, 16n]);
    now += 6 * DAY;
    await fs.blobs.collect();
    await fs.blobs.collect({ full: true });
    equal((await fs.blobs.status(hash)).have.join(), "0,16");
    await receive(fs, [16n, 32n]);
    now += 6 * DAY;
    await fs.blobs.collect();
    equal((await fs.blobs.status(hash)).have.join(), "0,32");
    now += 2 * DAY;
    deepEqual(await fs.blobs.collect(), { blobs: 1, bytes: 100_000 });
    equal((await fs.blobs.status(hash)).state, "absent");
    deepEqual(await filesBelow(`${folder}/partial`), []);
    await using held = await receive(fs, [0n]);
    equal(held?.size, 100_000);
  }
  await sound(folder);
});

Deno.test("disk store: nothing goes that comes in meanwhile, by adding or in parts, from this process and another (row 24)", async () => {
  await using store = await diskStore();
  await using second = await openFs({ folder: store.folder });
  const collecting = new AbortController();
  const passes = (async () => {
    let count = 0;
    for (; !collecting.signal.aborted; count++) await store.fs.blobs.collect({ full: true });
    return count;
  })();
  await using _ended = {
    async [Symbol.asyncDispose]() {
      collecting.abort();
      await passes;
    },
  };
  for (let i = 1; i <= 25; i++) {
    const fs = i % 2 === 0 ? store.fs : second;
    const bytes = pattern(i * 7000);
    const hash = hashOf(bytes).toHex();
    await using one = await fs.blobs.add(new Blob([bytes]).stream());
    await using other = await fs.blobs.receive(hash, [0n], readerOfBytes(slowEncoding(bytes, [0n])));
    equal(other?.hash, one.hash);
    const more = pattern(100_000 + i);
    await using part = await fs.blobs.receive(
      hashOf(more).toHex(),
      [0n],
      readerOfBytes(slowEncoding(more, [0n])),
    );
    await using reader = await second.blobs.open(hash);
    deepEqual(await reader.read(0, bytes.byteLength), bytes);
    await using again = await store.fs.blobs.open(part!.hash);
    deepEqual(await again.read(0, more.byteLength), more);
  }
  collecting.abort();
  ok(await passes > 1);
});

Deno.test("disk store: of a blob that is going a hold, a tag and an import wait until it has gone (row 26)", async () => {
  await using store = await diskStore();
  const { blobs } = store.fs;
  const hash = await added(store.fs, pattern(100_000));
  const lock = await lockIfFree(`${store.folder}/COLLECT`, true);
  ok(lock);
  const database = new DatabaseSync(`${store.folder}/store.db`);
  database.prepare("UPDATE blobs SET state=2 WHERE hash=?").run(Uint8Array.fromHex(hash));
  database.close();
  const order: string[] = [];
  const holding = rejects(blobs.hold(hash), { code: "BLOB_NOT_FOUND" }).then(() => order.push("hold"));
  const tagging = rejects(blobs.setTag("x", { hash, format: "raw" }), { code: "BLOB_NOT_FOUND" })
    .then(() => order.push("tag"));
  const importing = (async () => {
    await using held = await blobs.add(new Blob([pattern(100_000)]).stream());
    order.push("import");
    await using reader = await blobs.open(held.hash);
    equal((await reader.read(0, 10)).byteLength, 10);
  })();
  equal((await blobs.status(hash)).state, "absent");
  order.push("let go");
  lock[Symbol.dispose]();
  await Promise.allSettled([holding, tagging]);
  await importing;
  equal(order[0], "let go");
  ok(order.includes("import"));
});

Deno.test("disk store: what a dead process held goes at the next pass (row 27)", async () => {
  await using temporary = await temporaryFolder();
  const folder = temporary.join("fs");
  let hash = "";
  {
    await using fs = await openFs({ folder });
    hash = await added(fs, pattern(100_000));
    await fs.blobs.setTag("x", { hash, format: "raw" });
    await fs.blobs.dropTag("x");
  }
  const dead = "00112233aabbccdd";
  await Deno.writeTextFile(`${folder}/tmp/${dead}.lock`, "");
  const database = new DatabaseSync(`${folder}/store.db`);
  database.prepare("INSERT INTO holds(hash,holder) VALUES(?,?)").run(Uint8Array.fromHex(hash), dead);
  database.exec("DELETE FROM candidates");
  database.close();
  {
    await using fs = await openFs({ folder, now: () => Date.now() + 10 * MINUTE });
    await fs.blobs.collect();
    equal((await fs.blobs.status(hash)).state, "absent");
  }
  await sound(folder);
});

Deno.test("disk store: whether anything refers to a blob is at most 8 lookups, each in an index (row 28)", async () => {
  await using store = await diskStore();
  const database = new DatabaseSync(`${store.folder}/store.db`, { readOnly: true });
  try {
    const plan = database.prepare(`EXPLAIN QUERY PLAN ${ALIVE}`).all(new Uint8Array(32), 0) as { detail: string }[];
    const steps = plan.map(({ detail }) => detail).filter((detail) => /^(?:SEARCH|SCAN (?!CONSTANT))/.test(detail));
    deepEqual(
      steps.filter((detail) =>
        !detail.startsWith("SEARCH") || !detail.includes("INDEX") &&
          !detail.includes("PRIMARY KEY")
      ),
      [],
    );
    ok(steps.length <= 8, steps.join("\n"));
  } finally {
    database.close();
  }
});
