/**
 * A guest's `fs`: folders of the host under names of their own, each for reading, writing or both.
 *
 * @module
 */
import { GuestError } from "../../errors.ts";
import { MOST_CROSSING } from "../../limits.ts";
import { type Handle, openBeneath, openRoot } from "./kernel.ts";
import { fsError, refusalOfDisk, refusalOfWay, segmentsOf } from "./paths.ts";
import { replaceFile } from "./writing.ts";

/** What a guest may do with a folder. */
export type FsOps = "read" | "write" | "readwrite";

/** A folder of the host, for a guest. */
export interface FsMount {
  /** Where it stands for the guest: `/` and one name, as `/data`. */
  readonly guest: string;
  /** The folder of the host; links on the way to it are followed, once. */
  readonly folder: string;
  /** Default `read`. */
  readonly ops?: FsOps;
  /** Bytes that the guest may write over its life. Default 64 MiB. */
  readonly maxBytes?: number;
  /** Files and directories that it may make over its life. Default 10 000. */
  readonly maxEntries?: number;
}

/** The folders of a guest. Linux alone: elsewhere no guest could be kept within them. */
export interface FsGrant {
  /** Each folder. */
  readonly mounts: readonly FsMount[];
}

/** A folder that is granted, and what is left of its quota. */
interface Mount {
  readonly name: string;
  readonly root: Handle;
  readonly ops: FsOps;
  bytes: number;
  entries: number;
}

/** A place in a folder: the directory that holds it, and its name there. */
interface Place {
  readonly mount: Mount;
  readonly beneath: readonly string[];
}

/** Work of the disk at the same time, for one guest. */
const AT_ONCE = 4;
const MOST_LISTED = 10_000;

/** Files for one guest. */
export class GuestFiles implements Disposable {
  readonly #mounts = new Map<string, Mount>();
  readonly #waiting: (() => void)[] = [];
  #working = 0;
  #closed = false;

