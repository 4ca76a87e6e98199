/**
 * A guest's `fetch`: what it asks for is checked, and made by the host.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { GuestError } from "../../errors.ts";
import { MOST_CROSSING } from "../../limits.ts";
import { exchange, type HttpRequest, type Resolver } from "./exchange.ts";
import { refused, requestHeaders, withoutBody, withoutCredentials } from "./headers.ts";
import { parseOrigin } from "./origins.ts";

/** Which origins a guest reaches, and how much of them. */
export interface FetchGrant {
  /**
   * Scheme, host and port of each, as `https://example.com`. A name that leads to an address which is not public is refused;
   * an address that is not public is granted by naming it itself.
   */
  readonly origins: readonly string[];
  /** Default: `GET`, `HEAD`, `POST`, `PUT`, `PATCH`, `DELETE`, `OPTIONS`. */
  readonly methods?: readonly string[];
  /** Bytes of a body, sent or received, unpacked. Default 8 MiB, at most 16 MiB. */
  readonly maxBytes?: number;
  /** Requests over the guest's life, each hop of a redirect one. Default 1000. */
  readonly maxRequests?: number;
  /** Requests at the same time. Default 8. */
  readonly maxOpen?: number;
  /** Milliseconds of a request, redirects and body included. Default 30 000. */
  readonly timeout?: number;
  /** Certificates of authorities in PEM, in place of those of the system. */
  readonly authorities?: string;
}

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
const MOST_REDIRECTS = 5;
const MOST_URL = 8192;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Fetches for one guest. */
export class Fetcher {
  readonly #origins: ReadonlySet<string>;
  readonly #methods: ReadonlySet<string>;
  readonly #grant: Required<Pick<FetchGrant, "maxBytes" | "maxRequests" | "maxOpen" | "timeout">> & FetchGrant;
  readonly #resolve: Resolver | undefined;
  #requests = 0;
  #open = 0;

  /**
   * For one guest.
   *
   * @param resolve How names are looked up. Default: as the system does.
   * @throws {GuestError} `E_REFUSED`: an origin or a method that cannot be granted, a limit that is none.
   */
  constructor(grant: FetchGrant, resolve?: Resolver) {
    this.#origins = new Set(grant.origins.map(parseOrigin));
    this.#methods = new Set(grant.methods ?? METHODS);
    this.#grant = {
      ...grant,
      maxBytes: grant.maxBytes ?? 8 << 20,
      maxRequests: grant.maxRequests ?? 1000,
      maxOpen: grant.maxOpen ?? 8,
      timeout: grant.timeout ?? 30_000,
    };
    this.#resolve = resolve;
    const { maxBytes, maxRequests, maxOpen, timeout } = this.#grant;
    for (const [name, value] of Object.entries({ maxBytes, maxRequests, maxOpen, timeout })) {
      if (!(value > 0)) throw new GuestError("E_REFUSED", `allowFetch: ${name} is ${value}; it must be more than 0`);
    }
    if (maxBytes > MOST_CROSSING) {
      throw new GuestError("E_REFUSED", `allowFetch: maxBytes is ${maxBytes}; at most ${MOST_CROSSING} reach a guest`);
    }
    const method = [...this.#methods].find((method) => !METHODS.includes(method));
    if (method !== undefined) throw new GuestError("E_REFUSED", `allowFetch: method ${method} cannot be granted`);
  }

  /**
   * Makes a request of a guest, and follows where it leads.
   *
   * @throws {AlknetError} `FETCH_REFUSED`: not granted. `FETCH_LIMIT`: too much of it. `FETCH_FAILED`: it did not work.
   */
  async fetch(input: unknown, signal: AbortSignal): Promise<unknown> {
    const { url: address, redirect, ...rest } = (input ?? {}) as Record<string, unknown>;
    let request: HttpRequest = { url: parsedUrl(address), ...this.#checked(rest) };
    const { maxOpen, timeout } = this.#grant;
    if (this.#open >= maxOpen) throw limit(`at most ${maxOpen} requests may be open`);
    this.#open++;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(limit(`the answer took longer than ${timeout} ms`)), timeout);
    const aborted = () => late.abort(new GuestError("E_ABORTED", "the request was aborted"));
    signal.addEventListener("abort", aborted);
    try {
      if (signal.aborted) aborted();
      for (let hops = 0;; hops++) {
        const answer = await this.#hop(request, late.signal);
        const location = answer.headers.find(([name]) => name === "location")?.[1];
        if (!REDIRECTS.has(answer.status) || location === undefined || redirect === "manual") {
          return { ...answer, url: withoutFragment(request.url), redirected: hops > 0 };
        }
        if (redirect === "error") throw refused("the host answered with a redirect, which the request excludes");
        if (hops === MOST_REDIRECTS) throw refused(`more than ${MOST_REDIRECTS} redirects`);
        request = redirected(request, answer.status, location);
      }
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", aborted);
      this.#open--;
    }
  }

  async #hop(request: HttpRequest, signal: AbortSignal): ReturnType<typeof exchange> {
    const { maxBytes, maxRequests, authorities } = this.#grant;
    if (!this.#origins.has(request.url.origin)) {
      throw refused(
        `${request.url.origin.slice(0, 300)} is not granted: grant the origin with allowFetch (--allow-fetch)`,
      );
    }
    if (++this.#requests > maxRequests) throw limit(`at most ${maxRequests} requests`);
    signal.throwIfAborted();
    return await exchange(request, { signal, maxBytes, authorities, resolve: this.#resolve });
  }

  #checked({ method = "GET", headers = [], body }: Record<string, unknown>): Omit<HttpRequest, "url"> {
    const name = typeof method === "string" ? method.toUpperCase() : "";
    if (!this.#methods.has(name)) throw refused("the method is not granted");
    if (body === undefined || body === null) return { method: name, headers: requestHeaders(headers) };
    if (!(body instanceof Uint8Array)) throw refused("the body is not bytes");
    if (name === "GET" || name === "HEAD") throw refused(`${name} has no body`);
    if (body.length > this.#grant.maxBytes) throw limit(`a body has at most ${this.#grant.maxBytes} bytes`);
    return { method: name, headers: requestHeaders(headers), body };
  }
}

/** An absolute http or https URL without a user. */
function parsedUrl(text: unknown, base?: URL): URL {
  const url = typeof text === "string" && text.length <= MOST_URL ? URL.parse(text, base) : null;
  if (!url) throw refused("the URL is not absolute, or too long");
  if (url.protocol !== "http:" && url.protocol !== "https:") throw refused("only http and https can be fetched");
  if (url.username !== "" || url.password !== "") throw refused("a URL with a user or password is not fetched");
  return url;
}

/** The next request of a redirect (Fetch standard, HTTP-redirect fetch). */
function redirected(request: HttpRequest, status: number, location: string): HttpRequest {
  const url = parsedUrl(location, request.url);
  const { method, body } = request;
  const headers = url.origin === request.url.origin ? request.headers : withoutCredentials(request.headers);
  const rewritten = (status === 303 && method !== "GET" && method !== "HEAD") || (status < 303 && method === "POST");
  return rewritten ? { url, method: "GET", headers: withoutBody(headers) } : { url, method, headers, body };
}

function withoutFragment(url: URL): string {
  return url.href.slice(0, url.href.length - url.hash.length);
}

function limit(why: string): AlknetError {
  return new AlknetError("FETCH_LIMIT", why);
}
