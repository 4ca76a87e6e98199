/**
 * Blobs that lie in the bucket alone, read in pieces. What reads them verifies each group before it is used.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { type Maybe, MemoryOutboard, type Outboard } from "../../bao/outboard.ts";
import { outboardSize, PAIR } from "../../bao/tree.ts";
import type { OpenSource } from "../../blobs/blob_store.ts";
import type { BlobRow } from "../../blobs/disk/tables/rows.ts";
import { corrupt, shortHash } from "../../errors.ts";
import type { Hash } from "../../wire/hash_text.ts";
import type { Bucket } from "../bucket.ts";
import { keyOf } from "./claims.ts";

/** Bytes of data, and of pairs, that are asked for at once: whole groups. */
const DATA_PIECE = 1024 * 1024;
const PAIRS_PIECE = 64 * 1024;
/** By how much more is asked for by whoever reads on, at most: the way there and back is what one waits for. */
const MOST_PIECES = 4;

/** What is read, and told of it. */
export interface BucketRead {
  /** Where it lies. */
  readonly bucket: Bucket;
  /** Ends it with its reason. */
  readonly signal: AbortSignal;
  /** Told that something did not verify. */
  readonly spoiled?: () => void;
}

/** Opens a blob. Nothing is asked for before it is read. */
export function bucketSource({ hash, size, pairs }: Omit<BlobRow, "data">, read: BucketRead): OpenSource {
  const data = new Pieces(hash, "data", size, DATA_PIECE, read);
  return {
    outboard: outboardOf(hash, size, pairs, read),
    read: (at, length) => data.read(at, length),
    spoiled: read.spoiled,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

function outboardOf(hash: Hash, size: number, pairs: Uint8Array | null, read: BucketRead): Outboard {
  const root = Uint8Array.fromHex(hash);
  const length = outboardSize(size);
  if (pairs || length === 0) return new MemoryOutboard(size, root, pairs ?? new Uint8Array());
  const pieces = new Pieces(hash, "obao4", length, PAIRS_PIECE, read);
  return { size, root, pair: (place) => pieces.read(place * PAIR, PAIR) };
}

/** An object in pieces of one length, or several of them; what came last is at hand. */
class Pieces {
  readonly #hash: Hash;
  readonly #kind: "data" | "obao4";
  readonly #size: number;
  readonly #length: number;
  readonly #read: BucketRead;
  #from = 0;
  #count = 1;
  #piece = new Uint8Array();

  constructor(hash: Hash, kind: "data" | "obao4", size: number, length: number, read: BucketRead) {
    this.#hash = hash;
    this.#kind = kind;
    this.#size = size;
    this.#length = length;
    this.#read = read;
  }

  /** Bytes that lie in one piece; fewer where the object has fewer. */
  read(at: number, length: number): Maybe<Uint8Array> {
    if (length === 0) return new Uint8Array();
    const from = at - this.#from;
    if (from >= 0 && from + length <= this.#piece.byteLength) return this.#piece.subarray(from, from + length);
    return this.#fetch(at, length);
  }

  async #fetch(at: number, length: number): Promise<Uint8Array> {
    const { bucket, signal } = this.#read;
    const from = at - at % this.#length;
    const readsOn = this.#piece.byteLength > 0 && from === this.#from + this.#piece.byteLength;
    this.#count = readsOn ? Math.min(MOST_PIECES, this.#count * 2) : 1;
    const wanted = Math.min(this.#count * this.#length, this.#size - from);
    const piece = await reached(this.#hash, () => bucket.get(keyOf(this.#hash, this.#kind), from, wanted, { signal }));
    if (!piece) {
      this.#read.spoiled?.();
      throw corrupt(this.#hash, `it is not in bucket ${bucket.name} any more (${this.#kind})`);
    }
    this.#from = from;
    this.#piece = piece as Uint8Array<ArrayBuffer>;
    return piece.subarray(at - from, at - from + length);
  }
}

/**
 * Does something with the bucket for whoever reads a blob.
 *
 * @throws {AlknetError} `BLOB_ABSENT`: the bucket cannot be reached, or refuses.
 */
async function reached<T>(hash: Hash, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof AlknetError) || !cause.code.startsWith("BUCKET_")) throw cause;
    const what = `blob ${shortHash(hash)} lies in the bucket alone: ${cause.message}`;
    throw new AlknetError("BLOB_ABSENT", what, { cause });
  }
}
