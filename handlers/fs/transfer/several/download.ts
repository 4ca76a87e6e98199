/**
 * Getting a blob, or a sequence with what it lists, from several providers at once (fs.md §4).
 *
 * Nobody is believed: a provider that sends something else is not asked again, one that ends early, stalls or goes away is
 * waited for while others do its work, and what came stays for the next time.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { setTimeout as delay } from "node:timers/promises";
import type { ChunkRanges } from "../../bao/ranges.ts";
import type { BlobStore, HashAndFormat, Held } from "../../blobs/blob_store.ts";
import { linksOf } from "../../blobs/sequence.ts";
import { shortHash } from "../../errors.ts";
import type { Hash } from "../../wire/hash_text.ts";
import { type BlobParts, BlobWork, haveOf, sizeFrom } from "./blob.ts";
import { ChildWork } from "./children.ts";
import { type Partner, Schedule, type Work } from "./schedule.ts";
import { PATIENCE, type Patience, type Provider, Source } from "./source.ts";

/** Providers that are used; more of them add connections and no speed. */
const MOST_PROVIDERS = 8;
/** Milliseconds between two reports. */
const REPORT = 100;

/** How far it is. */
export interface DownloadProgress {
  /** Bytes that are there. */
  readonly bytes: number;
  /** Bytes of the blob, once they are proven; not of a sequence. */
  readonly size?: number;
  /** Providers that are used. */
  readonly providers: number;
  /** Providers that sent something else, and are not asked any more. */
  readonly banned: number;
}

/** Options of {@linkcode download}. */
export interface DownloadOptions {
  /** Largest blob that is taken, in bytes. Default 1 TiB. */
  readonly maxSize?: number;
  /** Ends it with its reason. */
  readonly signal?: AbortSignal;
  /** Told of what a provider did not do, or did wrong, by its address. */
  readonly faulty?: (address: string, error: unknown) => void;
  /** Changes to how long is waited. */
  readonly patience?: Partial<Patience>;
}

/**
 * Gets it. Once the last report has come it is in the store, where it stays for some minutes, or for as long as whoever asked
 * holds it.
 *
 * @param from The first eight of them are used.
 * @returns Reports, ten a second at most, and the last of all.
 * @throws {AlknetError} `HASH_MISMATCH`: each provider sent something else. `BLOB_NOT_FOUND`: nobody has it, or not for us.
 * `BLOB_ABSENT`: what they have is not all of it, or they went away; what came stays. What the store throws, and dialling,
 * where nobody could be reached.
 */
export async function* download(
  what: HashAndFormat,
  from: readonly Provider[],
  into: BlobStore,
  options: DownloadOptions = {},
): AsyncGenerator<DownloadProgress, void> {
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
  const getting = new Getting(from, into, options, signal);
  let over = false;
  const work = getting.get(what).finally(() => over = true);
  work.catch(() => {});
  let last: string | undefined;
  try {
    while (!over) {
      const waited = new AbortController();
      await Promise.race([work, delay(REPORT, undefined, { signal: waited.signal })]).finally(() => waited.abort());
      const told = getting.progress;
      if (over || JSON.stringify(told) === last) continue;
      last = JSON.stringify(told);
      yield told;
    }
    yield getting.progress;
  } finally {
    stop.abort();
    await work.catch(() => {});
  }
}

class Getting {
  readonly #sources: readonly Source[];
  readonly #into: BlobStore;
  readonly #options: DownloadOptions;
  readonly #patience: Patience;
  readonly #signal: AbortSignal;
  #bytes = 0;
  #size: number | undefined;

  constructor(from: readonly Provider[], into: BlobStore, options: DownloadOptions, signal: AbortSignal) {
    this.#into = into;
    this.#options = options;
    this.#patience = { ...PATIENCE, ...options.patience };
    this.#signal = signal;
    this.#sources = from.slice(0, MOST_PROVIDERS).map((one) => new Source(one, this.#patience, signal));
  }

  get progress(): DownloadProgress {
    return {
      bytes: this.#bytes,
      ...this.#size !== undefined && { size: this.#size },
      providers: this.#sources.filter(({ isUsed }) => isUsed).length,
      banned: this.#sources.filter(({ out }) => out === "banned").length,
    };
  }

