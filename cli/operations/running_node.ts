/**
 * What the built-in operations see of the node that serves them.
 *
 * @module
 */
import type { Endpoint } from "@alknet/core";
import type { ConfigFile } from "@alknet/core/config";
import type { Feed } from "./feed.ts";
import type { Observer, ServeEvent } from "./observe.ts";

/** The parts of a running node. */
export interface RunningNode {
  /** Its configuration. */
  readonly config: ConfigFile;
  /** Counts what its handlers carry. */
  readonly observer: Observer;
  /** Connections as they come and go. */
  readonly events: Feed<ServeEvent>;
  /** Lines of its log. */
  readonly log: Feed<string>;
  /** When it was started. */
  readonly startedAt: Date;
  /** The endpoint: `undefined` until it listens, and no request comes before. */
  endpoint?: Endpoint;
}

/** The scope with which every built-in operation may be called. */
export const ADMIN_SCOPE = "admin";

/** The endpoint of a node that serves a request, and so listens. */
export function endpointOf({ endpoint }: RunningNode): Endpoint {
  if (!endpoint) throw new TypeError("a request came before the node listened");
  return endpoint;
}
