/**
 * Blobs between two nodes over a pair in memory, like QUIC and like TCP with TLS: rights, limits, hostile peers (fs.md §3, §9).
 *
 * @module
 */
import { type Connection, memoryPair } from "@alknet/core/handler";
import { FS_LIMITS, getBlob, memoryFs } from "@alknet/handlers/fs";
import { hashOf, writeRequest } from "@alknet/handlers/fs/bao";
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { needs } from "../../../support/programs.ts";
import { seeded } from "../../../support/random.ts";
import { diskStore, KINDS } from "../stores.ts";
import { pattern, slowEncoding } from "../twin.ts";
import { ask, identityOf, send, type ServeOptions, serving } from "./serving.ts";

for (const [kind, make] of Object.entries(KINDS)) {
  for (const singleStream of [false, true]) {
    Deno.test(`getBlob: ${kind}, ${singleStream ? "one stream" : "many streams"}: the same bytes (row 14)`, async () => {
      await using provider = await make();
      await using getter = await make();
      for (const size of [0, 1, 16384, 16385, 3_000_000]) {
        const bytes = seeded(`${kind} ${size}`).bytes(size);
        await using held = await provider.fs.blobs.add(new Blob([bytes]).stream());
        await provider.fs.grants.grant({ hash: held.hash, subject: "anyone" });
        await using connection = serving(provider.fs, { singleStream });
        let last = 0;
        await using got = await getBlob(connection, held.hash, getter.fs.blobs, { progress: (done) => last = done });
        deepEqual([got.hash, got.size, last], [held.hash, size, size]);
        await using reader = await getter.fs.blobs.open(got.hash);
        deepEqual(await reader.read(0, size), bytes);
      }
    });
  }
}

Deno.test("fs: who may read: scopes, grants to anyone, an identity, a key; publicBlobs; nobody else (row 46)", async () => {
  await using provider = memoryFs();
  const { hash } = await provider.blobs.add(new Blob(["hello"]).stream());
  const may = async (options: ServeOptions): Promise<boolean> => {
    await using connection = serving(provider, options);
    await using getter = memoryFs();
    try {
      await getBlob(connection, hash, getter.blobs);
      return true;
    } catch (error) {
      equal((error as { code: string }).code, "BLOB_NOT_FOUND");
      return false;
    }
  };
  for (const scope of ["blobs:read", "blobs:write", "blobs:admin", "admin"]) {
    equal(await may({ identity: identityOf("ada", scope) }), true, scope);
  }
  for (const scope of ["fs:read", "git:read", "blobs", "blobs:reader"]) {
    equal(await may({ identity: identityOf("ada", scope) }), false, scope);
  }
  equal(await may({}), false);
  equal(await may({ publicBlobs: true }), true);
  await provider.grants.grant({ hash, subject: "id:ada" });
  await provider.grants.grant({ hash, subject: "key:ed25519:01" });
  const now = Math.floor(Date.now() / 1000);
  await provider.grants.grant({ hash, subject: "anyone", expires: now - 10 });
  deepEqual([
    await may({ identity: identityOf("ada") }),
    await may({ identity: identityOf("bob") }),
    await may({ client: { fingerprint: "ed25519:01" } }),
    await may({ client: { fingerprint: "ed25519:02" } }),
    await may({}),
  ], [true, false, true, false, false]);
  await provider.grants.grant({ hash, subject: "anyone" });
  equal(await may({ alpn: "/iroh-bytes/4" }), true);
});

Deno.test("fs: without a right, a hash that is there and one that is not get the same answer (row 47)", async () => {
  await using provider = memoryFs();
  const { hash } = await provider.blobs.add(new Blob(["hello"]).stream());
  await using connection = serving(provider);
  const answers = [];
  for (const one of [hash, hashOf(new Uint8Array([9])).toHex()]) answers.push(await ask(connection, getOf(one)));
  deepEqual(answers, ["reset 1", "reset 1"]);
});

Deno.test("fs: with a right, a hash that is not there gets the end before a size (row 12)", async () => {
  await using provider = memoryFs();
  await using connection = serving(provider, { publicBlobs: true });
  equal(await ask(connection, getOf(hashOf(new Uint8Array([9])).toHex())), "");
  await using getter = memoryFs();
  await rejects(getBlob(connection, "00".repeat(32), getter.blobs), { code: "BLOB_NOT_FOUND" });
});

