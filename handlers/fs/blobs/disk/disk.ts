/**
 * Blobs on a disk (fs.md §5): small ones in a database, large ones in files beside it.
 *
 * Order of an import: the file lies in `tmp/`, is hashed and synced; a hold of this process says that it comes; it gets its
 * name; then come its rows. Killed anywhere, there is no row without a file, and a file without a row belongs to a hold of
 * a dead holder, which the next to open the store removes.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { join, resolve } from "node:path";
import { type ByteReader, decode } from "../../bao/decode.ts";
import { MemoryOutboard } from "../../bao/outboard.ts";
import { ALL, type ChunkRanges } from "../../bao/ranges.ts";
import { diskError, notFound, tooLarge } from "../../errors.ts";
import type { Hash } from "../../wire/hash_text.ts";
import type { Format } from "../../wire/ticket.ts";
import {
  type AddOptions,
  type BlobReader,
  type BlobStatus,
  type BlobStore,
  type HashAndFormat,
  type Held,
  MAX_BLOB_SIZE,
  type OpenSource,
  type ReceiveOptions,
  type TagOptions,
} from "../blob_store.ts";
import { encoded, readerOf } from "../reading.ts";
import { Batch } from "./batch.ts";
import { StoreDatabase } from "./database.ts";
import { INLINE, place, Spill, type Staged, syncFile, syncFolder } from "./files.ts";
import { DiskGrants } from "./grants.ts";
import { hashFile } from "./hashing.ts";
import { Holder, lockIfFree, removeDeadHolders } from "./holder.ts";
import { BlobRows } from "./rows.ts";
import { openSource } from "./source.ts";

/** Options of {@linkcode DiskBlobStore.open}. */
export interface DiskStoreOptions {
  /** Where it lies; made if it is not there. */
  readonly folder: string;
  /** Whether what is acknowledged is on the disk even when the power goes. Default `full`. */
  readonly durability?: "full" | "normal";
}

/** What is to be kept. */
interface Import {
  readonly hash: Hash;
  readonly size: number;
  readonly data: Staged;
  readonly pairs: Staged;
}

/** A store on a disk. */
export class DiskBlobStore implements BlobStore {
  /** Who may read which of its blobs. */
  readonly grants: DiskGrants;
  readonly #folder: string;
  readonly #database: StoreDatabase;
  readonly #rows: BlobRows;
  readonly #batch: Batch;
  readonly #holder: Holder;
  readonly #lock: Disposable | undefined;
  #closed = false;

  private constructor(folder: string, database: StoreDatabase, holder: Holder, lock: Disposable | undefined) {
    this.#folder = folder;
    this.#database = database;
    this.#holder = holder;
    this.#lock = lock;
    this.#rows = new BlobRows(database, holder.id);
    this.#batch = new Batch(database);
    this.grants = new DiskGrants(database);
  }

  /**
   * Opens a store; several processes may have it open.
   *
   * @throws {AlknetError} `STORE_NEWER`, `INVALID_STORE`, `STORE_FULL`.
   */
  static async openFolder({ folder, durability = "full" }: DiskStoreOptions): Promise<DiskBlobStore> {
    const root = resolve(folder);
    for (const path of [root, join(root, "data"), join(root, "tmp")]) {
      await Deno.mkdir(path, { recursive: true, mode: 0o700 });
    }
    let database: StoreDatabase;
    try {
      database = new StoreDatabase(join(root, "store.db"), durability);
    } catch (error) {
      throw diskError(error, root);
    }
    // One of those that have it open repairs it; the others need not wait.
    const lock = await lockIfFree(join(root, "LOCK"), true);
    try {
      if (lock) await repair(root, database);
      return new DiskBlobStore(root, database, await Holder.open(join(root, "tmp")), lock);
    } catch (error) {
      database[Symbol.dispose]();
      lock?.[Symbol.dispose]();
      throw diskError(error, root);
    }
  }

