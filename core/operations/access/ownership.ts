/**
 * Who owns what was made at run time (call.md §11.4). In memory, of this node alone; the creator owns, and neither
 * grants nor hands over.
 *
 * @module
 */
import type { Identity } from "../../identity/identity.ts";
import type { OwnershipProvider } from "../authoring/authority.ts";

/** A provider that the handlers which manage resources also write to. */
export interface OwnershipStore extends OwnershipProvider {
  /** Notes that a resource was made. A resource that somebody owns already keeps its owner. */
  record(owner: Identity, type: string, id: string): void;
  /** Notes that a resource is gone. */
  revoke(type: string, id: string): void;
}

/** An empty store. */
export function ownershipStore(): OwnershipStore {
  return new MemoryOwnership();
}

class MemoryOwnership implements OwnershipStore {
  /** Type to resource to the id of its owner. */
  readonly #owners = new Map<string, Map<string, string>>();

  record(owner: Identity, type: string, id: string): void {
    let owners = this.#owners.get(type);
    if (!owners) this.#owners.set(type, owners = new Map());
    if (!owners.has(id)) owners.set(id, owner.id);
  }

  revoke(type: string, id: string): void {
    const owners = this.#owners.get(type);
    owners?.delete(id);
    if (owners?.size === 0) this.#owners.delete(type);
  }

  owns(identity: Identity, type: string, id: string, _action: string): boolean {
    return this.#owners.get(type)?.get(id) === identity.id;
  }

  ownsAny(identity: Identity, type: string): boolean {
    for (const owner of this.#owners.get(type)?.values() ?? []) if (owner === identity.id) return true;
    return false;
  }

  ownedResources(identity: Identity, type: string): readonly string[] {
    const owners = this.#owners.get(type) ?? new Map<string, string>();
    return [...owners].filter(([, owner]) => owner === identity.id).map(([id]) => id);
  }
}
