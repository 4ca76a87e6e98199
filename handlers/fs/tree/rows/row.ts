/**
 * Rows of names, as the tables have them (fs.md §5, §6).
 *
 * @module
 */
import type { Entry, Kind } from "../path_tree.ts";

/** `kind` of a name that is gone, where a farther level of the chain has it. */
export const GONE = 0;
/** `kind` of a file. */
export const FILE = 1;
/** `kind` of a folder. */
export const FOLDER = 2;
/** `kind` of a link. */
export const LINK = 3;

/** The kinds, by their numbers. */
export const KINDS: readonly (Kind | undefined)[] = [undefined, "file", "folder", "link"];

/** The node of the root. */
export const ROOT_NODE = 0;

/** What a name stands for. */
export interface Content {
  /** One of {@linkcode FILE}, {@linkcode FOLDER}, {@linkcode LINK}; {@linkcode GONE} in a level of a chain. */
  readonly kind: number;
  /** Of a folder: under which number its names lie. */
  readonly node: number | null;
  /** Of a file. */
  readonly hash: Uint8Array | null;
  /** Of a file: bytes. */
  readonly size: number | null;
  /** 12 bits. */
  readonly mode: number;
  /** Milliseconds since 1970. */
  readonly mtime: number;
  /** Of a link. */
  readonly target: string | null;
}

/** A name. */
export interface Row extends Content {
  /** Node of the folder that holds it. */
  readonly dir: number;
  /** The name. */
  readonly name: string;
  /** The commit that wrote it. */
  readonly seq: number;
}

/** A branch, as a version sees it. */
export interface Level {
  /** Its number. */
  readonly branch: number;
  /** Which of its versions. */
  readonly v: number;
  /** Its last commit. */
  readonly head: number;
}

/** The columns of {@linkcode Row}. */
export const COLUMNS = "dir,name,seq,kind,node,hash,size,mode,mtime,target";

/** The root, which has no row. */
export const ROOT: Row = {
  dir: -1,
  name: "",
  seq: 0,
  kind: FOLDER,
  node: ROOT_NODE,
  hash: null,
  size: null,
  mode: 0o755,
  mtime: 0,
  target: null,
};

/** A row as others see it. */
export function entryOf({ name, kind, seq, mode, mtime, hash, size, target }: Row): Entry {
  return {
    name,
    kind: KINDS[kind]!,
    seq,
    mode,
    mtime,
    ...hash && { hash: hash.toHex(), size: size! },
    ...target !== null && { target },
  };
}

/** Whether two names stand for the same: the bytes of a file, a folder by its node, what a link leads to. */
export function isSame(one: Content | undefined, other: Content | undefined): boolean {
  if (!one || !other) return one === other;
  if (one.kind !== other.kind) return false;
  if (one.kind === FILE) return equalBytes(one.hash!, other.hash!);
  return one.kind === FOLDER ? one.node === other.node : one.target === other.target;
}

/** Whether they have the same attributes too. */
export function isIdentical(one: Content | undefined, other: Content | undefined): boolean {
  return isSame(one, other) && one?.mode === other?.mode && one?.mtime === other?.mtime;
}

function equalBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.byteLength === other.byteLength && one.every((byte, i) => byte === other[i]);
}
