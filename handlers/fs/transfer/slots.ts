/**
 * How many streams are served at a time.
 *
 * @module
 */
import { addressGroup } from "@alknet/core/handler";
import type { FsLimits } from "../limits.ts";

/** Places of streams: so many in all, of an identity, and of an address without identity. */
export class StreamSlots {
  readonly #limits: Pick<FsLimits, "streams" | "anonymousStreams" | "nodeStreams">;
  readonly #held = new Map<string, number>();
  #all = 0;

  /** @param limits How many. */
  constructor(limits: Pick<FsLimits, "streams" | "anonymousStreams" | "nodeStreams">) {
    this.#limits = limits;
  }

  /**
   * Takes a place, to be disposed; nothing where there is none left.
   *
   * @param id Whose it is; absent for the anonymous, who are told apart by their addresses.
   */
  take(id: string | undefined, address: string): Disposable | undefined {
    const key = id === undefined ? `at ${addressGroup(address)}` : `id ${id}`;
    const most = id === undefined ? this.#limits.anonymousStreams : this.#limits.streams;
    const held = this.#held.get(key) ?? 0;
    if (held >= most || this.#all >= this.#limits.nodeStreams) return undefined;
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
