/**
 * Requests to S3: signed, limited in time, repeated where that may help, and what went wrong in words.
 *
 * @module
 */
import { AlknetError, foreign } from "@alknet/core/handler";
import { setTimeout as delay } from "node:timers/promises";
import type { BucketCredential, BucketOptions } from "../options.ts";
import { bucketUrl } from "../options.ts";
import { queryOf, signed } from "./signing.ts";
import { textIn } from "./xml.ts";

/** How often a request is sent. */
const TRIES = 5;
/** Milliseconds before the second time; each later wait is twice the one before, and a random half shorter. */
const FIRST_WAIT = 100;
/** Answers that another try may change. */
const PASSING = new Set([408, 429, 500, 502, 503, 504]);
/** Bytes of an error that are read. */
const MOST_OF_ERROR = 64 * 1024;
/** Errors that say that the keys are not taken: others may have been set meanwhile. */
const OF_KEYS = new Set(["ExpiredToken", "InvalidAccessKeyId", "InvalidToken", "TokenRefreshRequired"]);
/** Milliseconds within which an answer begins, and without a byte of it. */
export const PATIENCE = 30_000;

/** Bytes of a body that are sent in a millisecond at least, by who sends over a slow line. */
const SLOWEST = 64;

/** A request. */
export interface S3Request {
  /** `GET` and so on. */
  readonly method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  /** Name of the object in the bucket, prefix and all; none: the bucket itself. */
  readonly key?: string;
  /** What is asked of it. */
  readonly query?: Readonly<Record<string, string>>;
  /** Headers, by their names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** What is sent. */
  readonly body?: Uint8Array;
  /** Answers that are no failure beside those of 200 to 299. */
  readonly expected?: readonly number[];
  /** Bytes of the answer that are read. Default: none. */
  readonly most?: number;
  /** Ends it with its reason. */
  readonly signal?: AbortSignal;
}

/** An answer, read. */
export interface S3Answer {
  /** Its status. */
  readonly status: number;
  /** Its headers. */
  readonly headers: Headers;
  /** Its body. */
  readonly body: Uint8Array;
}

/** What a server said no to. */
export class S3Error extends AlknetError {
  /** The class, as it stands before the message. */
  override readonly name = "S3Error";
  /** Status of the answer; 0 where there was none. */
  readonly status: number;
  /** The code that S3 has for it; empty where it gave none. */
  readonly reason: string;

  /** An error of a server. */
  constructor(code: string, message: string, what: { status: number; reason: string; cause?: unknown }) {
    super(code, message, { cause: what.cause });
    this.status = what.status;
    this.reason = what.reason;
  }
}

/** Sends requests to one bucket. */
export class S3Requests implements Disposable {
  /** Where it is. */
  readonly url: URL;
  readonly #options: BucketOptions;
  readonly #patience: number;
  readonly #client: Deno.HttpClient;
  #credential: Promise<BucketCredential> | undefined;

  /**
   * @param patience Milliseconds within which an answer begins, and without a byte of it.
   * @throws {RangeError} The options are wrong.
   */
  constructor(options: BucketOptions, patience: number = PATIENCE) {
    this.url = bucketUrl(options);
    this.#options = options;
    this.#patience = patience;
    this.#client = Deno.createHttpClient({ caCerts: options.ca === undefined ? [] : [options.ca], http2: false });
  }

  /**
   * Sends one, up to five times.
   *
   * @throws {S3Error} `BUCKET_UNAVAILABLE`, `BUCKET_REFUSED`.
   */
  async send(request: S3Request): Promise<S3Answer> {
    let isNew = false;
    for (let tried = 1;; tried++) {
      request.signal?.throwIfAborted();
      try {
        return await this.#once(request);
      } catch (error) {
        request.signal?.throwIfAborted();
        if (!(error instanceof S3Error) || tried === TRIES) throw error;
        if (OF_KEYS.has(error.reason) && !isNew) {
          // Others may have been put there meanwhile.
          isNew = true;
          this.#credential = undefined;
          continue;
        }
        if (error.code !== "BUCKET_UNAVAILABLE") throw error;
        const wait = FIRST_WAIT * 2 ** (tried - 1);
        await delay(wait - Math.random() * wait / 2, undefined, { signal: request.signal });
      }
    }
  }

  /** Closes its connections. */
  [Symbol.dispose](): void {
    this.#client.close();
  }

