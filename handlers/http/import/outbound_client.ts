/**
 * The HTTP client of imported operations: one for all of them, from configuration alone (http.md §11.5).
 *
 * It stands on `node:http`, because `fetch` takes proxies from environment variables and cannot be told not to. What the
 * environment could say there, of proxies and of certificates that need no check, is overruled.
 *
 * @module
 */
import { type Clock, SYSTEM_CLOCK } from "@alknet/core/operations";
import * as plain from "node:http";
import * as secure from "node:https";

/** A request. */
export interface OutboundRequest {
  /** In capitals. */
  readonly method: string;
  /** Absolute; sent as it is written. */
  readonly url: string;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  /** JSON text. */
  readonly body?: string;
}

/** When a request is given up. */
export interface OutboundTime {
  /** Aborts waiting, retrying and reading. */
  readonly signal: AbortSignal;
  /** Milliseconds until the call's deadline; `undefined` is no deadline. */
  timeLeft(): number | undefined;
}

/** An answer, its body unread. */
export interface OutboundResponse {
  /** Status. */
  readonly status: number;
  /** Reason phrase. */
  readonly reason: string;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body. Leaving the loop closes the connection. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** Options of {@linkcode OutboundClient}. */
export interface OutboundClientOptions {
  /** Certificates (PEM) that are trusted beside those of the system. */
  readonly ca?: readonly string[];
  /** Client certificate and key, PEM. */
  readonly certificate?: { readonly cert: string; readonly key: string };
  /** Default: the machine's. */
  readonly clock?: Clock;
}

/** Neither proxies nor certificates are the environment's business. */
const FROM_CONFIGURATION_ALONE = { proxyEnv: {}, rejectUnauthorized: true } as const;
/** Headers that go along to another origin: those of the request's form. */
const ANYWHERE = new Set(["accept", "content-type"]);
/** Attempts after the first. */
const RETRIES = 3;
/** Pause before the first of them, in milliseconds; it doubles. */
const BACK_OFF = 100;
/** URLs that are known to want to be left alone. */
const MAX_WAITS = 256;
const MAX_REDIRECTS = 5;
const IDEMPOTENT = new Set(["GET", "HEAD", "PUT", "DELETE", "OPTIONS"]);
/** Failures before anything was sent. */
const UNSENT = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"]);

let shared: OutboundClient | undefined;

/** The client of all services that name no other. */
export function sharedOutboundClient(): OutboundClient {
  return shared ??= new OutboundClient();
}

/** The client. */
export class OutboundClient implements Disposable {
  readonly #agents: { readonly "http:": plain.Agent; readonly "https:": secure.Agent };
  readonly #clock: Clock;
  /** Until when a URL is to be left alone, and the status that said so. */
  readonly #waits = new Map<string, { readonly until: number; readonly status: number }>();

  /**
   * A client with connections of its own.
   *
   * @param options Trust, and the clock.
   */
  constructor({ ca, certificate, clock = SYSTEM_CLOCK }: OutboundClientOptions = {}) {
    this.#clock = clock;
    this.#agents = {
      "http:": new plain.Agent({ ...FROM_CONFIGURATION_ALONE, keepAlive: true } as plain.AgentOptions),
      "https:": new secure.Agent({
        ...FROM_CONFIGURATION_ALONE,
        keepAlive: true,
        ...certificate,
        ...(ca && { ca: [...ca] }),
      } as secure.AgentOptions),
    };
  }

  /**
   * Sends a request, again where that does no harm.
   *
   * @throws {Error} The network failed, or the signal's reason.
   */
  async send(request: OutboundRequest, time: OutboundTime): Promise<OutboundResponse> {
    const mayRepeat = IDEMPOTENT.has(request.method);
    for (let attempt = 0;; attempt++) {
      time.signal.throwIfAborted();
      const early = await this.#waitFor(request.url, time);
      if (early) return early;
      let pause = BACK_OFF * 2 ** attempt;
      try {
        const response = await this.#follow(request, time.signal);
        const { status } = response;
        const asked = status === 429 || status === 503 ? this.#leaveAlone(request.url, response) : undefined;
        if (!mayRepeat || attempt === RETRIES || (status < 500 && status !== 429)) return response;
        if (!fits(asked ?? pause, time)) return response;
        if (asked !== undefined) pause = 0;
        await discard(response.body);
      } catch (error) {
        time.signal.throwIfAborted();
        const unsent = UNSENT.has((error as { code?: string }).code ?? "");
        if (attempt === RETRIES || !(mayRepeat || unsent) || !fits(pause, time)) throw error;
      }
      if (pause > 0) await this.#sleep(pause, time.signal);
    }
  }

  /** Closes idle connections. What is in flight finishes. */
  [Symbol.dispose](): void {
    this.#agents["http:"].destroy();
    this.#agents["https:"].destroy();
  }

