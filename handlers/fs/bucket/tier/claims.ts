/**
 * Who needs what lies in a bucket, where several stores share it and nothing else. Said in objects without content:
 *
 * ```text
 * ab/<hash>.data           its bytes
 * ab/<hash>.obao4          its pairs, where it has any
 * ab/<hash>.by-<store>     that store needs it
 * ab/<hash>.going-<store>  that store is taking it away, unless somebody needs it
 * ```
 *
 * A store writes that it needs a blob, and looks then whether somebody takes it away. One that takes it away writes that,
 * and looks then whether somebody needs it. Whatever the order, one of two sees the other: S3 shows what was written to
 * whoever lists after it. Who sees somebody take it away waits; who sees that somebody needs it leaves it.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { shortHash } from "../../errors.ts";
import type { Hash } from "../../wire/hash_text.ts";
import type { Bucket } from "../bucket.ts";

/** Milliseconds after which whoever takes away is dead, and by which it has to be done. */
const DEAD = 3_600_000;
const DONE_BY = 10 * 60_000;

/** Objects of a blob, by their kinds. */
export interface Claimed {
  /** Bytes of `.data`; nothing where it is not there. */
  readonly data?: number;
  /** Bytes of `.obao4`, likewise. */
  readonly obao4?: number;
}

/** The name of an object of a blob. */
export function keyOf(hash: Hash, kind: string): string {
  return `${hash.slice(0, 2)}/${hash}.${kind}`;
}

/** What one store says, and what it hears. */
export class Claims {
  readonly #bucket: Bucket;
  readonly #store: string;

  /** @param store Names it among those that share the bucket: 16 hex digits. */
  constructor(bucket: Bucket, store: string) {
    this.#bucket = bucket;
    this.#store = store;
  }

  /**
   * Needs a blob. Nobody takes away what is there of it from then on.
   *
   * @returns What is there.
   * @throws {AlknetError} `BUCKET_UNAVAILABLE`: another store is taking it away, for now.
   */
  async need(hash: Hash, signal?: AbortSignal): Promise<Claimed> {
    await this.#bucket.put(keyOf(hash, `by-${this.#store}`), new Uint8Array(), { signal });
    const { data, obao4, going } = await this.#look(hash, signal);
    for (const { key, age } of going) {
      if (age < DEAD) {
        throw new AlknetError(
          "BUCKET_UNAVAILABLE",
          `bucket ${this.#bucket.name}: blob ${
            shortHash(hash)
          } is being taken away by another store; it is tried again later`,
        );
      }
      await this.#bucket.remove(key, { signal });
    }
    return { data, obao4 };
  }

  /** Needs a blob no more, and takes it away if nobody else does. May be done again after it failed. */
  async drop(hash: Hash, signal?: AbortSignal): Promise<void> {
    const mine = keyOf(hash, `going-${this.#store}`);
    const begun = performance.now();
    await this.#bucket.put(mine, new Uint8Array(), { signal });
    await this.#bucket.remove(keyOf(hash, `by-${this.#store}`), { signal });
    const { others } = await this.#look(hash, signal);
    if (!others) {
      for (const kind of ["data", "obao4"]) {
        // Who was held up so long may be taken for dead.
        if (performance.now() - begun > DONE_BY) {
          throw new AlknetError("BUCKET_UNAVAILABLE", `bucket ${this.#bucket.name}: taking away took too long`);
        }
        await this.#bucket.remove(keyOf(hash, kind), { signal });
      }
    }
    await this.#bucket.remove(mine, { signal });
  }

  async #look(hash: Hash, signal?: AbortSignal): Promise<
    Claimed & { readonly others: boolean; readonly going: readonly { readonly key: string; readonly age: number }[] }
  > {
    const found: { data?: number; obao4?: number } = {};
    let others = false;
    const going: { readonly key: string; readonly age: number }[] = [];
    const start = keyOf(hash, "");
    for await (const { key, size, age = 0 } of this.#bucket.list(start, { signal })) {
      const kind = key.slice(start.length);
      if (kind === "data" || kind === "obao4") found[kind] = size;
      else if (kind.startsWith("by-")) others ||= kind !== `by-${this.#store}`;
      // What this store left when it died, it begins anew, or nobody does.
      else if (kind.startsWith("going-") && kind !== `going-${this.#store}`) going.push({ key, age });
    }
    return { ...found, others, going };
  }
}
