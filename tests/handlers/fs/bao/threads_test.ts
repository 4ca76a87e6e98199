/**
 * Files that are hashed by threads: the same hash and the same outboard (fs.md §2, §11 row 1).
 *
 * @module
 */
import { hashFileInThreads, WORTH_THREADS } from "../../../../handlers/fs/bao/threads/pool.ts";
import { MemoryOutboard } from "@alknet/handlers/fs/bao";
import { openFs } from "@alknet/handlers/fs";
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { runProgram } from "../../../support/process.ts";
import { needs } from "../../../support/programs.ts";
import { temporaryFolder } from "../../../support/temp.ts";
import { sound } from "../stores.ts";
import { Buffer } from "node:buffer";
import { pattern } from "../twin.ts";

const MIB = 1024 * 1024;

Deno.test("hashFileInThreads: the hash and the pairs are those of one thread, whatever the size and the number of threads (row 1)", async () => {
  await using folder = await temporaryFolder();
  for (const size of [1, 16385, 4 * MIB, 4 * MIB + 1, 21 * MIB + 12345]) {
    const bytes = pattern(size);
    const path = await folder.write("file", bytes);
    const { root, pairs } = MemoryOutboard.of(bytes);
    for (const threads of [1, 2, 3]) {
      const found = new Uint8Array(pairs.byteLength);
      let told = 0;
      const hash = await hashFileInThreads(path, size, (place, some) => found.set(some, place * 64), {
        threads,
        progress: (bytes) => told += bytes,
      });
      equal(hash?.toHex(), root.toHex(), `${size} by ${threads}`);
      deepEqual(Buffer.compare(found, pairs), 0);
      equal(told, size);
    }
  }
});

Deno.test("hashFileInThreads: a file that is shorter, one that is not there, and a signal end it; none is left over", async () => {
  await using folder = await temporaryFolder();
  const path = await folder.write("file", pattern(9 * MIB));
  const put = (): void => {};
  await rejects(hashFileInThreads(path, 12 * MIB, put), /became shorter/);
  await rejects(hashFileInThreads(folder.join("none"), 12 * MIB, put));
  const stop = new AbortController();
  stop.abort(new Error("enough"));
  await rejects(hashFileInThreads(path, 9 * MIB, put, { signal: stop.signal }), /enough/);
  // Another at the same time is hashed in place.
  const [one, other] = await Promise.all([
    hashFileInThreads(path, 9 * MIB, put),
    hashFileInThreads(path, 9 * MIB, put),
  ]);
  ok(one && !other);
});

Deno.test({
  name: "disk store: a large file is hashed by threads as b3sum hashes it, and is read again (row 14)",
  ...needs("b3sum"),
  async fn() {
    await using folder = await temporaryFolder();
    const size = WORTH_THREADS + 4 * MIB + 77;
    const path = await folder.write("large", pattern(size));
    const { stdout } = await runProgram("b3sum", ["--no-names", path]);
    {
      await using files = await openFs({ folder: folder.join("fs") });
      let last = 0;
      await using held = await files.blobs.add({ path }, { progress: (done) => last = done });
      deepEqual([held.hash, held.size, last], [stdout.trim(), size, size]);
      for await (const { fault } of files.blobs.verify(held.hash)) equal(fault, undefined);
    }
    await sound(folder.join("fs"));
  },
});
