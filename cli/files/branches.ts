/**
 * `alknet fs branch`, `snapshot`, `diff`, `merge`, `log`, `watch`, `usage`: branches, and what was changed in them.
 *
 * @module
 */
import type { JsonObject, JsonValue } from "@alknet/core/operations";
import type { Branch, Change, Difference, MergeResult, OwnerUsage, Snapshot } from "@alknet/handlers/fs";
import { ExitCode, note, print, printJson, UsageError } from "../terminal/output.ts";
import { formatSize } from "../terminal/size.ts";
import { visibleLine } from "../terminal/visible.ts";
import { type Face, type FilesOptions, withFiles } from "./face.ts";
import { atVersion, type BranchPlace, changing, filePlace, parseBranch } from "./place.ts";
import { branchText, changeText, conflictText, differenceText, snapshotText } from "./showing.ts";

/** What the command line says of one branch. */
export interface BranchOptions extends FilesOptions {
  /** The branch. */
  readonly branch: string;
}

/** Lists branches. */
export async function listBranches(options: FilesOptions & { readonly address?: string }): Promise<number> {
  return await withFiles(options, async (faces) => {
    const face = await faces.of(options);
    let count = 0;
    for await (const one of pages<Branch>(face, "fs/branches", {}, "branches")) {
      show(one, options, branchText);
      count++;
    }
    if (count === 0) note("alknet: note: there is no branch that you may see");
    return ExitCode.DONE;
  });
}

/** Makes a branch. */
export async function createBranch(
  options: FilesOptions & { readonly name: string; readonly from: string },
): Promise<number> {
  const from = parseBranch(options.from);
  const name = bare(options.name, from);
  return await answered(options, from, "fs/fork", { name, from: atVersion(from) }, branchText);
}

/** Takes a branch away. */
export async function dropBranch(options: BranchOptions): Promise<number> {
  const place = changing(parseBranch(options.branch));
  return await answered(options, place, "fs/drop", { branch: place.branch }, branchText);
}

/** Says whether anyone may read a branch. */
export async function publishBranch(options: BranchOptions & { readonly off: boolean }): Promise<number> {
  const place = changing(parseBranch(options.branch));
  return await answered(options, place, "fs/configure", { branch: place.branch, public: !options.off }, branchText);
}

/** Lists snapshots. */
export async function listSnapshots(options: BranchOptions): Promise<number> {
  const place = changing(parseBranch(options.branch));
  return await withFiles(options, async (faces) => {
    const face = await faces.of(place);
    let count = 0;
    for await (const one of pages<Snapshot>(face, "fs/snapshots", { branch: place.branch }, "snapshots")) {
      show(one, options, snapshotText);
      count++;
    }
    if (count === 0) note(`alknet: note: ${place.branch} has no snapshots`);
    return ExitCode.DONE;
  });
}

/** Names the head of a branch. */
export async function createSnapshot(
  options: BranchOptions & { readonly name: string; readonly note?: string },
): Promise<number> {
  const place = changing(parseBranch(options.branch));
  const input = { branch: place.branch, name: options.name, ...options.note !== undefined && { note: options.note } };
  return await answered(options, place, "fs/snapshot", input, snapshotText);
}

/** Takes such a name away. */
export async function dropSnapshot(options: BranchOptions & { readonly name: string }): Promise<number> {
  const place = changing(parseBranch(options.branch));
  return await answered(options, place, "fs/unsnapshot", { branch: place.branch, name: options.name }, snapshotText);
}

/** Shows how two versions differ. */
export async function diffBranches(
  options: FilesOptions & { readonly from: string; readonly to: string },
): Promise<number> {
  const [from, to] = [parseBranch(options.from), parseBranch(options.to)];
  sameNode(from, to);
  const path = filePlace(options.from)?.path ?? filePlace(options.to)?.path;
  const input = { from: atVersion(from), to: atVersion(to), ...path !== undefined && { path } };
  return await withFiles(options, async (faces) => {
    const face = await faces.of(from);
    for await (const one of pages<Difference>(face, "fs/diff", input, "differences")) {
      show(one, options, differenceText);
    }
    return ExitCode.DONE;
  });
}

