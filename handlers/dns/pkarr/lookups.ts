/**
 * Packets by their keys: those that are kept, and, for who may have it, those that relays have. A key is asked for once in
 * 5 minutes, however many ask.
 *
 * @module
 */
import { RecentMap } from "@alknet/core/handler";
import type { PacketStore } from "./packet_store.ts";
import type { RelayClient } from "./relay_client.ts";
import type { SignedPacket } from "./signed_packet.ts";

/** What look-ups are made of. */
export interface LookupsOptions {
  /** Packets that are kept. */
  readonly packets: PacketStore;
  /** Who is asked besides. Default: nobody. */
  readonly relays?: readonly RelayClient[];
  /** Milliseconds that only go forward. Default `performance.now`. */
  readonly now?: () => number;
}

/** Milliseconds for which a key is not asked for again. */
const ASKED = 300_000;
/** Keys of which it is remembered that they were asked for; the oldest go. */
const MAX_KEYS = 10_000;

/** Look-ups of packets. */
export class Lookups {
  readonly #packets: PacketStore;
  readonly #relays: readonly RelayClient[];
  readonly #now: () => number;
  /** When a key was asked for, oldest first, and the question while it is under way. */
  readonly #asked = new RecentMap<string, { readonly at: number; running?: Promise<void> }>({ most: MAX_KEYS });

  /**
   * Begins with no key asked for.
   *
   * @param options Where packets are.
   */
  constructor({ packets, relays = [], now = () => performance.now() }: LookupsOptions) {
    this.#packets = packets;
    this.#relays = relays;
    this.#now = now;
  }

  /** Whether there are any. */
  get any(): boolean {
    return this.#packets.size > 0;
  }

  /**
   * The packet of a key: at once where one is kept, which is renewed meanwhile.
   *
   * @param ask Whether relays may be asked.
   * @param signal Whoever waits has left: rejects with its reason; the question goes on for others.
   * @throws {AlknetError} `DNS_BUSY`.
   */
  find(
    nodeId: string,
    ask: boolean,
    signal?: AbortSignal,
  ): SignedPacket | undefined | Promise<SignedPacket | undefined> {
    const kept = this.#packets.get(nodeId);
    if (!ask || this.#relays.length === 0) return kept;
    const running = this.#ask(nodeId);
    if (kept || !running) return kept;
    return untilAborted(running, signal).then(() => this.#packets.get(nodeId));
  }

  #ask(nodeId: string): Promise<void> | undefined {
    const now = this.#now();
    const last = this.#asked.get(nodeId);
    if (last && now - last.at < ASKED) return last.running;
    const asked: { at: number; running?: Promise<void> } = { at: now };
    this.#asked.set(nodeId, asked);
    const all = this.#relays.map(async (relay) => {
      const packet = await relay.get(nodeId);
      if (packet) this.#packets.put(packet);
    });
    // A relay that fails is as good as one that knows nothing; the next is there.
    return asked.running = Promise.allSettled(all).then(() => {
      asked.running = undefined;
    });
  }
}

async function untilAborted(running: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (!signal) return await running;
  signal.throwIfAborted();
  const left = Promise.withResolvers<void>();
  const leave = (): void => left.reject(signal.reason);
  signal.addEventListener("abort", leave, { once: true });
  try {
    await Promise.race([running, left.promise]);
  } finally {
    signal.removeEventListener("abort", leave);
  }
}
