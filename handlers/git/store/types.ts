/**
 * What is asked of repositories, wherever they lie.
 *
 * @module
 */
import type { Kind, Oid } from "../objects/oid.ts";
import type { StoredObject } from "../pack/pack_file.ts";

/** A promise of a value that may not be there. */
export type Maybe<T> = Promise<T | undefined>;

/** Where an object lies in packs. */
export interface Place {
  /** Number of the pack, among those of the store. */
  readonly pack: number;
  /** Position in its index. */
  readonly position: number;
}

/** An entry of a pack, as it is stored. */
export interface RawEntry {
  /** The object. */
  readonly oid: Oid;
  /** Type of the entry: 1 to 4, 6 or 7. */
  readonly type: number;
  /** Bytes once inflated. */
  readonly size: number;
  /** Of a delta: its base, and where it lies; the object alone where it is in no pack. */
  readonly base?: (Place & { readonly oid: Oid }) | Oid;
  /** The zlib stream, in pieces; after the last one its CRC is checked. */
  pieces(): Iterable<Uint8Array>;
}

/** The objects of a repository. Looks once more for new packs before it says that one is missing. */
export interface ObjectStore {
  /** What an object is, and its size. */
  info(oid: Oid): Maybe<{ kind: Kind; size: number }>;
  /**
   * An object, whole.
   *
   * @param limit Bytes that it may have.
   * @throws {AlknetError} `OBJECT_TOO_LARGE`, `GIT_CORRUPT`.
   */
  read(oid: Oid, limit?: number): Maybe<StoredObject>;
  /** An object in pieces, which costs little memory where it is loose. */
  stream(oid: Oid): Maybe<{ kind: Kind; size: number; body: ReadableStream<Uint8Array> }>;
  /** Whether an object is there. */
  has(oid: Oid): Promise<boolean>;
  /** Where it lies in packs; nothing for a loose one. */
  locate(oid: Oid): Place | undefined;
  /** What is stored at a place. */
  entry(at: Place): RawEntry;
  /** Positions of a pack, in the order of its entries. */
  positions(pack: number): Uint32Array;
  /** Objects of a pack. */
  count(pack: number): number;
}

/** A ref. */
export interface Ref {
  /** Its full name. */
  readonly name: string;
  /** What it points at. */
  readonly oid: Oid;
  /** What the tag it points at is a tag of, in the end. */
  readonly peeled?: Oid;
  /** The ref that it stands for. */
  readonly symref?: string;
}

/** All refs that are shown, as they were at one time. */
export interface RefSnapshot {
  /** What HEAD stands for and points at. */
  readonly head: { readonly symref?: string; readonly oid?: Oid };
  /** A ref by its full name. */
  get(name: string): Ref | undefined;
  /** Refs in the order of their names' bytes; of some prefixes, or all. */
  list(prefixes?: readonly string[]): Iterable<Ref>;
}

/** The refs of a repository. */
export interface RefStore {
  /** The refs as of now. */
  snapshot(): Promise<RefSnapshot>;
}

/** What a repository's own configuration says. */
export interface RepositorySettings {
  /** Whether everyone that is known may read it. */
  readonly public: boolean;
  /** For people. */
  readonly description: string;
  /** Id of the identity whose it is. */
  readonly owner?: string;
  /** Beginnings of refs that are not shown, git's `transfer.hideRefs` and `uploadpack.hideRefs`. */
  readonly hidden: readonly string[];
}

/** An open repository. Disposing it lets its files go once nobody else has it open. */
export interface Repository extends Disposable {
  /** Its name. */
  readonly name: string;
  /** Its objects. */
  readonly objects: ObjectStore;
  /** Its refs. */
  readonly refs: RefStore;
  /** Its settings. */
  readonly settings: RepositorySettings;
}

/** The repositories of a node. */
export interface Repositories {
  /**
   * Opens one, or nothing where there is none of that name.
   *
   * @throws {AlknetError} `GIT_UNSUPPORTED`: there is one, and it cannot be served.
   */
  open(name: string): Maybe<Repository>;
  /** Names, in order. */
  list(): Promise<string[]>;
}
