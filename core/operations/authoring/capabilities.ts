/**
 * Outbound credentials of handlers, by name of the service (call.md §10.5).
 *
 * They are made when the node is assembled, are looked up by name, and have no other way out: not through JSON, not
 * through an inspector, not by enumeration.
 *
 * @module
 */
import type { Capabilities } from "./authority.ts";

/** Holds nothing. */
export const NO_CAPABILITIES: Capabilities = Object.freeze({ get: () => undefined });

/**
 * Makes capabilities of credentials, or of handles that can do one thing with a secret. Later changes to the argument
 * have no effect.
 *
 * @example
 * ```ts
 * import { capabilitiesOf } from "@alknet/core/operations";
 *
 * const held = capabilitiesOf({ weather: "k-123" });
 * console.assert(held.get("weather") === "k-123" && JSON.stringify(held) === "{}");
 * ```
 */
export function capabilitiesOf(credentials: Readonly<Record<string, unknown>>): Capabilities {
  return new HeldCapabilities(new Map(Object.entries(credentials)));
}

/** What a handler holds below another: its own first, then what its parent holds (call.md §17). */
export function capabilitiesOver(own: Capabilities, below: Capabilities): Capabilities {
  if (below === NO_CAPABILITIES) return own;
  if (own === NO_CAPABILITIES) return below;
  return Object.freeze({ get: (name: string) => own.get(name) ?? below.get(name) });
}

class HeldCapabilities implements Capabilities {
  readonly #held: ReadonlyMap<string, unknown>;

  constructor(held: ReadonlyMap<string, unknown>) {
    this.#held = held;
    Object.freeze(this);
  }

  get(name: string): unknown {
    return this.#held.get(name);
  }
}