Deno.test("fs: ranges get their encoding, over both names; what a sequence lists ends the answer (row 10)", async () => {
  await using provider = memoryFs();
  const bytes = pattern(100_000);
  const { hash } = await provider.blobs.add(new Blob([bytes]).stream());
  for (const alpn of ["alknet/blobs", "/iroh-bytes/4"]) {
    await using connection = serving(provider, { publicBlobs: true, alpn });
    for (const ranges of [[0n], [3n, 7n, 17n, 18n], [2n ** 64n - 1n], [1n, 3n, 9n, 13n], [200n, 300n]]) {
      const seq = [{ index: 0n, ranges }, { index: 1n, ranges: [] }];
      const answer = await ask(connection, writeRequest({ type: "get", hash: Uint8Array.fromHex(hash), seq }));
      equal(answer, slowEncoding(bytes, ranges).toHex(), `${alpn}, chunks ${ranges}`);
    }
    const seq = [{ index: 0n, ranges: [0n] }];
    const whole = await ask(connection, writeRequest({ type: "get", hash: Uint8Array.fromHex(hash), seq }));
    equal(whole, slowEncoding(bytes, [0n]).toHex());
  }
});

Deno.test("fs: a provider whose copy is damaged sends what is sound and resets with 3; the getter keeps that, and goes on elsewhere", async () => {
  await using provider = await diskStore();
  await using getter = memoryFs();
  const { hash } = await provider.fs.blobs.add(new Blob([pattern(3_000_000)]).stream());
  await Deno.truncate(`${provider.folder}/data/${hash.slice(0, 2)}/${hash}.data`, 2_000_000);
  await using connection = serving(provider.fs, { publicBlobs: true });
  equal(await ask(connection, getOf(hash)), "reset 3");
  await rejects(getBlob(connection, hash, getter.blobs), { code: "BLOB_ABSENT" });
  const { state, have } = await getter.blobs.status(hash);
  equal(state, "partial");
  await using sound = memoryFs();
  await sound.blobs.add(new Blob([pattern(3_000_000)]).stream());
  await using other = serving(sound, { publicBlobs: true });
  equal((await getBlob(other, hash, getter.blobs)).size, 3_000_000);
  const left = 3_000_000 - Number(have.at(-1)) * 1024;
  ok(other.stats().bytesReceived < left + 200_000, `${left} bytes were missing`);
});

Deno.test("fs: malformed requests are reset with 3, the last of them closes the connection with 2 (rows 8, 9)", async () => {
  await using provider = memoryFs();
  await using connection = serving(provider, { publicBlobs: true });
  const hex = "00".repeat(32);
  const wrong = [`02${hex}00`, `ff`, "", `00${hex}0200010001` + "0000", `01${hex}018000`, `00${hex.slice(2)}`];
  for (const one of wrong) equal(await ask(connection, Uint8Array.fromHex(one)), "reset 3", one);
  equal(await ask(connection, new Uint8Array(FS_LIMITS.request + 1)), "reset 3");
  await ask(connection, Uint8Array.of(0xee)).catch(() => {});
  const { code } = await connection.closed;
  equal(code, 2);
});

Deno.test("fs: half a request ends when its time is over (row 9)", async () => {
  await using provider = memoryFs();
  await using connection = serving(provider, { limits: { requestTime: 50 } });
  const stream = await connection.open();
  await stream.writable.getWriter().write(Uint8Array.of(0, 1, 2));
  await rejects(new Response(stream.readable as ReadableStream<Uint8Array<ArrayBuffer>>).bytes(), /code 2/);
});

Deno.test("fs: more streams than an address or an identity has get reset 2 (fs.md §9)", async () => {
  await using provider = memoryFs();
  const { hash } = await provider.blobs.add(new Blob([pattern(3_000_000)]).stream());
  const limits = { anonymousStreams: 2, streams: 3 };
  for (const [identity, most] of [[undefined, 2], [identityOf("ada"), 3]] as const) {
    await using connection = serving(provider, { publicBlobs: true, limits, identity });
    const held = [];
    for (let i = 0; i < most; i++) held.push(await served(connection, hash));
    equal(await ask(connection, getOf(hash)), "reset 2");
    for (const reader of held) await reader.cancel();
    await answered(connection, hash);
  }
});

Deno.test("fs: a requester that takes nothing loses its place (fs.md §9)", async () => {
  await using provider = memoryFs();
  const { hash } = await provider.blobs.add(new Blob([pattern(3_000_000)]).stream());
  const limits = { anonymousStreams: 1, writeStall: 100 };
  await using connection = serving(provider, { publicBlobs: true, limits });
  const slow = await served(connection, hash);
  await answered(connection, hash);
  await rejects(async () => {
    for (;;) if ((await slow.read()).done) return;
  }, /code 2/);
});

