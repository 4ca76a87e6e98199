/**
 * What who pushes signs with the push, so that nobody can send the same push again (gitprotocol-pack, "Push Certificate").
 *
 * ```text
 * 1700000000-<hex HMAC-SHA-256(key, "<repo>:1700000000")>     the key is of this start of the node
 * ```
 *
 * @module
 */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

/** Seconds for which one counts where it was not given on the same stream. */
const COUNTS = 60;

/** Gives and knows again what is signed. */
export class Nonces {
  readonly #key = randomBytes(32);
  readonly #now: () => number;
  /** Certificates that have come, to when that was. */
  readonly #used = new Map<string, number>();

  /** @param now Milliseconds since 1970. */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** A new one for a push to a repository. */
  give(repo: string): string {
    return this.#of(repo, this.#seconds());
  }

  /**
   * Whether one was given for a push to a repository: on the same stream, or not long ago.
   *
   * @param given That of the stream; absent where each request stands for itself.
   */
  isGiven(nonce: string, repo: string, given?: string): boolean {
    if (given !== undefined) return equal(nonce, given);
    const seconds = Number(/^([0-9]{1,12})-/.exec(nonce)?.[1] ?? NaN);
    const age = this.#seconds() - seconds;
    // The name is compared even where it is too old: time tells nothing.
    return equal(nonce, this.#of(repo, seconds)) && age >= 0 && age <= COUNTS;
  }

  /** Whether a certificate comes for the first time. From then on it has come. */
  isFirst(certificate: string): boolean {
    const now = this.#seconds();
    for (const [one, at] of this.#used) {
      if (now - at <= 2 * COUNTS) break;
      this.#used.delete(one);
    }
    if (this.#used.has(certificate)) return false;
    this.#used.set(certificate, now);
    return true;
  }

  #of(repo: string, seconds: number): string {
    return `${seconds}-${createHmac("sha256", this.#key).update(`${repo}:${seconds}`).digest("hex")}`;
  }

  #seconds(): number {
    return Math.floor(this.#now() / 1000);
  }
}

function equal(a: string, b: string): boolean {
  const [x, y] = [a, b].map((text) => new TextEncoder().encode(text));
  return x.byteLength === y.byteLength && timingSafeEqual(x, y);
}
