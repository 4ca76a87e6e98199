/**
 * A branch with the face of POSIX, for one client: what it has open, and what of it is not committed yet.
 *
 * @module
 */
import { AlknetError, type Identity } from "@alknet/core/handler";
import { statfs } from "node:fs/promises";
import { type BranchRight, mayUse } from "../rights.ts";
import { isFolder, noBranch, noFolder, noPath, notEmpty, pathExists } from "../tree/errors.ts";
import { isWithin } from "../tree/names.ts";
import type { Branch, Entry, PathTree, TreeEdit, TreeView } from "../tree/path_tree.ts";
import type { Attributes, BranchFiles, OpenFile, OpenOptions, Space } from "./branch_files.ts";
import { ReadHandle, SessionHandle } from "./handles.ts";
import type { Session } from "./session.ts";
import type { Sessions } from "./sessions.ts";
import { locate, type Located, splitPath } from "./symlinks.ts";
import { Turns } from "./turns.ts";

const PAGE = 1000;

/** What a branch's face is made of. */
export interface FaceParts {
  /** The branches. */
  readonly tree: PathTree;
  /** Where sessions begin. */
  readonly sessions: Sessions;
}

/** A branch or one of its versions, as somebody may use it. */
export class TreeFiles implements BranchFiles {
  readonly #branch: string;
  readonly #bare: string;
  readonly #identity: Identity | undefined;
  readonly #tree: PathTree;
  readonly #sessions: Sessions;
  /** By the path where each will be. */
  readonly #open = new Map<string, Session>();
  /** What takes names from open files, one after the other. */
  readonly #names = new Turns();

  /**
   * @param branch A branch, or a version of one.
   * @param identity Whoever uses it.
   */
  constructor(branch: string, identity: Identity | undefined, { tree, sessions }: FaceParts) {
    this.#branch = branch;
    this.#bare = branch.split("@", 1)[0];
    this.#identity = identity;
    this.#tree = tree;
    this.#sessions = sessions;
  }

  async open(path: string, options: OpenOptions): Promise<OpenFile> {
    const { write = false, append = false, create = false, exclusive = false, truncate = false } = options;
    const changes = write || append || create || truncate;
    const view = await this.#view(changes ? "write" : "read");
    const { path: at, entry } = await locate(view, path, !(create && exclusive));
    const session = this.#open.get(at);
    if (session?.ended) {
      await session.ended;
      return await this.open(path, options);
    }
    const isThere = entry !== undefined || session?.isNew === true;
    if (entry?.kind === "folder") throw isFolder(at);
    if (isThere && create && exclusive) throw pathExists(at);
    if (!isThere && !create) throw noPath(at);
    // What its own client writes is there for it at once: a mount closes a file and does not wait before it looks.
    if (entry && !changes && !session) {
      const reader = await this.#sessions.store.open(entry.hash!);
      return new ReadHandle(reader, entry, (attributes) => this.set(at, attributes, false));
    }
    this.#assertUnfrozen();
    return await this.#begin({ path: at, entry }, options);
  }

  async stat(path: string, follow = true): Promise<Entry> {
    return (await this.#there(path, follow)).entry;
  }

  async *list(path: string): AsyncIterable<Entry> {
    const view = await this.#view("read");
    const { path: at, entry } = await locate(view, path, true);
    if (!entry) throw noPath(at);
    if (entry.kind !== "folder") throw noFolder(at);
    const own = new Map<string, Session>();
    for (const session of this.#open.values()) {
      const { folder, name } = splitPath(session.path!);
      if (folder === at) own.set(name, session);
    }
    const fresh = [...own.values()].filter(({ isNew }) => isNew);
    for (let after = "", isMore = true; isMore;) {
      const page = await view.list(at, { after, limit: PAGE });
      for (const entry of page) yield own.get(entry.name)?.stat() ?? entry;
      isMore = page.length === PAGE;
      after = page.at(-1)?.name ?? after;
    }
    for (const session of fresh) yield session.stat();
  }

  async mkdir(path: string, mode?: number): Promise<void> {
    const at = await this.#free(path);
    await this.#commit((edit) => edit.mkdir({ path: at, mode }));
  }

  async symlink(path: string, target: string): Promise<void> {
    const at = await this.#free(path);
    await this.#commit((edit) => edit.symlink({ path: at, target }));
  }

  async rmdir(path: string): Promise<void> {
    const { path: at, entry } = await this.#there(path, false, "write");
    if (entry.kind !== "folder") throw noFolder(at);
    if (this.#within(at).some(({ isNew }) => isNew)) throw notEmpty(at);
    await this.#commit((edit) => edit.remove({ path: at }));
  }

  remove(path: string): Promise<void> {
    return this.#names.next(async () => {
      const { path: at, entry } = await this.#there(path, false, "write");
      if (entry.kind === "folder") throw isFolder(at);
      await during(this.#within(at), async () => {
        if (!this.#open.get(at)?.isNew) await this.#commit((edit) => edit.remove({ path: at }));
        this.#forget(at);
      });
    });
  }

  rename(from: string, to: string, replace = false): Promise<void> {
    return this.#names.next(() => this.#rename(from, to, replace));
  }

