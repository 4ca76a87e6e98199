/**
 * Where it is copied to: a branch of the home's own store, in commits of 1000 files, or a local path.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import type { BlobReader, Told, TreeEdit } from "@alknet/handlers/fs";
import { dirname, join } from "node:path";
import { assertNoLink, checkNames } from "../../blobs/collection.ts";
import { assertFree, toFile } from "../../blobs/placing.ts";
import { note } from "../../terminal/output.ts";
import { visibleLine } from "../../terminal/visible.ts";
import type { Copying } from "../face.ts";
import type { FilePlace } from "../place.ts";
import type { Item } from "./sources.ts";

/** Bytes that are compared at once. */
const PIECE = 1024 * 1024;
/** Names of a commit. */
const AT_ONCE = 1000;

/** Where it is copied to. */
export interface Target extends AsyncDisposable {
  /** The path of what was copied. */
  readonly path: string;
  /** What was passed over. */
  readonly skipped: number;
  /** What is said of it. */
  readonly result: Readonly<Record<string, unknown>>;
  /** Looks at all names, before anything is written. */
  prepare(items: readonly Item[]): Promise<void>;
  /** Puts one. */
  put(item: Item, told: Told): Promise<void>;
  /** Writes the rest. */
  end(): Promise<void>;
}

/** A branch, here or of another node. */
export abstract class InBranch implements Target {
  readonly skipped = 0;
  /** What is copied, and how. */
  protected readonly copying: Copying;
  /** Where the first item comes to. */
  protected readonly place: FilePlace;
  /** The branch's last change, once there is one. */
  protected seq: unknown;
  /** The content of what was copied, where it is one file. */
  protected hash: string | undefined;

  /** @param place Where the first item comes to. */
  constructor(copying: Copying, place: FilePlace) {
    this.copying = copying;
    this.place = place;
  }

  get path(): string {
    return this.place.path;
  }

  get result(): Readonly<Record<string, unknown>> {
    return {
      ...this.seq !== undefined && { seq: this.seq },
      ...this.hash !== undefined && { hash: this.hash },
    };
  }

  async prepare(items: readonly Item[]): Promise<void> {
    if (items.length !== 1 || this.copying.options.force) return;
    // One file that may not come is not read, or sent, first.
    const there = await this.copying.faces.statIfThere(this.place);
    if (there && items[0].kind !== "folder") throw exists(this.path);
  }

  abstract put(item: Item, told: Told): Promise<void>;
  abstract end(): Promise<void>;
  abstract [Symbol.asyncDispose](): Promise<void>;

  /** The path in the branch of an item. */
  protected pathOf(name: string): string {
    return name === "" ? this.path : `${this.path === "/" ? "" : this.path}/${name}`;
  }
}

/** A branch of the home's own store. */
export class BranchTarget extends InBranch {
  readonly #edits: ((edit: TreeEdit) => void)[] = [];
  #holds = new AsyncDisposableStack();

  async put({ name, kind, mode, mtime, target, bring }: Item, told: Told): Promise<void> {
    const { faces, options: { force } } = this.copying;
    const path = this.pathOf(name);
    if (kind === "folder") this.#edits.push((edit) => edit.mkdir({ path, parents: true, mode }));
    else if (kind === "link") {
      const there = force ? await faces.statIfThere({ ...this.place, path }) : undefined;
      this.#edits.push((edit) => {
        if (there && there.kind !== "folder") edit.remove({ path });
        edit.symlink({ path, target: target! });
      });
    } else {
      const { fs } = await faces.home();
      const held = this.#holds.use(await bring(fs.blobs, told));
      if (name === "") this.hash = held.hash;
      // A command that was ended after some of its commits goes on behind them.
      const there = force ? undefined : await faces.statIfThere({ ...this.place, path });
      if (there?.hash === held.hash) return;
      this.#edits.push((edit) => edit.putFile({ path, hash: held.hash, mode, mtime, ifAbsent: !force }));
    }
    if (this.#edits.length >= AT_ONCE) await this.end();
  }

  async end(): Promise<void> {
    const edits = this.#edits.splice(0);
    const { fs } = await this.copying.faces.home();
    if (edits.length > 0) {
      this.seq = await fs.tree.commit(this.place.branch, "local", (edit) => {
        for (const one of edits) one(edit);
      });
    }
    await this.#holds.disposeAsync();
    this.#holds = new AsyncDisposableStack();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#holds.disposeAsync();
  }
}

