/**
 * Random input that can be had again: every generator prints its seed, and `ALKNET_SEED` repeats a run.
 *
 * @module
 */

/** Makes a generator and prints its seed beside the name of what it feeds. */
export function seeded(name: string, seed: number = seedOfRun()): Random {
  console.log(`${name}: ALKNET_SEED=${seed}`);
  return new Random(seed);
}

/** A small fast generator (sfc32). Not for secrets. */
export class Random {
  /** What repeats the sequence. */
  readonly seed: number;
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** @param seed An integer; its low 32 bits count. */
  constructor(seed: number) {
    this.seed = seed;
    this.#a = this.#b = 0;
    this.#c = seed | 0;
    for (let i = 0; i < 12; i++) this.uint32();
  }

  /** The next 32 bits. */
  uint32(): number {
    const sum = (this.#a + this.#b + this.#counter++) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** An integer from 0 up to, not including, `end`. */
  below(end: number): number {
    return Math.floor((this.uint32() / 2 ** 32) * end);
  }

  /** An integer from `first` to `last`, both included. */
  between(first: number, last: number): number {
    return first + this.below(last - first + 1);
  }

  /** True with the probability given, 0 to 1. */
  chance(probability: number): boolean {
    return this.uint32() < probability * 2 ** 32;
  }

  /** One of a list. */
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)];
  }

  /** Random bytes. */
  bytes(length: number): Uint8Array<ArrayBuffer> {
    const words = new Uint32Array(Math.ceil(length / 4));
    for (let i = 0; i < words.length; i++) words[i] = this.uint32();
    return new Uint8Array(words.buffer, 0, length);
  }

  /** A copy with a few changes: bits flipped, bytes overwritten, a piece cut out, doubled, or the end cut off. */
  mutate(input: Uint8Array): Uint8Array<ArrayBuffer> {
    let bytes = new Uint8Array(input);
    for (let change = this.between(1, 4); change > 0 && bytes.length > 0; change--) {
      const at = this.below(bytes.length);
      const length = this.between(1, Math.min(16, bytes.length - at));
      switch (this.below(5)) {
        case 0:
          bytes[at] ^= 1 << this.below(8);
          break;
        case 1:
          bytes.set(this.bytes(length), at);
          break;
        case 2:
          bytes = joined(bytes.subarray(0, at), bytes.subarray(at + length));
          break;
        case 3:
          bytes = joined(bytes.subarray(0, at + length), bytes.subarray(at));
          break;
        default:
          bytes = bytes.slice(0, at);
      }
    }
    return bytes;
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

function seedOfRun(): number {
  const given = Deno.env.get("ALKNET_SEED");
  if (given === undefined) return crypto.getRandomValues(new Uint32Array(1))[0];
  const seed = Number(given);
  if (!Number.isInteger(seed)) throw new TypeError(`ALKNET_SEED is ${JSON.stringify(given)}; give an integer`);
  return seed;
}
