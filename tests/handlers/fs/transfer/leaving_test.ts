/**
 * Thousands of requesters that are slow, or leave in the middle: places, open files and memory return (fs.md §11 row 59).
 *
 * @module
 */
import type { Connection } from "@alknet/core/handler";
import { hashOf, RAW, writeRequest } from "@alknet/handlers/fs/bao";
import { equal, ok, rejects } from "node:assert/strict";
import { needs } from "../../../support/programs.ts";
import { inMebibytes, untilLevel } from "../../../support/plateau.ts";
import { diskStore, type TestStore } from "../stores.ts";
import { pattern, slowEncoding } from "../twin.ts";
import { ask, send, serving } from "./serving.ts";

const SLOW = 999;
const LEAVING = 10_000;
const BLOB = pattern(400_000);
const REQUEST = writeRequest({ type: "get", hash: hashOf(BLOB), seq: RAW });

/** A store on disk with the blob in a file, read by nobody yet. */
async function provided(): Promise<TestStore> {
  const store = await diskStore();
  const { hash } = await store.fs.blobs.add(new Blob([BLOB]).stream());
  await store.fs.blobs.setTag("kept", { hash, format: "raw" });
  return store;
}

/** A request that is being served, and of whose answer nobody reads on. */
async function served(connection: Connection): Promise<ReadableStreamDefaultReader<Uint8Array>> {
  const stream = await connection.open();
  await send(stream.writable, REQUEST);
  const reader = stream.readable.getReader();
  equal((await reader.read()).done, false);
  return reader;
}

async function settled(): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
}

/** Asks until there is a place, and gets it all. */
async function answered(connection: Connection): Promise<void> {
  const whole = slowEncoding(BLOB, [0n]).byteLength * 2;
  for (let answer = "reset 2"; answer.length !== whole; answer = await ask(connection, REQUEST)) await settled();
}

/** Files of the blobs of a store that are open. */
function openIn({ folder }: TestStore): number {
  return [...Deno.readDirSync("/proc/self/fd")].filter(({ name }) => {
    try {
      return Deno.readLinkSync(`/proc/self/fd/${name}`).startsWith(`${folder}/data/`);
    } catch {
      // That of the folder itself.
      return false;
    }
  }).length;
}

/** So many are, once what is under way is done. */
async function opened(store: TestStore, count: number): Promise<void> {
  for (let turn = 0; turn < 1000 && openIn(store) !== count; turn++) await settled();
  equal(openIn(store), count);
}

Deno.test({
  name:
    "fs: as many slow requesters as there are places: one more is refused, each gets it all, or leaves; files are closed (row 59)",
  ...needs("linux"),
  async fn() {
    await using provider = await provided();
    const limits = { anonymousStreams: SLOW, nodeStreams: SLOW, writeStall: 600_000 };
    const options = { publicBlobs: true, limits };
    await using connection = serving(provider.fs, options);
    await answered(connection);
    equal(openIn(provider), 0);
    const slow: ReadableStreamDefaultReader<Uint8Array>[] = [];
    while (slow.length < SLOW) slow.push(await served(connection));
    await opened(provider, SLOW);
    equal(await ask(connection, REQUEST), "reset 2");
    for (const [i, reader] of slow.entries()) {
      if (i % 3 === 0) await reader.cancel();
      if (i % 3 !== 1) continue;
      for (let step = await reader.read(); !step.done;) step = await reader.read();
    }
    await answered(connection);
    await opened(provider, SLOW / 3);
    // The others are cut with their connection.
    const ends = slow.filter((_, i) => i % 3 === 2);
    await connection[Symbol.asyncDispose]();
    for (const reader of ends.slice(0, 10)) {
      await rejects(async () => {
        for (let step = await reader.read(); !step.done;) step = await reader.read();
      });
    }
    await opened(provider, 0);
    await using next = serving(provider.fs, options);
    await answered(next);
  },
});

Deno.test({
  name: "fs: 10,000 requesters that leave in the middle: no file stays open, and memory stands (row 59)",
  ...needs("linux"),
  async fn() {
    await using provider = await provided();
    await using connection = serving(provider.fs, { publicBlobs: true, limits: { anonymousStreams: 50 } });
    await answered(connection);
    const leave = async (times: number): Promise<void> => {
      for (let i = 0; i < times; i += 50) {
        const readers = await Promise.all(Array.from({ length: 50 }, () => served(connection)));
        await Promise.all(readers.map((reader) => reader.cancel()));
        while (openIn(provider) > 0) await settled();
      }
    };
    await leave(LEAVING * 0.6);
    const memory = (): number => Deno.memoryUsage().rss;
    const { level, values } = await untilLevel(memory, () => leave(LEAVING * 0.2));
    ok(level, inMebibytes(values));
    equal(openIn(provider), 0);
    await answered(connection);
  },
});
