/**
 * Pushes: who may, how much, what is kept of one that is cut, and what hostile pushers get (fs.md §3, §9; §11 rows 13, 47).
 *
 * @module
 */
import { type BidiStream, type Connection, type Identity, memoryPair } from "@alknet/core/handler";
import { type Fs, memoryFs, openFs, pushBlob } from "@alknet/handlers/fs";
import { hashOf, type RangeSeq, RAW, WITH_CHILDREN, writeRequest } from "@alknet/handlers/fs/bao";
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { temporaryFolder } from "../../../support/temp.ts";
import { diskStore, KINDS, sound } from "../stores.ts";
import { joined, pattern, slowEncoding } from "../twin.ts";
import { ask, identityOf, type ServeOptions, serving } from "./serving.ts";

const WRITER = identityOf("ada", "blobs:write");
const SIZES = [0, 1, 16384, 16385, 3_000_000];

for (const [kind, make] of Object.entries(KINDS)) {
  for (const singleStream of [false, true]) {
    Deno.test(`pushBlob: ${kind}, ${singleStream ? "one stream" : "many streams"}: blobs and sequences are there when it is done (row 13)`, async () => {
      await using pusher = await make();
      await using taker = await make();
      for (const size of SIZES) {
        const bytes = pattern(size);
        await using held = await pusher.fs.blobs.add(new Blob([bytes]).stream());
        await using connection = serving(taker.fs, { singleStream, identity: WRITER });
        let told: unknown[] = [];
        await pushBlob(connection, held.hash, pusher.fs.blobs, { progress: (...all) => told = all });
        deepEqual(told, [size, size]);
        await has(taker.fs, bytes);
      }
      const children = [pattern(40_000), pattern(10), pattern(40_000), pattern(600_000)];
      const root = await sequence(pusher.fs, children);
      await using connection = serving(taker.fs, { singleStream, identity: WRITER });
      await pushBlob(connection, root, pusher.fs.blobs, { format: "hashSeq" });
      for (const bytes of children) await has(taker.fs, bytes);
      await using _held = await taker.fs.blobs.hold(root, "hashSeq");
    });
  }
}

Deno.test("fs: who may push: scopes, grants to a key, an identity, anyone, to write a branch; nobody else (row 13)", async () => {
  await using pusher = memoryFs();
  const bytes = pattern(20_000);
  await using held = await pusher.blobs.add(new Blob([bytes]).stream());
  const { hash } = held;
  const may = async (files: Fs, options: ServeOptions): Promise<boolean> => {
    await using connection = serving(files, options);
    try {
      await pushBlob(connection, hash, pusher.blobs);
      await has(files, bytes);
      return true;
    } catch (error) {
      equal((error as { code: string }).code, "FORBIDDEN", String(error));
      equal((await files.blobs.status(hash)).state, "absent");
      return false;
    }
  };
  const once = async (options: ServeOptions, ...grants: Parameters<Fs["grants"]["grant"]>[0][]): Promise<boolean> => {
    await using taker = await diskStore();
    for (const grant of grants) await taker.fs.grants.grant(grant);
    return await may(taker.fs, options);
  };
  for (const scope of ["blobs:write", "blobs:admin", "admin", "fs:write", "fs:write:main", "fs:admin"]) {
    equal(await once({ identity: identityOf("ada", scope) }), true, scope);
  }
  for (const scope of ["blobs:read", "fs:read", "fs:write:other", "blobs:writer"]) {
    equal(await once({ identity: identityOf("ada", scope) }), false, scope);
  }
  equal(await once({ publicBlobs: true }), false);
  const now = Math.floor(Date.now() / 1000);
  const key: ServeOptions = { client: { fingerprint: "ed25519:01" } };
  equal(await once({}, { hash, subject: "anyone" }), false, "to read");
  equal(await once({}, { hash, subject: "anyone", action: "push", expires: now - 1 }), false, "ended");
  equal(await once({}, { hash: hashOf(pattern(1)).toHex(), subject: "anyone", action: "push" }), false, "another");
  equal(await once({}, { hash, subject: "anyone", action: "push" }), true);
  equal(await once(key, { hash, subject: "key:ed25519:02", action: "push" }), false);
  equal(await once(key, { hash, subject: "key:ed25519:01", action: "push" }), true);
  equal(await once({ identity: identityOf("ada") }, { hash, subject: "id:ada", action: "push" }), true);
  equal(await once({}, { hash, subject: "anyone", action: "push", bytes: bytes.byteLength }), true);
});

