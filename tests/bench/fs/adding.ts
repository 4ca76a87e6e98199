/**
 * Adding a large file to a store beside what has to be done in any case, and hashing it by two threads beside one.
 *
 * @module
 */
import { openFs } from "@alknet/handlers/fs";
import { hashFileInThreads } from "../../../handlers/fs/bao/threads/pool.ts";
import { runProgram } from "../../support/process.ts";
import { type TemporaryFolder, temporaryFolder } from "../../support/temp.ts";
import { compare, type Contestant, type Effort, type Group } from "../harness.ts";

const MIB = 1024 * 1024;
const PIECE = 16 * MIB;
const SIZE = 512 * MIB;

/** BLAKE3 of a file by two threads, and by one. */
export const blobThreads: Group = {
  name: "blobs-threads",
  async run(effort) {
    await using folder = await temporaryFolder();
    const path = await largeFile(folder);
    const hashing = (threads: number): Contestant =>
      timed(async () => {
        if (!await hashFileInThreads(path, SIZE, () => {}, { threads })) throw new Error("there are no threads");
      });
    const [ours, peer] = await compare([hashing(2), hashing(1)], { task: "hash" }, effort);
    return [{ name: "blobs: BLAKE3 of a file, two threads", unit: "MB/s", ours, peer, peerName: "one", wanted: 1.7 }];
  },
};

/** Adding a file, durably. */
export const blobAdding: Group = {
  name: "blobs-adding",
  async run(effort: Effort) {
    await using folder = await temporaryFolder();
    const path = await largeFile(folder);
    let round = 0;
    const adding = timed(async () => {
      const store = folder.join(`store ${round++}`);
      {
        await using files = await openFs({ folder: store });
        await using _held = await files.blobs.add({ path });
      }
      await Deno.remove(store, { recursive: true });
    });
    const copying = timed(async () => {
      const copy = folder.join("copy");
      for (const [program, ...args] of [["cp", path, copy], ["sync", copy], ["b3sum", copy]]) {
        if ((await runProgram(program, args)).code !== 0) throw new Error(`${program} failed`);
      }
      await Deno.remove(copy);
    });
    const [ours, peer] = await compare([adding, copying], { task: "add" }, effort);
    return [{ name: "blobs: a file is added", unit: "MB/s", ours, peer, peerName: "cp, sync, b3sum", wanted: 0.4 }];
  },
};

async function largeFile(folder: TemporaryFolder): Promise<string> {
  const path = folder.join("file");
  const bytes = new Uint8Array(PIECE);
  for (let at = 0; at < PIECE; at += 4096) crypto.getRandomValues(bytes.subarray(at, at + 4096));
  using file = await Deno.create(path);
  for (let at = 0; at < SIZE; at += PIECE) await file.write(bytes);
  return path;
}

/** MB/s of one run: a file is more than a run may take otherwise. */
function timed(work: () => Promise<void>): Contestant {
  return {
    async measure() {
      const begun = performance.now();
      await work();
      return SIZE / 1e3 / (performance.now() - begun);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
