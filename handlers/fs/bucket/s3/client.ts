/**
 * A bucket by the HTTP API of S3.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import type { Bucket, BucketCall, BucketObject, PutCall } from "../bucket.ts";
import type { BucketOptions } from "../options.ts";
import { PartsPut } from "./parts.ts";
import { ageOf, S3Error, S3Requests } from "./requests.ts";
import { elements, textIn } from "./xml.ts";

/** Bytes of a list, which has up to 1000 names. */
const MOST_OF_LIST = 4 * 1024 * 1024;
/** Answers of servers that know no conditions. */
const KNOWS_NO_CONDITION = new Set([400, 501]);
/** Bytes up to which an object is put at once: a piece of memory. */
export const AT_ONCE: number = 16 * 1024 * 1024;

/** A bucket on a server. */
export class S3Bucket implements Bucket {
  readonly name: string;
  readonly #requests: S3Requests;
  readonly #prefix: string;
  readonly #parts: PartsPut;
  #hasConditions = true;

  /**
   * @param patience Milliseconds within which an answer begins, and without a byte of it. Default 30,000.
   * @throws {RangeError} The options are wrong.
   */
  constructor(options: BucketOptions, patience?: number) {
    this.#requests = new S3Requests(options, patience);
    this.#prefix = options.prefix ?? "";
    this.name = `${options.bucket} at ${this.#requests.url.host}`;
    this.#parts = new PartsPut(this.#requests, this.#prefix);
  }

  async head(key: string, { signal }: BucketCall = {}): Promise<BucketObject | undefined> {
    const { status, headers } = await this.#requests.send({
      method: "HEAD",
      key: this.#prefix + key,
      expected: [404],
      signal,
    });
    if (status === 404) return undefined;
    const size = Number(headers.get("content-length") ?? NaN);
    if (!Number.isSafeInteger(size)) throw this.#odd(`HEAD ${key} says no length`);
    return { key, size, age: ageOf(headers.get("last-modified"), headers) };
  }

  async get(key: string, at: number, length: number, { signal }: BucketCall = {}): Promise<Uint8Array | undefined> {
    const answer = await this.#requests.send({
      method: "GET",
      key: this.#prefix + key,
      headers: { range: `bytes=${at}-${at + length - 1}` },
      expected: [416],
      // All that comes before is passed over where a server knows no ranges.
      most: length,
      signal,
    }).catch((error) => {
      if (error instanceof S3Error && error.status === 404 && /^(?:NoSuchKey)?$/.test(error.reason)) return undefined;
      throw error;
    });
    if (!answer) return undefined;
    const { status, headers, body } = answer;
    if (status === 416) return new Uint8Array();
    if (status === 200 && at > 0) throw this.#odd(`GET ${key} answers without the range that was asked for`);
    const range = headers.get("content-range");
    if (status === 206 && !range?.startsWith(`bytes ${at}-`)) throw this.#odd(`GET ${key} answers with another range`);
    return body;
  }

  async put(key: string, bytes: Uint8Array, { ifAbsent = false, signal }: PutCall = {}): Promise<boolean> {
    const mayReplace = await this.#conditional(key, ifAbsent, signal);
    if (mayReplace === undefined) return false;
    const { status } = await this.#requests.send({
      method: "PUT",
      key: this.#prefix + key,
      headers: mayReplace,
      body: bytes,
      expected: [412, 409],
      signal,
    }).catch((error) => this.#unconditional(error, mayReplace));
    if (status === 0) return await this.put(key, bytes, { ifAbsent, signal });
    return status !== 412 && status !== 409;
  }

  async putParts(
    key: string,
    size: number,
    read: (at: number, length: number) => Promise<Uint8Array>,
    { ifAbsent = false, signal }: PutCall = {},
  ): Promise<boolean> {
    if (size <= AT_ONCE) return await this.put(key, await read(0, size), { ifAbsent, signal });
    const mayReplace = await this.#conditional(key, ifAbsent, signal);
    if (mayReplace === undefined || ifAbsent && await this.head(key, { signal })) return false;
    return await this.#parts.put(key, size, read, { headers: mayReplace, signal })
      .catch((error) => this.#unconditional(error, mayReplace))
      .then((done) => typeof done === "boolean" ? done : this.putParts(key, size, read, { ifAbsent, signal }));
  }

  async *list(prefix: string, { signal }: BucketCall = {}): AsyncGenerator<BucketObject> {
    for (let token: string | undefined = ""; token !== undefined;) {
      const { body, headers } = await this.#requests.send({
        method: "GET",
        query: {
          "list-type": "2",
          prefix: this.#prefix + prefix,
          ...(token === "" ? {} : { "continuation-token": token }),
        },
        most: MOST_OF_LIST,
        signal,
      });
      const xml: string = new TextDecoder().decode(body);
      for (const one of elements(xml, "Contents")) {
        const key = textIn(one, "Key") ?? "";
        const size = Number(textIn(one, "Size") ?? NaN);
        if (!key.startsWith(this.#prefix + prefix) || !Number.isSafeInteger(size)) throw this.#odd("its list is none");
        yield { key: key.slice(this.#prefix.length), size, age: ageOf(textIn(one, "LastModified"), headers) };
      }
      const next: string | undefined = textIn(xml, "IsTruncated") === "true"
        ? textIn(xml, "NextContinuationToken")
        : undefined;
      if (next !== undefined && next === token) throw this.#odd("its list does not end");
      token = next;
    }
  }

  async remove(key: string, { signal }: BucketCall = {}): Promise<void> {
    try {
      await this.#requests.send({ method: "DELETE", key: this.#prefix + key, signal });
    } catch (error) {
      // A bucket that is not there has another reason.
      if (!(error instanceof S3Error) || error.reason !== "NoSuchKey") throw error;
    }
  }

  async sweep(olderThan: number, { signal }: BucketCall = {}): Promise<number> {
    return await this.#parts.sweep(olderThan, signal);
  }

  /** Closes its connections. */
  [Symbol.dispose](): void {
    this.#requests[Symbol.dispose]();
  }

  /** The headers that keep what is there; nothing where a server without conditions has it. */
  async #conditional(
    key: string,
    ifAbsent: boolean,
    signal?: AbortSignal,
  ): Promise<Record<string, string> | undefined> {
    if (!ifAbsent) return {};
    if (this.#hasConditions) return { "if-none-match": "*" };
    return await this.head(key, { signal }) ? undefined : {};
  }

  /** Whether a condition was what a server did not know: then status 0, and none is asked for any more. */
  #unconditional(error: unknown, headers: Record<string, string>): { readonly status: number } {
    if (error instanceof S3Error && "if-none-match" in headers && KNOWS_NO_CONDITION.has(error.status)) {
      this.#hasConditions = false;
      return { status: 0 };
    }
    throw error;
  }

  #odd(what: string): AlknetError {
    return new AlknetError("BUCKET_REFUSED", `bucket ${this.name}: ${what}; it is no S3 that alknet knows`);
  }
}
