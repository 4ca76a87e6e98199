/**
 * Brings a repository to what another one has: one pack, checked like that of a push, and one transaction of refs.
 *
 * @module
 */
import { AlknetError, type Identity } from "@alknet/core/handler";
import { GitPackError } from "../errors.ts";
import type { GitLimits } from "../limits.ts";
import type { Oid } from "../objects/oid.ts";
import type { PushEvents } from "../serve/push/events.ts";
import { isForward } from "../serve/push/ref_moves.ts";
import type { Turns } from "../serve/turns.ts";
import type { Mirror } from "../store/folder/owning/mirror_file.ts";
import type { ObjectReader, RefSnapshot, RefUpdate, Repository } from "../store/types.ts";
import { parseMirrorUrl } from "../store/folder/owning/mirror_url.ts";
import { CommitReader } from "../walk/commits.ts";
import { unconnected } from "../walk/connectivity.ts";
import { Pace } from "../walk/pace.ts";
import { FetchClient, type RemoteRefs } from "./fetching.ts";
import { openRemote } from "./open_remote.ts";
import { type MirrorWays, remoteFault } from "./remote.ts";

/** How a repository is followed once. */
export interface FollowOptions {
  /** How others are reached. */
  readonly ways: MirrorWays;
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Told of how far it is. */
  progress?(phase: "receiving" | "resolving", done: number, total: number): void;
}

/** What following works with. */
export interface Following extends FollowOptions {
  /** Limits: those of a push. */
  readonly limits: GitLimits;
  /** Turns of walks, and of resolving deltas. */
  readonly walks: Turns;
  readonly indexing: Turns;
  /** Who follows what moves here. */
  readonly events?: PushEvents;
}

/** What came of it. */
export interface Followed {
  /** Refs that are as they are there. */
  readonly refs: number;
  /** Refs that moved. */
  readonly moved: number;
  /** Objects that were sent. */
  readonly objects: number;
}

/** In whose name refs move. */
const WHO: Identity = Object.freeze({ id: "mirror", scopes: [], resources: {} });
/** Commits that are named as had. */
const MOST_HAVES = 10_000;

/**
 * Fetches once. What fails leaves all as it was.
 *
 * @throws {AlknetError} `MIRROR_FAILED`: the repository elsewhere, or what it sent; what dialling throws.
 */
export async function follow(repository: Repository, mirror: Mirror, following: Following): Promise<Followed> {
  const { ways, limits, signal } = following;
  const url = parseMirrorUrl(mirror.url);
  await using remote = await openRemote(url, ways, signal);
  const client = await FetchClient.begin(remote, limits.negotiationIdle);
  const there = await client.refs(mirror.refs);
  const here = await repository.refs.snapshot([]);
  const updates = updatesOf(there, here, mirror.refs);
  const wants = lacking(there, here);
  let objects = 0;
  await using quarantine = wants.length > 0 ? await repository.receive() : undefined;
  if (quarantine) {
    const haves = [...new Set([...here.list()].map(({ oid }) => oid))].slice(0, MOST_HAVES);
    const read = await client.pack({ wants, haves });
    const { quota = limits.quota, maxInputSize = Infinity } = repository.settings.push;
    const { packBytes, objects: most, objectBytes, deltaBytes, resolvedBytes, baseCache } = limits;
    const bounds = { packBytes: Math.min(packBytes, maxInputSize), objects: most, objectBytes, deltaBytes };
    try {
      const { progress } = following;
      const ingested = await quarantine.ingest({
        read,
        toEnd: false,
        bounds: { ...bounds, resolvedBytes, baseCache },
        pace: new Pace(signal),
        signal,
        turn: () => following.indexing.take(signal),
        progress: progress?.bind(following),
      });
      // The stream goes on after the pack: its end belongs to the answer.
      while (await read());
      objects = ingested.count;
      if (repository.packBytes() + ingested.bytes > quota) throw new GitPackError(`more than ${quota} bytes of packs`);
    } catch (cause) {
      if (!(cause instanceof GitPackError)) throw cause;
      throw remoteFault(remote.host, `its pack is refused: ${cause.message}`, { cause });
    }
  }
  const reader = quarantine?.objects ?? repository.objects;
  const holds = (oid: Oid): boolean => quarantine?.holds(oid) ?? false;
  const tips = [...new Set(there.refs.values())];
  const check = async (objects: ObjectReader): Promise<void> => {
    const lost = await unconnected(tips, { objects, holds, refs: here, pace: new Pace(signal) });
    if (lost.size > 0) throw remoteFault(remote.host, `not all that its refs reach was sent (${[...lost][0]})`);
  };
  {
    using _turn = await following.walks.take(signal);
    await check(reader);
    for (const [name, oid] of there.refs) {
      if (!name.startsWith("refs/heads/") || here.get(name)?.oid === oid) continue;
      if ((await reader.info(oid))?.kind !== "commit") throw remoteFault(remote.host, "a branch is no commit");
    }
  }
  await quarantine?.commit();
  // What was found in packs that are gone may be gone too.
  using now = repository.renewed();
  if (now) await check(now);
  await move(repository, { updates, there, here }, following);
  return { refs: there.refs.size, moved: updates.length, objects };
}

/** What has to move so that refs are as they are there; what is there no more goes. */
function updatesOf({ refs }: RemoteRefs, here: RefSnapshot, prefixes: readonly string[]): RefUpdate[] {
  const updates: RefUpdate[] = [];
  for (const [name, oid] of refs) {
    const old = here.get(name);
    if (old?.oid !== oid) updates.push({ name, old: old?.oid ?? null, new: oid });
  }
  for (const { name, oid, symref } of here.list(prefixes)) {
    if (symref !== undefined || refs.has(name)) continue;
    if (prefixes.some((prefix) => name === prefix || prefix.endsWith("/"))) updates.push({ name, old: oid, new: null });
  }
  return updates;
}

/** Tips that are to be sent: those that no ref points at here. What merely lies here may lack what it reaches. */
function lacking({ refs }: RemoteRefs, here: RefSnapshot): Oid[] {
  const known = new Set<Oid>();
  for (const { oid, peeled } of here.list()) {
    known.add(oid);
    if (peeled !== undefined) known.add(peeled);
  }
  return [...new Set(refs.values())].filter((oid) => !known.has(oid));
}

interface Move {
  readonly updates: readonly RefUpdate[];
  readonly there: RemoteRefs;
  readonly here: RefSnapshot;
}

async function move(
  repository: Repository,
  { updates, there, here }: Move,
  { events, signal }: Following,
): Promise<void> {
  if (updates.length > 0) {
    const outcomes = await repository.refs.transaction(updates, { atomic: true, who: WHO.id });
    const refused = outcomes.find((one) => one.refused !== undefined);
    if (refused) throw new AlknetError("MIRROR_FAILED", `${refused.name} does not move: ${refused.refused}`);
  }
  if (there.head !== undefined && there.head !== here.head.symref && there.refs.has(there.head)) {
    await repository.refs.setHead(there.head);
  }
  if (updates.length === 0 || !events?.followed) return;
  const reader = new CommitReader(repository.objects);
  const told = [];
  for (const { name, old = null, new: new_ } of updates) {
    const forced = old !== null && new_ !== null &&
      !await isForward(old, new_, repository.objects, reader, new Pace(signal)).catch(() => false);
    told.push({ name, old, new: new_, forced });
  }
  events.publish({ repo: repository.name, identity: WHO, options: [], updates: told, at: new Date() });
}
