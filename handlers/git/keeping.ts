/**
 * What the owner of repositories does with them, whether or not a node serves them: looking at them, their settings,
 * maintenance, checks, removal.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { commitAnswer, logAnswer, treeAnswer } from "./browse/answers.ts";
import { browse, type Browsing } from "./browse/browsing.ts";
import type { CommitRecord } from "./browse/commit_record.ts";
import type { ChangeRecord, FileRecord } from "./browse/files.ts";
import { GIT_LIMITS } from "./limits.ts";
import { checkFolder, type CheckReport } from "./maintenance/check.ts";
import { gcLockHolder } from "./maintenance/gc_lock.ts";
import { maintain, type Maintained } from "./maintenance/maintain.ts";
import { type RepositoryStats, statsOf } from "./maintenance/stats.ts";
import type { Followed, FollowOptions } from "./mirror/follow.ts";
import { followOnce } from "./mirror/mirrors.ts";
import type { Oid } from "./objects/oid.ts";
import { packCaches } from "./pack/pack_file.ts";
import { Turns } from "./serve/turns.ts";
import { FolderRepositories, type OpenFolder, type RepositoryFolders } from "./store/folder/repositories.ts";
import {
  type Mirror,
  mirrorOf,
  type MirrorWish,
  readMirror,
  removeMirror,
  writeMirror,
} from "./store/folder/owning/mirror_file.ts";
import { removeRepository, sweepRemoved } from "./store/folder/owning/remove.ts";
import {
  changeSettings,
  type OwnedSettings,
  ownedSettings,
  type SettingChanges,
} from "./store/folder/owning/settings.ts";
import { readSettings } from "./store/folder/repository.ts";
import { Pace } from "./walk/pace.ts";

/** What came of maintenance. */
export interface Upkeep extends RepositoryStats {
  /** What was done. `locked`: somebody else is at it; `postponed`: it is left for later, or to who works in the folder. */
  readonly outcome: Maintained;
  /** Of what is locked: `<pid> <host>` of who is at it. */
  readonly by?: string;
  /** Milliseconds. */
  readonly ms: number;
}

/** Repositories of folders, for their owner. */
export class RepositoryKeeper {
  readonly #folders: RepositoryFolders;
  readonly #repositories: FolderRepositories;

  /**
   * Opens nothing yet.
   *
   * @param folders Where they are.
   * @param repositories Who has them open, where a node serves them.
   */
  constructor(
    folders: RepositoryFolders,
    repositories: FolderRepositories = new FolderRepositories(folders, packCaches(GIT_LIMITS), GIT_LIMITS.deltaBytes),
  ) {
    this.#folders = folders;
    this.#repositories = repositories;
  }

  /**
   * Commits of a history, the youngest first; of a path, those that changed it.
   *
   * @throws {AlknetError} `NO_SUCH_REPOSITORY`, `NO_SUCH_REVISION`, `GIT_UNSUPPORTED`, `GIT_CORRUPT`.
   */
  async log(
    name: string,
    question: { readonly rev?: string; readonly path?: string; readonly after?: Oid; readonly limit: number },
    signal: AbortSignal,
  ): Promise<{ readonly commits: CommitRecord[]; readonly more: boolean }> {
    return await this.#reading(name, signal, (browsing) => logAnswer(question, browsing));
  }

  /** A commit, and what it changed of its first parent. Throws as {@linkcode log} does. */
  async commit(
    name: string,
    question: { readonly rev?: string; readonly limit: number },
    signal: AbortSignal,
  ): Promise<CommitRecord & { readonly changes: ChangeRecord[]; readonly more: boolean }> {
    return await this.#reading(name, signal, (browsing) => commitAnswer(question, browsing));
  }

  /** The files of a revision. Throws as {@linkcode log} does; `NO_SUCH_PATH`. */
  async files(
    name: string,
    question: { readonly rev?: string; readonly path?: string; readonly recursive: boolean; readonly limit: number },
    signal: AbortSignal,
  ): Promise<{ readonly entries: FileRecord[]; readonly more: boolean }> {
    return await this.#reading(name, signal, (browsing) => treeAnswer(question, browsing));
  }

  /** The numbers of one. Throws as {@linkcode log} does. */
  async stats(name: string): Promise<RepositoryStats> {
    using open = await this.#opened(name);
    return await statsOf(open);
  }

