/**
 * With which rights a handler composes, what it may reach, and which credentials it holds (call.md §10.3, §10.5).
 *
 * @module
 */
import type { Identity } from "../../identity/identity.ts";

/** The rights of a composing handler; granted by the program that assembles the node, never by a description. */
export interface CompositionAuthority {
  /** For logs and attribution; not a peer id. */
  readonly label: string;
  /** As in an identity. */
  readonly scopes: readonly string[];
  /** As in an identity. */
  readonly resources: Readonly<Record<string, readonly string[]>>;
}

/** What a handler may compose. */
export interface ScopedPeerEnv {
  /** Names, such as `files/read`. */
  readonly allowedOps: ReadonlySet<string>;
  /** `<peer id>/<name>`: reachable at that peer only. */
  readonly peerPinned: ReadonlySet<string>;
}

/** Outbound credentials. Immutable, and never part of JSON. */
export interface Capabilities {
  /** The credential of a name, or nothing. */
  get(name: string): unknown;
}

/** Answers who owns what (call.md §11.4). Lookups in memory. */
export interface OwnershipProvider {
  /** Whether this resource is the identity's, for this action. */
  owns(identity: Identity, type: string, id: string, action: string): boolean;
  /** Whether any resource of the type is. */
  ownsAny(identity: Identity, type: string): boolean;
  /** The resources of the type that are. */
  ownedResources(identity: Identity, type: string): readonly string[];
}

/** The identity as which an authority is checked. */
export function authorityIdentity({ label, scopes, resources }: CompositionAuthority): Identity {
  return { id: label, scopes, resources };
}