  /** Waits until a URL may be asked again; an answer in its place where that would be too late. */
  async #waitFor(url: string, time: OutboundTime): Promise<OutboundResponse | undefined> {
    const wait = this.#waits.get(url);
    if (!wait) return;
    const left = wait.until - this.#clock.now();
    if (left <= 0) return void this.#waits.delete(url);
    if (fits(left, time)) return await this.#sleep(left, time.signal);
    const headers = { "retry-after": `${Math.ceil(left / 1000)}` };
    return { status: wait.status, reason: plain.STATUS_CODES[wait.status] ?? "", headers, body: nothing() };
  }

  /** Notes what `Retry-After` says; returns it in milliseconds. */
  #leaveAlone(url: string, { status, headers }: OutboundResponse): number | undefined {
    const text = headers["retry-after"];
    if (text === undefined) return;
    const wait = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
    if (!(wait > 0)) return;
    if (this.#waits.size >= MAX_WAITS && !this.#waits.has(url)) {
      const [first] = [...this.#waits].reduce((a, b) => a[1].until <= b[1].until ? a : b);
      this.#waits.delete(first);
    }
    this.#waits.set(url, { until: this.#clock.now() + wait, status });
    return wait;
  }

  async #follow(request: OutboundRequest, signal: AbortSignal): Promise<OutboundResponse> {
    let { url, method, body } = request;
    let headers = { ...request.headers };
    for (let hops = 0;; hops++) {
      const response = await this.#once({ method, url, headers, body }, signal);
      const { status, headers: { location } } = response;
      if (![301, 302, 303, 307, 308].includes(status) || location === undefined || hops === MAX_REDIRECTS) {
        return response;
      }
      const next = URL.parse(location, url);
      if (!next || (next.protocol !== "http:" && next.protocol !== "https:")) return response;
      await discard(response.body);
      if (next.origin !== new URL(url).origin) headers = ofTheForm(headers);
      if (status === 303 || (status < 303 && method === "POST")) {
        method = method === "HEAD" ? "HEAD" : "GET";
        body = undefined;
      }
      url = next.href;
    }
  }

  #once({ method, url, headers, body }: OutboundRequest, signal: AbortSignal): Promise<OutboundResponse> {
    const { protocol, origin, hostname, port } = new URL(url);
    const isSecure = protocol === "https:";
    const options: secure.RequestOptions = {
      method,
      hostname: hostname.replace(/^\[|\]$/g, ""),
      port: port || (isSecure ? 443 : 80),
      // As written: what was encoded stays encoded.
      path: url.slice(origin.length).replace(/#.*$/, "") || "/",
      headers: {
        host: new URL(url).host,
        ...headers,
        ...(body !== undefined && { "content-length": byteLength(body) }),
      },
      agent: this.#agents[isSecure ? "https:" : "http:"],
      ...(isSecure && { rejectUnauthorized: true }),
      signal,
    };
    return new Promise((resolve, reject) => {
      const sent = (isSecure ? secure : plain).request(options, (message) => {
        const { statusCode = 0, statusMessage = "" } = message;
        // Whoever reads the body hears of its failure; one that nobody reads fails unheard.
        message.on("error", () => {});
        resolve({ status: statusCode, reason: statusMessage, headers: single(message.headers), body: message });
      });
      sent.on("error", reject);
      sent.end(body);
    });
  }

  #sleep(milliseconds: number, signal: AbortSignal): Promise<undefined> {
    return new Promise((resolve, reject) => {
      const stop = this.#clock.after(milliseconds, () => {
        signal.removeEventListener("abort", abort);
        resolve(undefined);
      });
      const abort = () => {
        stop();
        reject(signal.reason);
      };
      signal.addEventListener("abort", abort, { once: true });
    });
  }
}

function fits(wait: number, time: OutboundTime): boolean {
  const left = time.timeLeft();
  return left === undefined || wait < left;
}

function ofTheForm(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => ANYWHERE.has(name.toLowerCase())));
}

function single(headers: plain.IncomingHttpHeaders): Record<string, string> {
  const values = Object.entries(headers).map((
    [name, value],
  ) => [name, Array.isArray(value) ? value.join(", ") : value]);
  return Object.fromEntries(values.filter(([, value]) => value !== undefined));
}

function byteLength(text: string): string {
  return `${new TextEncoder().encode(text).byteLength}`;
}

/** Reads a small body to its end, so that the connection can be used again, and closes the connection of a large one. */
async function discard(body: AsyncIterable<Uint8Array>): Promise<void> {
  let size = 0;
  for await (const chunk of body) if ((size += chunk.byteLength) > 64 * 1024) break;
}

async function* nothing(): AsyncGenerator<Uint8Array, void, void> {}
