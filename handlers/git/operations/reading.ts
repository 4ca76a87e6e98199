/**
 * `git/repos`, `git/refs`, `git/log`, `git/commit`, `git/tree` and `git/blob`: what repositories hold.
 *
 * @module
 */
import { type HandlerRegistration, type JsonValue, operation, provide } from "@alknet/core/operations";
import Type from "typebox";
import { blobAnswer, commitAnswer, logAnswer, treeAnswer } from "../browse/answers.ts";
import { openFor } from "../serve/service.ts";
import { asked, type OperationParts, withBrowsing, withRight } from "./asking.ts";
import {
  BLOB,
  CLOSED,
  COMMIT,
  LOG,
  NOTHING,
  OID,
  PATH,
  READING_ERRORS,
  REFS,
  REPO,
  REPO_ERRORS,
  REPOS,
  REV,
  TREE,
} from "./schemas.ts";
import { logger } from "@alknet/core/handler";

/** Entries that an answer has at most: commits, refs, changes; entries of a tree. */
const MOST = 1000;
const MOST_ENTRIES = 10_000;
const LOG_DEFAULT = 50;

const repos = operation({
  name: "git/repos",
  type: "query",
  description: "The repositories that the caller may read.",
  input: NOTHING,
  output: REPOS,
  errors: REPO_ERRORS,
});
const refs = operation({
  name: "git/refs",
  type: "query",
  description: "The branches, tags and other refs of a repository, in the order of their names.",
  input: Type.Object({
    repo: REPO,
    prefix: Type.Optional(Type.String({ maxLength: 1024, description: "how their names begin: refs/heads/" })),
    after: Type.Optional(Type.String({ maxLength: 1024, description: "the last name of the answer before" })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MOST })),
  }, CLOSED),
  output: REFS,
  errors: READING_ERRORS,
});
const log = operation({
  name: "git/log",
  type: "query",
  description: "Commits, the youngest first; with a path, those that changed it.",
  input: Type.Object({
    repo: REPO,
    rev: REV,
    path: PATH,
    after: Type.Optional(OID),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MOST, description: "default 50" })),
  }, CLOSED),
  output: LOG,
  errors: READING_ERRORS,
});
const commit = operation({
  name: "git/commit",
  type: "query",
  description: "A commit, and what it changed of its first parent: up to 1000 paths.",
  input: Type.Object({ repo: REPO, rev: REV }, CLOSED),
  output: COMMIT,
  errors: READING_ERRORS,
});
const tree = operation({
  name: "git/tree",
  type: "query",
  description: "The files and folders of a revision: up to 10000.",
  input: Type.Object({
    repo: REPO,
    rev: REV,
    path: PATH,
    recursive: Type.Optional(Type.Boolean({ description: "whether what is in folders is listed instead of them" })),
  }, CLOSED),
  output: TREE,
  errors: READING_ERRORS,
});
const blob = operation({
  name: "git/blob",
  type: "query",
  description: "A file of a revision, or one by its id: its first MiB.",
  input: Type.Union([
    Type.Object({ repo: REPO, rev: REV, path: Type.String({ minLength: 1, maxLength: 65_536 }) }, CLOSED),
    Type.Object({ repo: REPO, oid: OID }, CLOSED),
  ]),
  output: BLOB,
  errors: READING_ERRORS,
});

/** The operations that read. */
export function readingOperations(all: OperationParts): HandlerRegistration[] {
  return [
    provide(repos, (_, context) => asked(all, context, async () => json(await listed(all, context.identity)))),
    provide(
      refs,
      ({ repo: name, prefix, after, limit = MOST }, context) =>
        asked(all, context, () =>
          withRight(all, { name, right: "read" }, context, async (repository) => {
            const snapshot = await repository.refs.snapshot();
            const found: JsonValue[] = [];
            let passed = after === undefined;
            for (const ref of snapshot.list(prefix === undefined ? [] : [prefix])) {
              // The last one may be gone by now.
              if (!passed && isAfter(ref.name, after!)) passed = true;
              if (!passed) continue;
              if (found.length === limit) return { head: json(snapshot.head), refs: found, more: true };
              found.push(json(ref));
            }
            return { head: json(snapshot.head), refs: found, more: false };
          })),
    ),
    provide(
      log,
      ({ repo, limit = LOG_DEFAULT, ...question }, context) =>
        withBrowsing(all, repo, context, async (browsing) => json(await logAnswer({ ...question, limit }, browsing))),
    ),
    provide(
      commit,
      ({ repo, rev }, context) =>
        withBrowsing(all, repo, context, async (browsing) => json(await commitAnswer({ rev, limit: MOST }, browsing))),
    ),
    provide(
      tree,
      ({ repo, rev, path, recursive = false }, context) =>
        withBrowsing(
          all,
          repo,
          context,
          async (browsing) => json(await treeAnswer({ rev, path, recursive, limit: MOST_ENTRIES }, browsing)),
        ),
    ),
    provide(
      blob,
      ({ repo, ...question }, context) =>
        withBrowsing(all, repo, context, async (browsing) => json(await blobAnswer(question, browsing))),
    ),
  ];
}

async function listed({ repositories, parts }: OperationParts, identity: Parameters<typeof openFor>[2]["identity"]) {
  const found = [];
  for (const name of await repositories.list()) {
    const opened = await openFor(name, parts, { identity, log: logger("git") });
    if (!opened) continue;
    using repository = opened.repository;
    const { settings: { description, public: isPublic } } = repository;
    const { head } = await repository.refs.snapshot();
    found.push({
      name,
      description,
      ...(head.symref !== undefined && { head: head.symref.replace(/^refs\/heads\//, "") }),
      public: isPublic,
      right: opened.right,
      bytes: repository.packBytes(),
    });
  }
  return found;
}

/** In the order of names in UTF-8. */
function isAfter(name: string, other: string): boolean {
  const [a, b] = [name, other].map((text) => new TextEncoder().encode(text));
  for (let i = 0; i < a.byteLength && i < b.byteLength; i++) if (a[i] !== b[i]) return a[i] > b[i];
  return a.byteLength > b.byteLength;
}

/** What has members that are not there, without them. */
function json(value: object): JsonValue {
  return JSON.parse(JSON.stringify(value));
}
