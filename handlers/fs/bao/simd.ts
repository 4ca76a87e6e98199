/**
 * Whole groups, hashed four chunks at a time.
 *
 * @module
 */
import { Flag } from "./compress.ts";
import { CHUNK, GROUP, GROUP_CHUNKS, HASH, PAIR } from "./tree.ts";
import { type SimdModule, simdModule } from "./simd_module.ts";

const BLOCK = 64;
const LANES = 4;
/** In the memory: a group, the chaining values of its chunks, and those above them. */
const VALUES = GROUP;
const ABOVE = VALUES + GROUP_CHUNKS * HASH;

interface Simd {
  readonly module: SimdModule;
  readonly bytes: Uint8Array;
}

let made: Simd | undefined;

/** The chaining values that stand above the chunks of a whole group, in fours: `into` gets as many as there are lanes. */
export function hashFours(bytes: Uint8Array, start: number, into: Uint8Array): number {
  const { module, bytes: memory } = made ??= make();
  memory.set(bytes);
  const high = start / 0x1_0000_0000;
  for (let i = 0; i < GROUP_CHUNKS; i += LANES) {
    const [from, to] = [i * CHUNK, VALUES + i * HASH];
    module.compress4(from, CHUNK, CHUNK / BLOCK, start + i, high, 1, Flag.CHUNK_START, 0, Flag.CHUNK_END, to);
  }
  // Sixteen become eight, and eight four.
  let [from, to] = [VALUES, ABOVE];
  for (let pairs = GROUP_CHUNKS / 2; pairs >= LANES; pairs /= 2) {
    for (let i = 0; i < pairs; i += LANES) {
      module.compress4(from + i * PAIR, PAIR, 1, 0, 0, 0, 0, Flag.PARENT, 0, to + i * HASH);
    }
    [from, to] = [to, from];
  }
  into.set(memory.subarray(from, from + LANES * HASH));
  return LANES;
}

function make(): Simd {
  const module = simdModule();
  return { module, bytes: new Uint8Array(module.memory.buffer) };
}
