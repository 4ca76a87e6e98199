/**
 * What is missing of a blob, cut into pieces that providers are asked for: aligned subtrees, larger ones of whoever is quicker.
 *
 * @module
 */
import type { ChunkRanges } from "../../bao/ranges.ts";
import { chunksOf, GROUP, GROUP_CHUNKS, groupsOf } from "../../bao/tree.ts";

const MIB = 1024 * 1024;
/** Groups of the smallest piece, and of the largest: 1 and 64 MiB. */
const LEAST = MIB / GROUP;
const MOST = 64 * LEAST;
/** Milliseconds that a piece shall take. */
const PIECE_TIME = 500;

/** Groups from one up to another. */
export interface Run {
  /** The first. */
  readonly from: number;
  /** The one after the last. */
  readonly to: number;
}

/**
 * Groups of a piece for somebody who is as quick as this.
 *
 * @param share Groups that are theirs if all do as much: towards the end pieces are small, so that all end together.
 */
export function pieceGroups(bytesPerMillisecond: number, share: number): number {
  const groups = Math.min(bytesPerMillisecond * PIECE_TIME / GROUP, share);
  return Math.min(MOST, Math.max(LEAST, 2 ** Math.floor(Math.log2(Math.max(1, groups)))));
}

/** The groups of a blob all of which are in ranges of chunks that lie within it. */
export function runsOf(ranges: ChunkRanges, size: number): Run[] {
  const [chunks, groups] = [chunksOf(size), groupsOf(size)];
  const runs: Run[] = [];
  for (let i = 0; i < ranges.length; i += 2) {
    const from = Math.ceil(Number(ranges[i]) / GROUP_CHUNKS);
    const end = ranges[i + 1] === undefined ? chunks : Math.min(chunks, Number(ranges[i + 1]));
    const to = end === chunks ? groups : Math.floor(end / GROUP_CHUNKS);
    if (from < to) runs.push({ from, to });
  }
  return runs;
}

/** The chunks of a run, as they are asked for. */
export function chunksOfRun({ from, to }: Run, size: number): ChunkRanges {
  return [BigInt(from * GROUP_CHUNKS), BigInt(Math.min(to * GROUP_CHUNKS, chunksOf(size)))];
}

/** Runs without those that are in others; both rise. */
export function without(runs: readonly Run[], others: readonly Run[]): Run[] {
  const rest: Run[] = [];
  for (const { from, to } of runs) {
    let at = from;
    for (const other of others) {
      if (other.to <= at || other.from >= to) continue;
      if (other.from > at) rest.push({ from: at, to: other.from });
      at = Math.max(at, other.to);
    }
    if (at < to) rest.push({ from: at, to });
  }
  return rest;
}

/** What nobody is asked for yet. */
export class Pieces {
  #todo: Run[];

  /** @param todo In their order. */
  constructor(todo: readonly Run[]) {
    this.#todo = [...todo];
  }

  /** Whether everything is somebody's. */
  get isEmpty(): boolean {
    return this.#todo.length === 0;
  }

  /** Groups that nobody is asked for yet. */
  get left(): number {
    return this.#todo.reduce((sum, { from, to }) => sum + to - from, 0);
  }

  /** Takes a piece of so many groups at most, from what somebody has. */
  take(runs: readonly Run[], most: number): Run | undefined {
    const first = this.#first(runs);
    if (!first) return undefined;
    const { from } = first;
    const piece = { from, to: Math.min(first.to, from - from % most + most) };
    this.#todo = without(this.#todo, [piece]);
    return piece;
  }

  /** Gives back what did not come. */
  give(runs: readonly Run[]): void {
    this.#todo = [...this.#todo, ...runs].sort((one, other) => one.from - other.from);
  }

  #first(runs: readonly Run[]): Run | undefined {
    for (const { from, to } of this.#todo) {
      for (const there of runs) {
        const both = { from: Math.max(from, there.from), to: Math.min(to, there.to) };
        if (both.from < both.to) return both;
      }
    }
    return undefined;
  }
}
