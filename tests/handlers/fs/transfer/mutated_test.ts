/**
 * Damaged requests, answers, collections and `.bits`: nothing crashes, nothing wrong is kept, others are served (fs.md §11 row
 * 58). `ALKNET_FUZZ_CASES=1000000` makes as many of each as there are to be.
 *
 * @module
 */
import { AlknetError, memoryPair } from "@alknet/core/handler";
import { type Fs, getBlob, memoryFs } from "@alknet/handlers/fs";
import {
  ALL,
  decode,
  EncodingError,
  hashOf,
  RAW,
  readItem,
  readLinks,
  readNames,
  readRequest,
  SIZE_PROOF,
  WireError,
  WITH_CHILDREN,
  writeItem,
  writeNames,
  writeRequest,
} from "@alknet/handlers/fs/bao";
import { deepEqual, equal, ok } from "node:assert/strict";
import { GroupSet } from "../../../../handlers/fs/blobs/partial/group_set.ts";
import { readBits, writeBits } from "../../../../handlers/fs/blobs/partial/bits.ts";
import { seeded } from "../../../support/random.ts";
import { readerOfBytes } from "../stores.ts";
import { joined, pattern, slowEncoding } from "../twin.ts";
import { ask, identityOf, send, serving } from "./serving.ts";

const GIVEN = Deno.env.get("ALKNET_FUZZ_CASES");
/** How many of what is done without a peer, and of what is said to one. */
const CASES = Number(GIVEN ?? 100_000);
const SAID = Number(GIVEN ?? 10_000);

const BLOB = pattern(40_000);
const HASH = hashOf(BLOB);
const NAMES = ["a.txt", "dir/ü.bin", "dir/c"];
const META = writeNames(NAMES);
const LINKS = joined([hashOf(META), HASH, HASH, hashOf(new Uint8Array())]);
const REQUESTS = [
  writeRequest({ type: "get", hash: HASH, seq: RAW }),
  writeRequest({ type: "get", hash: hashOf(LINKS), seq: WITH_CHILDREN }),
  writeRequest({ type: "get", hash: HASH, seq: [{ index: 0n, ranges: [1n, 3n, 9n, 13n] }, { index: 1n, ranges: [] }] }),
  writeRequest({ type: "observe", hash: HASH, ranges: SIZE_PROOF }),
  writeRequest({ type: "getMany", hashes: [HASH, hashOf(LINKS)], seq: WITH_CHILDREN }),
];

/** What a parser makes of damaged input: something, or the one error that it may throw. */
function parsed<T>(parse: () => T, refuses: new (...args: never[]) => Error): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (error instanceof refuses) return undefined;
    throw error;
  }
}

/** Adds a collection and what it lists, which stay until they are disposed of. */
async function filled({ blobs }: Fs): Promise<AsyncDisposable> {
  const held = new AsyncDisposableStack();
  for (const bytes of [BLOB, META, LINKS, new Uint8Array()]) {
    held.use(await blobs.add(new Blob([bytes as Uint8Array<ArrayBuffer>]).stream()));
  }
  return held;
}

Deno.test("readRequest, readItem, collections, .bits: damaged, they are read or refused, and never crash (row 58)", () => {
  const random = seeded("formats");
  const groups = new GroupSet();
  groups.add(0, 2);
  const bits = writeBits(HASH, { size: 40_000, groups });
  const items = [writeItem({ size: 100_000n, ranges: [0n, 16n, 32n, 48n] }), writeItem({ size: 0n, ranges: [] })];
  let [read, refused] = [0, 0];
  const count = (what: unknown): void => void (what === undefined ? refused++ : read++);
  for (let i = 0; i < CASES; i++) {
    const bytes = random.mutate(random.pick(REQUESTS));
    const request = parsed(() => readRequest(bytes), WireError);
    // Of what is read there is one form.
    if (request) equal(writeRequest(request).toHex(), bytes.toHex());
    count(request);
    count(parsed(() => readItem(random.mutate(random.pick(items))), WireError));
    count(parsed(() => readNames(random.mutate(META)), AlknetError));
    count(parsed(() => readLinks(random.mutate(LINKS)), AlknetError));
    const damaged = random.mutate(bits);
    const found = readBits(HASH, damaged);
    equal(found === undefined || damaged.toHex() === bits.toHex(), true);
    count(found);
  }
  ok(read > 0 && refused > 0, `${read} read, ${refused} refused`);
});

