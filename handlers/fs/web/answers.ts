/**
 * Answers to requests for content: whole, a range, not changed, or refused. Each byte is verified before it goes out.
 *
 * @module
 */
import type { BlobReader } from "../blobs/blob_store.ts";
import { isFresh, isOther, requestedRange } from "./conditions.ts";

/** Bytes that are read at once. */
const PIECE = 256 * 1024;

/** Nothing in an answer is run by a browser, whatever is in it. */
const SAFE: Readonly<Record<string, string>> = {
  "x-content-type-options": "nosniff",
  "content-security-policy": "sandbox; default-src 'none'",
};

/** What is answered with. */
export interface Content {
  /** Its bytes, once. */
  readonly size: number;
  /** Strong entity tag, with quotes. */
  readonly etag: string;
  /** Its media type. */
  readonly type: string;
  /** What caches may do with it. */
  readonly cache: string;
  /** Whether a browser is to save it. */
  readonly attachment?: boolean;
  /** Opens it. */
  readonly open: () => Promise<BlobReader>;
}

/** How an answer may be kept. */
export function cacheControl(isPublic: boolean, isFixed: boolean): string {
  return `${isPublic ? "public" : "private"}, ${isFixed ? "immutable, max-age=31536000" : "no-cache"}`;
}

/** An answer without content. */
export function refused(status: number, what: string, headers: Readonly<Record<string, string>> = {}): Response {
  const fixed = { ...SAFE, "cache-control": "no-store", "content-type": "text/plain; charset=utf-8" };
  return new Response(`${what}\n`, { status, headers: { ...fixed, ...headers } });
}

/** The same answer whether there is nothing or there is no right to it. */
export function nothingThere(): Response {
  return refused(404, "nothing there, or not for you");
}

/** What a client is told of a method that is none here. */
export function wrongMethod(): Response {
  return refused(405, "only GET and HEAD", { allow: "GET, HEAD" });
}

/** An answer in JSON. */
export function jsonAnswer(value: unknown, cache: string): Response {
  return new Response(JSON.stringify(value), {
    headers: { ...SAFE, "content-type": "application/json", "cache-control": cache },
  });
}

/** The answer to a GET or HEAD of content. */
export async function contentAnswer({ method, headers: asked }: Request, content: Content): Promise<Response> {
  const { size, etag, type, cache, attachment = false } = content;
  const headers = new Headers({ ...SAFE, etag, "cache-control": cache, "accept-ranges": "bytes" });
  if (isOther(asked, etag)) return refused(412, "it is another one");
  if (isFresh(asked, etag)) return new Response(null, { status: 304, headers });
  // Ranges are defined for GET alone (RFC 9110 §14.2).
  const range = method === "GET" ? requestedRange(asked, size, etag) : undefined;
  if (range === "unsatisfiable") return refused(416, "no such range", { "content-range": `bytes */${size}` });
  headers.set("content-type", type);
  if (attachment) headers.set("content-disposition", "attachment");
  if (range) headers.set("content-range", `bytes ${range.first}-${range.last}/${size}`);
  const { first, last } = range ?? { first: 0, last: size - 1 };
  headers.set("content-length", `${last - first + 1}`);
  const status = range ? 206 : 200;
  if (method === "HEAD" || size === 0) return new Response(null, { status, headers });
  return new Response(bodyOf(await content.open(), first, last), { status, headers });
}

/** Reads as fast as it is read, and closes the reader however it ends. */
function bodyOf(reader: BlobReader, first: number, last: number): ReadableStream<Uint8Array<ArrayBuffer>> {
  let at = first;
  const close = (): Promise<void> => Promise.resolve(reader[Symbol.asyncDispose]());
  return new ReadableStream({
    async pull(controller) {
      try {
        const bytes = await reader.read(at, Math.min(PIECE, last - at + 1));
        // The length was announced: only an error tells the client that it did not get all of it.
        if (bytes.byteLength === 0) throw new Error("it became shorter while it was sent");
        controller.enqueue(bytes as Uint8Array<ArrayBuffer>);
        at += bytes.byteLength;
      } catch (error) {
        await close();
        throw error;
      }
      if (at <= last) return;
      await close();
      controller.close();
    },
    cancel: close,
  }, { highWaterMark: 0 });
}
