/**
 * What all operations of repositories share: who may ask, how much at a time, and which failures the caller is told.
 *
 * @module
 */
import { AlknetError, type Identity, type Logger, logger } from "@alknet/core/handler";
import { CallError, type OperationContext } from "@alknet/core/operations";
import { browse, type Browsing } from "../browse/browsing.ts";
import { noSuchRepository, type RepositoryKeeper } from "../keeping.ts";
import { allows, type Right, rightOf } from "../serve/policy.ts";
import { type GitParts, openFor } from "../serve/service.ts";
import { firstStranger } from "../serve/visible.ts";
import type { FolderRepositories, RepositoryFolders } from "../store/folder/repositories.ts";
import type { Repository } from "../store/types.ts";

/** What operations work with. */
export interface OperationParts {
  /** What the services of the node share. */
  readonly parts: GitParts;
  /** The repositories. */
  readonly repositories: FolderRepositories;
  /** Where they are. */
  readonly folders: RepositoryFolders;
  /** Does what owners ask for. */
  readonly keeper: RepositoryKeeper;
  /** Fetches what repositories follow. */
  readonly mirrors: { update(name: string): Promise<void> };
  /** The URLs of a repository. */
  urls(name: string): readonly string[];
}

const log: Logger = logger("git");
/** Where a caller without identity is counted: all together are one. */
const ANYBODY = "call";

/**
 * Runs one operation, as one of the services of its caller.
 *
 * @throws {CallError} `TOO_BUSY`, and what the work throws, as far as the caller is to know.
 */
export async function asked<T>(
  { parts }: OperationParts,
  context: OperationContext,
  work: () => Promise<T>,
): Promise<T> {
  using slot = parts.slots.take(context.identity?.id, ANYBODY);
  if (!slot) throw new CallError("TOO_BUSY", "too many at a time; try again", { retryable: true });
  try {
    return await work();
  } catch (error) {
    throw told(error);
  }
}

/** A failure as the caller is told it. What is wrong with a repository is its owner's business. */
export function told(error: unknown): unknown {
  if (!(error instanceof AlknetError) || error instanceof CallError) return error;
  if (HIDDEN.has(error.code)) {
    log.warn("git operation: {error}", { error: error.message });
    return new CallError("INTERNAL", "the repository is not whole");
  }
  return new CallError(error.code, error.message, { cause: error });
}

const HIDDEN: ReadonlySet<string> = new Set(["GIT_CORRUPT", "GIT_OBJECT_MISSING", "GIT_UNSUPPORTED"]);

/** Works on a repository with the right of the caller. Who may not even read it is told that there is none. */
export async function withRight<T>(
  { parts }: OperationParts,
  { name, right }: { readonly name: string; readonly right: Right },
  { identity }: OperationContext,
  work: (repository: Repository) => Promise<T>,
): Promise<T> {
  const opened = await openFor(name, parts, { identity, log });
  if (!opened) throw noSuchRepository(name);
  using repository = opened.repository;
  if (!allows(opened.right, right)) throw new CallError("FORBIDDEN", `no right to ${right} in ${name}`);
  return await work(repository);
}

/** Reads a repository as one who sees its refs and what they reach. */
export async function withBrowsing<T>(
  all: OperationParts,
  name: string,
  context: OperationContext,
  work: (browsing: Browsing) => Promise<T>,
): Promise<T> {
  const { limits: { wantWalk: limit }, walks } = all.parts;
  const { signal } = context;
  return await asked(all, context, () =>
    withRight(all, { name, right: "read" }, context, async (repository) => {
      const mayRead = async (oid: string, { refs, commits: reader, pace }: Browsing): Promise<boolean> =>
        await firstStranger([oid], { repository, refs, limit, reader, pace }) === undefined;
      using _turn = await walks.take(signal);
      return await work(await browse(repository, { signal, most: limit, mayRead }));
    }));
}

/** The right of somebody to a repository, as it is now. */
export async function rightTo(
  { repositories, parts: { anonymous } }: OperationParts,
  name: string,
  identity: Identity | undefined,
): Promise<Right> {
  try {
    using repository = await repositories.open(name);
    return repository ? rightOf(name, repository.settings, { identity, anonymous }) : "none";
  } catch {
    return "none";
  }
}
