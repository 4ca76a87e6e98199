/**
 * A tree of names over blobs, in branches with versions, wherever it is kept (fs.md §6, §8).
 *
 * @module
 */
import type { Hash } from "../wire/hash_text.ts";

/** What a name stands for. */
export type Kind = "file" | "folder" | "link";

/** A name, and what it stands for. */
export interface Entry {
  /** The name; of the root nothing. */
  readonly name: string;
  /** What it is. */
  readonly kind: Kind;
  /** The commit that wrote it. */
  readonly seq: number;
  /** Permissions, 12 bits. */
  readonly mode: number;
  /** When it was changed, milliseconds since 1970. */
  readonly mtime: number;
  /** Of a file: its blob. */
  readonly hash?: Hash;
  /** Of a file: its bytes. */
  readonly size?: number;
  /** Of a link: what it leads to, as it was given. */
  readonly target?: string;
}

/** Which part of a list. */
export interface Page {
  /** What comes after this name. */
  readonly after?: string;
  /** 1 to 1000, the default. */
  readonly limit?: number;
}

/** One version of a branch. */
export interface TreeView {
  /** Its commit. */
  readonly seq: number;
  /**
   * What is at a path; a link itself.
   *
   * @throws {AlknetError} `INVALID_NAME`.
   */
  stat(path: string): Promise<Entry | undefined>;
  /**
   * A folder, by the bytes of its names.
   *
   * @throws {AlknetError} `PATH_NOT_FOUND`, `NOT_A_FOLDER`, `INVALID_NAME`.
   */
  list(path: string, page?: Page): Promise<Entry[]>;
}

/** Puts a file. */
export interface Link {
  /** Where. */
  readonly path: string;
  /** Its blob, which is complete in the store. */
  readonly hash: Hash;
  /** Its bytes, to be checked. */
  readonly size?: number;
  /** Permissions. Default: those of what is replaced, else 0o644. */
  readonly mode?: number;
  /** Milliseconds since 1970. Default: now. */
  readonly mtime?: number;
  /** Only if the blob there is this one; `null`: if there is none. */
  readonly ifHash?: Hash | null;
  /** Only if nothing is there. */
  readonly ifAbsent?: boolean;
  /** Make the folders that it lies in. */
  readonly parents?: boolean;
}

/** Makes a folder. */
export interface Mkdir {
  /** Where. */
  readonly path: string;
  /** Make those that it lies in too, and be content with one that is there. */
  readonly parents?: boolean;
  /** Permissions. Default 0o755. */
  readonly mode?: number;
}

/** Makes a link. */
export interface Symlink {
  /** Where. */
  readonly path: string;
  /** What it leads to; not followed here. */
  readonly target: string;
}

/** Changes attributes. */
export interface SetAttributes {
  /** Of what. */
  readonly path: string;
  /** Permissions. */
  readonly mode?: number;
  /** Milliseconds since 1970. */
  readonly mtime?: number;
}

/** Removes. */
export interface Remove {
  /** What. */
  readonly path: string;
  /** A folder with what it holds. */
  readonly recursive?: boolean;
}

/** Moves, as rename(2) does with `replace`. */
export interface Move {
  /** What. */
  readonly from: string;
  /** Where to. */
  readonly to: string;
  /** Replace what is there. */
  readonly replace?: boolean;
}

/** Copies, from another version where one is named. */
export interface Copy extends Move {
  /** A commit's number, or a snapshot's name. */
  readonly version?: string;
}

/** Takes back what a version had at a path. */
export interface Restore {
  /** What. */
  readonly path: string;
  /** A commit's number, or a snapshot's name. */
  readonly version: string;
}

/** Edits of one commit; each sees those before it. All throw the codes of fs.md §6. */
export interface TreeEdit {
  /** Puts a file. */
  putFile(o: Link): void;
  /** Makes a folder. */
  mkdir(o: Mkdir): void;
  /** Makes a link. */
  symlink(o: Symlink): void;
  /** Changes attributes. */
  set(o: SetAttributes): void;
  /** Removes. */
  remove(o: Remove): void;
  /** Moves. */
  move(o: Move): void;
  /** Copies. */
  copy(o: Copy): void;
  /** Takes back what a version had. */
  restore(o: Restore): void;
}

/** A branch. */
export interface Branch {
  /** Its name. */
  readonly name: string;
  /** Its last commit; 0: none of its own. */
  readonly head: number;
  /** What it was forked from, where that has a name still. */
  readonly parent?: string;
  /** At which commit of that. */
  readonly at?: number;
  /** Whose it is. */
  readonly owner?: string;
  /** Whether anyone may read it. */
  readonly public: boolean;
}

/** A name for a version, which it keeps. */
export interface Snapshot {
  /** Its name. */
  readonly name: string;
  /** The commit. */
  readonly seq: number;
  /** What it is for. */
  readonly note?: string;
  /** Who made it. */
  readonly owner?: string;
  /** When the commit was made, milliseconds since 1970; 0 where that is not known any more. */
  readonly time: number;
}

/** What a change is. */
export type ChangeOp = "put" | "mkdir" | "symlink" | "set" | "remove" | "move" | "copy" | "restore" | "merge";

