/**
 * Blobs on a disk (fs.md §5): small ones in a database, large ones in files beside it.
 *
 * Order of an import: the file lies in `tmp/`, is hashed and synced; a hold of this process says that it comes; it gets its
 * name; then come its rows. Killed anywhere, there is no row without a file, and a file without a row belongs to a hold of
 * a dead holder, which the next to open the store removes.
 *
 * @module
 */
import { resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { ByteReader } from "../../bao/decode.ts";
import { ALL, type ChunkRanges } from "../../bao/ranges.ts";
import { notFound } from "../../errors.ts";
import type { Hash } from "../../wire/hash_text.ts";
import type { Format } from "../../wire/ticket.ts";
import {
  type AddOptions,
  type AddPath,
  type BlobReader,
  type BlobStatus,
  type BlobStore,
  type Collected,
  type CollectOptions,
  type HashAndFormat,
  type Held,
  MAX_BLOB_SIZE,
  type OpenSource,
  type ReceiveOptions,
  type Tag,
  type TagOptions,
  type TagPage,
  type VerifyStep,
} from "../blob_store.ts";
import { Changes } from "../changes.ts";
import { encoded, readerOf } from "../reading.ts";
import { linksOf } from "../sequence.ts";
import { Batch } from "./tables/batch.ts";
import type { Staged } from "./files.ts";
import { Collector } from "./collecting/collector.ts";
import { count, metReferrers, type Referrers } from "./collecting/referrers.ts";
import { type Elsewhere, elsewhereOf, type ElsewhereParts, type Settled } from "./elsewhere.ts";
import type { Going } from "./going.ts";
import { Passes } from "./collecting/passes.ts";
import type { StoreDatabase } from "./tables/database.ts";
import { DiskGrants } from "./tables/grants.ts";
import type { Holder } from "./holder.ts";
import { held, tablesOf } from "./holding.ts";
import { assertFits, copyOf, hashed, type Import, spooled, working } from "./importing.ts";
import { keep, type KeepParts } from "./keeping.ts";
import { readCheckpoint } from "./partial/disk_partial.ts";
import { blobPath, partialPath } from "./places.ts";
import { Partials } from "./partial/partials.ts";
import type { DiskStoreOptions } from "./options.ts";
import type { DiskParts, Tables } from "./parts.ts";
import { type OpenFolder, openStoreFolder } from "./opening.ts";
import { hashedInPlace, References, type Source, verifiedRow } from "./references.ts";
import { BlobRows, bytesOf, COMPLETE, PLACE } from "./tables/rows.ts";
import { openSource } from "./source.ts";
import { TagRows } from "./tables/tags.ts";
import { type Quotas, Usage } from "./tables/usage.ts";

/** Rows that are read at once. */
const PAGE = 1000;
/** Milliseconds between two looks at another process that collects. */
const LOOK = 50;

/** A store on a disk. */
export class DiskBlobStore implements BlobStore {
  /** Who may read which of its blobs. */
  readonly grants: DiskGrants;
  /** Its tables, for the trees over it. */
  readonly tables: Tables;
  readonly #folder: string;
  readonly #database: StoreDatabase;
  readonly #rows: BlobRows;
  readonly #tags: TagRows;
  readonly #usage: Usage;
  readonly #batch: Batch;
  readonly #holder: Holder;
  readonly #going: Going;
  readonly #partials: Partials;
  readonly #collector: Collector;
  readonly #references: References;
  readonly #keepParts: KeepParts;
  readonly #changes = new Changes();
  readonly #lock: Disposable | undefined;
  readonly #passes: Passes | undefined;
  readonly #parts: DiskParts;
  readonly #referrers: Referrers | undefined;
  #elsewhere: Elsewhere | undefined;
  #closed = false;

  private constructor(
    folder: string,
    { database, holder, going, lock }: OpenFolder,
    now: () => number,
    quotas: Quotas,
    referrers: Referrers | undefined,
  ) {
    this.#folder = folder;
    this.#referrers = referrers;
    this.#database = database;
    this.#holder = holder;
    this.#going = going;
    this.#lock = lock;
    this.#rows = new BlobRows(database, holder.id, now);
    this.#usage = new Usage(database, quotas);
    this.#tags = new TagRows(database, this.#rows, this.#usage);
    this.#batch = new Batch(database);
    this.grants = new DiskGrants(database);
    const parts: DiskParts = {
      root: folder,
      database,
      rows: this.#rows,
      going,
      usage: this.#usage,
      newPath: () => holder.path(),
      pathOf: (hash, kind) => blobPath(folder, hash, kind),
      isClosed: () => this.#closed,
    };
    this.#parts = parts;
    this.tables = tablesOf(parts, now, lock !== undefined);
    this.#references = new References(database);
    this.#keepParts = { ...parts, batch: this.#batch, references: this.#references };
    this.#partials = new Partials(parts);
    this.#collector = new Collector(parts, this.#tags, now, referrers);
    this.#passes = lock && new Passes(() => this.#collector.collect({}));
  }

  /**
   * Opens a store; several processes may have it open.
   *
   * @param elsewhere Makes another place of its blobs.
   * @param referrers Trees that lie elsewhere and refer to its blobs.
   * @throws {AlknetError} `STORE_NEWER`, `INVALID_STORE`, `STORE_FULL`.
   */
  static async openFolder(
    { folder, durability = "full", now = Date.now, quotas = {} }: DiskStoreOptions,
    elsewhere?: (parts: ElsewhereParts) => Promise<Elsewhere>,
    referrers?: Referrers,
  ): Promise<DiskBlobStore> {
    const root = resolve(folder);
    const parts = await openStoreFolder(root, durability, elsewhere !== undefined, referrers !== undefined);
    referrers?.bind((id) => metReferrers(parts.database, root, id));
    const store = new DiskBlobStore(root, parts, now, quotas, referrers);
    if (!elsewhere) return store;
    try {
      return await store.#join(elsewhere);
    } catch (error) {
      await store[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Says where the node that serves this store listens, so that tickets can name it. */
  announce(addresses: readonly string[]): Promise<void> {
    return this.#holder.announce(addresses);
  }

  /** Sends what is to lie elsewhere too, where anything is, and lets go here what may. */
  async settle(): Promise<Settled> {
    return await this.#elsewhere?.settle() ?? { sent: 0, left: 0 };
  }

  async status(hash: Hash): Promise<BlobStatus> {
    const size = (await this.#whole(hash))?.size;
    if (size !== undefined) return { hash, state: "complete", size, have: ALL };
    const row = this.#rows.findPartial(hash);
    if (!row) return { hash, state: "absent", have: [] };
    const there = this.#partials.current(hash) ?? await readCheckpoint(this.#folder, hash);
    if (!there) return { hash, state: "partial", size: row.size, have: [] };
    return { hash, state: "partial", size: there.size, have: there.groups.chunks(there.size) };
  }

  observe(hash: Hash, signal: AbortSignal): AsyncIterable<BlobStatus> {
    return this.#changes.observe(() => this.status(hash), hash, signal);
  }

  async add(from: ReadableStream<Uint8Array> | AddPath, options: AddOptions = {}): Promise<Held> {
    await count(this.#referrers, this.#usage, options.owner);
    return await this.#working(async (newPath) => {
      const room = this.#usage.room(options.owner);
      if ("path" in from) await assertFits(from.path, room);
      if ("path" in from && from.mode === "reference") {
        return await this.#keep(await hashedInPlace(from.path, newPath, options), options);
      }
      const data = "path" in from ? await copyOf(from.path, newPath) : await spooled(from, newPath, room, options);
      return await this.#keep(await hashed(data, newPath, options), options);
    });
  }

  /** A path for a file that is gone when this process is. */
  newPath(): string {
    return this.#holder.path();
  }

  /** Takes such a file, which is the store's from then on; or up to 16 KiB, for whoever adds nothing beside them. */
  async adopt(staged: Staged): Promise<Held> {
    const paths = "path" in staged ? [staged.path] : [];
    return await this.#working(async (newPath) => this.#keep(await hashed(staged, newPath, {}), {}, true), ...paths);
  }

  async open(hash: Hash): Promise<BlobReader> {
    if (!await this.#whole(hash)) throw notFound(hash);
    return readerOf(await this.source(hash));
  }

  async source(hash: Hash): Promise<OpenSource> {
    if (this.#elsewhere) await this.#whole(hash);
    const row = this.#rows.opened(hash);
    if (row.place === PLACE.bucket && row.state === COMPLETE) {
      return await elsewhereOf(hash, this.#elsewhere).source(row);
    }
    const path = row.place === PLACE.referenced ? await this.#references.path(hash) : undefined;
    if (row.place === PLACE.referenced && path === undefined) throw notFound(hash, "its file was changed, or is gone");
    if (row.state === COMPLETE) {
      const pathOf = (kind: "data" | "obao4"): string =>
        kind === "data" && path !== undefined ? path : blobPath(this.#folder, hash, kind);
      const spoiled = path === undefined ? undefined : (): void => this.#references.distrust(hash, path);
      try {
        return { ...await openSource(row, pathOf), spoiled };
      } catch (error) {
        // It may lie elsewhere alone by now.
        if (this.#rows.find(hash)?.place === PLACE.bucket) return await this.source(hash);
        throw error;
      }
    }
    try {
      return await openSource(row, (kind) => partialPath(this.#folder, hash, kind), true);
    } catch (error) {
      // It became whole meanwhile; or nothing of it came yet.
      if (this.#rows.find(hash)) return await this.source(hash);
      if ((error as { code?: unknown }).code === "BLOB_CORRUPT") throw notFound(hash);
      throw error;
    }
  }

  encode(hash: Hash, ranges: ChunkRanges, signal?: AbortSignal): AsyncIterable<Uint8Array> {
    return encoded(() => this.source(hash), ranges, signal);
  }

  async receive(
    hash: Hash,
    ranges: ChunkRanges,
    from: ByteReader,
    options: ReceiveOptions = {},
  ): Promise<Held | undefined> {
    using _told = this.#changes.during(hash);
    // From its first part to the hold that is given out nobody may collect it.
    this.#rows.count(hash);
    try {
      await count(this.#referrers, this.#usage, options.owner);
      return await this.#working(async (newPath) => {
        const most = Math.min(options.maxSize ?? MAX_BLOB_SIZE, this.#usage.room(options.owner, bytesOf(hash)));
        const small = await this.#partials.receive(hash, ranges, from, { ...options, maxSize: most });
        if (small) return await this.#keep(await hashed({ bytes: small }, newPath, {}), { owner: options.owner });
        return await this.#whole(hash) && await this.hold(hash);
      });
    } finally {
      this.#rows.release(hash);
    }
  }

  async hold(hash: Hash, format: Format = "raw"): Promise<Held> {
    if (!await this.#going.whenGone(hash, () => this.#whole(hash))) throw notFound(hash);
    const found = this.#database.transaction(() => {
      const row = this.#rows.find(hash);
      if (row) this.#rows.writeHold(hash);
      return row;
    });
    if (!found) throw notFound(hash);
    this.#rows.count(hash);
    const kept = this.#held(hash, found.size, format);
    if (format === "raw") return kept;
    try {
      // It is held now, and so stays while its links are read.
      const links = await linksOf(this, hash);
      this.#database.transaction(() => this.#tags.setMembers(hash, links));
      return kept;
    } catch (error) {
      await kept[Symbol.asyncDispose]();
      throw error;
    }
  }

  async setTag(name: string, of: HashAndFormat, options: TagOptions = {}): Promise<void> {
    await using _held = await this.hold(of.hash, of.format);
    await count(this.#referrers, this.#usage, options.owner);
    await this.#batch.change(() => {
      if (!this.#rows.find(of.hash)) throw notFound(of.hash);
      this.#tags.set(name, of, options);
    });
  }

  async dropTag(name: string): Promise<boolean> {
    let wasThere = false;
    await this.#batch.change(() => void (wasThere = this.#tags.drop(name)));
    return wasThere;
  }

  async *tags({ after = "", hash }: TagPage = {}): AsyncIterable<Tag> {
    for (let last: string | undefined = after; last !== undefined;) {
      const page = this.#tags.page(last, PAGE, hash);
      yield* page;
      last = page.length < PAGE ? undefined : page.at(-1)!.name;
    }
  }

  async *list(after?: Hash): AsyncIterable<BlobStatus> {
    for (let last = after, isMore = true; isMore;) {
      const page: Hash[] = this.#rows.page(last, PAGE);
      for (const hash of page) {
        const status = await this.status(hash);
        if (status.state !== "absent") yield status;
      }
      isMore = page.length === PAGE;
      last = page.at(-1);
    }
  }

  async *verify(hash?: Hash): AsyncIterable<VerifyStep> {
    await this.#elsewhere?.review();
    if (hash !== undefined && !this.#rows.find(hash)) throw notFound(hash);
    for (let page = hash === undefined ? this.#rows.page(undefined, PAGE) : [hash]; page.length > 0;) {
      for (const one of page) yield* this.#verify(one);
      page = hash === undefined ? this.#rows.page(page.at(-1), PAGE) : [];
    }
  }

  async collect(options: CollectOptions = {}): Promise<Collected> {
    for (;;) {
      const collected = await this.#collector.collect(options);
      if (collected) return collected;
      await delay(LOOK);
    }
  }

  /** Closes it; what is held is held no more. Twice is harmless. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#elsewhere?.[Symbol.asyncDispose]();
    await this.#passes?.[Symbol.asyncDispose]();
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

  async #join(elsewhere: (parts: ElsewhereParts) => Promise<Elsewhere>): Promise<this> {
    const hold = (hash: Hash): Promise<Held> => this.hold(hash);
    const source = (hash: Hash): Promise<OpenSource> => this.source(hash);
    this.#elsewhere = await elsewhere({ ...this.#parts, isKeeper: this.#lock !== undefined, hold, source });
    this.#parts.going.elsewhere = this.#elsewhere;
    return this;
  }

  async #keep(blob: Import & { readonly source?: Source }, o: AddOptions, alone?: boolean): Promise<Held> {
    await keep(blob, o.owner, { ...this.#keepParts, alone });
    if (o.format !== "hashSeq") return this.#held(blob.hash, blob.size, "raw");
    await using _held = this.#held(blob.hash, blob.size, "raw");
    return await this.hold(blob.hash, o.format);
  }

  async *#verify(hash: Hash): AsyncGenerator<VerifyStep> {
    const row = this.#rows.find(hash);
    if (!row) return;
    const references = this.#references;
    const restore = (): Promise<boolean> => this.#working((newPath) => references.restore(hash, newPath));
    yield* verifiedRow(hash, row, { references, restore, source: () => this.source(hash) });
  }

  /** A blob all of which is there; its file too, where it is referred to. */
  async #whole(hash: Hash): Promise<{ readonly size: number } | undefined> {
    if (!this.#rows.find(hash)) await this.#elsewhere?.find(hash);
    const row = this.#rows.find(hash);
    const isGone = row?.place === PLACE.referenced && await this.#references.path(hash) === undefined;
    return isGone ? undefined : row;
  }

  #held(hash: Hash, size: number, format: Format): Held {
    return held({ hash, size, format }, () => {
      if (!this.#closed) this.#rows.release(hash);
    });
  }

  /** Does work whose files in `tmp/` are gone after it, but for those that came to their place. */
  #working<T>(work: (newPath: () => string) => Promise<T>, ...paths: string[]): Promise<T> {
    return working(this.#parts, work, paths);
  }
}
