/**
 * What a client has open.
 *
 * @module
 */
import { type DirectoryEntry, type StoreDirectory, StoreError, type StoreFile } from "../file_store.ts";
import { Lane } from "./lane.ts";

/** Files and directories of a session at once. */
export const MAX_HANDLES = 256;

/** A file that is open. */
export interface OpenFile {
  readonly kind: "file";
  readonly file: StoreFile;
  readonly mayRead: boolean;
  readonly mayWrite: boolean;
  readonly lane: Lane;
}

/** A directory that is open. */
export interface OpenDirectory {
  readonly kind: "directory";
  readonly directory: StoreDirectory;
  readonly lane: Lane;
  /** Entries that were read and did not fit into the last answer. */
  left: readonly DirectoryEntry[];
}

/** Handles, and the places of those that are being opened. */
export class Handles {
  readonly #open = new Map<number, OpenFile | OpenDirectory>();
  #opening = 0;
  #next = 1;

  /** How many there are, those being opened among them. */
  get size(): number {
    return this.#open.size + this.#opening;
  }

  /**
   * Opens something in a place of its own.
   *
   * @throws {StoreError} There are too many, or what `open` throws.
   */
  async add(open: () => Promise<Omit<OpenFile, "lane"> | Omit<OpenDirectory, "lane">>): Promise<number> {
    if (this.size >= MAX_HANDLES) {
      throw new StoreError("FAILURE", `too many open handles: ${MAX_HANDLES} at once`);
    }
    this.#opening++;
    try {
      const opened = await open();
      while (this.#open.has(this.#next)) this.#count();
      const handle = this.#next;
      this.#count();
      this.#open.set(handle, { ...opened, lane: new Lane() });
      return handle;
    } finally {
      this.#opening--;
    }
  }

  /** @throws {StoreError} It is no handle of a file. */
  file(handle: number): OpenFile {
    const open = this.#open.get(handle);
    if (open?.kind !== "file") throw new StoreError("FAILURE", "no handle of an open file");
    return open;
  }

  /** @throws {StoreError} It is no handle of a directory. */
  directory(handle: number): OpenDirectory {
    const open = this.#open.get(handle);
    if (open?.kind !== "directory") throw new StoreError("FAILURE", "no handle of an open directory");
    return open;
  }

  /**
   * Takes a handle out, so that it is closed once.
   *
   * @throws {StoreError} There is none.
   */
  take(handle: number): OpenFile | OpenDirectory {
    const open = this.#open.get(handle);
    if (!open) throw new StoreError("FAILURE", "no open handle");
    this.#open.delete(handle);
    return open;
  }

  /** Closes all. */
  async close(): Promise<void> {
    const all = [...this.#open.values()];
    this.#open.clear();
    await Promise.allSettled(all.map(closed));
  }

  /** Numbers come again as late as may be: a handle that was closed is not another one soon. */
  #count(): void {
    this.#next = (this.#next + 1) >>> 0;
  }
}

/** Closes what is open. */
export function closed(open: OpenFile | OpenDirectory): Promise<void> {
  return open.kind === "file" ? open.file.close() : open.directory.close();
}
