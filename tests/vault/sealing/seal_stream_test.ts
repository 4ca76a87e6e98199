import assert from "node:assert/strict";
import { gcm } from "@noble/ciphers/aes.js";
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import {
  type ByteTransform,
  openAll,
  openingStream,
  sealAll,
  sealingStream,
} from "../../../vault/sealing/seal_stream.ts";
import { CHUNK_LENGTH, HEADER_LENGTH, SEALED_CHUNK_LENGTH } from "../../../vault/sealing/stream_format.ts";
import { VaultError } from "../../../vault/errors.ts";
import { Random, seeded } from "../../support/random.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const KEY = new Random(1).bytes(32);
const KEYS = () => KEY;
const LENGTHS = [0, 1, 1000, CHUNK_LENGTH - 1, CHUNK_LENGTH, CHUNK_LENGTH + 1, 2 * CHUNK_LENGTH, 5 * CHUNK_LENGTH + 7];

/** How a stream can end: everything that came, and the error, if it was one. */
interface Outcome {
  readonly bytes: Bytes;
  readonly error?: unknown;
}

Deno.test("sealingStream() and sealAll() give what the format says, at every edge of a chunk", async () => {
  for (const length of LENGTHS) {
    const plaintext = new Random(length).bytes(length);
    const stream = await through(sealingStream(KEYS, 2), [plaintext]);
    const bulk = await sealAll(KEYS, 2, plaintext);
    for (const sealed of [stream.bytes, bulk]) {
      assert.equal(new TextDecoder().decode(sealed.subarray(0, 7)), "alkseal");
      assert.equal(sealed.subarray(7, 12).toHex(), "0100000002");
      assert.deepEqual(sealed, plainTwin(KEY, sealed.subarray(0, HEADER_LENGTH), plaintext));
    }
    assert.notDeepEqual(stream.bytes.subarray(12, 44), bulk.subarray(12, 44), "the salt is fresh");
  }
});

Deno.test("openingStream() and openAll() open each other's, however it is cut into pieces", async () => {
  const random = seeded("pieces of sealed streams");
  for (const length of LENGTHS) {
    const plaintext = random.bytes(length);
    const sealed = (await through(sealingStream(KEYS, 7), pieces(plaintext, random))).bytes;
    assert.deepEqual(await openAll(keyOf(7), sealed), plaintext);
    const opened = await through(openingStream(keyOf(7)), pieces(await sealAll(KEYS, 7, plaintext), random));
    assert.equal(opened.error, undefined);
    assert.deepEqual(opened.bytes, plaintext);
  }
  const sealed = await sealAll(KEYS, 7, new Uint8Array([1, 2, 3]));
  const byByte = await through(openingStream(keyOf(7)), Array.from(sealed, (byte) => new Uint8Array([byte])));
  assert.deepEqual(byByte.bytes, new Uint8Array([1, 2, 3]));
});

Deno.test("a stream that is cut, swapped, repeated, appended or altered fails before a bad byte (vault.md row 16)", async () => {
  const plaintext = new Random(16).bytes(3 * CHUNK_LENGTH + 100);
  const sealed = await sealAll(KEYS, 2, plaintext);
  const [header, a, b, c, last] = split(sealed);
  const [, foreign] = split(await sealAll(KEYS, 2, plaintext));
  const [, ...whole] = split(await sealAll(KEYS, 2, plaintext.subarray(0, 3 * CHUNK_LENGTH)));
  /** What is put together, and how many chunks of it are good. */
  const cases: Record<string, [Bytes[], number]> = {
    "last chunk cut off": [[header, a, b, c], 2],
    "all but the first cut off": [[header, a], 0],
    "all chunks cut off": [[header], 0],
    "a byte cut off": [[header, a, b, c, last.slice(0, -1)], 3],
    "cut within a chunk": [[header, a, b, c.slice(0, 1000)], 2],
    "last chunk cut to a tag": [[header, a, b, c, last.slice(0, 16)], 3],
    "last chunk cut to less than a tag": [[header, a, b, c, last.slice(0, 15)], 3],
    "first chunk left out": [[header, b, c, last], 0],
    "middle chunk left out": [[header, a, c, last], 1],
    "two swapped": [[header, a, c, b, last], 1],
    "first two swapped": [[header, b, a, c, last], 0],
    "one repeated": [[header, a, a, b, c, last], 1],
    "last repeated": [[header, a, b, c, last, last], 3],
    "a byte appended": [[header, a, b, c, last, new Uint8Array(1)], 3],
    "a chunk appended": [[header, a, b, c, last, a], 3],
    "nothing sealed appended": [[header, a, b, c, last, last.slice(-16)], 3],
    "a full last chunk, then a byte": [[header, ...whole, new Uint8Array(1)], 0],
    "chunk of another stream": [[header, foreign, b, c, last], 0],
    "salt altered": [[flip(header, 20), a, b, c, last], 0],
    "version altered": [[flip(header, 11), a, b, c, last], 0],
    "first byte altered": [[header, flip(a, 0), b, c, last], 0],
    "last byte of a tag altered": [[header, a, b, flip(c, SEALED_CHUNK_LENGTH - 1), last], 2],
    "last chunk altered": [[header, a, b, c, flip(last, 5)], 3],
  };
  for (const [what, [parts, good]] of Object.entries(cases)) {
    const bytes = join(parts);
    for (const input of [[bytes], parts, pieces(bytes, new Random(3))]) {
      const { bytes: given, error } = await through(openingStream(KEYS), input);
      assertCode(error, "DECRYPTION_FAILED", what);
      assert(given.length <= good * CHUNK_LENGTH, `${what}: gave ${given.length} bytes, good are ${good} chunks`);
      assert.deepEqual(given, plaintext.subarray(0, given.length), what);
    }
    await assert.rejects(openAll(KEYS, bytes), { code: "DECRYPTION_FAILED" }, what);
  }
});

