/**
 * `fetch`: its arguments (gitprotocol-v2, "fetch").
 *
 * @module
 */
import { GitRequestError, malformed } from "../errors.ts";
import { shown } from "./command.ts";

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
  /** It reads deltas whose base is named by distance. */
  readonly ofsDelta: boolean;
  /** It completes packs that leave out bases it has. */
  readonly thinPack: boolean;
  /** It wants no progress. */
  readonly noProgress: boolean;
  /** It wants annotated tags of what is sent. */
  readonly includeTag: boolean;
}

const WANT_REF = "want-ref ";
const OID = /^(want|have) ([0-9a-f]{40})$/;
const FLAGS: Readonly<Record<string, "done" | "ofsDelta" | "thinPack" | "noProgress" | "includeTag">> = {
  "done": "done",
  "ofs-delta": "ofsDelta",
  "thin-pack": "thinPack",
  "no-progress": "noProgress",
  "include-tag": "includeTag",
};
/** What git can ask for and this node does not serve yet. */
const UNSERVED =
  /^(shallow|deepen|deepen-relative|deepen-since|deepen-not|filter|sideband-all|packfile-uris|wait-for-done)(?: |$)/;

/**
 * Reads the arguments.
 *
 * @throws {GitRequestError} `GIT_PROTOCOL`: one is unknown; `GIT_REFUSED`: not served; `GIT_TOO_LARGE`: too many.
 */
export function parseFetch(
  args: readonly string[],
  limits: { readonly wants: number; readonly haves: number },
): FetchRequest {
  const flags = { done: false, ofsDelta: false, thinPack: false, noProgress: false, includeTag: false };
  const wantRefs = new Set<string>();
  const oids = { want: new Set<string>(), have: new Set<string>() };
  for (const arg of args) {
    const [, kind, oid] = OID.exec(arg) ?? [];
    if (arg.startsWith(WANT_REF)) {
      wantRefs.add(arg.slice(WANT_REF.length));
      if (wantRefs.size > limits.wants) throw new GitRequestError("GIT_TOO_LARGE", "too many wants");
    } else if (kind === "want" || kind === "have") {
      oids[kind].add(oid);
      if (oids[kind].size > limits[`${kind}s`]) throw new GitRequestError("GIT_TOO_LARGE", `too many ${kind}s`);
    } else if (Object.hasOwn(FLAGS, arg)) flags[FLAGS[arg]] = true;
    else throw unservedWord(arg) ?? malformed(`unexpected line: '${shown(arg)}'`);
  }
  return { ...flags, wants: [...oids.want], wantRefs: [...wantRefs], haves: [...oids.have] };
}

/** The refusal of a line that is git's and not served; nothing of what is none of git's. */
export function unservedWord(line: string): GitRequestError | undefined {
  const word = UNSERVED.exec(line)?.[1];
  return word === undefined
    ? undefined
    : new GitRequestError("GIT_REFUSED", `upload-pack: ${word} is not served: no shallow or partial clones yet`);
}
