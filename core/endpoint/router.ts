/**
 * The table from ALPN to handler, typed by the ALPN strings it holds.
 *
 * @module
 */
import { AlknetError } from "../errors.ts";
import type { Handler } from "../handler/handler.ts";
import { type Endpoint, type HandlerTable, listen, type ListenOptions } from "./endpoint.ts";

/** What a second claim of an ALPN is typed as: a message in the place of the handler. */
export interface DuplicateAlpn<Alpn extends string> {
  /** The ALPN that another handler has already claimed. */
  readonly "this ALPN is already claimed": Alpn;
}

/** The ALPN strings that two handlers both claim, or the handler itself when there are none. */
export type Unclaimed<Alpns extends readonly string[], Claimed extends string> = [Alpns[number] & Claimed] extends
  [never] ? unknown
  : DuplicateAlpn<Alpns[number] & Claimed>;

/** Handlers by ALPN. Immutable: `use` gives a new router. */
export class Router<Alpns extends readonly string[] = readonly []> implements HandlerTable<Alpns> {
  /** The ALPN strings, in the order in which the server prefers them. */
  readonly alpns: Alpns;
  readonly #handlers: ReadonlyMap<string, Handler>;
  #listening = false;

  /** @internal Use {@linkcode router}. */
  constructor(alpns: Alpns, handlers: ReadonlyMap<string, Handler>) {
    this.alpns = alpns;
    this.#handlers = handlers;
  }

  /**
   * A router that has this handler too. Claiming an ALPN twice does not compile.
   *
   * @throws {AlknetError} `DUPLICATE_ALPN`, for those who cast; `ALREADY_LISTENING`, as the new router would serve nobody.
   */
  use<const More extends readonly string[]>(
    handler: Handler<More> & Unclaimed<More, Alpns[number]>,
  ): Router<readonly [...Alpns, ...More]> {
    if (this.#listening) {
      throw new AlknetError("ALREADY_LISTENING", "the router is listening and cannot change; register handlers before");
    }
    const added: Handler<More> = handler;
    const handlers = new Map(this.#handlers);
    for (const alpn of added.alpns) {
      if (handlers.has(alpn)) {
        throw new AlknetError("DUPLICATE_ALPN", `ALPN ${JSON.stringify(alpn)} is already claimed by another handler`);
      }
      handlers.set(alpn, added);
    }
    return new Router([...this.alpns, ...added.alpns] as const, handlers);
  }

  /** The handler that claims exactly this ALPN. No prefix, no case folding, no default. */
  handler(alpn: string): Handler | undefined {
    return this.#handlers.get(alpn);
  }

  /**
   * Listens, and serves until the endpoint is shut down.
   *
   * @throws {AlknetError} `NO_HANDLERS`, `BIND_FAILED` or a code of TLS setup. Nothing is left listening.
   */
  async listen(options: ListenOptions): Promise<Endpoint<Alpns[number]>> {
    this.#listening = true;
    try {
      return await listen(this, options);
    } catch (error) {
      this.#listening = false;
      throw error;
    }
  }
}

/** An empty router. */
export function router(): Router {
  return new Router([] as const, new Map());
}
