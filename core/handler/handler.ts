/**
 * A handler is a value: the ALPN strings it claims, and one function.
 *
 * @module
 */
import type { Logger } from "../log.ts";
import type { IdentityProvider } from "../identity/identity.ts";
import type { Limits } from "../limits/limits.ts";
import type { Connection } from "./connection.ts";

/** What every handler is given beside the connection. */
export interface HandlerContext {
  /** Aborted with reason `"shutdown"` when the endpoint begins to drain: take no new work, finish what runs, return. */
  readonly signal: AbortSignal;
  /** Answers who has a fingerprint or a token. */
  readonly identityProvider: IdentityProvider;
  /** Tagged with connection id and ALPN. */
  readonly log: Logger;
  /** The endpoint's limits. */
  readonly limits: Limits;
  /**
   * Reports that the peer failed to authenticate (a wrong token, a refused key). Returns whether its address has
   * failed too often and is to be refused.
   */
  authenticationFailed(): boolean;
  /** Whether its address has failed too often and is to be refused, without counting anything. */
  authenticationRefused(): boolean;
  /** Reports that the peer authenticated, which takes back the failures of this connection, and of no other. */
  authenticated(): void;
}

/** A protocol on the endpoint. */
export interface Handler<Alpns extends readonly string[] = readonly string[]> {
  /** The ALPN strings it claims, in the order in which the server prefers them. */
  readonly alpns: Alpns;
  /** Closes connections whose peer has no identity with code 0x101 before `handle` runs. Default `false`. */
  readonly requireIdentity?: boolean;
  /**
   * The handler itself refuses what peers whose address failed to authenticate too often ask with a credential; without
   * this the endpoint closes their connections. Default `false`.
   */
  readonly answersRefused?: boolean;
  /** For the operator: what the handler does, in a few words. */
  readonly description?: string;
  /**
   * Runs once for each connection and owns it until it settles. When it returns, what was written is delivered and the
   * connection closed with code 0; when it throws, the connection is closed with 0x100 and nothing else notices.
   */
  handle(connection: Connection, context: HandlerContext): Promise<void> | void;
}

/**
 * Makes a handler and keeps the literal types of its ALPN strings, so that the router can tell them apart.
 *
 * @throws {TypeError} An ALPN is not 1 to 255 bytes long (RFC 7301 §3.1), or is claimed twice.
 */
export function defineHandler<const Alpns extends readonly string[]>(handler: Handler<Alpns>): Handler<Alpns> {
  const seen = new Set<string>();
  for (const alpn of handler.alpns) {
    const length = new TextEncoder().encode(alpn).byteLength;
    if (length < 1 || length > 255) {
      throw new TypeError(`ALPN ${JSON.stringify(alpn)} is ${length} bytes; 1 to 255 fit`);
    }
    if (seen.has(alpn)) throw new TypeError(`ALPN ${JSON.stringify(alpn)} is claimed twice by one handler`);
    seen.add(alpn);
  }
  return Object.freeze({ ...handler });
}
