/**
 * Several stores over one bucket, and processes that are killed at their requests to it: nothing that a store relies on goes,
 * and nothing is left over (fs.md §7, §11 rows 52 and 57).
 *
 * @module
 */
import { openFs } from "@alknet/handlers/fs";
import { hashOf } from "@alknet/handlers/fs/bao";
import { deepEqual, equal, ok } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { S3Bucket } from "../../../../handlers/fs/bucket/s3/client.ts";
import { Claims, keyOf } from "../../../../handlers/fs/bucket/tier/claims.ts";
import { needs } from "../../../support/programs.ts";
import { start } from "../../../support/process.ts";
import { Random, seeded } from "../../../support/random.ts";
import { BUCKET, startS3 } from "../../../support/s3.ts";
import { temporaryFolder } from "../../../support/temp.ts";
import { filesBelow, sound } from "../stores.ts";
import { faulty } from "./faulty.ts";

const PROGRAM = new URL("./sending_program.ts", import.meta.url).pathname;
const KILLS = 8;
/** Requests of whoever takes away, and one that never comes. */
const STEPS = 8;

Deno.test({
  name:
    "Claims: one takes away while another begins to need it, stopped at each request of either: what is needed stays",
  ...needs("versitygw"),
  async fn() {
    await using server = await startS3();
    const seen = { waited: 0, kept: 0, gone: 0 };
    for (const slow of ["drops", "needs"] as const) {
      for (let step = 0; step < STEPS; step++) {
        await using front = faulty(server);
        using through = new S3Bucket(front.options());
        using direct = new S3Bucket(server.options());
        const drops = new Claims(slow === "drops" ? through : direct, "aaaaaaaaaaaaaaaa");
        const wants = new Claims(slow === "needs" ? through : direct, "bbbbbbbbbbbbbbbb");
        const hash = hashOf(new Uint8Array([step, slow.length])).toHex();
        await drops.need(hash);
        await direct.put(keyOf(hash, "data"), new Uint8Array(5));
        const want = async (): Promise<boolean> => {
          const there = await wants.need(hash).catch((error) => {
            equal(error.code, "BUCKET_UNAVAILABLE");
            return undefined;
          });
          if (!there) return false;
          if (there.data === undefined) await direct.put(keyOf(hash, "data"), new Uint8Array(5));
          return true;
        };
        let count = -1;
        let other: Promise<unknown> | undefined;
        let isMet = false;
        front.rule = async () => {
          // The other goes all its way, and this one on after it.
          if (++count === step) await (other = slow === "drops" ? want().then((met) => isMet = met) : drops.drop(hash));
          return undefined;
        };
        if (slow === "drops") await drops.drop(hash);
        else isMet = await want();
        await other;
        front.rule = () => undefined;
        if (!isMet) {
          seen.waited++;
          equal(await want(), true);
        }
        ok(await direct.head(keyOf(hash, "data")), `${slow} ${step}: it is there`);
        const left = await Array.fromAsync(direct.list(keyOf(hash, "")));
        equal(left.filter(({ key }) => key.includes(".going-")).length, 0);
        if (slow === "needs" && !other) await drops.drop(hash);
        ok(await direct.head(keyOf(hash, "data")), "the other needs it");
        seen.kept++;
        await wants.drop(hash);
        if (!await direct.head(keyOf(hash, "data"))) seen.gone++;
      }
    }
    ok(seen.waited > 0 && seen.gone > 0, JSON.stringify(seen));
  },
});

Deno.test({
  name: "Claims: what a dead store was taking away is free after an hour, and not before",
  ...needs("versitygw"),
  async fn() {
    await using server = await startS3();
    await using front = faulty(server);
    using bucket = new S3Bucket(front.options());
    const claims = new Claims(bucket, "bbbbbbbbbbbbbbbb");
    const hash = "ab".repeat(32);
    await bucket.put(keyOf(hash, "going-aaaaaaaaaaaaaaaa"), new Uint8Array());
    for (const [minutes, isFree] of [[0, false], [59, false], [61, true]] as const) {
      front.rule = () => ({ headers: { date: new Date(Date.now() + minutes * 60_000).toUTCString() } });
      equal(await claims.need(hash).then(() => true, () => false), isFree);
    }
  },
});

