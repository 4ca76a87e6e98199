/**
 * Edits of a commit (fs.md §6): each sees those before it, and is checked before it is written down.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { notFound } from "../errors.ts";
import type { Hash } from "../wire/hash_text.ts";
import { isFolder, noFolder, noPath, notEmpty, pathExists, quoted } from "./errors.ts";
import { invalidName, isWithin, partsOf, pathOf, versionOf } from "./names.ts";
import type {
  ChangeOp,
  Copy,
  Link,
  Mkdir,
  Move,
  Remove,
  Restore,
  SetAttributes,
  Symlink,
  TreeEdit,
} from "./path_tree.ts";
import { type Content, FILE, FOLDER, isIdentical, LINK, ROOT_NODE, type Row } from "./rows/row.ts";
import type { Steps } from "./rows/steps.ts";
import type { View } from "./rows/view.ts";
import type { Writer } from "./rows/writer.ts";

/** Bytes of what a link leads to. */
const MAX_TARGET = 4096;
const FILE_MODE = 0o644;
const FOLDER_MODE = 0o755;
const MODE_BITS = 0o7777;
const NOTHING = { node: null, hash: null, size: null, target: null };

/** A place for a name: its folder, and what is there. */
interface Place {
  readonly dir: number;
  readonly name: string;
  readonly path: string;
  readonly there: Row | undefined;
}

/** Edits, as steps. */
export type Stepped = { readonly [Name in keyof TreeEdit]: (...o: Parameters<TreeEdit[Name]>) => Steps<void> };

/** Edits that were asked for: they are made in their order, and again where others were in the way. */
export class Recorded implements TreeEdit {
  /** Blobs that they link. */
  readonly links: Hash[] = [];
  readonly #edits: ((edit: Stepped) => Steps<void>)[] = [];

  /** @param work Asks for them. */
  constructor(work: (edit: TreeEdit) => void) {
    work(this);
  }

  /** Makes them. */
  *make(edit: Stepped): Steps<void> {
    for (const one of this.#edits) yield* one(edit);
  }

  putFile(o: Link): void {
    this.links.push(o.hash);
    this.#edits.push((edit) => edit.putFile(o));
  }

  mkdir(o: Mkdir): void {
    this.#edits.push((edit) => edit.mkdir(o));
  }

  symlink(o: Symlink): void {
    this.#edits.push((edit) => edit.symlink(o));
  }

  set(o: SetAttributes): void {
    this.#edits.push((edit) => edit.set(o));
  }

  remove(o: Remove): void {
    this.#edits.push((edit) => edit.remove(o));
  }

  move(o: Move): void {
    this.#edits.push((edit) => edit.move(o));
  }

  copy(o: Copy): void {
    this.#edits.push((edit) => edit.copy(o));
  }

  restore(o: Restore): void {
    this.#edits.push((edit) => edit.restore(o));
  }
}

/** Makes edits with a writer. */
export class Edit implements Stepped {
  readonly #writer: Writer;

  /** @param writer Writes the rows. */
  constructor(writer: Writer) {
    this.#writer = writer;
  }

  *putFile(o: Link): Steps<void> {
    const { path, hash, ifHash, ifAbsent } = o;
    const place = yield* this.#place(path, o.parents);
    const { there } = place;
    if (there?.kind === FOLDER) throw isFolder(path);
    if (ifAbsent && there) throw pathExists(path);
    if (ifHash !== undefined && (there?.hash?.toHex() ?? (there ? undefined : null)) !== ifHash) {
      const what = ifHash === null ? "something is there" : "another file is there, or none";
      throw new AlknetError("CHANGED_MEANWHILE", `${quoted(path)} was not put: ${what}`);
    }
    const key = Uint8Array.fromHex(hash);
    const size = this.#writer.sizeOf(key);
    if (size === undefined) throw notFound(hash, "it is not complete in the store, or not for you");
    if (o.size !== undefined && o.size !== size) {
      throw new AlknetError("INVALID_INPUT", `the blob for ${quoted(path)} has ${size} bytes, not ${o.size}`);
    }
    const mode = checkedMode(o.mode) ?? (there?.kind === FILE ? there.mode : FILE_MODE);
    const isKept = there?.kind === FILE && there.hash!.toHex() === hash && o.mtime === undefined;
    const mtime = isKept ? there.mtime : checkedTime(o.mtime) ?? this.#writer.time;
    yield* this.#put("put", place, { ...NOTHING, kind: FILE, hash: key, size, mode, mtime });
  }

