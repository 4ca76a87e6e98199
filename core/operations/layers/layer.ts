/**
 * Where operations are found: what all layers have in common (call.md §18, §19).
 *
 * @module
 */
import type { HandlerRegistration } from "../authoring/registration.ts";

/** Operations by name, of one owner: the node, a session, or one connection. */
export interface OperationLayer {
  /** The peer id, where the layer is what a connection of a peer brought. */
  readonly peer?: string;
  /** The registration of a name without a leading slash. */
  find(name: string): HandlerRegistration | undefined;
  /** All registrations, in order of name. */
  list(): Iterable<HandlerRegistration>;
}

/** The attached peers of a node that aggregates them. */
export interface PeerLayers {
  /** Peers and what they offer, in the order of their first attachment. The map never changes: it is exchanged. */
  current(): ReadonlyMap<string, OperationLayer>;
}

/** The registrations of a layer, in order of name. */
export function sortedByName(
  byName: ReadonlyMap<string, HandlerRegistration>,
): ReadonlyMap<string, HandlerRegistration> {
  return new Map([...byName].sort(([a], [b]) => a < b ? -1 : 1));
}
