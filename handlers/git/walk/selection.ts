/**
 * Which objects are to be sent: a bit for each place in a pack, and the names of those found loose.
 *
 * @module
 */
import type { Oid } from "../objects/oid.ts";
import type { Closure, ObjectStore, Place } from "../store/types.ts";

/** A set of objects of one store. */
export class Selection {
  readonly #store: ObjectStore;
  readonly #closure?: Pick<Closure, "holds">;
  readonly #bits: (Uint8Array | undefined)[] = [];
  readonly #loose = new Set<Oid>();
  #size = 0;

  /**
   * @param store Where the objects are.
   * @param closure What is in it from the beginning, beside all that is counted and listed.
   */
  constructor(store: ObjectStore, closure?: Pick<Closure, "holds">) {
    this.#store = store;
    this.#closure = closure;
  }

  /** Objects that were added. */
  get size(): number {
    return this.#size;
  }

  /** The loose ones, in the order in which they came. */
  get loose(): ReadonlySet<Oid> {
    return this.#loose;
  }

  /** Adds an object. Says whether it is new. */
  add(oid: Oid): boolean {
    if (this.#loose.has(oid) || this.#closure?.holds(oid)) return false;
    const place = this.#store.locate(oid);
    if (!place) this.#loose.add(oid);
    else {
      const bits = this.#bits[place.pack] ??= new Uint8Array(Math.ceil(this.#store.count(place.pack) / 8));
      const mask = 1 << (place.position & 7);
      if (bits[place.position >> 3] & mask) return false;
      bits[place.position >> 3] |= mask;
    }
    this.#size++;
    return true;
  }

  /** Whether an object is in it. */
  has(oid: Oid): boolean {
    if (this.#loose.has(oid) || this.#closure?.holds(oid)) return true;
    const place = this.#store.locate(oid);
    return place !== undefined && this.hasPlace(place);
  }

  /** Whether the object of a place was added. */
  hasPlace({ pack, position }: Place): boolean {
    return ((this.#bits[pack]?.[position >> 3] ?? 0) & (1 << (position & 7))) !== 0;
  }

  /** Places of the others, by pack and in the order of its entries. */
  *places(): Generator<Place> {
    for (const [pack, bits] of this.#bits.entries()) {
      if (!bits) continue;
      for (const position of this.#store.inPackOrder(pack, bits)) yield { pack, position };
    }
  }
}
