/**
 * A process that adds blobs is killed at any moment: what it acknowledged is there, and nothing is left over (fs.md §5.3, §11
 * row 21).
 *
 * @module
 */
import { type Fs, memoryFs, openFs } from "@alknet/handlers/fs";
import { complementOf } from "@alknet/handlers/fs/bao";
import { deepEqual, equal, ok } from "node:assert/strict";
import { start } from "../../../support/process.ts";
import { Random, seeded } from "../../../support/random.ts";
import { temporaryFolder } from "../../../support/temp.ts";
import { filesBelow, PART_SIZE, readerOfBytes, SIZES_OF_PROGRAM, sound } from "../stores.ts";
import { joined } from "../twin.ts";

const PROGRAM = new URL("./adding_program.ts", import.meta.url).pathname;
const PARTS = new URL("./receiving_program.ts", import.meta.url).pathname;
const COLLECTS = new URL("./collecting_program.ts", import.meta.url).pathname;
const KILLS = 12;

Deno.test("disk store: kill -9 while blobs are added: those acknowledged are whole, tmp/ is empty, each file has its row (row 21)", async () => {
  await using temporary = await temporaryFolder();
  const folder = temporary.join("fs");
  const random = seeded("kills");
  const acknowledged = new Map<string, number>();
  for (let kill = 0; kill < KILLS; kill++) {
    {
      await using child = start(Deno.execPath(), ["run", "-A", "--no-check", PROGRAM, folder, `${kill * 1000}`], {
        signal: "SIGKILL",
      });
      // The moment: so many blobs, and then a change in tmp/ of the one that comes.
      const lines = [];
      for (let blobs = random.between(1, 6); blobs > 0; blobs--) lines.push(await child.line(/^[0-9a-f]{64} /));
      if (random.chance(0.7)) await changes(`${folder}/tmp`, random.between(1, 4));
      for (const line of lines) acknowledged.set(line.slice(0, 64), Number(line.slice(65)));
    }
    await using fs = await openFs({ folder });
    equal((await filesBelow(`${folder}/tmp`)).length, 1, "its own lock alone");
    for (const [hash, seed] of acknowledged) {
      await using reader = await fs.blobs.open(hash);
      const bytes = new Random(seed).bytes(SIZES_OF_PROGRAM[seed % SIZES_OF_PROGRAM.length]);
      deepEqual(await reader.read(0, reader.size), bytes);
    }
  }
  await sound(folder);
});

Deno.test("disk store: kill -9 while parts of blobs come: what it says to have is right, gone on with it becomes the blob (rows 17, 21)", async () => {
  await using temporary = await temporaryFolder();
  const folder = temporary.join("fs");
  await using provider = memoryFs();
  const random = seeded("part kills");
  const whole = new Map<string, number>();
  const found = { partial: 0, complete: 0, absent: 0 };
  for (let kill = 0; kill < KILLS; kill++) {
    let last: readonly string[] = [];
    {
      await using child = start(Deno.execPath(), ["run", "-A", "--no-check", PARTS, folder, `${kill * 1000}`], {
        signal: "SIGKILL",
      });
      for (let blobs = random.between(0, 2); blobs > 0; blobs--) {
        const [, hash, seed] = (await child.line(/^whole /)).split(" ");
        whole.set(hash, Number(seed));
      }
      last = (await child.line(/^begins /)).split(" ");
      await changes(`${folder}/${random.pick(["partial", "partial", "data", "tmp"])}`, random.between(1, 12));
    }
    await using fs = await openFs({ folder });
    const [, hash, seed] = last;
    const bytes = new Random(Number(seed)).bytes(PART_SIZE);
    await using _there = await provider.blobs.add(new Blob([bytes]).stream());
    const status = await fs.blobs.status(hash);
    found[status.state]++;
    // What is said to be there is, and verifies.
    for (let i = 0; i < status.have.length && status.state === "partial"; i += 2) {
      const ranges = status.have.slice(i, i + 2);
      deepEqual(await encoding(fs, hash, ranges), await encoding(provider, hash, ranges));
    }
    if (status.state !== "complete") {
      const missing = complementOf(status.have, PART_SIZE);
      await using held = await fs.blobs.receive(hash, missing, readerOfBytes(await encoding(provider, hash, missing)));
      equal(held?.size, PART_SIZE);
      await fs.blobs.setTag(`after ${kill}`, { hash, format: "raw" });
    }
    await using reader = await fs.blobs.open(hash);
    deepEqual(await reader.read(0, PART_SIZE), bytes);
    for (const hash of whole.keys()) equal((await fs.blobs.status(hash)).state, "complete");
  }
  ok(found.partial > 0, `the kills hit what comes: ${JSON.stringify(found)}`);
  await sound(folder);
});

Deno.test("disk store: kill -9 while blobs are collected: what is tagged is whole, what is not goes at the next pass (row 21)", async () => {
  await using temporary = await temporaryFolder();
  const folder = temporary.join("fs");
  const random = seeded("collecting kills");
  const kept = new Map<string, number>();
  for (let kill = 0; kill < KILLS; kill++) {
    {
      await using child = start(Deno.execPath(), ["run", "-A", "--no-check", COLLECTS, folder, `${kill * 1000}`], {
        signal: "SIGKILL",
      });
      for (let rounds = random.between(1, 4); rounds > 0; rounds--) {
        const [, hash, seed] = (await child.line(/^kept /)).split(" ");
        kept.set(hash, Number(seed));
      }
      if (random.chance(0.8)) await changes(`${folder}/data`, random.between(1, 9));
    }
    await using fs = await openFs({ folder });
    await fs.blobs.collect({ full: true });
    const tagged = new Set<string>();
    for await (const { hash } of fs.blobs.tags()) tagged.add(hash);
    for await (const { hash, state } of fs.blobs.list()) equal(`${tagged.delete(hash)} ${state}`, "true complete");
    equal(tagged.size, 0, "each tag has its blob");
    for (const [hash, seed] of kept) {
      await using reader = await fs.blobs.open(hash);
      const bytes = new Random(seed).bytes(SIZES_OF_PROGRAM[seed % SIZES_OF_PROGRAM.length]);
      deepEqual(await reader.read(0, reader.size), bytes);
    }
  }
  await sound(folder);
});

async function encoding({ blobs }: Fs, hash: string, ranges: readonly bigint[]): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of blobs.encode(hash, ranges)) parts.push(part.slice());
  return joined(parts);
}

/** Waits for so many changes in a folder. */
async function changes(folder: string, count: number): Promise<void> {
  using watcher = Deno.watchFs(folder);
  for await (const _ of watcher) if (--count <= 0) return;
}
