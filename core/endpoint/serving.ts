/**
 * One connection, from its identity to its end: who is there, whether the handler wants them, and the handler's run.
 *
 * @module
 */
import { ConnectionClosedError, describeClose } from "../errors.ts";
import { type Connection, LinkedConnection } from "../handler/connection.ts";
import type { Handler, HandlerContext } from "../handler/handler.ts";
import type { IdentityProvider } from "../identity/identity.ts";
import type { Gate } from "../limits/gate.ts";
import type { Limits } from "../limits/limits.ts";
import { foreign, logger } from "../log.ts";
import { CloseCode } from "./codes.ts";

/** What serving needs of its endpoint. */
export interface ServingParts {
  /** The handler that claims exactly this ALPN. */
  handler(alpn: string): Handler | undefined;
  /** Who has a fingerprint or a token. */
  readonly provider: IdentityProvider;
  /** Places and guesses. */
  readonly gate: Gate;
  /** Aborted when the endpoint begins to drain. */
  readonly signal: AbortSignal;
  /** The limits, as of now. */
  limits(): Limits;
}

const log = logger("endpoint");

/** Gives connections to handlers. */
export class Serving {
  readonly #parts: ServingParts;

  /** @param parts What it needs of its endpoint. */
  constructor(parts: ServingParts) {
    this.#parts = parts;
  }

  /** Serves one connection to its end. Never rejects. */
  async serve(connection: Connection): Promise<void> {
    const handler = this.#parts.handler(connection.alpn);
    const tagged = log.with({ connection: connection.id, alpn: connection.alpn });
    const address = connection.remoteAddress.hostname;
    if (!handler) {
      tagged.warn("no handler for ALPN {alpn}");
      return connection.close(CloseCode.NORMAL, "no handler");
    }
    let known: boolean;
    try {
      known = this.#identify(connection);
    } catch (error) {
      tagged.error("identity provider failed: {error}", { error: describeError(error) });
      return connection.close(CloseCode.HANDLER_ERROR, "handler error");
    }
    if (!known && connection.transport !== "memory") {
      if (handler.requireIdentity) {
        this.#parts.gate.authenticationFailed(address);
        this.#parts.gate.note(address, "identity-required");
        return connection.close(CloseCode.IDENTITY_REQUIRED, "identity required");
      }
      if (!handler.answersRefused && this.#parts.gate.isRefused(address)) {
        this.#parts.gate.note(address, "authentication-failures");
        return connection.close(CloseCode.LIMIT, "limit");
      }
    } else if (handler.requireIdentity && !connection.identity) {
      return connection.close(CloseCode.IDENTITY_REQUIRED, "identity required");
    }
    await this.#run(handler, connection, tagged);
  }

  #identify(connection: Connection): boolean {
    const { fingerprint } = connection.peer;
    if (connection.identity || fingerprint === undefined) return connection.identity !== undefined;
    const identity = this.#parts.provider.resolveFingerprint(fingerprint);
    if (identity) connection.identity = identity;
    return identity !== undefined;
  }

  async #run(handler: Handler, connection: Connection, tagged: HandlerContext["log"]): Promise<void> {
    const address = connection.remoteAddress.hostname;
    let failures = 0;
    const context: HandlerContext = {
      signal: this.#parts.signal,
      identityProvider: this.#parts.provider,
      log: tagged,
      limits: this.#parts.limits(),
      authenticationFailed: () => {
        failures++;
        return this.#parts.gate.authenticationFailed(address);
      },
      authenticationRefused: () => this.#parts.gate.isRefused(address),
      authenticated: () => {
        if (connection instanceof LinkedConnection) connection.trust();
        if (failures > 0) this.#parts.gate.forgive(address, failures);
        failures = 0;
      },
    };
    try {
      await handler.handle(connection, context);
      await connection[Symbol.asyncDispose]();
    } catch (error) {
      if (error instanceof ConnectionClosedError) {
        tagged.debug("ended: {how}", { how: describeClose(error.info) });
      } else {
        tagged.warn("handler failed: {error}", { error: describeError(error) });
      }
      connection.close(CloseCode.HANDLER_ERROR, "handler error");
    }
  }
}

/** The chain of messages of whatever was thrown, safe for a log. */
function describeError(error: unknown): string {
  const parts: string[] = [];
  for (let at: unknown = error; at !== undefined && parts.length < 5; at = at instanceof Error ? at.cause : undefined) {
    parts.push(at instanceof Error ? `${at.name}: ${at.message}` : String(at));
  }
  return foreign(parts.join(" <- "));
}
