/**
 * upload-pack, version 2: refs and packs for who reads (gitprotocol-v2).
 *
 * A client is told what the node can do, and then asks: `ls-refs`, `fetch`, `object-info`, each answered when it has been
 * read whole. Over a stream it asks until it has enough; over HTTP once.
 *
 * @module
 */
import { GitRequestError } from "../../errors.ts";
import type { RefSnapshot } from "../../store/types.ts";
import { Pace } from "../../walk/pace.ts";
import { advertisement } from "../../wire/advertisement.ts";
import { type Command, readCommand, shown } from "../../wire/command.ts";
import { type FetchRequest, parseFetch } from "../../wire/fetch_request.ts";
import { parseLsRefs, refLine } from "../../wire/ls_refs.ts";
import { parseObjectInfo, sizeLine } from "../../wire/object_info.ts";
import { DELIM, FLUSH, pktLine } from "../../wire/pkt_line.ts";
import { MAX_BAND } from "../../wire/side_band.ts";
import { Known } from "./known.ts";
import { sendSelected, type Served, unlessDraining, type UploadPack } from "./selected_pack.ts";
import { checkWants, horizonFor, horizonLines } from "./wants.ts";

/**
 * Answers requests: one, or, after saying what there is, all until the client is done.
 *
 * @throws {GitRequestError} What the client sent cannot be answered; it has not been told.
 * @throws {AlknetError} `GIT_FAILED`: a pack could not be finished; the client has been told. What its stream throws.
 */
export async function uploadPack(service: UploadPack, served: Served, once: boolean): Promise<void> {
  const { output } = service;
  if (!once) {
    for (const part of advertisement(service.repository.settings.filters)) await output.put(part);
    await output.flush();
  }
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

function nextCommand(service: UploadPack): Promise<Command | undefined> {
  const { input, limits, requestBytes: bytes } = service;
  return unlessDraining(service, () => readCommand(input, { bytes, idle: limits.negotiationIdle }));
}

async function answer({ name, args }: Command, service: UploadPack, snapshot: RefSnapshot, served: Served) {
  if (name === "ls-refs") await listRefs(args, snapshot, service);
  else if (name === "object-info") await tellSizes(args, service);
  else await fetch(args, service, snapshot, served);
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

async function tellSizes(args: readonly string[], { repository, output, signal }: UploadPack): Promise<void> {
  const { size, oids } = parseObjectInfo(args);
  const pace = new Pace(signal);
  if (size) await output.put(pktLine("size"));
  for (const oid of oids) {
    await output.put(pktLine(sizeLine(oid, size ? (await repository.objects.info(oid))?.size : undefined)));
    await pace.step();
  }
  await output.put(FLUSH);
}

async function fetch(
  args: readonly string[],
  service: UploadPack,
  snapshot: RefSnapshot,
  served: Served,
): Promise<void> {
  const { repository, output, signal, limits } = service;
  const request = parseFetch(args, { ...limits, filters: repository.settings.filters });
  const known = new Known(repository, signal);
  await checkWants(request.wants, snapshot, service, known);
  const byName = request.wantRefs.map((name) => ({ name, oid: oidOf(name, snapshot) }));
  const wants = [...new Set([...request.wants, ...byName.map(({ oid }) => oid)])];
  if (wants.length === 0 && !request.waitForDone) return;
  if (!await acknowledged({ ...request, wants }, known, output)) return;
  const horizon = await horizonFor(request.depth, wants, snapshot, service, known);
  if (horizon) await section("shallow-info", horizonLines(horizon), output);
  if (byName.length > 0) await section("wanted-refs", byName.map(({ name, oid }) => `${oid} ${name}`), output);
  await output.put(pktLine("packfile"));
  const bandSize = MAX_BAND;
  await sendSelected({ request: { ...request, wants }, service, known, horizon, snapshot, served, bandSize });
}

/** Tells what both have, where the client has more to say. Resolves to whether the pack comes next. */
async function acknowledged(
  { wants, haves, done, waitForDone }: FetchRequest,
  known: Known,
  output: UploadPack["output"],
): Promise<boolean> {
  const held: string[] = [];
  for (const oid of haves) if (await known.add(oid)) held.push(oid);
  if (done || haves.length === 0) return true;
  const ready = !waitForDone && await known.isReady(wants);
  await output.put(pktLine("acknowledgments"));
  if (held.length === 0) await output.put(pktLine("NAK"));
  for (const oid of held) await output.put(pktLine(`ACK ${oid}`));
  if (ready) await output.put(pktLine("ready"));
  await output.put(ready ? DELIM : FLUSH);
  return ready;
}

/** A section before the pack. */
async function section(name: string, lines: readonly string[], output: UploadPack["output"]): Promise<void> {
  for (const line of [name, ...lines]) await output.put(pktLine(line));
  await output.put(DELIM);
}

/** What a ref that is wanted by its name points at now. */
function oidOf(name: string, snapshot: RefSnapshot): string {
  const oid = name === "HEAD" ? snapshot.head.oid : snapshot.get(name)?.oid;
  if (oid === undefined) throw new GitRequestError("GIT_REFUSED", `unknown ref ${shown(name)}`);
  return oid;
}
