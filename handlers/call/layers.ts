/**
 * The layers above a node's own operations: what a session adds, what a connection brought, and the peers of a node
 * that aggregates them (call.md §18, §19).
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import type { CompositionAuthority, ScopedPeerEnv } from "./authority.ts";
import type { OperationLayer } from "./context.ts";
import { checkedRegistration, type HandlerRegistration } from "./registration.ts";
import { ImportError } from "./import_error.ts";

/** What one connection brought: imports, for as long as it lives. */
export class ConnectionLayer implements OperationLayer {
  /** The peer id of the connection, if it is a peer's; how `specific` routing names it. */
  readonly peer: string | undefined;
  #byName: ReadonlyMap<string, HandlerRegistration> = new Map();
  #ended = false;

  /**
   * An empty layer.
   *
   * @param peer The peer id, for a connection of a peer.
   */
  constructor(peer?: string) {
    this.peer = peer;
  }

  find(name: string): HandlerRegistration | undefined {
    return this.#byName.get(name);
  }

  list(): Iterable<HandlerRegistration> {
    return this.#byName.values();
  }

  /**
   * Replaces what is there, wholly or not at all. After the end of the connection nothing is taken.
   *
   * @throws {ImportError} `SAME_PEER_COLLISION`: two have one name.
   * @throws {AlknetError} `INVALID_OPERATION`: one is no operation of a connection.
   */
  replace(registrations: Iterable<HandlerRegistration>): void {
    const byName = new Map<string, HandlerRegistration>();
    for (const registration of registrations) {
      const { spec: { name }, provenance } = checkedRegistration(registration);
      if (provenance === "local" || provenance === "session") {
        throw invalid(name, `is ${provenance}; the layer of a connection holds imports alone`);
      }
      if (byName.has(name)) throw new ImportError("SAME_PEER_COLLISION", `${name} is imported twice from one peer`);
      byName.set(name, registration);
    }
    if (!this.#ended) this.#byName = sorted(byName);
  }

  /** The connection is gone, and with it what it brought. */
  end(): void {
    this.#ended = true;
    this.#byName = new Map();
  }
}

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
    this.#byName = sorted(new Map(this.#byName).set(spec.name, internal));
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

function sorted(byName: ReadonlyMap<string, HandlerRegistration>): ReadonlyMap<string, HandlerRegistration> {
  return new Map([...byName].sort(([a], [b]) => a < b ? -1 : 1));
}

function invalid(name: string, fault: string): AlknetError {
  return new AlknetError("INVALID_OPERATION", `operation ${name} ${fault}`);
}
