/**
 * The devices of a person: a list that the first of them signs (msg.md §3.2).
 *
 * ```text
 * { "list": [{ "ed": b64, "ik": b64 }, … to 4, the first is who signs], "signature": b64 of `devices` over the list as RFC 8785 has it }
 * ```
 *
 * @module
 */
import { ascii, equalBytes } from "@alknet/core/crypto";
import { isSignedFor, type MessageKeys, type PeerIdentity, signFor } from "../agreement/identity.ts";
import { b64, bytesOf } from "./bytes.ts";

/** Devices of a person. */
export const MOST_DEVICES = 4;

/** A list of devices, whose signature was looked at. */
export interface DeviceList {
  /** The first is the one that signs. */
  readonly list: readonly PeerIdentity[];
  /** 64 bytes. */
  readonly signature: Uint8Array;
}

/** Signs a list of which the signer is the first. */
export function signDevices(keys: Pick<MessageKeys, "sign">, list: readonly PeerIdentity[]): DeviceList {
  return { list, signature: signFor(keys, "devices", signedBytes(list)) };
}

/** A list as JSON has it. */
export function devicesJson({ list, signature }: DeviceList): Record<string, unknown> {
  return { list: listJson(list), signature: b64(signature) };
}

/** A list of JSON; nothing where it is none, has too many or one twice, or is not signed by its first. */
export function readDevices(value: unknown): DeviceList | undefined {
  const devices = keptDevices(value);
  if (!devices) return undefined;
  const { list, signature } = devices;
  return isSignedFor("devices", list[0].ed, signedBytes(list), signature) ? devices : undefined;
}

/** The same of one that was read before: its signature is not looked at again. */
export function keptDevices(value: unknown): DeviceList | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { list: raw, signature: text } = value as Record<string, unknown>;
  const signature = bytesOf(text, 64);
  if (!signature || !Array.isArray(raw) || raw.length < 1 || raw.length > MOST_DEVICES) return undefined;
  const list: PeerIdentity[] = [];
  for (const one of raw as readonly (Record<string, unknown> | null)[]) {
    const [ed, ik] = [bytesOf(one?.ed, 32), bytesOf(one?.ik, 32)];
    if (!ed || !ik || list.some((other) => equalBytes(other.ed, ed))) return undefined;
    list.push({ ed, ik });
  }
  return { list, signature };
}

/** Whether a device is on a list, with the same keys. */
export function isListed({ list }: DeviceList, { ed, ik }: PeerIdentity): boolean {
  return list.some((one) => equalBytes(one.ed, ed) && equalBytes(one.ik, ik));
}

function signedBytes(list: readonly PeerIdentity[]): Uint8Array {
  return ascii(JSON.stringify(listJson(list)));
}

/** Members in the order of RFC 8785; their values are plain ASCII. */
function listJson(list: readonly PeerIdentity[]): { ed: string; ik: string }[] {
  return list.map(({ ed, ik }) => ({ ed: b64(ed), ik: b64(ik) }));
}
