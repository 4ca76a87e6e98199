/**
 * The hash of blobs, in one thread, beside others that do nothing else.
 *
 * @module
 */
import { blake3 } from "@noble/hashes/blake3.js";
import { hashOf } from "../../handlers/fs/bao/hasher.ts";
import { runProgram } from "../support/process.ts";
import { temporaryFolder } from "../support/temp.ts";
import { compare, type Contestant, type Effort, type Group, sized } from "./harness.ts";

const MIB = 1024 * 1024;
const SIZE = 64 * MIB;
/** For a program, whose start would count otherwise. */
const LARGE = 512 * MIB;

/** BLAKE3 of bytes that are in memory. */
export const blobHashing: Group = {
  name: "blobs-hash",
  async run(effort) {
    const bytes = new Uint8Array(sized(effort, SIZE, MIB));
    for (let at = 0; at < bytes.byteLength; at += 4096) crypto.getRandomValues(bytes.subarray(at, at + 4096));
    const [ours, noble] = await rates([() => hashOf(bytes), () => blake3(bytes)], bytes.byteLength, effort);
    await using folder = await temporaryFolder();
    const path = folder.join("blob");
    using file = await Deno.create(path);
    const large = sized(effort, LARGE, bytes.byteLength);
    for (let at = 0; at < large; at += bytes.byteLength) await file.write(bytes);
    const [program] = await compare([hashing(path, large)], { task: "hash" }, effort);
    const what = { unit: "MB/s", ours };
    return [
      { name: "blobs: BLAKE3, one thread", ...what, peer: noble, peerName: "@noble/hashes" },
      { name: "blobs: BLAKE3, one thread", ...what, peer: program, peerName: "b3sum --num-threads 1", wanted: 0.35 },
    ];
  },
};

function rates(works: readonly (() => unknown)[], size: number, effort: Effort): Promise<number[]> {
  return compare(works.map((work) => contestant((seconds) => rate(work, size, seconds))), { task: "hash" }, effort);
}

function rate(work: () => unknown, size: number, seconds: number): Promise<number> {
  const begun = performance.now();
  let rounds = 0;
  do {
    work();
    rounds++;
  } while (performance.now() - begun < seconds * 1000);
  return Promise.resolve(rounds * size / 1e3 / (performance.now() - begun));
}

function hashing(path: string, size: number): Contestant {
  return contestant(async () => {
    const begun = performance.now();
    const { code } = await runProgram("b3sum", ["--num-threads", "1", path]);
    if (code !== 0) throw new Error("b3sum failed");
    return size / 1e3 / (performance.now() - begun);
  });
}

function contestant(measure: (seconds: number) => Promise<number>): Contestant {
  return { measure: (_task, seconds) => measure(seconds), [Symbol.asyncDispose]: () => Promise.resolve() };
}
