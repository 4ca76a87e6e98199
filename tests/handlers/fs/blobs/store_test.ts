/**
 * Stores of blobs, in memory and on disk: what goes in comes out, verified, and nothing else (fs.md §5).
 *
 * @module
 */
import { openFs } from "@alknet/handlers/fs";
import { hashOf } from "@alknet/handlers/fs/bao";
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { seeded } from "../../../support/random.ts";
import { temporaryFolder } from "../../../support/temp.ts";
import { joined, slowEncoding } from "../twin.ts";
import { diskStore, filesBelow, KINDS, sound } from "../stores.ts";

const SIZES = [0, 1, 16384, 16385, 100_000, (4 << 20) + 16385, (5 << 20) + 1];

for (const [kind, make] of Object.entries(KINDS)) {
  Deno.test(`${kind} store: add, read, encode, receive: the same bytes at every size (fs.md §1)`, async () => {
    await using store = await make();
    await using other = await make();
    await using folder = await temporaryFolder();
    const random = seeded(kind);
    for (const size of SIZES) {
      const bytes = random.bytes(size);
      const hash = hashOf(bytes).toHex();
      const { blobs } = store.fs;
      equal((await blobs.status(hash)).state, "absent");
      await rejects(blobs.open(hash), { code: "BLOB_NOT_FOUND" });
      await rejects(blobs.hold(hash), { code: "BLOB_NOT_FOUND" });
      await rejects(blobs.setTag("t", { hash, format: "raw" }), { code: "BLOB_NOT_FOUND" });
      {
        await using held = await blobs.add({ path: await folder.write("input", bytes) });
        deepEqual([held.hash, held.size, held.format], [hash, size, "raw"]);
      }
      await using again = await blobs.add(new Blob([bytes]).stream());
      equal(again.hash, hash);
      deepEqual(await blobs.status(hash), { hash, state: "complete", size, have: [0n] });
      await blobs.setTag("t", { hash, format: "raw" });
      await using reader = await blobs.open(hash);
      deepEqual(await reader.read(0, size + 10), bytes);
      for (let i = 0; i < 20; i++) {
        const at = random.below(size + 2);
        const length = random.below(40_000);
        deepEqual(await reader.read(at, length), bytes.subarray(at, at + length));
      }
      const parts: Uint8Array[] = [];
      for await (const part of blobs.encode(hash, [0n])) parts.push(part.slice());
      const encoded = joined(parts);
      if (size <= 100_000) deepEqual(encoded, slowEncoding(bytes, [0n]));
      await using received = await other.fs.blobs.receive(hash, [0n], readerOf(encoded));
      equal(received!.size, size);
      await using back = await other.fs.blobs.open(hash);
      deepEqual(await back.read(0, size), bytes);
    }
  });

  Deno.test(`${kind} store: of an encoding that is wrong or cut what was verified stays, and nothing else (fs.md §4)`, async () => {
    await using store = await make();
    const bytes = seeded(`${kind} wrong`).bytes(200_000);
    const hash = hashOf(bytes).toHex();
    const encoded = slowEncoding(bytes, [0n]);
    const { blobs } = store.fs;
    const have = async (): Promise<string> => {
      const { state, have } = await blobs.status(hash);
      return `${state} ${have.join("-")}`;
    };
    await rejects(blobs.receive(hash, [0n], readerOf(encoded), { maxSize: 199_999 }), { code: "QUOTA_EXCEEDED" });
    const stopped = AbortSignal.abort(new Error("stopped"));
    await rejects(blobs.receive(hash, [0n], readerOf(encoded), { signal: stopped }), /stopped/);
    const early = encoded.slice();
    early[1000] ^= 1;
    await rejects(blobs.receive(hash, [0n], readerOf(early)), { code: "HASH_MISMATCH" });
    equal(await have(), "absent ");
    await rejects(blobs.receive(hash, [0n], readerOf(encoded.subarray(0, 100_000))), { code: "ENCODING_CUT" });
    equal(await have(), "partial 0-96");
    const flipped = encoded.slice();
    flipped[150_000] ^= 1;
    await rejects(blobs.receive(hash, [0n], readerOf(flipped)), { code: "HASH_MISMATCH" });
    equal(await have(), "partial 0-144");
    await rejects(blobs.open(hash), { code: "BLOB_NOT_FOUND" });
    await rejects(blobs.hold(hash), { code: "BLOB_NOT_FOUND" });
    await rejects(blobs.setTag("t", { hash, format: "raw" }), { code: "BLOB_NOT_FOUND" });
    await using held = await blobs.receive(hash, [144n], readerOf(slowEncoding(bytes, [144n])));
    equal(held!.size, 200_000);
    await using reader = await blobs.open(hash);
    deepEqual(await reader.read(0, 200_000), bytes);
  });

  Deno.test(`${kind} store: grants hold for whom and until when they say (fs.md §9)`, async () => {
    await using store = await make();
    const { grants } = store.fs;
    const hash = hashOf(new Uint8Array()).toHex();
    const other = hashOf(new Uint8Array(1)).toHex();
    const now = Math.floor(Date.now() / 1000);
    equal(await grants.mayRead(hash, ["anyone"]), false);
    const { id } = await grants.grant({ hash, subject: "id:ada" });
    equal((await grants.grant({ hash, subject: "id:ada" })).id, id, "what says the same is the same");
    await grants.grant({ hash, subject: "key:k", expires: now - 1 });
    await grants.grant({ hash, subject: "key:l", expires: now + 3600 });
    deepEqual([
      await grants.mayRead(hash, ["anyone"]),
      await grants.mayRead(hash, ["anyone", "id:ada"]),
      await grants.mayRead(hash, ["anyone", "id:bob", "key:k"]),
      await grants.mayRead(hash, ["key:l"]),
      await grants.mayRead(other, ["id:ada"]),
    ], [false, true, false, true, false]);
  });

  Deno.test(`${kind} store: a secret is redeemed by one key, and again by it; a grant is revoked by who may (row 46)`, async () => {
    await using store = await make();
    const { grants } = store.fs;
    const hash = hashOf(new Uint8Array()).toHex();
    const now = Math.floor(Date.now() / 1000);
    const { id, secret } = await grants.grantSecret({ hash, expires: now + 3600, owner: "ada" });
    equal(secret.byteLength, 32);
    equal(await grants.mayRead(hash, ["anyone", "key:k", "id:secret"]), false);
    const expired = { code: "GRANT_EXPIRED" };
    await rejects(grants.redeem(new Uint8Array(32), "k"), expired);
    deepEqual(await grants.redeem(secret, "k"), { id, hash, subject: "key:k", expires: now + 3600, owner: "ada" });
    equal((await grants.redeem(secret, "k")).id, id);
    await rejects(grants.redeem(secret, "l"), expired);
    deepEqual([await grants.mayRead(hash, ["key:k"]), await grants.mayRead(hash, ["key:l"])], [true, false]);
    await rejects(grants.revoke(id, (owner) => owner === "bob"), expired);
    equal(await grants.mayRead(hash, ["key:k"]), true);
    await grants.revoke(id, (owner) => owner === "ada");
    await rejects(grants.revoke(id, () => true), expired);
    await rejects(grants.redeem(secret, "k"), expired);
    equal(await grants.mayRead(hash, ["key:k"]), false);
    const late = await grants.grantSecret({ hash, expires: now - 1 });
    await rejects(grants.redeem(late.secret, "k"), expired);
  });
}

