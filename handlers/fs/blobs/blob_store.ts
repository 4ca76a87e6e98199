/**
 * A store of blobs, wherever it keeps them.
 *
 * @module
 */
import type { ByteReader } from "../bao/decode.ts";
import type { EncodeSource } from "../bao/encode.ts";
import type { ChunkRanges } from "../bao/ranges.ts";
import type { Hash } from "../wire/hash_text.ts";
import type { Format } from "../wire/ticket.ts";

/** What a hash names, and how. */
export interface HashAndFormat {
  /** The hash. */
  readonly hash: Hash;
  /** Whether it stands for itself, or lists others. */
  readonly format: Format;
}

/** A blob that stays in the store until this is disposed of. */
export interface Held extends HashAndFormat, AsyncDisposable {
  /** Its bytes. */
  readonly size: number;
}

/** What a store has of a blob. */
export interface BlobStatus {
  /** The hash. */
  readonly hash: Hash;
  /** Whether all of it is there, or a part. */
  readonly state: "absent" | "partial" | "complete";
  /** Its bytes, where they are known; of a partial one as they were claimed, until its last chunk is there. */
  readonly size?: number;
  /** The chunks that are there: all of them of a complete one, whole groups of a partial one. */
  readonly have: ChunkRanges;
}

/** A name that keeps a blob. */
export interface Tag extends HashAndFormat, TagOptions {
  /** The name. */
  readonly name: string;
}

/** Which tags are meant. */
export interface TagPage {
  /** Those after this name. */
  readonly after?: string;
  /** Those of this blob. */
  readonly hash?: Hash;
}

/** How far looking at a blob is, or what is wrong with it. */
export interface VerifyStep {
  /** The blob. */
  readonly hash: Hash;
  /** Bytes that were looked at; all of them, or a fault, end it. */
  readonly done: number;
  /** Its bytes. */
  readonly size: number;
  /** What is wrong: a file that is not there, data, pairs, or a file elsewhere that was changed. */
  readonly fault?: "missing" | "data" | "outboard" | "reference";
}

/** How a pass of collection works. */
export interface CollectOptions {
  /** Look at every blob, however young, rather than at those that something stopped to refer to five minutes ago. */
  readonly full?: boolean;
  /** Say what would go, and take nothing away. */
  readonly dryRun?: boolean;
}

/** What a pass of collection took away. */
export interface Collected {
  /** Blobs. */
  readonly blobs: number;
  /** Their bytes. */
  readonly bytes: number;
}

/** Reads a blob anywhere; each group is verified before it is given out. */
export interface BlobReader extends AsyncDisposable {
  /** Bytes of the blob. */
  readonly size: number;
  /**
   * So many bytes from a place on; fewer at the end.
   *
   * @throws {AlknetError} `BLOB_CORRUPT`.
   */
  read(at: number, length: number): Promise<Uint8Array>;
}

/** What is told of work, and what ends it. */
export interface Told {
  /** Called with the bytes done, and those of the whole where they are known. */
  readonly progress?: (bytes: number, of?: number) => void;
  /** Ends it with its reason. */
  readonly signal?: AbortSignal;
}

/** A file that is added. */
export interface AddPath {
  /** Where it is. */
  readonly path: string;
  /**
   * Whether it is copied, the default, or stays where it is and is referred to: then it is there while it is unchanged. A
   * store in memory copies it always.
   */
  readonly mode?: "copy" | "reference";
}

/** Options of {@linkcode BlobStore.add}. */
export interface AddOptions extends Told {
  /** Default `raw`. */
  readonly format?: Format;
  /** Identity for whom it is kept. */
  readonly owner?: string;
}

/** Options of {@linkcode BlobStore.receive}. */
export interface ReceiveOptions extends Told {
  /** Largest blob that is taken, in bytes. Default 1 TiB. */
  readonly maxSize?: number;
  /** Its bytes, where they are proven: whoever claims others sends something else, and nothing is forgotten for it. */
  readonly size?: number;
  /** Identity for whom it is kept. */
  readonly owner?: string;
}

