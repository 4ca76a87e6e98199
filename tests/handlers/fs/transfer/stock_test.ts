/**
 * Stock iroh-blobs 0.104 asks us, and we ask it: its protocol code over the streams of a connection (fs.md §11 rows 10-13).
 *
 * @module
 */
import { type BidiStream, memoryPair } from "@alknet/core/handler";
import { type BlobStore, getBlob, memoryFs, pushBlob } from "@alknet/handlers/fs";
import { hashOf, writeRequest } from "@alknet/handlers/fs/bao";
import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { needs } from "../../../support/programs.ts";
import { IROH_PEER } from "../../../support/rust.ts";
import { temporaryFolder } from "../../../support/temp.ts";
import { KINDS, readerOfBytes } from "../stores.ts";
import { joined, pattern, slowEncoding } from "../twin.ts";
import { ask, identityOf, serving } from "./serving.ts";

const SIZES = [10, 40_000, 0, 200_000];
const BLOBS = SIZES.map((size) => pattern(size));
const LINKS = BLOBS.map((bytes) => hashOf(bytes));
const ROOT = joined(LINKS) as Uint8Array<ArrayBuffer>;
const HASH = hashOf(ROOT).toHex();

/** Runs stock code at one end of a stream. What it says on stderr. */
async function stock(stream: BidiStream, ...args: readonly string[]): Promise<{ code: number; said: string }> {
  await using child = new Deno.Command(IROH_PEER, { args: [...args], stdin: "piped", stdout: "piped", stderr: "piped" })
    .spawn();
  const said = new Response(child.stderr).text();
  const left = new AbortController();
  child.status.then(() => left.abort());
  await Promise.all([
    stream.readable.pipeTo(child.stdin, { signal: left.signal }).catch(() => {}),
    // It learns that nobody listens only when it writes again.
    child.stdout.pipeTo(stream.writable).catch(() => left.signal.aborted || child.kill("SIGKILL")),
  ]);
  return { code: (await child.status).code, said: (await said).trim() };
}

Deno.test({
  name:
    "fs: stock asks for a blob, ranges, a sequence, several blobs, and observes: what it verifies is right (row 10)",
  ...needs("iroh-peer"),
  async fn() {
    await using provider = memoryFs();
    for (const bytes of BLOBS) await provider.blobs.add(new Blob([bytes]).stream());
    await provider.blobs.add(new Blob([ROOT]).stream(), { format: "hashSeq" });
    const partial = pattern(100_000);
    const part = slowEncoding(partial, [16n, 48n]);
    await provider.blobs.receive(hashOf(partial).toHex(), [16n, 48n], readerOfBytes(part));
    await using connection = serving(provider, { publicBlobs: true, alpn: "/iroh-bytes/4" });
    const says = async (...args: readonly string[]): Promise<string> => {
      const { code, said } = await stock(await connection.open(), ...args);
      equal(code, 0, said);
      return said;
    };
    for (const [i, size] of SIZES.entries()) {
      equal(await says("get", LINKS[i].toHex(), "raw"), `${LINKS[i].toHex()} ${size}`);
    }
    equal(await says("get", LINKS[3].toHex(), "3-21"), `${LINKS[3].toHex()} ${18 * 1024}`);
    equal(
      await says("get", HASH, "all"),
      [`${HASH} ${ROOT.byteLength}`, ...LINKS.map((link, i) => `${link.toHex()} ${SIZES[i]}`)].join("\n"),
    );
    const many = BLOBS.map((bytes) => slowEncoding(bytes, [0n]).toHex()).join("");
    equal(await says("many", ...LINKS.map((link) => link.toHex())), many);
    match(await says("observe", LINKS[3].toHex()), /^200000 .*0\.\./);
    match(await says("observe", hashOf(partial).toHex()), /^100000 .*16\.\.48/);
    match(await says("observe", "00".repeat(32)), /^0 /);
    const { code, said } = await stock(await connection.open(), "get", "00".repeat(32), "raw");
    ok(code !== 0, said);
  },
});

