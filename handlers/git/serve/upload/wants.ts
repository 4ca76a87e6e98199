/**
 * What a client may want: what refs that it was shown point at, and what these reach.
 *
 * @module
 */
import { GitRequestError, malformed } from "../../errors.ts";
import type { RefSnapshot } from "../../store/types.ts";
import { type Horizon, horizonOf } from "../../walk/shallow.ts";
import { shown } from "../../wire/command.ts";
import { type AskedDepth, deepens } from "../../wire/depth.ts";
import { firstStranger } from "../visible.ts";
import type { Known } from "./known.ts";
import type { UploadPack } from "./selected_pack.ts";

/**
 * Lets pass what may be wanted.
 *
 * @throws {GitRequestError} `GIT_REFUSED`: something else is. Whether there is such an object is not told.
 */
export async function checkWants(
  wants: readonly string[],
  snapshot: RefSnapshot,
  { repository, limits, walks, signal }: UploadPack,
  { reader, pace }: Known,
): Promise<void> {
  const stranger = await firstStranger(wants, {
    repository,
    refs: snapshot,
    limit: limits.wantWalk,
    reader,
    pace,
    turn: () => walks.take(signal),
  });
  if (stranger !== undefined) throw new GitRequestError("GIT_REFUSED", `upload-pack: not our ref ${stranger}`);
}

/**
 * Finds where the client's history will end; nothing where it asks for no depth and its history has no end.
 *
 * @throws {GitRequestError} `GIT_REFUSED`: a depth selects nothing, or is of a ref that is none; `GIT_PROTOCOL`.
 */
export async function horizonFor(
  asked: AskedDepth,
  wants: readonly string[],
  snapshot: RefSnapshot,
  { repository, walks, signal }: UploadPack,
  { reader, pace }: Known,
): Promise<Horizon | undefined> {
  if (!deepens(asked) && asked.shallows.length === 0) return undefined;
  using _turn = await walks.take(signal);
  const commitsOf = async (oids: Iterable<string>): Promise<string[]> => {
    const commits = new Set<string>();
    for (const oid of oids) {
      const commit = await reader.commitOf(oid);
      if (commit !== undefined) commits.add(commit);
      await pace.step();
    }
    return [...commits];
  };
  const shallows: string[] = [];
  for (const oid of asked.shallows) {
    const info = await repository.objects.info(oid);
    if (info && info.kind !== "commit") throw malformed(`invalid shallow object ${oid}`);
    if (info) shallows.push(oid);
    await pace.step();
  }
  if (!deepens(asked) && shallows.length === 0) return undefined;
  const { commits, since, relative } = asked;
  const horizon = await horizonOf({
    wants: await commitsOf(wants),
    visible: (relative || commits === Infinity) && shallows.length > 0 ? await commitsOf(tipsOf(snapshot)) : [],
    shallows,
    commits,
    since,
    not: await commitsOf(asked.not.map((name) => namedBy(name, snapshot))),
    relative,
    reader,
    pace,
  });
  if (!horizon) throw new GitRequestError("GIT_REFUSED", "no commits selected for shallow requests");
  return horizon;
}

/** The lines that tell a client of it. */
export function horizonLines({ shallow, unshallow }: Horizon): string[] {
  return [...shallow.map((oid) => `shallow ${oid}`), ...unshallow.map((oid) => `unshallow ${oid}`)];
}

function* tipsOf(snapshot: RefSnapshot): Generator<string> {
  if (snapshot.head.oid !== undefined) yield snapshot.head.oid;
  for (const { oid, peeled } of snapshot.list()) yield peeled ?? oid;
}

/** What a ref points at that is named as people do (gitrevisions, "<refname>"); it has to be the only one of that name. */
function namedBy(name: string, snapshot: RefSnapshot): string {
  const full = ["", "refs/", "refs/tags/", "refs/heads/", "refs/remotes/"].map((prefix) => `${prefix}${name}`);
  const refs = full.map((one) => one === "HEAD" ? snapshot.head.oid : snapshot.get(one)?.oid).filter((oid) =>
    oid !== undefined
  );
  if (refs.length !== 1) throw new GitRequestError("GIT_REFUSED", `ambiguous deepen-not: ${shown(name)}`);
  return refs[0];
}
