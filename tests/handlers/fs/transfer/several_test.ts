/**
 * One blob, or a sequence, from several providers, some of which lie, stop, stall, die or have a part (fs.md §4; §11 rows 15, 16).
 *
 * @module
 */
import { type BidiStream, type Connection, memoryPair } from "@alknet/core/handler";
import {
  download,
  type DownloadOptions,
  type DownloadProgress,
  type Fs,
  memoryFs,
  type Provider,
} from "@alknet/handlers/fs";
import { encode, hashOf, MemoryOutboard, readRequest } from "@alknet/handlers/fs/bao";
import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { diskStore, KINDS, readerOfBytes } from "../stores.ts";
import { joined, pattern } from "../twin.ts";
import { serving } from "./serving.ts";

const SIZE = 6_000_000;
const BYTES = pattern(SIZE);
const HASH = hashOf(BYTES).toHex();
const PATIENCE = { stall: 200, observe: 100, backOff: 10 };
const WHAT = { hash: HASH, format: "raw" } as const;

const OUTBOARDS = new Map<Uint8Array, MemoryOutboard>();

async function encodingOf(bytes: Uint8Array, ranges: readonly bigint[]): Promise<Uint8Array> {
  const outboard = OUTBOARDS.get(bytes) ?? MemoryOutboard.of(bytes);
  OUTBOARDS.set(bytes, outboard);
  const parts: Uint8Array[] = [];
  const read = (at: number, length: number): Uint8Array => bytes.subarray(at, at + length);
  for await (const part of encode({ outboard, read }, ranges)) parts.push(part.slice());
  return joined(parts);
}

/** A provider, and the bytes that it was asked for. */
interface Counted extends Provider, AsyncDisposable {
  readonly sent: () => number;
}

/** One that serves files. */
function honest(name: string, files: Fs, singleStream = false): Counted {
  const connections: (Connection & AsyncDisposable)[] = [];
  return {
    address: name,
    dial: () => {
      const connection = serving(files, { publicBlobs: true, singleStream });
      connections.push(connection);
      return Promise.resolve(connection);
    },
    sent: () => connections.reduce((sum, connection) => sum + connection.stats().bytesReceived, 0),
    async [Symbol.asyncDispose]() {
      for (const connection of connections) await connection[Symbol.asyncDispose]();
    },
  };
}

type Answer = (stream: BidiStream, encoding: Uint8Array, connection: Connection) => Promise<void> | void;

/** One that has the blob, says so, proves its size, and answers each other request in its way. */
function hostile(name: string, answer: Answer, bytes = BYTES): Counted {
  const ends: Connection[] = [];
  const running: Promise<unknown>[] = [];
  return {
    address: name,
    dial: () => {
      const [near, far] = memoryPair("alknet/blobs");
      ends.push(near);
      running.push((async () => {
        for await (const stream of far) running.push(answered(stream, answer, bytes, far).catch(() => {}));
      })());
      return Promise.resolve(near);
    },
    sent: () => ends.reduce((sum, end) => sum + end.stats().bytesReceived, 0),
    async [Symbol.asyncDispose]() {
      for (const end of ends) end.close();
      for (const one of running) await one;
    },
  };
}

async function answered(stream: BidiStream, answer: Answer, bytes: Uint8Array, connection: Connection): Promise<void> {
  const request = readRequest(await new Response(stream.readable as ReadableStream<Uint8Array<ArrayBuffer>>).bytes());
  if (request.type === "observe") return stream.reset(3);
  if (request.type !== "get") return stream.reset(1);
  const { ranges } = request.seq[0];
  const encoding = await encodingOf(bytes, ranges);
  if (ranges[0] > 2n ** 60n) return await sends(stream, encoding);
  await answer(stream, encoding, connection);
}

async function sends(stream: BidiStream, bytes: Uint8Array, ends = true): Promise<void> {
  const writer = stream.writable.getWriter();
  await writer.write(bytes);
  if (ends) await writer.close();
}

const HOSTILE: Readonly<Record<string, Answer>> = {
  "flips a bit": (stream, encoding) => sends(stream, encoding.with(encoding.byteLength - 5000, 7)),
  "repeats itself": (stream, encoding) => {
    const half = encoding.subarray(0, encoding.byteLength >> 1);
    return sends(stream, joined([half, half]));
  },
  "claims another size": (stream, encoding) => sends(stream, encoding.with(0, encoding[0] ^ 1)),
  "stops": (stream, encoding) => sends(stream, encoding.subarray(0, encoding.byteLength >> 1)),
  "stalls": (stream, encoding) => sends(stream, encoding.subarray(0, encoding.byteLength >> 1), false),
  "says nothing": () => {},
  "sends more": (stream, encoding) => sends(stream, joined([encoding, encoding])),
  "cuts": (stream) => stream.reset(3),
  "is busy": (stream) => stream.reset(2),
  "refuses": (stream) => stream.reset(1),
  "dies": (_stream, _encoding, connection) => connection.close(9, "gone"),
};

