/**
 * A branch as a folder for clients of SFTP: the store that the server of files works on.
 *
 * @module
 */
import type { BranchFiles } from "@alknet/handlers/fs";
import {
  type FileAttributes,
  type FileStore,
  type FileSystemRoom,
  type OpenFlags,
  type StoreDirectory,
  StoreError,
  type StoreFile,
} from "@alknet/handlers/sftp";
import { attributesOf, changesOf, modeOf, roomOf } from "./attributes.ts";
import { BranchDirectory, BranchFile } from "./file.ts";
import { refusing } from "./refusals.ts";

/** One branch, for one client. */
export class BranchStore implements FileStore, AsyncDisposable {
  readonly #files: BranchFiles;
  readonly #readOnly: boolean;

  /**
   * @param files Its own from now on.
   * @param readOnly Whether the server lets nothing be changed, which is what clients that mount it are told.
   */
  constructor(files: BranchFiles, readOnly = false) {
    this.#files = files;
    this.#readOnly = readOnly;
  }

  open(path: string, flags: OpenFlags, attributes: FileAttributes): Promise<StoreFile> {
    return refusing(async () => {
      const file = await this.#files.open(path, { ...flags, mode: modeOf(attributes) });
      return new BranchFile(file, this.#files, this.#readOnly);
    });
  }

  openDirectory(path: string): Promise<StoreDirectory> {
    return refusing(async () => {
      const entries = this.#files.list(path)[Symbol.asyncIterator]();
      const [self, first] = [await this.#files.stat(path), await entries.next()];
      return new BranchDirectory(self, first, entries);
    });
  }

  attributes(path: string, follow: boolean): Promise<FileAttributes> {
    return refusing(async () => attributesOf(await this.#files.stat(path, follow)));
  }

  setAttributes(path: string, attributes: FileAttributes, follow: boolean): Promise<void> {
    return refusing(() => this.#files.set(path, changesOf(attributes), follow));
  }

  remove(path: string): Promise<void> {
    return refusing(() => this.#files.remove(path));
  }

  makeDirectory(path: string, attributes: FileAttributes): Promise<void> {
    return refusing(() => this.#files.mkdir(path, modeOf(attributes)));
  }

  removeDirectory(path: string): Promise<void> {
    return refusing(() => this.#files.rmdir(path));
  }

  rename(from: string, to: string, replace: boolean): Promise<void> {
    return refusing(() => this.#files.rename(from, to, replace));
  }

  hardLink(): Promise<void> {
    return Promise.reject(new StoreError("UNSUPPORTED", "a branch has no second names of files"));
  }

  symbolicLink(target: string, path: string): Promise<void> {
    return refusing(() => this.#files.symlink(path, target));
  }

  readLink(path: string): Promise<string> {
    return refusing(async () => {
      const { target } = await this.#files.stat(path, false);
      if (target === undefined) throw new StoreError("FAILURE", "not possible with these arguments");
      return target;
    });
  }

  realPath(path: string): Promise<string> {
    return refusing(() => this.#files.realpath(path));
  }

  room(path: string): Promise<FileSystemRoom> {
    return refusing(async () => {
      await this.#files.stat(path);
      return roomOf(await this.#files.space(), this.#readOnly);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#files[Symbol.asyncDispose]();
  }
}
