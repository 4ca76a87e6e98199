/**
 * `alknet fs ls`, `stat`, `mv`, `rm`, `mkdir`, `restore`: names of a branch.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import type { JsonObject } from "@alknet/core/operations";
import { ExitCode, print, printJson, UsageError } from "../terminal/output.ts";
import { formatSize } from "../terminal/size.ts";
import { visibleLine } from "../terminal/visible.ts";
import { type Faces, type FilesOptions, withFiles } from "./face.ts";
import { changing, type FilePlace, parsePlace } from "./place.ts";
import { longText, nameText, timeText } from "./showing.ts";

/** What the command line says of one place. */
export interface PlaceOptions extends FilesOptions {
  /** The place. */
  readonly place: string;
}

/** Lists a folder, or what is at a place. */
export async function listNames(
  options: PlaceOptions & { readonly long: boolean; readonly recursive: boolean },
): Promise<number> {
  const place = parsePlace(options.place);
  return await withFiles(options, async (faces) => {
    const entry = await faces.stat(place);
    if (entry.kind === "folder") await listFolder(faces, place, "", options);
    else if (options.json) printJson({ ...entry });
    else print(options.long ? longText(entry) : nameText(entry));
    return ExitCode.DONE;
  });
}

async function listFolder(
  faces: Faces,
  place: FilePlace,
  folder: string,
  options: { readonly long: boolean; readonly recursive: boolean; readonly json: boolean },
): Promise<void> {
  for await (const entry of faces.list(place)) {
    if (options.json) printJson(options.recursive ? { path: folder + entry.name, ...entry } : { ...entry });
    else print(options.long ? longText(entry, folder) : nameText(entry, folder));
    if (!options.recursive || entry.kind !== "folder") continue;
    const path = `${place.path === "/" ? "" : place.path}/${entry.name}`;
    await listFolder(faces, { ...place, path }, `${folder}${entry.name}/`, options);
  }
}

/** Shows what is at a place. */
export async function statName(options: PlaceOptions): Promise<number> {
  const place = parsePlace(options.place);
  return await withFiles(options, async (faces) => {
    const entry = await faces.stat(place);
    const { kind, seq, mode, mtime, hash, size, target } = entry;
    if (options.json) {
      printJson({ path: place.path, ...entry });
      return ExitCode.DONE;
    }
    print(`path    ${visibleLine(place.path)}`);
    print(`kind    ${kind}`);
    print(`commit  ${seq}`);
    print(`mode    ${mode.toString(8).padStart(4, "0")}`);
    print(`time    ${timeText(mtime)}`);
    if (size !== undefined) print(`size    ${formatSize(size)}`);
    if (hash !== undefined) print(`hash    ${hash}`);
    if (target !== undefined) print(`target  ${visibleLine(target)}`);
    return ExitCode.DONE;
  });
}

/** Moves a name within its branch. */
export async function moveName(
  options: FilesOptions & { readonly from: string; readonly to: string; readonly force: boolean },
): Promise<number> {
  const [from, given] = [changing(parsePlace(options.from)), changing(parsePlace(options.to))];
  if (from.branch !== given.branch || from.address !== given.address) {
    throw new UsageError("mv moves within one branch; between two use cp, then rm");
  }
  return await withFiles(options, async (faces) => {
    const to = await inFolder(faces, given, from.path);
    const face = await faces.of(from);
    const input = { branch: from.branch, from: from.path, to: to.path, replace: options.force };
    const { seq } = await face.call("fs/move", input);
    if (options.json) printJson({ path: to.path, seq });
    return ExitCode.DONE;
  });
}

/** A place, or one in it where it is a folder: as mv and cp have it. */
export async function inFolder(faces: Faces, place: FilePlace, source: string): Promise<FilePlace> {
  const there = await faces.statIfThere(place);
  if (there?.kind !== "folder" && !place.isFolder) return place;
  if (!there) {
    throw new AlknetError("PATH_NOT_FOUND", `there is no folder ${JSON.stringify(place.path)}; make it first`);
  }
  if (there.kind !== "folder") throw new AlknetError("NOT_A_FOLDER", `${JSON.stringify(place.path)} is no folder`);
  const name = source.slice(source.lastIndexOf("/") + 1);
  return { ...place, path: `${place.path === "/" ? "" : place.path}/${name}`, isFolder: false };
}

/** Removes a name. */
export async function removeName(options: PlaceOptions & { readonly recursive: boolean }): Promise<number> {
  return await changed(options, "fs/remove", { recursive: options.recursive });
}

/** Makes a folder. */
export async function makeFolder(options: PlaceOptions & { readonly parents: boolean }): Promise<number> {
  return await changed(options, "fs/mkdir", { parents: options.parents });
}

/** Takes back what a version had. */
export async function restoreName(options: PlaceOptions): Promise<number> {
  const { version, ...place } = parsePlace(options.place);
  if (version === undefined) {
    throw new UsageError("restore takes back what a version had; name it: main@12:/path");
  }
  return await changed(options, "fs/restore", { version }, place);
}

async function changed(
  options: PlaceOptions,
  operation: string,
  more: JsonObject,
  place: FilePlace = changing(parsePlace(options.place)),
): Promise<number> {
  return await withFiles(options, async (faces) => {
    const face = await faces.of(place);
    const { seq } = await face.call(operation, { branch: place.branch, path: place.path, ...more });
    if (options.json) printJson({ path: place.path, seq });
    return ExitCode.DONE;
  });
}