  /**
   * Opens the folders.
   *
   * @throws {GuestError} `E_REFUSED`: a folder that cannot be granted. `E_UNAVAILABLE`: not on this system.
   */
  constructor({ mounts }: FsGrant) {
    try {
      for (const { guest, folder, ops = "read", maxBytes = 64 << 20, maxEntries = 10_000 } of mounts) {
        const name = guest.slice(1);
        if (!/^\/[^/\0]{1,255}$/.test(guest) || name === "." || name === "..") {
          throw new GuestError(
            "E_REFUSED",
            `allowFs: ${JSON.stringify(guest)} is no place; write / and one name, as /data`,
          );
        }
        if (this.#mounts.has(name)) throw new GuestError("E_REFUSED", `allowFs: two folders stand at ${guest}`);
        this.#mounts.set(name, { name, root: openRoot(folder), ops, bytes: maxBytes, entries: maxEntries });
      }
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /**
   * Does what a guest asks for.
   *
   * @throws {AlknetError} `FS_REFUSED`, `FS_NOT_FOUND`, `FS_EXISTS`, `FS_LIMIT`, `FS_FAILED`.
   */
  async answer(what: string, input: unknown, signal: AbortSignal): Promise<unknown> {
    const { path, to, data, offset = 0, length } = (input ?? {}) as Record<string, unknown>;
    if (this.#working >= AT_ONCE) await new Promise<void>((turn) => this.#waiting.push(turn));
    else this.#working++;
    try {
      // Descriptors of a guest that is gone may be other files by now.
      if (this.#closed) throw new GuestError("E_DISPOSED", "the guest was disposed of");
      if (signal.aborted) throw new GuestError("E_ABORTED", "the call was aborted");
      if (what === "readFile") return await this.#readFile(segmentsOf(path), offset, length);
      if (what === "readDir") return await this.#readDir(segmentsOf(path));
      if (what === "stat") return await this.#stat(segmentsOf(path));
      if (what === "writeFile") return await this.#writeFile(segmentsOf(path), data);
      if (what === "mkdir") return await this.#mkdir(segmentsOf(path));
      if (what === "remove") return await this.#remove(segmentsOf(path));
      if (what === "rename") return await this.#rename(segmentsOf(path), segmentsOf(to));
      throw fsError("FS_REFUSED", "fs has no such function");
    } catch (error) {
      throw refusalOfDisk(error);
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else if (--this.#working === 0 && this.#closed) this.#close();
    }
  }

  /** Lets go of the folders, once nothing uses them. */
  [Symbol.dispose](): void {
    this.#closed = true;
    if (this.#working === 0) this.#close();
  }

  #close(): void {
    for (const { root } of this.#mounts.values()) root[Symbol.dispose]();
  }

  async #readFile(path: readonly string[], offset: unknown, length: unknown): Promise<Uint8Array> {
    if (!isCount(offset) || (length !== undefined && !isCount(length))) {
      throw fsError("FS_REFUSED", "offset and length are whole numbers from 0");
    }
    using file = await this.#find(path, "read");
    const { isFile, size } = await Deno.stat(file.path);
    // A pipe would wait, and a device do who knows what.
    if (!isFile) throw fsError("FS_REFUSED", "it is no regular file");
    const wanted = Math.min(length ?? Infinity, Math.max(0, size - offset));
    if (wanted > MOST_CROSSING) {
      throw fsError("FS_LIMIT", `at most ${MOST_CROSSING} bytes are read at once; give offset and length`);
    }
    using open = await Deno.open(file.path, { read: true });
    if (offset > 0) await open.seek(offset, Deno.SeekMode.Start);
    const bytes = new Uint8Array(wanted);
    let done = 0;
    while (done < wanted) {
      const count = await open.read(bytes.subarray(done));
      if (count === null) break;
      done += count;
    }
    return done === wanted ? bytes : bytes.slice(0, done);
  }

  async #readDir(path: readonly string[]): Promise<unknown> {
    if (path.length === 0) return [...this.#mounts.keys()].map((name) => entryOf({ name, isDirectory: true }));
    using directory = await this.#find(path, "read", true);
    const entries = [];
    for await (const entry of Deno.readDir(directory.path)) {
      if (entries.length === MOST_LISTED) throw fsError("FS_LIMIT", `at most ${MOST_LISTED} entries are listed`);
      entries.push(entryOf(entry));
    }
    return entries;
  }

  async #stat(path: readonly string[]): Promise<unknown> {
    if (path.length === 0) return { isFile: false, isDirectory: true, size: 0, modified: null };
    using file = await this.#find(path, "read");
    const { isFile, isDirectory, size, mtime } = await Deno.stat(file.path);
    return { isFile, isDirectory, size, modified: mtime?.getTime() ?? null };
  }

  async #writeFile(path: readonly string[], data: unknown): Promise<null> {
    if (!(data instanceof Uint8Array)) throw fsError("FS_REFUSED", "what is written is bytes");
    const place = this.#place(path, "write");
    using directory = await this.#directory(place);
    const { mount } = place;
    if (data.length > mount.bytes) throw fsError("FS_LIMIT", "the folder's quota of bytes is used up");
    mount.bytes -= data.length;
    try {
      await replaceFile(`${directory.path}/${place.beneath.at(-1)}`, directory.path, data, () => this.#made(mount));
    } catch (error) {
      mount.bytes += data.length;
      throw error;
    }
    return null;
  }

  async #mkdir(path: readonly string[]): Promise<null> {
    const place = this.#place(path, "write");
    using directory = await this.#directory(place);
    this.#made(place.mount);
    await Deno.mkdir(`${directory.path}/${place.beneath.at(-1)}`);
    return null;
  }

  async #remove(path: readonly string[]): Promise<null> {
    const place = this.#place(path, "write");
    using directory = await this.#directory(place);
    await Deno.remove(`${directory.path}/${place.beneath.at(-1)}`);
    return null;
  }

  async #rename(from: readonly string[], to: readonly string[]): Promise<null> {
    const [source, target] = [this.#place(from, "write"), this.#place(to, "write")];
    if (source.mount !== target.mount) throw fsError("FS_REFUSED", "the two are in different folders; copy and remove");
    using before = await this.#directory(source);
    using after = await this.#directory(target);
    await Deno.rename(`${before.path}/${source.beneath.at(-1)}`, `${after.path}/${target.beneath.at(-1)}`);
    return null;
  }

  #made(mount: Mount): void {
    if (mount.entries === 0) throw fsError("FS_LIMIT", "the folder's quota of files is used up");
    mount.entries--;
  }

  #mount(path: readonly string[], op: "read" | "write"): Mount {
    const mount = this.#mounts.get(path[0]);
    if (mount === undefined) throw fsError("FS_NOT_FOUND", "there is no such file or directory");
    if (mount.ops !== op && mount.ops !== "readwrite") {
      const missing = op === "read" ? "reading" : "writing";
      throw fsError(
        "FS_REFUSED",
        `/${mount.name} is not granted for ${missing}: grant it with allowFs (--allow-fs=FOLDER:${op})`,
      );
    }
    return mount;
  }

  /** Something in a folder, not the folder itself. */
  #place(path: readonly string[], op: "read" | "write"): Place {
    if (path.length === 0) throw fsError("FS_REFUSED", "only what lies in a folder can be changed");
    const mount = this.#mount(path, op);
    if (path.length === 1) throw fsError("FS_REFUSED", "only what lies in a folder can be changed");
    return { mount, beneath: path.slice(1) };
  }

  async #find(path: readonly string[], op: "read" | "write", directory = false): Promise<Handle> {
    return opened(await openBeneath(this.#mount(path, op).root, path.slice(1).join("/"), directory));
  }

  async #directory({ mount, beneath }: Place): Promise<Handle> {
    return opened(await openBeneath(mount.root, beneath.slice(0, -1).join("/"), true));
  }
}

function opened(found: Handle | number): Handle {
  if (typeof found === "number") throw refusalOfWay(found);
  return found;
}

function entryOf({ name, isFile = false, isDirectory = false }: Partial<Deno.DirEntry>): Record<string, unknown> {
  return { name: name!.toWellFormed(), isFile, isDirectory };
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
