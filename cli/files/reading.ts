/**
 * `alknet fs cat` and `share`: what one file of a branch holds, and tickets for it.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import type { Entry } from "@alknet/handlers/fs";
import { shareBlob, type ShareCommandOptions } from "../blobs/share.ts";
import { toStdout } from "../blobs/placing.ts";
import { TransferLine } from "../blobs/transfer_line.ts";
import { ExitCode, UsageError } from "../terminal/output.ts";
import { withFiles } from "./face.ts";
import type { PlaceOptions } from "./names.ts";
import { parsePlace } from "./place.ts";

const RANGE = /^(?:(\d{1,15})-(\d{1,15})?|-(\d{1,15}))$/;

/** Writes a file to stdout. */
export async function showFile(options: PlaceOptions & { readonly range?: string }): Promise<number> {
  const place = parsePlace(options.place);
  const range = options.range === undefined ? undefined : RANGE.exec(options.range);
  if (range === null) throw new UsageError(`--range ${options.range} is none; write 0-99, 100- or -100`);
  return await withFiles(options, async (faces, signal) => {
    const { hash } = fileOf(await faces.stat(place), place.path);
    const { fs: { blobs } } = await faces.home();
    using line = new TransferLine(`getting ${hash.slice(0, 10)}`);
    const face = await faces.of(place);
    await using held = await face.bring(hash, blobs, { progress: line.report, signal });
    line[Symbol.dispose]();
    await using reader = await blobs.open(held.hash);
    await toStdout(reader, signal, range ? partOf(range, reader.size) : undefined);
    return ExitCode.DONE;
  });
}

/** Grants the right to read a file of a branch of this home, and prints the ticket. */
export async function shareFile(options: PlaceOptions & Omit<ShareCommandOptions, "hash">): Promise<number> {
  const place = parsePlace(options.place);
  if (place.address !== undefined) {
    throw new UsageError("a node shares what is its own; leave out the address, or share it at that node");
  }
  let hash = "";
  const code = await withFiles(options, async (faces) => {
    ({ hash } = fileOf(await faces.stat(place), place.path));
    return ExitCode.DONE;
  });
  return code === ExitCode.DONE ? await shareBlob({ ...options, hash }) : code;
}

/** A file, with its blob. */
function fileOf({ kind, hash, target }: Entry, path: string): { readonly hash: string } {
  if (hash !== undefined) return { hash };
  if (kind === "folder") throw new AlknetError("IS_A_FOLDER", `${JSON.stringify(path)} is a folder; name a file`);
  const leads = JSON.stringify(target);
  throw new AlknetError("NOT_A_FILE", `${JSON.stringify(path)} is a link to ${leads}, and links are not followed`);
}

/** Bytes of a range, both ends included, as HTTP has it (RFC 9110 §14.1.2). */
function partOf([, from, to, last]: RegExpExecArray, size: number): { readonly from: number; readonly end: number } {
  if (last !== undefined) return { from: Math.max(0, size - Number(last)), end: size };
  const part = { from: Number(from), end: to === undefined ? size : Math.min(size, Number(to) + 1) };
  if (part.from < part.end) return part;
  throw new AlknetError(
    "INVALID_INPUT",
    `the file has ${size} bytes; the range lies behind its end, or ends before it begins`,
  );
}
