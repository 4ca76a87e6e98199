/**
 * Blobs in memory: for tests, and for programs that keep few and small ones.
 *
 * @module
 */
import type { ByteReader } from "../bao/decode.ts";
import { MemoryOutboard } from "../bao/outboard.ts";
import { ALL, type ChunkRanges } from "../bao/ranges.ts";
import { HASH } from "../bao/tree.ts";
import { notFound } from "../errors.ts";
import type { Hash } from "../wire/hash_text.ts";
import type { Format } from "../wire/ticket.ts";
import type {
  AddOptions,
  AddPath,
  BlobReader,
  BlobStatus,
  BlobStore,
  Collected,
  CollectOptions,
  HashAndFormat,
  Held,
  OpenSource,
  ReceiveOptions,
  Tag,
  TagOptions,
  TagPage,
  VerifyStep,
} from "./blob_store.ts";
import { Changes } from "./changes.ts";
import { MemoryPartial } from "./partial/memory_partial.ts";
import { receiveInto } from "./partial/receiving.ts";
import { encoded, readerOf } from "./reading.ts";
import { verified } from "./verifying.ts";
import { linksOf } from "./sequence.ts";

interface MemoryBlob {
  readonly bytes: Uint8Array;
  readonly outboard: MemoryOutboard;
}

/** A store in memory. Nothing leaves it. */
export class MemoryBlobStore implements BlobStore {
  readonly #blobs = new Map<Hash, MemoryBlob>();
  readonly #parts = new Map<Hash, MemoryPartial>();
  readonly #receiving = new Map<Hash, { readonly part: MemoryPartial; users: number }>();
  readonly #tags = new Map<string, Tag>();
  readonly #holds = new Set<Held>();
  readonly #roots = new Map<Hash, Set<Hash>>();
  readonly #changes = new Changes();