/** Options of {@linkcode BlobStore.setTag}. */
export interface TagOptions {
  /** When it ends. */
  readonly expires?: Date;
  /** Identity whose it is. */
  readonly owner?: string;
}

/** A blob as it is served: what {@linkcode EncodeSource} needs, until it is disposed of. */
export interface OpenSource extends EncodeSource, AsyncDisposable {
  /** Whether parts may be missing, which then do not verify. */
  readonly isPartial?: boolean;
  /** Told that something in it did not verify. */
  readonly spoiled?: () => void;
}

/** A store of blobs. */
export interface BlobStore extends AsyncDisposable {
  /** What is there of a blob. */
  status(hash: Hash): Promise<BlobStatus>;
  /** What is there of a blob, and then each time that it changed, until the signal. What changes quickly is told at times. */
  observe(hash: Hash, signal: AbortSignal): AsyncIterable<BlobStatus>;
  /**
   * Takes bytes in, or the file at a path.
   *
   * @throws {AlknetError} `STORE_FULL`, `QUOTA_EXCEEDED`, `NOT_A_FILE`; `CHANGED_MEANWHILE` of a reference; `BLOB_CORRUPT`:
   * it is no sequence.
   */
  add(from: ReadableStream<Uint8Array> | AddPath, options?: AddOptions): Promise<Held>;
  /**
   * Opens a blob for reading.
   *
   * @throws {AlknetError} `BLOB_NOT_FOUND`.
   */
  open(hash: Hash): Promise<BlobReader>;
  /**
   * Opens a blob for encoding.
   *
   * @throws {AlknetError} `BLOB_NOT_FOUND`.
   */
  source(hash: Hash): Promise<OpenSource>;
  /**
   * The encoding of ranges. Each part is verified before it is given out, and is valid until the next is asked for.
   *
   * @throws {AlknetError} `BLOB_NOT_FOUND`, `BLOB_CORRUPT`.
   */
  encode(hash: Hash, ranges: ChunkRanges, signal?: AbortSignal): AsyncIterable<Uint8Array>;
  /**
   * Takes parts of a blob from their encoding. What was verified stays, whatever happens after it.
   *
   * @returns The blob, once every part of it is there.
   * @throws {EncodingError} It is not that blob, or ends early.
   * @throws {AlknetError} `QUOTA_EXCEEDED`, `STORE_FULL`.
   */
  receive(hash: Hash, ranges: ChunkRanges, from: ByteReader, options?: ReceiveOptions): Promise<Held | undefined>;
  /**
   * Keeps a blob that is there.
   *
   * @throws {AlknetError} `BLOB_NOT_FOUND`.
   */
  hold(hash: Hash, format?: Format): Promise<Held>;
  /**
   * Keeps a blob under a name, which another may have had.
   *
   * @throws {AlknetError} `BLOB_NOT_FOUND`.
   */
  setTag(name: string, of: HashAndFormat, options?: TagOptions): Promise<void>;
  /** Takes a name away. Whether it was there. */
  dropTag(name: string): Promise<boolean>;
  /** Names, in their order. */
  tags(page?: TagPage): AsyncIterable<Tag>;
  /** What is there, in the order of the hashes. */
  list(after?: Hash): AsyncIterable<BlobStatus>;
  /** Hashes what is stored, of one blob or of all. A file elsewhere that is again what it was is believed again. */
  verify(hash?: Hash): AsyncIterable<VerifyStep>;
  /** Takes away what nothing refers to. Nothing goes that is tagged, held or under way. */
  collect(options?: CollectOptions): Promise<Collected>;
}

/** Bytes of the largest blob that is taken unless told otherwise: 1 TiB. */
export const MAX_BLOB_SIZE: number = 2 ** 40;
