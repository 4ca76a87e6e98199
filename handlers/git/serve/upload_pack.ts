/**
 * upload-pack, version 2: refs and packs for who reads (gitprotocol-v2).
 *
 * A client is told what the node can do, and then asks: `ls-refs`, `fetch`, each answered when it has been read whole.
 * Over a stream it asks until it has enough; over HTTP once.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { GitRequestError } from "../errors.ts";
import type { GitLimits } from "../limits.ts";
import type { ObjectStore, Ref, RefSnapshot, Repository } from "../store/types.ts";
import { allReach, CommitReader } from "../walk/commits.ts";
import { selectFetch } from "../walk/fetch.ts";
import { Pace } from "../walk/pace.ts";
import { type Command, readCommand } from "../wire/command.ts";
import { type FetchRequest, parseFetch } from "../wire/fetch_request.ts";
import { parseLsRefs, refLine } from "../wire/ls_refs.ts";
import { DELIM, FLUSH, pktLine, type PktReader } from "../wire/pkt_line.ts";
import { BandOutput, type Output } from "./output.ts";
import { sendPack } from "./send_pack.ts";
import type { Turns } from "./slots.ts";

/** What a service works with. */
export interface UploadPack {
  /** What is read. */
  readonly repository: Repository;
  /** What the client sends. */
  readonly input: PktReader;
  /** What it gets. */
  readonly output: Output;
  /** Limits. */
  readonly limits: GitLimits;
  /** Bytes that one request may take. */
  readonly requestBytes: number;
  /** Turns of walks. */
  readonly walks: Turns;
  /** Ends the service. */
  readonly signal: AbortSignal;
  /** Aborted when the node shuts down: what is asked is answered, and nothing more is read. */
  readonly draining?: AbortSignal;
}

/** What a service came to, for the log. */
export interface Served {
  /** Requests answered. */
  requests: number;
  /** Objects sent in packs. */
  objects: number;
}

/**
 * Answers requests: one, or all until the client is done.
 *
 * @throws {GitRequestError} What the client sent cannot be answered; it has not been told.
 * @throws {AlknetError} `GIT_FAILED`: a pack could not be finished; the client has been told. What its stream throws.
 */
export async function uploadPack(service: UploadPack, served: Served, once: boolean): Promise<void> {
  const { output } = service;
  // What refs were shown is what may be wanted, for as long as the conversation lasts.
  let snapshot: RefSnapshot | undefined;
  do {
    const command = await nextCommand(service);
    if (!command) return;
    snapshot ??= await service.repository.refs.snapshot();
    await answer(command, service, snapshot, served);
    await output.flush();
    served.requests++;
  } while (!once);
}

async function nextCommand({ input, limits, requestBytes: bytes, draining }: UploadPack): Promise<Command | undefined> {
  if (draining?.aborted) return undefined;
  const stop = (): void => void input.cancel();
  draining?.addEventListener("abort", stop, { once: true });
  try {
    return await readCommand(input, { bytes, idle: limits.negotiationIdle });
  } finally {
    draining?.removeEventListener("abort", stop);
  }
}

async function answer(command: Command, service: UploadPack, snapshot: RefSnapshot, served: Served): Promise<void> {
  if (command.name === "ls-refs") return await listRefs(command.args, snapshot, service);
  const request = parseFetch(command.args, service.limits);
  const wanted = wantable(snapshot);
  const stranger = request.wants.find((oid) => !wanted.has(oid));
  if (stranger !== undefined) throw new GitRequestError("GIT_REFUSED", `upload-pack: not our ref ${stranger}`);
  if (request.wants.length > 0) await fetch(request, service, snapshot, served);
}

/** What may be wanted: what refs point at, and what tags are of. */
function wantable(snapshot: RefSnapshot): Set<string> {
  const wanted = new Set<string>();
  if (snapshot.head.oid !== undefined) wanted.add(snapshot.head.oid);
  for (const { oid, peeled } of snapshot.list()) {
    wanted.add(oid);
    if (peeled !== undefined) wanted.add(peeled);
  }
  return wanted;
}

