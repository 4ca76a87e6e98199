/**
 * git: the repositories of a node, for stock git and other clients, over streams of `alknet/git`, commands of
 * `alknet/ssh`, and smart HTTP: clones, fetches, `ls-remote` and pushes.
 *
 * Participants: stock git, behind `git-remote-alknet`, behind `ssh`, or over HTTPS with nothing but itself; libraries, which
 * speak versions 0 and 1 of git's protocol rather than 2; and this node, which needs no git. Goals: each repository is an ordinary bare one that stock git may write, check and collect beside us; entries of
 * packs go out as they are stored; of a push all objects are checked before a ref moves, and after a crash its refs are all
 * old or all new; clones may be shallow or partial, and get what they lack when they ask for it. Non-goals so far, each
 * refused with words that say so: sparse filters.
 * Rights: none, read, write, admin. A repository is read by who has the right: by its owner (`alknet.owner` in its config),
 * by the scopes `git:read`, `git:read:NAME` and `git:read:FOLDER/*` (and `write` and `admin` likewise), by the resources
 * `git` and `git/NAME`, and where `alknet.public` is true by whoever is known, or everyone where `anonymous` says so. Others
 * are told that there is no such repository. `write` and `admin` push; what a repository's own config protects
 * (`alknet.protected`: the branch of HEAD, and what it adds) nobody forces or deletes.
 * Owners: what decides on pushes are functions, or operations of the node, and never a script of a repository; a push may
 * be signed with an SSH key that the node knows, and may make the repository that it goes to, for who has `git:create`.
 * Operations `git/…` read, make, change and remove repositories, and tell of pushes in the order in which refs moved;
 * {@linkcode RepositoryKeeper} does the same where no node runs.
 * Upkeep: after pushes and fetches a record of what heads and tags reach is brought up to date, so that clones copy packs
 * and what is wanted by its id is known to be reached; many packs become few, under git's own lock, and no object is lost.
 * Mirrors: a repository may follow another one, over `alknet://` or `https://`; what comes is checked like a push, refs move
 * in one transaction, and pushes go to the other one.
 * Failures: a malformed request costs its own stream. Limits are in {@linkcode GitLimits}.
 *
 * @example Repositories of a folder, over `alknet/git` and HTTP
 * ```ts
 * import { git } from "@alknet/handlers/git";
 * import { http } from "@alknet/handlers/http";
 *
 * await using repositories = git({ root: "/srv/git", anonymous: true });
 * const web = http({
 *   routes: (app) => app.use(async (c, next) => await repositories.http(c.req.raw, c.env) ?? await next()),
 * });
 * console.assert(repositories.handler.alpns[0] === "alknet/git" && web.alpns.includes("h2"));
 * ```
 *
 * @module
 */
import type { HandlerRegistration } from "@alknet/core/operations";
import { defineHandler, type Handler, logger, Slots } from "@alknet/core/handler";
import { RepositoryKeeper } from "./keeping.ts";
import { type GitLimits, gitLimitsWith } from "./limits.ts";
import { Maintenance } from "./maintenance/maintenance.ts";
import { gitOperations } from "./operations/all.ts";
import { Mirrors } from "./mirror/mirrors.ts";
import type { MirrorWays } from "./mirror/remote.ts";
import { packCaches } from "./pack/pack_file.ts";
import { answerHttp, type GitHttpEnv } from "./serve/http.ts";
import { Creating } from "./serve/creating.ts";
import { PushEvents } from "./serve/push/events.ts";
import { type CallOperation, HookRunner, type PushHooks } from "./serve/push/hooks.ts";
import { Nonces } from "./serve/push/nonces.ts";
import type { GitParts } from "./serve/service.ts";
import { type GitProgram, gitProgram } from "./serve/ssh.ts";
import { serveConnection } from "./serve/stream.ts";
import { Turns } from "./serve/turns.ts";
import { FolderRepositories } from "./store/folder/repositories.ts";
import type { Maybe, Repositories } from "./store/types.ts";

export type { CommitRecord, Person } from "./browse/commit_record.ts";
export type { ChangeRecord, FileRecord } from "./browse/files.ts";
export { GitCode } from "./codes.ts";
export { GitRequestError } from "./errors.ts";
export { GIT_LIMITS, type GitLimits } from "./limits.ts";
export { RepositoryKeeper, type Upkeep } from "./keeping.ts";
export type { CheckReport } from "./maintenance/check.ts";
export type { Maintained } from "./maintenance/maintain.ts";
export type { RepositoryStats } from "./maintenance/stats.ts";
export type { Followed, FollowOptions } from "./mirror/follow.ts";
export type { MirrorWays } from "./mirror/remote.ts";
export type { Kind, Oid } from "./objects/oid.ts";
export type { StoredObject } from "./pack/pack_file.ts";
export type { GitHttpEnv } from "./serve/http.ts";
export type {
  CallOperation,
  CertificateFacts,
  Hook,
  Push,
  PushedRef,
  PushFront,
  PushHooks,
} from "./serve/push/hooks.ts";
export { type Right, rightOf } from "./serve/policy.ts";
export type { GitProgram, GitProgramContext, GitProgramStreams } from "./serve/ssh.ts";
export { type CreateOptions, createRepository } from "./store/folder/create.ts";
export { type Imported, importFolder } from "./store/folder/owning/import.ts";
export type { Mirror, MirrorWish } from "./store/folder/owning/mirror_file.ts";
export type { OwnedSettings, SettingChanges } from "./store/folder/owning/settings.ts";
export { folderOf, namesOf, type RepositoryFolders } from "./store/folder/repositories.ts";
export { isRepositoryFolder, readSettings } from "./store/folder/repository.ts";
export type { CommitLinks } from "./objects/commit.ts";
export type { Verdict } from "./objects/fsck.ts";
export type { IngestBounds } from "./pack/index_pack.ts";
export type { PackBounds, Steps } from "./pack/read_entries.ts";
export type {
  Closure,
  Ingested,
  IngestOptions,
  LinkedCommits,
  Maybe,
  ObjectReader,
  ObjectStore,
  Place,
  PushSettings,
  Quarantine,
  RawEntry,
  Ref,
  RefOutcome,
  RefSnapshot,
  RefStore,
  RefUpdate,
  Repositories,
  Repository,
  RepositorySettings,
} from "./store/types.ts";
export { isRepositoryName, repositoryName } from "./wire/names.ts";
export { formatRequestLine, type RequestLine } from "./wire/request_line.ts";
export type { ProtocolVersion } from "./wire/version.ts";
export { pktLine } from "./wire/pkt_line.ts";

