/**
 * Signature Version 4 of Amazon's: who asks is proven for a quarter of an hour, and what the headers say. The body is not
 * signed: BLAKE3 says whether it is right.
 *
 * @module
 */
import type { BucketCredential } from "../options.ts";

/** What stands for the hash of a body that is not signed. */
export const UNSIGNED = "UNSIGNED-PAYLOAD";
const ALGORITHM = "AWS4-HMAC-SHA256";

/** What is to be signed. */
export interface Unsigned {
  /** `GET` and so on. */
  readonly method: string;
  /** Where it goes. */
  readonly url: URL;
  /** Headers that are sent, by their names in lower case; all are signed, and `host`. */
  readonly headers: Readonly<Record<string, string>>;
}

/** What signs. */
export interface Signer {
  /** Whose name it is in. */
  readonly credential: BucketCredential;
  /** Where the service is. */
  readonly region: string;
  /** Which it is. Default `s3`. */
  readonly service?: string;
  /** When. */
  readonly now: Date;
}

/** The headers with which a request is sent: those given, and its signature. */
export async function signed(request: Unsigned, signer: Signer): Promise<Record<string, string>> {
  const { accessKey, secret, token } = signer.credential.reveal();
  const time = signer.now.toISOString().replace(/[-:]|\.\d+/g, "");
  const headers: Record<string, string> = { "x-amz-content-sha256": UNSIGNED, ...request.headers, "x-amz-date": time };
  if (token !== undefined) headers["x-amz-security-token"] = token;
  const all = Object.entries({ ...headers, host: request.url.host }).sort(byName);
  const names = all.map(([name]) => name).join(";");
  const canonical = [
    request.method,
    request.url.pathname,
    queryOf(request.url),
    ...all.map(([name, value]) => `${name}:${value.trim()}`),
    "",
    names,
    headers["x-amz-content-sha256"],
  ].join("\n");
  const scope = [time.slice(0, 8), signer.region, signer.service ?? "s3", "aws4_request"];
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytesOf(canonical)));
  const text = [ALGORITHM, time, scope.join("/"), digest.toHex()].join("\n");
  let key = bytesOf(`AWS4${secret}`);
  for (const part of scope) {
    const next = await hmac(key, part);
    key.fill(0);
    key = next;
  }
  const signature = (await hmac(key, text)).toHex();
  key.fill(0);
  const authorization = `${ALGORITHM} Credential=${accessKey}/${scope.join("/")}, SignedHeaders=${names}, ` +
    `Signature=${signature}`;
  return { ...headers, authorization };
}

/** A query as it is signed, and sent: in order, and all encoded but letters, digits and `-._~`. */
export function queryOf(url: URL): string {
  return [...url.searchParams].map(([name, value]) => [encoded(name), encoded(value)] as const).sort(byName)
    .map(([name, value]) => `${name}=${value}`).join("&");
}

function encoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

function byName([one]: readonly [string, string], [other]: readonly [string, string]): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

async function hmac(key: Uint8Array<ArrayBuffer>, text: string): Promise<Uint8Array<ArrayBuffer>> {
  const imported = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, bytesOf(text)));
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}
