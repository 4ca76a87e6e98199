/**
 * A folder of the disk as a store that a client cannot leave.
 *
 * Nothing is checked first and used after: the kernel resolves each path beneath the folder as it opens the file or its
 * directory (`openat2`, RESOLVE_BENEATH), and all else is done to what was opened. A link is followed as long as it
 * stays in the folder and is relative; one that is absolute leads out, even if its target is inside. Only regular files are
 * opened: a FIFO would wait, a device act. What is mounted beneath the folder belongs to it unless `mounts` says otherwise.
 * Of a file that has another name outside of the folder, made there by somebody else, the content is in the folder too.
 *
 * Linux only; elsewhere {@linkcode openFolderStore} says so.
 *
 * @module
 */
import { decodeName } from "./file_name.ts";
import {
  type FileAttributes,
  type FileStore,
  type FileSystemRoom,
  type OpenFlags,
  type StoreDirectory,
  StoreError,
  type StoreFile,
} from "./file_store.ts";
import { Beneath, nameBytes, type Place } from "./folder/beneath.ts";
import { change, permissionsOf } from "./folder/changes.ts";
import { FolderDirectory } from "./folder/directory.ts";
import { FolderFile, readOnlyRefusal } from "./folder/file.ts";
import { At, away, closeAway, cString, Errno, now, Open, Syscall } from "./folder/libc.ts";
import { must } from "./folder/refusals.ts";
import { isDirectory, isRegular, ITSELF, modeOf, roomOf, statusOf } from "./folder/status.ts";

/** Options of {@linkcode openFolderStore}. */
export interface FolderStoreOptions {
  /** Nothing may be made, changed or removed. @default false */
  readonly readOnly?: boolean;
  /** Whether what is mounted beneath the folder belongs to it. @default true */
  readonly mounts?: boolean;
}

const RENAME_NOREPLACE = 1;
/** The longest target of a link, and path. */
const PATH_MAX = 4096;

/**
 * Opens a folder as a store. Files which are open stay so when the store is disposed of; each is closed by itself.
 *
 * @throws {AlknetError} `STORE_UNAVAILABLE`: there is no such folder, or this system has no way to keep clients in it.
 */
export function openFolderStore(root: string, options: FolderStoreOptions = {}): Promise<FileStore & AsyncDisposable> {
  return Promise.resolve().then(() => new FolderStore(new Beneath(root, options.mounts ?? true), options));
}

class FolderStore implements FileStore, AsyncDisposable {
  readonly #beneath: Beneath;
  readonly #readOnly: boolean;
  #uses = 0;
  #closing: PromiseWithResolvers<void> | undefined;

  constructor(beneath: Beneath, options: FolderStoreOptions) {
    this.#beneath = beneath;
    this.#readOnly = options.readOnly ?? false;
  }

  open(path: string, flags: OpenFlags, attributes: FileAttributes): Promise<StoreFile> {
    const changes = flags.write || flags.append || flags.create || flags.truncate;
    return this.#do(changes, async () => {
      if (!(flags.create && flags.exclusive)) await this.#refuseSpecial(path, flags.create);
      const mode = flags.create ? permissionsOf(attributes, 0o666) : 0;
      const fd = await this.#beneath.open(path, openFlags(flags), mode);
      try {
        // Another thing may have taken the name since; opened without waiting, it has done nothing yet.
        refuseUnlessRegular(modeOf(fd));
      } catch (error) {
        await closeAway(fd);
        throw error;
      }
      return new FolderFile(fd, { readOnly: this.#readOnly, append: flags.append });
    });
  }

