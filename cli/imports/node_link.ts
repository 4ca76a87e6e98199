/**
 * A node whose operations are imported: dialled when it is first needed, and again after its connection was lost.
 *
 * @module
 */
import type { Connection } from "@alknet/core/handler";
import { CallError } from "@alknet/core/operations";
import { CALL_ALPN, CallConnection, type CallOptions, type CallPeer } from "@alknet/handlers/call";

/** Dials the node. */
export type DialNode = (alpn: string, signal: AbortSignal) => Promise<Connection>;

/** What of a peer `fromCall` uses: calls and subscriptions. */
export class NodeLink implements AsyncDisposable {
  readonly #dial: DialNode;
  readonly #token: string | undefined;
  readonly #closed = new AbortController();
  #peer: Promise<CallPeer> | undefined;

  /** @param token Goes with every request. */
  constructor(dial: DialNode, token: string | undefined) {
    this.#dial = dial;
    this.#token = token;
  }

  /** As a peer, of which only calls and subscriptions are to be used. */
  get peer(): CallPeer {
    const call: CallPeer["call"] = async (name, input, options) =>
      await (await this.#connected()).call(name, input, this.#with(options));
    const subscribe: CallPeer["subscribe"] = (name, input, options) => this.#subscribe(name, input, options);
    return { call, subscribe } as CallPeer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort();
    const peer = await this.#peer?.catch(() => undefined);
    await peer?.close();
  }

  async *#subscribe(...[name, input, options]: Parameters<CallPeer["subscribe"]>): ReturnType<CallPeer["subscribe"]> {
    yield* (await this.#connected()).subscribe(name, input, this.#with(options));
  }

  #with(options: CallOptions = {}): CallOptions {
    return { ...options, token: this.#token };
  }

  async #connected(): Promise<CallPeer> {
    const peer = this.#peer ??= this.#connect();
    try {
      return await peer;
    } catch (cause) {
      if (this.#peer === peer) this.#peer = undefined;
      // Where the node is, is not the caller's business.
      throw new CallError("INTERNAL", "the imported node cannot be reached", { cause });
    }
  }

  async #connect(): Promise<CallPeer> {
    const peer = new CallConnection(await this.#dial(CALL_ALPN, this.#closed.signal));
    peer.closed.then(() => this.#peer = undefined);
    return peer;
  }
}
