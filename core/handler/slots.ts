/**
 * How much of something runs at a time.
 *
 * @module
 */
import { addressGroup } from "../ip.ts";

/** How many places there are. */
export interface SlotLimits {
  /** In all. */
  readonly all: number;
  /** Of one identity. */
  readonly identity: number;
  /** Of one address, for those without identity. */
  readonly address: number;
}

/** Places: so many in all, of an identity, and of an address without identity. */
export class Slots {
  readonly #limits: SlotLimits;
  readonly #held = new Map<string, number>();
  #all = 0;

  /**
   * Places, all of them free.
   *
   * @param limits How many.
   */
  constructor(limits: SlotLimits) {
    this.#limits = limits;
  }

  /**
   * Takes a place, to be disposed; nothing where there is none left.
   *
   * @param id Whose it is; absent for the anonymous, who are told apart by their addresses.
   * @param address Where they are.
   */
  take(id: string | undefined, address: string): Disposable | undefined {
    const key = id === undefined ? `at ${addressGroup(address)}` : `id ${id}`;
    const most = id === undefined ? this.#limits.address : this.#limits.identity;
    const held = this.#held.get(key) ?? 0;
    if (held >= most || this.#all >= this.#limits.all) return undefined;
    this.#held.set(key, held + 1);
    this.#all++;
    let left = false;
    return {
      [Symbol.dispose]: () => {
        if (left) return;
        left = true;
        this.#all--;
        const now = this.#held.get(key)! - 1;
        if (now === 0) this.#held.delete(key);
        else this.#held.set(key, now);
      },
    };
  }
}