async function store(bytes = BYTES): Promise<Fs> {
  const files = memoryFs();
  await files.blobs.add(new Blob([bytes]).stream());
  return files;
}

async function all(
  into: Fs,
  from: readonly Provider[],
  options: DownloadOptions = {},
  what = WHAT,
): Promise<DownloadProgress[]> {
  return await Array.fromAsync(download(what, from, into.blobs, { patience: PATIENCE, ...options }));
}

async function has({ blobs }: Fs, bytes: Uint8Array): Promise<void> {
  await using reader = await blobs.open(hashOf(bytes).toHex());
  deepEqual(await reader.read(0, bytes.byteLength), bytes);
}

for (const [kind, make] of Object.entries(KINDS)) {
  for (const singleStream of [false, true]) {
    Deno.test(`download: ${kind}, ${singleStream ? "one stream" : "many streams"}: from three at once, each byte about once`, async () => {
      await using files = await store();
      for (const size of [0, 1, 16384, 16385, SIZE]) {
        const bytes = pattern(size);
        await files.blobs.add(new Blob([bytes]).stream());
        await using getter = await make();
        await using stack = new AsyncDisposableStack();
        const from = ["a", "b", "c"].map((name) => stack.use(honest(name, files, singleStream)));
        const told = await all(getter.fs, from, {}, { hash: hashOf(bytes).toHex(), format: "raw" } as never);
        const { bytes: done, size: said, banned } = told.at(-1)!;
        deepEqual([done, said, banned], [size, size, 0]);
        await has(getter.fs, bytes);
        const sent = from.map(({ sent }) => sent());
        const sum = sent.reduce((one, other) => one + other);
        ok(sum < size * 1.3 + 20_000, `${sent} bytes for ${size}`);
        if (size === SIZE && !singleStream) ok(sent.filter((one) => one > 500_000).length > 1, `${sent}`);
      }
    });
  }
}

for (const [what, answer] of Object.entries(HOSTILE)) {
  Deno.test(`download: a provider that ${what} is banned or replaced (row 15)`, async () => {
    await using files = await store();
    await using getter = memoryFs();
    await using good = honest("good", files);
    await using bad = hostile("bad", answer);
    const faults: string[] = [];
    const told = await all(getter, [bad, good], { faulty: (address) => faults.push(address) });
    await has(getter, BYTES);
    const isLie = /flips|repeats|claims/.test(what);
    equal(told.at(-1)!.banned, isLie ? 1 : 0);
    // The good one may be late on a busy machine.
    equal(faults.includes("bad"), what !== "sends more");
    const sum = bad.sent() + good.sent();
    ok(sum < SIZE * 1.5, `${sum} bytes`);
  });

  Deno.test(`download: a provider that ${what}, alone: right, or a code that says why, and what was right stays (row 15)`, async () => {
    await using getter = memoryFs();
    await using bad = hostile("bad:1", answer);
    if (what === "sends more") {
      await all(getter, [bad]);
      return await has(getter, BYTES);
    }
    const getting = all(getter, [bad]).then(() => undefined, (error) => error as { code: string; message: string });
    // Whoever stops halfway each time has sent all of it at last.
    const error = await getting;
    if (!error) {
      equal(what, "stops");
      return await has(getter, BYTES);
    }
    if (/flips|repeats|claims/.test(what)) {
      equal(error.code, "HASH_MISMATCH");
      match(error.message, /bad:1/);
    } else equal(error.code, what === "refuses" ? "BLOB_NOT_FOUND" : "BLOB_ABSENT", error.message);
    await using files = await store();
    await using good = honest("good", files);
    await all(getter, [good]);
    await has(getter, BYTES);
  });
}

Deno.test("download: one lies, one dies, one has half, one has it: complete, the bytes fetched about once (row 16)", async () => {
  await using files = await store();
  await using half = await diskStore();
  await half.fs.blobs.receive(HASH, [0n, 3008n], readerOfBytes(await encodingOf(BYTES, [0n, 3008n])));
  for (const make of Object.values(KINDS)) {
    await using getter = await make();
    let left = 2;
    await using lies = hostile("lies", HOSTILE["flips a bit"]);
    await using dies = hostile("dies", async (stream, encoding, connection) => {
      if (left-- > 0) await sends(stream, encoding);
      else connection.close(9, "gone");
    });
    await using part = honest("part", half.fs);
    await using slow = honest("good", files);
    const from = [lies, dies, part, slow];
    const told = await all(getter.fs, from);
    await has(getter.fs, BYTES);
    equal(told.at(-1)!.banned, 1);
    const sum = from.reduce((sum, { sent }) => sum + sent(), 0);
    ok(sum < SIZE * 1.5, `${sum} bytes`);
  }
});

