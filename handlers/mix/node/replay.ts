/**
 * Tags of packets that were here: exact, so that none is dropped for another's sake (msg.md §5.2).
 *
 * @module
 */
import { systemBytes } from "@alknet/core/crypto";
import { MOST_TAGS } from "../limits.ts";

/** Bytes of a tag. */
export const TAG_LENGTH = 16;
const WORDS = TAG_LENGTH / 4;
const LEAST_SLOTS = 1024;

/**
 * A set of tags in one array, at most half full, which doubles as it fills. Where a tag lies depends on secret numbers:
 * senders choose their tags, and could otherwise put all of them into one place.
 */
export class TagTable {
  readonly #most: number;
  /** Odd, so that every bit of a word counts. */
  readonly #factors = new Uint32Array(systemBytes(TAG_LENGTH).buffer).map((factor) => factor | 1);
  /** A slot of zeros is free; the tag of zeros stands beside the table. */
  #slots = new Uint32Array(LEAST_SLOTS * WORDS);
  #zero = false;
  #size = 0;

  /**
   * An empty set.
   *
   * @param most Tags that are remembered.
   * @throws {RangeError} `most` is no whole number from 1.
   */
  constructor(most: number = MOST_TAGS) {
    if (!Number.isSafeInteger(most) || most < 1) throw new RangeError(`tags are a whole number from 1, not ${most}`);
    this.#most = most;
  }

  /** Tags that it holds. */
  get size(): number {
    return this.#size;
  }

  /**
   * Adds a tag.
   *
   * @returns `full`: it is not known, and there is no room for it; the packet is not to be passed on.
   * @throws {RangeError} It has no 16 bytes.
   */
  add(tag: Uint8Array): "new" | "known" | "full" {
    if (tag.byteLength !== TAG_LENGTH) throw new RangeError(`a tag has 16 bytes, not ${tag.byteLength}`);
    const words = new Uint32Array(tag.slice().buffer);
    const at = this.#find(this.#slots, words);
    const isZero = words.every((word) => word === 0);
    if (isZero ? this.#zero : !isFree(this.#slots, at)) return "known";
    if (this.#size >= this.#most) return "full";
    this.#size++;
    if (isZero) this.#zero = true;
    else this.#slots.set(words, at);
    if (this.#size * 2 > this.#slots.length / WORDS) this.#grow();
    return "new";
  }

  /** Where the tag is, or would be. */
  #find(slots: Uint32Array, words: Uint32Array): number {
    const mask = slots.length / WORDS - 1;
    let hash = 0;
    for (let i = 0; i < WORDS; i++) hash = Math.imul(hash ^ words[i], this.#factors[i]) ^ hash >>> 15;
    for (let slot = (hash ^ hash >>> 16) & mask;; slot = slot + 1 & mask) {
      const at = slot * WORDS;
      if (isFree(slots, at) || words.every((word, i) => word === slots[at + i])) return at;
    }
  }

  #grow(): void {
    const slots = new Uint32Array(this.#slots.length * 2);
    for (let at = 0; at < this.#slots.length; at += WORDS) {
      const words = this.#slots.subarray(at, at + WORDS);
      if (!isFree(words, 0)) slots.set(words, this.#find(slots, words));
    }
    this.#slots = slots;
  }
}

function isFree(slots: Uint32Array, at: number): boolean {
  return (slots[at] | slots[at + 1] | slots[at + 2] | slots[at + 3]) === 0;
}
