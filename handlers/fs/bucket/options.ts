/**
 * How a bucket is reached, and what it is for.
 *
 * @module
 */
import { redact, REDACTED } from "@alknet/core/crypto";
import { AlknetError } from "@alknet/core/handler";

/** As whom a bucket is asked. Prints `[redacted]`. */
export class BucketCredential {
  readonly #accessKey: string;
  readonly #secret: string;
  readonly #token: string | undefined;

  static {
    redact(this.prototype, () => REDACTED);
  }

  /**
   * A pair of keys.
   *
   * @param token Of a session, where the keys are of one.
   * @throws {AlknetError} `CREDENTIAL_INVALID`: one of them cannot be one.
   */
  constructor(accessKey: string, secret: string, token?: string) {
    // They stand in headers.
    if (![accessKey, secret, token ?? "x"].every((part) => /^[\x21-\x7e]+$/.test(part)) || accessKey.includes("/")) {
      throw new AlknetError(
        "CREDENTIAL_INVALID",
        "the credential of a bucket is ACCESS-KEY:SECRET, or ACCESS-KEY:SECRET:TOKEN, on one line; it is not repeated here",
      );
    }
    this.#accessKey = accessKey;
    this.#secret = secret;
    this.#token = token;
  }

  /**
   * Reads `ACCESS-KEY:SECRET`, or `ACCESS-KEY:SECRET:TOKEN`.
   *
   * @throws {AlknetError} `CREDENTIAL_INVALID`, without repeating it.
   */
  static parse(text: string): BucketCredential {
    const [accessKey, secret = "", ...token] = text.trim().split(":");
    return new BucketCredential(accessKey, secret, token.length > 0 ? token.join(":") : undefined);
  }

  /** Uses the keys; they are not to be kept. */
  reveal(): { readonly accessKey: string; readonly secret: string; readonly token?: string } {
    return { accessKey: this.#accessKey, secret: this.#secret, token: this.#token };
  }

  /** `[redacted]`. */
  toString(): string {
    return REDACTED;
  }
}

/** A bucket behind a store. */
export interface BucketOptions {
  /** `https://HOST[:PORT]`; `http` for this machine alone. */
  readonly endpoint: string;
  /** Its name there. */
  readonly bucket: string;
  /** Default `auto`. */
  readonly region?: string;
  /** What the names of its objects begin with: letters, digits and `._-/`. Default: nothing. */
  readonly prefix?: string;
  /** As whom it is asked. Asked for anew where the bucket refused the one before, so that keys may be changed. */
  readonly credential: () => BucketCredential | Promise<BucketCredential>;
  /** `mirror` keeps all here too, `cold` only what was used last. Default `mirror`. */
  readonly mode?: "mirror" | "cold";
  /** Bytes of files that stay here in `cold`. Default 10 GiB. */
  readonly cacheBytes?: number;
  /** Whether its name stands in the path, as most servers have it, or before that of the host. Default `true`. */
  readonly pathStyle?: boolean;
  /** Certificates, PEM, that are believed beside those of the system. */
  readonly ca?: string;
}

/** Bytes of files that stay in a cold store unless told otherwise. */
export const CACHE_BYTES: number = 10 * 2 ** 30;

/**
 * Where a bucket is, checked.
 *
 * @throws {RangeError} Something in it is none.
 */
export function bucketUrl({ endpoint, bucket, prefix = "", pathStyle = true, region = "auto" }: BucketOptions): URL {
  const url = URL.parse(endpoint);
  if (!url || (url.protocol !== "https:" && url.protocol !== "http:")) {
    throw new RangeError(`endpoint ${JSON.stringify(endpoint)} is no URL; https://HOST is needed`);
  }
  if (url.username || url.password) throw new RangeError("endpoint must hold no user; name a credential");
  if (url.search || url.hash || url.pathname !== "/") {
    throw new RangeError(`endpoint ${url.origin} has a path; the bucket and the prefix are named beside it`);
  }
  if (url.protocol === "http:" && !/^(?:localhost|.+\.localhost|127(?:\.\d+){3}|\[::1\])$/.test(url.hostname)) {
    throw new RangeError(`endpoint ${url.origin}: blobs are not sent over plain http to another machine; use https`);
  }
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)) {
    throw new RangeError(`bucket ${JSON.stringify(bucket)} is no name of one: 3 to 63 of a-z, 0-9, . and -`);
  }
  if (!/^[A-Za-z0-9._\-/]{0,200}$/.test(prefix) || /^\/|\/\/|(?:^|\/)\.{1,2}(?:\/|$)/.test(prefix)) {
    throw new RangeError(`prefix ${JSON.stringify(prefix)} is none: up to 200 letters, digits and ._-/`);
  }
  if (!/^[A-Za-z0-9-]{1,64}$/.test(region)) throw new RangeError(`region ${JSON.stringify(region)} is none`);
  if (pathStyle) url.pathname = `/${bucket}/`;
  else url.hostname = `${bucket}.${url.hostname}`;
  return url;
}
