/**
 * Files and folders of a branch that a client of SFTP has open.
 *
 * @module
 */
import type { BranchFiles, Entry, OpenFile } from "@alknet/handlers/fs";
import type { DirectoryEntry, FileAttributes, FileSystemRoom, StoreDirectory, StoreFile } from "@alknet/handlers/sftp";
import { attributesOf, changesOf, roomOf } from "./attributes.ts";
import { refusing } from "./refusals.ts";

/** A file. */
export class BranchFile implements StoreFile {
  readonly #file: OpenFile;
  readonly #files: BranchFiles;
  readonly #readOnly: boolean;

  /** @param file Its own from now on. */
  constructor(file: OpenFile, files: BranchFiles, readOnly: boolean) {
    this.#file = file;
    this.#files = files;
    this.#readOnly = readOnly;
  }

  read(into: Uint8Array<ArrayBuffer>, position: number): Promise<number> {
    return refusing(async () => {
      const bytes = await this.#file.read(position, into.byteLength);
      into.set(bytes);
      return bytes.byteLength;
    });
  }

  write(bytes: Uint8Array<ArrayBuffer>, position: number): Promise<void> {
    return refusing(() => this.#file.write(position, bytes));
  }

  attributes(): Promise<FileAttributes> {
    return refusing(async () => attributesOf(await this.#file.stat()));
  }

  setAttributes(attributes: FileAttributes): Promise<void> {
    return refusing(() => this.#file.set(changesOf(attributes)));
  }

  sync(): Promise<void> {
    return refusing(() => this.#file.commit());
  }

  room(): Promise<FileSystemRoom> {
    return refusing(async () => roomOf(await this.#files.space(), this.#readOnly));
  }

  close(): Promise<void> {
    return refusing(() => this.#file.close());
  }
}

/** A folder, as it was when it was opened. */
export class BranchDirectory implements StoreDirectory {
  readonly #entries: AsyncIterator<Entry>;
  #left: DirectoryEntry[];

  /**
   * @param self What is known of the folder.
   * @param entries What it holds; the first was asked for already, so that there is such a folder.
   */
  constructor(self: Entry, first: IteratorResult<Entry>, entries: AsyncIterator<Entry>) {
    this.#entries = entries;
    const attributes = attributesOf(self);
    this.#left = [".", ".."].map((name) => ({ name, attributes }));
    if (!first.done) this.#left.push(shown(first.value));
  }

  next(atMost: number): Promise<readonly DirectoryEntry[]> {
    return refusing(async () => {
      const entries = this.#left.splice(0, atMost);
      while (entries.length < atMost) {
        const { done, value } = await this.#entries.next();
        if (done) break;
        entries.push(shown(value));
      }
      return entries;
    });
  }

  async close(): Promise<void> {
    await this.#entries.return?.();
  }
}

function shown(entry: Entry): DirectoryEntry {
  return { name: entry.name, attributes: attributesOf(entry) };
}
