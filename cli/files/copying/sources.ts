/**
 * What is copied: the names below a local path, or below a place of a branch.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import type { BlobStore, Entry, Held, Told } from "@alknet/handlers/fs";
import { join } from "node:path";
import { note } from "../../terminal/output.ts";
import { visibleLine } from "../../terminal/visible.ts";
import type { Copying } from "../face.ts";
import type { FilePlace } from "../place.ts";

/** A name that is copied. */
export interface Item {
  /** Below what is copied, with `/` between its parts; nothing for that itself. */
  readonly name: string;
  /** What it is. */
  readonly kind: Entry["kind"];
  /** Bytes of a file. */
  readonly size: number;
  /** Permissions. */
  readonly mode: number;
  /** Milliseconds since 1970. */
  readonly mtime: number;
  /** What a link leads to. */
  readonly target?: string;
  /** Brings the blob of a file into a store. */
  bring(into: BlobStore, told: Told): Promise<Held>;
}

const MODE_BITS = 0o7777;
/** Names in a path. */
const MAX_DEPTH = 128;

/** A local path and what lies below it; a folder comes before what it holds. No link is followed. */
export async function* localItems(path: string, found: { skipped: number }, name = ""): AsyncGenerator<Item> {
  const at = name === "" ? path : join(path, name);
  const info = await Deno.lstat(at).catch((cause) => {
    if (name !== "") return undefined;
    throw new AlknetError("FILE_UNREADABLE", `${path} is not there`, { cause });
  });
  // A name that is not UTF-8 does not lead back to its file.
  if (!info || !(info.isFile || info.isDirectory || info.isSymlink)) {
    found.skipped++;
    note(`alknet: ${visibleLine(at)} is no file, or its name is not UTF-8; it was passed over`);
    return;
  }
  const kind = info.isFile ? "file" : info.isDirectory ? "folder" : "link";
  yield {
    name,
    kind,
    size: info.isFile ? info.size : 0,
    mode: (info.mode ?? (kind === "folder" ? 0o755 : 0o644)) & MODE_BITS,
    mtime: Math.round(info.mtime?.getTime() ?? Date.now()),
    ...info.isSymlink && { target: await Deno.readLink(at) },
    bring: (into, told) => into.add({ path: at }, { ...told, owner: "local" }),
  };
  if (!info.isDirectory) return;
  const names = [];
  for await (const entry of Deno.readDir(at)) names.push(entry.name);
  for (const child of names.sort()) yield* localItems(path, found, name === "" ? child : `${name}/${child}`);
}

/** A place and what lies below it; a folder comes before what it holds. */
export async function* branchItems(copying: Copying, place: FilePlace): AsyncGenerator<Item> {
  yield* itemsOf(copying, place, await copying.faces.stat(place), "");
}

async function* itemsOf(copying: Copying, place: FilePlace, entry: Entry, name: string): AsyncGenerator<Item> {
  const { kind, size = 0, mode, mtime, target, hash } = entry;
  yield {
    name,
    kind,
    size,
    mode,
    mtime,
    ...target !== undefined && { target },
    bring: async (into, told) => await (await copying.faces.of(place)).bring(hash!, into, told),
  };
  if (kind !== "folder") return;
  // A node that names folders in folders without end is not followed for ever.
  if (name.split("/").length > MAX_DEPTH) {
    throw new AlknetError("INVALID_NAME", "its folders lie too deep in each other");
  }
  const path = `${place.path === "/" ? "" : place.path}${name === "" ? "" : `/${name}`}`;
  for await (const child of copying.faces.list({ ...place, path: path === "" ? "/" : path })) {
    yield* itemsOf(copying, place, child, name === "" ? child.name : `${name}/${child.name}`);
  }
}
