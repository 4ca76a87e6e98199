/**
 * The operations of a node: the base layer, fixed once the node has started (call.md §10.3, §18).
 *
 * @module
 */
import type { Identity } from "@alknet/core/handler";
import type { OperationLayer } from "./context.ts";
import type { HandlerRegistration } from "./registration.ts";
import { denial } from "./access.ts";

/** The base layer. */
export class Registry implements OperationLayer {
  readonly #byName = new Map<string, HandlerRegistration>();

  /**
   * @param registrations What the node offers; the discovery operations come with it.
   * @throws {AlknetError} `DUPLICATE_OPERATION` and what else is wrong with a registration.
   */
  constructor(registrations: Iterable<HandlerRegistration>) {
    for (const registration of registrations) this.#byName.set(registration.spec.name, registration);
  }

  find(name: string): HandlerRegistration | undefined {
    return this.#byName.get(name);
  }

  list(): Iterable<HandlerRegistration> {
    return this.#byName.values();
  }

  /** External operations that an identity may call, in order of name. */
  *permitted(identity: Identity | undefined): Iterable<HandlerRegistration> {
    for (const registration of this.#byName.values()) {
      const { visibility, access_control } = registration.spec;
      if (visibility === "external" && denial(access_control, identity) === undefined) yield registration;
    }
  }

  /** What may be said to a caller who named an operation that is not there: the nearest ones that it may call. */
  suggestion(_name: string, _identity: Identity | undefined): string | undefined {
    return undefined;
  }
}
