/**
 * What a sequence lists, from several providers: some blobs at a time of each, so that none waits for another.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { ALL, type ChunkRanges, complementOf } from "../../bao/ranges.ts";
import type { Hash } from "../../wire/hash_text.ts";
import { MAX_WIDTHS, type SeqEntry } from "../../wire/range_spec.ts";
import type { BlobParts } from "./blob.ts";
import type { Task, Work } from "./schedule.ts";
import type { Source } from "./source.ts";

/** Blobs of a request. */
const MOST = 256;
const NOT_ALL = "the node does not have all that the sequence lists, or not for you";

/** The blobs that a sequence lists and that are not there. */
export class ChildWork implements Work {
  readonly #parts: BlobParts;
  readonly #todo: Hash[];
  /** What providers did not have. */
  readonly #lacks = new Map<Source, Set<Hash>>();
  readonly #atOnce: number;

  /** @param sources How many share them. */
  constructor(todo: readonly Hash[], sources: number, parts: BlobParts) {
    this.#parts = parts;
    this.#todo = [...todo];
    this.#atOnce = Math.max(1, Math.min(MOST, Math.ceil(todo.length / (sources * 4))));
  }

  get isEmpty(): boolean {
    return this.#todo.length === 0;
  }

  take(source: Source): Task | undefined {
    const lacks = this.#lacks.get(source);
    const some: Hash[] = [];
    for (let i = 0; i < this.#todo.length && some.length < this.#atOnce;) {
      if (lacks?.has(this.#todo[i])) i++;
      else some.push(...this.#todo.splice(i, 1));
    }
    return some.length > 0 ? new Some(some, this.#parts) : undefined;
  }

  async give(task: Task, source: Source): Promise<void> {
    const { fault } = source;
    const missing = await (task as Some).missing();
    this.#todo.push(...missing);
    if (missing.length === 0 || (fault as { code?: unknown }).code !== "BLOB_ABSENT") return;
    const lacks = this.#lacks.get(source) ?? new Set();
    this.#lacks.set(source, lacks.add(missing[0]));
  }
}

class Some implements Task {
  received = 0;
  readonly #hashes: readonly Hash[];
  readonly #parts: BlobParts;

  constructor(hashes: readonly Hash[], parts: BlobParts) {
    this.#hashes = hashes;
    this.#parts = parts;
  }

  async run(source: Source, signal: AbortSignal): Promise<number> {
    const { into, options, came } = this.#parts;
    const hashes: Hash[] = [];
    const wanted: ChunkRanges[] = [];
    for (const hash of this.#hashes) {
      const { state, size, have } = await into.status(hash);
      if (state === "complete") continue;
      const missing = size === undefined ? ALL : complementOf(have, size);
      hashes.push(hash);
      wanted.push(missing.length > MAX_WIDTHS ? ALL : missing);
    }
    if (hashes.length === 0) return 0;
    const entries: SeqEntry[] = [];
    [...wanted, []].forEach((ranges, index) => {
      if (String(ranges) !== String(entries.at(-1)?.ranges ?? [])) entries.push({ index: BigInt(index), ranges });
    });
    const keys = hashes.map((hash) => Uint8Array.fromHex(hash));
    await using asked = await source.ask({ type: "getMany", hashes: keys, seq: entries }, signal);
    let at = 0;
    try {
      for (; at < hashes.length; at++) {
        const held = await into.receive(hashes[at], wanted[at], asked.reader, { ...options, signal });
        if (!held) throw new AlknetError("BLOB_ABSENT", NOT_ALL);
        this.received += held.size;
        came(held.size);
        await held[Symbol.asyncDispose]();
      }
    } catch (error) {
      signal.throwIfAborted();
      const why = source.explained(error, hashes[at], asked.reader.received) as { code?: unknown };
      // It may have others of them.
      if (why.code === "BLOB_NOT_FOUND") throw new AlknetError("BLOB_ABSENT", NOT_ALL, { cause: error });
      throw why;
    }
    return asked.reader.received;
  }

  async isMissing(): Promise<boolean> {
    return (await this.missing()).length > 0;
  }

  async missing(): Promise<Hash[]> {
    const missing: Hash[] = [];
    for (const hash of this.#hashes) {
      if ((await this.#parts.into.status(hash)).state !== "complete") missing.push(hash);
    }
    return missing;
  }
}
