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
  /^(shallow|deepen|deepen-relative|deepen-since|deepen-not|filter|want-ref|sideband-all|packfile-uris|wait-for-done)(?: |$)/;

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
  const oids = { want: new Set<string>(), have: new Set<string>() };
  for (const arg of args) {
    const [, kind, oid] = OID.exec(arg) ?? [];
    if (kind === "want" || kind === "have") {
      oids[kind].add(oid);
      if (oids[kind].size > limits[`${kind}s`]) throw new GitRequestError("GIT_TOO_LARGE", `too many ${kind}s`);
    } else if (Object.hasOwn(FLAGS, arg)) flags[FLAGS[arg]] = true;
    else throw refusalOf(arg);
  }
  return { ...flags, wants: [...oids.want], haves: [...oids.have] };
}

function refusalOf(arg: string): GitRequestError {
  const word = UNSERVED.exec(arg)?.[1];
  return word === undefined
    ? malformed(`unexpected line: '${shown(arg)}'`)
    : new GitRequestError("GIT_REFUSED", `upload-pack: ${word} is not served: no shallow or partial clones yet`);
}
