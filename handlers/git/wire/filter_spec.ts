/**
 * What a partial clone leaves out (gitprotocol-v2, "fetch"; git-rev-list, "--filter").
 *
 * ```text
 * filter blob:none
 * filter blob:limit=1k      blobs of 1024 bytes and more
 * filter tree:2             what lies two levels and more below a commit: its tree is level 0
 * filter object:type=tag    what is of another kind
 * filter combine:blob:none+tree:3   what any of these leaves out, each percent-encoded
 * ```
 *
 * @module
 */
import { GitRequestError } from "../errors.ts";

/** What is sent of what a client lacks; what it names itself is sent whatever this says. */
export interface ObjectFilter {
  /** Only what lies on a level before this one, a commit's tree being on level 0; `Infinity`: all. */
  readonly treeDepth: number;
  /** Only blobs of fewer bytes; `Infinity`: all. */
  readonly blobBytes: number;
  /** Only objects of these kinds; absent: of all. */
  readonly kinds?: ReadonlySet<FilteredKind>;
}

/** A kind that a filter may name. */
export type FilteredKind = "commit" | "tree" | "blob" | "tag";

/** Filters in one. */
const MOST = 8;
/** Combinations in one another. */
const NESTED = 2;
const UNITS = { "": 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/**
 * Reads a filter.
 *
 * @throws {GitRequestError} `GIT_REFUSED`: it is none that is served.
 */
export function parseFilter(text: string): ObjectFilter {
  return simpleFilters(text, { left: MOST }, NESTED).reduce((all, one) => ({
    treeDepth: Math.min(all.treeDepth, one.treeDepth),
    blobBytes: Math.min(all.blobBytes, one.blobBytes),
    kinds: all.kinds && one.kinds ? all.kinds.intersection(one.kinds) : all.kinds ?? one.kinds,
  }));
}

function simpleFilters(text: string, count: { left: number }, nested: number): ObjectFilter[] {
  if (!text.startsWith("combine:")) {
    if (--count.left < 0) throw unsupported();
    return [simpleFilter(text)];
  }
  const parts = text.slice("combine:".length).split("+", count.left + 1);
  if (parts.length > count.left || nested === 0) throw unsupported();
  return parts.flatMap((part) => simpleFilters(decoded(part), count, nested - 1));
}

function simpleFilter(text: string): ObjectFilter {
  const all = { treeDepth: Infinity, blobBytes: Infinity };
  if (text === "blob:none") return { ...all, blobBytes: 0 };
  const [, what, digits, unit] = /^(blob:limit=|tree:)([0-9]{1,15})([kmg]?)$/i.exec(text) ?? [];
  const number = Number(digits) * UNITS[(unit ?? "").toLowerCase() as keyof typeof UNITS];
  if (what === "blob:limit=") return { ...all, blobBytes: number };
  if (what === "tree:") return { ...all, treeDepth: number };
  const kind = /^object:type=(commit|tree|blob|tag)$/.exec(text)?.[1];
  if (kind === undefined) throw unsupported();
  return { ...all, kinds: new Set([kind as FilteredKind]) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw unsupported();
  }
}

function unsupported(): GitRequestError {
  return new GitRequestError("GIT_REFUSED", "filter not supported");
}
