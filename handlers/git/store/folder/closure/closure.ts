/**
 * A closure of a folder: its record, and the packs that it names (git.md §5.4). Whatever of it is missing or does not fit,
 * there is none then: what it would save is walked.
 *
 * @module
 */
import { readFileSync, statSync } from "node:fs";
import type { Oid } from "../../../objects/oid.ts";
import { kindOfType } from "../../../pack/entry.ts";
import type { PackFile } from "../../../pack/pack_file.ts";
import type { Closure } from "../../types.ts";
import { unlessMissing } from "../loose.ts";
import type { FolderObjects } from "../objects.ts";
import { type ClosureRecord, parseClosure, type RecordedBody } from "./record.ts";

/** Where the entries of a pack begin. */
const FIRST = 12;

/** Path of the record of a repository. */
export function closureFile(repository: string): string {
  return `${repository}/alknet/closure`;
}

/** Reads the record of a repository, again where it has changed. */
export class ClosureReader {
  readonly #file: string;
  readonly #objects: FolderObjects;
  #seen = "";
  #record?: ClosureRecord;
  #closure?: FolderClosure;

  /**
   * @param repository Its folder.
   * @param objects Where its packs are open.
   */
  constructor(repository: string, objects: FolderObjects) {
    this.#file = closureFile(repository);
    this.#objects = objects;
  }

  /** The closure as of now; nothing where none is valid. */
  read(): FolderClosure | undefined {
    const facts = unlessMissing(() => statSync(this.#file));
    const key = facts ? `${facts.ino} ${facts.mtimeMs} ${facts.size}` : "";
    if (key !== this.#seen) {
      this.#seen = key;
      const text = facts && unlessMissing(() => readFileSync(this.#file, "utf8"));
      this.#record = text === undefined ? undefined : parseClosure(text);
      this.#closure = undefined;
    }
    if (!this.#record) return undefined;
    return this.#closure ??= openClosure(this.#record, this.#objects);
  }
}

/** A closure whose packs are all there. */
export class FolderClosure implements Closure {
  readonly tips: readonly Oid[];
  readonly count: number;
  /** What is recorded. */
  readonly record: ClosureRecord;
  readonly #bodies: readonly Body[];

  /** @param bodies Those of the record, in its order. */
  constructor(record: ClosureRecord, bodies: readonly Body[]) {
    this.record = record;
    this.tips = record.tips;
    this.#bodies = bodies;
    this.count = bodies.reduce((sum, { count }) => sum + count, 0);
  }

  holds(oid: Oid): boolean {
    for (const { pack: { index }, end } of this.#bodies) {
      const position = index.find(oid);
      if (position >= 0 && index.offsetAt(position) < end) return true;
    }
    return false;
  }

  *besideBlobs(): Generator<Oid> {
    for (const { pack, count } of this.#bodies) {
      const { index } = pack;
      const { offsets, positions } = index.order;
      /** Of those that were looked at, by their positions. */
      const isBlob: (boolean | undefined)[] = new Array(index.count);
      for (let rank = 0; rank < count; rank++) {
        const head = pack.head(offsets[rank]);
        const kind = kindOfType(head.type);
        // A delta is what its base is, which mostly comes before it, and never lies in another pack.
        const found = kind ? kind === "blob" : isBlob[pack.basePosition(offsets[rank], head)] ??
          pack.info(offsets[rank], () => undefined).kind === "blob";
        isBlob[positions[rank]] = found;
        if (!found) yield index.oidAt(positions[rank]);
      }
    }
  }

  *pieces(): Generator<Uint8Array> {
    for (const { pack, end } of this.#bodies) yield* pack.through(FIRST, end);
  }
}

interface Body extends Omit<RecordedBody, "pack"> {
  readonly pack: PackFile;
}

/** The closure of a record; nothing where a pack is gone, or is another than recorded. */
export function openClosure(record: ClosureRecord, objects: FolderObjects): FolderClosure | undefined {
  const bodies: Body[] = [];
  for (const { pack: hash, end, count } of record.bodies) {
    const pack = objects.packOf(hash);
    if (!pack || countUntil(pack, end) !== count) return undefined;
    bodies.push({ pack, end, count });
  }
  return new FolderClosure(record, bodies);
}

/** How many entries a pack has before an offset; nothing where none begins there, and it is not the end of the last. */
function countUntil({ index, size }: PackFile, end: number): number | undefined {
  if (end === size - 20) return index.count;
  const { offsets } = index.order;
  let low = 0;
  let high = offsets.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (offsets[middle] < end) low = middle + 1;
    else high = middle;
  }
  return offsets[low] === end ? low : undefined;
}
