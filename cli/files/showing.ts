/**
 * How names, commits and differences are written for people.
 *
 * @module
 */
import type { Branch, Change, Conflict, Difference, Entry, Snapshot } from "@alknet/handlers/fs";
import { formatSize } from "../terminal/size.ts";
import { visibleLine } from "../terminal/visible.ts";

const LETTERS = { added: "A", changed: "M", removed: "D", moved: "R" } as const;
const TYPES = { file: "-", folder: "d", link: "l" } as const;
/** Columns of a size: `1023.9 MiB`. */
const SIZE_WIDTH = 10;

/** A name: folders with a slash at their end. */
export function nameText({ name, kind }: Entry, folder = ""): string {
  return visibleLine(`${folder}${name}`) + (kind === "folder" ? "/" : "");
}

/** `-rw-r--r--  1.2 MiB  2026-11-28 01:13  a.txt`, and of a link ` -> b`. */
export function longText(entry: Entry, folder = ""): string {
  const { kind, mode, mtime, size, target } = entry;
  const leads = target === undefined ? "" : ` -> ${visibleLine(target)}`;
  const bytes = (size === undefined ? "-" : formatSize(size)).padStart(SIZE_WIDTH);
  return `${TYPES[kind]}${modeText(mode)}  ${bytes}  ${timeText(mtime)}  ${nameText(entry, folder)}${leads}`;
}

/** `12  2026-11-28 01:13  laptop  put  /a/b`. */
export function changeText({ seq, time, actor, op, path, origin }: Change): string {
  const from = origin === undefined ? "" : ` (from ${visibleLine(origin)})`;
  return `${seq}  ${timeText(time)}  ${visibleLine(actor)}  ${op}  ${visibleLine(path)}${from}`;
}

/** `M  /a/b`. */
export function differenceText({ change, path, from }: Difference): string {
  const was = change === "moved" && from !== undefined ? `${visibleLine(from)} -> ` : "";
  return `${LETTERS[change]}  ${was}${visibleLine(path)}`;
}

/** `changed  /a/b`. */
export function conflictText({ reason, path }: Conflict): string {
  return `${reason}  ${visibleLine(path)}`;
}

/** `main  13  local  private`. */
export function branchText({ name, head, owner = "-", public: open, parent, at }: Branch): string {
  const from = parent === undefined ? "" : `  from ${visibleLine(parent)}@${at}`;
  return `${visibleLine(name)}  ${head}  ${visibleLine(owner)}  ${open ? "public" : "private"}${from}`;
}

/** `name  12  2026-11-28  note`. */
export function snapshotText({ name, seq, time, note = "" }: Snapshot): string {
  const day = time === 0 ? "-" : timeText(time).slice(0, 10);
  return `${visibleLine(name)}  ${seq}  ${day}  ${visibleLine(note)}`.trimEnd();
}

/** `2026-11-28 01:13`, UTC. */
export function timeText(time: number): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? "-" : date.toISOString().slice(0, 16).replace("T", " ");
}

function modeText(mode: number): string {
  return [6, 3, 0].map((shift) => [..."rwx"].map((letter, i) => ((mode >> shift) & (4 >> i) ? letter : "-")).join(""))
    .join("");
}
