/**
 * The DNS handler as the configuration has it: its zones, its limits, and its routes.
 *
 * @module
 */
import { AlknetError, type Handler, logger } from "@alknet/core/handler";
import type { HandlerRegistration } from "@alknet/core/operations";
import type { DnsLimits, DnsStore, FrontParts } from "@alknet/handlers/dns";
import type { HttpApp } from "@alknet/handlers/http";
import Type, { type Static, type TSchema } from "typebox";
import type { Home } from "../home/home.ts";

const closed = { additionalProperties: false };
const count = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });
const rate = Type.Object({ per_second: count, burst: count }, closed);

const schema = Type.Object({
  doh: Type.Optional(Type.Boolean({ description: "whether HTTP answers at /dns-query" })),
  limits: Type.Optional(
    Type.Record(Type.String(), Type.Union([count, rate]), {
      description: "limits by their names; bytes, milliseconds, counts, or a rate",
    }),
  ),
}, closed);

/** The schema of `handlers.dns`. */
export const DNS_SCHEMA: TSchema = schema;
/** Options of `handlers.dns`. */
export type DnsConfig = Static<typeof schema>;

/** DNS as a node serves it. */
export interface ServedDns extends Disposable {
  /** The handler of `dot`, `doq` and `alknet/dns`. */
  readonly handler: Handler;
  /** What answers over HTTP; absent where `doh` is false. */
  readonly doh?: FrontParts;
  /** Its operations. */
  readonly operations: readonly HandlerRegistration[];
}

/** Names of limits in the configuration that are not those of {@linkcode DnsLimits} in snake case. */
const NAMES: Readonly<Record<string, keyof DnsLimits>> = { idle_ms: "idle", frame_ms: "frame", stalled_ms: "stalled" };

/**
 * Opens the zones and makes the handler.
 *
 * @throws {AlknetError} `INVALID_CONFIG`: a limit that there is not; `DNS_STORE`, `DNS_BUSY`.
 */
export async function dnsOf(
  config: DnsConfig,
  { home, configFile }: { home: Home; configFile: string },
): Promise<ServedDns> {
  const { dns, DNS_LIMITS, dnsEngine, dnsLimitsWith, dnsOperations, dnsRates, openDnsStore } = await import(
    "@alknet/handlers/dns"
  );
  const limits = dnsLimitsWith(limitsOf(config, DNS_LIMITS, configFile));
  const store: DnsStore = openDnsStore(home.zonesFile, { maxRecords: limits.zoneRecords });
  const following = store.follow();
  const rates = dnsRates({ limits, log: logger("dns") });
  const parts: FrontParts = { engine: dnsEngine({ zones: store.zones, rates, limits }), rates, limits };
  return {
    handler: dns(parts),
    doh: config.doh === false ? undefined : parts,
    operations: dnsOperations({ zones: store.zones, engine: parts.engine, rates }),
    [Symbol.dispose]() {
      following[Symbol.dispose]();
      store[Symbol.dispose]();
    },
  };
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

/** `/dns-query`, where there is something to answer; a wrong token is told only then. */
export function addDoh(app: HttpApp, parts: FrontParts): void {
  app.all("/dns-query", async (c, next) => {
    const { unknownToken, refused, identity } = c.env.caller;
    const caller = { front: "doh", address: c.env.peer.remoteAddress.hostname, identity } as const;
    if (!parts.engine.serves(caller)) return await next();
    if (refused || unknownToken) return tokenRefused(refused);
    const { answerDoh } = await import("@alknet/handlers/dns");
    return await answerDoh(c.req.raw, caller, parts) ?? await next();
  });
}

/** What whoever brings a wrong token is told. */
function tokenRefused(tooOften: boolean): Response {
  return tooOften
    ? new Response("refused\n", { status: 429, headers: { "retry-after": "60" } })
    : new Response("token\n", { status: 401, headers: { "www-authenticate": 'Bearer error="invalid_token"' } });
}
