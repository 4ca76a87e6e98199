/**
 * The operations of a node: the base layer, fixed once the node has started (call.md §10.3, §18).
 *
 * @module
 */
import { AlknetError } from "../../errors.ts";
import type { Identity } from "../../identity/identity.ts";
import { denial } from "../access/access.ts";
import type { OwnershipProvider } from "../authoring/authority.ts";
import { type OperationLayer, sortedByName } from "./layer.ts";
import { checkedRegistration, type HandlerRegistration } from "../authoring/registration.ts";
import type { AccessControl } from "../authoring/spec.ts";
import { type NameIndex, nameIndex, nearestNames, suggestion } from "./suggestions.ts";

const ACCESS_MEMBERS = ["required_scopes", "required_scopes_any", "resource_type", "resource_action"] as const;

/** The base layer. */
export class Registry implements OperationLayer {
  readonly #byName: ReadonlyMap<string, HandlerRegistration>;
  readonly #external: readonly HandlerRegistration[];
  /** Requirements that differ: who may call what is asked once of each, not of each operation. */
  readonly #requirements: readonly AccessControl[];
  /** Which of them an external operation has. */
  readonly #requirementOf: readonly number[];
  #index: NameIndex | undefined;

  /**
   * Sorts and checks what the node offers.
   *
   * @param registrations What the node offers.
   * @throws {AlknetError} `DUPLICATE_OPERATION`: two have one name. `INVALID_OPERATION`: what is wrong with one.
   */
  constructor(registrations: Iterable<HandlerRegistration>) {
    const byName = new Map<string, HandlerRegistration>();
    for (const registration of registrations) {
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
    this.#byName = sortedByName(byName);
    this.#external = [...this.#byName.values()].filter(({ spec }) => spec.visibility === "external");
    const distinct = new Map<string, number>();
    const requirements: AccessControl[] = [];
    this.#requirementOf = this.#external.map(({ spec: { access_control: access } }) => {
      const key = JSON.stringify(ACCESS_MEMBERS.map((member) => access[member] ?? null));
      let at = distinct.get(key);
      if (at === undefined) distinct.set(key, at = requirements.push(access) - 1);
      return at;
    });
    this.#requirements = requirements;
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
  permitted(identity: Identity | undefined, ownership?: OwnershipProvider): Iterable<HandlerRegistration> {
    const met = this.#requirements.map((access) => denial(access, identity, undefined, ownership) === undefined);
    return this.#external.filter((_registration, at) => met[this.#requirementOf[at]]);
  }

  /** What may be said to a caller who named an operation that is not there: the nearest ones that it may call. */
  suggestion(name: string, identity: Identity | undefined, ownership?: OwnershipProvider): string | undefined {
    this.#index ??= nameIndex(this.#external.map(({ spec }) => spec.name));
    const near = nearestNames(name, this.#index, (other) => {
      return denial(this.#byName.get(other)!.spec.access_control, identity, undefined, ownership) === undefined;
    });
    return suggestion(near);
  }
}
