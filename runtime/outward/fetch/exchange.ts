/**
 * One request and its answer over HTTP/1.1: a connection of its own to an address that was looked at, and nothing of what
 * the host has elsewhere (cookies, proxies, connections).
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { lookup } from "node:dns/promises";
import { type IncomingMessage, request as requestHttp, type RequestOptions } from "node:http";
import { request as requestHttps } from "node:https";
import { createGunzip } from "node:zlib";
import { isPublicAddress } from "./addresses.ts";
import { type Header, refused, responseHeaders } from "./headers.ts";
import { literalOf } from "./origins.ts";

/** What a packed body may become, by its size on the wire. */
const MOST_EXPANSION = 10;
/** Below this a body may be packed as well as it can be. */
const SMALL = 65_536;
const MOST_HEADERS = 32_768;

/** Finds the addresses of a name. */
export type Resolver = (name: string) => Promise<readonly string[]>;

/** A request, checked. */
export interface HttpRequest {
  readonly url: URL;
  readonly method: string;
  readonly headers: readonly Header[];
  readonly body?: Uint8Array;
}

/** What came of it. */
export interface HttpAnswer {
  readonly status: number;
  readonly statusText: string;
  readonly headers: Header[];
  readonly body: Uint8Array;
}

/** How a request is made. */
export interface ExchangeOptions {
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Bytes of the answer's body. */
  readonly maxBytes: number;
  /** Certificates of authorities, in PEM, in place of those of the system. */
  readonly authorities?: string;
  /** Default: as the system does. */
  readonly resolve?: Resolver;
}

/** The system's own way to addresses: the hosts file, then DNS. */
const bySystem: Resolver = async (name) => (await lookup(name, { all: true })).map(({ address }) => address);

/**
 * Makes a request. A name is looked up once, and the connection goes to what was found then.
 *
 * @throws {AlknetError} `FETCH_REFUSED`: the name leads to an address that is not public. `FETCH_FAILED`, `FETCH_LIMIT`.
 */
export async function exchange(request: HttpRequest, options: ExchangeOptions): Promise<HttpAnswer> {
  const { signal, maxBytes } = options;
  // An address that is named itself was granted as it is; a name may mean anything by now.
  const address = literalOf(request.url) ?? await checkedAddress(request.url.hostname, options);
  const response = await begun(request, address, options);
  try {
    const packed = response.headers["content-encoding"]?.toLowerCase() === "gzip" && request.method !== "HEAD";
    const { statusCode: status = 0, statusMessage = "", rawHeaders } = response;
    const statusText = statusMessage.slice(0, 256).replace(/[^\t\x20-\x7e]/g, "?");
    const body = request.method === "HEAD" ? new Uint8Array() : await bodyOf(response, packed, maxBytes);
    return { status, statusText, headers: responseHeaders(rawHeaders, packed), body };
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof AlknetError ? error : failed("the answer ended before its end");
  } finally {
    response.destroy();
  }
}

async function checkedAddress(name: string, { resolve = bySystem, signal }: ExchangeOptions): Promise<string> {
  const found = await Promise.race([resolve(name).catch(() => []), abortOf(signal)]);
  if (found.length === 0) throw failed("the name of the host was not found");
  if (!found.every(isPublicAddress)) {
    throw refused(
      "the name of the host leads to an address that is not public; grant the address itself if that is meant",
    );
  }
  return found[0];
}

/** Rejects when a signal is aborted. Nobody hears of it otherwise. */
function abortOf(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  if (signal.aborted) reject(signal.reason);
  else signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  promise.catch(() => {});
  return promise;
}

function begun(request: HttpRequest, address: string, options: ExchangeOptions): Promise<IncomingMessage> {
  const { url, method, headers, body } = request;
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const secure = url.protocol === "https:";
  const family = address.includes(":") ? 6 : 4;
  const fields: Record<string, string> = {
    host: url.host,
    "accept-encoding": "gzip",
    "user-agent": "alknet-guest",
    accept: "*/*",
  };
  for (const [name, value] of headers) fields[name] = value;
  if (body || !["GET", "HEAD"].includes(method)) fields["content-length"] = String(body?.length ?? 0);
  const made: RequestOptions & { servername?: string; ca?: string } = {
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port || (secure ? 443 : 80),
    path: url.pathname + url.search,
    method,
    headers: { ...fields, connection: "close" },
    agent: false,
    setHost: false,
    maxHeaderSize: MOST_HEADERS,
    // The name is not looked up again: what was checked is what is connected.
    lookup: (_name, { all }, found) => all ? found(null, [{ address, family }]) : found(null, address, family),
    ...secure && options.authorities && { ca: options.authorities },
  };
  const sent = (secure ? requestHttps : requestHttp)(made);
  const stop = () => sent.destroy();
  if (options.signal.aborted) stop();
  options.signal.addEventListener("abort", stop);
  sent.on("response", resolve);
  sent.on("error", () => {
    if (options.signal.aborted) reject(options.signal.reason);
    else reject(failed("the host could not be reached, or did not speak HTTP"));
  });
  sent.on("close", () => {
    options.signal.removeEventListener("abort", stop);
    reject(options.signal.aborted ? options.signal.reason : failed("the host ended the connection"));
  });
  sent.on("upgrade", () => stop());
  sent.end(body);
  return promise;
}

async function bodyOf(response: IncomingMessage, packed: boolean, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let wire = 0;
  let size = 0;
  const most = () => packed ? Math.min(maxBytes, SMALL + wire * MOST_EXPANSION) : maxBytes;
  if (!packed && Number(response.headers["content-length"] ?? 0) > maxBytes) {
    throw tooLarge(maxBytes);
  }
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of response) {
      wire += chunk.length;
      if (wire > maxBytes) throw tooLarge(maxBytes);
      yield chunk;
    }
  };
  for await (const chunk of packed ? unpacked(counted()) : counted()) {
    size += chunk.length;
    if (size > most()) throw tooLarge(most());
    chunks.push(chunk);
  }
  const body = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) body.set(chunk, at), at += chunk.length;
  return body;
}

async function* unpacked(packed: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip();
  const feeding = (async () => {
    try {
      for await (const chunk of packed) {
        if (gunzip.destroyed) return;
        if (!gunzip.write(chunk)) {
          await new Promise<void>((drained) => gunzip.once("drain", drained).once("close", drained));
        }
      }
      gunzip.end();
    } catch (error) {
      gunzip.destroy(error as Error);
    }
  })();
  try {
    yield* gunzip;
  } finally {
    gunzip.destroy();
    await feeding;
  }
}

function tooLarge(bytes: number): AlknetError {
  return new AlknetError("FETCH_LIMIT", `the answer has more than ${bytes} bytes`);
}

function failed(why: string): AlknetError {
  return new AlknetError("FETCH_FAILED", why);
}
