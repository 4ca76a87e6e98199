/**
 * `alknet blob add`: files become blobs of the home's store.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import type { BlobStore, Fs, Held } from "@alknet/handlers/fs";
import { basename, resolve } from "node:path";
import { formatSize } from "../terminal/size.ts";
import { ExitCode, print, printJson, UsageError } from "../terminal/output.ts";
import { addFolder } from "./collection.ts";
import { untilStopped } from "./stopping.ts";
import { type BlobHomeChoice, openBlobHome } from "./store.ts";
import { TransferLine } from "./transfer_line.ts";

/** Digits of the hash in the name of a tag. */
const TAG_DIGITS = 10;

/** What the command line says. */
export interface AddCommandOptions extends BlobHomeChoice {
  /** Files. */
  readonly files: readonly string[];
  /** Name to keep it under. */
  readonly tag?: string;
  /** The files stay where they are. */
  readonly reference: boolean;
  /** Print JSON. */
  readonly json: boolean;
}

/** Adds files, one after the other. Resolves to the exit code. */
export async function addBlobs(options: AddCommandOptions): Promise<number> {
  const { files, tag } = options;
  if (tag !== undefined && files.length > 1) throw new UsageError("--tag names one blob; add the files one by one");
  let code: number = ExitCode.DONE;
  await using home = await openBlobHome(options);
  for (const [i, file] of files.entries()) {
    const name = basename(file);
    using line = new TransferLine(`adding ${files.length > 1 ? `file ${i + 1} of ${files.length}  ` : ""}${name}`);
    const result = await untilStopped(line, (signal) => addFile(home.fs, file, options, { line, signal }));
    if (result === undefined) return ExitCode.INTERRUPTED;
    const { skipped, ...added } = result;
    if (skipped > 0) code = ExitCode.FAILED;
    line[Symbol.dispose]();
    if (options.json) printJson(added);
    else print(`${added.hash}  ${formatSize(added.size)}  ${name}`);
  }
  return code;
}

async function addFile(
  { blobs }: Fs,
  path: string,
  { tag, reference }: AddCommandOptions,
  { line, signal }: { readonly line: TransferLine; readonly signal: AbortSignal },
): Promise<Kept & { readonly skipped: number }> {
  try {
    if ((await Deno.stat(path)).isDirectory) {
      await using added = await addFolder(blobs, path, { reference, line, signal });
      const skipped = added.skipped;
      return { ...await kept(blobs, added.held, path, tag), size: added.size, skipped };
    }
    await using held = await blobs.add({ path, mode: reference ? "reference" : "copy" }, {
      progress: line.report,
      signal,
      owner: "local",
    });
    return { ...await kept(blobs, held, path, tag), skipped: 0 };
  } catch (error) {
    if (error instanceof AlknetError || !(error instanceof Deno.errors.NotFound)) throw error;
    throw new AlknetError("FILE_UNREADABLE", `${path} is not there`, { cause: error });
  }
}

interface Kept {
  readonly hash: string;
  readonly size: number;
  readonly format: string;
  readonly name: string;
  readonly tag: string;
}

/** Keeps it under a name. */
async function kept(blobs: BlobStore, held: Held, path: string, tag: string | undefined): Promise<Kept> {
  const { hash, size, format } = held;
  const name = basename(resolve(path));
  const under = tag ?? `${name}@${hash.slice(0, TAG_DIGITS)}`;
  await blobs.setTag(under, { hash, format }, { owner: "local" });
  return { hash, size, format, name, tag: under };
}