Deno.test("decode: damaged encodings give verified bytes or are refused where the damage is (row 58)", async () => {
  const random = seeded("encodings");
  const blob = pattern(20_000);
  const root = hashOf(blob);
  const encodings = [[0n], [3n, 7n], SIZE_PROOF].map((ranges) => ({ ranges, bytes: slowEncoding(blob, ranges) }));
  for (let i = 0; i < CASES / 4; i++) {
    const { ranges, bytes } = random.pick(encodings);
    const leaf = (at: number, got: Uint8Array): void => {
      ok(at + got.byteLength <= blob.byteLength);
      deepEqual(got, blob.subarray(at, at + got.byteLength));
    };
    await decode(root, ranges, readerOfBytes(random.mutate(bytes)), { leaf }).catch((error) => {
      if (!(error instanceof EncodingError)) throw error;
    });
  }
});

Deno.test("fs: damaged requests cost their stream at most; others are served beside them, and after them (row 58)", async () => {
  await using provider = memoryFs();
  await using _held = await filled(provider);
  const options = { identity: identityOf("ada", "blobs:read"), limits: { malformed: 2 ** 40, requestTime: 60_000 } };
  const random = seeded("requests");
  const good = slowEncoding(BLOB, [0n]);
  await using other = serving(provider, options);
  let answered = 0;
  for (let done = 0; done < SAID;) {
    await using connection = serving(provider, options);
    for (const end = Math.min(SAID, done + 500); done < end; done++) {
      const request = random.mutate(random.pick(REQUESTS));
      // Who observes is told until one leaves.
      if (request[0] === 1 || request[0] === 8) request[0] = 0;
      if (await ask(connection, request) !== "reset 3") answered++;
    }
    equal(await ask(other, REQUESTS[0]), (good as Uint8Array<ArrayBuffer>).toHex());
  }
  ok(answered > 0 && answered < SAID, `${answered} answered`);
});

Deno.test("getBlob: damaged answers leave nothing wrong, and the rest is got from another one (row 58)", async () => {
  const random = seeded("answers");
  const root = hashOf(LINKS);
  const whole = joined([LINKS, META, BLOB, BLOB, new Uint8Array()].map((bytes) => slowEncoding(bytes, ALL)));
  const alone = slowEncoding(BLOB, ALL);
  await using provider = memoryFs();
  await using _held = await filled(provider);
  let [came, refused] = [0, 0];
  for (let i = 0; i < SAID / 5; i++) {
    const isSequence = i % 2 === 0;
    const answer = random.mutate(isSequence ? whole : alone);
    // Over one stream the sequence and its children come together.
    const [near, far] = memoryPair("alknet/blobs", { singleStream: true });
    const answering = (async () => {
      for await (const stream of far) {
        await new Response(stream.readable as ReadableStream<Uint8Array<ArrayBuffer>>).bytes();
        await send(stream.writable, answer);
      }
    })().catch(() => {});
    await using into = memoryFs();
    const hash = (isSequence ? root : HASH).toHex();
    const format = isSequence ? { format: "hashSeq" } as const : {};
    try {
      await using _held = await getBlob(near, hash, into.blobs, format);
      came++;
    } catch (error) {
      if (!(error instanceof AlknetError)) throw error;
      refused++;
    }
    await near[Symbol.asyncDispose]();
    await far[Symbol.asyncDispose]();
    await answering;
    for await (const { hash, state } of into.blobs.list()) {
      if (state !== "complete") continue;
      await using reader = await into.blobs.open(hash);
      equal(hashOf(await reader.read(0, reader.size)).toHex(), hash);
    }
    if (i % 16 > 1) continue;
    await using connection = serving(provider, { publicBlobs: true });
    await using _got = await getBlob(connection, hash, into.blobs, format);
    for (const bytes of isSequence ? [LINKS, META, BLOB] : [BLOB]) {
      equal((await into.blobs.status(hashOf(bytes).toHex())).state, "complete");
    }
  }
  ok(refused > 0, `${came} came, ${refused} refused`);
});
