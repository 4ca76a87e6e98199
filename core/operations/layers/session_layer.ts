/**
 * What a session adds: operations of a sandbox, within what it was granted (call.md §18).
 *
 * @module
 */
import { AlknetError } from "../../errors.ts";
import type { CompositionAuthority, ScopedPeerEnv } from "../authoring/authority.ts";
import { checkedRegistration, type HandlerRegistration } from "../authoring/registration.ts";
import { type OperationLayer, sortedByName } from "./layer.ts";

/** What a session may give to its own operations: a part of what the program granted the sandbox. */
export interface SessionGrant {
  /** Upper bound of the rights with which operations of the session compose. */
  readonly authority: CompositionAuthority;
  /** Upper bound of what they reach. */
  readonly scope: ScopedPeerEnv;
}

/** Operations of a session. Whoever composes while the session lasts keeps them to the end of the call. */
export class SessionLayer implements OperationLayer {
  readonly #grant: SessionGrant;
  #byName: ReadonlyMap<string, HandlerRegistration> = new Map();

  /**
   * An empty layer.
   *
   * @param grant What the program granted the sandbox.
   */
  constructor(grant: SessionGrant) {
    this.#grant = grant;
  }

  find(name: string): HandlerRegistration | undefined {
    return this.#byName.get(name);
  }

  list(): Iterable<HandlerRegistration> {
    return this.#byName.values();
  }

  /**
   * Adds an operation, or replaces the one of its name. It is internal, whatever its declaration says.
   *
   * @throws {AlknetError} `INVALID_OPERATION`: it is not of a session, or asks for more than the sandbox has.
   */
  add(registration: HandlerRegistration): void {
    const { spec, provenance, authority, scope } = checkedRegistration(registration);
    if (provenance !== "session") throw invalid(spec.name, `is ${provenance}; a session holds its own operations`);
    if (authority && !isPartOf(authority, this.#grant.authority)) {
      throw invalid(spec.name, "asks for scopes or resources that its sandbox does not have");
    }
    if (scope && !reachesPartOf(scope, this.#grant.scope)) {
      throw invalid(spec.name, "asks to reach operations that its sandbox does not reach");
    }
    const internal = { ...registration, spec: { ...spec, visibility: "internal" as const } };
    this.#byName = sortedByName(new Map(this.#byName).set(spec.name, internal));
  }

  /** Takes an operation away; calls of it that run go on. */
  remove(name: string): void {
    const rest = new Map(this.#byName);
    if (rest.delete(name)) this.#byName = rest;
  }
}

function isPartOf(part: CompositionAuthority, whole: CompositionAuthority): boolean {
  return part.scopes.every((scope) => whole.scopes.includes(scope)) &&
    Object.entries(part.resources).every(([type, actions]) =>
      Object.hasOwn(whole.resources, type) && actions.every((action) => whole.resources[type].includes(action))
    );
}

function reachesPartOf(part: ScopedPeerEnv, whole: ScopedPeerEnv): boolean {
  return [...part.allowedOps].every((name) => whole.allowedOps.has(name)) &&
    [...part.peerPinned].every((pin) =>
      whole.peerPinned.has(pin) || whole.allowedOps.has(pin.slice(pin.indexOf("/") + 1))
    );
}

function invalid(name: string, fault: string): AlknetError {
  return new AlknetError("INVALID_OPERATION", `operation ${name} ${fault}`);
}