  /** Says where the node that serves this store listens, so that tickets can name it. */
  announce(addresses: readonly string[]): Promise<void> {
    return this.#holder.announce(addresses);
  }

  // Async, so that a fault of the database rejects rather than throws.
  // deno-lint-ignore require-await
  async status(hash: Hash): Promise<BlobStatus> {
    const size = this.#rows.find(hash)?.size;
    return size === undefined ? { hash, state: "absent" } : { hash, state: "complete", size };
  }

  async add(from: ReadableStream<Uint8Array> | { readonly path: string }, options: AddOptions = {}): Promise<Held> {
    return await this.#working(async (newPath) => {
      const data = "path" in from ? await copyOf(from.path, newPath) : await spooled(from, newPath, options);
      return await this.#keep(await hashed(data, newPath, options), options);
    });
  }

  async open(hash: Hash): Promise<BlobReader> {
    return readerOf(await this.source(hash));
  }

  async source(hash: Hash): Promise<OpenSource> {
    return await openSource(this.#rows.opened(hash), (kind) => this.#path(hash, kind));
  }

  encode(hash: Hash, ranges: ChunkRanges, signal?: AbortSignal): AsyncIterable<Uint8Array> {
    return encoded(() => this.source(hash), ranges, signal);
  }

  async receive(hash: Hash, from: ByteReader, options: ReceiveOptions = {}): Promise<Held> {
    const { maxSize = MAX_BLOB_SIZE, progress, signal } = options;
    return await this.#working(async (newPath) => {
      await using data = new Spill(newPath, 1024 * 1024);
      await using pairs = new Spill(newPath, 64 * 1024);
      let done = 0;
      let claim = 0;
      const size = await decode(Uint8Array.fromHex(hash), ALL, from, {
        size(claimed) {
          if (claimed > maxSize) throw tooLarge(claimed, maxSize);
          claim = claimed;
        },
        pair: (_, pair) => pairs.write(pair),
        leaf(_, bytes) {
          signal?.throwIfAborted();
          progress?.(done += bytes.byteLength, claim);
          return data.write(bytes);
        },
      });
      return await this.#keep({ hash, size, data: await data.end(), pairs: await pairs.end() }, options);
    });
  }

  // deno-lint-ignore require-await
  async hold(hash: Hash, format: Format = "raw"): Promise<Held> {
    const found = this.#database.transaction(() => {
      const row = this.#rows.find(hash);
      if (row) this.#rows.writeHold(hash);
      return row;
    });
    if (!found) throw notFound(hash);
    this.#rows.count(hash);
    return this.#held(hash, found.size, format);
  }

  async setTag(name: string, of: HashAndFormat, options: TagOptions = {}): Promise<void> {
    await this.#batch.change(() => {
      if (!this.#rows.find(of.hash)) throw notFound(of.hash);
      this.#rows.setTag(name, of, options);
    });
  }

  /** Closes it; what is held is held no more. Twice is harmless. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#batch.flush();
    let holds = false;
    try {
      this.#rows.releaseAll();
    } catch {
      // On a full disk, say. They are taken away with those of the dead.
      holds = true;
    }
    this.#database[Symbol.dispose]();
    await this.#holder.end(holds);
    this.#lock?.[Symbol.dispose]();
  }

  #path(hash: Hash, kind: "data" | "obao4"): string {
    return join(this.#folder, "data", hash.slice(0, 2), `${hash}.${kind}`);
  }

  async #keep(blob: Import, { format = "raw", owner }: AddOptions): Promise<Held> {
    const { hash, size, data, pairs } = blob;
    const files = [data, pairs].flatMap((part) => "path" in part ? [part.path] : []);
    const row = {
      size,
      owner,
      data: "bytes" in data ? data.bytes : undefined,
      pairs: "bytes" in pairs ? pairs.bytes : undefined,
    };
    this.#rows.count(hash);
    try {
      if (files.length === 0) {
        await this.#batch.change(() => {
          this.#rows.writeHold(hash);
          this.#rows.insert(hash, row);
        });
      } else if (!this.#holdKnown(hash)) {
        await Promise.all(files.map(syncFile));
        if ("path" in pairs) await place(pairs.path, this.#path(hash, "obao4"));
        if ("path" in data) await place(data.path, this.#path(hash, "data"));
        await syncFolder(join(this.#folder, "data", hash.slice(0, 2)));
        this.#database.transaction(() => this.#rows.insert(hash, row));
      }
    } catch (error) {
      this.#rows.release(hash);
      throw error;
    }
    return this.#held(hash, size, format);
  }

  /** Writes down a hold, so that what comes to its place is known to be of a living process. Whether the blob is there. */
  #holdKnown(hash: Hash): boolean {
    return this.#database.transaction(() => {
      this.#rows.writeHold(hash);
      return this.#rows.find(hash) !== undefined;
    });
  }

  #held(hash: Hash, size: number, format: Format): Held {
    let holds = true;
    return {
      hash,
      size,
      format,
      [Symbol.asyncDispose]: () => {
        if (holds && !this.#closed) this.#rows.release(hash);
        holds = false;
        return Promise.resolve();
      },
    };
  }

  /** Does work whose files in `tmp/` are gone after it, but for those that came to their place. */
  async #working<T>(work: (newPath: () => string) => Promise<T>): Promise<T> {
    const paths: string[] = [];
    try {
      return await work(() => {
        const path = this.#holder.path();
        paths.push(path);
        return path;
      });
    } catch (error) {
      throw diskError(error, this.#folder);
    } finally {
      await Promise.all(paths.map((path) => Deno.remove(path).catch(() => {})));
    }
  }
}

