/**
 * A pack and its index, read by position (gitformat-pack).
 *
 * ```text
 * "PACK" 00000002 <count>   entries   SHA-1 of all that
 * ```
 *
 * @module
 */
import { closeSync, existsSync, fstatSync, openSync, readFileSync, statSync } from "node:fs";
import { corrupt, tooLarge } from "../errors.ts";
import type { Kind, Oid } from "../objects/oid.ts";
import { BLOCK, Blocks } from "./blocks.ts";
import { ByteCache } from "./byte_cache.ts";
import { applyDelta, deltaResultSize } from "./delta.ts";
import { type EntryHead, kindOfType, MAX_ENTRY_HEAD, parseEntryHead } from "./entry.ts";
import { PackIndex } from "./index.ts";
import { inflateExactly, inflateStart } from "./inflate.ts";

/** An object, whole. */
export interface StoredObject {
  /** What it is. */
  readonly kind: Kind;
  /** Its content, which nobody changes. */
  readonly bytes: Uint8Array;
}

/** What all packs of a node share. */
export interface PackCaches {
  /** Pieces of packs. */
  readonly blocks: ByteCache<Uint8Array>;
  /** Objects that deltas are of. */
  readonly bases: ByteCache<StoredObject>;
  /** Indexes of packs, also of repositories that nobody has open. */
  readonly indexes: ByteCache<PackIndex>;
}

/** Bytes of the caches. */
export interface CacheSizes {
  /** Of pieces of packs. */
  readonly blockCache: number;
  /** Of objects. */
  readonly baseCache: number;
  /** Of indexes. */
  readonly indexCache: number;
}

/** Finds an object that a delta is of in another pack. */
export type FindBase = (oid: Oid) => StoredObject | undefined;

/** Longest chain of deltas: git's own limit. */
export const MAX_DEPTH: number = 4095;

/** The caches of a node. */
export function packCaches({ blockCache, baseCache, indexCache }: CacheSizes): PackCaches {
  return { blocks: new ByteCache(blockCache), bases: new ByteCache(baseCache), indexes: new ByteCache(indexCache) };
}

let opened = 0;

/** An open pack. Disposing closes it. */
export class PackFile implements Disposable {
  /** Its index. */
  readonly index: PackIndex;
  readonly #caches: PackCaches;
  readonly #id = `${++opened}`;
  readonly #size: number;
  #fd: number | undefined;
  readonly #blocks: Blocks;

