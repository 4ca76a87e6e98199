/**
 * Where a node may be, from all who may know: each is asked after its delay, or at once when those before it are done.
 *
 * What they say is a hint. Whoever dials pins the node's key, so that a lie costs one attempt.
 *
 * @module
 */
import { Lookups } from "../pkarr/lookups.ts";
import type { PacketStore } from "../pkarr/packet_store.ts";
import type { RelayClient } from "../pkarr/relay_client.ts";
import type { SignedPacket } from "../pkarr/signed_packet.ts";
import { type NodeRecord, nodeRecord, nodeRecordOf } from "./node_record.ts";
import { sleep } from "./sleep.ts";

/** Addresses that somebody knows. */
export interface Found {
  /** `HOST:PORT` each, best first, 8 at most; none once they are no longer to be dialled. */
  readonly addresses: readonly string[];
  /** From whom. */
  readonly source: "cache" | "mdns" | "relay" | "dns";
  /** When the node signed it: microseconds since 1970; absent where nobody did. */
  readonly timestamp?: bigint;
}

/** Somebody who may know. */
export interface DiscoveryProvider {
  /** Who, for people. */
  readonly name: string;
  /** Milliseconds after which it is asked, if those before it are not done. */
  readonly delay: number;
  /** What it knows. What it throws counts as nothing. */
  find(nodeId: string, signal: AbortSignal): AsyncIterable<Found>;
}

/** Options of {@linkcode discover}. */
export interface DiscoverOptions {
  /** Waits so many milliseconds; rejects when the signal aborts. */
  readonly wait?: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/** Milliseconds after which relays are asked, and DNS. */
const [RELAY_DELAY, DNS_DELAY] = [200, 400];

/** Packets that are kept here. */
export function keptPackets(packets: PacketStore, now: () => number = Date.now): DiscoveryProvider {
  const lookups = new Lookups({ packets });
  return {
    name: "cache",
    delay: 0,
    async *find(nodeId) {
      const packet = await lookups.find(nodeId, false);
      if (packet) yield foundIn(packet, "cache", now());
    },
  };
}

/** A relay; what it has is kept, where there is a store. */
export function relayProvider(
  relay: RelayClient,
  packets?: PacketStore,
  now: () => number = Date.now,
): DiscoveryProvider {
  return {
    name: relay.name,
    delay: RELAY_DELAY,
    async *find(nodeId, signal) {
      const packet = await relay.get(nodeId, signal);
      if (!packet) return;
      packets?.put(packet);
      yield foundIn(packet, "relay", now());
    },
  };
}

/**
 * Records of DNS below a domain, `_alknet.<key>.<origin>`. Nobody has signed what comes.
 *
 * @param origin The domain.
 * @param lookUp TXT records of a name, each with its character-strings.
 */
export function originProvider(
  origin: string,
  lookUp: (name: string, signal: AbortSignal) => Promise<readonly (readonly string[])[]>,
  now: () => number = Date.now,
): DiscoveryProvider {
  return {
    name: origin,
    delay: DNS_DELAY,
    async *find(nodeId, signal) {
      const texts = await lookUp(`_alknet.${nodeId}.${origin.replace(/\.$/, "")}.`, signal);
      const record = nodeRecordOf(texts.map((strings) => strings.join("")), now() / 1000);
      if (record) yield { addresses: stillGood(record, now()), source: "dns" };
    },
  };
}

/**
 * Asks all of them, and gives what they say as it comes.
 *
 * @param signal Ends it: the sequence ends then.
 */
export async function* discover(
  providers: readonly DiscoveryProvider[],
  nodeId: string,
  signal: AbortSignal,
  { wait = sleep }: DiscoverOptions = {},
): AsyncIterable<Found> {
  const stop = new AbortController();
  const ended = AbortSignal.any([signal, stop.signal]);
  const found: Found[] = [];
  let news = Promise.withResolvers<void>();
  const tell = (): void => {
    news.resolve();
    news = Promise.withResolvers();
  };
  let running = providers.length;
  const ask = async (provider: DiscoveryProvider): Promise<void> => {
    try {
      for await (const one of provider.find(nodeId, ended)) {
        found.push(one);
        tell();
      }
    } catch {
      // Whoever fails knows nothing; others may.
    } finally {
      running--;
      tell();
    }
  };
  const left = (): void => tell();
  ended.addEventListener("abort", left, { once: true });
  const begun = begin(providers, ask, ended, wait);
  try {
    while (!signal.aborted) {
      const { promise } = news;
      if (found.length > 0) yield found.shift()!;
      else if (running === 0) return;
      else await promise;
    }
  } finally {
    stop.abort();
    await begun;
  }
}

/** Begins with each when it is its turn: after its delay, or when all before it are done. */
async function begin(
  providers: readonly DiscoveryProvider[],
  ask: (provider: DiscoveryProvider) => Promise<void>,
  signal: AbortSignal,
  wait: (milliseconds: number, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const asked: Promise<void>[] = [];
  let passed = 0;
  for (const provider of [...providers].sort((a, b) => a.delay - b.delay)) {
    if (provider.delay > passed) {
      const turn = new AbortController();
      const late = wait(provider.delay - passed, AbortSignal.any([signal, turn.signal])).catch(() => {});
      await Promise.race([late, Promise.all(asked)]);
      turn.abort();
      passed = provider.delay;
    }
    if (signal.aborted) break;
    asked.push(ask(provider));
  }
  await Promise.all(asked);
}

function foundIn(packet: SignedPacket, source: Found["source"], now: number): Found {
  const record = nodeRecord(packet);
  return { addresses: record ? stillGood(record, now) : [], source, timestamp: packet.timestamp };
}

function stillGood({ addresses, expires }: NodeRecord, now: number): readonly string[] {
  return expires > now / 1000 ? addresses : [];
}
