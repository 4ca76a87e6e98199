/**
 * Cookies: what shows that who asks over UDP has the address that it asks from (RFC 7873, RFC 9018).
 *
 * @module
 */
import { parseIp } from "@alknet/core/handler";
import { timingSafeEqual } from "node:crypto";
import { siphash24 } from "./siphash.ts";

/** Bytes of a client's cookie, and of ours behind it. */
export const CLIENT_COOKIE = 8;
const SERVER_COOKIE = 16;
/** Version of ours, and what is reserved. */
const HEAD = [1, 0, 0, 0];
/** Seconds: how old a cookie may be, how far ahead, and from when on it is not given back as it is. */
const OLDEST = 3600;
const AHEAD = 300;
const RENEWED = 1800;
/** Milliseconds: how long a secret makes cookies, and how long it is believed after. */
const SECRET_LIVES = 24 * 3_600_000;
const SECRET_LINGERS = 3_600_000;

/** What a cookie of a query is: none there may be; one that is no cookie at all; a client's alone, or one of ours that is wrong; ours. */
export type CookieKind = "malformed" | "new" | "proven";

/** Makes cookies and knows its own. */
export class Cookies {
  readonly #now: () => number;
  #secret: Uint8Array = crypto.getRandomValues(new Uint8Array(16));
  #before: Uint8Array | undefined;
  #since: number;

  /**
   * @param now Unix milliseconds. Default `Date.now`.
   * @param secret 16 bytes. Default: random.
   */
  constructor(now: () => number = Date.now, secret?: Uint8Array) {
    this.#now = now;
    this.#since = now();
    if (secret) this.#secret = secret;
  }

  /** What the data of a query's COOKIE option is. */
  judge(data: Uint8Array, address: string): CookieKind {
    const { byteLength } = data;
    // RFC 7873 §5.2.2: 8, or 16 to 40.
    if (byteLength !== CLIENT_COOKIE && (byteLength < 16 || byteLength > 40)) return "malformed";
    if (byteLength !== CLIENT_COOKIE + SERVER_COOKIE) return "new";
    const client = data.subarray(0, CLIENT_COOKIE);
    const server = data.subarray(CLIENT_COOKIE);
    const written = new DataView(server.buffer, server.byteOffset).getUint32(4);
    // Serial arithmetic (RFC 9018 §4.3).
    const age = (this.#seconds() - written) | 0;
    if (age > OLDEST || age < -AHEAD) return "new";
    this.#turn();
    const lingers = this.#now() - this.#since < SECRET_LINGERS;
    for (const secret of [this.#secret, ...lingers && this.#before ? [this.#before] : []]) {
      if (timingSafeEqual(server, serverCookie(secret, client, written, address))) return "proven";
    }
    return "new";
  }

  /** The cookie for an answer: as it came where it is young, else a new one. */
  answer(data: Uint8Array, address: string, kind: CookieKind): Uint8Array<ArrayBuffer> {
    const client = data.subarray(0, CLIENT_COOKIE);
    if (kind === "proven") {
      const written = new DataView(data.buffer, data.byteOffset).getUint32(CLIENT_COOKIE + 4);
      if (((this.#seconds() - written) | 0) <= RENEWED) return data.slice();
    }
    this.#turn();
    const whole = new Uint8Array(CLIENT_COOKIE + SERVER_COOKIE);
    whole.set(client);
    whole.set(serverCookie(this.#secret, client, this.#seconds(), address), CLIENT_COOKIE);
    return whole;
  }

  #seconds(): number {
    return Math.floor(this.#now() / 1000) >>> 0;
  }

  /** A secret is one day's. */
  #turn(): void {
    if (this.#now() - this.#since < SECRET_LIVES) return;
    this.#before = this.#secret;
    this.#secret = crypto.getRandomValues(new Uint8Array(16));
    this.#since = this.#now();
  }
}

/** RFC 9018 §4: version, reserved, time, and the sum of the client's cookie, these, and its address. */
export function serverCookie(
  secret: Uint8Array,
  client: Uint8Array,
  seconds: number,
  address: string,
): Uint8Array<ArrayBuffer> {
  const ip = parseIp(address)?.bytes ?? new Uint8Array(4);
  const summed = new Uint8Array(CLIENT_COOKIE + 8 + ip.byteLength);
  summed.set(client.subarray(0, CLIENT_COOKIE));
  summed.set(HEAD, CLIENT_COOKIE);
  new DataView(summed.buffer).setUint32(CLIENT_COOKIE + 4, seconds);
  summed.set(ip, CLIENT_COOKIE + 8);
  const cookie = new Uint8Array(SERVER_COOKIE);
  cookie.set(summed.subarray(CLIENT_COOKIE, CLIENT_COOKIE + 8));
  cookie.set(siphash24(secret, summed), 8);
  return cookie;
}