  async get({ hash, format }: HashAndFormat): Promise<void> {
    try {
      await using held = await this.#blob(hash, format === "raw");
      if (format === "raw") return;
      await using _sequence = await this.#into.hold(held.hash, "hashSeq");
      const missing = new Set<Hash>();
      for (const link of await linksOf(this.#into, hash)) {
        const child = link.toHex();
        if ((await this.#into.status(child)).state !== "complete") missing.add(child);
      }
      // Who does not have the list may have what it lists, and none of it is a lie of theirs.
      const sources = this.#sources.filter(({ out }) => out !== "banned");
      for (const source of sources) source.out = undefined;
      const work = new ChildWork([...missing], sources.length, this.#parts);
      await this.#share(work, sources.map((source) => ({ source, prepared: Promise.resolve() })));
      for (const child of missing) {
        if ((await this.#into.status(child)).state !== "complete") throw this.#missing(child);
      }
    } finally {
      await Promise.all(this.#sources.map((source) => source[Symbol.asyncDispose]()));
    }
  }

  async #blob(hash: Hash, isAll: boolean): Promise<Held> {
    const { state, size: there = 0 } = await this.#into.status(hash);
    if (state === "complete") {
      this.#bytes = this.#size = isAll ? there : 0;
      return await this.#into.hold(hash);
    }
    const have = new Map<Source, ChunkRanges>();
    const { size, partners } = await this.#sized(hash, have);
    if (isAll) this.#size = size;
    const before = await this.#into.status(hash);
    if (before.size === size) this.#bytes = bytesOf(before.have, size);
    const work = await BlobWork.of(hash, size, have, this.#parts);
    await this.#share(work, partners);
    if ((await this.#into.status(hash)).state !== "complete") throw this.#missing(hash);
    if (isAll) this.#bytes = size;
    return await this.#into.hold(hash);
  }

  /** Asks everybody what they have. The first size that is proven counts; others may still be asked then. */
  async #sized(
    hash: Hash,
    have: Map<Source, ChunkRanges>,
  ): Promise<{ readonly size: number; readonly partners: readonly Partner[] }> {
    let size: number | undefined;
    const { promise: proven, resolve } = Promise.withResolvers<void>();
    const partners = this.#sources.map((source): Partner => ({
      source,
      prepared: (async () => {
        try {
          have.set(source, await haveOf(source, hash, this.#parts, this.#signal));
          size ??= await sizeFrom(source, hash, this.#signal);
          resolve();
        } catch (error) {
          this.#signal.throwIfAborted();
          this.#unsized(source, error, have.has(source));
        }
      })(),
    }));
    const all = Promise.allSettled(partners.map(({ prepared }) => prepared));
    await Promise.race([proven, all]);
    this.#signal.throwIfAborted();
    if (size === undefined) throw this.#missing(hash);
    return { size, partners };
  }

  /** What it means that a provider does not prove a size: it may have other parts, if it has any. */
  #unsized(source: Source, error: unknown, hasSome: boolean): void {
    const { code } = error as { code?: unknown };
    source.fault = error;
    if (code === "HASH_MISMATCH") source.out = "banned";
    else if (!hasSome) source.out = code === "BLOB_NOT_FOUND" ? "absent" : "failed";
    if (source.out) this.#faulty(source, error);
  }

  async #share(work: Work, partners: readonly Partner[]): Promise<void> {
    await new Schedule(work, partners, this.#signal, (source, error) => this.#faulty(source, error)).run();
  }

  get #parts(): BlobParts {
    const { maxSize } = this.#options;
    return {
      into: this.#into,
      patience: this.#patience,
      options: { maxSize, signal: this.#signal },
      came: (bytes) => this.#bytes += bytes,
    };
  }

  #faulty({ address }: Source, error: unknown): void {
    this.#options.faulty?.(address, error);
  }

  /** Why it is not there. */
  #missing(hash: Hash): unknown {
    const blob = `blob ${shortHash(hash)}`;
    const known = this.#sources.filter(({ fault }) => fault !== undefined);
    const isEach = (out: string): boolean => this.#sources.every((source) => source.out === out);
    if (this.#sources.length > 0 && isEach("banned")) {
      const who = this.#sources.map(({ address }) => address).join(", ");
      return new AlknetError("HASH_MISMATCH", `${blob}: something else was sent by ${who}`, { cause: known[0]?.fault });
    }
    const codes = known.map(({ fault }) => String((fault as { code?: unknown }).code));
    const isUnreached = (code: string): boolean => !/^(?:HASH_MISMATCH|BLOB_|ENCODING_|STREAM_|TIMEOUT)/.test(code);
    if (known.length > 0 && codes.every(isUnreached)) return known[0].fault;
    const isNowhere = this.#sources.every(({ out }, i) => out === "absent" || isUnreached(codes[i] ?? "BLOB_ABSENT"));
    return isNowhere
      ? new AlknetError("BLOB_NOT_FOUND", `${blob}: nobody who was asked has it, or not for you`)
      : new AlknetError("BLOB_ABSENT", `${blob}: not all of it could be got; what came stays, try again`, {
        cause: known.at(-1)?.fault,
      });
  }
}

function bytesOf(have: ChunkRanges, size: number): number {
  let chunks = 0n;
  for (let i = 0; i + 1 < have.length; i += 2) chunks += have[i + 1] - have[i];
  return Math.min(size, Number(chunks) * 1024);
}
