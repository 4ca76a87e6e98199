/**
 * `fetch`: its arguments (gitprotocol-v2, "fetch").
 *
 * @module
 */
import { GitRequestError, malformed } from "../errors.ts";
import { shown } from "./command.ts";
import { type AskedDepth, DepthLines } from "./depth.ts";
import { type ObjectFilter, parseFilter } from "./filter_spec.ts";

/** What a client wants, and what it has. */
export interface FetchRequest {
  /** Objects it wants, each once. */
  readonly wants: readonly string[];
  /** Refs of which it wants what they point at, each once. */
  readonly wantRefs: readonly string[];
  /** Commits and tags that it says it has, each once. */
  readonly haves: readonly string[];
  /** It will not say more: send the pack. */
  readonly done: boolean;
  /** It will say so itself: no pack before. */
  readonly waitForDone: boolean;
  /** It reads deltas whose base is named by distance. */
  readonly ofsDelta: boolean;
  /** It completes packs that leave out bases it has. */
  readonly thinPack: boolean;
  /** It wants no progress. */
  readonly noProgress: boolean;
  /** It wants annotated tags of what is sent. */
  readonly includeTag: boolean;
  /** How much of the history it has and wants. */
  readonly depth: AskedDepth;
  /** What it wants no more of than it names. */
  readonly filter?: ObjectFilter;
}

/** What a request may take. */
export interface FetchLimits {
  /** Objects and refs that are wanted. */
  readonly wants: number;
  /** What the client has. */
  readonly haves: number;
  /** Where its history ends. */
  readonly shallows: number;
  /** Whether filters are served. */
  readonly filters: boolean;
}

type Flag = "done" | "waitForDone" | "ofsDelta" | "thinPack" | "noProgress" | "includeTag" | "relative";

const WANT_REF = "want-ref ";
const FILTER = "filter ";
const OID = /^(want|have) ([0-9a-f]{40})$/;
const FLAGS: Readonly<Record<string, Flag>> = {
  "done": "done",
  "wait-for-done": "waitForDone",
  "ofs-delta": "ofsDelta",
  "thin-pack": "thinPack",
  "no-progress": "noProgress",
  "include-tag": "includeTag",
  "deepen-relative": "relative",
};

/**
 * Reads the arguments.
 *
 * @throws {GitRequestError} `GIT_PROTOCOL`: one is unknown; `GIT_REFUSED`: not served; `GIT_TOO_LARGE`: too many.
 */
export function parseFetch(args: readonly string[], limits: FetchLimits): FetchRequest {
  const flags: Partial<Record<Flag, boolean>> = {};
  const wantRefs = new Set<string>();
  const oids = { want: new Set<string>(), have: new Set<string>() };
  const depth = new DepthLines(limits.shallows);
  let filter: ObjectFilter | undefined;
  for (const arg of args) {
    const [, kind, oid] = OID.exec(arg) ?? [];
    if (arg.startsWith(WANT_REF)) {
      wantRefs.add(arg.slice(WANT_REF.length));
      if (wantRefs.size > limits.wants) throw new GitRequestError("GIT_TOO_LARGE", "too many wants");
    } else if (kind === "want" || kind === "have") {
      oids[kind].add(oid);
      if (oids[kind].size > limits[`${kind}s`]) throw new GitRequestError("GIT_TOO_LARGE", `too many ${kind}s`);
    } else if (Object.hasOwn(FLAGS, arg)) flags[FLAGS[arg]] = true;
    else if (arg.startsWith(FILTER)) filter = filterOf(arg, limits.filters);
    else if (!depth.take(arg)) throw malformed(`unexpected line: '${shown(arg)}'`);
  }
  const { done, waitForDone, ofsDelta, thinPack, noProgress, includeTag, relative } = flags;
  return {
    done: done ?? false,
    waitForDone: waitForDone ?? false,
    ofsDelta: ofsDelta ?? false,
    thinPack: thinPack ?? false,
    noProgress: noProgress ?? false,
    includeTag: includeTag ?? false,
    wants: [...oids.want],
    wantRefs: [...wantRefs],
    haves: [...oids.have],
    depth: depth.end(relative ?? false),
    filter,
  };
}

/**
 * The filter of a line that begins with `filter `.
 *
 * @param served Whether the repository serves any.
 * @throws {GitRequestError} `GIT_REFUSED`: it does not, or not this one.
 */
export function filterOf(line: string, served: boolean): ObjectFilter {
  if (!served) throw new GitRequestError("GIT_REFUSED", "filter not supported");
  return parseFilter(line.slice(FILTER.length));
}
