/**
 * Open files of a branch.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import type { BlobReader } from "../blobs/blob_store.ts";
import type { Entry } from "../tree/path_tree.ts";
import type { Attributes, OpenFile, OpenOptions } from "./branch_files.ts";
import type { Session } from "./session.ts";
import { Turns } from "./turns.ts";

/** A file that is only read: it stays what it was when it was opened. */
export class ReadHandle implements OpenFile {
  readonly size: number;
  readonly #reader: BlobReader;
  readonly #entry: Entry;
  readonly #set: (attributes: Attributes) => Promise<void>;
  readonly #turns = new Turns();
  #closing: Promise<void> | undefined;

  /**
   * @param reader Its own from now on.
   * @param set Changes attributes of its name.
   */
  constructor(reader: BlobReader, entry: Entry, set: (attributes: Attributes) => Promise<void>) {
    this.size = reader.size;
    this.#reader = reader;
    this.#entry = entry;
    this.#set = set;
  }

  read(at: number, length: number): Promise<Uint8Array> {
    return this.#turns.next(() => this.#reader.read(at, length));
  }

  stat(): Promise<Entry> {
    return Promise.resolve(this.#entry);
  }

  write(): Promise<void> {
    return Promise.reject(notForWriting());
  }

  truncate(): Promise<void> {
    return Promise.reject(notForWriting());
  }

  set({ size, ...rest }: Attributes): Promise<void> {
    return size === undefined ? this.#set(rest) : Promise.reject(notForWriting());
  }

  commit(): Promise<void> {
    return Promise.resolve();
  }

  abort(): Promise<void> {
    return this.close();
  }

  close(): Promise<void> {
    return this.#closing ??= this.#turns.next(() => this.#reader[Symbol.asyncDispose]());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** A handle on a session. */
export class SessionHandle implements OpenFile {
  readonly #session: Session;
  readonly #options: OpenOptions;
  readonly #left: (commits: boolean) => Promise<void>;
  #closing: Promise<void> | undefined;

  /** @param left Called once, when it is closed. */
  constructor(session: Session, options: OpenOptions, left: (commits: boolean) => Promise<void>) {
    this.#session = session;
    this.#options = options;
    this.#left = left;
  }

  get size(): number {
    return this.#session.stat().size!;
  }

  read(at: number, length: number): Promise<Uint8Array> {
    return this.#session.read(at, length);
  }

  stat(): Promise<Entry> {
    return Promise.resolve(this.#session.stat());
  }

  write(at: number, bytes: Uint8Array): Promise<void> {
    if (!this.#writes) return Promise.reject(notForWriting());
    return this.#session.write(this.#options.append ? undefined : at, bytes);
  }

  truncate(size: number): Promise<void> {
    return this.#writes ? this.#session.truncate(size) : Promise.reject(notForWriting());
  }

  set(attributes: Attributes): Promise<void> {
    if (attributes.size !== undefined && !this.#writes) return Promise.reject(notForWriting());
    return this.#session.set(attributes);
  }

  commit(): Promise<void> {
    return this.#session.commit();
  }

  abort(): Promise<void> {
    return this.#closing ??= this.#left(false);
  }

  close(): Promise<void> {
    return this.#closing ??= this.#left(true);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  get #writes(): boolean {
    return this.#options.write === true || this.#options.append === true;
  }
}

function notForWriting(): AlknetError {
  return new AlknetError("NOT_FOR_WRITING", "the file was not opened for writing");
}
