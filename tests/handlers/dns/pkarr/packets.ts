/**
 * Signed packets for tests.
 *
 * @module
 */
import { NodeKey } from "@alknet/core/identity";
import { parseName, readMaster, type Records, SignedPacket } from "../../../../handlers/dns/mod.ts";

/** The key of RFC 8032 §7.1, test 1. */
export const KEY: NodeKey = NodeKey.fromSeed(
  Uint8Array.fromHex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"),
);
/** The time of the packets of dns.md §7, microseconds. */
export const TIME = 1_764_288_000_000_000n;
/** A clock that stands there. */
export const now = (): number => Number(TIME / 1000n);

/** Records from a master file whose names are relative to a key. */
export function recordsOf(text: string, { id }: Pick<NodeKey, "id"> = KEY): Records {
  return [...readMaster([`${text.trim()}\n`], parseName(`${id}.`))].map(({ record }) => record);
}

/** A packet with these records. */
export function packet(text: string, timestamp: bigint = TIME, key: NodeKey = KEY): SignedPacket {
  return SignedPacket.sign(key, recordsOf(text, key), timestamp);
}

/** A payload, signed by a key, whatever stands in its message. */
export function signedBytes(key: NodeKey, message: Uint8Array, timestamp: bigint = TIME): Uint8Array {
  const prefix = new TextEncoder().encode(`3:seqi${timestamp}e1:v${message.byteLength}:`);
  const payload = new Uint8Array(72 + message.byteLength);
  payload.set(key.sign(Uint8Array.of(...prefix, ...message)));
  new DataView(payload.buffer).setBigUint64(64, timestamp);
  payload.set(message, 72);
  return payload;
}
