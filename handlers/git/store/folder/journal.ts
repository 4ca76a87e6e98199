/**
 * The journal of a transaction of refs: as `refs.prepare` it says whose locks lie there, as `refs.commit` what is done.
 *
 * ```text
 * alknet-refs 1
 * holder 5f0c1e9a3b7d2468
 * by laptop <> 1700000000 +0000\tpush      the reflog's text
 * <old> <new> refs/heads/main              zeros: it is not there
 * sum <SHA-1 of the lines before>
 * ```
 *
 * @module
 */
import { createHash } from "node:crypto";
import { isOid, type Oid } from "../../objects/oid.ts";
import { isRefName } from "../../wire/names.ts";
import { HOLDER } from "./holder.ts";

/** The object id of nothing. */
export const ZERO: Oid = "0".repeat(40);

/** A ref that moves. */
export interface Move {
  /** Its full name. */
  readonly name: string;
  /** What it points at before; {@linkcode ZERO}: it is not there. */
  readonly old: Oid;
  /** What it points at afterwards; {@linkcode ZERO}: it is not there. */
  readonly new: Oid;
}

/** What a journal says. */
export interface Journal {
  /** Whose it is. */
  readonly holder: string;
  /** What stands in the reflog. */
  readonly by: string;
  /** What is done. */
  readonly moves: readonly Move[];
}

/** The text of a journal. */
export function formatJournal({ holder, by, moves }: Journal): string {
  const lines = moves.map((move) => `${move.old} ${move.new} ${move.name}\n`);
  const text = `alknet-refs 1\nholder ${holder}\nby ${by}\n${lines.join("")}`;
  return `${text}sum ${sumOf(text)}\n`;
}

/** Reads a journal; nothing where it is none, or not whole. */
export function parseJournal(text: string): Journal | undefined {
  const [, body, sum] = /^(.*\n)sum ([0-9a-f]{40})\n$/s.exec(text) ?? [];
  if (body === undefined || sumOf(body) !== sum) return undefined;
  const [version, holderLine, byLine, ...rest] = body.split("\n").slice(0, -1);
  const holder = /^holder (.*)$/.exec(holderLine ?? "")?.[1] ?? "";
  const by = /^by (.*)$/.exec(byLine ?? "")?.[1];
  if (version !== "alknet-refs 1" || !HOLDER.test(holder) || by === undefined) return undefined;
  const moves: Move[] = [];
  for (const line of rest) {
    const [old, new_, name] = [line.slice(0, 40), line.slice(41, 81), line.slice(82)];
    if (!isOid(old) || !isOid(new_) || !isRefName(name)) return undefined;
    moves.push({ name, old, new: new_ });
  }
  return { holder, by, moves };
}

/** The text of a reflog for who pushes, now. What a name may not hold there is left out. */
export function reflogText(who: string): string {
  // deno-lint-ignore no-control-regex
  const name = who.replaceAll(/[\x00-\x1f\x7f<>]/g, "").slice(0, 256);
  return `${name} <> ${Math.floor(Date.now() / 1000)} +0000\tpush`;
}

function sumOf(text: string): string {
  return createHash("sha1").update(text).digest("hex");
}