Deno.test("fs: without a right a push gets reset 1, whether the blob is there or not (row 47)", async () => {
  await using taker = memoryFs();
  const [there, absent] = [pattern(20_000), pattern(20_001)];
  await using _held = await taker.blobs.add(new Blob([there]).stream());
  for (const identity of [undefined, identityOf("ada", "blobs:read")]) {
    const answers = [];
    await using connection = serving(taker, { identity });
    for (const bytes of [there, absent]) answers.push(await ask(connection, pushOf(bytes)));
    deepEqual(answers, ["reset 1", "reset 1"]);
  }
});

Deno.test("fs: who may write a branch pushes blobs, which they may link then, and no sequences, which would let them read", async () => {
  await using taker = await diskStore();
  const secret = pattern(30_000);
  await using _held = await taker.fs.blobs.add(new Blob([secret]).stream());
  const identity = identityOf("ada", "fs:write:main");
  await using connection = serving(taker.fs, { identity });
  const root = hashOf(secret);
  const get = writeRequest({ type: "get", hash: hashOf(root), seq: WITH_CHILDREN });
  equal(await ask(connection, get), "reset 1");
  const withChild: RangeSeq = [{ index: 0n, ranges: [0n] }];
  equal(await ask(connection, pushOf(root, withChild, slowEncoding(secret, [0n]))), "reset 1");
  equal(await ask(connection, pushOf(root)), "");
  // The list is theirs; what it lists is not.
  equal(await ask(connection, get), slowEncoding(root, [0n]).toHex());
  equal(await ask(connection, writeRequest({ type: "get", hash: root, seq: RAW })), "reset 1");
  await using other = serving(taker.fs, { identity: identityOf("bob", "fs:write:main") });
  equal(await ask(other, get), "reset 1");
});

Deno.test("fs: what is pushed and is not what it says, is cut or goes on, is refused; what was right of it stays (row 15)", async () => {
  const bytes = pattern(100_000);
  const encoded = slowEncoding(bytes, [0n]);
  const flipped = encoded.slice();
  flipped[60_000] ^= 8;
  const children = joined([hashOf(bytes)]);
  const cases: [string, Uint8Array, string, "absent" | "partial" | "complete"][] = [
    ["flips a bit", pushOf(bytes, RAW, flipped), "reset 3", "partial"],
    ["ends early", pushOf(bytes, RAW, encoded.subarray(0, 70_000)), "reset 3", "partial"],
    ["has no encoding", pushOf(bytes, RAW, new Uint8Array()), "reset 3", "absent"],
    ["claims 2^63 bytes", pushOf(bytes, RAW, Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 128)), "reset 3", "absent"],
    ["claims 2^50 bytes", pushOf(bytes, RAW, Uint8Array.of(0, 0, 0, 0, 0, 0, 4, 0)), "reset 2", "absent"],
    ["goes on", pushOf(bytes, RAW, joined([encoded, Uint8Array.of(1)])), "reset 3", "complete"],
    ["lists nothing that is there", pushOf(children, [{ index: 1n, ranges: [0n] }], encoded), "reset 3", "absent"],
    ["has a head without an end", Uint8Array.of(8, 0xff, 0xff, 0xff, 0xff, 0x7f), "reset 3", "absent"],
    ["has a head that is padded", Uint8Array.of(8, 0x80, 0x00, ...new Uint8Array(40)), "reset 3", "absent"],
    ["is no head", Uint8Array.of(8, 3, 1, 2, 3), "reset 3", "absent"],
    ["is half a head", Uint8Array.of(8), "reset 3", "absent"],
  ];
  for (const [what, request, answer, state] of cases) {
    await using taker = await diskStore();
    await using connection = serving(taker.fs, { identity: WRITER });
    equal(await ask(connection, request), answer, what);
    equal((await taker.fs.blobs.status(hashOf(bytes).toHex())).state, state, what);
    // The same connection takes it afterwards.
    equal(await ask(connection, pushOf(bytes)), "", what);
    await has(taker.fs, bytes);
  }
});

