/**
 * What the operations of fs answer (fs.md §8).
 *
 * @module
 */
import Type from "typebox";
import { closed, hash, whole } from "./declaring.ts";

const kind = Type.Enum(["file", "folder", "link"]);
const text = Type.String();
const time = Type.Number({ description: "milliseconds since 1970" });

/** What a name stands for. */
export const entry = Type.Object({
  name: text,
  kind,
  seq: whole,
  mode: whole,
  mtime: time,
  hash: Type.Optional(hash),
  size: Type.Optional(whole),
  target: Type.Optional(text),
}, closed);

/** A branch. */
export const branch = Type.Object({
  name: text,
  head: whole,
  parent: Type.Optional(text),
  at: Type.Optional(whole),
  owner: Type.Optional(text),
  public: Type.Boolean(),
}, closed);

/** A snapshot. */
export const snapshot = Type.Object({
  name: text,
  seq: whole,
  note: Type.Optional(text),
  owner: Type.Optional(text),
  time,
}, closed);

/** A change of a commit. */
export const change = Type.Object({
  seq: whole,
  n: whole,
  time,
  actor: text,
  op: Type.Enum(["put", "mkdir", "symlink", "set", "remove", "move", "copy", "restore", "merge"]),
  path: text,
  origin: Type.Optional(text),
  kind: Type.Optional(kind),
  hash: Type.Optional(hash),
  size: Type.Optional(whole),
}, closed);

/** How two versions differ at a path. */
export const difference = Type.Object({
  path: text,
  change: Type.Enum(["added", "removed", "changed", "moved"]),
  from: Type.Optional(text),
  before: Type.Optional(entry),
  after: Type.Optional(entry),
}, closed);

/** What became of a merge. */
export const mergeResult = Type.Object({
  seq: Type.Optional(whole),
  applied: whole,
  conflicts: Type.Array(Type.Object({
    path: text,
    reason: Type.Enum(["changed", "removed", "kind", "moved", "cycle"]),
    base: Type.Optional(entry),
    from: Type.Optional(entry),
    into: Type.Optional(entry),
  }, closed)),
}, closed);

/** How much somebody keeps. */
export const usage = Type.Object({
  owner: text,
  bytes: whole,
  files: whole,
  maxBytes: Type.Optional(whole),
  maxFiles: Type.Optional(whole),
}, closed);
