/**
 * Collections: folders as sequences of blobs, the first of which names the others (fs.md §3).
 *
 * What others name is looked at before anything is written: no name leads out of the folder, and no link is followed.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { type BlobStore, type Held, linksOf } from "@alknet/handlers/fs";
import { readNames, writeNames } from "@alknet/handlers/fs/bao";
import { dirname, join } from "node:path";
import { note } from "../terminal/output.ts";
import { visibleLine } from "../terminal/visible.ts";
import { assertFree, toFile } from "./placing.ts";
import type { TransferLine } from "./transfer_line.ts";

/** Bytes of the names of a collection: they are in memory. */
const MAX_NAMES = 16 * 1024 * 1024;
/** Bytes of a part of a name, and of a name; parts of it. */
const MAX_PART = 255;
const MAX_NAME = 4096;
const MAX_PARTS = 128;

/** A file of a collection. */
export interface CollectionFile {
  /** Below the folder, with `/` between its parts. */
  readonly name: string;
  /** Its blob. */
  readonly hash: string;
}

/** How a folder is added. */
export interface AddFolderOptions {
  /** Whether its files stay where they are. */
  readonly reference: boolean;
  /** Told of progress. */
  readonly line: TransferLine;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** What became of a folder. */
export interface AddedFolder extends AsyncDisposable {
  /** The sequence. */
  readonly held: Held;
  /** Bytes of its files. */
  readonly size: number;
  /** What is in the folder and not in the collection. */
  readonly skipped: number;
}

/** Adds the files below a folder. Links, and what is no file, are passed over, and said. */
export async function addFolder(
  blobs: BlobStore,
  folder: string,
  { reference, line, signal }: AddFolderOptions,
): Promise<AddedFolder> {
  await using holds = new AsyncDisposableStack();
  const names: string[] = [];
  const hashes: string[] = [];
  const found = { skipped: 0 };
  let size = 0;
  for await (const name of filesBelow(folder, "", found)) {
    signal.throwIfAborted();
    const done = size;
    const progress = (bytes: number): void => line.report(done + bytes);
    const mode = reference ? "reference" : "copy";
    const held = holds.use(await blobs.add({ path: join(folder, name), mode }, { progress, signal, owner: "local" }));
    names.push(name);
    hashes.push(held.hash);
    size += held.size;
  }
  // A collection that others refuse would be of no use.
  checkNames(names);
  const meta = holds.use(await blobs.add(new Blob([writeNames(names)]).stream(), { owner: "local" }));
  const links = [meta.hash, ...hashes].map((hash) => Uint8Array.fromHex(hash));
  const held = await blobs.add(new Blob(links).stream(), { format: "hashSeq", owner: "local" });
  return { held, size, skipped: found.skipped, [Symbol.asyncDispose]: () => held[Symbol.asyncDispose]() };
}

async function* filesBelow(folder: string, below: string, found: { skipped: number }): AsyncGenerator<string> {
  const entries = await Array.fromAsync(Deno.readDir(join(folder, below)));
  entries.sort((one, other) => one.name < other.name ? -1 : 1);
  for (const { name, isDirectory, isFile } of entries) {
    const path = below === "" ? name : `${below}/${name}`;
    if (isDirectory) yield* filesBelow(folder, path, found);
    // Names that are not UTF-8 do not lead back to their files.
    else if (isFile && await Deno.lstat(join(folder, path)).then(() => true, () => false)) yield path;
    else {
      found.skipped++;
      note(`alknet: ${visibleLine(path)} is no file, or its name is not UTF-8; it was passed over`);
    }
  }
}

/**
 * The files of a collection in a store.
 *
 * @throws {AlknetError} `BLOB_CORRUPT`: it is none. `INVALID_NAME`: a name leads elsewhere, or two do not go together.
 */
export async function collectionOf(blobs: BlobStore, hash: string): Promise<CollectionFile[]> {
  const wrong = (what: string, cause?: unknown): AlknetError =>
    new AlknetError("BLOB_CORRUPT", `blob ${hash.slice(0, 10)} is no collection of files: ${what}`, { cause });
  const [meta, ...files] = await linksOf(blobs, hash);
  if (!meta) throw wrong("it is empty");
  await using reader = await blobs.open(meta.toHex());
  if (reader.size > MAX_NAMES) throw wrong(`its names have more than ${MAX_NAMES} bytes`);
  let names: string[];
  try {
    names = readNames(await reader.read(0, reader.size));
  } catch (cause) {
    throw wrong((cause as Error).message, cause);
  }
  if (names.length !== files.length) throw wrong(`it has ${names.length} names for ${files.length} files`);
  checkNames(names);
  return names.map((name, i) => ({ name, hash: files[i].toHex() }));
}

/**
 * Makes sure that names stay below a folder, and do not stand in each other's way.
 *
 * @throws {AlknetError} `INVALID_NAME`.
 */
export function checkNames(names: readonly string[]): void {
  const files = new Set<string>();
  const folders = new Set<string>();
  const refuse = (name: string, what: string): never => {
    throw new AlknetError(
      "INVALID_NAME",
      `a collection names ${JSON.stringify(visibleLine(name.slice(0, 80)))}: ${what}`,
    );
  };
  for (const name of names) {
    const parts = name.split("/");
    if (parts.length > MAX_PARTS || bytesOf(name) > MAX_NAME) refuse(name, "it is too long");
    for (const part of parts) {
      if (part === "" || part === "." || part === "..") refuse(name, "it does not stay below a folder");
      if (bytesOf(part) > MAX_PART) refuse(name, "a part of it is too long");
      if (part.includes("\0") || !part.isWellFormed()) refuse(name, "no file can have it");
      if (Deno.build.os === "windows" && /[\\:]/.test(part)) refuse(name, "no file of Windows can have it");
    }
    if (files.has(name)) refuse(name, "it is there twice");
    files.add(name);
    for (let i = 1; i < parts.length; i++) folders.add(parts.slice(0, i).join("/"));
  }
  for (const name of files) if (folders.has(name)) refuse(name, "it is a file and a folder");
}

function bytesOf(text: string): number {
  return new TextEncoder().encode(text).byteLength;
}

/**
 * Writes the files of a collection below a folder.
 *
 * @returns Their bytes.
 * @throws {AlknetError} `PATH_EXISTS`, `IS_A_FOLDER`, `NOT_A_FOLDER`: then nothing was written.
 */
export async function placeCollection(
  files: readonly CollectionFile[],
  blobs: BlobStore,
  folder: string,
  { force, signal }: { readonly force: boolean; readonly signal: AbortSignal },
): Promise<number> {
  for (const { name } of files) {
    await assertNoLink(folder, name);
    await assertFree(join(folder, name), force);
  }
  let size = 0;
  for (const { name, hash } of files) {
    const path = join(folder, name);
    await Deno.mkdir(dirname(path), { recursive: true });
    // A link may have come meanwhile.
    await assertNoLink(folder, name);
    await using reader = await blobs.open(hash);
    await toFile(reader, path, force, signal);
    size += reader.size;
  }
  return size;
}

/**
 * Each folder between a folder and a file in it is one, or not there yet.
 *
 * @throws {AlknetError} `NOT_A_FOLDER`.
 */
export async function assertNoLink(folder: string, name: string): Promise<void> {
  const parts = name.split("/");
  for (let i = 1; i < parts.length; i++) {
    const path = join(folder, ...parts.slice(0, i));
    const there = await Deno.lstat(path).catch(() => undefined);
    if (!there) return;
    if (!there.isDirectory) {
      const what = there.isSymlink ? "a link, and links are not followed" : "no folder";
      throw new AlknetError("NOT_A_FOLDER", `${visibleLine(path)} is ${what}; name another folder with -o`);
    }
  }
}
