/**
 * Blobs and branches over HTTP, for reading (fs.md §8, HTTP).
 *
 * ```text
 * GET /blobs/<hash>                     the blob
 * GET /blobs/<hash>.obao4               its outboard
 * GET /fs/<branch>[@version]/<path>     a file, or a page of a folder: ?after=, ?limit=
 * ```
 *
 * Whoever has no right is told what is told of what is not there.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { outboardSize } from "../bao/tree.ts";
import { locate } from "../files/symlinks.ts";
import { paged } from "../operations/declaring.ts";
import { type Asker, mayRead, mayUse, type ReadParts } from "../rights.ts";
import type { TreeFs } from "../store.ts";
import { parseVersion } from "../tree/names.ts";
import { cacheControl, contentAnswer, jsonAnswer, nothingThere, refused, wrongMethod } from "./answers.ts";
import { isActive, mediaType, OCTETS } from "./media_types.ts";
import { outboardReader } from "./outboard_reader.ts";

/** Options of {@linkcode fsWeb}. */
export interface FsWebOptions {
  /** Whether whoever knows a hash may read it. Default `false`. */
  readonly publicBlobs?: boolean;
}

/** Answers a request for a blob or a branch; nothing where it asks for neither. */
export type FsWeb = (request: Request, who?: Asker) => Promise<Response | undefined>;

const BLOB = /^\/blobs\/([0-9a-f]{64})(\.obao4)?$/;
const FILE = /^\/fs\/([^/]+)(\/.*)$/;
const DIGITS = /^\d+$/;
const MAX_PAGE = 1000;

/** What is said of a fault; everything else is as nothing there. */
const FAULTS: Readonly<Record<string, number>> = {
  HISTORY_GONE: 410,
  BLOB_CORRUPT: 500,
  BLOB_ABSENT: 503,
  TREE_UNAVAILABLE: 503,
};
const NOTHING: readonly string[] = [
  "BLOB_NOT_FOUND",
  "BRANCH_NOT_FOUND",
  "PATH_NOT_FOUND",
  "NOT_A_FOLDER",
  "INVALID_NAME",
  "OUTSIDE_BRANCH",
  "TOO_MANY_LINKS",
];

/** Whether a URL is one of a blob or of a branch, whatever is there. */
export function isFsPath(url: string): boolean {
  const [path] = pathOf(url);
  return BLOB.test(path) || FILE.test(path);
}

/** The files of a node over HTTP. */
export function fsWeb(files: TreeFs, { publicBlobs = false }: FsWebOptions = {}): FsWeb {
  const parts: ReadParts = { grants: files.grants, tree: files.tree, publicBlobs };
  return async (request, who = {}) => {
    const [path, query] = pathOf(request.url);
    const blob = BLOB.exec(path);
    const file = blob ? null : FILE.exec(path);
    if (!blob && !file) return undefined;
    if (request.method !== "GET" && request.method !== "HEAD") return wrongMethod();
    try {
      if (blob) return await blobAnswer(files, parts, request, who, blob);
      return await fileAnswer(files, request, who, { branch: file![1], path: file![2], query });
    } catch (error) {
      if (!(error instanceof AlknetError)) throw error;
      if (NOTHING.includes(error.code)) return nothingThere();
      if (Object.hasOwn(FAULTS, error.code)) return refused(FAULTS[error.code], error.code.toLowerCase());
      throw error;
    }
  };
}

async function blobAnswer(
  { blobs }: TreeFs,
  parts: ReadParts,
  request: Request,
  who: Asker,
  [, hash, suffix]: RegExpExecArray,
): Promise<Response> {
  if (!await mayRead(hash, who, parts)) return nothingThere();
  const { state, size } = await blobs.status(hash);
  if (state !== "complete") return nothingThere();
  const cache = cacheControl(await mayRead(hash, {}, parts), true);
  if (suffix === undefined) {
    return await contentAnswer(request, {
      size: size!,
      etag: `"${hash}"`,
      type: OCTETS,
      cache,
      open: () => blobs.open(hash),
    });
  }
  return await contentAnswer(request, {
    size: outboardSize(size!),
    etag: `"${hash}${suffix}"`,
    type: OCTETS,
    cache,
    open: async () => outboardReader(await blobs.source(hash)),
  });
}

async function fileAnswer(
  { tree, content }: TreeFs,
  request: Request,
  { identity }: Asker,
  asked: { readonly branch: string; readonly path: string; readonly query: URLSearchParams },
): Promise<Response> {
  const text = decoded(asked.branch);
  const names = asked.path.split("/").map(decoded);
  // A name cannot hold a slash, however it was written.
  if (text === undefined || names.some((name) => name === undefined || name.includes("/"))) return nothingThere();
  const { branch: name, version } = parseVersion(text);
  const branch = await tree.branch(name);
  if (!mayUse(branch, "read", identity)) return nothingThere();
  const view = await tree.at(text);
  const { path, entry } = await locate(view, names.join("/"), true);
  if (!entry) return nothingThere();
  // What a snapshot's name stands for may be another commit one day.
  const cache = cacheControl(branch.public, version !== undefined && DIGITS.test(text.slice(name.length + 1)));
  if (entry.kind === "folder") {
    const limit = limitOf(asked.query.get("limit"));
    if (limit === undefined) return refused(400, `limit is a number from 1 to ${MAX_PAGE}`);
    const entries = await view.list(path, { after: asked.query.get("after") ?? undefined, limit });
    return jsonAnswer(paged("entries", entries, limit, ({ name }) => name), cache);
  }
  const type = mediaType(path);
  return await contentAnswer(request, {
    size: entry.size!,
    etag: `"${entry.hash}"`,
    type,
    cache,
    attachment: isActive(type),
    open: () => content(entry.hash!),
  });
}

/** The path of a URL as the client wrote it, and its query. */
function pathOf(url: string): [path: string, query: URLSearchParams] {
  const rest = url.slice(url.indexOf("/", url.indexOf("//") + 2));
  const [, path, query = ""] = /^([^?#]*)(?:\?([^#]*))?/.exec(rest)!;
  return [path, new URLSearchParams(query)];
}

/** A name as it was meant; nothing where it is no text. */
function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function limitOf(text: string | null): number | undefined {
  if (text === null) return MAX_PAGE;
  const limit = DIGITS.test(text) ? Number(text) : 0;
  return limit >= 1 && limit <= MAX_PAGE ? limit : undefined;
}
