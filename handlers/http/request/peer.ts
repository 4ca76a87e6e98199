/**
 * Who sent a request, as far as the connection tells.
 *
 * @module
 */
import type { Identity, SocketAddress } from "@alknet/core/handler";

/** Who sent a request: `c.env.peer` in a route. */
export interface RequestPeer {
  /** Id of the connection that carried it, as in logs. */
  readonly connectionId: string;
  /** The client's address. */
  readonly remoteAddress: SocketAddress;
  /** Who the connection belongs to, where the client's certificate said so. */
  readonly identity: Identity | undefined;
  /** `h2`, `http/1.1` or `alknet/http`. */
  readonly alpn: string;
}
