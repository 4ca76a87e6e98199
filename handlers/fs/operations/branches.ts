/**
 * `fs/…`: branches and snapshots, made, compared and merged (fs.md §8).
 *
 * @module
 */
import { CallError, type HandlerRegistration, operation, provide } from "@alknet/core/operations";
import Type from "typebox";
import { mayUse } from "../rights.ts";
import type { TreeFs } from "../store.ts";
import { compareNames } from "../tree/names.ts";
import type { Branch, Difference } from "../tree/path_tree.ts";
import {
  branchAt,
  branchName,
  closed,
  ERRORS as errors,
  known,
  next,
  page,
  paged,
  path,
  snapshotName,
  told,
  usable,
} from "./declaring.ts";
import { branch as shape, difference, mergeResult, snapshot as snapshotShape, usage as usageShape } from "./shapes.ts";

/** Scopes of those who may make branches. */
const FORKERS: readonly string[] = ["fs:write", "fs:admin", "admin"];
const nothing = Type.Union([Type.Null(), Type.Object({}, closed)], { description: "nothing: null or {}" });

const diff = operation({
  name: "fs/diff",
  type: "query",
  description: "How two versions differ, by path.",
  input: Type.Object({ from: branchAt, to: branchAt, path: Type.Optional(path), ...page }, closed),
  output: Type.Object({ differences: Type.Array(difference), next }, closed),
  errors,
});
const merge = operation({
  name: "fs/merge",
  type: "mutation",
  description: "Brings into a branch what another changed; where both changed the same, the policy decides.",
  input: Type.Object({
    from: branchAt,
    into: branchName,
    policy: Type.Optional(Type.Enum(["fail", "ours", "theirs", "both"])),
    dryRun: Type.Optional(Type.Boolean()),
  }, closed),
  output: mergeResult,
  errors,
});
const fork = operation({
  name: "fs/fork",
  type: "mutation",
  description: "Makes a branch that begins as a version of another.",
  input: Type.Object({ name: branchName, from: branchAt }, closed),
  output: shape,
  errors,
});
const drop = operation({
  name: "fs/drop",
  type: "mutation",
  description: "Takes a branch away; what was forked from it stays.",
  input: Type.Object({ branch: branchName }, closed),
  output: shape,
  errors,
});
const configure = operation({
  name: "fs/configure",
  type: "mutation",
  description: "Says whether anyone may read a branch, and whose it is.",
  input: Type.Object({
    branch: branchName,
    public: Type.Optional(Type.Boolean()),
    owner: Type.Optional(
      Type.String({ minLength: 1, maxLength: 128, pattern: "^[^\\u0000-\\u001f\\u007f-\\u009f]*$" }),
    ),
  }, closed),
  output: shape,
  errors,
});
const branches = operation({
  name: "fs/branches",
  type: "query",
  description: "The branches that the caller may see.",
  input: Type.Union([Type.Null(), Type.Object({ ...page }, closed)]),
  output: Type.Object({ branches: Type.Array(shape), next }, closed),
  errors,
});
const usage = operation({
  name: "fs/usage",
  type: "query",
  description: "How much the caller keeps, and how much it may.",
  input: nothing,
  output: usageShape,
  errors,
});
const snapshot = operation({
  name: "fs/snapshot",
  type: "mutation",
  description: "Names the head of a branch, and keeps it.",
  input: Type.Object(
    { branch: branchName, name: snapshotName, note: Type.Optional(Type.String({ maxLength: 1000 })) },
    closed,
  ),
  output: snapshotShape,
  errors,
});
const snapshots = operation({
  name: "fs/snapshots",
  type: "query",
  description: "The snapshots of a branch.",
  input: Type.Object({ branch: branchName, ...page }, closed),
  output: Type.Object({ snapshots: Type.Array(snapshotShape), next }, closed),
  errors,
});
const unsnapshot = operation({
  name: "fs/unsnapshot",
  type: "mutation",
  description: "Takes the name of a version away.",
  input: Type.Object({ branch: branchName, name: snapshotName }, closed),
  output: snapshotShape,
  errors,
});

/** The operations on branches. */
export function branchOperations({ tree }: TreeFs): HandlerRegistration[] {
  return [
    provide(diff, ({ from, to, path, after, limit = 1000 }, { identity }) =>
      told(async () => {
        for (const name of [from, to]) await usable(tree, name, "read", identity);
        const found: Difference[] = [];
        for await (const one of tree.diff(from, to, path)) {
          if (after !== undefined && compareNames(one.path, after) <= 0) continue;
          // Two of one path are told together.
          if (found.length >= limit && found.at(-1)!.path !== one.path) break;
          found.push(one);
        }
        return paged("differences", found, limit, (one) => one.path);
      })),
    provide(merge, ({ from, into, policy, dryRun }, { identity }) =>
      told(async () => {
        await usable(tree, from, "read", identity);
        await usable(tree, into, "write", identity);
        const { conflicts, ...rest } = await tree.merge(from, into, { actor: known(identity).id, policy, dryRun });
        return { ...rest, conflicts: [...conflicts] };
      })),
    provide(fork, ({ name, from }, { identity }) =>
      told(async () => {
        await usable(tree, from, "read", identity);
        const { id, scopes } = known(identity);
        if (!scopes.some((scope) => FORKERS.includes(scope))) {
          throw new CallError("FORBIDDEN", `missing required scope (any of: ${FORKERS.join(", ")})`);
        }
        return { ...await tree.fork(name, from, id) };
      })),
    provide(drop, ({ branch }, { identity }) =>
      told(async () => {
        await usable(tree, branch, "admin", identity);
        return { ...await tree.drop(branch) };
      })),
    provide(configure, ({ branch, ...changes }, { identity }) =>
      told(async () => {
        await usable(tree, branch, "admin", identity);
        return { ...await tree.configure(branch, changes) };
      })),
    provide(branches, (input, { identity }) =>
      told(async () => {
        const { after, limit = 1000 } = input ?? {};
        const found: Branch[] = [];
        for await (const one of tree.branches(after)) {
          if (!mayUse(one, "read", identity)) continue;
          if (found.push(one) === limit) break;
        }
        return paged("branches", found, limit, ({ name }) => name);
      })),
    provide(usage, (_input, { identity }) => told(async () => ({ ...await tree.usage(known(identity).id) }))),
    provide(snapshot, ({ branch, name, note }, { identity }) =>
      told(async () => {
        await usable(tree, branch, "write", identity);
        return { ...await tree.snapshot(branch, name, known(identity).id, note) };
      })),
    provide(snapshots, ({ branch, after, limit }, { identity }) =>
      told(async () => {
        await usable(tree, branch, "read", identity);
        return paged("snapshots", await tree.snapshots(branch, { after, limit }), limit, ({ name }) => name);
      })),
    provide(unsnapshot, ({ branch, name }, { identity }) =>
      told(async () => {
        await usable(tree, branch, "write", identity);
        return { ...await tree.unsnapshot(branch, name) };
      })),
  ];
}
