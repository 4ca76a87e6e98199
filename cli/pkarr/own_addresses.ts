/**
 * Where a node says that it is.
 *
 * @module
 */
import { formatSocketAddress, parseListenAddress } from "@alknet/core/address";
import { AlknetError, type SocketAddress } from "@alknet/core/handler";
import { isNearby } from "@alknet/handlers/dns";

/**
 * Addresses that somebody wrote.
 *
 * @param allowPrivate Whether those are meant too that mean something only nearby.
 * @throws {AlknetError} `INVALID_ADDRESS`: one is none. `PRIVATE_ADDRESS`: one means something only nearby.
 */
export function writtenAddresses(texts: readonly string[], allowPrivate: boolean): string[] {
  for (const text of texts) {
    if (!isNearby(text) || allowPrivate) continue;
    throw new AlknetError("PRIVATE_ADDRESS", `${text} is private: nobody elsewhere reaches it`);
  }
  return [...texts];
}

/**
 * Addresses of what is listened on; in place of all addresses of the machine, each of its interfaces'.
 *
 * @param allowPrivate Whether those are meant too that mean something only nearby.
 */
export function listenedAddresses(listening: readonly SocketAddress[], allowPrivate: boolean): string[] {
  const found = listening.flatMap(({ hostname, port }) => {
    const wildcard = hostname === "0.0.0.0" || hostname === "::";
    const hosts = wildcard ? interfaceAddresses(hostname === "::") : [hostname];
    return hosts.map((host) => formatSocketAddress({ hostname: host, port }));
  });
  return [...new Set(found)].filter((address) => allowPrivate || !isNearby(address));
}

/** The listen addresses of a configuration. */
export function listenOf(texts: readonly string[], port: number): SocketAddress[] {
  return texts.length === 0 ? [{ hostname: "0.0.0.0", port }] : texts.map(parseListenAddress);
}

/** On `::` IPv4 is reached too, where the system maps it. */
function interfaceAddresses(both: boolean): string[] {
  const all = Deno.networkInterfaces().filter(({ family }) => both || family === "IPv4");
  return all.map(({ address }) => address.replace(/%.*$/, "")).filter((address) => !/^fe80:/i.test(address));
}
