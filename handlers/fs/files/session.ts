/**
 * A write session (fs.md §6): what is written to one file between two commits. Others see the version before it until then;
 * of two sessions on a file the one that is committed last stands.
 *
 * @module
 */
import type { BlobReader, Held } from "../blobs/blob_store.ts";
import { MAX_BLOB_SIZE } from "../blobs/blob_store.ts";
import { exceeded } from "../blobs/disk/tables/usage.ts";
import { diskError } from "../errors.ts";
import { pathExists } from "../tree/errors.ts";
import type { Entry, Link } from "../tree/path_tree.ts";
import type { Attributes } from "./branch_files.ts";
import { Content } from "./content.ts";
import type { SessionPlace, SessionSlot } from "./session_place.ts";
import { splitPath } from "./symlinks.ts";
import { Turns } from "./turns.ts";

/** How a session begins. */
export interface SessionStart {
  /** The path, without links. */
  readonly path: string;
  /** What is there; nothing where the file is new. */
  readonly entry?: Entry;
  /** Permissions of a new file. */
  readonly mode?: number;
  /** Whether a new file must be new still when it is committed. */
  readonly exclusive?: boolean;
  /** The blob that must be there when it is committed; `null`: nothing may be. */
  readonly ifHash?: string | null;
}

/** What is written to one file. */
export class Session {
  /** Where it will be; nothing once its name was taken away. */
  path: string | undefined;
  /** Handles on it; none while it ends. */
  handles = 0;
  /** When it has ended; never rejects. */
  ended: Promise<void> | undefined;
  readonly #place: SessionPlace;
  readonly #slot: SessionSlot;
  readonly #turns = new Turns();
  readonly #seq: number;
  readonly #exclusive: boolean;
  #ifHash: string | null | undefined;
  #mode: number | undefined;
  #shownMode: number;
  #mtime: number | undefined;
  #shownMtime: number;
  #isNew: boolean;
  #dirty: boolean;
  #content: Content | undefined;
  #base: { readonly hash: string; readonly size: number } | undefined;
  /** Keeps a base that has no name yet. */
  #held: Held | undefined;
  #reader: BlobReader | undefined;
  #most: number | undefined;
  /** Why what was written is not there any more. */
  #lost: unknown;

  /**
   * Nothing is written yet.
   *
   * @param slot Its place among the sessions; given back at the end.
   */
  constructor({ path, entry, mode, exclusive = false, ifHash }: SessionStart, place: SessionPlace, slot: SessionSlot) {
    this.path = path;
    this.#place = place;
    this.#slot = slot;
    this.#isNew = entry === undefined;
    this.#dirty = this.#isNew;
    this.#exclusive = exclusive;
    this.#ifHash = ifHash;
    this.#mode = entry ? undefined : mode;
    this.#shownMode = entry?.mode ?? mode ?? 0o644;
    this.#shownMtime = entry?.mtime ?? place.now();
    this.#seq = entry?.seq ?? 0;
    this.#base = entry && { hash: entry.hash!, size: entry.size! };
  }

  /** Whether its name is in no version yet. */
  get isNew(): boolean {
    return this.#isNew && this.path !== undefined;
  }

  /** Opens what is there, so that it stays whatever becomes of its name. */
  async begin(): Promise<void> {
    await this.#before();
  }

  /** What is known of it. */
  stat(): Entry {
    return {
      name: splitPath(this.path ?? "/").name,
      kind: "file",
      seq: this.#seq,
      mode: this.#shownMode,
      mtime: this.#shownMtime,
      size: this.#size,
      ...!this.#content && this.#base && { hash: this.#base.hash },
    };
  }

