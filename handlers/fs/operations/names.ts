/**
 * `fs/…`: names of a branch, read and changed, and what changes as it does (fs.md §8).
 *
 * @module
 */
import type { Identity } from "@alknet/core/handler";
import { type HandlerRegistration, operation, provide } from "@alknet/core/operations";
import Type from "typebox";
import { notFound } from "../errors.ts";
import { mayRead, mayUse } from "../rights.ts";
import type { TreeFs } from "../store.ts";
import { noBranch, noPath } from "../tree/errors.ts";
import type { TreeEdit } from "../tree/path_tree.ts";
import {
  branchName,
  callError,
  closed,
  ERRORS as errors,
  hash,
  known,
  mode,
  mtime,
  next,
  page,
  paged,
  path,
  told,
  usable,
  version,
  whole,
} from "./declaring.ts";
import { change, entry } from "./shapes.ts";

const flag = Type.Optional(Type.Boolean());
const committed = Type.Object({ seq: Type.Integer({ description: "the commit" }) }, closed);
const stat = operation({
  name: "fs/stat",
  type: "query",
  description: "What is at a path of a branch; a link itself.",
  input: Type.Object({ branch: branchName, path, version: Type.Optional(version) }, closed),
  output: entry,
  errors,
});
const list = operation({
  name: "fs/list",
  type: "query",
  description: "The names of a folder, in pages.",
  input: Type.Object({ branch: branchName, path, version: Type.Optional(version), ...page }, closed),
  output: Type.Object({ entries: Type.Array(entry), next }, closed),
  errors,
});
const link = operation({
  name: "fs/link",
  type: "mutation",
  description: "Puts a file: a blob that is complete in the store gets a name.",
  input: Type.Object({
    branch: branchName,
    path,
    hash,
    size: Type.Optional(whole),
    mode: Type.Optional(mode),
    mtime: Type.Optional(mtime),
    ifHash: Type.Optional(
      Type.Union([hash, Type.Null()], { description: "only if that is there; null: if nothing is" }),
    ),
    ifAbsent: flag,
    parents: flag,
  }, closed),
  output: committed,
  errors,
});
const mkdir = operation({
  name: "fs/mkdir",
  type: "mutation",
  description: "Makes a folder.",
  input: Type.Object({ branch: branchName, path, parents: flag, mode: Type.Optional(mode) }, closed),
  output: committed,
  errors,
});
const symlink = operation({
  name: "fs/symlink",
  type: "mutation",
  description: "Makes a link.",
  input: Type.Object({ branch: branchName, path, target: Type.String({ minLength: 1, maxLength: 4096 }) }, closed),
  output: committed,
  errors,
});
const remove = operation({
  name: "fs/remove",
  type: "mutation",
  description: "Removes a name; a folder with what it holds where that is said.",
  input: Type.Object({ branch: branchName, path, recursive: flag }, closed),
  output: committed,
  errors,
});
const set = operation({
  name: "fs/set",
  type: "mutation",
  description: "Changes permissions or the time of a name.",
  input: Type.Object({ branch: branchName, path, mode: Type.Optional(mode), mtime: Type.Optional(mtime) }, closed),
  output: committed,
  errors,
});
const move = operation({
  name: "fs/move",
  type: "mutation",
  description: "Moves a name, as rename(2) does.",
  input: Type.Object({ branch: branchName, from: path, to: path, replace: flag }, closed),
  output: committed,
  errors,
});
const copy = operation({
  name: "fs/copy",
  type: "mutation",
  description: "Copies a name, from another version where one is named.",
  input: Type.Object(
    { branch: branchName, from: path, to: path, replace: flag, version: Type.Optional(version) },
    closed,
  ),
  output: committed,
  errors,
});
const restore = operation({
  name: "fs/restore",
  type: "mutation",
  description: "Takes back what a version had at a path.",
  input: Type.Object({ branch: branchName, path, version }, closed),
  output: committed,
  errors,
});
const log = operation({
  name: "fs/log",
  type: "query",
  description: "What was changed, the newest commit first, in pages of whole commits.",
  input: Type.Object({
    branch: branchName,
    path: Type.Optional(path),
    after: Type.Optional(Type.String({ pattern: "^[0-9]{1,15}$", description: "commits before this one" })),
    limit: page.limit,
  }, closed),
  output: Type.Object({ changes: Type.Array(change), next }, closed),
  errors,
});
const watch = operation({
  name: "fs/watch",
  type: "subscription",
  description: "Changes of a branch as they are made, each once, in order.",
  input: Type.Object({
    branch: branchName,
    path: Type.Optional(path),
    since: Type.Optional(Type.Integer({ minimum: 0, description: "the commit that is known; default: the head" })),
  }, closed),
  output: change,
  errors,
});

/** The operations on names. */
export function nameOperations({ tree, grants }: TreeFs, publicBlobs: boolean): HandlerRegistration[] {
  const at = (branch: string, version: string | undefined): string =>
    version === undefined ? branch : `${branch}@${version}`;
  /** One edit as a commit, by whoever may write. */
  const edited =
    <Input extends { readonly branch: string }>(apply: (edit: TreeEdit, input: Input) => void) =>
    (input: Input, { identity }: { readonly identity: Identity | undefined }): Promise<{ seq: number }> =>
      told(async () => {
        await usable(tree, input.branch, "write", identity);
        return { seq: await tree.commit(input.branch, known(identity).id, (edit) => apply(edit, input)) };
      });
  return [
    provide(stat, ({ branch, path, version }, { identity }) =>
      told(async () => {
        await usable(tree, branch, "read", identity);
        const found = await (await tree.at(at(branch, version))).stat(path);
        if (!found) throw noPath(path);
        return { ...found };
      })),
    provide(list, ({ branch, path, version, after, limit }, { identity }) =>
      told(async () => {
        await usable(tree, branch, "read", identity);
        const entries = await (await tree.at(at(branch, version))).list(path, { after, limit });
        return paged("entries", entries, limit, ({ name }) => name);
      })),
    provide(link, (input, { identity }) =>
      told(async () => {
        await usable(tree, input.branch, "write", identity);
        if (!await mayRead(input.hash, { identity }, { grants, tree, publicBlobs })) {
          throw notFound(input.hash, "it is not complete in the store, or not for you");
        }
        return { seq: await tree.commit(input.branch, known(identity).id, (edit) => edit.putFile(input)) };
      })),
    provide(mkdir, edited((edit, input) => edit.mkdir(input))),
    provide(symlink, edited((edit, input) => edit.symlink(input))),
    provide(remove, edited((edit, input) => edit.remove(input))),
    provide(set, edited((edit, input) => edit.set(input))),
    provide(move, edited((edit, input) => edit.move(input))),
    provide(copy, edited((edit, input) => edit.copy(input))),
    provide(restore, edited((edit, input) => edit.restore(input))),
    provide(log, ({ branch, path, after, limit }, { identity }) =>
      told(async () => {
        await usable(tree, branch, "read", identity);
        const before = after === undefined ? undefined : Number(after);
        return paged("changes", await tree.log(branch, { path, before, limit }), limit, ({ seq }) => `${seq}`);
      })),
    provide(watch, async function* ({ branch, path, since }, { identity, signal }) {
      try {
        await usable(tree, branch, "read", identity);
        for await (const one of tree.watch(branch, { path, since, signal })) {
          // Its owner may have closed it since.
          if (!mayUse(await tree.branch(branch), "read", identity)) throw noBranch(branch);
          yield { ...one };
        }
      } catch (error) {
        throw callError(error);
      }
    }),
  ];
}
