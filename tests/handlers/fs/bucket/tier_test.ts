/**
 * A store with a bucket behind it: what is there, what is here, and what of faults comes to whoever reads (fs.md §7).
 *
 * @module
 */
import { type BucketOptions, openFs, type TreeFs } from "@alknet/handlers/fs";
import { hashOf } from "@alknet/handlers/fs/bao";
import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { needs } from "../../../support/programs.ts";
import { runProgram } from "../../../support/process.ts";
import { startPeer } from "../../../support/python.ts";
import { seeded } from "../../../support/random.ts";
import { ACCESS_KEY, BUCKET, SECRET, startS3 } from "../../../support/s3.ts";
import { temporaryFolder } from "../../../support/temp.ts";
import { filesBelow, sound } from "../stores.ts";
import { type Fault, faulty } from "./faulty.ts";

/** In the database; with its data in a file; with its pairs in one too. */
const SIZES = [0, 1, 16_384, 16_385, 200_000, 6 << 20];

/** Blobs of these sizes, tagged by them, so that they stay. */
async function filled(fs: TreeFs, name: string, sizes: readonly number[] = SIZES): Promise<Map<string, Uint8Array>> {
  const random = seeded(name);
  const all = new Map<string, Uint8Array>();
  for (const size of sizes) {
    const bytes = random.bytes(size);
    await using held = await fs.blobs.add(new Blob([bytes]).stream());
    await fs.blobs.setTag(`${size}`, held);
    all.set(held.hash, bytes);
  }
  return all;
}

async function readAll(fs: TreeFs, hash: string): Promise<Uint8Array> {
  await using reader = await fs.blobs.open(hash);
  return await reader.read(0, reader.size);
}

const cold = { mode: "cold", cacheBytes: 0 } satisfies Partial<BucketOptions>;

for (const kind of ["versitygw", "seaweedfs"] as const) {
  Deno.test({
    name:
      `cold store over ${kind}: its files go once they are there, and all is read back, by ranges too (fs.md §11 row 54)`,
    ...needs(kind, "python", "b3sum"),
    async fn() {
      await using server = await startS3(kind);
      await using folder = await temporaryFolder();
      await using peer = startPeer("s3_client.py");
      const asked = { endpoint: server.endpoint, accessKey: ACCESS_KEY, secret: SECRET, bucket: BUCKET };
      if (kind === "seaweedfs") await peer.ask({ action: "make", ...asked });
      const path = folder.join("fs");
      {
        await using fs = await openFs({ folder: path, bucket: server.options(cold) });
        const all = await filled(fs, kind);
        equal((await fs.settle()).left, 0);
        deepEqual(await filesBelow(`${path}/data`), []);
        for (const [hash, bytes] of all) {
          deepEqual(await readAll(fs, hash), bytes);
          await using reader = await fs.blobs.open(hash);
          for (const at of [0, 16_383, bytes.byteLength >> 1]) {
            deepEqual(await reader.read(at, 40_000), bytes.subarray(at, at + 40_000));
          }
          const file = await folder.write("out", await readAll(fs, hash));
          match((await runProgram("b3sum", [file])).stdout, new RegExp(`^${hash} `));
        }
        const { objects } = await peer.ask<{ objects: { key: string; size: number }[] }>({ action: "names", ...asked });
        const data = objects.filter(({ key }) => key.endsWith(".data"));
        deepEqual(
          data.map(({ key, size }) => [key, size]).sort(),
          [...all].map(([hash, { byteLength }]) => [`${hash.slice(0, 2)}/${hash}.data`, byteLength]).sort(),
        );
        equal(objects.filter(({ key }) => key.endsWith(".obao4")).length, 3);
      }
      await sound(path);
      // Another store, which has nothing, finds them there.
      await using fs = await openFs({ folder: folder.join("other"), bucket: server.options() });
      for (
        const { key, size }
          of (await peer.ask<{ objects: { key: string; size: number }[] }>({ action: "names", ...asked })).objects
      ) {
        if (!key.endsWith(".data")) continue;
        const hash = key.slice(3, -5);
        equal((await fs.blobs.status(hash)).size, size);
        equal(hashOf(await readAll(fs, hash)).toHex(), hash);
      }
      await rejects(fs.blobs.open("00".repeat(32)), { code: "BLOB_NOT_FOUND" });
    },
  });
}

