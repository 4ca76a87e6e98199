/**
 * Who may have a packet kept here, and in which order that is looked at: what costs least first.
 *
 * @module
 */
import type { IdentityProvider } from "@alknet/core/handler";
import { ed25519Fingerprint } from "@alknet/core/identity";
import type { DnsCaller } from "../caller.ts";
import type { Rates } from "../engine/rates.ts";
import { keyOf } from "../pkarr/key.ts";
import { PkarrInvalidError } from "../pkarr/errors.ts";
import type { PacketStore, Put } from "../pkarr/packet_store.ts";
import { SignedPacket } from "../pkarr/signed_packet.ts";

/** Whose packets are kept: `peers`, of nodes that are known here and from callers with `pkarr:publish`; `open`, everybody's. */
export type RelayMode = "peers" | "open";

/** What a relay is made of. */
export interface RelayParts {
  /** Where packets are. */
  readonly packets: PacketStore;
  /** Whose are kept. */
  readonly mode: RelayMode;
  /** How often one may come. */
  readonly rates: Rates;
  /** Who is known here. */
  readonly identityProvider: Pick<IdentityProvider, "resolveFingerprint">;
  /** Milliseconds since 1970. Default: the system's. */
  readonly now?: () => number;
}

/** Why nothing is kept; stable words. */
export type Refused = "rate" | "forbidden" | "changed" | PkarrInvalidError["fault"];

/** What became of a packet, or why it was not looked at. */
export type Published = Put | { readonly refused: Refused };

/** What is published. */
export interface Publication {
  /** Whose, in z-base-32. */
  readonly key: string;
  /** Signature, timestamp and message. */
  readonly payload: Uint8Array;
  /** The newest packet that it may take the place of: unix seconds. */
  readonly unmodifiedSince?: number;
}

const SCOPE = "pkarr:publish";

/**
 * Keeps a packet, if whoever brings it may and it is newer.
 *
 * @throws {AlknetError} `DNS_BUSY`.
 */
export function publish(publication: Publication, caller: DnsCaller, parts: RelayParts): Published {
  const { packets, rates, now } = parts;
  // Signatures come after the rate.
  if (!rates.publish(caller)) return { refused: "rate" };
  const publicKey = keyOf(publication.key);
  if (!publicKey) return refusedPacket("key", caller, rates);
  if (!mayPublish(publicKey, caller, parts)) return { refused: "forbidden" };
  let packet: SignedPacket;
  try {
    packet = SignedPacket.fromRelayPayload(publicKey, publication.payload, { now });
  } catch (error) {
    if (error instanceof PkarrInvalidError) return refusedPacket(error.fault, caller, rates);
    throw error;
  }
  const since = publication.unmodifiedSince;
  const there = since === undefined ? undefined : packets.get(packet.nodeId);
  if (there && there.timestamp / 1_000_000n > BigInt(since!)) return { refused: "changed" };
  return packets.put(packet);
}

function mayPublish(publicKey: Uint8Array, { identity }: DnsCaller, { mode, identityProvider }: RelayParts): boolean {
  return mode === "open" || identity?.scopes.includes(SCOPE) === true ||
    identityProvider.resolveFingerprint(ed25519Fingerprint(publicKey)) !== undefined;
}

function refusedPacket(fault: PkarrInvalidError["fault"], caller: DnsCaller, rates: Rates): Published {
  rates.refuse(caller, "bad-packet");
  return { refused: fault };
}
