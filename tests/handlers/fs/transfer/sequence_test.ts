/**
 * Sequences, GetMany and Observe, byte for byte, and getting a sequence with what it lists (fs.md §3; §11 rows 10-12).
 *
 * @module
 */
import { type Fs, getBlob, memoryFs } from "@alknet/handlers/fs";
import { hashOf, writeRequest } from "@alknet/handlers/fs/bao";
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { seeded } from "../../../support/random.ts";
import { diskStore, KINDS, readerOfBytes } from "../stores.ts";
import { joined, pattern, slowEncoding } from "../twin.ts";
import { ask, identityOf, send, serving } from "./serving.ts";

const SIZES = [10, 40_000, 0, 200_000, 40_000];
const CHILDREN = SIZES.map((size) => pattern(size));
const LINKS = CHILDREN.map((bytes) => hashOf(bytes));
const ROOT = joined(LINKS) as Uint8Array<ArrayBuffer>;
const HASH = hashOf(ROOT).toHex();
const ALL = [0n];

/** A store that has a sequence, known as such, but for some of its children. */
async function filled(files: Fs, ...without: readonly number[]): Promise<void> {
  for (const [i, bytes] of CHILDREN.entries()) {
    if (!without.includes(i)) await files.blobs.add(new Blob([bytes]).stream());
  }
  await files.blobs.add(new Blob([ROOT]).stream(), { format: "hashSeq" });
}

function getOf(seq: { index: bigint; ranges: bigint[] }[]): Uint8Array {
  return writeRequest({ type: "get", hash: Uint8Array.fromHex(HASH), seq });
}

Deno.test("fs: a sequence and what it lists: the encodings in their order, and the end (rows 10, 12)", async () => {
  await using provider = memoryFs();
  await filled(provider);
  await using connection = serving(provider, { publicBlobs: true });
  const encodings = [ROOT, ...CHILDREN].map((bytes) => slowEncoding(bytes, ALL).toHex());
  const [root, ...children] = encodings;
  const some = [0n, 16n];
  const cases: [{ index: bigint; ranges: bigint[] }[], string][] = [
    [[{ index: 0n, ranges: ALL }], encodings.join("")],
    [[{ index: 0n, ranges: ALL }, { index: 1n, ranges: [] }], root],
    [[{ index: 1n, ranges: ALL }], children.join("")],
    [
      [{ index: 2n, ranges: ALL }, { index: 3n, ranges: [] }, { index: 4n, ranges: some }, { index: 5n, ranges: [] }],
      children[1] + slowEncoding(CHILDREN[3], some).toHex(),
    ],
    [[{ index: 5n, ranges: ALL }, { index: 2n ** 63n, ranges: some }], children[4]],
    [[{ index: 2n ** 60n, ranges: ALL }], ""],
  ];
  for (const [seq, expected] of cases) equal(await ask(connection, getOf(seq)), expected, JSON.stringify(seq, String));
});

Deno.test("fs: a child, or a part of one, that is missing ends the answer where it would stand (row 12)", async () => {
  await using provider = await diskStore();
  await filled(provider.fs, 3);
  await using connection = serving(provider.fs, { publicBlobs: true });
  const before = [ROOT, ...CHILDREN.slice(0, 3)].map((bytes) => slowEncoding(bytes, ALL).toHex()).join("");
  equal(await ask(connection, getOf([{ index: 0n, ranges: ALL }])), before);
  const part = slowEncoding(CHILDREN[3], [0n, 32n]);
  await provider.fs.blobs.receive(LINKS[3].toHex(), [0n, 32n], readerOfBytes(part));
  const answer = await ask(connection, getOf([{ index: 0n, ranges: ALL }]));
  ok(answer.startsWith(before));
  const whole = slowEncoding(CHILDREN[3], ALL).toHex();
  const sent = answer.slice(before.length);
  ok(whole.startsWith(sent) && sent.length > 2 * 32 * 1024 && sent.length < 2 * 34 * 1024, `${sent.length / 2} bytes`);
});

