/**
 * What composition reaches: the layers of one root request, in order (call.md §17 to §19).
 *
 * @module
 */
import { denial, resourceIdOf } from "../access/access.ts";
import { authorityIdentity, type ScopedPeerEnv } from "../authoring/authority.ts";
import type { ImportedListing, InvokeOptions, OperationContext, OperationEnv, PeerRef } from "../authoring/context.ts";
import type { OperationLayer, PeerLayers } from "../layers/layer.ts";
import { CallError, notFound } from "../values/errors.ts";
import { scopeOf, TaskContext } from "./call_context.ts";
import { runChild } from "./execution.ts";
import type { JsonValue } from "../values/json.ts";
import type { HandlerRegistration } from "../authoring/registration.ts";

/** The layers of one root request. */
export interface Layers {
  /** Operations of the session, if there is one. */
  readonly session?: OperationLayer;
  /** What the connection brought on which the request arrived. */
  readonly connection?: OperationLayer;
  /** All attached peers, for a node that aggregates them. */
  readonly peers?: PeerLayers;
  /** The node's own operations. */
  readonly base: OperationLayer;
}

const NO_PEERS: ReadonlyMap<string, OperationLayer> = new Map();

/** The environment over layers. */
export class LayeredEnv implements OperationEnv {
  readonly #layers: Layers;
  readonly #peers: ReadonlyMap<string, OperationLayer>;

  /**
   * Composes the layers of a request.
   *
   * @param layers As they are when the root request arrives.
   */
  constructor(layers: Layers) {
    this.#layers = layers;
    this.#peers = layers.peers?.current() ?? NO_PEERS;
  }

  async invoke(
    name: string,
    input: JsonValue,
    parent: OperationContext,
    options: InvokeOptions = {},
  ): Promise<JsonValue> {
    const { peer = "any" } = options;
    const task = TaskContext.taskOf(parent);
    const { registration: { authority }, tree: { ownership } } = task;
    const found = isReachable(scopeOf(task), name, peer) ? this.#route(name, peer) : undefined;
    if (!found) throw notFound(name);
    const { spec } = found;
    // The rights of the composing handler count, never those of whoever called it: they were checked at the entry.
    const identity = authority && authorityIdentity(authority);
    const reason = denial(spec.access_control, identity, resourceIdOf(spec, input), ownership);
    if (reason !== undefined) throw new CallError("FORBIDDEN", reason);
    return await runChild(parent, found, input, options);
  }

  contains(name: string): boolean {
    return this.#find(name) !== undefined;
  }

  peerContains(peer: string, name: string): boolean {
    return this.#peer(peer)?.find(name) !== undefined;
  }

  peerIds(): readonly string[] {
    const own = this.#layers.connection?.peer;
    const attached = [...this.#peers.keys()];
    return own === undefined || this.#peers.has(own) ? attached : [...attached, own];
  }

  peerOperations(peer: string): readonly ImportedListing[] {
    const listed = this.#peer(peer)?.list() ?? [];
    return [...listed].map(({ spec }) => ({ name: spec.name, spec }));
  }

  #route(name: string, peer: PeerRef): HandlerRegistration | undefined {
    return peer === "any" ? this.#find(name) : this.#peer(peer.peer)?.find(name);
  }

  /**
   * The node's own operations come first: nobody who may be trusted less takes over a name of theirs. Peers come before a
   * connection that is none: a browser does not take over the name of what a peer offers.
   */
  #find(name: string): HandlerRegistration | undefined {
    const { session, connection, base } = this.#layers;
    const first = base.find(name) ?? session?.find(name);
    if (first) return first;
    for (const layer of this.#peers.values()) {
      const found = layer.find(name);
      if (found) return found;
    }
    return connection?.find(name);
  }

  #peer(peer: string): OperationLayer | undefined {
    const attached = this.#peers.get(peer);
    if (attached) return attached;
    const { connection } = this.#layers;
    return connection?.peer === peer ? connection : undefined;
  }
}

function isReachable({ allowedOps, peerPinned }: ScopedPeerEnv, name: string, peer: PeerRef): boolean {
  return allowedOps.has(name) || (peer !== "any" && peerPinned.has(`${peer.peer}/${name}`));
}