  async realpath(path: string): Promise<string> {
    return (await locate(await this.#view("read"), path, true)).path;
  }

  async set(path: string, attributes: Attributes, follow = true): Promise<void> {
    const { path: at } = await this.#there(path, follow, "write");
    const { size, mode, mtime } = attributes;
    const session = this.#open.get(at);
    if (session) return await session.set(attributes);
    if (size !== undefined) {
      await using file = await this.open(at, { write: true });
      await file.set(attributes);
      return await file.close();
    }
    if (mode === undefined && mtime === undefined) return;
    if (at === "/") throw new AlknetError("NOT_CHANGED", "the root of a branch stays what it is");
    await this.#commit((edit) => edit.set({ path: at, mode, mtime }));
  }

  async space(): Promise<Space> {
    const { owner = "" } = await this.#usable("read");
    const { bytes, files, maxBytes, maxFiles } = await this.#tree.usage(owner);
    const disk = await statfs(this.#sessions.store.folder);
    const free = Math.min(disk.bavail * disk.bsize, maxBytes === undefined ? Infinity : Math.max(0, maxBytes - bytes));
    const freeFiles = Math.min(disk.ffree, maxFiles === undefined ? Infinity : Math.max(0, maxFiles - files));
    return {
      bytes: maxBytes ?? disk.blocks * disk.bsize,
      free,
      files: maxFiles ?? disk.files,
      freeFiles,
    };
  }

  /** Commits what is open, as it stands. */
  async [Symbol.asyncDispose](): Promise<void> {
    const all = [...this.#open.values()];
    this.#open.clear();
    await Promise.allSettled(all.map((session) => session.end(true)));
  }

  async #begin({ path, entry }: Located, options: OpenOptions): Promise<OpenFile> {
    const { create = false, exclusive = false, mode, ifHash } = options;
    let opened = this.#open.get(path);
    if (!opened) {
      const session = await this.#sessions.begin({ path, entry, mode, ifHash, exclusive: create && exclusive }, {
        identity: this.#identity?.id ?? "-",
        commit: (work) => this.#commit(work),
        room: async () => (await this.space()).free,
      });
      opened = this.#open.get(path);
      // Another one may have been begun meanwhile.
      if (opened) await session.end(false);
      else this.#open.set(path, opened = session);
    }
    const one = opened;
    one.handles++;
    const handle = new SessionHandle(one, options, async (commits) => {
      if (--one.handles > 0) return commits ? await one.commit() : undefined;
      try {
        await one.end(commits);
      } finally {
        if (one.path !== undefined && this.#open.get(one.path) === one) this.#open.delete(one.path);
      }
    });
    try {
      if (options.truncate) await one.truncate(0);
    } catch (error) {
      await handle.abort();
      throw error;
    }
    return handle;
  }

  async #rename(from: string, to: string, replace: boolean): Promise<void> {
    const { path: source } = await this.#there(from, false, "write");
    const { path: target } = await locate(await this.#view("write"), to, false);
    const moved = this.#within(source);
    // What is in no version yet has a name first, so that it can get another.
    for (const session of moved) if (session.isNew) await session.commit();
    if (!replace && source !== target && this.#open.get(target)?.isNew) throw pathExists(target);
    await during([...new Set([...moved, ...this.#within(target)])], async () => {
      await this.#commit((edit) => edit.move({ from: source, to: target, replace }));
      if (source === target) return;
      this.#forget(target);
      for (const session of moved) {
        // It may have ended meanwhile.
        if (session.path === undefined || this.#open.get(session.path) !== session) continue;
        this.#open.delete(session.path);
        session.path = `${target}${session.path.slice(source.length)}`;
        this.#open.set(session.path, session);
      }
    });
  }

  /** A path at which nothing is. */
  async #free(path: string): Promise<string> {
    const { path: at, entry } = await locate(await this.#view("write"), path, false);
    await this.#open.get(at)?.ended;
    if (entry || this.#open.get(at)?.isNew) throw pathExists(at);
    return at;
  }

  /** A path at which something is. */
  async #there(path: string, follow: boolean, right: BranchRight = "read"): Promise<Required<Located>> {
    const { path: at, entry } = await locate(await this.#view(right), path, follow);
    const session = this.#open.get(at);
    if (session?.ended) {
      await session.ended;
      return await this.#there(path, follow, right);
    }
    if (session && (entry || session.isNew)) return { path: at, entry: session.stat() };
    if (!entry) throw noPath(at);
    return { path: at, entry };
  }

  /** What is open at a path, or below it. */
  #within(path: string): Session[] {
    return [...this.#open.values()].filter((session) => session.path !== undefined && isWithin(session.path, path));
  }

  /** What is open there has no name any more. */
  #forget(path: string): void {
    const session = this.#open.get(path);
    if (!session) return;
    session.path = undefined;
    this.#open.delete(path);
  }

  async #commit(work: (edit: TreeEdit) => void): Promise<void> {
    await this.#usable("write");
    this.#assertUnfrozen();
    await this.#tree.commit(this.#bare, this.#identity!.id, work);
  }

  #assertUnfrozen(): void {
    if (this.#branch === this.#bare) return;
    throw new AlknetError("BRANCH_FROZEN", "this is a version, which does not change");
  }

  async #view(right: BranchRight): Promise<TreeView> {
    await this.#usable(right);
    return await this.#tree.at(this.#branch);
  }

  /** The branch, which may be used so; who may only read it is told. */
  async #usable(right: BranchRight): Promise<Branch> {
    const branch = await this.#tree.branch(this.#bare);
    if (!mayUse(branch, "read", this.#identity)) throw noBranch(this.#bare);
    if (mayUse(branch, right, this.#identity)) return branch;
    throw new AlknetError("READ_ONLY", "the branch may only be read");
  }
}

/** Does work while nothing is done in some sessions. */
function during(sessions: readonly Session[], work: () => Promise<void>): Promise<void> {
  const [first, ...rest] = sessions;
  return first ? first.during(() => during(rest, work)) : work();
}
