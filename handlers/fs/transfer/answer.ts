/**
 * Answers to Get and GetMany: the encodings in their order, nothing between them. What is not there, or not for whoever asks,
 * ends the answer where it would stand.
 *
 * @module
 */
import { encode } from "../bao/encode.ts";
import type { ChunkRanges } from "../bao/ranges.ts";
import { HASH } from "../bao/tree.ts";
import type { BlobReader, BlobStore, OpenSource } from "../blobs/blob_store.ts";
import type { Grants } from "../blobs/grants.ts";
import { type Asker, mayRead } from "../rights.ts";
import type { Hash } from "../wire/hash_text.ts";
import { rangesAt, type RangeSeq } from "../wire/range_spec.ts";
import type { Request } from "../wire/requests.ts";
import type { Output } from "./output.ts";

/** Bytes of a sequence that are in memory: whole links. */
const LINKS_AT_ONCE = 64 * 1024;

/** What answering needs. */
export interface AnswerParts {
  /** The blobs. */
  readonly blobs: BlobStore;
  /** Who may read which. */
  readonly grants: Grants;
  /** Whether whoever knows a hash may read it. */
  readonly publicBlobs: boolean;
}

/** One answer. */
export class Answer {
  readonly #output: Output;
  readonly #parts: AnswerParts;
  readonly #asker: Asker;

  /** @param asker Who may read the blobs that the request names. */
  constructor(output: Output, parts: AnswerParts, asker: Asker) {
    this.#output = output;
    this.#parts = parts;
    this.#asker = asker;
  }

  /**
   * Sends it, and ends the stream.
   *
   * @throws {AlknetError} `BLOB_CORRUPT`. What writing throws.
   */
  async send(request: Extract<Request, { readonly type: "get" | "getMany" }>): Promise<void> {
    if (request.type === "get") await this.#sequence(request.hash.toHex(), request.seq);
    else {
      for (const { index, ranges } of asked(request.seq, 0, request.hashes.length)) {
        if (!await this.#encoding(request.hashes[index].toHex(), ranges)) break;
      }
    }
    await this.#output.end();
  }

  async #sequence(hash: Hash, seq: RangeSeq): Promise<void> {
    const ranges = rangesAt(seq, 0n);
    if (ranges.length > 0 && !await this.#encoding(hash, ranges)) return;
    if (asked(seq, 1, Infinity).next().done) return;
    await using root = await ifThere(() => this.#parts.blobs.open(hash));
    // What is no sequence lists nothing.
    if (!root || root.size % HASH !== 0) return;
    const links = new Links(root);
    for (const { index, ranges } of asked(seq, 1, root.size / HASH + 1)) {
      const child = (await links.at(index - 1)).toHex();
      if (!await mayRead(child, this.#asker, this.#parts)) return;
      if (!await this.#encoding(child, ranges)) return;
    }
  }

  /** Whether all of it was there. */
  async #encoding(hash: Hash, ranges: ChunkRanges): Promise<boolean> {
    await using source: OpenSource | undefined = await ifThere(() => this.#parts.blobs.source(hash));
    if (!source) return false;
    try {
      for await (const part of encode(source, ranges)) await this.#output.put(part);
      return true;
    } catch (error) {
      if ((error as { code?: unknown }).code !== "BLOB_CORRUPT") throw error;
      source.spoiled?.();
      if (source.isPartial) return false;
      throw error;
    }
  }
}

/** What a seq asks for of the blobs from one index up to another, walked lazily: it may be for ever. */
function* asked(
  seq: RangeSeq,
  from: number,
  to: number,
): Generator<{ readonly index: number; readonly ranges: ChunkRanges }> {
  for (const [i, { index, ranges }] of seq.entries()) {
    if (ranges.length === 0) continue;
    const end = Math.min(to, i + 1 < seq.length ? Number(seq[i + 1].index) : Infinity);
    for (let at = Math.max(from, Number(index)); at < end; at++) yield { index: at, ranges };
  }
}

/** The links of a sequence, a piece at a time. */
class Links {
  readonly #reader: BlobReader;
  #from = 0;
  #bytes = new Uint8Array();

  constructor(reader: BlobReader) {
    this.#reader = reader;
  }

  /** A link, valid until the next is asked for. */
  async at(index: number): Promise<Uint8Array> {
    let at = index * HASH - this.#from;
    if (at < 0 || at >= this.#bytes.byteLength) {
      this.#from = index * HASH;
      this.#bytes = new Uint8Array(await this.#reader.read(this.#from, LINKS_AT_ONCE));
      at = 0;
    }
    return this.#bytes.subarray(at, at + HASH);
  }
}

async function ifThere<T>(open: () => Promise<T>): Promise<T | undefined> {
  try {
    return await open();
  } catch (error) {
    if ((error as { code?: unknown }).code === "BLOB_NOT_FOUND") return undefined;
    throw error;
  }
}
