/**
 * What a merge is going to write, collected before the first row is: what goes goes first, so that places are free.
 *
 * @module
 */
import { below, nameFault } from "../names.ts";
import { type Content, FOLDER, isIdentical, ROOT_NODE, type Row } from "../rows/row.ts";
import type { Steps } from "../rows/steps.ts";
import type { View } from "../rows/view.ts";
import type { Writer } from "../rows/writer.ts";
import type { Key } from "./keys.ts";

interface Put extends Key {
  readonly content: Content;
  /** What it stands for before. */
  readonly replaces: Row | undefined;
}

/** Collects what is to be written into a branch. */
export class Plan {
  readonly #into: View;
  readonly #puts: Put[] = [];
  readonly #taken = new Set<string>();
  readonly #removes: Row[] = [];
  readonly #moved: Row[] = [];
  /** Where folders will be that come, or are elsewhere then. */
  readonly #places = new Map<number, Key>();

  /** @param into The branch as it is. */
  constructor(into: View) {
    this.#into = into;
  }

  /** How much is to be written. */
  get size(): number {
    return this.#puts.length + this.#removes.length;
  }

  /** Something comes to a name. */
  put(key: Key, content: Content, replaces?: Row): void {
    this.#puts.push({ ...key, content, replaces });
    this.#taken.add(nameOf(key));
    if (content.kind === FOLDER) this.#places.set(content.node!, key);
  }

  /** A folder of the branch comes to another name. */
  move(folder: Row, key: Key, replaces?: Row): void {
    this.#moved.push(folder);
    this.#puts.push({ ...key, content: folder, replaces });
    this.#taken.add(nameOf(key));
    this.#places.set(folder.node!, key);
  }

  /** A name of the branch goes. */
  remove(row: Row): void {
    this.#removes.push(row);
  }

  /** Whether something was planned to come to a name. */
  has(key: Key): boolean {
    return this.#taken.has(nameOf(key));
  }

  /** Whether a folder will lie in another, or is it. */
  *isWithin(node: number, folder: number): Steps<boolean> {
    for (
      let at: number | undefined = node;
      at !== undefined;
      at = at === ROOT_NODE ? undefined : (yield* this.#placeOf(at))?.dir
    ) {
      if (at === folder) return true;
    }
    return false;
  }

  /** Writes it all. */
  *write(writer: Writer, origin: string): Steps<void> {
    const moved = new Set(this.#moved.map(({ node }) => node));
    for (const { dir, name } of this.#moved) yield* writer.clear(dir, name);
    for (const row of this.#removes) {
      yield* writer.clear(row.dir, row.name);
      if (row.kind === FOLDER) yield* writer.doom(row.node!);
      yield* writer.change("merge", yield* this.#path(row), undefined, origin);
    }
    for (const { content, replaces, ...key } of this.#puts) {
      const there: Row | undefined = yield* writer.view.lookup(key.dir, key.name);
      // What was to leave the name stayed after all: both are kept.
      const isTaken = there && !(replaces && isIdentical(there, replaces));
      const isFree = function* (one: Key): Steps<boolean> {
        return !(yield* writer.view.lookup(one.dir, one.name));
      };
      const { dir, name }: Key = isTaken ? yield* besides(key, origin, isFree) : key;
      if (content.kind === FOLDER) this.#places.set(content.node!, { dir, name });
      const isFolder = !isTaken && replaces?.kind === FOLDER && replaces.node !== content.node;
      if (isFolder && !moved.has(replaces.node)) yield* writer.doom(replaces.node!);
      yield* writer.put(dir, name, content);
      yield* writer.change("merge", yield* this.#path({ dir, name }), content, origin);
    }
  }

  *#placeOf(node: number): Steps<Key | undefined> {
    return this.#places.get(node) ?? (yield* this.#into.nameOf(node));
  }

  *#path({ dir, name }: Key): Steps<string> {
    if (dir === ROOT_NODE) return `/${name}`;
    const folder = yield* this.#placeOf(dir);
    return below(folder ? yield* this.#path(folder) : "/", name);
  }
}

/** `name~S`, then `name~S~2`: the first that is free. */
export function* besides(
  { dir, name }: Key,
  source: string,
  isFree: (key: Key) => Steps<boolean>,
): Steps<Key> {
  for (let i = 1;; i++) {
    const ending = `~${source}${i === 1 ? "" : `~${i}`}`;
    let short = [...name];
    while (short.length > 0 && nameFault(short.join("") + ending) !== undefined) short = short.slice(0, -1);
    const key = { dir, name: short.join("") + ending };
    if (yield* isFree(key)) return key;
  }
}

/** A name in a folder as one text. */
export function nameOf({ dir, name }: Key): string {
  return `${dir}/${name}`;
}