async function listRefs(args: readonly string[], snapshot: RefSnapshot, { output }: UploadPack): Promise<void> {
  const request = parseLsRefs(args);
  const { head } = snapshot;
  const headAsked = request.prefixes.length === 0 || request.prefixes.some((prefix) => "HEAD".startsWith(prefix));
  if (headAsked && (head.oid !== undefined || (request.unborn && head.symref !== undefined))) {
    const { symref } = head;
    const peeled = symref === undefined ? undefined : snapshot.get(symref)?.peeled;
    // Where a HEAD without a commit stands is told by whoever asks for the unborn, whatever else it asks.
    const shown = head.oid === undefined ? { ...request, symrefs: true } : request;
    await output.put(pktLine(refLine({ name: "HEAD", ...head, peeled }, shown)));
  }
  for (const ref of snapshot.list(request.prefixes)) await output.put(pktLine(refLine(ref, request)));
  await output.put(FLUSH);
}

async function fetch(
  request: FetchRequest,
  service: UploadPack,
  snapshot: RefSnapshot,
  served: Served,
): Promise<void> {
  const { repository: { objects }, output, signal } = service;
  const reader = new CommitReader(objects);
  const pace = new Pace(signal);
  const common: string[] = [];
  const held: string[] = [];
  for (const oid of request.haves) {
    if (await objects.has(oid)) {
      held.push(oid);
      const commit = await reader.commitOf(oid);
      if (commit !== undefined) common.push(commit);
    }
    await pace.step();
  }
  if (!request.done && request.haves.length > 0) {
    const ready = common.length > 0 && await isReady(request.wants, common, reader, pace);
    await output.put(pktLine("acknowledgments"));
    if (held.length === 0) await output.put(pktLine("NAK"));
    for (const oid of held) await output.put(pktLine(`ACK ${oid}`));
    if (ready) await output.put(pktLine("ready"));
    await output.put(ready ? DELIM : FLUSH);
    if (!ready) return;
  }
  const tags = request.includeTag ? tagsOf(snapshot) : [];
  await sendSelected({ request, service, common, tags, reader, pace, served });
}

/** Whether nothing that the client could say would leave more out. */
async function isReady(
  wants: readonly string[],
  common: readonly string[],
  reader: CommitReader,
  pace: Pace,
): Promise<boolean> {
  const commits: string[] = [];
  for (const want of wants) {
    const commit = await reader.commitOf(want);
    if (commit !== undefined) commits.push(commit);
  }
  return await allReach(commits, common, reader, pace);
}

function tagsOf(snapshot: RefSnapshot): Ref[] {
  return [...snapshot.list()].filter(({ peeled }) => peeled !== undefined);
}

interface Sending {
  readonly request: FetchRequest;
  readonly service: UploadPack;
  readonly common: readonly string[];
  readonly tags: readonly Ref[];
  readonly reader: CommitReader;
  readonly pace: Pace;
  readonly served: Served;
}

async function sendSelected({ request, service, common, tags, reader, pace, served }: Sending): Promise<void> {
  const { output, signal, repository: { objects: store } } = service;
  await output.put(pktLine("packfile"));
  await output.flush();
  using band = new BandOutput(output);
  band.keepAlive();
  try {
    const selection = await selectInTurn(store, service, { wants: request.wants, common, tags, reader, pace });
    if (!request.noProgress) await band.progress(`Enumerating objects: ${selection.size}, done.\n`);
    await sendPack({ store, selection, ofsDelta: request.ofsDelta, pace }, (bytes) => band.data(bytes));
    served.objects += selection.size;
    await band.end();
    await output.put(FLUSH);
  } catch (cause) {
    if (signal.aborted || cause instanceof GitRequestError) throw cause;
    await band.fatal("upload-pack: internal error");
    throw new AlknetError("GIT_FAILED", `a pack was not finished: ${(cause as Error).message}`, { cause });
  }
}

async function selectInTurn(
  store: ObjectStore,
  { walks, signal }: UploadPack,
  walk: Omit<Parameters<typeof selectFetch>[0], "store">,
): ReturnType<typeof selectFetch> {
  using _turn = await walks.take(signal);
  return await selectFetch({ store, ...walk });
}
