/**
 * What is asked of repositories, wherever they lie.
 *
 * @module
 */
import type { CommitLinks } from "../objects/commit.ts";
import type { Verdict } from "../objects/fsck.ts";
import type { Kind, Oid } from "../objects/oid.ts";
import type { IngestBounds } from "../pack/index_pack.ts";
import type { Steps } from "../pack/read_entries.ts";
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

/** Objects that can be read. */
export interface ObjectReader {
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
}

/** The objects of a repository. Looks once more for new packs before it says that one is missing. */
export interface ObjectStore extends ObjectReader {
  /** Where it lies in packs; nothing for a loose one. */
  locate(oid: Oid): Place | undefined;
  /** What is stored at a place. */
  entry(at: Place): RawEntry;
  /** Positions of a pack whose bit is set, in the order of its entries. */
  inPackOrder(pack: number, bits: Uint8Array): Uint32Array;
  /** Objects of a pack. */
  count(pack: number): number;
  /** Objects whose ids begin so, each once: some of them where there are more than `most`. */
  startingWith(prefix: string, most: number): Oid[];
}

/** Objects that are known to be exactly what some tips reach. */
export interface Closure {
  /** What reaches all of it. */
  readonly tips: readonly Oid[];
  /** Its objects. */
  readonly count: number;
  /** Whether an object is one of them. */
  holds(oid: Oid): boolean;
  /** Those that are no blobs, each once. */
  besideBlobs(): Iterable<Oid>;
  /** Their entries, as a pack has them that needs no other. A piece holds until the next is asked for. */
  pieces(): Iterable<Uint8Array>;
}

/** Commits of which is known what they link to. */
export interface LinkedCommits {
  /** What a commit links to; nothing where it is none of them. */
  links(oid: Oid): CommitLinks | undefined;
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

/** What is to become of a ref. */
export interface RefUpdate {
  /** Its full name. */
  readonly name: string;
  /** What it has to point at before; `null`: it must not be there; absent: whatever it is. */
  readonly old?: Oid | null;
  /** What it points at afterwards; `null`: it is gone. */
  readonly new: Oid | null;
}

/** What became of an update. */
export interface RefOutcome {
  /** The ref. */
  readonly name: string;
  /** Why it was not done: `stale info`, `D/F conflict`, `failed to lock`, `atomic push failure`. */
  readonly refused?: string;
}

/** The refs of a repository. */
export interface RefStore {
  /**
   * The refs as of now.
   *
   * @param hidden Beginnings of refs that are not shown. Default: those that are hidden from who fetches.
   */
  snapshot(hidden?: readonly string[]): Promise<RefSnapshot>;
  /**
   * Moves refs; after a crash all have moved or none. Nothing is written where nothing is left to be moved.
   *
   * @param options `atomic`: one that is refused refuses all; `who`: for the reflog.
   */
  transaction(
    updates: readonly RefUpdate[],
    options: { readonly atomic: boolean; readonly who: string },
  ): Promise<RefOutcome[]>;
  /** Lets HEAD stand for a branch, which need not be there. */
  setHead(symref: string): Promise<void>;
}

/** How a pack is received. */
export interface IngestOptions {
  /** The next bytes; nothing at the end. */
  read(): Promise<Uint8Array | undefined>;
  /** Whether the pack is all that comes. */
  readonly toEnd: boolean;
  /** Bounds. */
  readonly bounds: IngestBounds;
  /** Its pace. */
  readonly pace: Steps;
  /** Waits until deltas may be resolved. */
  turn(): Promise<Disposable>;
  /** Ends the work, wherever it is done. */
  readonly signal?: AbortSignal;
  /** Told of faults that do not refuse an object. */
  warn?(line: string): void;
  /** Told of how far it is. */
  progress?(phase: "receiving" | "resolving", done: number, total: number): void;
}

/** What a pack brought. */
export interface Ingested {
  /** Its trailer, which names the files. */
  readonly hash: string;
  /** Objects that the client sent. */
  readonly count: number;
  /** Bytes of the pack that is kept. */
  readonly bytes: number;
  /** Where the entries end that the client sent. */
  readonly bodyEnd: number;
  /** Bases that were appended. */
  readonly bases: readonly Oid[];
}

/** What is received and not yet part of a repository. Disposing it before it is committed leaves nothing. */
export interface Quarantine extends AsyncDisposable {
  /** What it holds, and then what the repository holds. */
  readonly objects: ObjectReader;
  /** Whether it holds an object itself. */
  holds(oid: Oid): boolean;
  /**
   * Receives a pack.
   *
   * @throws {GitPackError} It is refused.
   */
  ingest(options: IngestOptions): Promise<Ingested>;
  /** Makes what was received part of the repository. It is kept, whatever stock git collects, until disposal. */
  commit(): Promise<void>;
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
  /** Whether partial clones are served: `uploadpack.allowFilter`, which is on. */
  readonly filters: boolean;
  /** What holds for pushes. */
  readonly push: PushSettings;
}

/** What a repository's own configuration says of pushes. */
export interface PushSettings {
  /** Beginnings of refs that are neither shown nor moved, git's `transfer.hideRefs` and `receive.hideRefs`. */
  readonly hidden: readonly string[];
  /** Patterns of refs that are neither forced nor deleted; `HEAD` is the branch that it stands for. */
  readonly protected: readonly string[];
  /** Branches that working trees have checked out, unless `receive.denyCurrentBranch` lets them move. */
  readonly checkedOut: readonly string[];
  /** `receive.denyNonFastForwards`. */
  readonly denyNonFastForwards: boolean;
  /** `receive.denyDeletes`. */
  readonly denyDeletes: boolean;
  /** `receive.denyDeleteCurrent`: the branch that HEAD stands for is not deleted. */
  readonly denyDeleteCurrent: boolean;
  /** `receive.maxInputSize`: bytes of a pack. */
  readonly maxInputSize?: number;
  /** `alknet.quota`: bytes of all packs. */
  readonly quota?: number;
  /** `alknet.requireSigned`: pushes need a certificate. */
  readonly requireSigned: boolean;
  /** `receive.fsckObjects`. */
  readonly fsckObjects: boolean;
  /** `receive.fsck.<id>`, ids in lower case. */
  readonly fsck: Readonly<Record<string, Verdict>>;
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
  /** Whether it follows another one, and so takes no pushes. */
  readonly isMirror: boolean;
  /** What of its objects is known to be whole; nothing where that has to be walked. Who may have it is to be looked at. */
  closure(): Closure | undefined;
  /** What its commits link to, as far as a commit-graph says it; nothing where there is none. */
  graph(): LinkedCommits | undefined;
  /** Its objects as they are there now, to be disposed, where packs that are open here are gone; else nothing. */
  renewed(): (ObjectReader & Disposable) | undefined;
  /** Prepares for objects that are to come. */
  receive(): Promise<Quarantine>;
  /** Bytes of its packs. */
  packBytes(): number;
  /** Keeps the certificate of a push under the SHA-1 of its bytes. Disposing what it gives takes it back. */
  keepCertificate(name: string, bytes: Uint8Array): Promise<Disposable>;
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