Deno.test({
  name: "mirror: files stay here, the same blob is put once, and what is collected goes there too",
  ...needs("versitygw"),
  async fn() {
    await using server = await startS3();
    await using front = faulty(server);
    await using folder = await temporaryFolder();
    await using fs = await openFs({
      folder: folder.join("fs"),
      bucket: front.options({ mode: "mirror", prefix: "n/" }),
    });
    const all = await filled(fs, "mirror");
    await fs.settle();
    equal((await filesBelow(folder.join("fs", "data"))).length, 4);
    const puts = (): number =>
      front.seen.filter(({ method, path }) => method === "PUT" && path.includes(".data")).length;
    equal(puts(), all.size);
    await fs.settle();
    equal(puts(), all.size);
    for (const size of SIZES) await fs.blobs.dropTag(`${size}`);
    equal((await fs.blobs.collect({ full: true })).blobs, all.size);
    deepEqual(
      await filesBelow(`${server.folder}/${BUCKET}`).then((names) => names.filter((name) => !name.startsWith("."))),
      [],
    );
    equal((await filesBelow(folder.join("fs", "data"))).length, 0);
  },
});

/** Faults of answers to reads: none gives a wrong byte, and all are over when they are. */
const FAULTS: readonly [name: string, fault: Fault, code: RegExp][] = [
  ["a flipped bit", { flip: 700 }, /^BLOB_CORRUPT$/],
  ["a cut body", { cut: 300 }, /^BLOB_ABSENT$/],
  ["other bytes", { body: new Uint8Array(4096).fill(9) }, /^BLOB_CORRUPT$/],
  ["a 503", { status: 503, code: "SlowDown" }, /^BLOB_ABSENT$/],
  ["a 500", { status: 500 }, /^BLOB_ABSENT$/],
  ["keys that are over", { status: 403, code: "ExpiredToken" }, /^BLOB_ABSENT$/],
  ["a bucket that is gone", { status: 404, code: "NoSuchBucket" }, /^BLOB_ABSENT$/],
];

for (const [name, fault, code] of FAULTS) {
  Deno.test({
    name: `cold store: of ${name} no wrong byte comes, and the blob is read again after it (fs.md §11 row 53)`,
    ...needs("versitygw"),
    async fn() {
      await using server = await startS3();
      await using front = faulty(server);
      await using folder = await temporaryFolder();
      const path = folder.join("fs");
      {
        await using fs = await openFs({ folder: path, bucket: front.options(cold) });
        const all = await filled(fs, name, [200_000, 6 << 20]);
        await fs.settle();
        front.rule = ({ method }) => method === "GET" ? fault : undefined;
        for (const [hash] of all) {
          await rejects(readAll(fs, hash), (error) => code.test((error as { code: string }).code));
          await rejects(
            Array.fromAsync(fs.blobs.encode(hash, [0n])),
            (error) => code.test((error as { code: string }).code),
          );
        }
        front.rule = () => undefined;
        // What was found wrong is looked at once more, and believed.
        await Array.fromAsync(fs.blobs.verify());
        for (const [hash, bytes] of all) deepEqual(await readAll(fs, hash), bytes);
      }
      await sound(path);
    },
  });
}

Deno.test({
  name:
    "cold store: an object that is wrong is absent, is replaced by a good copy, and believed when it is right again",
  ...needs("versitygw"),
  async fn() {
    await using server = await startS3();
    await using folder = await temporaryFolder();
    await using fs = await openFs({ folder: folder.join("fs"), bucket: server.options(cold) });
    const [[hash, bytes], [other, others]] = await filled(fs, "wrong", [200_000, 300_000]);
    await fs.settle();
    const place = (of: string): string => `${server.folder}/${BUCKET}/${of.slice(0, 2)}/${of}.data`;
    // They change places, and one is cut: as many bytes, and other ones.
    await Deno.writeFile(place(hash), others.subarray(0, bytes.byteLength));
    await Deno.writeFile(place(other), others.subarray(0, 1000));
    for (const one of [hash, other]) {
      await rejects(readAll(fs, one), { code: /BLOB_CORRUPT|BLOB_ABSENT/ });
      await fs.settle();
      equal((await fs.blobs.status(one)).state === "complete", false);
      await rejects(fs.blobs.open(one), { code: "BLOB_NOT_FOUND" });
    }
    await Deno.writeFile(place(other), others);
    await Array.fromAsync(fs.blobs.verify());
    deepEqual(await readAll(fs, other), others);
    await using _held = await fs.blobs.add(new Blob([bytes as Uint8Array<ArrayBuffer>]).stream());
    await fs.settle();
    deepEqual(await Deno.readFile(place(hash)), bytes);
    deepEqual(await readAll(fs, hash), bytes);
    deepEqual(await filesBelow(folder.join("fs", "data")), []);
  },
});