Deno.test("fs: who may read a sequence may read what it lists, together and each; what is no sequence lists nothing (row 47)", async () => {
  await using provider = await diskStore();
  await filled(provider.fs);
  const secret = await provider.fs.blobs.add(new Blob(["secret"]).stream());
  // Somebody's file whose bytes name what others may not read.
  const trap = await provider.fs.blobs.add(new Blob([Uint8Array.fromHex(secret.hash)]).stream());
  for (const hash of [HASH, trap.hash]) await provider.fs.grants.grant({ hash, subject: "id:ada" });
  await using connection = serving(provider.fs, { identity: identityOf("ada") });
  const encodings = [ROOT, ...CHILDREN].map((bytes) => slowEncoding(bytes, ALL).toHex()).join("");
  equal(await ask(connection, getOf([{ index: 0n, ranges: ALL }])), encodings);
  const raw = (hash: Uint8Array): Uint8Array => writeRequest({ type: "get", hash, seq: [{ index: 0n, ranges: ALL }] });
  equal(await ask(connection, raw(LINKS[1])), slowEncoding(CHILDREN[1], ALL).toHex());
  equal(await ask(connection, raw(Uint8Array.fromHex(secret.hash))), "reset 1");
  equal(
    await ask(connection, raw(Uint8Array.fromHex(trap.hash))),
    slowEncoding(Uint8Array.fromHex(secret.hash), ALL).toHex(),
  );
  await using stranger = serving(provider.fs, { identity: identityOf("bob") });
  equal(await ask(stranger, raw(LINKS[1])), "reset 1");
});

Deno.test("fs: GetMany: the blobs in their order; without a right to one of them nothing; a missing one ends it (rows 10, 12)", async () => {
  await using provider = memoryFs();
  await filled(provider);
  const many = (hashes: Uint8Array[], seq = [{ index: 0n, ranges: ALL }]): Uint8Array =>
    writeRequest({ type: "getMany", hashes, seq });
  await using connection = serving(provider, { publicBlobs: true });
  const encodings = CHILDREN.map((bytes) => slowEncoding(bytes, ALL).toHex());
  equal(await ask(connection, many(LINKS)), encodings.join(""));
  equal(
    await ask(connection, many(LINKS, [{ index: 1n, ranges: ALL }, { index: 2n, ranges: [] }])),
    encodings[1],
  );
  equal(await ask(connection, many([])), "");
  equal(await ask(connection, many([LINKS[0], hashOf(pattern(77)), LINKS[1]])), encodings[0]);
  await provider.grants.grant({ hash: LINKS[0].toHex(), subject: "anyone" });
  await using stranger = serving(provider);
  equal(await ask(stranger, many([LINKS[0]])), encodings[0]);
  equal(await ask(stranger, many([LINKS[0], hashOf(pattern(77))])), "reset 1");
  equal(await ask(stranger, many([LINKS[0], LINKS[1]])), "reset 1");
});

Deno.test("fs: Observe: the state, then what changed, until the requester stops; 16 a connection (row 10)", async () => {
  await using provider = await diskStore();
  const { blobs } = provider.fs;
  const bytes = pattern(100_000);
  const hash = hashOf(bytes);
  await using connection = serving(provider.fs, { publicBlobs: true, limits: { observers: 1 } });
  const request = writeRequest({ type: "observe", hash, ranges: [0n] });
  const stream = await connection.open();
  await send(stream.writable, request);
  const reader = stream.readable.getReader();
  const items: string[] = [];
  const next = async (): Promise<void> => void items.push((await reader.read()).value!.toHex());
  await next();
  equal(await ask(connection, request), "reset 2");
  const receive = (ranges: bigint[]) => blobs.receive(hash.toHex(), ranges, readerOfBytes(slowEncoding(bytes, ranges)));
  await receive([0n, 16n]);
  await next();
  await receive([32n, 48n]);
  await next();
  await using _whole = await receive([16n]);
  await next();
  // Nothing; the first group; the third; and that all is there.
  deepEqual(items, ["020000", "06a08d06020010", "06a08d06022030", "07a08d0603102030"]);
  await reader.cancel();
  await using again = memoryFs();
  await again.blobs.add(new Blob([bytes]).stream());
  await using other = serving(again, { publicBlobs: true });
  const second = await other.open();
  await send(second.writable, request);
  const complete = second.readable.getReader();
  equal((await complete.read()).value!.toHex(), "05a08d060100");
  await complete.cancel();
  await using stranger = serving(again);
  equal(await ask(stranger, request), "reset 1");
});