Deno.test("fs: a push that comes byte by byte, and one that stops: it loses its place (fs.md §9)", async () => {
  await using taker = memoryFs();
  const bytes = pattern(2000);
  const limits = { writeStall: 100, streams: 1 };
  await using connection = serving(taker, { identity: WRITER, limits });
  const stream = await connection.open();
  const writer = stream.writable.getWriter();
  for (const byte of pushOf(bytes)) await writer.write(Uint8Array.of(byte));
  await writer.close();
  equal((await new Response(stream.readable as ReadableStream<Uint8Array<ArrayBuffer>>).bytes()).byteLength, 0);
  await has(taker, bytes);
  const slow = await connection.open();
  await slow.writable.getWriter().write(pushOf(pattern(9000)).subarray(0, 5000));
  await rejects(new Response(slow.readable as ReadableStream<Uint8Array<ArrayBuffer>>).bytes(), /code 2/);
  equal(await ask(connection, pushOf(pattern(9000))), "");
});

Deno.test("fs: a push within the bytes of its grant and the quota of whoever granted it, and no byte more (row 23)", async () => {
  await using temporary = await temporaryFolder();
  const folder = temporary.join("fs");
  {
    await using files = await openFs({ folder, quotas: { ada: { bytes: 100_000 } } });
    const push = async (bytes: Uint8Array, identity?: Identity): Promise<string> => {
      await using connection = serving(files, { identity });
      return await ask(connection, pushOf(bytes));
    };
    const ada = identityOf("ada", "blobs:write");
    equal(await push(pattern(60_000), ada), "");
    equal((await files.blobs.status(hashOf(pattern(60_000)).toHex())).state, "complete");
    // Nothing refers to it, and it counts nevertheless.
    equal(await push(pattern(40_001), ada), "reset 2");
    equal(await push(pattern(60_000), ada), "");
    equal(await push(pattern(40_000), ada), "");
    equal(await push(pattern(1), ada), "reset 2");
    const tag = (size: number, owner: string) =>
      files.blobs.setTag(`${size}`, { hash: hashOf(pattern(size)).toHex(), format: "raw" }, { owner });
    // Whoever tags it has it in their quota from then on.
    await tag(60_000, "bob");
    equal(await push(pattern(60_001), ada), "reset 2");
    const grant = async (bytes: Uint8Array, most?: number): Promise<void> => {
      const hash = hashOf(bytes).toHex();
      await files.grants.grant({ hash, subject: "anyone", action: "push", bytes: most, owner: "ada" });
    };
    await grant(pattern(50_000), 49_999);
    equal(await push(pattern(50_000)), "reset 2");
    await grant(pattern(50_000), 50_000);
    equal(await push(pattern(50_000)), "");
    await grant(pattern(10_001));
    equal(await push(pattern(10_001)), "reset 2");
    await grant(pattern(10_000));
    equal(await push(pattern(10_000)), "");
  }
  await sound(folder);
});

Deno.test("fs: two pushes at once do not take the room of one (row 23)", async () => {
  await using temporary = await temporaryFolder();
  await using files = await openFs({ folder: temporary.join("fs"), quotas: { ada: { bytes: 100_000 } } });
  await using connection = serving(files, { identity: WRITER });
  const halves = await Promise.all([70_000, 70_001].map(async (size) => {
    const request = pushOf(pattern(size));
    const stream = await connection.open();
    const writer = stream.writable.getWriter();
    const done = new Response(stream.readable as ReadableStream<Uint8Array<ArrayBuffer>>).bytes()
      .then(() => "", () => "refused");
    await writer.write(request.subarray(0, 30_000)).catch(() => {});
    return { request, writer, done };
  }));
  const answers = await Promise.all(halves.map(async ({ request, writer, done }) => {
    await writer.write(request.subarray(30_000)).catch(() => {});
    await writer.close().catch(() => {});
    return await done;
  }));
  deepEqual(answers.sort(), ["", "refused"]);
});

