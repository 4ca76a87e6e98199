/**
 * The operations of a node: the base layer, fixed once the node has started (call.md §10.3, §18).
 *
 * @module
 */
import { AlknetError, type Identity } from "@alknet/core/handler";
import { denial } from "./access.ts";
import type { OwnershipProvider } from "./authority.ts";
import type { OperationLayer } from "./context.ts";
import { discovery } from "./discovery.ts";
import { checkedRegistration, type HandlerRegistration } from "./registration.ts";
import { type NameIndex, nameIndex, nearestNames, suggestion } from "./suggestions.ts";

/** The base layer. */
export class Registry implements OperationLayer {
  readonly #byName: ReadonlyMap<string, HandlerRegistration>;
  readonly #external: readonly HandlerRegistration[];
  #index: NameIndex | undefined;

  /**
   * @param registrations What the node offers; the discovery operations come with it.
   * @throws {AlknetError} `DUPLICATE_OPERATION`: two have one name. `INVALID_OPERATION`: what is wrong with one.
   */
  constructor(registrations: Iterable<HandlerRegistration>) {
    const byName = new Map<string, HandlerRegistration>();
    for (const registration of [...discovery(this), ...registrations]) {
      const { spec: { name }, provenance } = checkedRegistration(registration);
      if (provenance === "from_call" || provenance === "session") {
        throw new AlknetError(
          "INVALID_OPERATION",
          `operation ${name} is of a ${provenance === "session" ? "session" : "connection"}, which ends; register a ` +
            `local operation that composes it`,
        );
      }
      if (byName.has(name)) {
        throw new AlknetError("DUPLICATE_OPERATION", `operation ${name} is registered twice; rename or remove one`);
      }
      byName.set(name, registration);
    }
    this.#byName = new Map([...byName].sort(([a], [b]) => a < b ? -1 : 1));
    this.#external = [...this.#byName.values()].filter(({ spec }) => spec.visibility === "external");
  }

  find(name: string): HandlerRegistration | undefined {
    return this.#byName.get(name);
  }

  list(): Iterable<HandlerRegistration> {
    return this.#byName.values();
  }

  /**
   * External operations that an identity may call, in order of name.
   *
   * @param ownership With it, an operation on a type of resource is there for who owns one of the type.
   */
  *permitted(identity: Identity | undefined, ownership?: OwnershipProvider): Iterable<HandlerRegistration> {
    for (const registration of this.#external) {
      if (isPermitted(registration, identity, ownership)) yield registration;
    }
  }

  /** What may be said to a caller who named an operation that is not there: the nearest ones that it may call. */
  suggestion(name: string, identity: Identity | undefined): string | undefined {
    this.#index ??= nameIndex(this.#external.map(({ spec }) => spec.name));
    const near = nearestNames(name, this.#index, (other) => isPermitted(this.#byName.get(other)!, identity));
    return suggestion(near);
  }
}

function isPermitted(
  { spec }: HandlerRegistration,
  identity: Identity | undefined,
  ownership?: OwnershipProvider,
): boolean {
  return denial(spec.access_control, identity, undefined, ownership) === undefined;
}
