/**
 * What upload-pack does in every version of the protocol: the pack of what a client wants and lacks.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { GitRequestError } from "../../errors.ts";
import type { GitLimits } from "../../limits.ts";
import type { Closure, Ref, RefSnapshot, Repository } from "../../store/types.ts";
import { isBlobNone, selectBesideBlobs } from "../../walk/closure/beside_blobs.ts";
import { isClosureOf } from "../../walk/closure/closure_of.ts";
import { type FetchWalk, type Selected, selectFetch } from "../../walk/fetch.ts";
import type { Horizon } from "../../walk/shallow.ts";
import type { ObjectFilter } from "../../wire/filter_spec.ts";
import { FLUSH, type PktReader } from "../../wire/pkt_line.ts";
import { BandOutput, type Output } from "../output.ts";
import type { Known } from "./known.ts";
import { sendPack } from "./send_pack.ts";
import type { Turns } from "../turns.ts";

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
  /** It completes packs that leave out bases it has. */
  readonly thinPack: boolean;
  /** It wants no progress. */
  readonly noProgress: boolean;
  /** It wants annotated tags of what is sent. */
  readonly includeTag: boolean;
  /** What it wants no more of than it names. */
  readonly filter?: ObjectFilter;
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

/** What is sent of what, and how. */
export interface Sending {
  /** What the client wants. */
  readonly request: PackRequest;
  /** The service. */
  readonly service: UploadPack;
  /** What the client has. */
  readonly known: Known;
  /** Where its history ends; absent where it does not. */
  readonly horizon?: Horizon;
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
    // Who takes a pack byte by byte is told, as far as it listens.
    if (signal.aborted && !output.gone.aborted) await band?.fatal("upload-pack: out of time");
    if (signal.aborted || cause instanceof GitRequestError) throw cause;
    await band?.fatal("upload-pack: internal error");
    throw new AlknetError("GIT_FAILED", `a pack was not finished: ${(cause as Error).message}`, { cause });
  }
}

async function sendInto(
  { request, service, known: { common, reader, pace }, horizon, snapshot, served }: Sending,
  band: BandOutput | undefined,
): Promise<void> {
  const { output, signal, repository: { objects: store } } = service;
  const tags = request.includeTag ? tagsOf(snapshot) : [];
  const { wants, ofsDelta, thinPack: thin, filter } = request;
  const walk = { store, wants, common, tags, horizon, filter, thin, reader, pace };
  const { selection, held, closure } = await selectInTurn(service, walk, ofsDelta);
  const count = selection.size + (closure?.count ?? 0);
  if (!request.noProgress) await band?.progress(`Enumerating objects: ${count}, done.\n`);
  await sendPack(
    { store, selection, held, closure, ofsDelta, pace },
    (bytes) => {
      signal.throwIfAborted();
      // A line of a band is a copy; what goes as it is has to last until it is taken.
      return band ? band.data(bytes) : output.put(bytes.slice());
    },
  );
  served.objects += count;
  if (!band) return;
  await band.end();
  await output.put(FLUSH);
}

function tagsOf(snapshot: RefSnapshot): Ref[] {
  return [...snapshot.list()].filter(({ peeled }) => peeled !== undefined);
}

async function selectInTurn(
  { repository, walks, signal }: UploadPack,
  walk: FetchWalk,
  ofsDelta: boolean,
): Promise<Selected & { readonly closure?: Closure }> {
  using _turn = await walks.take(signal);
  const { wants, common, horizon, filter, reader, pace } = walk;
  const isAll = common.length === 0 && !horizon && (filter ? isBlobNone(filter) : ofsDelta);
  const closure = isAll ? repository.closure() : undefined;
  const whole = closure && await isClosureOf(closure, wants, reader, pace) ? closure : undefined;
  if (whole && filter) return { selection: await selectBesideBlobs({ ...walk, closure: whole }) };
  return { ...await selectFetch({ ...walk, closure: whole }), closure: whole };
}
