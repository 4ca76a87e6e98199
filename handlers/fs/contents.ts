/**
 * What the files of branches have in them: blobs that are here, or that other nodes have (fs.md §4). Where several nodes
 * share their branches, a file that one of them wrote is read at any.
 *
 * @module
 */
import { AlknetError, foreign } from "@alknet/core/handler";
import type { BlobReader, BlobStore } from "./blobs/blob_store.ts";
import { shortHash } from "./errors.ts";
import type { FsLimits } from "./limits.ts";
import { download } from "./transfer/several/download.ts";
import type { Provider } from "./transfer/several/source.ts";
import type { Hash } from "./wire/hash_text.ts";

/** What of the limits counts. */
export type ContentLimits = Pick<FsLimits, "fetches" | "fetchTime" | "maxBlobSize">;

/** Opens them. Disposing it ends what is got. */
export class Contents implements AsyncDisposable {
  readonly #blobs: BlobStore;
  readonly #providers: readonly Provider[];
  readonly #limits: ContentLimits;
  readonly #fetches = new Map<Hash, Promise<void>>();
  readonly #stop = new AbortController();

  /**
   * @param blobs Those that are here.
   * @param providers Who is asked for others.
   * @param limits How many at a time, and for how long.
   */
  constructor(blobs: BlobStore, providers: readonly Provider[], limits: ContentLimits) {
    this.#blobs = blobs;
    this.#providers = providers;
    this.#limits = limits;
  }

  /**
   * Opens one, once it is here. Many who want the same wait for the same.
   *
   * @throws {AlknetError} `BLOB_NOT_FOUND`: it is not here, and nobody is asked. `BLOB_ABSENT`: nobody has it who was asked, or
   * not in time.
   */
  async open(hash: Hash): Promise<BlobReader> {
    try {
      return await this.#blobs.open(hash);
    } catch (error) {
      const isThere = !(error instanceof AlknetError) || error.code !== "BLOB_NOT_FOUND";
      if (isThere || this.#providers.length === 0) throw error;
    }
    await this.#fetched(hash);
    return await this.#blobs.open(hash);
  }

  /** Ends what is under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new AlknetError("STORE_CLOSED", "the store is closed"));
    await Promise.allSettled(this.#fetches.values());
  }

  #fetched(hash: Hash): Promise<void> {
    let fetching = this.#fetches.get(hash);
    if (fetching) return fetching;
    if (this.#fetches.size >= this.#limits.fetches) {
      throw absent(hash, `${this.#limits.fetches} others are being got, which is the most; try again`);
    }
    fetching = this.#fetch(hash).finally(() => this.#fetches.delete(hash));
    this.#fetches.set(hash, fetching);
    return fetching;
  }

  async #fetch(hash: Hash): Promise<void> {
    const { fetchTime, maxBlobSize } = this.#limits;
    this.#stop.signal.throwIfAborted();
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), fetchTime);
    const signal = AbortSignal.any([this.#stop.signal, late.signal]);
    try {
      for await (
        const _ of download({ hash, format: "raw" }, this.#providers, this.#blobs, { signal, maxSize: maxBlobSize })
      );
    } catch (cause) {
      this.#stop.signal.throwIfAborted();
      if (late.signal.aborted) {
        throw absent(hash, `it did not come within ${fetchTime / 1000} s; what came stays, try again`);
      }
      if (cause instanceof AlknetError && OWN.has(cause.code)) throw cause;
      throw absent(hash, `no other node could give it: ${foreign((cause as Error).message)}`, cause);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** What is wrong here, not there. */
const OWN: ReadonlySet<string> = new Set(["STORE_FULL", "QUOTA_EXCEEDED", "STORE_BUSY"]);

function absent(hash: Hash, why: string, cause?: unknown): AlknetError {
  return new AlknetError("BLOB_ABSENT", `blob ${shortHash(hash)} is not here, and ${why}`, { cause });
}