/** A local path. */
export class LocalTarget implements Target {
  skipped = 0;
  readonly result = {};
  readonly #copying: Copying;
  readonly #source: string;
  /** Files that are there already, and may be what comes: of a command that was ended before. */
  readonly #perhaps = new Set<string>();
  #path: string;

  /**
   * @param path Where it comes to; into it, where it is a folder.
   * @param source The path of what is copied, whose name it gets there.
   */
  constructor(copying: Copying, path: string, source: string) {
    this.#copying = copying;
    this.#path = path;
    this.#source = source;
  }

  get path(): string {
    return this.#path;
  }

  async prepare(items: readonly Item[]): Promise<void> {
    const name = this.#source.slice(this.#source.lastIndexOf("/") + 1);
    const isFolder = (await Deno.stat(this.#path).catch(() => undefined))?.isDirectory;
    if (isFolder && name !== "") {
      // The name is the command line's; those below it are the branch's.
      checkNames([name]);
      this.#path = join(this.#path, name);
    } else if (!isFolder && this.#path.endsWith("/")) {
      throw new AlknetError("PATH_NOT_FOUND", `there is no folder ${this.#path}; make it first`);
    }
    checkNames(items.filter(({ name, kind }) => name !== "" && kind !== "folder").map(({ name }) => name));
    const { force } = this.#copying.options;
    for (const { name, kind, size } of items) {
      if (name !== "") await assertNoLink(this.#path, name);
      const there = await Deno.lstat(this.#at(name)).catch(() => undefined);
      if (kind === "folder") {
        if (name !== "") checkNames([name]);
        if (there && !there.isDirectory && !(name === "" && isFolder)) throw exists(this.#at(name), "NOT_A_FOLDER");
      } else if (kind === "file") {
        if (!force && name !== "" && there?.isFile && there.size === size) this.#perhaps.add(name);
        else await assertFree(this.#at(name), force);
      }
    }
  }

  async put({ name, kind, mode, mtime, bring }: Item, told: Told): Promise<void> {
    const path = this.#at(name);
    const { faces, options: { force }, signal } = this.#copying;
    if (kind === "link") {
      this.skipped++;
      note(`alknet: ${visibleLine(path)} would be a link; it was passed over`);
      return;
    }
    // A link may have come meanwhile.
    if (name !== "") await assertNoLink(this.#path, name);
    if (kind === "folder") return await Deno.mkdir(path, { recursive: true });
    const { fs: { blobs } } = await faces.home();
    if (name !== "") await Deno.mkdir(dirname(path), { recursive: true });
    await using held = await bring(blobs, told);
    await using reader = await blobs.open(held.hash);
    if (this.#perhaps.has(name)) {
      if (await isSameFile(reader, path)) return;
      throw exists(path);
    }
    await toFile(reader, path, force, signal);
    if (mode & 0o100 && Deno.build.os !== "windows") await Deno.chmod(path, 0o755);
    await Deno.utime(path, new Date(mtime), new Date(mtime)).catch(() => {});
  }

  end(): Promise<void> {
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }

  #at(name: string): string {
    return name === "" ? this.#path : join(this.#path, name);
  }
}

/** Whether a file holds what a blob does. */
async function isSameFile(reader: BlobReader, path: string): Promise<boolean> {
  using file = await Deno.open(path);
  for (let at = 0; at < reader.size;) {
    const expected = await reader.read(at, PIECE);
    const found = new Uint8Array(expected.byteLength);
    for (let filled = 0; filled < found.byteLength;) {
      const count = await file.read(found.subarray(filled));
      if (count === null) return false;
      filled += count;
    }
    if (!expected.every((byte, i) => byte === found[i])) return false;
    at += expected.byteLength;
  }
  return true;
}

function exists(path: string, code: "PATH_EXISTS" | "NOT_A_FOLDER" = "PATH_EXISTS"): AlknetError {
  return code === "PATH_EXISTS"
    ? new AlknetError(code, `${visibleLine(path)} is there already; --force replaces it`)
    : new AlknetError(code, `${visibleLine(path)} is there, and is no folder`);
}