  /**
   * Opens `PATH.pack` and `PATH.idx`.
   *
   * @param path Without its ending.
   * @throws {AlknetError} `GIT_CORRUPT`: they are no pack and its index. What the system refuses is thrown as it is.
   */
  constructor(path: string, caches: PackCaches) {
    this.#caches = caches;
    this.#fd = openSync(`${path}.pack`, "r");
    this.#blocks = new Blocks(this.#fd, this.#id, caches.blocks);
    try {
      this.#size = fstatSync(this.#fd).size;
      this.index = indexOf(path, this.#size, caches);
      const head = this.#bytes(0, 12);
      const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
      if (this.#size < 32 || view.getUint32(0) !== 0x5041434b || view.getUint32(4) !== 2) {
        throw corrupt("a pack is none of version 2");
      }
      const hash = this.#bytes(this.#size - 20, 20).toHex();
      if (view.getUint32(8) !== this.index.count || hash !== this.index.packHash) {
        throw corrupt("a pack is not the one that its index is of");
      }
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** Bytes of the pack. */
  get size(): number {
    return this.#size;
  }

  /** The head of the entry at an offset. */
  head(offset: number): EntryHead {
    return parseEntryHead(this.#bytes(offset, Math.min(MAX_ENTRY_HEAD, this.index.endOf(offset) - offset)));
  }

  /** The same as {@linkcode pieces}, each of which holds until the next is asked for. */
  *through(from: number, to: number): Generator<Uint8Array> {
    if (this.#fd === undefined) throw new TypeError("the pack is closed");
    yield* this.#blocks.through(from, to);
  }

  /** Bytes of the pack from one place to another, in pieces. */
  *pieces(from: number, to: number): Generator<Uint8Array> {
    for (let at = from; at < to;) {
      const length = Math.min(BLOCK - at % BLOCK, to - at);
      yield this.#bytes(at, length);
      at += length;
    }
  }

  /** The position of the base of a delta that begins at an offset, where it lies in this pack. */
  basePosition(offset: number, head: EntryHead): number {
    if (head.distance !== undefined) return this.index.positionOf(baseOffset(offset, head.distance));
    return head.base === undefined ? -1 : this.index.find(head.base);
  }

  /** What the object at an offset is, and its size. */
  info(offset: number, findBase: (oid: Oid) => Kind | undefined): { kind: Kind; size: number } {
    let head = this.head(offset);
    const size = kindOfType(head.type) ? head.size : deltaResultSize(inflateStart(this.#raw(offset, head, 64)));
    for (let at = offset, depth = 0; depth <= MAX_DEPTH; depth++) {
      const kind = kindOfType(head.type);
      if (kind) return { kind, size };
      const position = this.basePosition(at, head);
      if (position < 0) {
        const elsewhere = findBase(head.base!);
        if (!elsewhere) throw corrupt(`the base ${head.base} of a delta is missing`);
        return { kind: elsewhere, size };
      }
      at = this.index.offsetAt(position);
      head = this.head(at);
    }
    throw corrupt("a chain of deltas is too long");
  }

  /**
   * The object at an offset, whole.
   *
   * @throws {AlknetError} `GIT_CORRUPT`; `OBJECT_TOO_LARGE`: it, or a base of it, is larger than `limit`.
   */
  read(offset: number, limit: number, findBase: FindBase): StoredObject {
    const deltas: { offset: number; bytes: Uint8Array }[] = [];
    let object: StoredObject | undefined;
    for (let at = offset; !object;) {
      object = this.#caches.bases.get(`${this.#id}:${at}`);
      if (object) break;
      if (deltas.length > MAX_DEPTH) throw corrupt("a chain of deltas is too long");
      const head = this.head(at);
      if (head.size > limit) throw tooLarge("an object of a pack", head.size, limit);
      const bytes = inflateExactly(this.#raw(at, head), head.size);
      const kind = kindOfType(head.type);
      if (kind) {
        object = { kind, bytes };
        this.#keep(at, object);
        break;
      }
      deltas.push({ offset: at, bytes });
      const position = this.basePosition(at, head);
      if (position >= 0) at = this.index.offsetAt(position);
      else {
        object = findBase(head.base!);
        if (!object) throw corrupt(`the base ${head.base} of a delta is missing`);
      }
    }
    for (const delta of deltas.reverse()) {
      object = { kind: object.kind, bytes: applyDelta(object.bytes, delta.bytes, limit) };
      this.#keep(delta.offset, object);
    }
    return object;
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #keep(offset: number, object: StoredObject): void {
    // Blobs are bases of blobs alone, which walks do not read.
    if (object.kind !== "blob") this.#caches.bases.set(`${this.#id}:${offset}`, object, object.bytes.byteLength + 100);
  }

  /** The zlib stream of an entry, or its start. */
  #raw(offset: number, head: EntryHead, most = Infinity): Uint8Array {
    const start = offset + head.length;
    return this.#bytes(start, Math.min(most, this.index.endOf(offset) - start));
  }

  #bytes(offset: number, length: number): Uint8Array {
    if (this.#fd === undefined) throw new TypeError("the pack is closed");
    return this.#blocks.bytes(offset, length);
  }
}

/** Bytes that the order of an entry takes beside the index. */
const ORDERED = 12;

/** The index of a pack, which is read once for as long as it stays the same file. */
function indexOf(path: string, packSize: number, { indexes }: PackCaches): PackIndex {
  const { ino, mtimeMs, size } = statSync(`${path}.idx`);
  const key = `${path} ${ino} ${mtimeMs} ${size} ${packSize}`;
  const held = indexes.get(key);
  if (held) return held;
  const index = new PackIndex(
    readFileSync(`${path}.idx`),
    packSize,
    () => existsSync(`${path}.rev`) ? readFileSync(`${path}.rev`) : undefined,
  );
  indexes.set(key, index, size + index.count * ORDERED);
  return index;
}

function baseOffset(offset: number, distance: number): number {
  if (distance < 1 || distance > offset - 12) throw corrupt("a delta has its base outside of the pack");
  return offset - distance;
}
