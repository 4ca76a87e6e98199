/**
 * The record of a closure: bodies of packs that together hold exactly what its tips reach, each object once (git.md §5.4).
 *
 * ```text
 * alknet-closure 1
 * tip <oid>                       unhidden heads and tags, rising; a tag object by its own oid
 * pack <trailer> <end> <count>    objects in bytes [12, end), in the order of sending
 * sum <SHA-1 of the lines before>
 * ```
 *
 * @module
 */
import { createHash } from "node:crypto";
import { isOid, type Oid } from "../../../objects/oid.ts";

const HEAD = "alknet-closure 1";

/** The beginning of a pack, up to where others' bases were appended. */
export interface RecordedBody {
  /** Trailer of the pack, 40 hex digits. */
  readonly pack: string;
  /** Where it ends; it begins behind the header of 12 bytes. */
  readonly end: number;
  /** Objects in it. */
  readonly count: number;
}

/** What is recorded. */
export interface ClosureRecord {
  /** What reaches all of it, each once, rising. */
  readonly tips: readonly Oid[];
  /** Bodies, those of bases first. */
  readonly bodies: readonly RecordedBody[];
}

/** The text of a record. */
export function formatClosure({ tips, bodies }: ClosureRecord): string {
  const lines = [
    HEAD,
    ...[...new Set(tips)].sort().map((oid) => `tip ${oid}`),
    ...bodies.map(({ pack, end, count }) => `pack ${pack} ${end} ${count}`),
  ].map((line) => `${line}\n`).join("");
  return `${lines}sum ${sumOf(lines)}\n`;
}

/** What a text records; nothing where it is no whole record. */
export function parseClosure(text: string): ClosureRecord | undefined {
  const [, lines, sum] = /^(.*\n)sum ([0-9a-f]{40})\n$/s.exec(text) ?? [];
  if (lines === undefined || sumOf(lines) !== sum) return undefined;
  const [head, ...rest] = lines.slice(0, -1).split("\n");
  if (head !== HEAD) return undefined;
  const tips: Oid[] = [];
  const bodies: RecordedBody[] = [];
  for (const line of rest) {
    const [what, name, end, count] = line.split(" ");
    if (!isOid(name ?? "")) return undefined;
    if (what === "tip") tips.push(name);
    else if (what === "pack" && /^[0-9]{1,15}$/.test(end) && /^[0-9]{1,10}$/.test(count)) {
      bodies.push({ pack: name, end: Number(end), count: Number(count) });
    } else return undefined;
  }
  return { tips, bodies };
}

function sumOf(text: string): string {
  return createHash("sha1").update(text).digest("hex");
}
