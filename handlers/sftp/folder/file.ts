/**
 * A file of a folder, open. What is in the kernel's memory is read at once, because the kernel says when it is not
 * (RWF_NOWAIT), and a copy costs less than to change threads; all that may wait for a disk does so on another thread.
 *
 * @module
 */
import { type FileAttributes, type FileSystemRoom, StoreError, type StoreFile } from "../file_store.ts";
import { change, safe } from "./changes.ts";
import { Descriptor } from "./descriptor.ts";
import { away, Errno, now, pinned, Syscall } from "./libc.ts";
import { must } from "./refusals.ts";
import { roomOf, statusOf } from "./status.ts";

const RWF_NOWAIT = 8;

/** One `struct iovec`: address and length. */
const vector = new BigUint64Array(new ArrayBuffer(16));
const vectorBytes = new Uint8Array(vector.buffer);

/** What a file was opened for. */
export interface FileRights {
  /** Nothing of the store may change. */
  readonly readOnly: boolean;
  /** Writes go to the end. */
  readonly append: boolean;
}

/** A regular file. */
export class FolderFile implements StoreFile {
  readonly #descriptor: Descriptor;
  readonly #rights: FileRights;
  /** The write that comes last so far, where their order makes the content. */
  #last: Promise<unknown> = Promise.resolve();
  #atOnce = true;

  constructor(fd: number, rights: FileRights) {
    this.#descriptor = new Descriptor(fd);
    this.#rights = rights;
  }

  read(into: Uint8Array<ArrayBuffer>, position: number): Promise<number> {
    return this.#descriptor.use(async (fd) => {
      safe(position + into.length);
      const bytes = pinned(into);
      let done = this.#atOnce ? this.#readNow(fd, bytes, position) : 0;
      while (done < bytes.length) {
        const rest = bytes.subarray(done);
        const count = await away("pread", fd, rest, BigInt(rest.length), safe(position + done));
        if (count === -Errno.EINTR) continue;
        if (must(count) === 0) break;
        done += count;
      }
      return done;
    });
  }

  write(bytes: Uint8Array<ArrayBuffer>, position: number): Promise<void> {
    return this.#descriptor.use(async (fd) => {
      safe(position + bytes.length);
      if (!this.#rights.append) return await writeAll(fd, bytes, position);
      const turn = this.#last.then(() => writeAll(fd, bytes, 0));
      this.#last = turn.catch(() => {});
      await turn;
    });
  }

  attributes(): Promise<FileAttributes> {
    return this.#descriptor.use(statusOf);
  }

  setAttributes(attributes: FileAttributes): Promise<void> {
    if (this.#rights.readOnly) return Promise.reject(readOnlyRefusal());
    return this.#descriptor.use((fd) => change(fd, attributes));
  }

  sync(): Promise<void> {
    return this.#descriptor.use(async (fd) => void must(await away("fsync", fd)));
  }

  room(): Promise<FileSystemRoom> {
    return this.#descriptor.use((fd) => roomOf(fd, this.#rights.readOnly));
  }

  close(): Promise<void> {
    return this.#descriptor.close();
  }

  /** Reads what is in memory. The rest is not there, or is the end of the file. */
  #readNow(fd: number, bytes: Uint8Array<ArrayBuffer>, position: number): number {
    vector[0] = Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes)) as bigint;
    vector[1] = BigInt(bytes.length);
    const count = now("preadv2", Syscall.preadv2, fd, vectorBytes, 1n, BigInt(position), 0n, RWF_NOWAIT);
    // Not every file system can say so.
    if (count === -Errno.EOPNOTSUPP || count === -Errno.ENOSYS || count === -Errno.EINVAL) this.#atOnce = false;
    return Math.max(count, 0);
  }
}

/** What a store that may not change answers to changes. */
export function readOnlyRefusal(): StoreError {
  return new StoreError("PERMISSION_DENIED", "this folder is served for reading only");
}

async function writeAll(fd: number, bytes: Uint8Array<ArrayBuffer>, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const rest = pinned(bytes.subarray(done));
    const count = await away("pwrite", fd, rest, BigInt(rest.length), safe(position + done));
    if (count !== -Errno.EINTR) done += must(count);
  }
}