  /** See {@linkcode OpenFile.read}. */
  read(at: number, length: number): Promise<Uint8Array> {
    return this.#do(async () =>
      await this.#content?.read(at, length) ?? await (await this.#before())?.read(at, length) ?? new Uint8Array()
    );
  }

  /**
   * Writes.
   *
   * @param at Where; nothing: at the end.
   */
  write(at: number | undefined, bytes: Uint8Array): Promise<void> {
    return this.#do(async () => {
      const from = at ?? this.#size;
      await this.#assertFits(from + bytes.byteLength);
      const content = await this.#changing();
      await content.write(from, bytes);
      this.#touched();
    });
  }

  /** Makes it so long. */
  truncate(size: number): Promise<void> {
    return this.#do(async () => {
      if (size === this.#size && !this.#isNew) return;
      await this.#assertFits(size);
      const content = size === 0 ? this.#content ??= this.#newContent() : await this.#changing();
      await content.truncate(size);
      this.#touched();
    });
  }

  /** Changes attributes. */
  async set({ size, mode, mtime }: Attributes): Promise<void> {
    if (size !== undefined) await this.truncate(size);
    await this.#do(async () => {
      if (mode !== undefined) this.#shownMode = this.#mode = mode;
      if (mtime !== undefined) this.#shownMtime = this.#mtime = mtime;
      if (this.#dirty || this.path === undefined || (mode === undefined && mtime === undefined)) return;
      const path = this.path;
      await this.#place.commit((edit) => edit.set({ path, mode, mtime }));
      this.#mode = this.#mtime = undefined;
    });
  }

  /** Commits what was written. */
  commit(): Promise<void> {
    return this.#do(() => this.#commit());
  }

  /** The same, where nothing was asked of it for so long. */
  commitIfIdle(since: number): Promise<void> {
    return this.#slot.used > since ? Promise.resolve() : this.commit();
  }

  /** Does work while nothing is done here: its name may change in it. */
  during<T>(work: () => Promise<T>): Promise<T> {
    return this.#turns.next(work);
  }

  /**
   * Ends it.
   *
   * @param commits Whether what was written is kept.
   */
  end(commits: boolean): Promise<void> {
    const ending = this.#turns.next(async () => {
      try {
        if (commits && this.#lost !== undefined) throw this.#lost;
        if (commits) await this.#commit();
      } catch (error) {
        throw diskError(error, this.#place.folder);
      } finally {
        this.#dirty = false;
        this.#slot[Symbol.dispose]();
        await this.#content?.drop();
        this.#content = undefined;
        await this.#reader?.[Symbol.asyncDispose]();
        this.#reader = undefined;
        await this.#held?.[Symbol.asyncDispose]();
        this.#held = undefined;
      }
    });
    this.ended = ending.catch(() => {});
    return ending;
  }

  get #size(): number {
    return this.#content?.size ?? this.#base?.size ?? 0;
  }

  #do<T>(work: () => Promise<T>): Promise<T> {
    this.#slot.used = this.#place.now();
    return this.#turns.next(async () => {
      try {
        if (this.#lost !== undefined) throw this.#lost;
        return await work();
      } catch (error) {
        throw diskError(error, this.#place.folder);
      }
    });
  }

  #touched(): void {
    this.#dirty = true;
    this.#mtime = undefined;
    this.#shownMtime = this.#place.now();
  }

  #newContent(): Content {
    return new Content(this.#place.newPath, this.#place.pool);
  }

  /** What was committed last. */
  async #before(): Promise<BlobReader | undefined> {
    if (this.#base) this.#reader ??= await this.#place.open(this.#base.hash);
    return this.#reader;
  }

  /** Its bytes, those that were there before among them. */
  async #changing(): Promise<Content> {
    if (this.#content) return this.#content;
    const content = this.#newContent();
    try {
      const reader = await this.#before();
      if (reader) await content.fill(reader.size, (at, length) => reader.read(at, length));
    } catch (error) {
      await content.drop();
      throw error;
    }
    return this.#content = content;
  }

  async #assertFits(size: number): Promise<void> {
    if (size <= this.#size) return;
    this.#most ??= Math.min(MAX_BLOB_SIZE, this.#size + await this.#place.room());
    if (size > this.#most) throw exceeded(`a file of ${size} bytes is not taken; ${this.#most} are at most`);
  }

  async #commit(): Promise<void> {
    if (!this.#dirty || this.path === undefined) return;
    if (this.#content || !this.#base) await this.#keep();
    const { hash, size } = this.#base!;
    const path = this.path;
    if (path === undefined) return;
    const link: Link = {
      path,
      hash,
      size,
      mode: this.#mode,
      mtime: this.#mtime,
      ifAbsent: this.#exclusive && this.#isNew,
      ifHash: this.#ifHash,
    };
    await this.#place.commit((edit) => {
      try {
        edit.putFile(link);
      } catch (error) {
        // Somebody else has made it meanwhile.
        throw link.ifAbsent && (error as { code?: unknown }).code === "IS_A_FOLDER" ? pathExists(path) : error;
      }
    });
    this.#isNew = this.#dirty = false;
    if (this.#ifHash !== undefined) this.#ifHash = hash;
    this.#mode = this.#mtime = undefined;
    this.#most = undefined;
    await this.#held?.[Symbol.asyncDispose]();
    this.#held = undefined;
  }

  /** Makes a blob of what was written; it is what may be changed from now on. */
  async #keep(): Promise<void> {
    const content = this.#content ?? this.#newContent();
    this.#content = content;
    const taken = await content.take();
    this.#content = undefined;
    let held: Held;
    try {
      held = await this.#place.keep(taken);
    } catch (error) {
      // What was before must not be taken for what was written.
      this.#lost = error;
      throw error;
    }
    await this.#reader?.[Symbol.asyncDispose]();
    this.#reader = undefined;
    await this.#held?.[Symbol.asyncDispose]();
    this.#held = held;
    this.#base = { hash: held.hash, size: held.size };
  }
}