Deno.test("download: two halves make a whole; one half makes BLOB_ABSENT, and the other goes on (row 16)", async () => {
  const parts = await Promise.all([[0n, 3008n], [3008n]].map(async (ranges) => {
    const files = await diskStore();
    await files.fs.blobs.receive(HASH, ranges, readerOfBytes(await encodingOf(BYTES, ranges)));
    return files;
  }));
  for (const make of Object.values(KINDS)) {
    await using both = await make();
    await using one = honest("one", parts[0].fs);
    await using other = honest("other", parts[1].fs);
    await all(both.fs, [one, other]);
    await has(both.fs, BYTES);
    await using getter = await make();
    await using alone = honest("alone", parts[1].fs);
    await rejects(all(getter.fs, [alone]), { code: "BLOB_ABSENT" });
    equal((await getter.fs.blobs.status(HASH)).state, "partial");
    await using first = honest("first", parts[0].fs);
    await using second = honest("second", parts[1].fs);
    await all(getter.fs, [first, second]);
    await has(getter.fs, BYTES);
    ok(second.sent() < 10_000, `${second.sent()} bytes of what was there`);
  }
  for (const files of parts) await files[Symbol.asyncDispose]();
});

Deno.test("download: nobody has it, nobody can be reached, nobody is named; a size that is too large", async () => {
  await using getter = memoryFs();
  await using empty = memoryFs();
  await using files = await store();
  await using none = honest("none", empty);
  await using good = honest("good", files);
  const gone: Provider = {
    address: "gone",
    dial: () => Promise.reject(Object.assign(new Error("no"), { code: "UNREACHABLE" })),
  };
  await rejects(all(getter, [none]), { code: "BLOB_NOT_FOUND" });
  await rejects(all(getter, [none, gone]), { code: "BLOB_NOT_FOUND" });
  await rejects(all(getter, [gone]), { code: "UNREACHABLE" });
  await rejects(all(getter, []), { code: "BLOB_NOT_FOUND" });
  await rejects(all(getter, [good], { maxSize: SIZE - 1 }), { code: "QUOTA_EXCEEDED" });
  const told = await all(getter, [none, gone, good], { maxSize: SIZE });
  equal(told.at(-1)!.providers, 1);
  // What is there is not asked for.
  await all(getter, [gone]);
});

Deno.test("download: a sequence and what it lists, shared out among those who have some of it", async () => {
  const children = Array.from({ length: 40 }, (_, i) => pattern(30_000 + i));
  const root = joined(children.map((bytes) => hashOf(bytes))) as Uint8Array<ArrayBuffer>;
  const what = { hash: hashOf(root).toHex(), format: "hashSeq" } as never;
  const files = await Promise.all([0, 1, 2].map(async (n) => {
    const one = memoryFs();
    for (const [i, bytes] of children.entries()) {
      if (n === 2 || i % 2 === n) await one.blobs.add(new Blob([bytes]).stream());
    }
    if (n < 2) await one.blobs.add(new Blob([root]).stream());
    return one;
  }));
  for (const make of Object.values(KINDS)) {
    await using getter = await make();
    await using stack = new AsyncDisposableStack();
    const from = files.map((one, i) => stack.use(honest(`${i}`, one)));
    await all(getter.fs, from, {}, what);
    for (const bytes of children) await has(getter.fs, bytes);
    const sum = from.reduce((sum, { sent }) => sum + sent(), 0);
    ok(sum < 40 * 30_000 * 1.5, `${sum} bytes`);
  }
  await using getter = memoryFs();
  await using stack = new AsyncDisposableStack();
  await rejects(all(getter, [stack.use(honest("half", files[0]))], {}, what), { code: "BLOB_ABSENT" });
  for (const one of files) await one[Symbol.asyncDispose]();
});

Deno.test("download: a signal, and whoever wants no more reports, end it; what came stays", async () => {
  await using files = await store();
  await using getter = memoryFs();
  for (const isSignal of [true, false]) {
    await using silent = hostile("silent", HOSTILE["says nothing"]);
    const stop = new AbortController();
    const getting = download(WHAT, [silent], getter.blobs, { signal: stop.signal });
    await getting.next();
    if (isSignal) {
      stop.abort(new Error("enough"));
      await rejects(Array.fromAsync(getting), /enough/);
    } else await getting.return();
  }
  await using good = honest("good", files);
  await all(getter, [good]);
  await has(getter, BYTES);
});
