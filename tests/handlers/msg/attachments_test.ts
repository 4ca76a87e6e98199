/**
 * Files that no message has room for: sealed in a store of blobs, opened by whoever got the message (msg.md §3.2; row 24).
 *
 * @module
 */
import assert from "node:assert/strict";
import { type Fs, memoryFs } from "@alknet/handlers/fs";
import type { Blobs } from "@alknet/handlers/msg";
import { b64 } from "../../../handlers/msg/content/bytes.ts";
import { formatContent, readContent } from "../../../handlers/msg/content/content.ts";
import { seeded } from "../../support/random.ts";
import { type Person, place, settled, stop } from "./people.ts";
import { say } from "./saying.ts";

const random = seeded("files");

/** Everybody's blobs in one store. */
function blobsOf({ blobs }: Fs): Blobs {
  return {
    async put(sealed, { signal }) {
      await using held = await blobs.add(sealed, { signal });
      await blobs.setTag(held.hash, held);
      return { hash: held.hash, ticket: "over there" };
    },
    get: (hash, { length }) => ReadableStream.from(pieces(hash, length)),
  };
  async function* pieces(hash: string, length: number): AsyncGenerator<Uint8Array> {
    await using reader = await blobs.open(hash);
    assert.equal(reader.size, length);
    for (let at = 0; at < reader.size; at += 10_000) yield await reader.read(at, Math.min(10_000, reader.size - at));
  }
}

const bytesOf = async ({ messenger }: Person, contact: string, id: string): Promise<Uint8Array> =>
  await new Response(messenger.file(contact, id, stop).bytes).bytes();

Deno.test("attachments: a file of several chunks goes as it is read, and is there at its reader, the writer and in a group", async () => {
  await using here = await place();
  await using files = memoryFs();
  const blobs = blobsOf(files);
  using ann = here.person("ann", undefined, { blobs });
  using bob = here.person("bob", undefined, { blobs });
  ann.messenger.addContact("bob", (await bob.messenger.token("", stop)).token);
  bob.messenger.addContact("ann", (await ann.messenger.token("", stop)).token);
  await ann.messenger.groups.create("team", ["bob"], stop);
  const data = random.bytes(300_000);
  const what = () => ({
    name: "big.bin",
    mime: "application/x-b",
    size: data.byteLength,
    file: ReadableStream.from([data.subarray(0, 99_999), data.subarray(99_999)]),
  });
  for (const to of ["bob", "team"]) {
    const { id, state } = await ann.messenger.send(to, what(), stop);
    assert.equal(state, "stored");
    await settled(ann, bob);
    const { file, contact } = bob.messenger.messages().at(-1)!;
    assert.deepEqual(file, { name: "big.bin", mime: "application/x-b", size: 300_000 });
    assert.deepEqual(await bytesOf(bob, contact, id), data);
    assert.deepEqual(await bytesOf(ann, to, id), data);
  }
  // What lies in the store says nothing of it, nor how long it is.
  for await (const { hash } of files.blobs.list()) {
    await using reader = await files.blobs.open(hash);
    assert.equal(reader.size % 65_552, 0);
    const sealed = await reader.read(0, reader.size);
    assert.ok(!sealed.toHex().includes(data.subarray(0, 16).toHex()));
  }
});

Deno.test("attachments: without anything that keeps blobs they are refused, at both ends; a path is no name; nothing is kept", async () => {
  await using here = await place();
  await using files = memoryFs();
  using ann = here.person("ann");
  using bob = here.person("bob");
  using eve = here.person("eve", undefined, { blobs: blobsOf(files) });
  for (const one of [ann, eve]) one.messenger.addContact("bob", (await bob.messenger.token("", stop)).token);
  bob.messenger.addContact("eve", (await eve.messenger.token("", stop)).token);
  const what = (name: string, size = 3) => ({ name, mime: "", size, file: ReadableStream.from([new Uint8Array(3)]) });
  await assert.rejects(ann.messenger.send("bob", what("a"), stop), { code: "NO_BLOBS" });
  await assert.rejects(eve.messenger.send("bob", what("../a"), stop), { code: "BAD_NAME" });
  await assert.rejects(eve.messenger.send("bob", what("a", 4), stop), { code: "CHANGED_MEANWHILE" });
  assert.deepEqual([ann.messenger.messages(), eve.messenger.messages()], [[], []]);
  const { id } = await eve.messenger.send("bob", what("a"), stop);
  await bob.messenger.sync(stop);
  assert.throws(() => bob.messenger.file("eve", id, stop), { code: "NO_BLOBS" });
});

Deno.test("attachments: a sender who names another size, key or blob is found out before a bad byte (row 24)", async () => {
  await using here = await place();
  await using files = memoryFs();
  const blobs: Blobs = { ...blobsOf(files), get: (hash) => ReadableStream.from(all(hash)) };
  async function* all(hash: string): AsyncGenerator<Uint8Array> {
    await using reader = await files.blobs.open(hash);
    yield await reader.read(0, reader.size);
  }
  using ann = here.person("ann", undefined, { blobs });
  using bob = here.person("bob", undefined, { blobs });
  ann.messenger.addContact("bob", (await bob.messenger.token("", stop)).token);
  bob.messenger.addContact("ann", (await ann.messenger.token("", stop)).token);
  await ann.messenger.send("bob", "hi", stop);
  await using held = await files.blobs.add(ReadableStream.from([random.bytes(2 * 65_552)]));
  for (const size of [100_000, 2 * 65_536, 65_536, 10_000_000, Number.MAX_SAFE_INTEGER, 0]) {
    const id = b64(random.bytes(16));
    const blob = { hash: held.hash, key: random.bytes(32) };
    await say(ann, "bob", formatContent({ type: "file", id, at: 1, name: "a", mime: "", size, blob }));
    await bob.messenger.sync(stop);
    const reader = bob.messenger.file("ann", id, stop).bytes.getReader();
    await assert.rejects(reader.read(), { code: "BAD_ATTACHMENT" });
  }
});

Deno.test("attachments: a file that is nowhere, or has no key or length, is no content", () => {
  const [id, key, hash] = [b64(new Uint8Array(16)), b64(new Uint8Array(32)), "0".repeat(64)];
  const good = { v: 1, id, at: 1, type: "file", name: "a", mime: "", size: 5, hash, key };
  const read = (value: unknown) => readContent(new TextEncoder().encode(JSON.stringify(value)));
  const whole = read(good);
  assert.equal(whole.type, "file");
  // What prints it does not print its key.
  assert.ok(/\[redacted\]/.test(Deno.inspect(whole)) && !/Uint8Array/.test(Deno.inspect(whole)));
  assert.ok(!JSON.stringify(whole).includes(key));
  const wrong = [
    { size: -1 },
    { size: 1.5 },
    { size: "5" },
    { hash: "00" },
    { hash: "Z".repeat(64) },
    { key: "AA" },
    {
      key: undefined,
    },
    { ticket: 5 },
    { ticket: "x".repeat(4097) },
    { hash: `${hash}\n` },
  ];
  for (const change of wrong) assert.throws(() => read({ ...good, ...change }), { code: "BAD_CONTENT" });
});
