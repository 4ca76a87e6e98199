/**
 * What a committed transaction does to the files of refs, by whoever does it: the one that began it, or, after a crash, the
 * next one that writes. Doing it again changes nothing.
 *
 * @module
 */
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  unlinkSync,
} from "node:fs";
import { dirname } from "node:path";
import { codeOf, type OnStep, sync, writeNew } from "./files.ts";
import type { Holder } from "./holder.ts";
import { type Move, ZERO } from "./journal.ts";
import { unlessMissing } from "./loose.ts";

/** What is applied where. */
export interface Applying {
  /** The repository's folder. */
  readonly folder: string;
  /** Who does it. */
  readonly holder: Holder;
  /** The reflog's text. */
  readonly by: string;
  /** Refs that move, from what is there. */
  readonly moves: readonly Move[];
  /** Files with the new values, by name, where they are written already. */
  readonly written?: ReadonlyMap<string, string>;
  /** A `packed-refs` without what is deleted, where it is written already. */
  readonly packed?: string;
  /** Told of each step. */
  readonly onStep?: OnStep;
}

/** Moves the refs. */
export async function applyMoves(work: Applying): Promise<void> {
  const { folder, moves, onStep } = work;
  const deleted = moves.filter((move) => move.new === ZERO);
  const touched = new Set<string>();
  const names = new Set(deleted.map(({ name }) => name));
  const packed = work.packed ?? await packedWithout(folder, names, work.holder.temporary());
  if (packed !== undefined) {
    renameSync(packed, `${folder}/packed-refs`);
    touched.add(folder);
    onStep?.("packed-refs");
  }
  for (const { name } of deleted) {
    removeFile(`${folder}/${name}`);
    removeFile(`${folder}/logs/${name}`);
    touched.add(dirname(`${folder}/${name}`));
    onStep?.("deleted");
  }
  for (const move of moves) {
    if (move.new === ZERO) continue;
    await place(move, work);
    touched.add(dirname(`${folder}/${move.name}`));
    log(move, work);
    onStep?.("moved");
  }
  for (const path of touched) if (existsSync(path)) await sync(path);
}

/** Removes the folders that deleted refs leave empty, and those of their logs. */
export function removeEmpty(folder: string, moves: readonly Move[]): void {
  for (const move of moves) {
    if (move.new !== ZERO) continue;
    for (const start of [folder, `${folder}/logs`]) {
      const parts = move.name.split("/");
      // refs/heads stays, however empty it is.
      for (let length = parts.length - 1; length > 2; length--) {
        if (!removed(`${start}/${parts.slice(0, length).join("/")}`)) break;
      }
    }
  }
}

/** Writes `packed-refs` without some refs; nothing where none of them is in it. */
export async function packedWithout(
  folder: string,
  names: ReadonlySet<string>,
  path: string,
): Promise<string | undefined> {
  if (names.size === 0) return undefined;
  const text = unlessMissing(() => readFileSync(`${folder}/packed-refs`, "utf8"));
  if (text === undefined) return undefined;
  let dropping = false;
  let found = false;
  const kept = text.split(/(?<=\n)/).filter((line) => {
    // A line with `^` belongs to the ref before it.
    if (!line.startsWith("^")) dropping = /^[0-9a-f]{40} /.test(line) && names.has(line.slice(41).trimEnd());
    found ||= dropping;
    return !dropping;
  });
  if (!found) return undefined;
  await writeNew(path, kept.join(""));
  return path;
}

async function place({ name, new: oid }: Move, { folder, holder, written }: Applying): Promise<void> {
  const path = `${folder}/${name}`;
  const ready = written?.get(name);
  const file = ready ?? holder.temporary();
  if (ready === undefined) await writeNew(file, `${oid}\n`);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  try {
    renameSync(file, path);
  } catch (error) {
    if (!["EISDIR", "ENOTEMPTY", "EEXIST"].includes(codeOf(error) ?? "")) throw error;
    // Where refs below it were deleted by the same transaction, folders and our own locks are left.
    removeTree(path);
    renameSync(file, path);
  }
}

/** Adds a line to the reflog of a head or a tag, unless it is the last one there. What cannot be written is left out. */
function log(move: Move, { folder, by }: Applying): void {
  if (!/^refs\/(?:heads|tags)\//.test(move.name)) return;
  const path = `${folder}/logs/${move.name}`;
  const line = `${move.old} ${move.new} ${by}\n`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    try {
      if (unlessMissing(() => readFileSync(path, "utf8"))?.endsWith(line)) return;
    } catch (error) {
      if (codeOf(error) !== "EISDIR") throw error;
      removeTree(path);
    }
    appendFileSync(path, line, { mode: 0o600 });
  } catch {
    // The refs have moved, which is what counts: no reflog is worth half a transaction.
  }
}

/** Removes a folder that holds nothing but folders and locks. */
function removeTree(path: string): void {
  for (const entry of unlessMissing(() => readdirSync(path, { withFileTypes: true })) ?? []) {
    if (entry.isDirectory()) removeTree(`${path}/${entry.name}`);
    else if (entry.name.endsWith(".lock")) unlessMissing(() => unlinkSync(`${path}/${entry.name}`));
  }
  rmdirSync(path);
}

/** A folder stays: of a packed ref that is deleted there is none, or one that a lock has made. */
function removeFile(path: string): void {
  try {
    unlessMissing(() => unlinkSync(path));
  } catch (error) {
    if (!["EISDIR", "EPERM", "ENOTEMPTY"].includes(codeOf(error) ?? "")) throw error;
  }
}

function removed(path: string): boolean {
  try {
    rmdirSync(path);
    return true;
  } catch {
    return false;
  }
}
