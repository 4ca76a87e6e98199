/**
 * The partial blobs that a process writes: streams that bring parts of the same one share it, and the last group makes it
 * whole.
 *
 * @module
 */
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { ByteReader } from "../../../bao/decode.ts";
import type { ChunkRanges } from "../../../bao/ranges.ts";
import { GROUP, outboardSize } from "../../../bao/tree.ts";
import type { Hash } from "../../../wire/hash_text.ts";
import type { ReceiveOptions } from "../../blob_store.ts";
import { GroupSet } from "../../partial/group_set.ts";
import { MemoryPartial } from "../../partial/memory_partial.ts";
import { type Partial, receiveInto } from "../../partial/receiving.ts";
import { bytesOf } from "../tables/rows.ts";
import { INLINE, place, syncFolder } from "../files.ts";
import type { DiskParts } from "../parts.ts";
import { partialPath, removePartial } from "../places.ts";
import { DiskPartial } from "./disk_partial.ts";

/** Milliseconds between two looks at a partial blob that another process writes. */
const LOOK = 100;

interface Shared {
  /** Nothing where the blob came to be there in another way. */
  readonly opening: Promise<DiskPartial | undefined>;
  users: number;
  finishing?: Promise<void>;
}

/** What comes of a blob that is there already is verified, and forgotten. */
class Forgotten implements Partial {
  proven = false;
  readonly groups = new GroupSet();
  size: number;

  constructor(size: number) {
    this.size = size;
  }

  restart(): void {}
  pair(): void {}
  group(): void {}
}

/** Keeps them. */
export class Partials {
  readonly #parts: DiskParts;
  readonly #open = new Map<Hash, Shared>();
  readonly #now = new Map<Hash, DiskPartial>();

  /** @param parts Of the store. */
  constructor(parts: DiskParts) {
    this.#parts = parts;
  }

  /** What this process has of a blob that it is writing. */
  current(hash: Hash): { readonly size: number; readonly groups: GroupSet } | undefined {
    return this.#now.get(hash);
  }

  /**
   * Takes parts of a blob in.
   *
   * @returns Where the blob is a small one and came whole, its bytes: nothing of it is on the disk yet.
   * @throws {EncodingError} What came is not of the blob, or ends early; what was verified before is kept.
   * @throws {AlknetError} `QUOTA_EXCEEDED`, `STORE_FULL`.
   */
  async receive(
    hash: Hash,
    ranges: ChunkRanges,
    from: ByteReader,
    options: ReceiveOptions,
  ): Promise<Uint8Array | undefined> {
    let small: MemoryPartial | undefined;
    let shared: Shared | undefined;
    try {
      await receiveInto(hash, ranges, from, async (claimed) => {
        if (claimed <= GROUP) return small = new MemoryPartial(claimed);
        if (this.#parts.rows.find(hash)) return new Forgotten(claimed);
        shared = this.#join(hash, claimed, options);
        return await shared.opening ?? new Forgotten(claimed);
      }, options);
    } finally {
      if (shared) await this.#leave(hash, shared);
    }
    return await small?.whole();
  }

  #join(hash: Hash, claimed: number, options: ReceiveOptions): Shared {
    let shared = this.#open.get(hash);
    if (!shared) {
      const opening = this.#begin(hash, claimed, options);
      opening.catch(() => {});
      this.#open.set(hash, shared = { opening, users: 0 });
    }
    shared.users++;
    return shared;
  }

  async #begin(hash: Hash, claimed: number, { owner, signal }: ReceiveOptions): Promise<DiskPartial | undefined> {
    const { rows, database, root, newPath, going, usage } = this.#parts;
    // Before the row is written: whoever collects sees one of them.
    rows.count(hash);
    try {
      const begin = (): number => {
        going.refuse(hash);
        usage.assertRoom(owner, bytesOf(hash), claimed);
        rows.writeHold(hash);
        return rows.beginPartial(hash, claimed, owner);
      };
      const size = await going.whenGone(hash, () => database.transaction(begin));
      for (;;) {
        const partial = rows.find(hash) ? undefined : await DiskPartial.open(root, hash, newPath, size);
        if (rows.find(hash)) {
          await partial?.[Symbol.asyncDispose]();
          rows.release(hash);
          return undefined;
        }
        if (partial) {
          this.#now.set(hash, partial);
          return partial;
        }
        await delay(LOOK, undefined, { signal });
      }
    } catch (error) {
      rows.release(hash);
      throw error;
    }
  }

  async #leave(hash: Hash, shared: Shared): Promise<void> {
    const isLast = --shared.users === 0;
    if (isLast) this.#open.delete(hash);
    const partial = await shared.opening.catch(() => undefined);
    if (!partial) return;
    try {
      if (partial.isWhole && partial.proven) await (shared.finishing ??= this.#finish(hash, partial));
      else if (isLast) await this.#keep(hash, partial);
    } finally {
      if (isLast) {
        this.#now.delete(hash);
        await partial[Symbol.asyncDispose]();
        if (!this.#parts.isClosed()) this.#parts.rows.release(hash);
      }
    }
  }

  /** What is there stays for the next time; of what has nothing, nothing. */
  async #keep(hash: Hash, partial: DiskPartial): Promise<void> {
    const { rows, database, root, isClosed } = this.#parts;
    if (isClosed()) return;
    if (partial.groups.count === 0 || rows.find(hash)) {
      database.transaction(() => rows.dropPartial(hash));
      return await removePartial(root, hash);
    }
    await partial.checkpoint();
    database.transaction(() => rows.touchPartial(hash, partial.size));
  }

  /** Gives it the place of a whole blob: the file first, then its row. */
  async #finish(hash: Hash, partial: DiskPartial): Promise<void> {
    const { rows, database, root, pathOf } = this.#parts;
    await partial.finish();
    const hasFew = outboardSize(partial.size) <= INLINE;
    const pairs = hasFew ? await Deno.readFile(partialPath(root, hash, "obao4")) : undefined;
    if (!hasFew) await place(partialPath(root, hash, "obao4"), pathOf(hash, "obao4"));
    await place(partialPath(root, hash, "data"), pathOf(hash, "data"));
    await syncFolder(dirname(pathOf(hash, "data")));
    database.transaction(() => rows.complete(hash, partial.size, pairs));
    await removePartial(root, hash);
  }
}
