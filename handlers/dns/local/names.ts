/**
 * What a node is called on its own network (RFC 6762, RFC 6763): `<id>._alknet._udp.local`, at the host `<id>.local`.
 *
 * @module
 */
import { createSocket, type Socket } from "node:dgram";
import { parseName } from "../codec/name.ts";
import type { DnsName } from "../codec/types.ts";

/** Where mDNS is spoken (RFC 6762 §3). */
export const GROUP = "224.0.0.251";
/** Its port. */
export const PORT = 5353;
/** Seconds for which what is said of a node may be kept. */
export const LIFE = 120;
/** Bit of a class: of a question, that the answer may come to the asker alone; of a record, that those before it are void. */
export const TOP = 0x8000;

/** The service of a node. */
export function serviceOf(nodeId: string): DnsName {
  return parseName(`${nodeId}._alknet._udp.local.`);
}

/** The host of a node. */
export function hostOf(nodeId: string): DnsName {
  return parseName(`${nodeId}.local.`);
}

/** A socket at an address; rejects with what the system says. */
export async function boundSocket(hostname: string, port: number, shared: boolean): Promise<Socket> {
  // Addresses are written as such.
  const lookup = (host: string, ...rest: unknown[]): void =>
    (rest.at(-1) as (error: null, address: string, family: number) => void)(null, host, 4);
  const socket = createSocket({ type: "udp4", reuseAddr: shared, lookup });
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.bind(port, hostname, () => {
      socket.off("error", reject);
      resolve();
    });
  });
  return socket;
}