  openDirectory(path: string): Promise<StoreDirectory> {
    return this.#do(false, async () => {
      const fd = await this.#beneath.open(path, Open.RDONLY | Open.DIRECTORY | Open.NONBLOCK);
      return new FolderDirectory(fd);
    });
  }

  attributes(path: string, follow: boolean): Promise<FileAttributes> {
    return this.#found(false, path, follow, statusOf);
  }

  setAttributes(path: string, attributes: FileAttributes, follow: boolean): Promise<void> {
    return this.#found(true, path, follow, async (fd) => {
      const { size, ...rest } = attributes;
      if (size !== undefined) {
        refuseUnlessRegular(modeOf(fd));
        const file = await this.#beneath.open(path, Open.WRONLY | Open.NONBLOCK | (follow ? 0 : Open.NOFOLLOW));
        try {
          refuseUnlessRegular(modeOf(file));
          return await change(file, attributes);
        } finally {
          await closeAway(file);
        }
      }
      await change(fd, rest);
    });
  }

  remove(path: string): Promise<void> {
    return this.#at(path, async ({ directory, name }) => void must(await away("unlinkat", directory, name, 0)));
  }

  makeDirectory(path: string, attributes: FileAttributes): Promise<void> {
    const mode = permissionsOf(attributes, 0o777);
    return this.#at(path, async ({ directory, name }) => void must(await away("mkdirat", directory, name, mode)));
  }

  removeDirectory(path: string): Promise<void> {
    return this.#at(path, async ({ directory, name }) => {
      must(await away("unlinkat", directory, name, At.REMOVEDIR));
    });
  }

  rename(from: string, to: string, replace: boolean): Promise<void> {
    return this.#at(from, (source) =>
      this.#at(to, async (target) => {
        const flags = replace ? 0 : RENAME_NOREPLACE;
        const names = [source.directory, source.name, target.directory, target.name] as const;
        const answer = await away("renameat2", Syscall.renameat2, ...names, flags);
        if (answer !== -Errno.EINVAL || replace) return void must(answer);
        // Some network file systems cannot refuse to replace. A second name can, and so does OpenSSH's server.
        const linked = await away("linkat", ...names, 0);
        // What has no second name is a directory, which was to move into itself.
        must(linked === -Errno.EPERM ? answer : linked);
        must(await away("unlinkat", source.directory, source.name, 0));
      }));
  }

  hardLink(existing: string, path: string): Promise<void> {
    return this.#at(existing, (source) =>
      this.#at(path, async (target) => {
        must(await away("linkat", source.directory, source.name, target.directory, target.name, 0));
      }));
  }

  symbolicLink(target: string, path: string): Promise<void> {
    return this.#at(path, async ({ directory, name }) => {
      must(await away("symlinkat", cString(nameBytes(target)), directory, name));
    });
  }

  readLink(path: string): Promise<string> {
    return this.#found(false, path, false, (fd) => readLinkAt(fd, ITSELF));
  }

  realPath(path: string): Promise<string> {
    return this.#do(false, async () => {
      try {
        return await this.#found(false, path, true, (fd) => this.#nameOf(fd));
      } catch (error) {
        if (!(error instanceof StoreError) || error.code !== "NO_SUCH_FILE") throw error;
      }
      const { last, parent } = splitLast(path);
      if (last === ".." || last === "." || last === "") {
        throw new StoreError("NO_SUCH_FILE", "no such file or directory");
      }
      const found = await this.#found(false, parent, true, (fd) => {
        if (!isDirectory(modeOf(fd))) throw new StoreError("NO_SUCH_FILE", "a name on the way is not a directory");
        return this.#nameOf(fd);
      });
      return `${found === "/" ? "" : found}/${last}`;
    });
  }

  room(path: string): Promise<FileSystemRoom> {
    return this.#found(false, path, true, (fd) => roomOf(fd, this.#readOnly));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closing) return;
    this.#closing = Promise.withResolvers();
    if (this.#uses === 0) this.#closing.resolve();
    await this.#closing.promise;
    this.#beneath[Symbol.dispose]();
  }

  /** What an open descriptor is called beneath the folder: the kernel's own answer, for both. */
  async #nameOf(fd: number): Promise<string> {
    const [root, name] = await Promise.all([kernelName(this.#beneath.root), kernelName(fd)]);
    if (name === root) return "/";
    const prefix = root === "/" ? root : `${root}/`;
    if (name.startsWith(prefix)) return `/${name.slice(prefix.length)}`;
    // Moved away between the two.
    throw new StoreError("PERMISSION_DENIED", "leads out of the folder");
  }

  /** Refuses a name that is no regular file before it is opened: to open a device may already do something. */
  async #refuseSpecial(path: string, create: boolean): Promise<void> {
    try {
      await this.#found(false, path, true, (fd) => refuseUnlessRegular(modeOf(fd)));
    } catch (error) {
      if (!create || !(error instanceof StoreError) || error.code !== "NO_SUCH_FILE") throw error;
    }
  }

  /** Does something to what a path leads to, by a descriptor that only names it. */
  #found<T>(changes: boolean, path: string, follow: boolean, work: (fd: number) => T | Promise<T>): Promise<T> {
    return this.#do(changes, async () => {
      const fd = await this.#beneath.find(path, follow);
      try {
        return await work(fd);
      } finally {
        now("close", fd);
      }
    });
  }

  /** Changes a name in its directory. */
  #at<T>(path: string, work: (place: Place) => Promise<T>): Promise<T> {
    return this.#do(true, async () => {
      using place = await this.#beneath.place(path);
      return await work(place);
    });
  }

  async #do<T>(changes: boolean, work: () => Promise<T>): Promise<T> {
    if (this.#closing && this.#uses === 0) throw new StoreError("FAILURE", "the store is closed");
    if (changes && this.#readOnly) throw readOnlyRefusal();
    this.#uses++;
    try {
      return await work();
    } finally {
      this.#uses--;
      if (this.#uses === 0) this.#closing?.resolve();
    }
  }
}

function openFlags(flags: OpenFlags): number {
  const writes = flags.write || flags.append;
  return (writes ? flags.read ? Open.RDWR : Open.WRONLY : Open.RDONLY) |
    (flags.append ? Open.APPEND : 0) |
    (flags.create ? Open.CREAT : 0) |
    (flags.create && flags.exclusive ? Open.EXCL : 0) |
    (flags.truncate ? Open.TRUNC : 0) |
    Open.NONBLOCK | Open.NOCTTY;
}

function refuseUnlessRegular(mode: number): void {
  if (isRegular(mode)) return;
  if (isDirectory(mode)) throw new StoreError("FAILURE", "is a directory");
  throw new StoreError("PERMISSION_DENIED", "not a regular file");
}

function splitLast(path: string): { parent: string; last: string } {
  const whole = path.replace(/\/+$/, "");
  const slash = whole.lastIndexOf("/");
  return { parent: whole.slice(0, slash + 1), last: whole.slice(slash + 1) };
}

/** The absolute path of a descriptor. */
function kernelName(fd: number): Promise<string> {
  return readLinkAt(-100, cString(new TextEncoder().encode(`/proc/self/fd/${fd}`)));
}

async function readLinkAt(directory: number, name: Uint8Array<ArrayBuffer>): Promise<string> {
  const target = new Uint8Array(new ArrayBuffer(PATH_MAX));
  const length = must(await away("readlinkat", directory, name, target, BigInt(target.length)));
  return decodeName(target.subarray(0, length));
}
