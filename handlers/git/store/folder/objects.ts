/**
 * The objects of a folder: its packs in an order, and its loose objects.
 *
 * @module
 */
import { existsSync, readdirSync, statSync } from "node:fs";
import { crc32 } from "node:zlib";
import { corrupt } from "../../errors.ts";
import type { Kind, Oid } from "../../objects/oid.ts";
import { kindOfType } from "../../pack/entry.ts";
import { type PackCaches, PackFile, type StoredObject } from "../../pack/pack_file.ts";
import type { Maybe, ObjectStore, Place, RawEntry } from "../types.ts";
import { LooseObjects, unlessMissing } from "./loose.ts";

/** Larger loose objects are read in pieces. */
const WHOLE = 1024 * 1024;
/** Milliseconds for which a change is young. */
const YOUNG = 100;

/** Objects of `objects/`. Disposing closes the packs. */
export class FolderObjects implements ObjectStore, Disposable {
  readonly #folder: string;
  readonly #caches: PackCaches;
  readonly #limit: number;
  readonly #loose: LooseObjects;
  readonly #packs: PackFile[] = [];
  readonly #names = new Set<string>();
  #seen = -1;

  /**
   * @param folder Path of `objects`.
   * @param limit Bytes of an object that is read whole.
   * @throws {AlknetError} `GIT_CORRUPT`: a pack or its index is none.
   */
  constructor(folder: string, caches: PackCaches, limit: number) {
    this.#folder = `${folder}/pack`;
    this.#caches = caches;
    this.#limit = limit;
    this.#loose = new LooseObjects(folder);
    try {
      this.#scan();
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  // Async, so that what is wrong with an object rejects.
  // deno-lint-ignore require-await
  async info(oid: Oid): Maybe<{ kind: Kind; size: number }> {
    return this.#found(() => this.#info(oid));
  }

  // deno-lint-ignore require-await
  async read(oid: Oid, limit: number = this.#limit): Maybe<StoredObject> {
    return this.#read(oid, Math.min(limit, this.#limit));
  }

  async stream(oid: Oid): Maybe<{ kind: Kind; size: number; body: ReadableStream<Uint8Array> }> {
    const header = this.#loose.info(oid);
    if (header && header.size > WHOLE) return await this.#loose.stream(oid);
    const object = await this.read(oid);
    if (!object) return undefined;
    const { kind, bytes } = object;
    return { kind, size: bytes.byteLength, body: ReadableStream.from([bytes]) };
  }

  // deno-lint-ignore require-await
  async has(oid: Oid): Promise<boolean> {
    return this.#found(() => this.#at(oid) !== undefined || this.#loose.has(oid) || undefined) ?? false;
  }

  locate(oid: Oid): Place | undefined {
    return this.#at(oid);
  }

  entry({ pack, position }: Place): RawEntry {
    const file = this.#packs[pack];
    const offset = file.index.offsetAt(position);
    const head = file.head(offset);
    let base: RawEntry["base"];
    if (!kindOfType(head.type)) {
      const at = file.basePosition(offset, head);
      const oid = at < 0 ? head.base! : file.index.oidAt(at);
      // Of a base that lies in several packs, the lowest counts, as for every object.
      const there = this.#at(oid);
      base = there ? { ...there, oid } : oid;
    }
    const start = offset + head.length;
    const end = file.index.endOf(offset);
    return {
      oid: file.index.oidAt(position),
      type: head.type,
      size: head.size,
      base,
      *pieces() {
        let crc = 0;
        for (const piece of file.pieces(offset, start)) crc = crc32(piece, crc);
        for (const piece of file.pieces(start, end)) {
          crc = crc32(piece, crc);
          yield piece;
        }
        if (crc !== file.index.crcAt(position)) throw corrupt("an entry's CRC is another than its index says");
      },
    };
  }

  inPackOrder(pack: number, bits: Uint8Array): Uint32Array {
    return this.#packs[pack].index.inPackOrder(bits);
  }

  count(pack: number): number {
    return this.#packs[pack].index.count;
  }

  startingWith(prefix: string, most: number): Oid[] {
    this.#scan();
    const found = new Set(this.#loose.startingWith(prefix, most));
    for (const { index } of this.#packs) for (const oid of index.startingWith(prefix, most)) found.add(oid);
    return [...found].sort().slice(0, most);
  }

  /** An object, whole, of at most so many bytes. */
  readNow(oid: Oid, limit: number): StoredObject | undefined {
    return this.#read(oid, limit);
  }

  /** A loose object in pieces, whether or not packs have it too. */
  async looseObject(oid: Oid): Maybe<{ kind: Kind; size: number; body: ReadableStream<Uint8Array> }> {
    return await this.#loose.stream(oid);
  }

  /** An open pack by its trailer; one that is there by now is opened. */
  packOf(hash: string): PackFile | undefined {
    return this.#found(() => this.#packs.find(({ index }) => index.packHash === hash));
  }

  /** The open packs. */
  get packs(): readonly PackFile[] {
    return this.#packs;
  }

  /** Their names, `pack-` and 40 hex digits, in the same order. */
  get packNames(): readonly string[] {
    return [...this.#names].map((name) => name.slice(0, -4));
  }

  /** Looks for new packs. */
  look(): void {
    this.#seen = -1;
    this.#scan();
  }

  /** Whether packs that are open are gone from the folder. */
  get isOutdated(): boolean {
    return [...this.#names].some((name) => !existsSync(`${this.#folder}/${name}`));
  }

  /** Bytes of the packs that are there now. */
  packBytes(): number {
    let bytes = 0;
    for (const name of unlessMissing(() => readdirSync(this.#folder)) ?? []) {
      if (name.endsWith(".pack")) bytes += unlessMissing(() => statSync(`${this.#folder}/${name}`).size) ?? 0;
    }
    return bytes;
  }

  /** Closes the packs. */
  [Symbol.dispose](): void {
    for (const pack of this.#packs.splice(0)) pack[Symbol.dispose]();
  }

  /** Looks, and looks once more where there may be new packs. */
  #found<T>(look: () => T | undefined): T | undefined {
    return look() ?? (this.#scan() ? look() : undefined);
  }

  #at(oid: Oid): Place | undefined {
    for (let pack = 0; pack < this.#packs.length; pack++) {
      const position = this.#packs[pack].index.find(oid);
      if (position >= 0) return { pack, position };
    }
    return undefined;
  }

  #info(oid: Oid): { kind: Kind; size: number } | undefined {
    const place = this.#at(oid);
    if (!place) return this.#loose.info(oid);
    const { [place.pack]: pack } = this.#packs;
    return pack.info(pack.index.offsetAt(place.position), (base) => this.#info(base)?.kind);
  }

  #read(oid: Oid, limit: number): StoredObject | undefined {
    return this.#found(() => {
      const place = this.#at(oid);
      if (!place) return this.#loose.read(oid, limit);
      const { [place.pack]: pack } = this.#packs;
      return pack.read(pack.index.offsetAt(place.position), limit, (base) => this.#read(base, limit));
    });
  }

  /** Opens packs that are new. Says whether there were any. */
  #scan(): boolean {
    const changed = unlessMissing(() => statSync(this.#folder).mtimeMs) ?? 0;
    // A change may follow another within one tick of the file system's clock.
    if (changed === this.#seen && Date.now() - changed > YOUNG) return false;
    this.#seen = changed;
    const names = (unlessMissing(() => readdirSync(this.#folder)) ?? [])
      .filter((name) => /^pack-[0-9a-f]{40}\.idx$/.test(name) && !this.#names.has(name))
      .map((name) => ({ name, at: unlessMissing(() => statSync(`${this.#folder}/${name}`).mtimeMs) ?? 0 }))
      .sort((a, b) => a.at - b.at || (a.name < b.name ? -1 : 1));
    let found = false;
    for (const { name } of names) {
      const pack = unlessMissing(() => new PackFile(`${this.#folder}/${name.slice(0, -4)}`, this.#caches));
      // One that is gone by now was replaced by another, or is not whole yet.
      if (!pack) continue;
      this.#names.add(name);
      this.#packs.push(pack);
      found = true;
    }
    return found;
  }
}