Deno.test("openingStream() gives every good chunk to a reader that keeps up, then fails", async () => {
  const plaintext = new Random(17).bytes(3 * CHUNK_LENGTH);
  const [header, a, b, c] = split(await sealAll(KEYS, 2, plaintext));
  const transform = openingStream(KEYS);
  const [reader, writer] = [transform.readable.getReader(), transform.writable.getWriter()];
  const writing = writer.write(join([header, a, b, flip(c, 1), new Uint8Array(1)])).catch((error) => error);
  assert.deepEqual((await reader.read()).value, plaintext.slice(0, CHUNK_LENGTH));
  assert.deepEqual((await reader.read()).value, plaintext.slice(CHUNK_LENGTH, 2 * CHUNK_LENGTH));
  const closing = writer.close().catch((error) => error);
  await assert.rejects(reader.read(), { code: "DECRYPTION_FAILED" });
  await Promise.all([writing, closing]);
});

Deno.test("a stream with an empty last chunk after others does not open: one form for one content", async () => {
  const plaintext = new Random(18).bytes(CHUNK_LENGTH);
  const [header] = split(await sealAll(KEYS, 2, plaintext));
  const sealed = plainTwin(KEY, header, plaintext, [CHUNK_LENGTH, 0]);
  assertCode((await through(openingStream(KEYS), [sealed])).error, "DECRYPTION_FAILED", "stream");
  await assert.rejects(openAll(KEYS, sealed), { code: "DECRYPTION_FAILED" });
});

Deno.test("a beginning that is no header is INVALID_SEALED_DATA, and no key is asked for", async () => {
  const sealed = await sealAll(KEYS, 2, new Uint8Array(10));
  const cases: [what: string, bytes: Bytes, message: RegExp][] = [
    ["empty", new Uint8Array(), /begin with/],
    ["foreign", new TextEncoder().encode("-----BEGIN OPENSSH PRIVATE KEY-----\n".repeat(2)), /begin with/],
    ["cut within the header", sealed.slice(0, 43), /first 44 bytes/],
    ["a newer format", flip(sealed, 7), /format is 0, this version reads 1/],
  ];
  const noKey = () => assert.fail("asked for a key");
  for (const [what, bytes, message] of cases) {
    const { bytes: given, error } = await through(openingStream(noKey), [bytes]);
    assertCode(error, "INVALID_SEALED_DATA", what);
    assert.match((error as Error).message, message, what);
    assert.equal(given.length, 0);
    await assert.rejects(openAll(noKey, bytes), { code: "INVALID_SEALED_DATA", message }, what);
  }
});

Deno.test("streams and the bulk pair fail with what the source of keys throws, before any chunk of theirs", async () => {
  const locked = new VaultError("VAULT_LOCKED", "the vault is locked");
  let open = Infinity;
  const until = () => {
    if (open-- <= 0) throw locked;
    return KEY;
  };
  const plaintext = new Random(19).bytes(20 * CHUNK_LENGTH);
  const sealed = await sealAll(KEYS, 2, plaintext);
  for (const lends of [0, 1, 2, 10]) {
    const works = [
      async () => await through(sealingStream(until, 2), [plaintext]),
      () => through(openingStream(until), [sealed]),
      () => outcome(sealAll(until, 2, plaintext)),
      () => outcome(openAll(until, sealed)),
    ];
    for (const work of works) {
      open = lends;
      const { bytes, error } = await work().catch((error) => ({ bytes: new Uint8Array(), error }));
      assert.equal(error, locked);
      assert(bytes.length <= lends * SEALED_CHUNK_LENGTH);
    }
  }
});

