/**
 * Binds UDP sockets with the fastest implementation that works here.
 *
 * @module
 */
import { AlknetError } from "../../../../errors.ts";
import type { SocketAddress } from "../../../../handler/connection.ts";
import { hasLibc } from "../../linux/call_table.ts";
import { portOwner } from "../../../port_owner.ts";
import { bindLinuxUdp } from "./udp_linux.ts";
import { bindNodeUdp } from "./udp_node.ts";
import type { UdpOptions, UdpSocket } from "./udp_socket.ts";

export { MAX_DATAGRAM, sameAddress } from "./udp_socket.ts";
export type { DatagramHandler, UdpOptions, UdpSocket } from "./udp_socket.ts";

/**
 * Binds a UDP socket. `::` is bound for IPv4 and IPv6 alike; addresses of IPv4 remotes then appear as plain IPv4.
 *
 * @param address An IP address (no name) and a port; port 0 lets the system choose.
 * @param options Implementation, sharing of the port, buffer sizes.
 * @throws {AlknetError} `BIND_FAILED`, naming the address, the reason and, where known, the process that holds the port.
 */
export async function bindUdp(address: SocketAddress, options: UdpOptions = {}): Promise<UdpSocket> {
  const wanted = options.implementation ?? "auto";
  const linux = wanted === "linux" || (wanted === "auto" && hasLibc());
  try {
    return linux ? bindLinuxUdp(address, options) : await bindNodeUdp(address, options);
  } catch (cause) {
    throw await bindFailed(address, cause);
  }
}

const ADVICE: Record<string, string> = {
  EADDRINUSE: "the port is in use: stop that process or choose another port",
  EACCES: "not permitted: ports below 1024 need privileges, choose a higher one",
  EPERM: "not permitted: check the sandbox or security policy that this process runs under",
  EADDRNOTAVAIL: "this machine has no such address: use one of its own, or 0.0.0.0 or ::",
  EAFNOSUPPORT: "this machine does not speak that address family: use an IPv4 address",
  EINVAL: "the address is not valid here: give an IP address of this machine",
  REUSE_PORT_UNAVAILABLE: "sharing a port needs Linux and --allow-ffi: run one engine",
  EMFILE: "too many open files: raise the limit (ulimit -n)",
};

async function bindFailed(address: SocketAddress, cause: unknown): Promise<AlknetError> {
  const code = (cause as { code?: unknown })?.code;
  const host = address.hostname.includes(":") ? `[${address.hostname}]` : address.hostname;
  const owner = code === "EADDRINUSE" ? await portOwner("udp", address.port) : undefined;
  const advice = typeof code === "string" ? ADVICE[code] : undefined;
  const why = [
    typeof code === "string" ? code : cause instanceof Error ? cause.message : String(cause),
    ...(advice ? [advice] : []),
    ...(owner ? [`held by ${owner}`] : []),
  ].join("; ");
  return new AlknetError("BIND_FAILED", `cannot bind udp ${host}:${address.port}: ${why}`, { cause });
}
