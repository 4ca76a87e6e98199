/**
 * A process that adds blobs is killed at any moment: what it acknowledged is there, and nothing is left over (fs.md §5.3, §11
 * row 21).
 *
 * @module
 */
import { openFs } from "@alknet/handlers/fs";
import { deepEqual, equal } from "node:assert/strict";
import { start } from "../../../support/process.ts";
import { Random, seeded } from "../../../support/random.ts";
import { temporaryFolder } from "../../../support/temp.ts";
import { filesBelow, SIZES_OF_PROGRAM, sound } from "../stores.ts";

const PROGRAM = new URL("./adding_program.ts", import.meta.url).pathname;
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

/** Waits for so many changes in a folder. */
async function changes(folder: string, count: number): Promise<void> {
  using watcher = Deno.watchFs(folder);
  for await (const _ of watcher) if (--count <= 0) return;
}
