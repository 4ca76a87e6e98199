/**
 * The links of this machine: its addresses, and who else is on the same network. What is asked and said by mDNS stays there.
 *
 * @module
 */
import { parseIp } from "@alknet/core/handler";

/** An address of this machine, and the network that it is in. */
export interface Link {
  /** Name of the interface. */
  readonly name: string;
  /** The address. */
  readonly address: string;
  /** Address and length of the prefix of its network: `192.0.2.7/24`. */
  readonly cidr: string | null;
}

/** The links of this machine as they are now. */
export function ownLinks(): readonly Link[] {
  return Deno.networkInterfaces();
}

/** Whether an address is of the network of a link. */
export function isOnLink({ cidr }: Link, text: string): boolean {
  const [of, length] = cidr?.split("/") ?? [];
  const [network, ip] = [parseIp(of ?? ""), parseIp(text)];
  if (!network || !ip || network.bytes.byteLength !== ip.bytes.byteLength) return false;
  return ip.bytes.every((byte, at) => {
    const bits = Math.min(8, Math.max(0, Number(length) - 8 * at));
    return (byte ^ network.bytes[at]) >>> (8 - bits) === 0;
  });
}

/** The IPv4 links, by which mDNS is asked and answered. */
export function linksOfFour(links: readonly Link[]): readonly Link[] {
  return links.filter(({ address }) => parseIp(address)?.bytes.byteLength === 4);
}