Deno.test("streams and the bulk pair leave the key that they were lent as it was", async () => {
  const key = KEY.slice();
  const lend = () => key;
  const sealed = await through(sealingStream(lend, 2), [new Uint8Array([5])]);
  assert.deepEqual(await openAll(lend, await sealAll(lend, 2, new Uint8Array([5]))), new Uint8Array([5]));
  assert.deepEqual((await through(openingStream(lend), [sealed.bytes])).bytes, new Uint8Array([5]));
  assert.deepEqual(key, KEY);
});

Deno.test("sealingStream() holds its source back when nobody reads", async () => {
  let pulled = 0;
  const endless = new ReadableStream<Bytes>({
    pull(controller) {
      pulled++;
      controller.enqueue(new Uint8Array(CHUNK_LENGTH));
    },
  }, { highWaterMark: 0 });
  const reader = endless.pipeThrough(sealingStream(KEYS, 2)).getReader();
  for (let i = 0; i < 10; i++) assert.equal((await reader.read()).done, false);
  // What is in work at once, and one chunk in each of the queues on the way.
  assert(pulled <= 10 + 10, `${pulled} chunks were taken for 10 that were read`);
  await reader.cancel();
});

Deno.test("sealingStream() refuses what is written after its reader has gone", async () => {
  const transform = sealingStream(KEYS, 2);
  const writer = transform.writable.getWriter();
  const reader = transform.readable.getReader();
  await reader.read();
  const writing = writer.write(new Uint8Array([1, 2, 3])).catch(() => {});
  await reader.cancel();
  await writing;
  await assert.rejects(writer.write(new Uint8Array(1)));
});

/** The format by another implementation, with chunks of the lengths given. */
function plainTwin(key: Uint8Array, header: Uint8Array, plaintext: Uint8Array, lengths?: number[]): Bytes {
  const streamKey = hkdf(sha256, key, header.subarray(12), header, 32);
  const full = Math.max(0, Math.ceil(plaintext.length / CHUNK_LENGTH) - 1);
  lengths ??= [...Array(full).fill(CHUNK_LENGTH), plaintext.length - full * CHUNK_LENGTH];
  const chunks = lengths.map((length, i) => {
    const nonce = new Uint8Array(12);
    nonce[10] = i;
    nonce[11] = Number(i === lengths.length - 1);
    return gcm(streamKey, nonce).encrypt(plaintext.subarray(i * CHUNK_LENGTH, i * CHUNK_LENGTH + length));
  });
  return join([header, ...chunks]);
}

function keyOf(wanted: number): (version: number) => Uint8Array {
  return (version) => {
    assert.equal(version, wanted);
    return KEY;
  };
}

async function through(transform: ByteTransform, input: readonly Uint8Array[]): Promise<Outcome> {
  const given: Bytes[] = [];
  try {
    for await (const chunk of ReadableStream.from(input).pipeThrough(transform)) given.push(chunk);
    return { bytes: join(given) };
  } catch (error) {
    return { bytes: join(given), error };
  }
}

function outcome(work: Promise<Bytes>): Promise<Outcome> {
  return work.then((bytes) => ({ bytes }), (error) => ({ bytes: new Uint8Array(), error }));
}

function split(sealed: Bytes): Bytes[] {
  const parts = [sealed.slice(0, HEADER_LENGTH)];
  for (let at = HEADER_LENGTH; at < sealed.length; at += SEALED_CHUNK_LENGTH) {
    parts.push(sealed.slice(at, at + SEALED_CHUNK_LENGTH));
  }
  return parts;
}

function pieces(bytes: Bytes, random: Random): Bytes[] {
  const parts: Bytes[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = random.pick([random.below(50), random.below(20_000), random.below(3 * CHUNK_LENGTH)]);
    parts.push(bytes.slice(at, at += length));
  }
  return parts;
}

function join(parts: readonly Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function flip(bytes: Bytes, at: number): Bytes {
  const flipped = bytes.slice();
  flipped[at] ^= 1;
  return flipped;
}

function assertCode(error: unknown, code: string, what: string): void {
  assert(error instanceof VaultError, `${what}: ${error}`);
  assert.equal(error.code, code, `${what}: ${error.message}`);
}