Deno.test("fs: an observer whose connection ends, and a node that drains, end the answer", async () => {
  await using provider = memoryFs();
  const { hash } = await provider.blobs.add(new Blob(["hello"]).stream());
  const request = writeRequest({ type: "observe", hash: Uint8Array.fromHex(hash), ranges: [0n] });
  // Disposing of it waits for the handler.
  await using connection = serving(provider, { publicBlobs: true });
  for (let i = 0; i < 3; i++) {
    const stream = await connection.open();
    await send(stream.writable, request);
    const reader = stream.readable.getReader();
    equal((await reader.read()).value?.toHex(), "03050100");
  }
});

for (const [kind, make] of Object.entries(KINDS)) {
  for (const singleStream of [false, true]) {
    Deno.test(`getBlob: ${kind}, ${singleStream ? "one stream" : "many streams"}: a sequence with what it lists; what is there is not asked for`, async () => {
      await using provider = await make();
      await filled(provider.fs);
      await provider.fs.grants.grant({ hash: HASH, subject: "anyone" });
      const received = [];
      for (const has of ["nothing", "some", "the sequence", "all"]) {
        await using getter = await make();
        const { blobs } = getter.fs;
        if (has !== "nothing") {
          await blobs.add(new Blob([CHILDREN[1]]).stream());
          const part = slowEncoding(CHILDREN[3], [0n, 128n]);
          await blobs.receive(LINKS[3].toHex(), [0n, 128n], readerOfBytes(part));
        }
        if (has === "the sequence" || has === "all") await blobs.add(new Blob([ROOT]).stream());
        if (has === "all") { for (const bytes of CHILDREN) await blobs.add(new Blob([bytes]).stream()); }
        await using connection = serving(provider.fs, { singleStream });
        await using held = await getBlob(connection, HASH, blobs, { format: "hashSeq" });
        deepEqual([held.hash, held.format], [HASH, "hashSeq"]);
        for (const [i, bytes] of CHILDREN.entries()) {
          await using reader = await blobs.open(LINKS[i].toHex());
          deepEqual(await reader.read(0, bytes.byteLength), bytes);
        }
        // Held as a sequence, it keeps what it lists.
        await blobs.setTag("it", held);
        await blobs.collect({ full: true });
        equal((await blobs.status(LINKS[3].toHex())).state, "complete");
        received.push(connection.stats().bytesReceived);
      }
      const [nothing, , sequence, all] = received;
      ok(sequence < nothing - 160_000, `${received}`);
      ok(all < 200, `${received}`);
    });
  }
}

Deno.test("getBlob: of a sequence a part of which nobody has, what came stays; what is no sequence is refused", async () => {
  await using provider = memoryFs();
  await filled(provider, 3);
  await using getter = await diskStore();
  const { blobs } = getter.fs;
  await using connection = serving(provider, { publicBlobs: true });
  await rejects(getBlob(connection, HASH, blobs, { format: "hashSeq" }), { code: "BLOB_ABSENT" });
  equal((await blobs.status(LINKS[1].toHex())).state, "complete");
  const { hash } = await provider.blobs.add(new Blob(["not hashes"]).stream());
  await rejects(getBlob(connection, hash, blobs, { format: "hashSeq" }), { code: "BLOB_CORRUPT" });
});

Deno.test("getBlob: thousands of small children come in two requests, and keep their bytes", async () => {
  await using provider = memoryFs();
  const random = seeded("many");
  const children = Array.from({ length: 2000 }, () => random.bytes(random.below(300)));
  for (const bytes of children) await provider.blobs.add(new Blob([bytes]).stream());
  const root = joined(children.map((bytes) => hashOf(bytes))) as Uint8Array<ArrayBuffer>;
  const { hash } = await provider.blobs.add(new Blob([root]).stream(), { format: "hashSeq" });
  await using getter = memoryFs();
  await using connection = serving(provider, { publicBlobs: true });
  await using _held = await getBlob(connection, hash, getter.blobs, { format: "hashSeq" });
  for (const bytes of children) {
    equal((await getter.blobs.status(hashOf(bytes).toHex())).size, bytes.byteLength);
  }
});