  /**
   * Looks after one.
   *
   * @param options `full`: packs it anew whatever there is.
   * @throws {AlknetError} As {@linkcode log}; `GIT_OBJECT_MISSING`, `GIT_CORRUPT`: nothing was removed.
   */
  async maintain(name: string, options: { readonly full: boolean; readonly signal: AbortSignal }): Promise<Upkeep> {
    const began = performance.now();
    let outcome: Maintained;
    let by: string | undefined;
    {
      using open = await this.#opened(name);
      outcome = await maintain(open, { pace: new Pace(options.signal), full: options.full || undefined });
      if (outcome === "locked") by = gcLockHolder(open.folder) ?? "somebody who has just finished";
    }
    const ms = Math.round(performance.now() - began);
    return { outcome, ...(by !== undefined && { by }), ...await this.stats(name), ms };
  }

  /** Checks one; throws as {@linkcode log} does. A repository that cannot be opened has that fault. */
  async check(
    name: string,
    options: { readonly signal: AbortSignal; readonly progress?: (done: number, total: number) => void },
  ): Promise<CheckReport> {
    try {
      using open = await this.#opened(name);
      return await checkFolder(open, { progress: options.progress, pace: new Pace(options.signal) });
    } catch (error) {
      if (!(error instanceof AlknetError) || error.code !== "GIT_CORRUPT") throw error;
      return { objects: 0, faults: [`repository ${name}: ${error.message}`] };
    }
  }

  /** The settings of one; throws as {@linkcode log} does. */
  async settings(name: string): Promise<OwnedSettings> {
    using open = await this.#opened(name);
    return ownedSettings(readSettings(open.folder));
  }

  /**
   * Changes settings of one.
   *
   * @returns All of them.
   * @throws {AlknetError} As {@linkcode log}; `INVALID_SETTING`, `REPOSITORY_BUSY`.
   */
  async change(name: string, changes: SettingChanges): Promise<OwnedSettings> {
    using open = await this.#opened(name);
    return await changeSettings(open.folder, changes, await open.holder());
  }

  /**
   * Removes one: it is put aside, and kept for two weeks.
   *
   * @returns Until when, Unix seconds.
   * @throws {AlknetError} `NO_SUCH_REPOSITORY`, `REPOSITORY_ELSEWHERE`.
   */
  async remove(name: string): Promise<number> {
    const until = await removeRepository(this.#folders, name);
    await this.sweep();
    return until;
  }

  /** Deletes what was removed long enough ago. */
  async sweep(): Promise<void> {
    await sweepRemoved(this.#folders.root);
  }

  /** What one follows; nothing where it follows no other. Throws as {@linkcode log} does. */
  async mirror(name: string): Promise<Mirror | undefined> {
    using open = await this.#opened(name);
    return readMirror(open.folder);
  }

  /**
   * Lets one follow another, or, with nothing, no longer.
   *
   * @throws {AlknetError} As {@linkcode log}; `INVALID_MIRROR`.
   */
  async setMirror(name: string, wish: MirrorWish | undefined): Promise<void> {
    using open = await this.#opened(name);
    if (wish) await writeMirror(open.folder, mirrorOf(wish));
    else removeMirror(open.folder);
  }

  /**
   * Fetches once what one follows.
   *
   * @throws {AlknetError} As {@linkcode log}; `NO_MIRROR`, `MIRROR_FAILED`, what dialling throws.
   */
  async follow(name: string, options: FollowOptions): Promise<Followed> {
    const [walks, indexing] = [new Turns(1), new Turns(1)];
    return await followOnce(this.#repositories, name, { ...options, limits: GIT_LIMITS, walks, indexing });
  }

  async #reading<T>(name: string, signal: AbortSignal, work: (browsing: Browsing) => Promise<T>): Promise<T> {
    using repository = await this.#repositories.open(name);
    if (!repository) throw noSuchRepository(name);
    return await work(await browse(repository, { signal }));
  }

  async #opened(name: string): Promise<OpenFolder> {
    const open = await this.#repositories.openFolder(name);
    if (!open) throw noSuchRepository(name);
    return open;
  }
}

/** There is no such repository: `NO_SUCH_REPOSITORY`. */
export function noSuchRepository(name: string): AlknetError {
  return new AlknetError("NO_SUCH_REPOSITORY", `there is no repository ${JSON.stringify(name.slice(0, 512))}`);
}
