/**
 * A partial blob on the disk (fs.md §5.2). One process writes it at a time: whoever has its lock.
 *
 * ```text
 * partial/<hash>.data   its bytes, each group at its place once it was verified
 * partial/<hash>.obao4  its pairs, likewise
 * partial/<hash>.bits   which groups are on the disk; written after they are
 * partial/<hash>.lock   locked by whoever writes it
 * ```
 *
 * @module
 */
import { type FileHandle, open, statfs } from "node:fs/promises";
import { join } from "node:path";
import type { Maybe } from "../../../bao/outboard.ts";
import { GROUP, groupsOf, outboardSize, PAIR } from "../../../bao/tree.ts";
import { storeFull } from "../../../errors.ts";
import type { Hash } from "../../../wire/hash_text.ts";
import { readBits, writeBits } from "../../partial/bits.ts";
import { GroupSet } from "../../partial/group_set.ts";
import type { Partial } from "../../partial/receiving.ts";
import { syncFolder, WindowReader, writeAt } from "../files.ts";
import { lockIfFree } from "../holder.ts";
import { partialPath } from "../places.ts";
import { RunWriter } from "./run_writer.ts";
import { survey } from "./survey.ts";

/** After so many bytes, or milliseconds, what came is on the disk and said to be. */
const SYNC_BYTES = 64 * 1024 * 1024;
const SYNC_TIME = 5000;
/** Bytes that wait to be written. */
const DATA_RUN = 1024 * 1024;
const PAIRS_RUN = 64 * 1024;
/** Bytes of the disk that a part leaves, or an eighth of it. */
const MOST_LEFT = 64 * 1024 * 1024;

/** A partial blob that this process writes. */
export class DiskPartial implements Partial, AsyncDisposable {
  size: number;
  proven: boolean;
  readonly groups: GroupSet;
  readonly #root: string;
  readonly #hash: Hash;
  readonly #newPath: () => string;
  readonly #lock: Disposable;
  readonly #data: FileHandle;
  readonly #pairs: FileHandle;
  readonly #dataRun: RunWriter;
  readonly #pairsRun: RunWriter;
  #unsaid = 0;
  /** Bytes since the last look at the room of the disk; the first is at once. */
  #unlooked = DATA_RUN;
  #saidAt = performance.now();
  #syncing: Promise<void> = Promise.resolve();
  #closed = false;

  private constructor(
    place: { readonly root: string; readonly hash: Hash; readonly newPath: () => string },
    files: { readonly lock: Disposable; readonly data: FileHandle; readonly pairs: FileHandle },
    there: { readonly size: number; readonly groups: GroupSet },
  ) {
    this.#root = place.root;
    this.#hash = place.hash;
    this.#newPath = place.newPath;
    this.#lock = files.lock;
    this.#data = files.data;
    this.#pairs = files.pairs;
    this.#dataRun = new RunWriter(files.data, DATA_RUN);
    this.#pairsRun = new RunWriter(files.pairs, PAIRS_RUN);
    this.size = there.size;
    this.groups = there.groups;
    this.proven = there.groups.has(groupsOf(there.size) - 1);
  }

  /**
   * Opens it, or begins one.
   *
   * @param newPath Where a file of this process may be made.
   * @param size Bytes, as far as they are known.
   * @returns Nothing where another process writes it.
   */
  static async open(
    root: string,
    hash: Hash,
    newPath: () => string,
    size: number,
  ): Promise<DiskPartial | undefined> {
    const lock = await lockPartial(root, hash);
    if (!lock) return undefined;
    const files = new AsyncDisposableStack();
    files.use(lock);
    try {
      const [data, pairs] = await Promise.all((["data", "obao4"] as const).map(async (kind) => {
        const handle = await openOrMake(partialPath(root, hash, kind));
        files.defer(() => handle.close());
        return handle;
      }));
      const said = await readCheckpoint(root, hash);
      const there = said ?? { size, groups: await surveyed(root, hash, size) };
      files.move();
      const partial = new DiskPartial({ root, hash, newPath }, { lock, data, pairs }, there);
      // What was found is to be said.
      if (!said) partial.#unsaid = there.groups.count;
      return partial;
    } catch (error) {
      await files.disposeAsync();
      throw error;
    }
  }

  /** Whether every group is there. */
  get isWhole(): boolean {
    return this.groups.count === groupsOf(this.size);
  }