Deno.test({
  name: "cold store: a copy that was damaged on its way is sent again before the one here goes",
  ...needs("versitygw"),
  async fn() {
    await using server = await startS3();
    await using folder = await temporaryFolder();
    const path = folder.join("fs");
    // As many bytes as it should have, put there by somebody else.
    const bytes = seeded("damaged").bytes(300_000);
    const hash = hashOf(bytes).toHex();
    const place = `${server.folder}/${BUCKET}/${hash.slice(0, 2)}`;
    await Deno.mkdir(place, { recursive: true });
    const flipped = bytes.slice();
    flipped[123_456] ^= 1;
    await Deno.writeFile(`${place}/${hash}.data`, flipped);
    await using fs = await openFs({ folder: path, bucket: server.options(cold) });
    await using _held = await fs.blobs.add(new Blob([bytes]).stream());
    // The first finds that what is there is wrong, the second sends it.
    await fs.settle();
    await fs.settle();
    deepEqual(await filesBelow(`${path}/data`), []);
    deepEqual(await Deno.readFile(`${place}/${hash}.data`), bytes);
    deepEqual(await readAll(fs, hash), bytes);
  },
});

Deno.test({
  name:
    "a bucket that is down: adding and collecting go on, what is there alone is BLOB_ABSENT, and all is sent when it is back",
  ...needs("versitygw"),
  async fn() {
    await using server = await startS3();
    await using folder = await temporaryFolder();
    await using fs = await openFs({ folder: folder.join("fs"), bucket: server.options(cold) });
    const [[before, bytes]] = await filled(fs, "down", [200_000]);
    await fs.settle();
    await server.kill();
    const all = await filled(fs, "down too", [20_000, 30_000]);
    const settled = await fs.settle();
    equal(settled.left, 2);
    match(settled.failure!, /bucket blobs at 127\.0\.0\.1:\d+: (?:PUT|POST)/);
    for (const [hash, bytes] of all) deepEqual(await readAll(fs, hash), bytes);
    await rejects(readAll(fs, before), { code: "BLOB_ABSENT", message: /lies in the bucket alone/ });
    await fs.blobs.dropTag("20000");
    const [gone] = all.keys();
    equal((await fs.blobs.collect({ full: true })).blobs, 0, "it cannot be taken away there yet");
    equal((await fs.blobs.status(gone)).state, "complete");
    await server.again();
    equal((await fs.settle()).left, 0);
    deepEqual(await readAll(fs, before), bytes);
    equal((await fs.blobs.collect({ full: true })).blobs, 1);
    equal((await fs.blobs.status(gone)).state, "absent");
  },
});

Deno.test({
  name: "a bucket that takes nothing more: blobs stay here, with the reason",
  ...needs("versitygw"),
  async fn() {
    await using server = await startS3();
    await using front = faulty(server);
    await using folder = await temporaryFolder();
    await using fs = await openFs({ folder: folder.join("fs"), bucket: front.options(cold) });
    front.rule = ({ method }) => method === "PUT" ? { status: 403, code: "QuotaExceeded" } : undefined;
    const all = await filled(fs, "full", [200_000]);
    const { left, failure } = await fs.settle();
    equal(left, 1);
    match(failure!, /QuotaExceeded/);
    for (const [hash, bytes] of all) deepEqual(await readAll(fs, hash), bytes);
    ok((await filesBelow(folder.join("fs", "data"))).length > 0);
  },
});

