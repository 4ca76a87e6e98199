/**
 * All branches that somebody may read, each as a folder of one root. What is in them is theirs; the root does not change, and
 * nothing moves from one to another.
 *
 * @module
 */
import type { Identity } from "@alknet/core/handler";
import { type Branch, mayUseBranch, type TreeFs } from "@alknet/handlers/fs";
import {
  type DirectoryEntry,
  type FileAttributes,
  type FileStore,
  type FileSystemRoom,
  type OpenFlags,
  type StoreDirectory,
  StoreError,
  type StoreFile,
} from "@alknet/handlers/sftp";
import { roomOf } from "./attributes.ts";
import { BranchStore } from "./store.ts";

const FOLDER: FileAttributes = { size: 0, mode: 0o040555, times: { accessed: 0, modified: 0 } };

/** A path as a branch, and the path in it; the root has neither. */
interface Split {
  readonly branch: string;
  readonly path: string;
}

/** Branches as folders, for one client. */
export class BranchesStore implements FileStore, AsyncDisposable {
  readonly #fs: TreeFs;
  readonly #identity: Identity | undefined;
  readonly #readOnly: boolean;
  readonly #stores = new Map<string, BranchStore>();

  /**
   * None is open yet.
   *
   * @param identity Whoever asks.
   */
  constructor(fs: TreeFs, identity: Identity | undefined, readOnly = false) {
    this.#fs = fs;
    this.#identity = identity;
    this.#readOnly = readOnly;
  }

  async open(path: string, flags: OpenFlags, attributes: FileAttributes): Promise<StoreFile> {
    const at = split(path);
    if (!at) throw new StoreError("FAILURE", "is a directory");
    return await (await this.#store(at)).open(at.path, flags, attributes);
  }

  async openDirectory(path: string): Promise<StoreDirectory> {
    const at = split(path);
    return at ? await (await this.#store(at)).openDirectory(at.path) : new RootDirectory(this.#readable());
  }

  async attributes(path: string, follow: boolean): Promise<FileAttributes> {
    const at = split(path);
    return at ? await (await this.#store(at)).attributes(at.path, follow) : FOLDER;
  }

  async setAttributes(path: string, attributes: FileAttributes, follow: boolean): Promise<void> {
    const at = inside(path);
    await (await this.#store(at)).setAttributes(at.path, attributes, follow);
  }

  async remove(path: string): Promise<void> {
    const at = inside(path);
    await (await this.#store(at)).remove(at.path);
  }

  async makeDirectory(path: string, attributes: FileAttributes): Promise<void> {
    const at = inside(path);
    await (await this.#store(at)).makeDirectory(at.path, attributes);
  }

  async removeDirectory(path: string): Promise<void> {
    const at = inside(path);
    await (await this.#store(at)).removeDirectory(at.path);
  }

  async rename(from: string, to: string, replace: boolean): Promise<void> {
    const [source, target] = [inside(from), inside(to)];
    if (source.branch !== target.branch) throw new StoreError("FAILURE", "the two are in different branches");
    await (await this.#store(source)).rename(source.path, target.path, replace);
  }

  hardLink(): Promise<void> {
    return Promise.reject(new StoreError("UNSUPPORTED", "a branch has no second names of files"));
  }

  async symbolicLink(target: string, path: string): Promise<void> {
    const at = inside(path);
    await (await this.#store(at)).symbolicLink(target, at.path);
  }

  async readLink(path: string): Promise<string> {
    const at = inside(path);
    return await (await this.#store(at)).readLink(at.path);
  }

  async realPath(path: string): Promise<string> {
    const at = split(path);
    if (!at) return "/";
    const real = await (await this.#store(at)).realPath(at.path);
    return `/${at.branch}${real === "/" ? "" : real}`;
  }

  async room(path: string): Promise<FileSystemRoom> {
    const at = split(path);
    if (at) return await (await this.#store(at)).room(at.path);
    return roomOf({ bytes: 0, free: 0, files: 0, freeFiles: 0 }, true);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const all = [...this.#stores.values()];
    this.#stores.clear();
    await Promise.all(all.map((store) => store[Symbol.asyncDispose]()));
  }

  /** A branch's own store; which is there for whoever may read it, as long as they may. */
  async #store({ branch }: Split): Promise<BranchStore> {
    const found = await this.#fs.tree.branch(branch).catch(() => undefined);
    if (!found || !mayUseBranch(found, "read", this.#identity)) {
      throw new StoreError("NO_SUCH_FILE", "no such file or directory");
    }
    let store = this.#stores.get(branch);
    if (!store) {
      store = new BranchStore(this.#fs.files(branch, this.#identity), this.#readOnly);
      this.#stores.set(branch, store);
    }
    return store;
  }

  async *#readable(): AsyncGenerator<Branch> {
    for await (const branch of this.#fs.tree.branches()) {
      if (mayUseBranch(branch, "read", this.#identity)) yield branch;
    }
  }
}

/** The root, as it is while it is read. */
class RootDirectory implements StoreDirectory {
  readonly #branches: AsyncGenerator<Branch>;
  #names: string[] = [".", ".."];

  constructor(branches: AsyncGenerator<Branch>) {
    this.#branches = branches;
  }

  async next(atMost: number): Promise<readonly DirectoryEntry[]> {
    const names = this.#names.splice(0, atMost);
    while (names.length < atMost) {
      const { done, value } = await this.#branches.next();
      if (done) break;
      names.push(value.name);
    }
    return names.map((name) => ({ name, attributes: FOLDER }));
  }

  async close(): Promise<void> {
    await this.#branches.return(undefined);
  }
}

/**
 * Which branch a path leads to. A ".." that leads out of a branch leads to the root, and one that leads out of that is refused.
 */
function split(path: string): Split | undefined {
  const ahead = path.split("/").filter((name) => name !== "" && name !== ".");
  // What ends with a slash, or with ".", means a folder.
  const end = /\/\.?$/.test(path) ? "/" : "";
  for (let i = 0; i < ahead.length;) {
    if (ahead[i] === "..") throw new StoreError("PERMISSION_DENIED", "leads out of the folder");
    // How deep the rest leads below the branch; -1 is out of it.
    let [depth, next] = [0, i + 1];
    while (next < ahead.length && depth >= 0) depth += ahead[next++] === ".." ? -1 : 1;
    if (depth >= 0) return { branch: ahead[i], path: `/${ahead.slice(i + 1).join("/")}${end}`.replace(/^\/\/$/, "/") };
    i = next;
  }
  return undefined;
}

/** The same for what lies in a branch. */
function inside(path: string): Split {
  const at = split(path);
  if (!at || /^\/*$/.test(at.path)) throw new StoreError("PERMISSION_DENIED", "the root stays what it is");
  return at;
}
