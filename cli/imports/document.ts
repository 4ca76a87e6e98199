/**
 * OpenAPI documents, from a file or a URL.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import type { OutboundClient } from "@alknet/handlers/http";
import { parse } from "yaml";
import { type ImportEntry, type ImportPlace, pathOf } from "./entry.ts";

/** Most bytes of a document: the largest public ones have 10 MB. */
const MOST_BYTES = 32 * 1024 * 1024;

/** Whether an entry's `url` is one, rather than a file. */
export function isUrl(text: string): boolean {
  return /^https?:\/\//i.test(text);
}

/**
 * The text of a document. A credential is not sent: the document of a service that wants one can be saved to a file.
 *
 * @throws {AlknetError} `IMPORT_FAILED`.
 */
export async function readDocument(
  { url }: Pick<ImportEntry, "url">,
  client: OutboundClient,
  place: ImportPlace,
): Promise<string> {
  if (!isUrl(url)) {
    try {
      return await Deno.readTextFile(pathOf(url, place));
    } catch (cause) {
      throw unreadable(`cannot read ${url}: ${(cause as Error).message}`, { cause });
    }
  }
  const request = { method: "GET", url, headers: { accept: "application/json, application/yaml;q=0.9, */*;q=0.1" } };
  let answer: Awaited<ReturnType<OutboundClient["send"]>>;
  try {
    answer = await client.send(request, { signal: AbortSignal.timeout(10_000), timeLeft: () => 10_000 });
  } catch (cause) {
    throw unreadable(`${hostOf(url)} does not answer: ${(cause as Error).message}`, { cause });
  }
  const { status, body } = answer;
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    if ((size += chunk.byteLength) > MOST_BYTES) throw unreadable(`${hostOf(url)} sends more than ${MOST_BYTES} bytes`);
  }
  if (status === 200) return await new Blob(chunks as BlobPart[]).text();
  const hint = status === 401 || status === 403 ? "; save the document to a file and import that" : "";
  throw unreadable(`${hostOf(url)} answers ${status} for the document${hint}`);
}

/** Where a document says that its service is: the first of its servers, relative to where it was found. */
export function baseUrlIn(text: string, url: string): string | undefined {
  let document: { servers?: { url?: unknown }[] } | undefined;
  try {
    document = parse(text, { maxAliasCount: 100 });
  } catch {
    return undefined;
  }
  const server = Array.isArray(document?.servers) ? document.servers[0]?.url : undefined;
  const found = typeof server === "string" && !server.includes("{")
    ? URL.parse(server, isUrl(url) ? url : undefined)
    : isUrl(url)
    ? URL.parse("/", url)
    : undefined;
  if (!found || !/^https?:$/.test(found.protocol)) return undefined;
  return found.href.replace(/\/$/, "");
}

function hostOf(url: string): string {
  return URL.parse(url)?.host ?? url;
}

function unreadable(message: string, options?: ErrorOptions): AlknetError {
  return new AlknetError("IMPORT_FAILED", message, options);
}
