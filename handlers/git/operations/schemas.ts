/**
 * What operations of repositories take and give, and how they fail (git.md §9).
 *
 * @module
 */
import type { ErrorDeclaration } from "@alknet/core/operations";
import Type, {
  type TArray,
  type TBoolean,
  type TInteger,
  type TObject,
  type TOptional,
  type TSchema,
  type TString,
  type TUnion,
} from "typebox";

/** No other members. */
export const CLOSED: { readonly additionalProperties: false } = { additionalProperties: false };
/** Nothing: null or {}. */
export const NOTHING: TSchema = Type.Union([Type.Null(), Type.Object({}, CLOSED)], {
  description: "nothing: null or {}",
});
/** Name of a repository. */
export const REPO: TString = Type.String({ maxLength: 512, description: "name of a repository: notes, or team/notes" });
/** A revision. */
export const REV: TOptional<TString> = Type.Optional(
  Type.String({ maxLength: 1300, description: "branch, tag, id or its beginning, with ~N and ^N; default HEAD" }),
);
/** An object id. */
export const OID: TString = Type.String({ pattern: "^[0-9a-f]{40}$" });
/** A path. */
export const PATH: TOptional<TString> = Type.Optional(
  Type.String({ maxLength: 65_536, description: "from the root; in git's quotes where it is no UTF-8" }),
);

const person = Type.Object({ name: Type.String(), email: Type.String(), at: Type.String() }, CLOSED);
const commitMembers = {
  oid: OID,
  tree: OID,
  parents: Type.Array(OID),
  author: person,
  committer: person,
  message: Type.String(),
};
const change = Type.Object({
  path: Type.String(),
  change: Type.Union([Type.Literal("added"), Type.Literal("removed"), Type.Literal("changed")]),
  mode: Type.Optional(Type.String()),
  oid: Type.Optional(OID),
  oldMode: Type.Optional(Type.String()),
  oldOid: Type.Optional(OID),
}, CLOSED);

/** Commits. */
export const LOG: TSchema = Type.Object(
  { commits: Type.Array(Type.Object(commitMembers, CLOSED)), more: Type.Boolean() },
  CLOSED,
);
/** A commit, and what it changed. */
export const COMMIT: TSchema = Type.Object(
  { ...commitMembers, changes: Type.Array(change), more: Type.Boolean() },
  CLOSED,
);
/** Entries of a tree. */
export const TREE: TSchema = Type.Object({
  entries: Type.Array(
    Type.Object({
      path: Type.String(),
      mode: Type.String(),
      type: Type.String(),
      oid: OID,
      size: Type.Optional(Type.Integer()),
    }, CLOSED),
  ),
  more: Type.Boolean(),
}, CLOSED);
/** A file. */
export const BLOB: TSchema = Type.Object({
  oid: OID,
  size: Type.Integer(),
  encoding: Type.Union([Type.Literal("utf8"), Type.Literal("base64")]),
  content: Type.String(),
  truncated: Type.Boolean(),
}, CLOSED);
/** Repositories. */
export const REPOS: TSchema = Type.Array(
  Type.Object({
    name: Type.String(),
    description: Type.String(),
    head: Type.Optional(Type.String()),
    public: Type.Boolean(),
    right: Type.Union([Type.Literal("read"), Type.Literal("write"), Type.Literal("admin")]),
    bytes: Type.Integer(),
  }, CLOSED),
);
/** Refs. */
export const REFS: TSchema = Type.Object({
  head: Type.Object({ symref: Type.Optional(Type.String()), oid: Type.Optional(OID) }, CLOSED),
  refs: Type.Array(
    Type.Object({
      name: Type.String(),
      oid: OID,
      peeled: Type.Optional(OID),
      symref: Type.Optional(Type.String()),
    }, CLOSED),
  ),
  more: Type.Boolean(),
}, CLOSED);
/** Numbers of a repository. */
export const STATS: TSchema = Type.Object({
  packs: Type.Integer(),
  loose: Type.Integer(),
  objects: Type.Integer(),
  bytes: Type.Integer(),
  refs: Type.Integer(),
  closure: Type.Boolean(),
  ms: Type.Optional(Type.Integer()),
}, CLOSED);

const settingMembers = {
  description: Type.String({ maxLength: 1024 }),
  public: Type.Boolean(),
  owner: Type.String({ maxLength: 1024 }),
  quota: Type.Integer({ minimum: 1, maximum: 10 ** 15 - 1 }),
  requireSigned: Type.Boolean(),
  protected: Type.Array(Type.String({ maxLength: 1024 }), { maxItems: 256 }),
};
/** Settings. */
export const SETTINGS: TSchema = Type.Object(
  { name: Type.String(), ...settingMembers, owner: Type.Optional(settingMembers.owner) },
  CLOSED,
);

/** A setting that is set, or taken back. */
type Changeable<Schema extends TSchema> = TOptional<TUnion<[Schema, ReturnType<typeof Type.Null>]>>;
const changeable = <Schema extends TSchema>(schema: Schema): Changeable<Schema> =>
  Type.Optional(Type.Union([schema, Type.Null()]));
/** Settings to change; null takes one back. */
export const SETTING_CHANGES: TObject<{
  description: Changeable<TString>;
  public: Changeable<TBoolean>;
  owner: Changeable<TString>;
  quota: Changeable<TInteger>;
  requireSigned: Changeable<TBoolean>;
  protected: Changeable<TArray<TString>>;
}> = Type.Object({
  description: changeable(settingMembers.description),
  public: changeable(settingMembers.public),
  owner: changeable(settingMembers.owner),
  quota: changeable(settingMembers.quota),
  requireSigned: changeable(settingMembers.requireSigned),
  protected: changeable(settingMembers.protected),
}, CLOSED);

/** Of whatever names a repository. */
export const REPO_ERRORS: Readonly<Record<string, ErrorDeclaration>> = {
  NO_SUCH_REPOSITORY: { description: "there is no such repository, or no right to it", httpStatus: 404 },
  TOO_BUSY: { description: "the caller, or all together, ask for too much at a time", httpStatus: 503 },
};
/** Of whatever reads one. */
export const READING_ERRORS: Readonly<Record<string, ErrorDeclaration>> = {
  ...REPO_ERRORS,
  NO_SUCH_REVISION: { description: "no such revision is shown", httpStatus: 404 },
  NO_SUCH_PATH: { description: "the revision has no such path", httpStatus: 404 },
  OBJECT_TOO_LARGE: { description: "an object is larger than what is read whole", httpStatus: 413 },
};
/** Of whatever changes one. */
export const OWNING_ERRORS: Readonly<Record<string, ErrorDeclaration>> = {
  ...REPO_ERRORS,
  REPOSITORY_EXISTS: { description: "there is one of that name", httpStatus: 409 },
  REPOSITORY_ELSEWHERE: { description: "the node's configuration names its folder", httpStatus: 409 },
  REPOSITORY_BUSY: { description: "somebody else is changing it", httpStatus: 409 },
  REPOSITORY_LOCKED: { description: "somebody else is collecting it", httpStatus: 409 },
  INVALID_NAME: { description: "no name of a repository, or of a branch", httpStatus: 400 },
  INVALID_SETTING: { description: "no value of that setting", httpStatus: 400 },
};
