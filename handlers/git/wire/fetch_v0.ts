/**
 * A fetch in versions 0 and 1: what is wanted, and then, line by line, what the client has (gitprotocol-pack, "Packfile
 * Negotiation").
 *
 * ```text
 * 0098want <oid> multi_ack_detailed side-band-64k ofs-delta agent=git/2.39.5\n   the first with capabilities
 * 0032want <oid>\n 0035shallow <oid>\n 000ddeepen 3\n 0015filter blob:none\n 0000
 * 0035shallow <oid>\n 0037unshallow <oid>\n 0000   the answer where a depth is asked for
 * 0032have <oid>\n … 0000   rounds, each answered
 * 0009done\n                the pack
 * ```
 *
 * @module
 */
import { GitRequestError, malformed } from "../errors.ts";
import { shown } from "./command.ts";
import { type AskedDepth, DepthLines } from "./depth.ts";
import { filterOf } from "./fetch_request.ts";
import type { ObjectFilter } from "./filter_spec.ts";
import { lineText, type PktReader } from "./pkt_line.ts";
import { MAX_BAND, SMALL_BAND } from "./side_band.ts";

/** What a client wants, and how it talks. */
export interface WantedV0 {
  /** Objects it wants, each once. */
  readonly wants: readonly string[];
  /** How it is told what is common. */
  readonly acks: "one" | "many" | "detailed";
  /** It needs not say `done` where the node is ready. */
  readonly noDone: boolean;
  /** Most data of a line of the side bands; 0: it reads none. */
  readonly bandSize: number;
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
  /** Bytes that the request has taken. */
  readonly bytes: number;
}

/** What a request may take. */
export interface WantLimits {
  /** Objects that are wanted. */
  readonly wants: number;
  /** Commits where the client's history ends. */
  readonly shallows: number;
  /** Whether filters are served. */
  readonly filters: boolean;
  /** Bytes in memory, an object id counted with 32. */
  readonly bytes: number;
  /** Milliseconds of silence. */
  readonly idle?: number;
}

/** What the node can do, for the first line of its advertisement. */
export const FETCH_CAPABILITIES: readonly string[] = [
  "multi_ack",
  "thin-pack",
  "side-band",
  "side-band-64k",
  "ofs-delta",
  "shallow",
  "deepen-since",
  "deepen-not",
  "deepen-relative",
  "no-progress",
  "include-tag",
  "multi_ack_detailed",
  "allow-tip-sha1-in-want",
  "allow-reachable-sha1-in-want",
  "object-format=sha1",
];
/** The same, where each request stands for itself. */
export const NO_DONE = "no-done";
/** The same, where filters are served. */
export const FILTER = "filter";

const WANT = /^want ([0-9a-f]{40})(?: (.*))?$/s;
const HAVE = /^have ([0-9a-f]{40})$/;
/** What a line of an object id counts. */
const OID_BYTES = 32;

/**
 * Reads what is wanted; nothing where the client wants nothing.
 *
 * @throws {GitRequestError} `GIT_PROTOCOL`, `GIT_REFUSED`: what it asks for is not served; `GIT_TOO_LARGE`, `GIT_SLOW`.
 */
export async function readWants(reader: PktReader, limits: WantLimits): Promise<WantedV0 | undefined> {
  const wants = new Set<string>();
  const depth = new DepthLines(limits.shallows);
  let filter: ObjectFilter | undefined;
  let capabilities: readonly string[] = [];
  let bytes = 0;
  let first = true;
  for (;; first = false) {
    const packet = await reader.next(limits.idle);
    if (packet === "flush" || (packet === undefined && first)) break;
    if (packet === undefined || packet === "delim") throw malformed("expected a flush after what is wanted");
    const line = lineText(packet);
    const [, oid, rest] = WANT.exec(line) ?? [];
    if (rest !== undefined && first) capabilities = rest.split(" ").filter((one) => one !== "");
    if (oid !== undefined && (first || rest === undefined)) wants.add(oid);
    else if (!first && line.startsWith(`${FILTER} `)) filter = filterOf(line, limits.filters);
    else if (first || !depth.take(line)) throw malformed(`unexpected line: '${shown(line)}'`);
    bytes += Math.max(OID_BYTES, packet.byteLength - 16);
    if (wants.size > limits.wants) throw new GitRequestError("GIT_TOO_LARGE", "too many wants");
    if (bytes > limits.bytes) throw new GitRequestError("GIT_TOO_LARGE", "request too large");
  }
  if (wants.size === 0) return undefined;
  const asked = { depth: depth.end(capabilities.includes("deepen-relative")), filter };
  return { wants: [...wants], bytes, ...asked, ...understood(capabilities) };
}

/** What a client says of what it has: an object, a round's end, or that this was all. Nothing: it has gone. */
export type Said = { readonly have: string } | "flush" | "done" | undefined;

/**
 * Reads one line of the negotiation.
 *
 * @throws {GitRequestError} `GIT_PROTOCOL`, `GIT_SLOW`.
 */
export async function readSaid(reader: PktReader, idle?: number): Promise<Said> {
  const packet = await reader.next(idle);
  if (packet === undefined || packet === "flush") return packet;
  if (packet === "delim") throw malformed("unexpected delim");
  const line = lineText(packet);
  if (line === "done") return "done";
  const have = HAVE.exec(line)?.[1];
  if (have === undefined) throw malformed(`unexpected line: '${shown(line)}'`);
  return { have };
}

function understood(capabilities: readonly string[]): Omit<WantedV0, "wants" | "bytes" | "depth" | "filter"> {
  for (const one of capabilities) {
    if (FETCH_CAPABILITIES.includes(one) || one === NO_DONE || one === FILTER || one.startsWith("agent=")) continue;
    throw malformed(`unknown capability '${shown(one)}'`);
  }
  const has = (one: string): boolean => capabilities.includes(one);
  return {
    acks: has("multi_ack_detailed") ? "detailed" : has("multi_ack") ? "many" : "one",
    noDone: has(NO_DONE),
    bandSize: has("side-band-64k") ? MAX_BAND : has("side-band") ? SMALL_BAND : 0,
    ofsDelta: has("ofs-delta"),
    thinPack: has("thin-pack"),
    noProgress: has("no-progress"),
    includeTag: has("include-tag"),
  };
}
