/**
 * One UDP socket for all dials of a kind, for as long as there are any: a socket brings megabytes of buffers with it.
 *
 * @module
 */
import { Driver } from "./driver.ts";
import { loadQuiche } from "../engine/binding.ts";
import { bindUdp } from "../engine/udp/udp.ts";
import type { UdpOptions } from "../engine/udp/udp_socket.ts";

/** A share of a dialling socket. */
export interface DialSocket {
  /** The socket and its loop. */
  readonly driver: Driver;
  /** Gives the share back; the last one closes the socket. */
  release(): Promise<void>;
}

interface Shared {
  readonly driver: Promise<Driver>;
  shares: number;
}

const sockets = new Map<string, Shared>();

/**
 * Takes a share of the socket that dials a family of addresses.
 *
 * @param family The unspecified address to bind: `0.0.0.0` or `::`.
 * @throws {AlknetError} `BIND_FAILED`, such as for a family that this machine does not have, or `NO_TRANSPORT` where the platform has no binary of QUIC.
 */
export async function dialSocket(
  family: "0.0.0.0" | "::",
  implementation: UdpOptions["implementation"],
): Promise<DialSocket> {
  const key = `${family} ${implementation ?? "auto"}`;
  let shared = sockets.get(key);
  if (!shared) sockets.set(key, shared = { driver: open(family, implementation), shares: 0 });
  shared.shares++;
  const release = async () => {
    if (--shared.shares > 0) return;
    if (sockets.get(key) === shared) sockets.delete(key);
    await (await shared.driver).close();
  };
  try {
    return { driver: await shared.driver, release };
  } catch (error) {
    // Another dial may have opened one meanwhile.
    if (sockets.get(key) === shared) sockets.delete(key);
    throw error;
  }
}

async function open(hostname: string, implementation: UdpOptions["implementation"]): Promise<Driver> {
  const quiche = await loadQuiche();
  return new Driver({ quiche, udp: await bindUdp({ hostname, port: 0 }, { implementation }) });
}
