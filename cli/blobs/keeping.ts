/**
 * `alknet blob ls`, `stat`, `tag`, `untag` and `gc`: what the home's store has, what keeps it, and what goes.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import type { BlobStatus, BlobStore, Tag } from "@alknet/handlers/fs";
import { parseHash } from "@alknet/handlers/fs/bao";
import { ExitCode, print, printJson } from "../terminal/output.ts";
import { formatSize } from "../terminal/size.ts";
import { visibleLine } from "../terminal/visible.ts";
import { type BlobHomeChoice, openBlobHome } from "./store.ts";

/** What the command line says of every one of these. */
export interface KeepingOptions extends BlobHomeChoice {
  /** Print JSON. */
  readonly json: boolean;
}

/** Prints what is there, a line a blob. */
export async function listBlobs(options: KeepingOptions): Promise<number> {
  await using home = await openBlobHome(options);
  const { blobs } = home.fs;
  for await (const status of blobs.list()) await show(status, blobs, options.json, false);
  return ExitCode.DONE;
}

/** Prints what is there of one blob. */
export async function statBlob(options: KeepingOptions & { readonly hash: string }): Promise<number> {
  const hash = parseHash(options.hash);
  await using home = await openBlobHome(options);
  const { blobs } = home.fs;
  const status = await blobs.status(hash);
  if (status.state === "absent") throw notHere(hash);
  await show(status, blobs, options.json, true);
  return ExitCode.DONE;
}

/** Keeps a blob under a name. */
export async function tagBlob(
  options: KeepingOptions & { readonly hash: string; readonly name: string; readonly for?: number },
): Promise<number> {
  const hash = parseHash(options.hash);
  await using home = await openBlobHome(options);
  const { blobs } = home.fs;
  if ((await blobs.status(hash)).state !== "complete") throw notHere(hash);
  const expires = options.for === undefined ? undefined : new Date(Date.now() + options.for);
  await blobs.setTag(options.name, { hash, format: await formatOf(blobs, hash) }, { owner: "local", expires });
  if (options.json) printJson({ name: options.name, hash, ...expires && { expires: seconds(expires) } });
  return ExitCode.DONE;
}

/** Takes a name away. */
export async function untagBlob(options: KeepingOptions & { readonly name: string }): Promise<number> {
  await using home = await openBlobHome(options);
  if (!await home.fs.blobs.dropTag(options.name)) {
    const what = `no blob of this home is tagged ${JSON.stringify(options.name)}`;
    throw new AlknetError("TAG_NOT_FOUND", `${what}; alknet blob ls shows the tags`);
  }
  if (options.json) printJson({ name: options.name });
  return ExitCode.DONE;
}

/** Takes away what nothing refers to. */
export async function collectBlobs(
  options: KeepingOptions & { readonly full: boolean; readonly dryRun: boolean },
): Promise<number> {
  await using home = await openBlobHome(options);
  const { blobs, bytes } = await home.fs.blobs.collect(options);
  if (options.json) printJson({ blobs, bytes });
  else print(`${blobs} ${blobs === 1 ? "blob" : "blobs"}, ${formatSize(bytes)}`);
  return ExitCode.DONE;
}

/** Hashes what is stored, and prints what is wrong. */
export async function verifyBlobs(options: KeepingOptions & { readonly hash?: string }): Promise<number> {
  const hash = options.hash === undefined ? undefined : parseHash(options.hash);
  await using home = await openBlobHome(options);
  let code: number = ExitCode.DONE;
  for await (const step of home.fs.blobs.verify(hash)) {
    if (step.fault === undefined && step.done < step.size) continue;
    if (step.fault !== undefined) code = ExitCode.FAILED;
    if (options.json) printJson({ ...step });
    else if (step.fault !== undefined) print(`${step.hash}: ${FAULTS[step.fault](step.done)}`);
  }
  if (!options.json && code === ExitCode.DONE) print("sound");
  return code;
}

const FAULTS = {
  missing: () => "a file of it is not there",
  data: (at: number) => `data wrong at ${at}`,
  outboard: (at: number) => `outboard wrong at ${at}`,
  reference: () => "the file that it refers to was changed, or is gone",
};

/** As what a blob is tagged: a sequence keeps what it lists. */
export async function formatOf(blobs: BlobStore, hash: string): Promise<"raw" | "hashSeq"> {
  for await (const { format } of blobs.tags({ hash })) if (format === "hashSeq") return format;
  return "raw";
}

async function show(status: BlobStatus, blobs: BlobStore, json: boolean, withParts: boolean): Promise<void> {
  const { hash, size = 0, state, have } = status;
  const tags: Tag[] = [];
  for await (const tag of blobs.tags({ hash })) tags.push(tag);
  const parts = have.map(String);
  if (json) {
    return printJson({
      hash,
      size,
      state,
      tags: tags.map(({ name, format, expires }) => ({ name, format, ...expires && { expires: seconds(expires) } })),
      ...withParts && { have: parts },
    });
  }
  const names = tags.map(({ name }) => visibleLine(name)).join(", ");
  print([hash, formatSize(size), state, names].join("  ").trimEnd());
  if (withParts) print(`have  ${spans(parts)}`);
}

/** `chunks 0 to 15, 32 to the end`. */
function spans(boundaries: readonly string[]): string {
  const all = [];
  for (let i = 0; i < boundaries.length; i += 2) {
    const end = boundaries[i + 1];
    all.push(`${boundaries[i]} to ${end === undefined ? "the end" : BigInt(end) - 1n}`);
  }
  return all.length === 0 ? "nothing that is known" : `chunks ${all.join(", ")}`;
}

function notHere(hash: string): AlknetError {
  const what = `blob ${hash.slice(0, 10)} is not in the store of this home`;
  return new AlknetError("BLOB_NOT_FOUND", `${what}; alknet blob ls shows what is`);
}

function seconds(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}
