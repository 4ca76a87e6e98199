/**
 * A tree as a map of paths, which does what the real one does, slowly (the twin of random tests).
 *
 * @module
 */
import { isWithin } from "../../../../handlers/fs/tree/names.ts";
import type { Random } from "../../../support/random.ts";
import type { TreeEdit } from "@alknet/handlers/fs";

/** What a tree holds: paths, and what each stands for. */
export type Model = Map<string, string>;

const NAMES = ["a", "b", "c", "d"];

/** Any path, mostly of what is there. */
function anyPath(random: Random, model: Model): string {
  if (model.size > 0 && random.chance(0.8)) return random.pick([...model.keys()]);
  return newPath(random, model);
}

function newPath(random: Random, model: Model): string {
  const folders = ["", ...[...model].filter(([, what]) => what === "folder").map(([path]) => path)];
  return `${random.pick(folders)}/${random.pick(NAMES)}`;
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

function below(model: Model, path: string): [string, string][] {
  return [...model].filter(([at]) => isWithin(at, path));
}

function removeAll(model: Model, path: string): void {
  for (const [at] of below(model, path)) model.delete(at);
}

function comes(model: Model, from: readonly [string, string][], source: string, target: string): void {
  for (const [at, what] of from) model.set(target + at.slice(source.length), what);
}

/** An edit of any kind that is allowed, made in both; nothing where none came up. */
export function randomEdit(
  random: Random,
  model: Model,
  edit: TreeEdit,
  { hashes, versions }: { readonly hashes: readonly string[]; readonly versions: ReadonlyMap<number, Model> },
): void {
  const kind = random.pick(["put", "put", "put", "mkdir", "mkdir", "remove", "move", "move", "copy", "restore"]);
  if (kind === "put" || kind === "mkdir") {
    const path = newPath(random, model);
    if (kind === "put" && model.get(path) !== "folder") {
      const hash = random.pick(hashes);
      edit.putFile({ path, hash });
      model.set(path, hash);
    } else if (kind === "mkdir" && !model.has(path)) {
      edit.mkdir({ path });
      model.set(path, "folder");
    }
  } else if (kind === "remove") {
    const path = anyPath(random, model);
    if (!model.has(path) || random.chance(0.4)) return;
    edit.remove({ path, recursive: true });
    removeAll(model, path);
  } else if (kind === "move" || kind === "copy") {
    const [from, to] = [anyPath(random, model), newPath(random, model)];
    if (!model.has(from) || model.has(to) || isWithin(to, from)) return;
    const moved = below(model, from);
    edit[kind]({ from, to });
    if (kind === "move") removeAll(model, from);
    comes(model, moved, from, to);
  } else if (versions.size > 0) {
    const [seq, old] = random.pick([...versions]);
    if (old.size === 0) return;
    const path = random.pick([...old.keys()]);
    const parent = parentOf(path);
    if (parent !== "" && model.get(parent) !== "folder") return;
    edit.restore({ path, version: `${seq}` });
    removeAll(model, path);
    comes(model, below(old, path), path, path);
  }
}

/** A copy. */
export function copyOf(model: Model): Model {
  return new Map(model);
}

/** In one order. */
export function sorted(model: Model): [string, string][] {
  return [...model].sort(([one], [other]) => (one < other ? -1 : 1));
}
