/**
 * The record of packs that hold what nothing reached, and since when (git.md §5.5): `alknet/dropped`, a line for each,
 * `<trailer> <Unix seconds>`.
 *
 * @module
 */
import { existsSync, readFileSync, renameSync, statSync } from "node:fs";
import { sync, writeNew } from "../store/folder/files.ts";
import type { Holder } from "../store/folder/holder.ts";
import { unlessMissing } from "../store/folder/loose.ts";

/** Seconds for which what nothing reaches is kept, as git keeps it. */
export const KEPT_FOR = 14 * 86_400;

/** A pack of what nothing reached. */
export interface DroppedPack {
  /** Its trailer. */
  readonly hash: string;
  /** Unix seconds at which nothing reached it any more. */
  readonly since: number;
}

/** The packs of a repository's record that are there. A line that is none is of nobody, and left out. */
export function readDropped(folder: string): DroppedPack[] {
  const text = unlessMissing(() => readFileSync(recordOf(folder), "utf8")) ?? "";
  const packs: DroppedPack[] = [];
  for (const line of text.split("\n")) {
    const [, hash, since] = /^([0-9a-f]{40}) ([0-9]{1,12})$/.exec(line) ?? [];
    if (hash === undefined || !existsSync(`${folder}/objects/pack/${packName(hash)}.idx`)) continue;
    packs.push({ hash, since: Number(since) });
  }
  return packs;
}

/** Writes the record, which says besides when it was written. */
export async function writeDropped(folder: string, packs: readonly DroppedPack[], holder: Holder): Promise<void> {
  const temporary = holder.temporary();
  await writeNew(temporary, packs.map(({ hash, since }) => `${hash} ${since}\n`).join(""));
  renameSync(temporary, recordOf(folder));
  await sync(`${folder}/alknet`);
}

/** Unix seconds of the last full run, or of the first of any kind; nothing where there was none. */
export function lastFull(folder: string): number | undefined {
  const written = unlessMissing(() => statSync(recordOf(folder)).mtimeMs);
  return written === undefined ? undefined : Math.floor(written / 1000);
}

/** The name of a pack's files, without their endings. */
export function packName(hash: string): string {
  return `pack-${hash}`;
}

function recordOf(folder: string): string {
  return `${folder}/alknet/dropped`;
}
