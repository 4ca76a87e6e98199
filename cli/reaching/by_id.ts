/**
 * Reaching a node of which the id alone is known: whoever may know where it is, is asked, and the key decides who is it.
 *
 * @module
 */
import { formatSocketAddress, isIpAddress, parseAddress } from "@alknet/core/address";
import { AlknetError, type Connection } from "@alknet/core/handler";
import {
  dialFound,
  discover,
  type DiscoveryProvider,
  type Found,
  isNearby,
  keptPackets,
  mdnsProvider,
  type NotReached,
  openDnsStore,
  originProvider,
  type RelayClient,
  relayProvider,
  sleep,
} from "@alknet/handlers/dns";
import { lookup } from "node:dns/promises";
import { exists, locateHome } from "../home/home.ts";
import { configuredPkarr } from "../pkarr/configured.ts";
import { type RelayDial, relayOf } from "../pkarr/relays.ts";
import { UsageError } from "../terminal/output.ts";

/** Whom to ask, and what to make of it. */
export interface ByIdOptions {
  /** Relays as they were written; default: those of the configuration. */
  readonly relays?: readonly string[];
  /** Whether addresses are dialled that mean something only nearby, whoever tells of them. */
  readonly private?: boolean;
  /** Whether the networks that this machine is in are asked too. Default true. */
  readonly mdns?: boolean;
  /** Home folder, whose packets are looked at first. */
  readonly home?: string;
  /** Milliseconds for all of it. */
  readonly timeout: number;
}

/** Dials for {@linkcode dialById}. */
export interface ByIdDials {
  /** A relay. */
  readonly relay: RelayDial;
  /** `NODEID@HOST:PORT`. */
  readonly node: (address: string, signal: AbortSignal) => Promise<Connection>;
}

/**
 * Dials a node by its id.
 *
 * @throws {AlknetError} `NOT_FOUND`: nobody knows where it is, or all that is known is private. `TIMEOUT`, `UNREACHABLE`.
 * @throws {UsageError} A relay is none.
 */
export async function dialById(
  nodeId: string,
  options: ByIdOptions,
  dials: ByIdDials,
  outer: AbortSignal,
): Promise<Connection> {
  const late = AbortSignal.timeout(options.timeout);
  const signal = AbortSignal.any([outer, late]);
  const { zonesFile } = locateHome(options.home);
  using store = await exists(zonesFile) ? openDnsStore(zonesFile) : undefined;
  const configured = await configuredPkarr(options);
  const providers: DiscoveryProvider[] = [
    ...(store ? [keptPackets(store.packets)] : []),
    ...(options.mdns === false ? [] : [mdnsProvider()]),
    ...relaysOf(options.relays ?? [], configured.relays, dials.relay).map((relay) => relayProvider(relay)),
    ...configured.origins.map((origin) => originProvider(origin, lookUpTexts)),
  ];
  try {
    const outcome = await dialFound((signal) => discover(providers, nodeId, signal), {
      attempt: (address, signal) => dials.node(`${nodeId}@${address}`, signal),
      allowed: (address, source) => allowed(address, source, options.private === true),
      signal,
      wait: sleep,
    });
    if ("failures" in outcome) throw notReached(nodeId, outcome, providers);
    return outcome;
  } catch (error) {
    if (!late.aborted || outer.aborted) throw error;
    throw new AlknetError("TIMEOUT", `${shortened(nodeId)} was not reached within ${options.timeout} ms`, {
      cause: error,
    });
  }
}

function relaysOf(written: readonly string[], configured: readonly string[], dial: RelayDial): RelayClient[] {
  try {
    return (written.length > 0 ? written : configured).map((text) => relayOf(text, dial));
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** By the system's resolver. */
function lookUpTexts(name: string, signal: AbortSignal): Promise<string[][]> {
  return Deno.resolveDns(name, "TXT", { signal });
}

/**
 * What others say of what is near us is not dialled, whether they write it as an address or as a name; what is kept here came
 * from others too.
 */
async function allowed(address: string, source: Found["source"], allowPrivate: boolean): Promise<string[]> {
  const { host, port } = parseAddress(address);
  // Who is near tells of what is near.
  if (allowPrivate || source === "mdns") return [address];
  if (isNearby(address)) return [];
  if (isIpAddress(host)) return [address];
  const found = await lookup(host, { all: true, verbatim: true }).catch(() => []);
  return found.map((one) => formatSocketAddress({ hostname: one.address, port })).filter((one) => !isNearby(one));
}

function notReached(nodeId: string, { skipped, failures }: NotReached, providers: readonly DiscoveryProvider[]): Error {
  const id = shortened(nodeId);
  if (failures.length > 0) {
    const reasons = failures.map((failure) => (failure as Error).message).join("; ");
    return new AlknetError("UNREACHABLE", reasons, { cause: new AggregateError(failures) });
  }
  if (skipped > 0) {
    return new AlknetError("NOT_FOUND", `${id} says only private addresses of itself; --private dials them`);
  }
  const asked = providers.length > 0 ? `asked ${providers.map(({ name }) => name).join(", ")}` : "nobody was asked";
  return new AlknetError(
    "NOT_FOUND",
    `nobody knows where ${id} is (${asked}); name a relay with --relay, or write ${id}@HOST:PORT`,
  );
}

function shortened(nodeId: string): string {
  return `${nodeId.slice(0, 4)}…${nodeId.slice(-4)}`;
}