/** The protocol's name on the wire. */
export const GIT_ALPN = "alknet/git";

/** Options of {@linkcode git}. */
export interface GitOptions {
  /** A repository `NAME` is `<root>/<NAME>.git`. The folder need not be there. */
  readonly root: string;
  /** Repositories elsewhere, by name; these win. */
  readonly repositories?: Readonly<Record<string, string>>;
  /** Whether public ones are read without identity. Default `false`. */
  readonly anonymous?: boolean;
  /** Whether repositories are looked after: few packs, and records that spare walks. Default `true`. */
  readonly maintenance?: boolean;
  /** Whether a push to a name that is none makes a repository, for those with the scope `git:create`. Default `false`. */
  readonly pushToCreate?: boolean;
  /** Whether pushes may be signed: `accept` refuses wrong certificates, `require` missing ones too. Default `off`. */
  readonly signedPush?: "off" | "accept" | "require";
  /** Who decides on pushes, and is told of them. */
  readonly hooks?: PushHooks;
  /** Calls the operations that hooks name. */
  readonly call?: CallOperation;
  /** How repositories that are followed are reached. Default: HTTPS alone, as nobody. */
  readonly mirrors?: MirrorWays;
  /** The URLs of a repository, for whoever makes one. */
  readonly urls?: (name: string) => readonly string[];
  /** Changes to {@linkcode GIT_LIMITS}. */
  readonly limits?: Partial<GitLimits>;
}

/** The repositories of a node, and the ways to them. Disposing it ends what is done in the background. */
export interface Git extends AsyncDisposable {
  /** The front `alknet/git`. */
  readonly handler: Handler<readonly [typeof GIT_ALPN]>;
  /** The repositories. */
  readonly repositories: Repositories;
  /** Begins to fetch what repositories follow, as often as each says, until disposal. */
  mirror(): void;
  /** The commands of git's over SSH, for `ssh({ programs })`. */
  readonly program: GitProgram;
  /** The operations `git/…`, for the node's registry. */
  operations(): HandlerRegistration[];
  /** Answers a request of smart HTTP; nothing where it is none. */
  http(request: Request, env: GitHttpEnv): Maybe<Response>;
}

/**
 * Serves repositories of folders.
 *
 * @throws {RangeError} A limit is none, or not a positive whole number.
 */
export function git(options: GitOptions): Git {
  const { root, repositories: elsewhere = {}, anonymous = false, maintenance: maintained = true } = options;
  const limits = gitLimitsWith(options.limits);
  const folders = { root, elsewhere };
  const repositories = new FolderRepositories(folders, packCaches(limits), limits.deltaBytes);
  const { services: all, servicesPerIdentity, servicesPerAddress } = limits;
  const keeper = new RepositoryKeeper(folders, repositories);
  const swept = keeper.sweep();
  const walks = new Turns(limits.walks);
  const maintenance = maintained ? new Maintenance({ repositories, walks, log: logger("git") }) : undefined;
  const [indexing, events] = [new Turns(limits.indexPacks), new PushEvents()];
  const mirrors = new Mirrors({
    repositories,
    limits,
    walks,
    indexing,
    events,
    ways: options.mirrors ?? {},
    received: (name) => maintenance?.look(name),
    log: logger("git"),
  });
  const parts: GitParts = {
    repositories,
    anonymous,
    limits,
    slots: new Slots({ all, identity: servicesPerIdentity, address: servicesPerAddress }),
    walks,
    indexing,
    maintenance,
    hooks: new HookRunner({ hooks: options.hooks ?? {}, call: options.call, time: limits.hookTime }),
    events,
    nonces: new Nonces(),
    signedPush: options.signedPush ?? "off",
    creating: options.pushToCreate ? new Creating(folders, repositories) : undefined,
  };
  return {
    handler: defineHandler({
      alpns: [GIT_ALPN],
      description: "git repositories",
      handle: (connection, context) => serveConnection(connection, context, parts),
    }),
    repositories,
    mirror: () => mirrors.start(),
    program: gitProgram(parts),
    operations: () =>
      gitOperations({ parts, repositories, folders, keeper, mirrors, urls: options.urls ?? (() => []) }),
    http: (request, env) => answerHttp(request, env, parts),
    [Symbol.asyncDispose]: async () => {
      await mirrors[Symbol.asyncDispose]();
      await Promise.all([swept, maintenance?.[Symbol.asyncDispose]()]);
    },
  };
}
