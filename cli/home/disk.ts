/**
 * The few operations on a disk by which the vault's files change. One that fails or stops at any of them, or in the middle
 * of one, must leave the old files or the new ones: the tests put such a disk in place of {@linkcode realDisk}.
 *
 * @module
 */

/** A disk, as far as changing the vault's files needs one. Errors are those of `Deno.errors`. */
export interface Disk {
  /** Makes a file that was not there, for its owner alone, and opens it for writing. */
  makeFile(path: string): Promise<DiskFile>;
  /** Gives a file another name; what had that name is replaced. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file. */
  remove(path: string): Promise<void>;
  /** Waits until the names in a folder are on the disk. */
  syncFolder(path: string): Promise<void>;
}

/** A file that is being written. */
export interface DiskFile {
  /** Writes a part of the bytes, and says how many it were. */
  write(bytes: Uint8Array): Promise<number>;
  /** Waits until what was written is on the disk. */
  sync(): Promise<void>;
  /** Lets go of it. */
  close(): void;
}

/** Owner reads and writes, nobody else does anything. */
const PRIVATE_MODE = 0o600;

/** The disk of the machine. */
export const realDisk: Disk = {
  makeFile: (path) => Deno.open(path, { write: true, createNew: true, mode: PRIVATE_MODE }),
  rename: (from, to) => Deno.rename(from, to),
  remove: (path) => Deno.remove(path),
  async syncFolder(path) {
    let folder: Deno.FsFile;
    try {
      folder = await Deno.open(path);
    } catch {
      // Not every platform can open a folder; the content of the files is on the disk already.
      return;
    }
    try {
      await folder.sync();
    } finally {
      folder.close();
    }
  },
};
