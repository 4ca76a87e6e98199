/**
 * A decoy with content: the files below one folder, and nothing beside it.
 *
 * A request's path becomes plain names ({@linkcode canonicalPath}); the file they name is then resolved, links included,
 * and must still lie below the root under visible names, and be a regular file, before it is opened.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { type Decoy, notFoundResponse } from "./decoy.ts";
import { FILE_CHUNK } from "../limits.ts";
import { mediaType } from "./media_types.ts";
import { type CanonicalPath, canonicalPath, isPlainName } from "./static_path.ts";
import { type ByteRange, isFresh, requestedRange, type Validators } from "./static_range.ts";
import { rawPath } from "../request/raw_path.ts";

/** Options of {@linkcode staticSite}. */
export interface StaticSiteOptions {
  /** The folder to serve. A link is followed at each request, so a site can be swapped whole. */
  readonly root: string;
}

const INDEX = "index.html";
const SEPARATOR = Deno.build.os === "windows" ? "\\" : "/";

/**
 * Serves the files below a folder, `index.html` for folders. `GET` and `HEAD`; entity tags, dates and single ranges.
 *
 * @throws {AlknetError} `FOLDER_NOT_FOUND`: there is no such folder, or it cannot be read.
 */
export function staticSite(options: StaticSiteOptions): Decoy {
  const { root: folder } = options;
  checkFolder(folder);
  return async (request) => {
    if (request.method !== "GET" && request.method !== "HEAD") {
      return new Response(null, { status: 405, headers: { allow: "GET, HEAD" } });
    }
    const path = canonicalPath(rawPath(request.url));
    return (path && await respond(folder, path, request)) ?? notFoundResponse(request.method);
  };
}

function checkFolder(folder: string): void {
  let cause: unknown;
  try {
    if (Deno.statSync(folder).isDirectory) return;
  } catch (error) {
    cause = error;
  }
  throw new AlknetError(
    "FOLDER_NOT_FOUND",
    `static site: ${JSON.stringify(folder)} is not a folder that can be read; name an existing one`,
    { cause },
  );
}

/** The answer for a canonical path, or nothing where there is no such file. */
async function respond(folder: string, path: CanonicalPath, request: Request): Promise<Response | undefined> {
  const found = await locate(folder, path.names);
  if (!found) return;
  if (found.info.isFile) return path.folder ? undefined : await respondFile(found, request);
  if (!found.info.isDirectory) return;
  if (!path.folder) return redirectToFolder(path, request);
  const index = await locate(folder, [...path.names, INDEX]);
  return index?.info.isFile ? await respondFile(index, request) : undefined;
}

interface Located {
  /** Absolute, without links. */
  readonly path: string;
  readonly info: Deno.FileInfo;
}

/** Resolves names below the folder; nothing if they lead nowhere, outside, or to something hidden. */
async function locate(folder: string, names: readonly string[]): Promise<Located | undefined> {
  try {
    const root = await Deno.realPath(folder);
    const path = await Deno.realPath([root, ...names].join(SEPARATOR));
    if (!isVisibleBelow(root, path)) return;
    return { path, info: await Deno.lstat(path) };
  } catch {
    // Missing, not permitted, a loop of links: a visitor is told none of it.
    return;
  }
}

function isVisibleBelow(root: string, path: string): boolean {
  if (path === root) return true;
  const prefix = root.endsWith(SEPARATOR) ? root : root + SEPARATOR;
  return path.startsWith(prefix) && path.slice(prefix.length).split(SEPARATOR).every(isPlainName);
}

/** Built from the decoded names, none of which is empty: the location cannot name another host. */
function redirectToFolder(path: CanonicalPath, request: Request): Response {
  const query = /\?[^#]*/.exec(request.url)?.[0] ?? "";
  const location = path.names.map((name) => `/${encodeURIComponent(name)}`).join("") + "/" + query;
  return new Response(null, { status: 301, headers: { location } });
}

async function respondFile({ path, info }: Located, request: Request): Promise<Response | undefined> {
  const { size } = info;
  const validators = validatorsOf(info);
  const headers = new Headers({
    "content-type": mediaType(path),
    "etag": validators.etag,
    "last-modified": new Date(validators.modified).toUTCString(),
    "accept-ranges": "bytes",
  });
  if (isFresh(request.headers, validators)) return new Response(null, { status: 304, headers });
  // Ranges are defined for GET alone (RFC 9110 §14.2).
  const range = request.method === "GET" ? requestedRange(request.headers, size, validators) : undefined;
  if (range === "unsatisfiable") {
    return new Response(null, { status: 416, headers: { "content-range": `bytes */${size}` } });
  }
  if (range) headers.set("content-range", `bytes ${range.first}-${range.last}/${size}`);
  const { first, last } = range ?? { first: 0, last: size - 1 };
  headers.set("content-length", `${last - first + 1}`);
  const status = range ? 206 : 200;
  if (request.method === "HEAD" || size === 0) return new Response(null, { status, headers });
  const body = await openRange(path, { first, last });
  return body && new Response(body, { status, headers });
}

/** Size and time, as web servers do: a change within one tick of the clock that keeps the size goes unseen. */
function validatorsOf({ size, mtime }: Deno.FileInfo): Validators {
  const modified = mtime?.getTime() ?? 0;
  return { etag: `"${modified.toString(16)}-${size.toString(16)}"`, modified };
}

/** A stream of part of a file, which reads as fast as it is read and closes the file however it ends. */
async function openRange(path: string, { first, last }: ByteRange): Promise<ReadableStream<Uint8Array> | undefined> {
  const file = await Deno.open(path).catch(() => undefined);
  if (!file) return;
  const state = { file: file as Deno.FsFile | undefined, left: last - first + 1 };
  const close = () => {
    state.file?.close();
    state.file = undefined;
  };
  return new ReadableStream<Uint8Array>({
    async start() {
      if (first > 0) await file.seek(first, Deno.SeekMode.Start);
    },
    async pull(controller) {
      const chunk = new Uint8Array(Math.min(FILE_CHUNK, state.left));
      const read = await file.read(chunk).catch(() => null);
      if (read === null) {
        close();
        // The length was announced: only an error tells the client that it did not get all of it.
        throw new Error("the file became shorter while it was sent");
      }
      controller.enqueue(chunk.subarray(0, read));
      state.left -= read;
      if (state.left > 0) return;
      close();
      controller.close();
    },
    cancel: close,
  }, { highWaterMark: 0 });
}
