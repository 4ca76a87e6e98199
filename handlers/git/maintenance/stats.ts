/**
 * What a repository holds, in numbers.
 *
 * @module
 */
import { readdirSync, statSync } from "node:fs";
import { unlessMissing } from "../store/folder/loose.ts";
import type { OpenFolder } from "../store/folder/repositories.ts";

/** Numbers of a repository. */
export interface RepositoryStats {
  /** Packs. */
  readonly packs: number;
  /** Objects that are in no pack of their own. */
  readonly loose: number;
  /** Objects, each as often as it is stored. */
  readonly objects: number;
  /** Bytes of packs and loose objects. */
  readonly bytes: number;
  /** Refs that are shown. */
  readonly refs: number;
  /** Whether a record spares walks. */
  readonly closure: boolean;
}

/** The numbers of an open repository. */
export async function statsOf({ folder, objects, closure, refs }: OpenFolder): Promise<RepositoryStats> {
  objects.look();
  let loose = 0;
  let bytes = objects.packBytes();
  for (const prefix of unlessMissing(() => readdirSync(`${folder}/objects`)) ?? []) {
    if (!/^[0-9a-f]{2}$/.test(prefix)) continue;
    for (const name of unlessMissing(() => readdirSync(`${folder}/objects/${prefix}`)) ?? []) {
      if (!/^[0-9a-f]{38}$/.test(name)) continue;
      loose++;
      bytes += unlessMissing(() => statSync(`${folder}/objects/${prefix}/${name}`).size) ?? 0;
    }
  }
  const names = unlessMissing(() => readdirSync(`${folder}/objects/pack`)) ?? [];
  const packed = objects.packs.reduce((sum, { index }) => sum + index.count, 0);
  return {
    packs: names.filter((name) => name.endsWith(".idx")).length,
    loose,
    objects: packed + loose,
    bytes,
    refs: [...(await refs.snapshot()).list()].length,
    closure: closure.read() !== undefined,
  };
}