/** Brings into one branch what another changed. */
export async function mergeBranches(
  options: FilesOptions & {
    readonly from: string;
    readonly into: string;
    readonly policy: string;
    readonly dryRun: boolean;
  },
): Promise<number> {
  const { policy, dryRun, json } = options;
  const [from, into] = [parseBranch(options.from), changing(parseBranch(options.into))];
  sameNode(from, into);
  return await withFiles(options, async (faces) => {
    const face = await faces.of(from);
    const input = { from: atVersion(from), into: into.branch, policy, dryRun };
    const result = await face.call("fs/merge", input) as unknown as MergeResult;
    const { seq, applied, conflicts } = result;
    const isRefused = policy === "fail" && conflicts.length > 0;
    if (json) printJson({ ...result });
    else {
      for (const one of conflicts) print(conflictText(one));
      const changes = `${applied} ${applied === 1 ? "change" : "changes"}`;
      const what = `${visibleLine(atVersion(from))} into ${visibleLine(into.branch)}`;
      if (dryRun) print(`would merge ${what}: ${changes}`);
      else if (!isRefused) print(`merged ${what}: ${changes}${seq === undefined ? "" : `, commit ${seq}`}`);
    }
    return isRefused ? ExitCode.FAILED : ExitCode.DONE;
  });
}

/** Shows what was changed, the newest first. */
export async function showLog(options: BranchOptions & { readonly count?: number }): Promise<number> {
  const place = changing(parseBranch(options.branch));
  return await withFiles(options, async (faces) => {
    const face = await faces.of(place);
    let left = options.count ?? Infinity;
    for await (const one of pages<Change>(face, "fs/log", withPath(options.branch, place), "changes")) {
      if (left-- <= 0) break;
      show(one, options, changeText);
    }
    return ExitCode.DONE;
  });
}

/** Shows changes as they are made. */
export async function watchBranch(
  options: BranchOptions & { readonly since?: number; readonly count?: number },
): Promise<number> {
  const place = changing(parseBranch(options.branch));
  return await withFiles(options, async (faces, signal) => {
    const face = await faces.of(place);
    const input = withPath(options.branch, place);
    const from = options.since === undefined ? input : { ...input, since: options.since };
    let left = options.count ?? Infinity;
    for await (const one of face.subscribe("fs/watch", from)) {
      show(one as unknown as Change, options, changeText);
      if (--left === 0) break;
    }
    return signal.aborted ? ExitCode.INTERRUPTED : ExitCode.DONE;
  });
}

/** Shows how much one keeps, and how much one may. */
export async function showUsage(options: FilesOptions & { readonly address?: string }): Promise<number> {
  return await withFiles(options, async (faces) => {
    const face = await faces.of(options);
    show(await face.call("fs/usage", {}) as unknown as OwnerUsage, options, usageText);
    return ExitCode.DONE;
  });
}

function usageText({ owner, bytes, files, maxBytes, maxFiles }: OwnerUsage): string {
  const most = (max: number | undefined, text: (max: number) => string): string =>
    max === undefined ? "" : ` of ${text(max)}`;
  return `${visibleLine(owner)}  ${formatSize(bytes)}${most(maxBytes, formatSize)}  ${files}${
    most(maxFiles, String)
  } files`;
}

async function answered<T extends object>(
  options: FilesOptions,
  place: BranchPlace,
  operation: string,
  input: JsonObject,
  text: (one: T) => string,
): Promise<number> {
  return await withFiles(options, async (faces) => {
    const face = await faces.of(place);
    show(await face.call(operation, input) as unknown as T, options, text);
    return ExitCode.DONE;
  });
}

async function* pages<T>(face: Face, operation: string, input: JsonObject, name: string): AsyncGenerator<T> {
  for (let after: JsonValue | undefined, isMore = true; isMore;) {
    const page: JsonObject = await face.call(operation, { ...input, ...after !== undefined && { after } });
    yield* page[name] as unknown as T[];
    after = page.next;
    isMore = after !== undefined;
  }
}

function show<T extends object>(one: T, { json }: { readonly json: boolean }, text: (one: T) => string): void {
  if (json) printJson(one as Record<string, unknown>);
  else print(text(one));
}

/** The branch of a place, and its path where the place has one. */
function withPath(text: string, { branch }: BranchPlace): JsonObject {
  const path = filePlace(text)?.path;
  return { branch, ...path !== undefined && { path } };
}

function sameNode(one: BranchPlace, other: BranchPlace): void {
  if (one.address !== other.address) throw new UsageError("both branches are to be of one node");
}

/** The name of a branch that is to be made where another is. */
function bare(name: string, from: BranchPlace): string {
  const place = parseBranch(name);
  if (place.address !== undefined) sameNode(place, from);
  return changing(place).branch;
}
