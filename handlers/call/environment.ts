/**
 * What composition reaches: the layers of one root request, in order (call.md §17 to §19).
 *
 * @module
 */
import { authorityIdentity } from "./authority.ts";
import type { ImportedListing, InvokeOptions, OperationContext, OperationEnv, OperationLayer } from "./context.ts";
import { denial, resourceIdOf } from "./access.ts";
import { CallError, notFound } from "./errors.ts";
import { runChild } from "./execution.ts";
import type { JsonValue } from "./json.ts";
import type { HandlerRegistration } from "./registration.ts";

/** The attached peers, in the order of their first attachment. */
export interface PeerLayers {
  /** Names of peers, in order. */
  ids(): readonly string[];
  /** What a peer offers; `undefined` when it is not attached. */
  layer(peer: string): OperationLayer | undefined;
}

/** The layers of one root request. */
export interface Layers {
  /** Operations of the session, if there is one. */
  readonly session?: OperationLayer;
  /** What the connection offers on which the request arrived. */
  readonly connection?: OperationLayer;
  /** All attached peers, for a node that aggregates them. */
  readonly peers?: PeerLayers;
  /** The node's own operations. */
  readonly base: OperationLayer;
}

/** The environment over layers. */
export class LayeredEnv implements OperationEnv {
  readonly #layers: Layers;

  /** @param layers As they are when the root request arrives. */
  constructor(layers: Layers) {
    this.#layers = layers;
  }

  async invoke(
    name: string,
    input: JsonValue,
    parent: OperationContext,
    options: InvokeOptions = {},
  ): Promise<JsonValue> {
    const found = parent.scopedEnv.allowedOps.has(name) ? this.#find(name) : undefined;
    if (!found) throw notFound(name);
    const { spec } = found;
    const identity = parent.handlerIdentity && authorityIdentity(parent.handlerIdentity);
    const reason = denial(spec.access_control, identity, resourceIdOf(spec, input), parent.ownership);
    if (reason !== undefined) throw new CallError("FORBIDDEN", reason);
    return await runChild(parent, found, input, options.policy);
  }

  contains(name: string): boolean {
    return this.#find(name) !== undefined;
  }

  peerContains(peer: string, name: string): boolean {
    return this.#layers.peers?.layer(peer)?.find(name) !== undefined;
  }

  peerIds(): readonly string[] {
    return this.#layers.peers?.ids() ?? [];
  }

  peerOperations(peer: string): readonly ImportedListing[] {
    const listed = this.#layers.peers?.layer(peer)?.list() ?? [];
    return [...listed].map((registration) => ({ name: registration.spec.name, registration }));
  }

  #find(name: string): HandlerRegistration | undefined {
    const { session, connection, base } = this.#layers;
    return session?.find(name) ?? connection?.find(name) ?? base.find(name);
  }
}