Deno.test("pushBlob: what the taker has is not sent again: after a cut, of a blob that is there, of a sequence (row 13)", async () => {
  await using pusher = memoryFs();
  await using taker = await diskStore();
  const bytes = pattern(3_000_000);
  await using held = await pusher.blobs.add(new Blob([bytes]).stream());
  await using connection = serving(taker.fs, { identity: WRITER });
  // As a pusher that went away leaves it.
  equal(await ask(connection, pushOf(bytes).subarray(0, 2_000_000)), "reset 3");
  const before = connection.stats().bytesSent;
  await pushBlob(connection, held.hash, pusher.blobs);
  const sent = connection.stats().bytesSent - before;
  ok(sent < 1_300_000, `${sent} bytes`);
  await has(taker.fs, bytes);
  await pushBlob(connection, held.hash, pusher.blobs);
  ok(connection.stats().bytesSent - before - sent < 1000);
  const root = await sequence(pusher, [pattern(400_000), bytes]);
  const then = connection.stats().bytesSent;
  await pushBlob(connection, root, pusher.blobs, { format: "hashSeq" });
  ok(connection.stats().bytesSent - then < 500_000);
});

Deno.test("pushBlob: a node that refuses, goes away, answers something, or ends too early and does not have it", async () => {
  await using pusher = memoryFs();
  await using held = await pusher.blobs.add(new Blob([pattern(100_000)]).stream());
  const cases: [string, (stream: BidiStream) => void, string][] = [
    ["refuses", (stream) => void (stream.stop(1), stream.reset(1)), "FORBIDDEN"],
    ["has no room", (stream) => void (stream.stop(2), stream.reset(2)), "QUOTA_EXCEEDED"],
    ["fails", (stream) => void (stream.stop(3), stream.reset(3)), "PUSH_FAILED"],
    ["answers", (stream) => void stream.writable.getWriter().write(Uint8Array.of(1)), "PUSH_FAILED"],
    ["ends at once", (stream) => void stream.writable.close(), "PUSH_FAILED"],
  ];
  for (const [what, answer, code] of cases) {
    const [near, far] = memoryPair("alknet/blobs");
    const answering = answerEach(far, answer);
    await rejects(pushBlob(near, held.hash, pusher.blobs), { code }, what);
    near.close();
    await answering;
  }
  const [near, far] = memoryPair("alknet/blobs");
  const pushing = pushBlob(near, held.hash, pusher.blobs);
  far.close(7, "gone");
  await rejects(pushing, { code: "PUSH_FAILED" });
});

/** A push of bytes, as RAW unless told otherwise. */
function pushOf(bytes: Uint8Array, seq: RangeSeq = RAW, encodings = slowEncoding(bytes, [0n])): Uint8Array {
  return joined([writeRequest({ type: "push", hash: hashOf(bytes), seq, encodings: 0 }), encodings]);
}

async function sequence({ blobs }: Fs, children: readonly Uint8Array<ArrayBuffer>[]): Promise<string> {
  for (const bytes of children) await blobs.add(new Blob([bytes]).stream());
  const root = joined(children.map((bytes) => hashOf(bytes))) as Uint8Array<ArrayBuffer>;
  return (await blobs.add(new Blob([root]).stream(), { format: "hashSeq" })).hash;
}

async function has({ blobs }: Fs, bytes: Uint8Array): Promise<void> {
  await using reader = await blobs.open(hashOf(bytes).toHex());
  deepEqual(await reader.read(0, bytes.byteLength), bytes);
}

/** Does the same with each stream, but for those that ask what is there: nothing is told to them. */
async function answerEach(connection: Connection, answer: (stream: BidiStream) => void): Promise<void> {
  for await (const stream of connection) {
    const reader = stream.readable.getReader();
    const { value } = await reader.read().catch(() => ({ value: undefined }));
    reader.releaseLock();
    if (value?.[0] === 1) stream.reset(1);
    else answer(stream);
  }
}
