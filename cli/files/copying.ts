/**
 * `alknet fs add`, `get`, `cp`: files into a branch, out of one, and between two.
 *
 * What others name is looked at before anything is written: no name leads out of the folder, and no link is followed.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { basename } from "node:path";
import { untilStopped } from "../blobs/stopping.ts";
import { TransferLine } from "../blobs/transfer_line.ts";
import { ExitCode, printJson, UsageError } from "../terminal/output.ts";
import { RemoteTarget } from "./copying/remote_target.ts";
import { BranchTarget, LocalTarget, type Target } from "./copying/targets.ts";
import { branchItems, type Item, localItems } from "./copying/sources.ts";
import { type Copying, type CopyOptions, Faces, shownError } from "./face.ts";
import { inFolder } from "./names.ts";
import { changing, type FilePlace, filePlace } from "./place.ts";

/** Names that are copied by one command: all of them are looked at first. */
const MOST_ITEMS = 1_000_000;

/** Copies into a branch, out of one, or between two. */
export async function copyFiles(options: CopyOptions): Promise<number> {
  const [from, to] = [filePlace(options.from), filePlace(options.to)];
  if (!from && !to) {
    throw new UsageError("neither is a place in a branch; write one as main:/path, or ADDRESS/main:/path");
  }
  if (to) changing(to);
  using line = new TransferLine(`copying ${basename(options.from)}`);
  const code = await untilStopped(line, async (signal) => {
    await using faces = new Faces(options, signal);
    return await copy({ faces, options, signal }, from, to, line);
  }, "goes on").catch((error) => {
    line[Symbol.dispose]();
    throw shownError(error, options.json);
  });
  return code ?? ExitCode.INTERRUPTED;
}

async function copy(
  copying: Copying,
  from: FilePlace | undefined,
  to: FilePlace | undefined,
  line: TransferLine,
): Promise<number> {
  const { faces, options, signal } = copying;
  const goal = to && await inFolder(faces, to, from?.path ?? options.from.replace(/\/+$/, ""));
  if (from && goal && from.branch === goal.branch && from.address === goal.address) {
    return await within(copying, from, goal);
  }
  const found = { skipped: 0 };
  const items: Item[] = [];
  const source = from ? branchItems(copying, from) : localItems(options.from, found);
  for await (const item of source) {
    signal.throwIfAborted();
    if (item.kind === "folder" && !options.recursive) {
      throw new AlknetError("IS_A_FOLDER", `${options.from} is a folder; -r copies it with what it holds`);
    }
    if (items.push(item) > MOST_ITEMS) {
      throw new AlknetError("INVALID_INPUT", `${options.from} holds more than ${MOST_ITEMS} names; copy its parts`);
    }
  }
  const target: Target = goal
    ? goal.address === undefined ? new BranchTarget(copying, goal) : new RemoteTarget(copying, goal)
    : new LocalTarget(copying, options.to, from!.path);
  await target.prepare(items);
  const files = items.filter(({ kind }) => kind === "file");
  const all = files.reduce((sum, { size }) => sum + size, 0);
  let done = 0;
  await using _target = target;
  for (const item of items) {
    signal.throwIfAborted();
    const before = done;
    await target.put(item, { signal, progress: (bytes) => line.report(before + bytes, all) });
    line.report(done += item.size, all);
  }
  await target.end();
  line[Symbol.dispose]();
  if (options.json) {
    const [only] = items;
    const isOne = items.length === 1 && only.kind === "file";
    printJson({ path: target.path, ...target.result, files: files.length, ...isOne && { size: only.size } });
  }
  return found.skipped + target.skipped > 0 ? ExitCode.FAILED : ExitCode.DONE;
}

/** Within one branch the node itself copies. */
async function within({ faces, options }: Copying, from: FilePlace, to: FilePlace): Promise<number> {
  const entry = await faces.stat(from);
  if (entry.kind === "folder" && !options.recursive) {
    throw new AlknetError("IS_A_FOLDER", `${options.from} is a folder; -r copies it with what it holds`);
  }
  const face = await faces.of(from);
  const { seq } = await face.call("fs/copy", {
    branch: from.branch,
    from: from.path,
    to: to.path,
    replace: options.force,
    ...from.version !== undefined && { version: from.version },
  });
  if (options.json) printJson({ path: to.path, seq });
  return ExitCode.DONE;
}
