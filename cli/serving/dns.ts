/**
 * The DNS handler as the configuration has it: its zones, its limits, and its routes.
 *
 * @module
 */
import { AlknetError, type Handler, type IdentityProvider, logger, type SocketAddress } from "@alknet/core/handler";
import { formatSocketAddress } from "@alknet/core/address";
import type { HandlerRegistration } from "@alknet/core/operations";
import type {
  DesignatedResolver,
  DnsLimits,
  DnsName,
  DnsStore,
  FrontParts,
  PlainOptions,
  RelayParts,
} from "@alknet/handlers/dns";
import type { NodeKey } from "@alknet/core/identity";
import type { Home } from "../home/home.ts";
import type { DnsConfig } from "./dns/schema.ts";

/** DNS as a node serves it. */
export interface ServedDns extends AsyncDisposable {
  /** The handler of `dot`, `doq` and `alknet/dns`. */
  readonly handler: Handler;
  /** What answers over HTTP; absent where `doh` is false. */
  readonly doh?: FrontParts;
  /** What takes signed packets over HTTP; absent where `pkarr.relay` is off. */
  readonly relay?: RelayParts;
  /** Its operations. */
  readonly operations: readonly HandlerRegistration[];
  /** Says where the node listens: clients and secondaries are told from now on. */
  announce(listening: Listening): void;
}

/** Names of limits in the configuration that are not those of {@linkcode DnsLimits} in snake case. */
const NAMES: Readonly<Record<string, keyof DnsLimits>> = { idle_ms: "idle", frame_ms: "frame", stalled_ms: "stalled" };

/** Where a node listens, and what it answers there. */
export interface Listening {
  /** Its port. */
  readonly port: number;
  /** Its addresses. */
  readonly addresses: readonly SocketAddress[];
  /** Its protocols. */
  readonly alpns: readonly string[];
  /** Over what. */
  readonly transports: readonly ("quic" | "tls")[];
  /** Whether it speaks HTTP. */
  readonly http: boolean;
}

/**
 * Opens the zones and makes the handler.
 *
 * @throws {AlknetError} `INVALID_CONFIG`: a limit that there is not, a name or address that is none; `DNS_STORE`, `DNS_BUSY`.
 */
export async function dnsOf(
  config: DnsConfig,
  { home, configFile, key, identityProvider }: {
    home: Home;
    configFile: string;
    key: NodeKey;
    identityProvider: IdentityProvider;
  },
): Promise<ServedDns> {
  const [dnsModule, { ddrName, mayTransferBy, secondariesOf }, { recursionOf }, { loggingQueries }, { pkarrOf }] =
    await Promise.all([
      import("@alknet/handlers/dns"),
      import("./dns_access.ts"),
      import("./dns/forwarding.ts"),
      import("./dns/query_log.ts"),
      import("./dns/pkarr.ts"),
    ]);
  const { dns, DNS_LIMITS, dnsEngine, dnsLimitsWith, dnsOperations, dnsRates, notifySecondaries } = dnsModule;
  const limits = dnsLimitsWith(limitsOf(config, DNS_LIMITS, configFile));
  const name = ddrName(config, configFile);
  const mayTransfer = mayTransferBy(config, configFile);
  const secondaries = secondariesOf(config, configFile);
  const log = logger("dns");
  const rates = dnsRates({ limits, log });
  const pkarr = pkarrOf(config.pkarr, { configFile, key, log });
  await using stack = new AsyncDisposableStack();
  const recursion = recursionOf(config, { configFile, limits, log, key });
  if (recursion) stack.use(recursion.forwarder);
  const store: DnsStore = stack.use(dnsModule.openDnsStore(home.zonesFile, { maxRecords: limits.zoneRecords }));
  stack.use(store.follow());
  let resolver: DesignatedResolver | undefined;
  const { zones, packets } = store;
  const lookups = new dnsModule.Lookups({ packets, relays: pkarr.relays });
  const quiet = dnsEngine({ zones, packets: lookups, rates, limits, ddr: () => resolver, recursion });
  const engine = config.log_queries ? loggingQueries(quiet, log) : quiet;
  const parts: FrontParts = {
    engine,
    rates,
    limits,
    transfers: new dnsModule.Transfers({ zones, mayTransfer, rates }),
  };
  const doh = config.doh === false ? undefined : parts;
  const relay = pkarr.mode && { packets, mode: pkarr.mode, rates, identityProvider };
  const zoneOf = (name: DnsName) => zones.find(name)?.name.key;
  const plain = config.plain && stack.use(await plainOn(config.plain, { ...parts, zoneOf, log }, configFile));
  for (const address of plain?.addresses ?? []) {
    log.info("plain DNS on {address} over UDP and TCP", { address: formatSocketAddress(address) });
  }
  const owned = stack.move();
  return {
    handler: dns(parts),
    doh,
    relay,
    operations: dnsOperations({ zones, engine, rates, forwarder: recursion?.forwarder, packets, relay }),
    announce({ port, addresses, alpns: served, transports, http }) {
      const alpns = [
        ...(transports.includes("tls") ? ["dot"] as const : []),
        ...(transports.includes("quic") ? ["doq"] as const : []),
        ...(http && doh && transports.includes("tls") ? ["h2"] as const : []),
      ];
      if (name) resolver = { name, port, alpns };
      owned.use(notifySecondaries({ zones, secondaries, log }));
      pkarr.announce(owned, packets, { addresses, alpns: served });
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Plain DNS; an address that is none is a fault of the configuration. */
async function plainOn(addresses: readonly string[], options: PlainOptions, configFile: string) {
  const { listenPlain } = await import("@alknet/handlers/dns");
  try {
    return await listenPlain(addresses, options);
  } catch (error) {
    if (!(error instanceof AlknetError) || error.code !== "INVALID_ADDRESS") throw error;
    throw new AlknetError("INVALID_CONFIG", `config ${configFile}: handlers.dns.plain: ${error.message}`);
  }
}

function limitsOf({ limits = {} }: DnsConfig, known: DnsLimits, configFile: string): Partial<DnsLimits> {
  const found: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(limits)) {
    const own = NAMES[name] ??
      name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()) as keyof DnsLimits;
    if (!Object.hasOwn(known, own) || typeof known[own] !== typeof value) {
      throw new AlknetError(
        "INVALID_CONFIG",
        `config ${configFile}: handlers.dns.limits.${name}: there is no such limit`,
      );
    }
    found[own] = typeof value === "number" ? value : { perSecond: value.per_second, burst: value.burst };
  }
  return found as Partial<DnsLimits>;
}
