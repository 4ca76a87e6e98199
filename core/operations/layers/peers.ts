/**
 * The peers of a node that lets every request compose the operations of all of them (call.md §19).
 *
 * @module
 */
import { AlknetError } from "../../errors.ts";
import type { Identity } from "../../identity/identity.ts";
import type { OperationLayer, PeerLayers } from "./layer.ts";

/** The name under which discovery lists the node itself; no peer may have it (call.md §20.3). */
export const LOCAL_PEER = "local";

/** What of a connection is attached. */
export interface AttachedPeer {
  /** Who it is, as far as the endpoint resolved it. */
  readonly identity: Identity | undefined;
  /** Whether it is a node with a peer entry, whose operations composition may route to (call.md §19.4). */
  readonly isPeer: boolean;
  /** Its operations that were imported over this connection. */
  readonly layer: OperationLayer;
  /** Resolves when the connection is gone and nothing of it is left. */
  readonly closed: Promise<void>;
}

/** Attached peers, in the order of their first attachment. */
export class PeerSet implements PeerLayers {
  /** Never changed, only exchanged: a request sees the peers of the moment when it arrived. */
  #layers: ReadonlyMap<string, OperationLayer> = new Map();

  /** The peers as they are now; the map itself never changes. */
  current(): ReadonlyMap<string, OperationLayer> {
    return this.#layers;
  }

  /**
   * Attaches a peer until its connection is gone. A peer that is attached already gets the new connection in its old
   * place.
   *
   * @throws {AlknetError} `NOT_A_PEER`: the connection has no peer id, such as a browser's.
   */
  attach(peer: AttachedPeer): void {
    const id = peer.isPeer ? peer.identity?.id : undefined;
    if (id === undefined || id === LOCAL_PEER) {
      throw new AlknetError(
        "NOT_A_PEER",
        id === undefined
          ? "the connection is not a peer's: it has no identity that comes from a peer entry"
          : `the peer id "${LOCAL_PEER}" names the node itself; give the peer another`,
      );
    }
    const { layer } = peer;
    this.#layers = new Map(this.#layers).set(id, layer);
    peer.closed.then(() => this.#detach(id, layer));
  }

  /** Detaches a peer; its connection goes on. */
  detach(peer: AttachedPeer): void {
    if (peer.identity) this.#detach(peer.identity.id, peer.layer);
  }

  /** An old connection that ends late leaves the newer one of the same peer alone. */
  #detach(id: string, layer: OperationLayer): void {
    if (this.#layers.get(id) !== layer) return;
    const rest = new Map(this.#layers);
    rest.delete(id);
    this.#layers = rest;
  }
}