  async restart(size: number): Promise<void> {
    // Others that write it look at its size before each part.
    this.size = size;
    this.groups.clear();
    this.#unsaid = 0;
    await Promise.all([this.#dataRun.clear(), this.#pairsRun.clear()]);
    await Deno.remove(partialPath(this.#root, this.#hash, "bits")).catch(() => {});
    await Promise.all([this.#data.truncate(), this.#pairs.truncate()]);
  }

  pair(place: number, pair: Uint8Array): Maybe<void> {
    if (!this.#closed) return this.#pairsRun.put(place * PAIR, pair);
  }

  group(index: number, bytes: Uint8Array): Maybe<void> {
    if (this.#closed) return;
    this.#unlooked += bytes.byteLength;
    const isDue = this.#unlooked >= DATA_RUN || this.#unsaid + bytes.byteLength >= SYNC_BYTES;
    if (isDue) return this.#groupAndMore(index, bytes);
    const written = this.#dataRun.put(index * GROUP, bytes);
    if (written) return written.then(() => this.#has(index, bytes.byteLength));
    this.#has(index, bytes.byteLength);
  }

  async #groupAndMore(index: number, bytes: Uint8Array): Promise<void> {
    this.#unlooked = 0;
    await assertRoom(this.#root);
    await this.#dataRun.put(index * GROUP, bytes);
    this.#has(index, bytes.byteLength);
    if (this.#unsaid >= SYNC_BYTES || performance.now() - this.#saidAt >= SYNC_TIME) await this.checkpoint();
  }

  #has(index: number, length: number): void {
    this.groups.add(index);
    this.#unsaid += length;
  }

  /** Waits until what is there is on the disk, and says so in `.bits`. */
  checkpoint(): Promise<void> {
    const work = this.#syncing.then(() => this.#checkpoint());
    this.#syncing = work.catch(() => {});
    return work;
  }

  /** Waits until all of it is on the disk, and closes it but for its lock. It has every group. */
  async finish(): Promise<void> {
    await this.#syncing;
    await this.#sync();
    await Promise.all([this.#data.truncate(this.size), this.#pairs.truncate(outboardSize(this.size))]);
    await this.#close();
  }

  /** Closes it, and forgets nothing that is on the disk. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#syncing;
    await this.#close();
    this.#lock[Symbol.dispose]();
  }

  async #close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.all([this.#dataRun.clear(), this.#pairsRun.clear()]);
    await Promise.all([this.#data.close(), this.#pairs.close()]);
  }

  async #checkpoint(): Promise<void> {
    if (this.#closed || this.#unsaid === 0) return;
    this.#unsaid = 0;
    // What comes while this waits belongs to the next one.
    const bytes = writeBits(Uint8Array.fromHex(this.#hash), this);
    await this.#sync();
    const path = this.#newPath();
    const file = await open(path, "wx", 0o600);
    try {
      await writeAt(file, bytes, 0);
      await file.sync();
    } finally {
      await file.close();
    }
    await Deno.rename(path, partialPath(this.#root, this.#hash, "bits"));
    await syncFolder(join(this.#root, "partial"));
    this.#saidAt = performance.now();
  }

  async #sync(): Promise<void> {
    await Promise.all([this.#dataRun.flush(), this.#pairsRun.flush()]);
    await Promise.all([this.#data.datasync(), this.#pairs.datasync()]);
  }
}

/**
 * A part stays on the disk for a week: it must not take the last of it, without which nothing can be dropped either.
 *
 * @throws {AlknetError} `STORE_FULL`.
 */
async function assertRoom(root: string): Promise<void> {
  const { bavail, blocks, bsize } = await statfs(root);
  if (bavail * bsize >= Math.min(MOST_LEFT, blocks * bsize / 8)) return;
  throw storeFull(root);
}

/**
 * The lock of a partial blob; nothing where another process has it. It is a file of its own: where locks are mandatory, nobody
 * else could read one that is locked.
 */
export async function lockPartial(root: string, hash: Hash): Promise<Disposable | undefined> {
  const path = partialPath(root, hash, "lock");
  for (;;) {
    const lock = await lockIfFree(path, true);
    if (!lock) return undefined;
    // It may have been removed between opening and locking.
    if (await Deno.stat(path).then(({ ino }) => ino === lock.ino, () => false)) return lock;
    lock[Symbol.dispose]();
  }
}

/** What the last checkpoint said is there; nothing where it said nothing that can be read. */
export async function readCheckpoint(
  root: string,
  hash: Hash,
): Promise<{ readonly size: number; readonly groups: GroupSet } | undefined> {
  const bytes = await Deno.readFile(partialPath(root, hash, "bits")).catch(() => undefined);
  return bytes && readBits(Uint8Array.fromHex(hash), bytes);
}

async function surveyed(root: string, hash: Hash, size: number): Promise<GroupSet> {
  const { size: length } = await Deno.stat(partialPath(root, hash, "data"));
  if (length === 0) return new GroupSet();
  await using data = await WindowReader.open(partialPath(root, hash, "data"));
  await using pairs = await WindowReader.open(partialPath(root, hash, "obao4"));
  return await survey(Uint8Array.fromHex(hash), size, data, pairs);
}

async function openOrMake(path: string): Promise<FileHandle> {
  // "a+" would ignore the places that are written to.
  await Deno.open(path, { create: true, write: true, mode: 0o600 }).then((file) => file.close());
  return await open(path, "r+");
}