  *mkdir({ path, parents, mode }: Mkdir): Steps<void> {
    if (path === "/" && parents) return;
    const place = yield* this.#place(path, parents);
    if (place.there) {
      if (parents && place.there.kind === FOLDER) return;
      throw pathExists(path);
    }
    yield* this.#makeFolder(place, checkedMode(mode));
  }

  *symlink({ path, target }: Symlink): Steps<void> {
    const place = yield* this.#place(path);
    if (place.there) throw pathExists(path);
    const bytes = new TextEncoder().encode(target).byteLength;
    if (bytes === 0 || bytes > MAX_TARGET || target.includes("\0") || !target.isWellFormed()) {
      throw invalidName(target, `a link leads to 1 to ${MAX_TARGET} bytes of text without NUL`);
    }
    yield* this.#put("symlink", place, { ...NOTHING, kind: LINK, target, mode: 0o777, mtime: this.#writer.time });
  }

  *set({ path, mode, mtime }: SetAttributes): Steps<void> {
    const place = yield* this.#place(path);
    const { there } = place;
    if (!there) throw noPath(path);
    yield* this.#put("set", place, {
      ...there,
      mode: checkedMode(mode) ?? there.mode,
      mtime: checkedTime(mtime) ?? there.mtime,
    });
  }

  *remove({ path, recursive }: Remove): Steps<void> {
    const place = yield* this.#place(path);
    const { there } = place;
    if (!there) throw noPath(path);
    if (there.kind === FOLDER && !recursive) yield* this.#assertEmpty(there, path);
    yield* this.#writer.clear(place.dir, place.name);
    yield* this.#left(there);
    yield* this.#writer.change("remove", path);
  }

  *move({ from, to, replace }: Move): Steps<void> {
    const source = yield* this.#place(from);
    const { there } = source;
    if (!there) throw noPath(from);
    const place = yield* this.#free(from, to, there, replace);
    if (from === to) return;
    yield* this.#writer.clear(source.dir, source.name);
    yield* this.#writer.put(place.dir, place.name, there);
    yield* this.#writer.change("move", to, there, from);
  }

  *copy({ from, to, replace, version }: Copy): Steps<void> {
    const parts = partsOf(from);
    const view = yield* this.#view(version);
    const row = yield* view.find(parts);
    if (!row) throw noPath(from);
    const place = yield* this.#free(from, to, row, replace);
    if (from === to && version === undefined) return;
    yield* this.#putCopy("copy", place, row, view, from);
  }

  *restore({ path, version }: Restore): Steps<void> {
    const view = yield* this.#view(version);
    const row = yield* view.find(partsOf(path));
    if (!row) {
      throw new AlknetError("PATH_NOT_FOUND", `there is nothing at ${quoted(path)} in version ${quoted(version)}`);
    }
    const place = yield* this.#place(path, true);
    const { there } = place;
    if (row.kind !== FOLDER && isIdentical(there, row)) return;
    if (there) yield* this.#left(there);
    yield* this.#putCopy("restore", place, row, view);
  }

  /** Where something moved or copied comes to, as rename(2) has it. What it replaces is taken away. */
  *#free(from: string, to: string, source: Row, replace: boolean | undefined): Steps<Place> {
    if (source.kind === FOLDER && from !== to && isWithin(to, from)) {
      throw invalidName(to, `it lies in ${quoted(from)}, which would come there`);
    }
    const place = yield* this.#place(to);
    const { there } = place;
    if (!there || from === to) return place;
    if (!replace) throw pathExists(to);
    if (there.kind !== FOLDER) {
      if (source.kind === FOLDER) throw noFolder(to);
      return place;
    }
    if (source.kind !== FOLDER) throw isFolder(to);
    yield* this.#assertEmpty(there, to);
    yield* this.#left(there);
    return place;
  }

  *#putCopy(op: ChangeOp, place: Place, row: Row, view: View, origin?: string): Steps<void> {
    const content = row.kind === FOLDER ? { ...row, node: yield* this.#writer.branches.newNode() } : row;
    yield* this.#writer.put(place.dir, place.name, content);
    if (row.kind === FOLDER) yield* this.#copyChildren(row.node!, content.node!, view);
    yield* this.#writer.change(op, place.path, content, origin);
  }

  *#copyChildren(from: number, to: number, view: View): Steps<void> {
    const folders: [number, number][] = [[from, to]];
    for (let next = folders.pop(); next; next = folders.pop()) {
      const [source, target] = next;
      const names = view.children(source);
      for (let row = yield* names.next(); row; row = yield* names.next()) {
        const node: number | null = row.kind === FOLDER ? yield* this.#writer.branches.newNode() : null;
        yield* this.#writer.put(target, row.name, { ...row, node });
        if (node !== null) folders.push([row.node!, node]);
      }
    }
  }

  *#view(version: string | undefined): Steps<View> {
    return version === undefined ? this.#writer.view : yield* this.#writer.at(versionOf(version));
  }

  /** A folder that nothing leads to any more. */
  *#left({ kind, node }: Row): Steps<void> {
    if (kind === FOLDER) yield* this.#writer.doom(node!);
  }

  *#assertEmpty({ node }: Row, path: string): Steps<void> {
    if (!(yield* this.#writer.view.isEmpty(node!))) throw notEmpty(path);
  }

  *#put(op: ChangeOp, { dir, name, path, there }: Place, content: Content): Steps<void> {
    if (isIdentical(there, content)) return;
    yield* this.#writer.put(dir, name, content);
    yield* this.#writer.change(op, path, content);
  }

  *#makeFolder({ dir, name, path }: Place, mode = FOLDER_MODE): Steps<number> {
    const node = yield* this.#writer.branches.newNode();
    const content = { ...NOTHING, kind: FOLDER, node, mode, mtime: this.#writer.time };
    yield* this.#writer.put(dir, name, content);
    yield* this.#writer.change("mkdir", path, content);
    return node;
  }

  /** A place for a name. The folder that it lies in is there, or made. */
  *#place(path: string, parents = false): Steps<Place> {
    const parts = partsOf(path);
    const name = parts.at(-1);
    if (name === undefined) throw invalidName(path, "the root is there always, and stays what it is");
    let dir = ROOT_NODE;
    for (let i = 0; i < parts.length - 1; i++) {
      const there: Row | undefined = yield* this.#writer.view.lookup(dir, parts[i]);
      const at = pathOf(parts.slice(0, i + 1));
      if (there && there.kind !== FOLDER) throw noFolder(at);
      if (!there && !parents) throw noPath(at);
      dir = there?.node ?? (yield* this.#makeFolder({ dir, name: parts[i], path: at, there }));
    }
    return { dir, name, path, there: yield* this.#writer.view.lookup(dir, name) };
  }
}

function checkedMode(mode: number | undefined): number | undefined {
  if (mode === undefined || (Number.isInteger(mode) && mode >= 0 && mode <= MODE_BITS)) return mode;
  throw new AlknetError("INVALID_INPUT", `the mode ${mode} is none; there are 12 bits`);
}

function checkedTime(mtime: number | undefined): number | undefined {
  if (mtime === undefined || Number.isSafeInteger(mtime)) return mtime;
  throw new AlknetError("INVALID_INPUT", `the time ${mtime} is none; it is in milliseconds since 1970`);
}