Deno.test({
  name: "a store whose bucket is no longer named says so of what lies there alone",
  ...needs("versitygw"),
  async fn() {
    await using server = await startS3();
    await using folder = await temporaryFolder();
    const path = folder.join("fs");
    let hash: string;
    {
      await using fs = await openFs({ folder: path, bucket: server.options(cold) });
      [hash] = (await filled(fs, "unnamed", [200_000])).keys();
      await fs.settle();
    }
    await using fs = await openFs({ folder: path });
    await rejects(readAll(fs, hash), { code: "BLOB_ABSENT", message: /handlers\.fs\.bucket/ });
  },
});

Deno.test({
  name: "a bucket that spoils what it is given: the copy here stays, and is not sent again and again",
  ...needs("versitygw"),
  async fn() {
    await using server = await startS3();
    await using front = faulty(server);
    await using folder = await temporaryFolder();
    await using fs = await openFs({ folder: folder.join("fs"), bucket: front.options(cold) });
    front.rule = ({ method, path }) => method === "GET" && path.includes(".data") ? { flip: 12 } : undefined;
    const [[hash, bytes]] = await filled(fs, "spoils", [200_000]);
    for (let i = 0; i < 6; i++) await fs.settle();
    const puts = front.seen.filter(({ method, path }) => method === "PUT" && path.includes(".data"));
    equal(puts.length, 2);
    deepEqual(await readAll(fs, hash), bytes);
  },
});

Deno.test({
  name: "cold store: many who read a blob at once each get it whole, and ask for each of its pieces once",
  ...needs("versitygw"),
  async fn() {
    await using server = await startS3();
    await using front = faulty(server);
    await using folder = await temporaryFolder();
    await using fs = await openFs({ folder: folder.join("fs"), bucket: front.options(cold) });
    const [[hash, bytes]] = await filled(fs, "many", [6 << 20]);
    await fs.settle();
    front.seen.length = 0;
    const read = await Promise.all(Array.from({ length: 4 }, () => readAll(fs, hash)));
    for (const one of read) deepEqual(one, bytes);
    // A MiB, and then two and three more by whoever reads on.
    equal(front.seen.filter(({ path }) => path.includes(".data")).length, 4 * 3);
  },
});

Deno.test({
  name: "cold store: what is read comes here again, as far as there is room, and what was used the longest ago goes",
  ...needs("versitygw"),
  async fn() {
    await using server = await startS3();
    await using front = faulty(server);
    await using folder = await temporaryFolder();
    const path = folder.join("fs");
    const sizes = [20_000, 200_000, 5 << 20];
    let all: Map<string, Uint8Array>;
    {
      await using fs = await openFs({ folder: path, bucket: server.options(cold) });
      all = await filled(fs, "brought", [...sizes, 9 << 20]);
      await fs.settle();
    }
    await sound(path);
    const hashes = [...all.keys()];
    {
      await using fs = await openFs({ folder: path, bucket: front.options({ mode: "cold", cacheBytes: 32 << 20 }) });
      const gets = (): number =>
        front.seen.filter(({ method, path }) => method === "GET" && path.includes(".data")).length;
      for (const [hash, bytes] of all) {
        const [one, other] = await Promise.all([readAll(fs, hash), readAll(fs, hash)]);
        deepEqual(one, bytes);
        deepEqual(other, bytes);
      }
      const before = gets();
      for (const [hash, bytes] of [...all].slice(0, 3)) deepEqual(await readAll(fs, hash), bytes);
      equal(gets(), before, "they are here");
      const here = (await filesBelow(`${path}/data`)).filter((name) => name.endsWith(".data"));
      // The largest would take more than a fourth of the room.
      deepEqual(here.sort(), hashes.slice(0, 3).map((hash) => `${hash}.data`).sort());
    }
    await sound(path);
    {
      // Within an hour all were used at the same time: the largest goes whichever are the first.
      const cacheBytes = (5 << 20) - 1;
      await using fs = await openFs({ folder: path, bucket: front.options({ mode: "cold", cacheBytes }) });
      await fs.settle();
      equal((await filesBelow(`${path}/data`)).some((name) => name.startsWith(hashes[2])), false);
      // A wrong byte does not come here.
      front.rule = ({ path }) => path.includes(".data") ? { flip: 1 } : undefined;
      await rejects(readAll(fs, hashes[2]), { code: "BLOB_CORRUPT" });
    }
    await sound(path);
  },
});
