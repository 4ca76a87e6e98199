/**
 * Who asks, by which way.
 *
 * @module
 */
import { addressGroup, type Identity } from "@alknet/core/handler";

/** Who asks. */
export interface DnsCaller {
  /** By which way. */
  readonly front: "dot" | "doh";
  /** The address, without port. */
  readonly address: string;
  /** Who it is, where that is known. */
  readonly identity?: Identity;
}

/** The unit that limits count: an identity, else an address group. */
export function callerKey({ address, identity }: DnsCaller): string {
  return identity ? `id ${identity.id}` : addressGroup(address);
}
