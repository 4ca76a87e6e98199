/**
 * A directory of a folder, open: names as the kernel hands them out, attributes for each as it is asked for.
 *
 * @module
 */
import { decodeName } from "../file_name.ts";
import type { DirectoryEntry, FileAttributes, StoreDirectory } from "../file_store.ts";
import { Descriptor } from "./descriptor.ts";
import { away, Syscall } from "./libc.ts";
import { must } from "./refusals.ts";
import { statusAway, statusNow, statusOf } from "./status.ts";

/** Room for the names of one call: a thousand of usual length. */
const NAMES = 32768;
/** Milliseconds that attributes may take on this thread. Those in memory take a few microseconds each. */
const PATIENCE = 2;

interface Found {
  readonly name: string;
  readonly attributes: FileAttributes | undefined | Promise<FileAttributes | undefined>;
}

/** A directory; of its entries no more are held than one call brings. */
export class FolderDirectory implements StoreDirectory {
  readonly #descriptor: Descriptor;
  readonly #names = new Uint8Array(new ArrayBuffer(NAMES));
  readonly #view = new DataView(this.#names.buffer);
  #at = 0;
  #end = 0;
  /** Whether the disk was seen to be slow: then attributes are asked for on other threads, many at once. */
  #slow = false;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(fd: number) {
    this.#descriptor = new Descriptor(fd);
  }

  next(atMost: number): Promise<readonly DirectoryEntry[]> {
    return this.#descriptor.use(async (fd) => {
      // One after the other: they share the buffer of names, and the place in the directory.
      const turn = this.#turn.then(() => this.#next(fd, atMost));
      this.#turn = turn.catch(() => {});
      return await turn;
    });
  }

  close(): Promise<void> {
    return this.#descriptor.close();
  }

  async #next(fd: number, atMost: number): Promise<DirectoryEntry[]> {
    const entries: DirectoryEntry[] = [];
    while (entries.length === 0) {
      if (this.#at === this.#end) {
        this.#end = must(await away("getdents64", Syscall.getdents64, fd, this.#names, BigInt(NAMES)));
        this.#at = 0;
        if (this.#end === 0) break;
      }
      for (const { name, attributes } of this.#take(fd, atMost)) {
        const known = await attributes;
        // What went away since it was named is left out, and what may not be asked for.
        if (known) entries.push({ name, attributes: known });
      }
    }
    return entries;
  }

  #take(fd: number, atMost: number): Found[] {
    const found: Found[] = [];
    const begun = performance.now();
    while (this.#at < this.#end && found.length < atMost) {
      // struct linux_dirent64: inode @0, offset @8, length of all @16, type @18, name @19 to a zero.
      const begin = this.#at + 19;
      this.#at += this.#view.getUint16(this.#at + 16, true);
      const bytes = this.#names.subarray(begin, this.#names.indexOf(0, begin));
      const name = decodeName(bytes);
      // The parent of the folder is outside of it, so every ".." has the attributes of its own directory.
      if (name === "." || name === "..") found.push({ name, attributes: statusOf(fd) });
      else if (this.#slow) found.push({ name, attributes: statusAway(fd, this.#names.subarray(begin, this.#at)) });
      else {
        found.push({ name, attributes: statusNow(fd, this.#names.subarray(begin, this.#at)) });
        this.#slow = performance.now() - begun > PATIENCE;
      }
    }
    return found;
  }
}