Deno.test({
  name: "getBlob: from stock, a blob, the rest of one, and a sequence; what stock does not have (rows 11, 12)",
  ...needs("iroh-peer"),
  async fn() {
    await using folder = await temporaryFolder();
    const files = await Promise.all(BLOBS.map((bytes, i) => folder.write(`${i}`, bytes)));
    for (const make of Object.values(KINDS)) {
      await using getter = await make();
      const { blobs } = getter.fs;
      const [near, far] = memoryPair("/iroh-bytes/4");
      const running: Promise<unknown>[] = [];
      const serve = (async () => {
        for await (const stream of far) running.push(stock(stream, "serve", ...files));
      })();
      await blobs.receive(LINKS[3].toHex(), [0n, 32n], readerOfBytes(slowEncoding(BLOBS[3], [0n, 32n])));
      for (const i of [0, 3]) {
        await using held = await getBlob(near, LINKS[i].toHex(), blobs);
        equal(held.size, SIZES[i]);
      }
      await using _sequence = await getBlob(near, HASH, blobs, { format: "hashSeq" });
      for (const [i, bytes] of BLOBS.entries()) {
        await using reader = await blobs.open(LINKS[i].toHex());
        deepEqual(await reader.read(0, bytes.byteLength), bytes);
      }
      await rejects(getBlob(near, "00".repeat(32), blobs), { code: "BLOB_NOT_FOUND" });
      const many = BLOBS.map((bytes) => slowEncoding(bytes, [0n]).toHex()).join("");
      equal(
        await ask(near, writeRequest({ type: "getMany", hashes: LINKS, seq: [{ index: 0n, ranges: [0n] }] })),
        many,
      );
      const stream = await near.open();
      const writer = stream.writable.getWriter();
      await writer.write(writeRequest({ type: "observe", hash: LINKS[3], ranges: [0n] }));
      await writer.close();
      const reader = stream.readable.getReader();
      equal((await reader.read()).value?.toHex(), "05c09a0c0100");
      await reader.cancel();
      await near[Symbol.asyncDispose]();
      await serve;
      await Promise.all(running);
    }
  },
});

Deno.test({
  name: "fs: stock pushes a blob, and a sequence with all that it lists, with a right and without (row 13)",
  ...needs("iroh-peer"),
  async fn() {
    await using folder = await temporaryFolder();
    const files = await Promise.all(BLOBS.map((bytes, i) => folder.write(`${i}`, bytes)));
    for (const make of Object.values(KINDS)) {
      await using taker = await make();
      const { blobs } = taker.fs;
      const push = async (what: "all" | "raw", ...scopes: string[]): Promise<void> => {
        const identity = identityOf("stock", ...scopes);
        await using connection = serving(taker.fs, { identity, alpn: "/iroh-bytes/4" });
        await stock(await connection.open(), "push", what, ...what === "raw" ? files.slice(3) : files);
      };
      await push("all", "blobs:read");
      equal((await blobs.status(HASH)).state, "absent");
      await push("raw", "blobs:write");
      // It listens to no answer.
      await whole(blobs, LINKS[3].toHex());
      equal((await blobs.status(LINKS[1].toHex())).state, "absent");
      await push("all", "blobs:write");
      for (const link of LINKS) await whole(blobs, link.toHex());
      await using _held = await blobs.hold(HASH, "hashSeq");
      await using reader = await blobs.open(LINKS[3].toHex());
      deepEqual(await reader.read(0, SIZES[3]), BLOBS[3]);
    }
  },
});

Deno.test({
  name: "pushBlob: to stock, which ends its direction at once: it is asked until it has it all (row 13)",
  ...needs("iroh-peer"),
  async fn() {
    await using pusher = memoryFs();
    for (const bytes of BLOBS) await pusher.blobs.add(new Blob([bytes]).stream());
    await pusher.blobs.add(new Blob([ROOT]).stream(), { format: "hashSeq" });
    for (const [hash, format, count] of [[LINKS[3].toHex(), "raw", 1], [HASH, "hashSeq", 4]] as const) {
      await using folder = await temporaryFolder();
      const [near, far] = memoryPair("/iroh-bytes/4");
      const running: Promise<unknown>[] = [];
      let pushes = 0;
      // A stream has a process, and so a store: those that ask come after the one that takes.
      const serve = (async () => {
        let taking: Promise<unknown> = Promise.resolve();
        for await (const stream of far) {
          const reader = stream.readable.getReader();
          const { value } = await reader.read();
          reader.releaseLock();
          const isPush = value![0] === 8;
          if (isPush) pushes++;
          const all = (async () => {
            await taking;
            const there = [...Deno.readDirSync(folder.path)].map(({ name }) => folder.join(name));
            const again = { ...stream, readable: before(value!, stream.readable) };
            return await stock(again, ...isPush ? ["take", folder.path] : ["serve", ...there]);
          })();
          if (isPush) taking = all;
          running.push(all);
        }
      })();
      await pushBlob(near, hash, pusher.blobs, { format });
      // What is empty is in every store of theirs, and not listed.
      equal([...Deno.readDirSync(folder.path)].length, count);
      deepEqual(await Deno.readFile(folder.join(LINKS[3].toHex())), BLOBS[3]);
      equal(pushes, 1);
      near.close();
      await serve;
      await Promise.all(running);
    }
  },
});

/** Waits until all of a blob is there. */
async function whole(blobs: BlobStore, hash: string): Promise<void> {
  const stop = new AbortController();
  for await (const { state } of blobs.observe(hash, stop.signal)) if (state === "complete") stop.abort();
}

/** A stream from which a chunk was read already. */
function before(chunk: Uint8Array, readable: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  const rest = readable.getReader();
  return new ReadableStream({
    start: (controller) => controller.enqueue(chunk),
    async pull(controller) {
      const { value, done } = await rest.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => rest.cancel(reason),
  });
}