Deno.test("disk store: damaged data, outboard and a file that is gone are seen, the rest is read (row 22)", async () => {
  await using store = await diskStore();
  const { blobs } = store.fs;
  const bytes = seeded("damage").bytes((5 << 20) + 7);
  await using held = await blobs.add(new Blob([bytes]).stream());
  const path = `${store.folder}/data/${held.hash.slice(0, 2)}/${held.hash}`;
  const change = async (file: string, at: number): Promise<void> => {
    using handle = await Deno.open(file, { read: true, write: true });
    await handle.seek(at, Deno.SeekMode.Start);
    await handle.write(new Uint8Array([bytes[at] ^ 1]));
  };
  await change(`${path}.data`, 1_000_000);
  {
    await using reader = await blobs.open(held.hash);
    await rejects(reader.read(999_000, 5000), { code: "BLOB_CORRUPT" });
    deepEqual(await reader.read(2_000_000, 100_000), bytes.subarray(2_000_000, 2_100_000));
  }
  await Deno.truncate(`${path}.data`, 3_000_000);
  {
    await using reader = await blobs.open(held.hash);
    await rejects(reader.read(2_990_000, 20_000), { code: "BLOB_CORRUPT" });
  }
  const pairs = await Deno.readFile(`${path}.obao4`);
  await Deno.writeFile(`${path}.obao4`, new Uint8Array(pairs.byteLength));
  {
    await using reader = await blobs.open(held.hash);
    await rejects(reader.read(0, 10), { code: "BLOB_CORRUPT" });
  }
  await Deno.writeFile(`${path}.obao4`, pairs);
  await Deno.rename(`${path}.data`, `${store.folder}/gone`);
  await rejects(blobs.open(held.hash), { code: "BLOB_CORRUPT" });
  await Deno.rename(`${store.folder}/gone`, `${path}.data`);
});

Deno.test("disk store: folders and files are their owner's alone (fs.md §5.6)", async () => {
  await using store = await diskStore();
  await using input = await temporaryFolder();
  const file = await input.write("wide", new Uint8Array(5 << 20), { mode: 0o666 });
  await using held = await store.fs.blobs.add({ path: file });
  const modeOf = async (path: string): Promise<number> => (await Deno.stat(path)).mode! & 0o777;
  const place = `data/${held.hash.slice(0, 2)}`;
  for (const folder of ["", "data", "tmp", place]) equal(await modeOf(`${store.folder}/${folder}`), 0o700, folder);
  const files = ["store.db", "store.db-wal", `${place}/${held.hash}.data`, `${place}/${held.hash}.obao4`];
  for (const name of files) equal(await modeOf(`${store.folder}/${name}`), 0o600, name);
});

