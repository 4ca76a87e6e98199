/**
 * Entries of a pack that is being indexed, in typed arrays that grow as entries come: a claimed count allocates nothing.
 *
 * @module
 */
import { OID_BYTES } from "../objects/oid.ts";

/** Neither a base nor a child. */
export const NONE = -1;

/** Bytes of deltas that are kept, so that small packs are inflated once, and what keeping one costs beside its bytes. */
const KEPT = 32 * 1024 * 1024;
const KEEPING = 256;

/** Entries of which a number of 53 bits holds a word of the id and the number. */
const MOST_KEYS = 2 ** 21;

/** What is known of each entry, by its number. */
export class Entries {
  /** Where it begins. */
  offsets: Float64Array = new Float64Array(64);
  /** Bytes of its head. */
  heads: Uint8Array = new Uint8Array(64);
  /** Its type, as it stands there. */
  types: Uint8Array = new Uint8Array(64);
  /** What it is, as the type of a whole entry; 0 for a delta that is not resolved. */
  kinds: Uint8Array = new Uint8Array(64);
  /** Bytes once inflated. */
  sizes: Float64Array = new Float64Array(64);
  /** CRC-32 of it as it stands there. */
  crcs: Uint32Array = new Uint32Array(64);
  /** Of an ofs-delta the number of its base, of a ref-delta {@linkcode NONE}. */
  bases: Int32Array = new Int32Array(64);
  /** Object ids; of a ref-delta that is not resolved, the one of its base. */
  oids: Uint8Array = new Uint8Array(64 * OID_BYTES);
  readonly #inflated = new Map<number, Uint8Array>();
  #room = KEPT;
  #count = 0;

  /** How many there are. */
  get count(): number {
    return this.#count;
  }

  /** Adds an entry. Says its number. */
  add(entry: { offset: number; head: number; type: number; size: number; crc: number; base: number }): number {
    if (this.#count === this.offsets.length) this.#grow();
    const number = this.#count++;
    this.offsets[number] = entry.offset;
    this.heads[number] = entry.head;
    this.types[number] = entry.type;
    this.sizes[number] = entry.size;
    this.crcs[number] = entry.crc;
    this.bases[number] = entry.base;
    return number;
  }

  /** The object id of an entry, 20 bytes that are not copied. */
  oid(number: number): Uint8Array {
    return this.oids.subarray(number * OID_BYTES, (number + 1) * OID_BYTES);
  }

  /** The number of the entry that begins at an offset, or {@linkcode NONE}. */
  at(offset: number): number {
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.offsets[middle] < offset) low = middle + 1;
      else high = middle;
    }
    return low < this.#count && this.offsets[low] === offset ? low : NONE;
  }

  /** Keeps what an entry inflates to for {@linkcode taken}, while there is room. */
  keep(number: number, bytes: Uint8Array): void {
    const cost = bytes.byteLength + KEEPING;
    if (cost > this.#room) return;
    this.#room -= cost;
    this.#inflated.set(number, bytes);
  }

  /** What was kept of an entry, once; it is not held any more then. */
  taken(number: number): Uint8Array | undefined {
    const bytes = this.#inflated.get(number);
    if (bytes) {
      this.#inflated.delete(number);
      this.#room += bytes.byteLength + KEEPING;
    }
    return bytes;
  }

  /** Numbers of some entries in the order of their object ids. */
  sorted(numbers: Uint32Array): Uint32Array {
    const { oids } = this;
    const view = new DataView(oids.buffer);
    const word = (number: number): number => view.getUint32(number * OID_BYTES);
    const compare = (a: number, b: number): number => compareOids(oids, a * OID_BYTES, oids, b * OID_BYTES);
    if (this.#count > MOST_KEYS) return numbers.sort(compare);
    // Numbers are sorted far faster than with a function that compares: the first word, and then the entry's number.
    const keys = Float64Array.from(numbers, (number) => word(number) * MOST_KEYS + number).sort();
    for (let i = 0; i < keys.length; i++) numbers[i] = keys[i] % MOST_KEYS;
    for (let i = 0, end = 0; i < numbers.length; i = end) {
      for (end = i + 1; end < numbers.length && word(numbers[end]) === word(numbers[i]);) end++;
      if (end - i > 1) numbers.subarray(i, end).sort(compare);
    }
    return numbers;
  }

  #grow(): void {
    const length = this.#count * 2;
    this.offsets = grown(this.offsets, new Float64Array(length));
    this.heads = grown(this.heads, new Uint8Array(length));
    this.types = grown(this.types, new Uint8Array(length));
    this.kinds = grown(this.kinds, new Uint8Array(length));
    this.sizes = grown(this.sizes, new Float64Array(length));
    this.crcs = grown(this.crcs, new Uint32Array(length));
    this.bases = grown(this.bases, new Int32Array(length));
    this.oids = grown(this.oids, new Uint8Array(length * OID_BYTES));
  }
}

/** The order of two object ids, each somewhere in some bytes. */
export function compareOids(a: Uint8Array, atA: number, b: Uint8Array, atB: number): number {
  for (let i = 0; i < OID_BYTES; i++) {
    const order = a[atA + i] - b[atB + i];
    if (order !== 0) return order;
  }
  return 0;
}

function grown<T extends { set(from: T): void }>(from: T, to: T): T {
  to.set(from);
  return to;
}
