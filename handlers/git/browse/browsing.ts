/**
 * What reading a repository for people works with: commits, trees and files by the names that people use.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import type { Oid } from "../objects/oid.ts";
import type { RefSnapshot, Repository } from "../store/types.ts";
import { CommitReader } from "../walk/commits.ts";
import { Pace } from "../walk/pace.ts";
import { TreeReader } from "../walk/trees.ts";

/** How a repository is read. */
export interface Browsing {
  /** The repository. */
  readonly repository: Repository;
  /** The refs that are seen. */
  readonly refs: RefSnapshot;
  /** Reads commits. */
  readonly commits: CommitReader;
  /** Reads trees. */
  readonly trees: TreeReader;
  /** Its pace. */
  readonly pace: Pace;
  /** Commits that one question may look at. */
  readonly most: number;
  /** Whether what is named by its id may be read; absent where everything may. */
  mayRead?(oid: Oid): Promise<boolean>;
}

/** Commits that one question looks at where nothing else is said. */
export const MOST_COMMITS = 200_000;

/** Prepares to read a repository by the refs of which its settings hide none. */
export async function browse(
  repository: Repository,
  { signal, most = MOST_COMMITS, mayRead }: {
    readonly signal: AbortSignal;
    readonly most?: number;
    readonly mayRead?: (oid: Oid, browsing: Browsing) => Promise<boolean>;
  },
): Promise<Browsing> {
  const { objects } = repository;
  const browsing: Browsing = {
    repository,
    refs: await repository.refs.snapshot(),
    commits: new CommitReader(objects, repository.graph()),
    trees: new TreeReader(objects),
    pace: new Pace(signal),
    most,
    mayRead: mayRead && ((oid) => mayRead(oid, browsing)),
  };
  return browsing;
}

/** A revision that there is not: `NO_SUCH_REVISION`. */
export function noSuchRevision(rev: string, why: string): AlknetError {
  return new AlknetError("NO_SUCH_REVISION", `there is no revision ${JSON.stringify(rev.slice(0, 256))}: ${why}`);
}

/** A path that there is not: `NO_SUCH_PATH`. */
export function noSuchPath(path: string): AlknetError {
  return new AlknetError("NO_SUCH_PATH", `there is no ${JSON.stringify(path.slice(0, 1024))} in that revision`);
}