Deno.test("disk store: two that have it open see each other's blobs", async () => {
  await using store = await diskStore();
  await using second = await openFs({ folder: store.folder });
  await using held = await store.fs.blobs.add(new Blob(["hello"]).stream());
  await using also = await second.blobs.add(new Blob(["hello"]).stream());
  equal(also.hash, held.hash);
  await using reader = await second.blobs.open(held.hash);
  equal(new TextDecoder().decode(await reader.read(0, 5)), "hello");
});

Deno.test("disk store: small blobs that come together share a transaction; one that fails spoils it for no other (fs.md §5.1)", async () => {
  await using store = await diskStore();
  const { blobs } = store.fs;
  const bytesOf = (i: number): Blob => new Blob([`blob ${i % 1500}`]);
  const held = await Promise.all(Array.from({ length: 2000 }, (_, i) => blobs.add(bytesOf(i).stream())));
  equal(new Set(held.map(({ hash }) => hash)).size, 1500);
  const tags = await Promise.allSettled(
    held.slice(0, 100).map(({ hash }, i) => {
      return blobs.setTag(`tag ${i}`, { hash: i === 50 ? "00".repeat(32) : hash, format: "raw" });
    }),
  );
  deepEqual(tags.map(({ status }) => status === "fulfilled"), Array.from({ length: 100 }, (_, i) => i !== 50));
  for (const one of held) await one[Symbol.asyncDispose]();
  await using more = await blobs.add(new Blob(["one more"]).stream());
  const database = new DatabaseSync(`${store.folder}/store.db`, { readOnly: true });
  try {
    deepEqual(database.prepare("SELECT lower(hex(hash)) AS hash FROM holds").all().map(({ hash }) => hash), [
      more.hash,
    ]);
    equal(database.prepare("SELECT count(*) AS n FROM tags").get()!.n, 99);
  } finally {
    database.close();
  }
});

Deno.test("disk store: what a dead holder left is gone at the next opening, what a living one has stays (fs.md §5.3)", async () => {
  await using store = await diskStore();
  const { folder, fs } = store;
  await fs[Symbol.asyncDispose]();
  const dead = "00112233aabbccdd";
  const orphan = hashOf(new Uint8Array([1])).toHex();
  const known = hashOf(new Uint8Array([2])).toHex();
  await Deno.writeTextFile(`${folder}/tmp/${dead}.lock`, "");
  await Deno.writeTextFile(`${folder}/tmp/${dead}-0`, "half a copy");
  await Deno.mkdir(`${folder}/data/${orphan.slice(0, 2)}`, { recursive: true });
  await Deno.writeTextFile(`${folder}/data/${orphan.slice(0, 2)}/${orphan}.data`, "renamed, and then killed");
  const database = new DatabaseSync(`${folder}/store.db`);
  const insert = database.prepare("INSERT INTO holds(hash,holder) VALUES(?,?)");
  for (const hash of [orphan, known]) insert.run(Uint8Array.fromHex(hash), dead);
  database.close();
  await using living = await openFs({ folder });
  deepEqual(await filesBelow(`${folder}/data`), []);
  equal((await filesBelow(`${folder}/tmp`)).some((name) => name.startsWith(dead)), false);
  await using held = await living.blobs.add(new Blob(["x"]).stream());
  // One more process: the first one lives, so its lock and its holds stay.
  await using another = await openFs({ folder });
  equal((await filesBelow(`${folder}/tmp`)).length, 2);
  ok((await another.blobs.status(held.hash)).state === "complete");
});

Deno.test("disk store: a newer one, and a database of somebody else, are refused untouched (row 23)", async () => {
  await using temporary = await temporaryFolder();
  const folder = temporary.join("fs");
  await (await openFs({ folder }))[Symbol.asyncDispose]();
  const set = (pragma: string): void => {
    const database = new DatabaseSync(`${folder}/store.db`);
    database.exec(`PRAGMA ${pragma}`);
    database.close();
  };
  set("user_version=2");
  await rejects(openFs({ folder }), { code: "STORE_NEWER" });
  set("user_version=1");
  set("application_id=7");
  await rejects(openFs({ folder }), { code: "INVALID_STORE" });
  set(`application_id=${0x616C6B73}`);
  await (await openFs({ folder }))[Symbol.asyncDispose]();
  await sound(folder);
});

function readerOf(bytes: Uint8Array): { read(length: number): Uint8Array } {
  let at = 0;
  return { read: (length) => bytes.subarray(at, at += Math.min(length, bytes.byteLength - at)) };
}
