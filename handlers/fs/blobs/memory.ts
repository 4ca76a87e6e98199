/**
 * Blobs in memory: for tests, and for programs that keep few and small ones.
 *
 * @module
 */
import { type ByteReader, decode } from "../bao/decode.ts";
import { MemoryOutboard } from "../bao/outboard.ts";
import { ALL, type ChunkRanges } from "../bao/ranges.ts";
import { notFound, tooLarge } from "../errors.ts";
import type { Hash } from "../wire/hash_text.ts";
import type { Format } from "../wire/ticket.ts";
import {
  type AddOptions,
  type BlobReader,
  type BlobStatus,
  type BlobStore,
  type HashAndFormat,
  type Held,
  MAX_BLOB_SIZE,
  type OpenSource,
  type ReceiveOptions,
} from "./blob_store.ts";
import { encoded, readerOf } from "./reading.ts";

interface MemoryBlob {
  readonly bytes: Uint8Array;
  readonly outboard: MemoryOutboard;
}

/** A store in memory. Nothing leaves it. */
export class MemoryBlobStore implements BlobStore {
  readonly #blobs = new Map<Hash, MemoryBlob>();
  readonly #tags = new Map<string, HashAndFormat>();

  status(hash: Hash): Promise<BlobStatus> {
    const size = this.#blobs.get(hash)?.bytes.byteLength;
    return Promise.resolve(size === undefined ? { hash, state: "absent" } : { hash, state: "complete", size });
  }

  async add(from: ReadableStream<Uint8Array> | { readonly path: string }, options: AddOptions = {}): Promise<Held> {
    const bytes = "path" in from ? await Deno.readFile(from.path) : await collect(from);
    options.signal?.throwIfAborted();
    return this.#keep({ bytes, outboard: MemoryOutboard.of(bytes) }, options.format);
  }

  async open(hash: Hash): Promise<BlobReader> {
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

  async receive(hash: Hash, from: ByteReader, options: ReceiveOptions = {}): Promise<Held> {
    const { maxSize = MAX_BLOB_SIZE, progress, signal } = options;
    const parts: Uint8Array<ArrayBuffer>[] = [];
    let done = 0;
    let claim = 0;
    await decode(Uint8Array.fromHex(hash), ALL, from, {
      size(claimed) {
        if (claimed > maxSize) throw tooLarge(claimed, maxSize);
        claim = claimed;
      },
      leaf(_, bytes) {
        signal?.throwIfAborted();
        parts.push(bytes.slice());
        progress?.(done += bytes.byteLength, claim);
      },
    });
    const bytes = await new Blob(parts).bytes();
    return this.#keep({ bytes, outboard: MemoryOutboard.of(bytes) });
  }

  // deno-lint-ignore require-await
  async hold(hash: Hash, format: Format = "raw"): Promise<Held> {
    return held(hash, this.#get(hash).bytes.byteLength, format);
  }

  // deno-lint-ignore require-await
  async setTag(name: string, { hash, format }: HashAndFormat): Promise<void> {
    this.#get(hash);
    this.#tags.set(name, { hash, format });
  }

  /** Forgets everything. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#blobs.clear();
    this.#tags.clear();
    return Promise.resolve();
  }

  #get(hash: Hash): MemoryBlob {
    const blob = this.#blobs.get(hash);
    if (!blob) throw notFound(hash);
    return blob;
  }

  #keep(blob: MemoryBlob, format: Format = "raw"): Held {
    const hash = blob.outboard.root.toHex();
    if (!this.#blobs.has(hash)) this.#blobs.set(hash, blob);
    return held(hash, blob.bytes.byteLength, format);
  }
}

async function collect(from: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  return await new Response(from as ReadableStream<Uint8Array<ArrayBuffer>>).bytes();
}

function held(hash: Hash, size: number, format: Format): Held {
  return { hash, size, format, [Symbol.asyncDispose]: () => Promise.resolve() };
}
