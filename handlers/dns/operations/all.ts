/**
 * The operations of DNS.
 *
 * @module
 */
import type { HandlerRegistration } from "@alknet/core/operations";
import { queryOperations } from "./query.ts";
import { recordOperations } from "./records.ts";
import type { OperationsParts } from "./shared.ts";
import { zoneOperations } from "./zones.ts";

export type { OperationsParts };

/** `dns/…`: zones and records with the scopes `dns:read` and `dns:write`, or `admin`; `dns/query` for all. */
export function dnsOperations(parts: OperationsParts): HandlerRegistration[] {
  return [...zoneOperations(parts), ...recordOperations(parts), ...queryOperations(parts)];
}