Deno.test({
  name: "fs: requesters that leave in the middle free their places and the files that were open for them (row 59)",
  ...needs("linux"),
  async fn() {
    await using provider = await diskStore();
    const { hash } = await provider.fs.blobs.add(new Blob([pattern(6 << 20)]).stream());
    await using connection = serving(provider.fs, { publicBlobs: true, limits: { anonymousStreams: 1 } });
    await answered(connection, hash);
    const open = (): number => [...Deno.readDirSync("/proc/self/fd")].length;
    const before = open();
    for (let i = 0; i < 40; i++) {
      const reader = await served(connection, hash);
      equal(open(), before + 2, "data and outboard");
      await reader.cancel();
      await answered(connection, hash);
    }
    equal(open(), before);
  },
});

/** A request that is being served, and of whose answer nobody reads on. */
async function served(connection: Connection, hash: string): Promise<ReadableStreamDefaultReader<Uint8Array>> {
  const stream = await connection.open();
  await send(stream.writable, getOf(hash));
  const reader = stream.readable.getReader();
  equal((await reader.read()).done, false);
  return reader;
}

/** Asks until there is a place. */
async function answered(connection: Connection, hash: string): Promise<void> {
  for (let answer = "reset 2"; answer === "reset 2";) {
    answer = await ask(connection, getOf(hash));
    // A pair in memory leaves no turn to timers.
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

Deno.test("getBlob: a provider that lies, ends early, sends nothing or too much (row 15)", async () => {
  const bytes = pattern(100_000);
  const hash = hashOf(bytes).toHex();
  const encoded = slowEncoding(bytes, [0n]);
  const flipped = encoded.slice();
  flipped[60_000] ^= 8;
  const answers: [string, Uint8Array, string | undefined][] = [
    // What was verified before is right, and stays.
    ["flips a bit", flipped, "HASH_MISMATCH"],
    ["is another blob", slowEncoding(pattern(99_999), [0n]), "HASH_MISMATCH"],
    ["ends early", encoded.subarray(0, 70_000), "BLOB_ABSENT"],
    ["ends in the size", encoded.subarray(0, 5), "BLOB_ABSENT"],
    ["sends nothing", new Uint8Array(), "BLOB_NOT_FOUND"],
    ["claims 2^63 bytes", Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 128, 1, 2, 3), "HASH_MISMATCH"],
    ["sends more", new Uint8Array([...encoded, 1, 2, 3]), undefined],
  ];
  for (const [what, answer, code] of answers) {
    await using getter = memoryFs();
    const [near, far] = memoryPair("alknet/blobs");
    const provider = (async () => {
      for await (const stream of far) {
        await new Response(stream.readable as ReadableStream<Uint8Array<ArrayBuffer>>).bytes();
        const writer = stream.writable.getWriter();
        await writer.write(answer).catch(() => {});
        await writer.close().catch(() => {});
      }
    })();
    const getting = getBlob(near, hash, getter.blobs);
    if (code === undefined) equal((await getting).size, 100_000, what);
    else {
      await rejects(getting, { code }, what);
      const { state, have } = await getter.blobs.status(hash);
      equal(state, have.length > 0 ? "partial" : "absent", what);
      await rejects(getter.blobs.open(hash), { code: "BLOB_NOT_FOUND" });
    }
    await near[Symbol.asyncDispose]();
    await provider;
  }
});

Deno.test("getBlob: a connection that ends, and a signal, end it", async () => {
  const hash = hashOf(pattern(10)).toHex();
  await using getter = memoryFs();
  {
    const [near, far] = memoryPair("alknet/blobs");
    const getting = getBlob(near, hash, getter.blobs);
    far.close(7, "gone");
    await rejects(getting, { code: "BLOB_NOT_FOUND" });
  }
  const [near] = memoryPair("alknet/blobs");
  const stop = new AbortController();
  const getting = getBlob(near, hash, getter.blobs, { signal: stop.signal });
  stop.abort(new Error("enough"));
  await rejects(getting, /enough/);
  near.close();
});

Deno.test("getBlob: what the store has is not asked for", async () => {
  await using getter = memoryFs();
  const { hash } = await getter.blobs.add(new Blob(["hello"]).stream());
  const [near] = memoryPair("alknet/blobs");
  equal((await getBlob(near, hash, getter.blobs)).size, 5);
  equal(near.stats().bytesSent, 0);
  near.close();
});

function getOf(hash: string): Uint8Array {
  const seq = [{ index: 0n, ranges: [0n] }, { index: 1n, ranges: [] }];
  return writeRequest({ type: "get", hash: Uint8Array.fromHex(hash), seq });
}