  async #once({ method, key = "", query = {}, headers = {}, body, ...rest }: S3Request): Promise<S3Answer> {
    const url = new URL(this.url);
    url.pathname += key;
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    url.search = queryOf(url);
    const credential = await (this.#credential ??= this.#ask());
    const region = this.#options.region ?? "auto";
    const all = await signed({ method, url, headers }, { credential, region, now: new Date() });
    // Nothing is to be unpacked: bytes are what they are.
    all["accept-encoding"] = "identity";
    const watch = new Watch(this.#patience, (body?.byteLength ?? 0) / SLOWEST, rest.signal);
    try {
      const response = await fetch(url, {
        method,
        headers: all,
        body: body as Uint8Array<ArrayBuffer> | undefined,
        client: this.#client,
        // Whoever it leads to would get the signature.
        redirect: "manual",
        signal: watch.signal,
      });
      const { status } = response;
      const isGood = response.ok || rest.expected?.includes(status);
      const answer = await bodyOf(response, isGood ? rest.most ?? 0 : MOST_OF_ERROR, watch);
      if (!isGood) throw this.#refused(method, key, response, answer);
      return { status, headers: response.headers, body: answer };
    } catch (error) {
      rest.signal?.throwIfAborted();
      if (error instanceof S3Error) throw error;
      const why = watch.isOver ? `nothing came for ${this.#patience / 1000} s` : messageOf(error as Error);
      throw new S3Error("BUCKET_UNAVAILABLE", `${this.#of(method, key)}: ${foreign(why)}`, {
        status: 0,
        reason: "",
        cause: error,
      });
    } finally {
      watch.end();
    }
  }

  #ask(): Promise<BucketCredential> {
    const asked = Promise.resolve().then(() => this.#options.credential()).catch((cause) => {
      const message = `bucket ${this.#options.bucket} at ${this.url.host}: ${(cause as Error).message}`;
      throw new S3Error("BUCKET_REFUSED", message, { status: 0, reason: "", cause });
    });
    asked.catch(() => this.#credential = undefined);
    return asked;
  }

  #of(method: string, key: string): string {
    return `bucket ${this.#options.bucket} at ${this.url.host}: ${method} ${key === "" ? "of its list" : key}`;
  }

  #refused(method: string, key: string, { status }: Response, body: Uint8Array): S3Error {
    const text = new TextDecoder().decode(body);
    const reason = textIn(text, "Code")?.slice(0, 100) ?? "";
    const said = foreign([reason, textIn(text, "Message")?.slice(0, 300)].filter(Boolean).join(", "));
    const isPassing = PASSING.has(status) && !OF_KEYS.has(reason);
    const hint = isPassing ? "it is tried again later" : this.#mend(status, reason);
    return new S3Error(
      isPassing ? "BUCKET_UNAVAILABLE" : "BUCKET_REFUSED",
      `${this.#of(method, key)}: answered ${status}${said && ` (${said})`}; ${hint}`,
      { status, reason },
    );
  }

  #mend(status: number, reason: string): string {
    if (reason === "NoSuchBucket") return "make the bucket, or name another in handlers.fs.bucket";
    if (reason === "RequestTimeTooSkewed") return "the clock of this machine is wrong; set it";
    if (OF_KEYS.has(reason) || reason === "SignatureDoesNotMatch" || status === 401 || status === 403) {
      return "the credential of handlers.fs.bucket is wrong, over, or may not do this; put a right one there";
    }
    if (reason === "AuthorizationHeaderMalformed" || status >= 300 && status < 400) {
      return "the bucket is elsewhere; set region and endpoint of handlers.fs.bucket";
    }
    return "see what the server says of it";
  }
}

/** Ends a request in which nothing goes on. */
class Watch {
  readonly #over = new AbortController();
  readonly #patience: number;
  #timer: ReturnType<typeof setTimeout>;
  /** With what it is sent. */
  readonly signal: AbortSignal;

  /** @param sending Milliseconds more, until what is sent has gone. */
  constructor(patience: number, sending: number, signal: AbortSignal | undefined) {
    this.#patience = patience;
    this.#timer = setTimeout(() => this.#over.abort(), patience + sending);
    this.signal = signal ? AbortSignal.any([signal, this.#over.signal]) : this.#over.signal;
  }

  /** Whether it did. */
  get isOver(): boolean {
    return this.#over.signal.aborted;
  }

  /** Something came. */
  again(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#over.abort(), this.#patience);
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}

/** What a response brings, so far as it is wanted; all of what it announced, or it is cut. */
async function bodyOf(response: Response, most: number, watch: Watch): Promise<Uint8Array> {
  if (!response.body) return new Uint8Array();
  const announced = Number(response.headers.get("content-length") ?? NaN);
  const parts: Uint8Array[] = [];
  let length = 0;
  // Leaving the loop early ends the answer.
  for await (const part of response.body) {
    watch.again();
    const wanted = part.subarray(0, most - length);
    parts.push(wanted);
    length += wanted.byteLength;
    if (length === most) break;
  }
  if (length < Math.min(most, announced || 0)) throw new Error(`the answer was cut after ${length} bytes`);
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.byteLength;
  }
  return all;
}

/** What a connection failed of stands below what fetch says. */
function messageOf({ message, cause }: Error): string {
  return cause instanceof Error && message === "fetch failed" ? messageOf(cause) : message;
}

/** How old a time is, in milliseconds, by the clock of whoever said both. */
export function ageOf(time: string | null | undefined, headers: Headers): number | undefined {
  const then = Date.parse(time ?? "");
  const now = Date.parse(headers.get("date") ?? "") || Date.now();
  return Number.isNaN(then) ? undefined : now - then;
}
