/**
 * upload-pack, versions 0 and 1: the refs, one fetch, for clients that do not speak version 2 (gitprotocol-pack).
 *
 * Over a stream the client says in rounds what it has until there is enough; over HTTP each round stands for itself.
 *
 * @module
 */
import { GitRequestError } from "../../errors.ts";
import type { RefSnapshot } from "../../store/types.ts";
import { type AdvertisedRef, type FetchAdvertisement, fetchAdvertisement } from "../../wire/advertisement.ts";
import { readSaid, readWants, type WantedV0 } from "../../wire/fetch_v0.ts";
import { deepens } from "../../wire/depth.ts";
import { FLUSH, pktLine } from "../../wire/pkt_line.ts";
import { Known } from "./known.ts";
import { Negotiation } from "./negotiation.ts";
import { sendSelected, type Served, unlessDraining, type UploadPack } from "./selected_pack.ts";
import { checkWants, horizonFor, horizonLines } from "./wants.ts";

/** What a have takes in memory. */
const HAVE_BYTES = 32;

/** The lines that show a client the refs, HEAD among them where it points at something. */
export function refsAdvertisement(
  snapshot: RefSnapshot,
  { version, stateless, filters }: Omit<FetchAdvertisement, "symref">,
): Iterable<Uint8Array<ArrayBuffer>> {
  const { head } = snapshot;
  const symref = head.oid === undefined ? undefined : head.symref;
  return fetchAdvertisement(refsOf(snapshot), { version, stateless, symref, filters });
}

function* refsOf(snapshot: RefSnapshot): Generator<AdvertisedRef> {
  const { head: { oid, symref } } = snapshot;
  if (oid !== undefined) {
    yield { name: "HEAD", oid, peeled: symref === undefined ? undefined : snapshot.get(symref)?.peeled };
  }
  yield* snapshot.list();
}

/**
 * Answers one fetch.
 *
 * @param once Whether a request stands for itself; else the refs go first.
 * @throws {GitRequestError} What the client sent cannot be answered; it has not been told.
 * @throws {AlknetError} `GIT_FAILED`: a pack could not be finished. What its stream throws.
 */
export async function uploadPackV0(
  service: UploadPack,
  served: Served,
  { version, once }: { readonly version: 0 | 1; readonly once: boolean },
): Promise<void> {
  const { repository, input, output, limits, requestBytes: bytes, signal } = service;
  const { filters } = repository.settings;
  const snapshot = await repository.refs.snapshot();
  if (!once) {
    for (const line of refsAdvertisement(snapshot, { version, stateless: false, filters })) await output.put(line);
    await output.flush();
  }
  const known = new Known(repository, signal);
  const request = await unlessDraining(service, async () => {
    const wanted = await readWants(input, { ...limits, filters, bytes, idle: limits.negotiationIdle });
    if (!wanted) return undefined;
    await checkWants(wanted.wants, snapshot, service, known);
    const horizon = await horizonFor(wanted.depth, wanted.wants, snapshot, service, known);
    if (horizon && deepens(wanted.depth)) {
      for (const line of horizonLines(horizon)) await output.put(pktLine(line));
      await output.put(FLUSH);
      await output.flush();
    }
    return await negotiated(wanted, known, service, once) ? { wanted, horizon } : undefined;
  });
  if (request) {
    const { wanted, horizon } = request;
    const { bandSize } = wanted;
    await sendSelected({ request: wanted, service, known, horizon, snapshot, served, bandSize });
  }
  await output.flush();
  served.requests++;
}

/** Answers what the client says it has. Resolves to whether the pack comes next. */
async function negotiated(wanted: WantedV0, known: Known, service: UploadPack, once: boolean): Promise<boolean> {
  const { input, output, limits } = service;
  const talk = new Negotiation(wanted, known);
  for (let haves = 0;;) {
    const said = await readSaid(input, limits.negotiationIdle);
    if (said === undefined) return false;
    if (said === "done") {
      const last = talk.end();
      if (last !== undefined) await output.put(pktLine(last));
      return true;
    }
    if (said === "flush") {
      const { lines, done } = await talk.endRound();
      for (const line of lines) await output.put(pktLine(line));
      if (done || once) return done;
      await output.flush();
      continue;
    }
    haves++;
    if (haves > limits.haves) throw new GitRequestError("GIT_TOO_LARGE", "too many haves");
    if (wanted.bytes + haves * HAVE_BYTES > service.requestBytes) {
      throw new GitRequestError("GIT_TOO_LARGE", "request too large");
    }
    const answer = await talk.take(said.have);
    if (answer !== undefined) await output.put(pktLine(answer));
  }
}
