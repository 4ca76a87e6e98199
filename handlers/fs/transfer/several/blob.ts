/**
 * One blob from several providers: what is missing of it, in pieces.
 *
 * @module
 */
import { decode } from "../../bao/decode.ts";
import { ALL, type ChunkRanges, complementOf, SIZE_PROOF } from "../../bao/ranges.ts";
import { groupsOf } from "../../bao/tree.ts";
import type { BlobStore, ReceiveOptions } from "../../blobs/blob_store.ts";
import { notFound, tooLarge } from "../../errors.ts";
import type { Hash } from "../../wire/hash_text.ts";
import { explained } from "../asking.ts";
import { observed } from "../observed.ts";
import { chunksOfRun, pieceGroups, Pieces, type Run, runsOf, without } from "./pieces.ts";
import type { Task, Work } from "./schedule.ts";
import type { Patience, Source } from "./source.ts";

/** Groups of a piece where each has a connection of its own. */
const SINGLE = 4096;

/** What is done for one blob. */
export interface BlobParts {
  /** Where it goes. */
  readonly into: BlobStore;
  /** How it is received. */
  readonly options: ReceiveOptions;
  /** How long is waited. */
  readonly patience: Patience;
  /** Told of bytes that came. */
  readonly came: (bytes: number) => void;
}

/**
 * What a provider has of a blob, as it says. Who says nothing in time is taken to have all of it.
 *
 * @throws {AlknetError} `BLOB_NOT_FOUND`: it has nothing, or not for us. What dialling throws.
 */
export async function haveOf(
  source: Source,
  hash: Hash,
  { patience }: BlobParts,
  signal: AbortSignal,
): Promise<ChunkRanges> {
  await using opened = await source.open();
  try {
    for await (const { have } of observed(opened.stream, hash, signal, patience.observe)) {
      if (have.length > 0) return have;
      throw notFound(hash, "the node does not have it");
    }
  } catch (error) {
    signal.throwIfAborted();
    const why = explained(error, hash, 0);
    if ((why as { code?: unknown }).code === "BLOB_NOT_FOUND") throw why;
  }
  return ALL;
}

/**
 * The size of a blob, proven by a provider.
 *
 * @throws {AlknetError} As `getBlob` does.
 */
export async function sizeFrom(source: Source, hash: Hash, signal: AbortSignal): Promise<number> {
  const key = Uint8Array.fromHex(hash);
  const seq = [{ index: 0n, ranges: SIZE_PROOF }, { index: 1n, ranges: [] }];
  await using asked = await source.ask({ type: "get", hash: key, seq }, signal);
  try {
    return await decode(key, SIZE_PROOF, asked.reader, { leaf: () => {} });
  } catch (error) {
    signal.throwIfAborted();
    throw source.explained(error, hash, asked.reader.received);
  }
}

/** The pieces of a blob whose size is proven. */
export class BlobWork implements Work {
  readonly #hash: Hash;
  readonly #size: number;
  readonly #parts: BlobParts;
  readonly #have: ReadonlyMap<Source, ChunkRanges>;
  readonly #there = new Map<Source, readonly Run[]>();
  readonly #pieces: Pieces;

  private constructor(
    hash: Hash,
    size: number,
    missing: readonly Run[],
    have: ReadonlyMap<Source, ChunkRanges>,
    parts: BlobParts,
  ) {
    this.#hash = hash;
    this.#size = size;
    this.#have = have;
    this.#parts = parts;
    this.#pieces = new Pieces(missing);
  }

  /**
   * Looks at what is missing.
   *
   * @param have What each provider says that it has.
   * @throws {AlknetError} `QUOTA_EXCEEDED`: it is too large.
   */
  static async of(
    hash: Hash,
    size: number,
    have: ReadonlyMap<Source, ChunkRanges>,
    parts: BlobParts,
  ): Promise<BlobWork> {
    const { maxSize = Infinity } = parts.options;
    if (size > maxSize) throw tooLarge(size, maxSize);
    return new BlobWork(hash, size, await missingOf(parts.into, hash, size), have, parts);
  }

  get isEmpty(): boolean {
    return this.#pieces.isEmpty;
  }

  take(source: Source): Task | undefined {
    // Each has two at a time.
    const share = this.#pieces.left / (2 * this.#have.size);
    const most = source.isSingle ? SINGLE : pieceGroups(source.rate, share);
    const piece = this.#pieces.take(this.#of(source), most);
    return piece && new Piece(this.#hash, this.#size, piece, this.#parts);
  }

  async give(task: Task, source: Source): Promise<void> {
    const missing = await (task as Piece).missing();
    this.#pieces.give(missing);
    const { fault } = source;
    const code = (fault as { code?: unknown }).code;
    // What ended cleanly before its end is not there.
    const cause = (fault as { cause?: { code?: unknown } }).cause?.code;
    if (code === "BLOB_ABSENT" && cause === "ENCODING_CUT") {
      const first = missing[0];
      if (first) this.#there.set(source, without(this.#of(source), [{ from: first.from, to: first.from + 1 }]));
    }
  }

  #of(source: Source): readonly Run[] {
    let there = this.#there.get(source);
    if (!there) this.#there.set(source, there = runsOf(this.#have.get(source) ?? [], this.#size));
    return there;
  }
}

class Piece implements Task {
  received = 0;
  readonly #hash: Hash;
  readonly #size: number;
  readonly #run: Run;
  readonly #parts: BlobParts;

  constructor(hash: Hash, size: number, run: Run, parts: BlobParts) {
    this.#hash = hash;
    this.#size = size;
    this.#run = run;
    this.#parts = parts;
  }

  async run(source: Source, signal: AbortSignal): Promise<number> {
    const { into, options, came } = this.#parts;
    const missing = await this.missing();
    let sum = 0;
    for (const run of missing) {
      const ranges = chunksOfRun(run, this.#size);
      const seq = [{ index: 0n, ranges }, { index: 1n, ranges: [] }];
      await using asked = await source.ask({ type: "get", hash: Uint8Array.fromHex(this.#hash), seq }, signal);
      let before: number | undefined;
      const progress = (bytes: number): void => {
        const more = bytes - (before ?? bytes - 16 * 1024);
        before = bytes;
        this.received += more;
        came(more);
      };
      try {
        const held = await into.receive(this.#hash, ranges, asked.reader, {
          ...options,
          size: this.#size,
          signal,
          progress,
        });
        await held?.[Symbol.asyncDispose]();
        sum += asked.reader.received;
      } catch (error) {
        signal.throwIfAborted();
        throw source.explained(error, this.#hash, asked.reader.received);
      }
    }
    return sum;
  }

  async isMissing(): Promise<boolean> {
    return (await this.missing()).length > 0;
  }

  async missing(): Promise<Run[]> {
    const missing = await missingOf(this.#parts.into, this.#hash, this.#size);
    const all = [{ from: 0, to: groupsOf(this.#size) }];
    return without([this.#run], without(all, missing));
  }
}

async function missingOf(into: BlobStore, hash: Hash, size: number): Promise<Run[]> {
  const { state, size: known, have } = await into.status(hash);
  if (state === "complete") return [];
  // What is there under another size is not of this blob.
  if (known !== size) return [{ from: 0, to: groupsOf(size) }];
  return runsOf(complementOf(have, size), size);
}
