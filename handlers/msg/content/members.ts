/**
 * Who is in a group: a list that its admin signs (msg.md §3.2).
 *
 * ```text
 * { "version": rising, "admin": ed b64, "list": [ed b64, … to 32, the admin's among them], "signature": b64 of `group` over
 *   { "id": of the group, "list", "version" } as RFC 8785 has it }
 * digest: H(eds, sorted by their bytes)
 * ```
 *
 * @module
 */
import { ascii, equalBytes, joined, sha256 } from "@alknet/core/crypto";
import { isSignedFor, type MessageKeys, signFor } from "../agreement/identity.ts";
import { b64, bytesOf } from "./bytes.ts";

/** Members of a group. */
export const MOST_MEMBERS = 32;

/** Who is in a group. */
export interface Members {
  /** Rises with each list. */
  readonly version: number;
  /** Ed25519 of whoever signs. */
  readonly admin: Uint8Array;
  /** Ed25519 of all, the admin too. */
  readonly list: readonly Uint8Array[];
  /** 64 bytes. */
  readonly signature: Uint8Array;
}

/** Signs a list. The signer is its admin. */
export function signMembers(
  keys: Pick<MessageKeys, "ed" | "sign">,
  { id, version, list }: { readonly id: Uint8Array; readonly version: number; readonly list: readonly Uint8Array[] },
): Members {
  const signature = signFor(keys, "group", signedBytes(id, version, list));
  return { version, admin: keys.ed, list, signature };
}

/** A list as JSON has it. */
export function membersJson({ version, admin, list, signature }: Members): Record<string, unknown> {
  return { version, admin: b64(admin), list: list.map(b64), signature: b64(signature) };
}

/** A list of JSON; nothing where it is none, has too many or one twice, lacks its admin, or is not signed by it. */
export function readMembers(id: Uint8Array, value: unknown): Members | undefined {
  const members = keptMembers(value);
  if (!members) return undefined;
  const { version, admin, list, signature } = members;
  return isSignedFor("group", admin, signedBytes(id, version, list), signature) ? members : undefined;
}

/** The same of one that was read before: its signature is not looked at again. */
export function keptMembers(value: unknown): Members | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const raw = value as Record<string, unknown>;
  const { version } = raw;
  const [admin, signature] = [bytesOf(raw.admin, 32), bytesOf(raw.signature, 64)];
  if (!admin || !signature || typeof version !== "number" || !Number.isSafeInteger(version) || version < 1) {
    return undefined;
  }
  if (!Array.isArray(raw.list) || raw.list.length > MOST_MEMBERS) return undefined;
  const list: Uint8Array[] = [];
  for (const one of raw.list) {
    const ed = bytesOf(one, 32);
    if (!ed || isMember({ list }, ed)) return undefined;
    list.push(ed);
  }
  return isMember({ list }, admin) ? { version, admin, list, signature } : undefined;
}

/** Whether a key is on a list. */
export function isMember({ list }: Pick<Members, "list">, ed: Uint8Array): boolean {
  return list.some((one) => equalBytes(one, ed));
}

/** What two compare who may have different lists. */
export function digestOf({ list }: Pick<Members, "list">): Uint8Array {
  // In hex they sort as their bytes do.
  return sha256(joined(...list.map((ed) => ed.toHex()).sort().map((hex) => Uint8Array.fromHex(hex))));
}

/** Members in the order of RFC 8785; their values are plain ASCII and whole numbers. */
function signedBytes(id: Uint8Array, version: number, list: readonly Uint8Array[]): Uint8Array {
  return ascii(JSON.stringify({ id: b64(id), list: list.map(b64), version }));
}
