/**
 * Addresses that mean something only nearby: nobody far away is told of them, nor believed about them.
 *
 * @module
 */
import { parseAddress } from "@alknet/core/address";
import { AlknetError, parseIp } from "@alknet/core/handler";
import { Type } from "../codec/types.ts";
import { isPrivate } from "../forward/rebinding.ts";

/**
 * Whether an address is loopback, private, link-local or multicast. A host name is none: what it stands for is looked at
 * where it is looked up.
 *
 * @param address `HOST:PORT`.
 * @throws {AlknetError} `INVALID_ADDRESS`.
 */
export function isNearby(address: string): boolean {
  const { host, nodeId } = parseAddress(address);
  if (nodeId !== undefined) throw new AlknetError("INVALID_ADDRESS", `${JSON.stringify(address)} is no HOST:PORT`);
  const ip = parseIp(host);
  if (!ip) return /(?:^|\.)localhost\.?$/i.test(host);
  const { bytes } = ip;
  const isMulticast = bytes.length === 4 ? bytes[0] >= 224 : bytes[0] === 0xff;
  return isMulticast || isPrivate({ type: bytes.length === 4 ? Type.A : Type.AAAA, data: Uint8Array.from(bytes) });
}
