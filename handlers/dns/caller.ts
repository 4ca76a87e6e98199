/**
 * Who asks, by which way.
 *
 * @module
 */
import { addressGroup, type Identity } from "@alknet/core/handler";

/** Who asks. */
export interface DnsCaller {
  /** By which way. */
  readonly front: "dot" | "doq" | "doh" | "alknet" | "plain" | "operations";
  /** The address, without port; operations know none, and have their own name here. */
  readonly address: string;
  /** Whether anybody may have written the address as theirs: a datagram without a cookie. What it costs is its own. */
  readonly unproven?: boolean;
  /** Who it is, where that is known. */
  readonly identity?: Identity;
}

/** Groups are made once a caller: there is one a connection, and many questions. */
const GROUPS = new WeakMap<DnsCaller, string>();

/** The unit that limits count: an identity, else an address group. */
export function callerKey(caller: DnsCaller): string {
  return caller.identity ? `id ${caller.identity.id}` : groupOf(caller);
}

/** The address group. */
export function groupOf(caller: DnsCaller): string {
  let group = GROUPS.get(caller);
  if (group === undefined) {
    const of = addressGroup(caller.address);
    GROUPS.set(caller, group = caller.unproven ? `unproven ${of}` : of);
  }
  return group;
}
