/**
 * Addresses to listen on that are in each other's way: said before the system blames the port on whoever holds it, which
 * would be this very process.
 *
 * @module
 */
import { AlknetError } from "../errors.ts";
import { formatSocketAddress } from "../handler/address.ts";
import type { SocketAddress } from "../handler/connection.ts";
import { canonicalIp } from "../ip.ts";

/**
 * Looks whether each address can be bound beside the others. A port that is left open is another each time.
 *
 * @throws {AlknetError} `BIND_FAILED`: one is given twice, or another takes what it would.
 */
export function assertNoOverlap(addresses: readonly SocketAddress[]): void {
  for (const [at, one] of addresses.entries()) {
    for (const other of addresses.slice(at + 1)) {
      if (one.port === 0 || one.port !== other.port) continue;
      const [first, second] = [one, other].map(({ hostname }) => canonicalIp(hostname));
      if (first === second) throw failed(`${formatSocketAddress(one)} is given twice`);
      if (takes(first, second)) throw covered(one, other);
      if (takes(second, first)) throw covered(other, one);
    }
  }
}

/** Whether what is bound to one address gets what is sent to another: `::` is bound for IPv4 too. */
function takes(wildcard: string, hostname: string): boolean {
  return wildcard === "::" || (wildcard === "0.0.0.0" && !hostname.includes(":"));
}

function covered(wildcard: SocketAddress, address: SocketAddress): AlknetError {
  return failed(`${formatSocketAddress(wildcard)} takes ${formatSocketAddress(address)} already; leave that out`);
}

function failed(why: string): AlknetError {
  return new AlknetError("BIND_FAILED", `cannot listen: ${why}`);
}
