/**
 * A node that says where it is: a packet of its own, signed anew each hour, kept here and sent to relays.
 *
 * @module
 */
import { AlknetError, type Logger } from "@alknet/core/handler";
import type { NodeKey } from "@alknet/core/identity";
import type { Records } from "../codec/types.ts";
import { type NodeRecord, nodeRecords } from "./node_record.ts";
import { sleep } from "./sleep.ts";
import type { PacketStore } from "../pkarr/packet_store.ts";
import type { RelayClient } from "../pkarr/relay_client.ts";
import { SignedPacket } from "../pkarr/signed_packet.ts";

/** The key that signs; a vault's is used without being seen. */
export type PacketKey = Pick<NodeKey, "publicKey" | "sign" | "id">;

/** What a node says of itself. */
export interface OwnNode extends Pick<NodeRecord, "addresses" | "alpns"> {
  /** Whether clients of iroh find it too. */
  readonly iroh?: boolean;
  /** Whether browsers do. */
  readonly https?: boolean;
}

/** Options of {@linkcode publisher}. */
export interface PublisherOptions {
  /** Whose packet it is. */
  readonly key: PacketKey;
  /** Where it is kept, before it is sent. */
  readonly packets: PacketStore;
  /** Where it is sent. */
  readonly relays: readonly RelayClient[];
  /** Where the node is, asked each time; without addresses nothing is sent. */
  readonly node: () => OwnNode;
  /** Told of relays that fail. */
  readonly log: Logger;
  /** From 0 to 1. Default `Math.random`. */
  readonly random?: () => number;
  /** Milliseconds since 1970. Default: the system's. */
  readonly now?: () => number;
  /** Waits so many milliseconds; rejects when the signal aborts. */
  readonly wait?: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/** Seconds for which addresses are good. */
const LIFE = 86_400;
/** Bytes up to which a packet may be filled; above it, hints are left out. */
const COMFORTABLE = 972;
const HOUR = 3_600_000;
/** How much earlier or later than an hour, so that nodes that began together do not stay so. */
const SPREAD = 0.1;
/** The first wait after a failure, and the longest. */
const [FIRST_RETRY, LAST_RETRY] = [10_000, 600_000];

/**
 * Signs what a node says of itself, newer than what it said before, and keeps it. Hints are left out where there is no room.
 *
 * @throws {AlknetError} `PKARR_TOO_LARGE`, `DNS_BUSY`.
 */
export function signNode(
  key: PacketKey,
  packets: PacketStore,
  { addresses, alpns, iroh, https }: OwnNode,
  now: number = Date.now(),
): SignedPacket {
  const expires = Math.floor(now / 1000) + LIFE;
  const all = { addresses, alpns, expires };
  const timestamp = nextTimestamp(key, packets, now);
  const wishes = [{ ...all, iroh, https }, { ...all, iroh }, all, { ...all, alpns: [] }];
  let packet: SignedPacket | undefined;
  for (const [n, wish] of wishes.entries()) {
    try {
      packet = SignedPacket.sign(key, nodeRecords(key.id, wish), timestamp);
      if (packet.toRelayPayload().byteLength <= COMFORTABLE) break;
    } catch (error) {
      const last = n === wishes.length - 1;
      if (last || !(error instanceof AlknetError) || error.code !== "PKARR_TOO_LARGE") throw error;
    }
  }
  packets.put(packet!);
  return packet!;
}

/**
 * Signs records of one's own, newer than what was signed before, and keeps them.
 *
 * @throws {AlknetError} `PKARR_INVALID`, `PKARR_TOO_LARGE`, `DNS_BUSY`.
 */
export function signRecords(
  key: PacketKey,
  packets: PacketStore,
  records: Records,
  now: number = Date.now(),
): SignedPacket {
  const packet = SignedPacket.sign(key, records, nextTimestamp(key, packets, now));
  packets.put(packet);
  return packet;
}

/**
 * Sends a packet of one's own; a relay that has a newer one, which a clock that was ahead has signed, gets it once more with
 * a timestamp above that.
 *
 * @returns The packet that the relay has now.
 * @throws {AlknetError} `PKARR_RELAY`.
 */
export async function sendPacket(
  relay: RelayClient,
  packet: SignedPacket,
  { key, packets, signal }: { key: PacketKey; packets: PacketStore; signal?: AbortSignal },
): Promise<SignedPacket> {
  if (await relay.put(packet, signal) === "stored") return packet;
  const theirs = await relay.get(packet.nodeId, signal);
  if (theirs && !packet.isNewerThan(theirs)) {
    const again = SignedPacket.sign(key, packet.records, theirs.timestamp + 1n);
    packets.put(again);
    if (await relay.put(again, signal) === "stored") return again;
  }
  throw new AlknetError("PKARR_RELAY", `relay ${relay.name}: it has a newer packet of this node, and keeps it`);
}

/** Publishes until it is disposed of. */
export function publisher(options: PublisherOptions): AsyncDisposable {
  const stop = new AbortController();
  const ours = new OwnPackets(options);
  const loops = options.relays.map((relay) => follow(relay, ours, options, stop.signal));
  // Without relays it is kept for who asks this node.
  if (loops.length === 0) loops.push(follow(undefined, ours, options, stop.signal));
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await Promise.all(loops);
    },
  };
}

/** The packet of the hour, which all relays get. */
class OwnPackets {
  readonly #options: PublisherOptions;
  #signed: { readonly at: number; readonly packet: SignedPacket } | undefined;

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  current(): SignedPacket | undefined {
    const { key, packets, node, now = Date.now } = this.#options;
    const at = now();
    if (this.#signed && Math.abs(at - this.#signed.at) < HOUR / 2) return this.#signed.packet;
    const own = node();
    if (own.addresses.length === 0) return undefined;
    const packet = signNode(key, packets, own, at);
    this.#signed = { at, packet };
    return packet;
  }

  replace(packet: SignedPacket): void {
    if (this.#signed) this.#signed = { ...this.#signed, packet };
  }
}

async function follow(
  relay: RelayClient | undefined,
  ours: OwnPackets,
  { key, packets, log, random = Math.random, wait = sleep }: PublisherOptions,
  signal: AbortSignal,
): Promise<void> {
  let retry = FIRST_RETRY;
  while (!signal.aborted) {
    let pause: number;
    try {
      const packet = ours.current();
      if (packet && relay) ours.replace(await sendPacket(relay, packet, { key, packets, signal }));
      if (retry > FIRST_RETRY && relay) log.info("relay {relay} has our addresses again", { relay: relay.name });
      retry = FIRST_RETRY;
      pause = Math.round(HOUR * (1 + SPREAD * (2 * random() - 1)));
    } catch (error) {
      if (signal.aborted) return;
      // Once a failure, not once a try.
      if (retry === FIRST_RETRY) log.warn("our addresses are not published: {message}", { message: wordsOf(error) });
      pause = retry;
      retry = Math.min(2 * retry, LAST_RETRY);
    }
    await wait(pause, signal).catch(() => {});
  }
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function nextTimestamp(key: PacketKey, packets: PacketStore, now: number): bigint {
  const last = packets.get(key.id)?.timestamp;
  const microseconds = BigInt(Math.floor(now)) * 1000n;
  return last !== undefined && last >= microseconds ? last + 1n : microseconds;
}
