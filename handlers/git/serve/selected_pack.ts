/**
 * What upload-pack does in every version of the protocol: what may be wanted, when enough is known of what the client has,
 * and the pack.
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
import { FLUSH, type PktReader } from "../wire/pkt_line.ts";
import { BandOutput, type Output } from "./output.ts";
import { sendPack } from "./send_pack.ts";
import type { Turns } from "./turns.ts";

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

/** What a client wants, and how it wants it. */
export interface PackRequest {
  /** Objects it wants, each once. */
  readonly wants: readonly string[];
  /** It reads deltas whose base is named by distance. */
  readonly ofsDelta: boolean;
  /** It wants no progress. */
  readonly noProgress: boolean;
  /** It wants annotated tags of what is sent. */
  readonly includeTag: boolean;
}

/** Reads what a client says, which ends when the node shuts down. */
export async function unlessDraining<T>(
  { input, draining }: UploadPack,
  read: () => Promise<T | undefined>,
): Promise<T | undefined> {
  if (draining?.aborted) return undefined;
  const stop = (): void => void input.cancel();
  draining?.addEventListener("abort", stop, { once: true });
  try {
    return await read();
  } finally {
    draining?.removeEventListener("abort", stop);
  }
}

/**
 * Lets pass what may be wanted: what refs point at, and what tags are of.
 *
 * @throws {GitRequestError} `GIT_REFUSED`: something else is.
 */
export function checkWants(wants: readonly string[], snapshot: RefSnapshot): void {
  const wanted = new Set<string>();
  if (snapshot.head.oid !== undefined) wanted.add(snapshot.head.oid);
  for (const { oid, peeled } of snapshot.list()) {
    wanted.add(oid);
    if (peeled !== undefined) wanted.add(peeled);
  }
  const stranger = wants.find((oid) => !wanted.has(oid));
  if (stranger !== undefined) throw new GitRequestError("GIT_REFUSED", `upload-pack: not our ref ${stranger}`);
}

/** What a client has, as far as the node has it too. */
export class Known {
  /** Commits that both have, each once. */
  readonly common: string[] = [];
  /** Reads commits. */
  readonly reader: CommitReader;
  /** The pace of the service. */
  readonly pace: Pace;
  readonly #store: ObjectStore;
  readonly #seen = new Set<string>();
  #last?: string;
  #ready = false;
  #checked = 0;

  /** @param signal Ends what is begun. */
  constructor(store: ObjectStore, signal: AbortSignal) {
    this.#store = store;
    this.reader = new CommitReader(store);
    this.pace = new Pace(signal);
  }

  /** The object that both have and that was named last. */
  get last(): string | undefined {
    return this.#last;
  }

  /** Whether it was ready when it was last asked for. */
  get wasReady(): boolean {
    return this.#ready;
  }

  /** Takes what the client says it has. Resolves to whether the node has it. */
  async add(oid: string): Promise<boolean> {
    await this.pace.step();
    if (!await this.#store.has(oid)) return false;
    this.#last = oid;
    const commit = await this.reader.commitOf(oid);
    if (commit !== undefined && !this.#seen.has(commit)) {
      this.#seen.add(commit);
      this.common.push(commit);
    }
    return true;
  }

  /** Whether nothing that the client could say would leave more out. It walks only where more is known than before. */
  async isReady(wants: readonly string[]): Promise<boolean> {
    if (this.#ready || this.common.length === this.#checked) return this.#ready;
    this.#checked = this.common.length;
    const commits: string[] = [];
    for (const want of wants) {
      const commit = await this.reader.commitOf(want);
      if (commit !== undefined) commits.push(commit);
    }
    return this.#ready = await allReach(commits, this.common, this.reader, this.pace);
  }
}

/** What is sent of what, and how. */
export interface Sending {
  /** What the client wants. */
  readonly request: PackRequest;
  /** The service. */
  readonly service: UploadPack;
  /** What the client has. */
  readonly known: Known;
  /** The refs that it was shown. */
  readonly snapshot: RefSnapshot;
  /** For the log. */
  readonly served: Served;
  /** Most data of a line of the side bands; 0: the pack goes out bare. */
  readonly bandSize: number;
}

/**
 * Sends a pack.
 *
 * @throws {AlknetError} `GIT_FAILED`: it could not be finished; the client has been told as far as it can be.
 */
export async function sendSelected(sending: Sending): Promise<void> {
  const { service: { output, signal }, bandSize } = sending;
  await output.flush();
  using band = bandSize > 0 ? new BandOutput(output, bandSize) : undefined;
  band?.keepAlive();
  try {
    await sendInto(sending, band);
  } catch (cause) {
    if (signal.aborted || cause instanceof GitRequestError) throw cause;
    await band?.fatal("upload-pack: internal error");
    throw new AlknetError("GIT_FAILED", `a pack was not finished: ${(cause as Error).message}`, { cause });
  }
}

async function sendInto(
  { request, service, known: { common, reader, pace }, snapshot, served }: Sending,
  band: BandOutput | undefined,
): Promise<void> {
  const { output, repository: { objects: store } } = service;
  const tags = request.includeTag ? tagsOf(snapshot) : [];
  const selection = await selectInTurn(store, service, { wants: request.wants, common, tags, reader, pace });
  if (!request.noProgress) await band?.progress(`Enumerating objects: ${selection.size}, done.\n`);
  await sendPack(
    { store, selection, ofsDelta: request.ofsDelta, pace },
    band ? (bytes) => band.data(bytes) : (bytes) => output.put(bytes),
  );
  served.objects += selection.size;
  if (!band) return;
  await band.end();
  await output.put(FLUSH);
}

function tagsOf(snapshot: RefSnapshot): Ref[] {
  return [...snapshot.list()].filter(({ peeled }) => peeled !== undefined);
}

async function selectInTurn(
  store: ObjectStore,
  { walks, signal }: UploadPack,
  walk: Omit<Parameters<typeof selectFetch>[0], "store">,
): ReturnType<typeof selectFetch> {
  using _turn = await walks.take(signal);
  return await selectFetch({ store, ...walk });
}
