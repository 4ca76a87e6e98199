/**
 * The git handler as the configuration has it: where the repositories are, and its limits.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import type { CallOperation, Git, GitLimits, MirrorWays, RepositoryFolders } from "@alknet/handlers/git";
import { dirname, join, resolve } from "node:path";
import Type, { type Static, type TSchema } from "typebox";
import type { Home } from "../home/home.ts";

const closed = { additionalProperties: false };

const operation = Type.String({ minLength: 1, description: "name of an operation of this node" });

const schema = Type.Object({
  root: Type.Optional(
    Type.String({ minLength: 1, description: "folder of the repositories; default: git in the home folder" }),
  ),
  repositories: Type.Optional(
    Type.Record(Type.String(), Type.String({ minLength: 1 }), { description: "folders of others, by name" }),
  ),
  anonymous: Type.Optional(Type.Boolean({ description: "whether public ones are read without identity" })),
  maintenance: Type.Optional(
    Type.Boolean({ description: "whether packs are made fewer and what spares walks is recorded; default: true" }),
  ),
  push_to_create: Type.Optional(
    Type.Boolean({ description: "whether a push makes the repository, for those with the scope git:create" }),
  ),
  signed_push: Type.Optional(
    Type.Union([Type.Literal("off"), Type.Literal("accept"), Type.Literal("require")], {
      description: "whether pushes may be signed; accept: wrong certificates are refused, require: missing ones too",
    }),
  ),
  hooks: Type.Optional(
    Type.Object({
      pre_receive: Type.Optional(operation),
      update: Type.Optional(operation),
      post_receive: Type.Optional(operation),
    }, { ...closed, description: "operations that decide on pushes, or are told of them" }),
  ),
  limits: Type.Optional(
    Type.Record(Type.String(), Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }), {
      description: "limits by their names; bytes, milliseconds or counts",
    }),
  ),
}, closed);

/** The schema of `handlers.git`. */
export const GIT_SCHEMA: TSchema = schema;
/** Options of `handlers.git`. */
export type GitConfig = Static<typeof schema>;

/** Whose configuration it is. */
export interface GitConfigPlace {
  /** Relative folders are resolved against its own. */
  readonly configFile: string;
  /** Has the repositories, where the configuration names no other folder. */
  readonly home: Home;
}

/** What of the node the handler works with. */
export interface GitSurroundings {
  /** Calls an operation of the node, for hooks. */
  readonly call: CallOperation;
  /** How repositories that are followed are reached. */
  readonly mirrors: MirrorWays;
  /** The URLs of a repository. */
  readonly urls: (name: string) => readonly string[];
}

/**
 * Where the repositories of a configuration are.
 *
 * @throws {AlknetError} `INVALID_CONFIG`: a name of `repositories` is none.
 */
export async function repositoryFolders(config: GitConfig, place: GitConfigPlace): Promise<RepositoryFolders> {
  const { isRepositoryName } = await import("@alknet/handlers/git");
  const base = dirname(place.configFile);
  const elsewhere: Record<string, string> = {};
  for (const [name, folder] of Object.entries(config.repositories ?? {})) {
    if (!isRepositoryName(name)) throw wrong(place, `repositories: ${JSON.stringify(name)} is no name of a repository`);
    elsewhere[name] = resolve(base, folder);
  }
  const root = config.root === undefined ? join(place.home.folder, "git") : resolve(base, config.root);
  return { root, elsewhere };
}

/**
 * The git handler and its routes.
 *
 * @throws {AlknetError} `INVALID_CONFIG`: a name, a folder or a limit is none.
 */
export async function gitOf(config: GitConfig, place: GitConfigPlace & GitSurroundings): Promise<Git> {
  const { folderOf, git } = await import("@alknet/handlers/git");
  const folders = await repositoryFolders(config, place);
  const { root, elsewhere: repositories } = folders;
  for (const [name, folder] of Object.entries(repositories)) {
    if (await folderOf(folders, name) !== undefined) continue;
    throw wrong(place, `repositories.${name}: ${folder} is no git repository; the path of one that is there is needed`);
  }
  try {
    const { anonymous, maintenance, push_to_create: pushToCreate, signed_push: signedPush, hooks = {} } = config;
    const { pre_receive: preReceive, update, post_receive: postReceive } = hooks;
    return git({
      root,
      repositories,
      anonymous,
      maintenance,
      pushToCreate,
      signedPush,
      hooks: { preReceive, update, postReceive },
      limits: limitsOf(config.limits),
      call: place.call,
      urls: place.urls,
      mirrors: place.mirrors,
    });
  } catch (cause) {
    throw wrong(place, `limits: ${(cause as Error).message}`, cause);
  }
}

/**
 * Whether the node has the operations that hooks name.
 *
 * @throws {AlknetError} `INVALID_CONFIG`: it has not.
 */
export function checkHooks({ hooks = {} }: GitConfig, place: GitConfigPlace, has: (name: string) => boolean): void {
  for (const [hook, name] of Object.entries(hooks)) {
    if (!has(name)) throw wrong(place, `hooks.${hook}: the node has no operation ${JSON.stringify(name)}`);
  }
}

/** `wants_walk` to `wantsWalk`. */
function limitsOf(limits: Readonly<Record<string, number>> = {}): Partial<GitLimits> {
  return Object.fromEntries(
    Object.entries(limits).map(([name, value]) => [name.replaceAll(/_([a-z])/g, (_, c) => c.toUpperCase()), value]),
  );
}

function wrong({ configFile }: GitConfigPlace, reason: string, cause?: unknown): AlknetError {
  return new AlknetError("INVALID_CONFIG", `config ${configFile}: handlers.git.${reason}`, { cause });
}