/** A file in bytes if it is small, else a copy of it. */
async function copyOf(path: string, newPath: () => string): Promise<Staged> {
  const { isFile, size } = await Deno.stat(path);
  if (!isFile) throw new AlknetError("NOT_A_FILE", `${path} is no file; blobs are made of files`);
  if (size <= INLINE) {
    const bytes = await Deno.readFile(path);
    if (bytes.byteLength <= INLINE) return { bytes };
  }
  const copy = newPath();
  await Deno.copyFile(path, copy);
  // The copy has the mode of the file.
  if (Deno.build.os !== "windows") await Deno.chmod(copy, 0o600);
  return { path: copy };
}

async function spooled(
  from: ReadableStream<Uint8Array>,
  newPath: () => string,
  { signal, progress }: AddOptions,
): Promise<Staged> {
  await using spill = new Spill(newPath, 1024 * 1024);
  let done = 0;
  for await (const bytes of from) {
    signal?.throwIfAborted();
    await spill.write(bytes);
    progress?.(done += bytes.byteLength);
  }
  return await spill.end();
}

async function hashed(data: Staged, newPath: () => string, told: AddOptions): Promise<Import> {
  if ("path" in data) return { data, ...await hashFile(data.path, newPath(), told) };
  const { size, root, pairs } = MemoryOutboard.of(data.bytes);
  told.progress?.(size, size);
  return { hash: root.toHex(), size, data, pairs: { bytes: pairs } };
}

/** Removes what dead holders left: their work, their holds, and files that came to their place and not to their rows. */
async function repair(root: string, database: StoreDatabase): Promise<void> {
  await removeDeadHolders(join(root, "tmp"), async (id) => {
    const orphans = new BlobRows(database, id).orphans();
    for (const hash of orphans) {
      for (const kind of ["data", "obao4"]) {
        await Deno.remove(join(root, "data", hash.slice(0, 2), `${hash}.${kind}`)).catch(() => {});
      }
    }
    database.transaction(() => database.run("DELETE FROM holds WHERE holder=?", id));
  });
}
