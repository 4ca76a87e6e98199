/**
 * What one connection brought (call.md §18).
 *
 * @module
 */
import { AlknetError } from "../../errors.ts";
import { checkedRegistration, type HandlerRegistration } from "../authoring/registration.ts";
import { ImportError } from "../values/import_error.ts";
import { type OperationLayer, sortedByName } from "./layer.ts";

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
        throw new AlknetError(
          "INVALID_OPERATION",
          `operation ${name} is ${provenance}; the layer of a connection holds imports alone`,
        );
      }
      if (byName.has(name)) throw new ImportError("SAME_PEER_COLLISION", `${name} is imported twice from one peer`);
      byName.set(name, registration);
    }
    if (!this.#ended) this.#byName = sortedByName(byName);
  }

  /** The connection is gone, and with it what it brought. */
  end(): void {
    this.#ended = true;
    this.#byName = new Map();
  }
}