Deno.test({
  name: "two stores over one bucket, which add, collect and let go the same blobs: each reads what it keeps",
  ...needs("versitygw"),
  async fn() {
    await using server = await startS3();
    await using folder = await temporaryFolder();
    const random = seeded("two stores");
    const open = (name: string) =>
      openFs({ folder: folder.join(name), bucket: server.options({ mode: "cold", cacheBytes: 0 }) });
    {
      await using one = await open("one");
      await using other = await open("other");
      const blobs = Array.from({ length: 6 }, () => random.bytes(random.between(20_000, 60_000)));
      const kept = [new Set<number>(), new Set<number>()];
      const act = async (which: 0 | 1, rounds: number): Promise<void> => {
        const { blobs: store } = [one, other][which];
        for (let round = 0; round < rounds; round++) {
          const i = random.below(blobs.length);
          if (kept[which].delete(i)) {
            await store.dropTag(`${i}`);
            await store.collect({ full: true });
          } else {
            await using held = await store.add(new Blob([blobs[i]]).stream());
            await store.setTag(`${i}`, held);
            kept[which].add(i);
            if (random.chance(0.5)) await [one, other][which].settle();
          }
        }
      };
      await Promise.all([act(0, 40), act(1, 40)]);
      for (const [which, fs] of [one, other].entries()) {
        await fs.settle();
        for (const i of kept[which]) {
          await using reader = await fs.blobs.open(hashOf(blobs[i]).toHex());
          deepEqual(await reader.read(0, reader.size), blobs[i]);
        }
        for (const i of kept[which]) await fs.blobs.dropTag(`${i}`);
        await fs.blobs.collect({ full: true });
      }
      await one.settle();
      await one.blobs.collect({ full: true });
      await other.blobs.collect({ full: true });
    }
    for (const name of ["one", "other"]) await sound(folder.join(name));
    deepEqual((await filesBelow(`${server.folder}/${BUCKET}`)).filter((name) => /^[0-9a-f]{64}/.test(name)), []);
  },
});

Deno.test({
  name:
    "kill -9 at a request of whoever sends, lets go or collects: what was acknowledged is there, and nothing is left over (fs.md §11 rows 52, 57)",
  ...needs("versitygw"),
  async fn() {
    await using server = await startS3();
    await using folder = await temporaryFolder();
    const random = seeded("bucket kills");
    const path = folder.join("fs");
    const acknowledged = new Map<string, readonly [seed: number, size: number]>();
    let killed = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      await using front = faulty(server);
      {
        const args = ["run", "-A", "--no-check", PROGRAM, path, front.options().endpoint, `${kill * 1000}`];
        await using child = start(Deno.execPath(), args, { signal: "SIGKILL" });
        let left = random.between(1, 45);
        const { promise, resolve } = Promise.withResolvers<void>();
        front.rule = () => {
          if (--left > 0) return undefined;
          child.kill("SIGKILL");
          killed++;
          resolve();
          // As often as not it came there.
          return random.chance(0.5) ? undefined : { status: 403 };
        };
        const read = (async () => {
          for (;;) {
            const line = await child.line(/^kept |^done/).catch(() => "done");
            if (line === "done") return resolve();
            const [, hash, seed, size] = line.split(" ");
            acknowledged.set(hash, [Number(seed), Number(size)]);
          }
        })();
        await promise;
        child.kill("SIGKILL");
        await read;
        await front.quiet();
      }
      await using fs = await openFs({ folder: path, bucket: server.options({ mode: "cold", cacheBytes: 0 }) });
      equal((await fs.settle()).left, 0);
      await fs.blobs.collect({ full: true });
      deepEqual(await filesBelow(`${path}/data`), []);
      for (const [hash, [seed, size]] of acknowledged) {
        await using reader = await fs.blobs.open(hash);
        equal(hashOf(await reader.read(0, size)).toHex(), hash);
        equal(new Random(seed).bytes(8).toHex(), (await reader.read(0, 8)).subarray(0, 8).toHex().slice(0, 16));
      }
    }
    ok(killed > KILLS / 2, `${killed} of them were killed at a request`);
    await sound(path);
    using bucket = new S3Bucket(server.options());
    equal(await bucket.sweep(-3_600_000), 0, "no put in parts is left");
    const data = (await Array.fromAsync(bucket.list(""))).filter(({ key }) => key.endsWith(".data"));
    deepEqual(data.map(({ key }) => key.slice(3, -5)).sort(), [...acknowledged.keys()].sort());
  },
});

Deno.test({
  name: "cold store: a process that died when its file was to go: the next to open the store lets it go (fs.md §5.3)",
  ...needs("versitygw"),
  async fn() {
    await using server = await startS3();
    await using folder = await temporaryFolder();
    const path = folder.join("fs");
    const bytes = seeded("stray").bytes(6 << 20);
    const hash = hashOf(bytes).toHex();
    {
      await using fs = await openFs({ folder: path, bucket: server.options() });
      await using held = await fs.blobs.add(new Blob([bytes]).stream());
      await fs.blobs.setTag("stray", held);
      await fs.settle();
    }
    {
      using database = new DatabaseSync(`${path}/store.db`);
      database.exec("UPDATE blobs SET place=3; INSERT INTO holds SELECT hash,'0123456789abcdef' FROM blobs");
      await Deno.writeTextFile(`${path}/tmp/0123456789abcdef.lock`, "");
    }
    equal((await filesBelow(`${path}/data`)).length, 2);
    {
      await using fs = await openFs({ folder: path, bucket: server.options() });
      deepEqual(await filesBelow(`${path}/data`), []);
      await using reader = await fs.blobs.open(hash);
      deepEqual(await reader.read(0, reader.size), bytes);
    }
    await sound(path);
  },
});