/** A change of a commit. */
export interface Change {
  /** The commit. */
  readonly seq: number;
  /** Which of its changes, from 0. */
  readonly n: number;
  /** Milliseconds since 1970. */
  readonly time: number;
  /** Who made it. */
  readonly actor: string;
  /** What was done. */
  readonly op: ChangeOp;
  /** Where, after the commit. */
  readonly path: string;
  /** Path that it was moved or copied from; of a merge the branch. */
  readonly origin?: string;
  /** What is there now. */
  readonly kind?: Kind;
  /** Its blob. */
  readonly hash?: Hash;
  /** Its bytes. */
  readonly size?: number;
}

/** How two versions differ at a path. */
export interface Difference {
  /** The path: in the later version, but of what was removed. */
  readonly path: string;
  /** How. */
  readonly change: "added" | "removed" | "changed" | "moved";
  /** Where it was, if that was elsewhere: of a moved folder, and of what was changed in one. */
  readonly from?: string;
  /** What was there. */
  readonly before?: Entry;
  /** What is there. */
  readonly after?: Entry;
}

/** What a merge does where both branches changed the same: nothing at all, the target's, the source's, or both. */
export type Policy = "fail" | "ours" | "theirs" | "both";

/** Where two branches changed the same. */
export interface Conflict {
  /** The path. */
  readonly path: string;
  /** How they do not go together. */
  readonly reason: "changed" | "removed" | "kind" | "moved" | "cycle";
  /** As it was before both. */
  readonly base?: Entry;
  /** As the source has it. */
  readonly from?: Entry;
  /** As the target has it. */
  readonly into?: Entry;
}

/** What became of a merge. */
export interface MergeResult {
  /** The commit, if anything was changed. */
  readonly seq?: number;
  /** Changes that were made, or would be. */
  readonly applied: number;
  /** Where both changed the same. */
  readonly conflicts: readonly Conflict[];
}

/** How a merge is made. */
export interface MergeOptions {
  /** Who makes it. */
  readonly actor: string;
  /** Default `fail`. */
  readonly policy?: Policy;
  /** Change nothing. */
  readonly dryRun?: boolean;
}

/** What is told of changes. */
export interface WatchOptions {
  /** Those after this commit. Default: the head. */
  readonly since?: number;
  /** Those of this path, and of what it holds or lies in. */
  readonly path?: string;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** How much somebody keeps. */
export interface OwnerUsage {
  /** Who. */
  readonly owner: string;
  /** Bytes. */
  readonly bytes: number;
  /** Names. */
  readonly files: number;
  /** The most that they may be. */
  readonly maxBytes?: number;
  /** The most that they may be. */
  readonly maxFiles?: number;
}

/** Trees of names. Codes: fs.md §6, §9. */
export interface PathTree {
  /**
   * A version: `NAME`, `NAME@SEQ` or `NAME@SNAPSHOT`.
   *
   * @throws {AlknetError} `BRANCH_NOT_FOUND`, `HISTORY_GONE`, `INVALID_NAME`.
   */
  at(version: string): Promise<TreeView>;
  /** Branches after a name, in their order. */
  branches(after?: string): AsyncIterable<Branch>;
  /**
   * One branch.
   *
   * @throws {AlknetError} `BRANCH_NOT_FOUND`.
   */
  branch(name: string): Promise<Branch>;
  /**
   * Makes a commit: all of it, or nothing.
   *
   * @returns Its number; the head where nothing was changed.
   * @throws {AlknetError} See {@linkcode TreeEdit}; `BRANCH_FROZEN`: it is a version.
   */
  commit(branch: string, actor: string, work: (edit: TreeEdit) => void): Promise<number>;
  /** Changes whether anyone may read a branch, and whose it is. */
  configure(branch: string, o: { readonly public?: boolean; readonly owner?: string }): Promise<Branch>;
  /**
   * Makes a branch that begins as a version of another.
   *
   * @throws {AlknetError} `BRANCH_NOT_FOUND`, `PATH_EXISTS`, `INVALID_NAME`, `HISTORY_GONE`.
   */
  fork(name: string, from: string, owner: string): Promise<Branch>;
  /** Takes a branch away; what was forked from it stays. */
  drop(branch: string): Promise<Branch>;
  /** Names the head of a branch. Its commit. */
  snapshot(branch: string, name: string, owner: string, note?: string): Promise<Snapshot>;
  /** Names of versions after one, in their order. */
  snapshots(branch: string, page?: Page): Promise<Snapshot[]>;
  /** Takes such a name away. */
  unsnapshot(branch: string, name: string): Promise<Snapshot>;
  /** Commits before one, the newest first, whole; those that changed a path, where it is named. */
  log(
    branch: string,
    o?: { readonly path?: string; readonly before?: number; readonly limit?: number },
  ): Promise<Change[]>;
  /** How two versions differ, by path. */
  diff(from: string, to: string, path?: string): AsyncIterable<Difference>;
  /** Brings what one branch changed into another. */
  merge(from: string, into: string, o: MergeOptions): Promise<MergeResult>;
  /**
   * Changes as they are made, each once, in order.
   *
   * @throws {AlknetError} `HISTORY_GONE`, with the oldest commit that is known; `BRANCH_NOT_FOUND`.
   */
  watch(branch: string, o: WatchOptions): AsyncIterable<Change>;
  /** How much somebody keeps. */
  usage(owner: string): Promise<OwnerUsage>;
  /** Branches whose entries name a blob, so many at most; of those that are there by name. */
  linking(hash: Hash, most: number): Promise<Branch[]>;
  /** Does what is left over: retires what lies in removed folders, prunes history, takes dropped branches away. */
  upkeep(): Promise<void>;
}