  status(hash: Hash): Promise<BlobStatus> {
    return Promise.resolve(this.#status(hash));
  }

  observe(hash: Hash, signal: AbortSignal): AsyncIterable<BlobStatus> {
    return this.#changes.observe(() => this.status(hash), hash, signal);
  }

  async add(from: ReadableStream<Uint8Array> | AddPath, options: AddOptions = {}): Promise<Held> {
    const bytes = "path" in from ? await Deno.readFile(from.path) : await collect(from);
    options.signal?.throwIfAborted();
    return await this.hold(this.#keep({ bytes, outboard: MemoryOutboard.of(bytes) }), options.format);
  }

  async open(hash: Hash): Promise<BlobReader> {
    this.#get(hash);
    return readerOf(await this.source(hash));
  }

  // Async, so that what is not there rejects rather than throws.
  // deno-lint-ignore require-await
  async source(hash: Hash): Promise<OpenSource> {
    const { bytes, outboard } = this.#get(hash);
    return {
      outboard,
      read: (at, length) => bytes.subarray(at, at + length),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  }

  encode(hash: Hash, ranges: ChunkRanges, signal?: AbortSignal): AsyncIterable<Uint8Array> {
    return encoded(() => this.source(hash), ranges, signal);
  }

  async receive(
    hash: Hash,
    ranges: ChunkRanges,
    from: ByteReader,
    options: ReceiveOptions = {},
  ): Promise<Held | undefined> {
    using _told = this.#changes.during(hash);
    // Streams that bring parts of the same one share it.
    const shared = this.#receiving.get(hash) ?? { part: this.#parts.get(hash) ?? new MemoryPartial(0), users: 0 };
    this.#receiving.set(hash, shared);
    shared.users++;
    const { part } = shared;
    try {
      await receiveInto(hash, ranges, from, (claimed) => {
        if (part.groups.count === 0) part.restart(claimed);
        return part;
      }, options);
    } finally {
      if (--shared.users === 0) this.#receiving.delete(hash);
      if (part.groups.count > 0 && !this.#blobs.has(hash)) this.#parts.set(hash, part);
    }
    const bytes = await part.whole();
    if (bytes) this.#keep({ bytes, outboard: MemoryOutboard.of(bytes) });
    return this.#blobs.has(hash) ? await this.hold(hash) : undefined;
  }

  async hold(hash: Hash, format: Format = "raw"): Promise<Held> {
    const { bytes } = this.#get(hash);
    if (format === "hashSeq") {
      for (const link of await linksOf(this, hash)) {
        const child = link.toHex();
        this.#roots.set(child, (this.#roots.get(child) ?? new Set()).add(hash));
      }
    }
    return this.#held(hash, bytes.byteLength, format);
  }

  async setTag(name: string, { hash, format }: HashAndFormat, options: TagOptions = {}): Promise<void> {
    await using _held = await this.hold(hash, format);
    this.#tags.set(name, { name, hash, format, ...options });
  }

  dropTag(name: string): Promise<boolean> {
    return Promise.resolve(this.#tags.delete(name));
  }

  async *tags({ after = "", hash }: TagPage = {}): AsyncIterable<Tag> {
    const all = [...this.#tags.values()].sort((one, other) => one.name < other.name ? -1 : 1);
    yield* all.filter((tag) => tag.name > after && (hash === undefined || tag.hash === hash));
  }

  async *list(after: Hash = ""): AsyncIterable<BlobStatus> {
    const all = [...this.#blobs.keys(), ...this.#parts.keys()].filter((hash) => hash > after).sort();
    for (const hash of all) yield this.#status(hash);
  }

  async *verify(hash?: Hash): AsyncIterable<VerifyStep> {
    for (const one of hash === undefined ? [...this.#blobs.keys()] : [hash]) {
      yield* verified(one, this.#get(one).bytes.byteLength, () => this.source(one));
    }
  }

  /** Takes away what nothing refers to; there is no other age than `full` here. */
  collect({ dryRun = false }: CollectOptions = {}): Promise<Collected> {
    const now = Date.now();
    for (const [name, { expires }] of this.#tags) if (expires && expires.getTime() <= now) this.#tags.delete(name);
    const kept = new Set<Hash>();
    for (const { hash, format } of [...this.#holds, ...this.#tags.values()]) {
      kept.add(hash);
      if (format === "hashSeq") { for (const child of childrenIn(this.#blobs.get(hash)?.bytes)) kept.add(child); }
    }
    const sum = { blobs: 0, bytes: 0 };
    for (const [hash, { bytes }] of this.#blobs) {
      if (kept.has(hash)) continue;
      sum.blobs++;
      sum.bytes += bytes.byteLength;
      if (!dryRun) this.#blobs.delete(hash);
    }
    return Promise.resolve(sum);
  }

  /** The sequences, held or tagged as such, that list a blob. */
  rootsOf(child: Hash): Iterable<Hash> {
    return this.#roots.get(child) ?? [];
  }

  /** Forgets everything. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#blobs.clear();
    this.#parts.clear();
    this.#tags.clear();
    return Promise.resolve();
  }

  #get(hash: Hash): MemoryBlob {
    const blob = this.#blobs.get(hash);
    if (!blob) throw notFound(hash);
    return blob;
  }

  #status(hash: Hash): BlobStatus {
    const size = this.#blobs.get(hash)?.bytes.byteLength;
    if (size !== undefined) return { hash, state: "complete", size, have: ALL };
    const part = this.#parts.get(hash);
    if (!part) return { hash, state: "absent", have: [] };
    return { hash, state: "partial", size: part.size, have: part.groups.chunks(part.size) };
  }

  #keep(blob: MemoryBlob): Hash {
    const hash = blob.outboard.root.toHex();
    if (!this.#blobs.has(hash)) this.#blobs.set(hash, blob);
    this.#parts.delete(hash);
    return hash;
  }

  #held(hash: Hash, size: number, format: Format): Held {
    const held: Held = {
      hash,
      size,
      format,
      [Symbol.asyncDispose]: () => {
        this.#holds.delete(held);
        return Promise.resolve();
      },
    };
    this.#holds.add(held);
    return held;
  }
}

function* childrenIn(bytes: Uint8Array = new Uint8Array()): Generator<Hash> {
  for (let at = 0; at + HASH <= bytes.byteLength; at += HASH) yield bytes.subarray(at, at + HASH).toHex();
}

async function collect(from: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  return await new Response(from as ReadableStream<Uint8Array<ArrayBuffer>>).bytes();
}
