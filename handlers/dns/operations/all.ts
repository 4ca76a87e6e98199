/**
 * The operations of DNS.
 *
 * @module
 */
import type { HandlerRegistration } from "@alknet/core/operations";
import { queryOperations } from "./query.ts";
import { recordOperations } from "./records.ts";
import { packetOperations } from "./packets.ts";
import type { OperationsParts } from "./shared.ts";
import { zoneOperations } from "./zones.ts";

export type { OperationsParts };

/** `dns/…`: zones and records with the scopes `dns:read` and `dns:write`, or `admin`; `dns/query` for all; and `pkarr/…`, where there is a relay. */
export function dnsOperations(parts: OperationsParts): HandlerRegistration[] {
  const { relay } = parts;
  return [
    ...zoneOperations(parts),
    ...recordOperations(parts),
    ...queryOperations(parts),
    ...(relay ? packetOperations(relay) : []),
  ];
}
